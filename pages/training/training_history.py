"""Predictions for one prompt during training of the bundled model: bars, line chart and loss, by checkpoint.

`data` makes plain data of the training history; the component (`training_history.js`) steps through it by itself and
reports the checkpoint at which it stopped (`at`: {moment}).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.bundled.training_history import TrainingHistory
    from engine.model.model import Model

BARS = 8  # tokens per checkpoint
LINES = 5  # most probable tokens of the last checkpoint, whose probabilities are drawn over all checkpoints

_component = register("learning", Path(__file__), "stepper", "collapsible_table")


def data(history: TrainingHistory, model: Model, prompt: str, checkpoint: int, t: Translator) -> dict[str, Any]:
    """Data of the component for one prompt, initially at `checkpoint`.

    moments  by checkpoint: [step, loss or None, [[token id, probability] …] descending, probability of all others]
    lines    [token id, [probability by checkpoint, None where not recorded]], the most probable at the end first
    words    token id → label
    chance   loss of a uniform distribution over the vocabulary, in nats
    """
    pending = model.vocabulary.pending(model.encode(prompt))
    moments: list[list[Any]] = []
    ids: set[int] = set()
    for moment in history.checkpoints:
        top = moment.top_tokens[prompt][:BARS]
        ids |= {token_id for token_id, _ in top}
        others = max(0.0, 1 - sum(p for _, p in top))
        moments.append([moment.step, moment.loss, [list(pair) for pair in top], round(others, 5)])
    checkpoints = history.checkpoints
    line_ids = [token_id for token_id, _ in checkpoints[-1].top_tokens[prompt][:LINES]]  # all have a label in `words`
    lines = [[token_id, [each.probability(prompt, token_id) for each in checkpoints]] for token_id in line_ids]
    return {
        "prompt": prompt,
        "at": checkpoint,
        "moments": moments,
        "lines": lines,
        "words": {str(token_id): model.vocabulary.label(token_id, pending) for token_id in ids},
        "others": t("bars.others", count=f"{model.vocabulary.size - BARS:,}"),
        "chance": math.log(model.vocabulary.size),
    }


def first_prompt(prompts: Sequence[str], t: Translator) -> str:
    """Prompt with which the page opens: the first one wanted in this language that was recorded."""
    return next((prompt for prompt in t.list("training.learned.first") if prompt in prompts), prompts[0])


def languages(prompts: Sequence[str], t: Translator) -> str:
    """Sentence on the languages of the prompts; an English one is of ASCII characters, with a space."""
    has_english = any(prompt.isascii() and " " in prompt for prompt in prompts)
    return t("training.learned.both_languages") if has_english else t("training.learned.only_chinese")


def final_prediction(history: TrainingHistory, model: Model, prompt: str) -> tuple[int, float, float]:
    """Most probable token of the last checkpoint: (id, recorded probability, probability computed by the model)."""
    token_id, recorded = history.checkpoints[-1].top_tokens[prompt][0]
    return token_id, recorded, model.distribution(model.encode(prompt)).candidate(token_id).raw


def draw(payload: dict[str, Any], t: Translator, on_stop: Callable[[int], None]) -> None:
    """Draw the result of `data`. on_stop(checkpoint): the component stopped at that checkpoint."""
    words = (
        "next", "back", "play", "pause", "at", "slider", "bars", "lines", "loss", "chance", "missing", "table", "step",
        "likeliest",
    )  # fmt: skip
    labels = {word: t(f"training.learned.{word}") for word in words}
    on_change = event_callback("learning", "at", lambda value: on_stop(int(value["moment"])))
    _component(key="learning", data=payload | {"labels": labels}, on_at_change=on_change)
