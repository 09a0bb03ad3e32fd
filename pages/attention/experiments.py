"""The small experiments of the looking-inside page, told: each is made anew on the model when it is asked for.

Numbers come from `engine.heads`; here they become sentences, a head to open, and sentences shaded by surprise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.interpret import attention_maps
from pages.attention.state import AttentionState
from pages.components import shaded_tokens
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.interpret.induction import InductionResult
    from engine.model.model import Model


@dataclass(frozen=True)
class ExperimentResult:
    """What an experiment found: a sentence, the (layer, head) it is about if any, and rows for `shaded`.

    surprise: rows by how little a token was expected; looks: rows by where a head looked
    """

    sentence: str
    head: tuple[int, int] | None
    surprise: list[dict[str, Any]] = field(default_factory=list)
    looks: list[dict[str, Any]] = field(default_factory=list)


def outcome(name: str, looking: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    """What an experiment found just now. Raises EngineError for a model that it cannot be made with."""
    return _EXPERIMENTS[name](looking, model, t)


def _previous(looking: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    from engine.interpret import heads

    layer, head, score = heads.previous_token_head(model)
    told = t("inside.try.previous_found", layer=layer + 1, head=head + 1, score=t.percent(score))
    return ExperimentResult(told, (layer, head))


def _sink(looking: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    shares = attention_maps.sink(looking.attention(model))
    if len(looking.ids) == 1:
        return ExperimentResult(t("inside.try.sink_short"), None)
    layer, head = (int(i) for i in np.unravel_index(shares.argmax(), shares.shape))
    best, mean = t.percent(float(shares.max())), t.percent(float(shares.mean()))
    told = t("inside.try.sink_found", layer=layer + 1, head=head + 1, score=best, mean=mean)
    return ExperimentResult(told, (layer, head))


def _induction(looking: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    from engine.interpret.induction import induction_experiment  # torch comes with it: not before a model is there

    seed = looking.tried["induction"]
    asked = (model.name, seed)
    found = looking.cached("induction", asked, lambda: induction_experiment(model, seed), steps=1)
    means = {"first": found.first_mean, "second": found.second_mean, "shuffled": found.shuffled_mean}
    numbers = {name: t.percent(math.exp(-loss)) for name, loss in means.items()}
    told = t("inside.try.copies" if found.copies else "inside.try.copies_not", **numbers)
    rows = _losses(found, model, t)
    if found.layer is None or found.head is None or found.score is None:
        return ExperimentResult(told, None, rows)
    score = t.percent(found.score)
    told += " " + t("inside.try.induction_head", layer=found.layer + 1, head=found.head + 1, score=score)
    return ExperimentResult(told, (found.layer, found.head), rows, _looks(found, model, t))


def _losses(found: InductionResult, model: Model, t: Translator) -> list[dict[str, Any]]:
    """The random string three times, shaded by surprise, all by one measure."""
    n = len(found.first)
    labels = model.pieces(found.token_ids)[found.start : found.start + n]
    times = {"first": found.first, "second": found.second, "shuffled": found.shuffled}
    most = max(loss or 0.0 for losses in times.values() for loss in losses)
    rows = []
    for name, losses in times.items():
        told = ["" if loss is None else t.percent(math.exp(-loss)) for loss in losses]
        values: Sequence[float] = [loss or 0.0 for loss in losses]
        rows.append(
            shaded_tokens.row(t(f"inside.try.{name}"), t(f"inside.try.{name}_note"), labels, values, told, most)
        )
    return rows


def _looks(found: InductionResult, model: Model, t: Translator) -> list[dict[str, Any]]:
    """Where the head looked at one token of the second time: in the string, as it stood the first time."""
    if found.at is None or found.looked is None:
        return []
    labels = model.pieces(found.token_ids)[found.start : found.start + len(found.first)]
    name = t("inside.try.looks", layer=(found.layer or 0) + 1, head=(found.head or 0) + 1)
    note = t("inside.try.looks_note", token=labels[found.at], following=labels[found.at + 1])
    told = [t.percent(share) for share in found.looked]
    return [shaded_tokens.row(name, note, labels, found.looked, told)]


_EXPERIMENTS: dict[str, Callable[[AttentionState, Model, Translator], ExperimentResult]] = {
    "previous": _previous,
    "induction": _induction,
    "sink": _sink,
}
