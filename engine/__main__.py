"""Command line of the engine: stepwise generation in a terminal, or as JSON for a program.

Example: `python -m engine "今天天氣真" --steps 5 --top 10`.
`python -m engine config` prints the configuration of this host (`--json` too). For that word as a prompt: `-- config`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from engine.errors import EngineError
from engine.sampling.settings import RANGES, Settings
from engine.serving import config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    parser.add_argument("prompt", help="the beginning of a text")
    parser.add_argument(
        "--model", help="a folder, a GGUF file or a Hugging Face id, with @REVISION too (the bundled model by default)"
    )
    parser.add_argument("--steps", type=int, default=5, help="how many tokens to write at most (default: 5)")
    parser.add_argument("--top", type=int, default=10, help="how many candidates to show a step (default: 10)")
    parser.add_argument("--strategy", choices=["greedy", "sample"], default="greedy")
    parser.add_argument("--seed", type=int, default=0, help="decides the draws of --strategy sample (default: 0)")
    parser.add_argument("--json", action="store_true", help="print a list of steps for a program")
    for name, (low, _) in RANGES.items():
        default = getattr(Settings(), name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int if isinstance(low, int) else float, default=default,
            help=f"default: {default}",
        )  # fmt: skip
    return parser


def _as_dict(step: Any, pieces: Sequence[str], top: int) -> dict[str, Any]:
    fields = ("token_id", "text", "logit", "raw", "probability", "kept", "cut_by", "rank")
    return {
        "context": list(step.token_ids),
        "context_pieces": list(pieces),
        "chosen": {
            "token_id": step.token_id,
            "text": step.text,
            "how": step.how,
            "u": step.u,
            "raw": step.raw,
            "probability": step.probability,
            "log_probability": step.log_probability,
        },
        "candidates": [{f: getattr(c, f) for f in fields} for c in step.distribution.top(top)],
        "stop": step.stop,
    }


def _print_step(step: Any, pieces: Sequence[str], top: int) -> None:
    print(" ".join(pieces))
    for c in step.distribution.top(top):
        mark = "▶" if c.token_id == step.token_id else "✂" if not c.kept else " "
        reason = f"  cut by {c.cut_by}" if c.cut_by else ""
        print(f"  {mark} {c.raw:8.2%} → {c.probability:8.2%}  {c.text}  #{c.token_id}{reason}")
    draw = "" if step.u is None else f" (u = {step.u:.4f})"
    print(f"  {step.how}: {step.text}{draw}\n")


def _print_config(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine config", description="How this host is configured.")
    parser.add_argument("--json", action="store_true", help="print a list of settings for a program")
    as_json = parser.parse_args(arguments).json
    try:
        loaded = config.load_config()
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(config.as_rows(loaded), ensure_ascii=False, indent=1) if as_json else config.as_text(loaded))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status of the command: 0, or 2 if the prompt, a setting or the model was rejected."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    if argv[:1] == ["config"]:
        return _print_config(argv[1:])
    options = _parser().parse_args(argv)
    try:
        if options.steps < 0 or options.top < 1 or options.seed < 0:
            raise EngineError("range", "--steps and --seed must not be negative, --top must be at least 1")
        settings = Settings(**{name: getattr(options, name) for name in RANGES})
        from engine.decoding.generation import generate
        from engine.model.loading import load

        model = load(options.model)
        ids = model.read_prompt(options.prompt)
        generation = generate(model, ids, options.strategy, settings, options.seed, options.steps)
        steps = []
        for step in generation:
            if options.json:
                steps.append(_as_dict(step, model.pieces(step.token_ids), options.top))
            else:
                _print_step(step, model.pieces(step.token_ids), options.top)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        json.dump(steps, sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        print(f"stopped: {generation.stop_reason}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
