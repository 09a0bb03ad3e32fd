"""`python -m tests.bench`: what must stay quick, each as a ratio of two things measured in one run.

`python -m tests.bench PART` measures only that part: `engine`, `beam`, `inside`, `compare`, `page` or `link`.
"""

from __future__ import annotations

import argparse
from importlib import import_module

PARTS = ("engine", "beam", "inside", "compare", "page", "link")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS, help="everything by default")
    chosen = parser.parse_args().part
    for part in PARTS:
        if chosen in (None, part):
            import_module(f"tests.bench.{part}").run()


if __name__ == "__main__":
    main()
