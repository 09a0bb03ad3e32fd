"""`python -m tests.load`: load test of 30 concurrent visitors for 3 minutes, first with one prompt, then with 30.

With `--room`: a teacher and 40 students in a classroom, ten rounds beside visitors who step.

Starts a server on this machine, clicks over Streamlit's websocket protocol, prints a report, and ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio

from tests.load import room
from tests.load.measure import CLASS, MINUTES, measure, report


def main() -> None:
    """Measure with one prompt for all visitors, then with one for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=CLASS, choices=range(1, 101), metavar="1-100")
    parser.add_argument("--seconds", type=int, default=60 * MINUTES, choices=range(5, 601), metavar="5-600")
    parser.add_argument("--room", action="store_true", help="a classroom; --seconds: how long it stays idle first")
    options = parser.parse_args()
    if options.room:
        idle = min(options.seconds, room.IDLE_SECONDS)
        print(room.report(asyncio.run(room.measure(room.STUDENTS, room.ROUNDS, idle))))
        return
    for same in (True, False):
        print(report(asyncio.run(measure(options.visitors, options.seconds, same)), same), flush=True)


if __name__ == "__main__":
    main()
