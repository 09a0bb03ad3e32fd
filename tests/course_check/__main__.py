"""`python -m tests.course_check`: does every step of the course with a model, and measures what its texts claim.

For a model that is to become the included one: `--model FOLDER`. Exit status 1 if a sentence would be false.
"""

from __future__ import annotations

import argparse
import time

import torch

from engine.model.loading import load
from pages.i18n.translator import WRITTEN
from tests.course_check import measure


def main() -> int:
    """Print every result; those that fail once more at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.course_check", description=__doc__)
    parser.add_argument("--model", help="a folder or a Hugging Face id (the included model by default)")
    parser.add_argument("--language", choices=WRITTEN, help="both by default")
    parser.add_argument("--failures", action="store_true", help="print only what fails")
    options = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    found = []
    for finding in measure.findings(load(options.model), (options.language,) if options.language else WRITTEN):
        found.append(finding)
        if not finding.holds or not options.failures:
            print("ok   " if finding.holds else "FALSE", finding.where, finding.what, flush=True)
    false = [finding for finding in found if not finding.holds]
    print(f"\n{len(found)} results in {time.monotonic() - started:.0f} s, {len(false)} false")
    for finding in false:
        print("FALSE", finding.where, finding.what)
    return 1 if false else 0


if __name__ == "__main__":
    raise SystemExit(main())
