"""What really mattered, told: attention, leaving out, replacing and gradient on the same tokens, and where they agree.

Numbers come from `engine.mattered` and from what the page shows of attention; here they become rows and sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.attention.state import AttentionState, target, word
from pages.components import shaded_tokens
from pages.i18n.translator import Translator
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.interpret.attribution import Occlusion
    from engine.model.model import Model

MOST = 96  # tokens, the last ones of a text, that are taken away in turn
_ALIKE, _PARTLY = 0.6, 0.3  # rank correlation from which two answers are called alike, or partly so
_TAKEN = ("masked", "replaced")  # the answers that say what a token's absence costs, in nats
_FEWEST = 5  # tokens from which a rank correlation says something
_NOTICED = 0.01  # nats, one part in a hundred: what takes less away is not shaded, and no token is named for it
_APART = 0.5  # of the largest value: how far apart attention and hiding must be to be told of


def mattered(
    session: TextState, looking: AttentionState, model: Model, t: Translator
) -> tuple[list[dict[str, Any]], list[str]]:
    """A row an answer to "what mattered?", all over the same tokens; and sentences on where they agree and do not.

    Raises EngineError where one cannot be had of this model.
    """
    from engine.interpret.attribution import gradient_input, occlusion

    ids = looking.ids[: looking.at + 1]
    token_id = target(session, looking, model)
    asked = (model.name, ids, token_id)
    out: Occlusion = looking.cached("occlusion", asked, lambda: occlusion(model, ids, token_id, MOST), steps=1)
    gradient = looking.cached("gradient", asked, lambda: gradient_input(model, ids, token_id), steps=1)
    answers: dict[str, np.ndarray] = {}
    told: dict[str, list[str]] = {}
    if out.masked_log_probabilities is not None:
        answers["attention"] = looking.matrix(model)[looking.at, out.first : looking.at + 1]
        answers["masked"] = out.masked
        told["attention"] = [t.percent(float(value)) for value in answers["attention"]]
        told["masked"] = _fell(out, out.masked_log_probabilities, t)
    answers |= {"replaced": out.replaced, "gradient": gradient[out.first :]}
    told["replaced"] = _fell(out, out.replaced_log_probabilities, t)
    told["gradient"] = [t.number(float(value), 2) for value in answers["gradient"]]
    labels = model.pieces(looking.ids)[out.first : len(ids)]
    rows = [
        shaded_tokens.row(
            t(f"inside.mattered.{name}"),
            t(f"inside.mattered.{name}_note"),
            labels,
            values.tolist(),
            told[name],
            max(float(np.abs(values).max()), _NOTICED) if name in _TAKEN else None,
        )
        for name, values in answers.items()
    ]
    question = t(
        "inside.mattered.question",
        token=shaded_tokens.token(word(looking, model, token_id)),
        p=t.percent(out.probability),
    )
    return rows, [question, *compared(answers, named(labels, out.first, t), out.probability, t)]


def compared(answers: Mapping[str, np.ndarray], names: Sequence[str], probability: float, t: Translator) -> list[str]:
    """Sentences on where answers agree and where they do not; values of `masked` are nats of that probability."""
    return [*_agreeing(answers, names, t), *_apart(answers, names, probability, t), *_correlations(answers, t)]


def _fell(out: Occlusion, without: np.ndarray, t: Translator) -> list[str]:
    """The probability of the answer, before and after each token was taken away."""
    before = t.percent(out.probability)
    after = [t.percent(float(np.exp(value))) for value in without]
    return [f"{before} → {each}" for each in after]


def named(labels: Sequence[str], first: int, t: Translator) -> list[str]:
    """Tokens as a sentence names them: one that stands there several times is told apart by its place in the text."""
    return [
        shaded_tokens.token(label)
        if labels.count(label) == 1
        else t("inside.mattered.place", token=shaded_tokens.token(label), n=first + i + 1)
        for i, label in enumerate(labels)
    ]


def _agreeing(answers: Mapping[str, np.ndarray], names: Sequence[str], t: Translator) -> list[str]:
    """Which token each answer points to most, answers that point to the same one together."""
    most: dict[int, list[str]] = {}
    nothing = []
    for name, values in answers.items():
        called = t(f"inside.mattered.{name}")
        if name in _TAKEN and values.max() < _NOTICED:
            nothing.append(called)
        else:
            most.setdefault(int(np.argmax(values)), []).append(called)
    if len(most) == 1 and not nothing:
        return [t("inside.mattered.all_point", token=names[next(iter(most))])]
    lines = [t("inside.mattered.nothing", names=t("inside.mattered.comma").join(nothing))] if nothing else []
    for at, which in most.items():
        verb = "points" if len(which) == 1 else "point"
        lines.append(t(f"inside.mattered.{verb}", names=t("inside.mattered.comma").join(which), token=names[at]))
    return lines


def _apart(answers: Mapping[str, np.ndarray], names: Sequence[str], probability: float, t: Translator) -> list[str]:
    """The token on which attention and hiding differ most. Not the last one: that asks, and cannot be hidden."""
    if "masked" not in answers:
        return []
    looked, needed = answers["attention"][:-1], answers["masked"][:-1]
    if not len(looked) or looked.max() <= 0 or np.abs(answers["masked"]).max() < _NOTICED:
        return []
    gaps = looked / answers["attention"].max() - needed / np.abs(answers["masked"]).max()
    at = int(np.argmax(np.abs(gaps)))
    if abs(gaps[at]) < _APART:
        return []
    before, after = t.percent(probability), t.percent(probability * float(np.exp(-needed[at])))
    values = {"token": names[at], "p": t.percent(float(looked[at])), "before": before, "after": after}
    return [t(f"inside.mattered.{'looked_only' if gaps[at] > 0 else 'needed_only'}", **values)]


def _correlations(answers: Mapping[str, np.ndarray], t: Translator) -> list[str]:
    """How far two answers agree over all tokens; nothing for so few that it would be chance, or where undefined."""
    from engine.interpret.rank_correlation import spearman

    lines = []
    for one, other in (("attention", "masked"), ("masked", "gradient")):
        if one not in answers or len(answers[one]) < _FEWEST:
            continue
        value = spearman(answers[one], answers[other])
        if value is None:
            continue
        degree = "alike" if value >= _ALIKE else "partly" if value >= _PARTLY else "unlike"
        names = {"one": t(f"inside.mattered.{one}"), "other": t(f"inside.mattered.{other}")}
        lines.append(t(f"inside.mattered.{degree}", value=t.number(value, 2), **names))
    return lines
