"""`python -m tests.load`: a class of thirty steps through the app for three minutes, first together, then each alone.

It serves the app on this machine, clicks as thirty browsers would, prints what it measured, and stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio

from tests.load.measure import CLASS, MINUTES, measure, report


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=CLASS, choices=range(1, 101), metavar="1-100")
    parser.add_argument("--seconds", type=int, default=60 * MINUTES, choices=range(5, 601), metavar="5-600")
    options = parser.parse_args()
    for same in (True, False):
        print(report(asyncio.run(measure(options.visitors, options.seconds, same)), same), flush=True)


if __name__ == "__main__":
    main()
