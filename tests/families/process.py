"""Comparison of one family in a process of its own: prints its line of the table; exit status 1 if it differs.

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
TIMEOUT = 180  # seconds


def main(family: str) -> int:
    """Print the comparison of a family. Returns 1 if it is not as expected."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        line, fault = check(family, Path(folder))
    print(f"{line}{' · DIFFERS: ' + fault if fault else ''}")
    return int(bool(fault))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
