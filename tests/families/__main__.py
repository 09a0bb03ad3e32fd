"""Command-line comparison of every causal family of `transformers`: a table, and exit status 1 for any that differs.

The families run in processes of their own, bounded in memory and in time. Where one ends early, the family that it was
at counts as different, and another process goes on with the next.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.families.configs import families
from tests.families.process import DIFFERS

AT_ONCE = 12
TIMEOUT = 240  # seconds for AT_ONCE families


def lines(names: list[str]) -> Iterator[str]:
    """Line of the table for each family."""
    while names:
        command = [sys.executable, "-m", "tests.families.process", *names[:AT_ONCE]]
        try:
            output = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False).stdout
        except subprocess.TimeoutExpired as error:
            output = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout or ""
        done = [line for line in output.splitlines() if line.partition(" ")[0] in names]  # not what models print
        yield from done
        if len(done) < len(names[:AT_ONCE]):
            yield f"{names[len(done)]:28} {DIFFERS}no result within the bounds of memory and time"
            done.append("")
        names = names[len(done) :]


def main(names: list[str]) -> int:
    """Print the table for the named families, or all. Returns the number of those that differ."""
    differ = 0
    for line in lines(names or families()):
        print(line, flush=True)
        differ += DIFFERS in line
    print(f"{differ} of {len(names or families())} families differ")
    return differ


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
