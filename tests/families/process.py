"""Comparison of families in a process of their own: prints a line of the table for each, beginning with its name.

Memory is bounded, so that a configuration with a huge default part ends in an error and not in swapping.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import torch
import transformers

from tests.families.comparison import check

MAX_BYTES = 6 * 2**30
DIFFERS = "DIFFERS: "  # before what is not as expected


def main(families: list[str]) -> None:
    """Compare families one after the other."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for family in families:
        with tempfile.TemporaryDirectory() as folder:
            line, fault = check(family, Path(folder))
        print(f"{family:28} {' '.join(line.split())}{f' · {DIFFERS}{fault}' if fault else ''}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
