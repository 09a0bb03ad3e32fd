"""How good a model is: bits per character on held-out text, what a teacher would accept, and what it writes.

Bits per character do not depend on the tokenizer, so models with different ones can be compared. Text is scored in
windows of the whole context, each beginning with nothing before it. It trains nothing.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import engine
from engine.model import Model
from engine.training.errors import TrainingError
from engine.types import Settings

SHOWN = 20  # sampled stories
LOOP = 4  # a run of tokens that comes back this often in a greedy text is a loop


def bits_per_character(model: Model, text: str) -> float:
    """Mean of -log2 p over a text's characters; the first token of each window is not predicted and not counted."""
    ids = model.encode(text)
    nats, characters = 0.0, 0
    for at in range(0, len(ids), model.context_length):
        window = ids[at : at + model.context_length]
        score = model.score(window)
        nats -= score.log_probability
        characters += len(model.text(window[1:]))
    return nats / math.log(2) / max(1, characters)


def accepted(piece: str, accept: list[str]) -> bool:
    """Whether a predicted piece of text begins, or is begun by, something that a teacher would accept."""
    return bool(piece) and any(piece.startswith(a) or a.startswith(piece) for a in accept)


def suite(model: Model, path: Path) -> tuple[float, float, list[str]]:
    """(share of prompts with an accepted token among the top 5, mean probability on accepted tokens, the misses)."""
    prompts: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["prompt"]
    hits, mass, missed = 0, 0.0, []
    texts = [model.text([i]) for i in range(model.vocabulary.size)]
    for prompt in prompts:
        distribution = model.distribution(model.encode(prompt["text"]))
        good = [accepted(text, prompt["accept"]) for text in texts]
        hit = any(good[c.token_id] for c in distribution.top(5))
        hits += hit
        mass += float(distribution.raw[good].sum())
        if not hit:
            missed.append(prompt["text"])
    return hits / len(prompts), mass / len(prompts), missed


def write(model: Model, prompt: str, settings: Settings | None, seed: int, tokens: int) -> str:
    """A continuation: greedy without settings, drawn with them."""
    ids = model.encode(prompt)
    steps = list(engine.generate(model, ids, "sample" if settings else "greedy", settings, seed, tokens))
    return model.text([*ids, *(step.token_id for step in steps)])


def loop(model: Model, prompt: str, tokens: int) -> tuple[int, str] | None:
    """Where greedy search begins to repeat itself: (tokens written before it, what it repeats); None if it does not."""
    ids = model.encode(prompt)
    written = [s.token_id for s in engine.generate(model, ids, "greedy", max_new_tokens=tokens)]
    for width in range(1, 21):
        for at in range(len(written) - LOOP * width + 1):
            run = written[at : at + width]
            if all(written[at + k * width : at + (k + 1) * width] == run for k in range(LOOP)):
                return at, model.text(run)
    return None


def evaluate(folder: Path, work: Path, suites: Path, characters: int) -> None:
    """Print everything. Raises TrainingError where there is no model."""
    if not (folder / "config.json").is_file():
        raise TrainingError(f"{folder} holds no model: run the export command first.")
    model = engine.load(str(folder))
    for name, text in _held_out(work, characters):
        print(f"{name:26} {bits_per_character(model, text):5.2f} bits per character ({len(text):,} characters)")
    for path in sorted(suites.glob("*.toml")):
        share, mass, missed = suite(model, path)
        print(f"{path.stem}: accepted among the top 5: {share:.1%}, probability on accepted ones: {mass:.2f}")
        print(f"  missed: {' · '.join(missed)}")
    for prompt in ("人工智能是", "人工智慧是"):
        print(f"greedy: {write(model, prompt, None, 0, 40)}")
        print(f"at 0.8: {write(model, prompt, Settings(temperature=0.8, top_p=0.95), 1, 40)}")
    for seed in range(SHOWN):
        print(f"story {seed}: {write(model, '從前有一隻', Settings(temperature=0.8, top_p=0.95), seed, 120)}")
    for prompt in ("今天天氣真", "從前有一隻", "The weather today is"):
        found = loop(model, prompt, min(300, model.context_length - 20))
        print(f"greedy after {prompt}: " + (f"repeats {found[1]!r} after {found[0]} tokens" if found else "no loop"))


def _held_out(work: Path, characters: int) -> Iterator[tuple[str, str]]:
    for path in sorted((work / "held-out").glob("*.txt")):
        text = path.read_text("utf-8")[:characters]
        if len(text) > 100:
            yield path.stem, text
