"""Command-line comparison of every causal family of `transformers`: a table, and exit status 1 for any that differs.

Each family runs in a process of its own, bounded in memory and in time.
"""

from __future__ import annotations

import subprocess
import sys

from tests.families.configs import families
from tests.families.process import TIMEOUT


def main(names: list[str]) -> int:
    """Compare the named families, or all; print a line for each. Returns the number of those that differ."""
    failed = []
    for name in names or families():
        command = [sys.executable, "-m", "tests.families.process", name]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            line, failure = run.stdout.strip().splitlines()[-1] if run.stdout.strip() else "", run.returncode
        except subprocess.TimeoutExpired:
            line, failure = f"no result after {TIMEOUT} s", 1
        if failure:
            failed.append(name)
        print(f"{name:28} {line or run.stderr.strip().splitlines()[-1]}", flush=True)
    print(f"{len(failed)} of {len(names or families())} differ: {', '.join(failed) or 'none'}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
