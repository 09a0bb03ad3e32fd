"""Benchmarks, as ratios of two times measured in the same run: `python -m tests.bench`.

`python -m tests.bench PART` runs one part: `engine`, `beam`, `inside`, `compare`, `page`, `arrival`, `link`,
`endpoint` or `speculative`.
"""

from __future__ import annotations

import argparse
from importlib import import_module

PARTS = ("engine", "beam", "inside", "compare", "page", "arrival", "link", "endpoint", "speculative")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS, help="all parts by default")
    chosen = parser.parse_args().part
    for part in PARTS:
        if chosen in (None, part):
            import_module(f"tests.bench.{part}").run()


if __name__ == "__main__":
    main()
