"""Experiments of the attention page: previous-token head, induction and attention sink, as sentences and shaded rows.

Each runs on the model when a visitor requests it; the numbers come from `engine.interpret`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.interpret import attention_maps
from pages.attention.state import AttentionState
from pages.components.tables import shaded_tokens
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.interpret.induction import InductionResult
    from engine.model.model import Model


@dataclass(frozen=True)
class ExperimentResult:
    """Result of an experiment.

    sentence        the result in words
    head            (layer, head) that it is about, from 0; None if there is none
    surprise_rows   rows for `shaded_tokens`, shaded by the loss of each token
    attention_rows  rows for `shaded_tokens`, shaded by the attention of that head
    """

    sentence: str
    head: tuple[int, int] | None
    surprise_rows: list[dict[str, Any]] = field(default_factory=list)
    attention_rows: list[dict[str, Any]] = field(default_factory=list)


def run(name: str, state: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    """Result of one of `EXPERIMENTS`. Raises EngineError: `attention` for a model without, `not_finite`, `context`."""
    return _EXPERIMENTS[name](state, model, t)


def _previous(state: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    from engine.interpret import heads

    layer, head, score = heads.previous_token_head(model)
    sentence = t("inside.try.previous_found", layer=layer + 1, head=head + 1, score=t.percent(score))
    return ExperimentResult(sentence, (layer, head))


def _sink(state: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    shares = attention_maps.sink(state.attention(model))
    if len(state.ids) == 1:
        return ExperimentResult(t("inside.try.sink_short"), None)
    layer, head = (int(i) for i in np.unravel_index(shares.argmax(), shares.shape))
    best, mean = t.percent(float(shares.max())), t.percent(float(shares.mean()))
    sentence = t("inside.try.sink_found", layer=layer + 1, head=head + 1, score=best, mean=mean)
    return ExperimentResult(sentence, (layer, head))


def _induction(state: AttentionState, model: Model, t: Translator) -> ExperimentResult:
    from engine.interpret.induction import induction_experiment  # imports torch, which is loaded along with the model

    seed = state.experiment_runs["induction"]
    arguments = (model.name, seed)
    result = state.cached("induction", arguments, lambda: induction_experiment(model, seed), steps=1)
    sentence = copying_sentence(result, t)
    rows = _loss_rows(result, model, t)
    if result.layer is None or result.head is None or result.score is None:
        return ExperimentResult(sentence, None, rows)
    score = t.percent(result.score)
    sentence += " " + t("inside.try.induction_head", layer=result.layer + 1, head=result.head + 1, score=score)
    return ExperimentResult(sentence, (result.layer, result.head), rows, _attention_rows(result, model, t))


def copying_sentence(result: InductionResult, t: Translator) -> str:
    """Whether the model copies; a difference that the displayed probabilities do not have is not claimed."""
    means = {"first": result.first_mean, "second": result.second_mean, "shuffled": result.shuffled_mean}
    numbers = {name: t.percent_of_log(-loss) for name, loss in means.items()}
    clear = abs(result.gain) > 2 * result.error and numbers["second"] != numbers["shuffled"]
    verdict = "copies_not" if not clear else "copies" if result.copies else "copies_less"
    return t(f"inside.try.{verdict}", **numbers)


def _loss_rows(result: InductionResult, model: Model, t: Translator) -> list[dict[str, Any]]:
    """First, second and shuffled copy of the random string, shaded by loss on a common scale."""
    n = len(result.first)
    labels = model.pieces(result.token_ids)[result.start : result.start + n]
    copies = {"first": result.first, "second": result.second, "shuffled": result.shuffled}
    largest = max(loss or 0.0 for losses in copies.values() for loss in losses)
    rows = []
    for name, losses in copies.items():
        texts = ["" if loss is None else t.percent_of_log(-loss) for loss in losses]
        values: Sequence[float] = [loss or 0.0 for loss in losses]
        rows.append(
            shaded_tokens.row(t(f"inside.try.{name}"), t(f"inside.try.{name}_note"), labels, values, texts, largest)
        )
    return rows


def _attention_rows(result: InductionResult, model: Model, t: Translator) -> list[dict[str, Any]]:
    """Attention of the induction head from one token of the second copy to the tokens of the first; at most one row."""
    if result.at is None or result.attention is None:
        return []
    labels = model.pieces(result.token_ids)[result.start : result.start + len(result.first)]
    name = t("inside.try.looks", layer=(result.layer or 0) + 1, head=(result.head or 0) + 1)
    note = t("inside.try.looks_note", token=labels[result.at], following=labels[result.at + 1])
    texts = [t.percent(share) for share in result.attention]
    return [shaded_tokens.row(name, note, labels, result.attention, texts)]


_EXPERIMENTS: dict[str, Callable[[AttentionState, Model, Translator], ExperimentResult]] = {
    "previous": _previous,
    "induction": _induction,
    "sink": _sink,
}
