"""Prompt suites: acceptability of next-token predictions, by lists of continuations that a teacher would accept.

`suite/README.md` defines acceptance. Three figures a suite: share of prompts with an accepted token among the five most
probable, share of accepted tokens among those five, and probability mass on accepted tokens over the whole vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from engine.training import suite_file

TOP = 5


@dataclass(frozen=True)
class Prompt:
    """A prompt with its accepted continuations."""

    text: str
    accept: tuple[str, ...]
    theme: str
    language: str


@dataclass(frozen=True)
class Verdict:
    """Result for one prompt.

    top   the TOP most probable tokens: (text, probability, accepted), by descending probability
    mass  total probability of all accepted tokens
    """

    prompt: Prompt
    top: list[tuple[str, float, bool]]
    mass: float

    @property
    def is_hit(self) -> bool:
        """Whether any of the most probable tokens is accepted."""
        return any(good for _, _, good in self.top)


def read(path: Path) -> list[Prompt]:
    """Prompts of a suite in TOML. Raises TrainingError."""
    return suite_file.read(
        path, "prompt", "a suite of prompts", lambda e: Prompt(e["text"], tuple(e["accept"]), e["theme"], e["language"])
    )


def accepted(token: str, accept: Sequence[str]) -> bool:
    """Whether a token is a prefix of an accepted continuation, or an accepted continuation a prefix of the token.

    Tokens of an incomplete character, which decode to U+FFFD or nothing, are not accepted.

    >>> accepted("好", ["好啊"]), accepted("不錯", ["不"]), accepted("", ["好"])
    (True, True, False)
    """
    return bool(token) and any(wanted and (wanted.startswith(token) or token.startswith(wanted)) for wanted in accept)


@torch.inference_mode()
def judge(model: PreTrainedModel, tokenizer: Tokenizer, prompts: Sequence[Prompt]) -> list[Verdict]:
    """Verdicts of all prompts."""
    texts = [tokenizer.decode([i]) for i in range(tokenizer.get_vocab_size())]
    verdicts = []
    for prompt in prompts:
        ids = tokenizer.encode(prompt.text, add_special_tokens=False).ids
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].float()
        probabilities = torch.softmax(logits, dim=-1)  # (V,)
        mask = torch.tensor([accepted(text, prompt.accept) for text in texts])  # the tokenizer's size, <= V
        best = probabilities[: len(texts)].topk(min(TOP, len(texts)))
        top = [(texts[i], p, bool(mask[i])) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]
        verdicts.append(Verdict(prompt, top, float(probabilities[: len(texts)][mask].sum())))
    return verdicts


def summary(verdicts: Sequence[Verdict]) -> str:
    """One line: number of prompts, share with an accepted token, share of accepted tokens, mean probability mass."""
    count = max(1, len(verdicts))
    hits = sum(v.is_hit for v in verdicts) / count
    share = sum(good for v in verdicts for _, _, good in v.top) / max(1, sum(len(v.top) for v in verdicts))
    mass = sum(v.mass for v in verdicts) / count
    return f"{len(verdicts):4} {100 * hits:9.1f} % {100 * share:9.1f} % {mass:9.2f}"


def report(model: PreTrainedModel, tokenizer: Tokenizer, folder: Path) -> dict[str, list[Verdict]]:
    """Verdicts by suite.

    Prints the figures of each suite, also by language and theme, and the prompts without an accepted token.
    """
    results = {}
    print(f"{'prompts':26} {'':4} {'one of 5':>11} {'of the 5':>11} {'chance':>9}")
    for path in sorted(folder.glob("*.toml")):
        verdicts = judge(model, tokenizer, read(path))
        results[path.stem] = verdicts
        suite_file.print_figures(path.stem, verdicts, lambda verdict: verdict.prompt, summary)
    for name, verdicts in results.items():
        missed = [v for v in verdicts if not v.is_hit]
        if missed:
            print(f"{name}: none of the five likeliest accepted")
        for verdict in missed:
            top = " ".join(f"{text!r} {p:.2f}" for text, p, _ in verdict.top)
            print(f"  {verdict.prompt.text!r}: {top}")
    return results
