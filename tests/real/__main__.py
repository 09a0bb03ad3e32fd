"""Measurements on real checkpoints: `python -m tests.real [FOLDER or GGUF file]…`; SmolLM2-135M-Instruct is always one.

Prints for each that its numbers are those of `transformers`, then ratios to the bare library. Exit status 1 where a
number differs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.real import checkpoints, equality, speed


def measure(folder: Path) -> None:
    """Print everything about one checkpoint."""
    model = speed.opened(folder)
    print(f"{folder}: {model.prefix_cache.forward.layers} layers, {model.vocabulary.size:,} tokens", flush=True)
    for line in equality.check(model, folder):
        print(f"  {line}", flush=True)
    for line in [*speed.loading(folder, model.weight_bytes), *speed.stepping(model, folder)]:
        print(f"  {line}", flush=True)
    for line in speed.clicking(folder, speed.bare_step(model, folder)):
        print(f"  {line}", flush=True)


def main(paths: list[str]) -> int:
    """Measure SmolLM2 and the named checkpoints. Returns the exit status."""
    differ = 0
    for path in [checkpoints.smollm2(), *(checkpoints.folder_of(Path(path)) for path in paths)]:
        try:
            measure(path)
        except AssertionError as error:
            differ += 1
            print(f"  DIFFERS: {error}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
