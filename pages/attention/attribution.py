"""Comparison of four token attributions for one prediction: attention, masking, replacement, gradient × input.

The numbers come from `engine.interpret.attribution` and from the page's attention matrix. Here they become one shaded
row per method over the same tokens, and sentences on where the methods agree and differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.attention.state import AttentionState, target_token, token_label
from pages.components import shaded_tokens
from pages.i18n.translator import Translator
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.interpret.attribution import Occlusion
    from engine.model.model import Model

MAX_TOKENS = 96  # at the end of the text, that are occluded in turn
_ALIKE, _PARTLY = 0.6, 0.3  # minimum rank correlation of methods that agree, or agree partly
_OCCLUSIONS = ("masked", "replaced")  # the methods whose values are decreases of the log-probability, in nats
_MIN_CORRELATED = 5  # tokens; over fewer, a rank correlation means nothing
_MIN_DECREASE = 0.01  # nats, about 1 % of the probability: smaller decreases are shaded faintly and not mentioned
_MIN_GAP = 0.5  # between attention and masking, each as a share of its largest value, for a sentence about a token
_SMALL_DECREASE = 0.1  # nats, about a tenth of a probability: "hardly needed" is said of no more
_SMALL_ATTENTION = 0.1  # "hardly looked at" is said of no larger share of attention


def compare_methods(
    session: TextState, state: AttentionState, model: Model, t: Translator
) -> tuple[list[dict[str, Any]], list[str]]:
    """One row per method for `shaded_tokens`, all over the same tokens, and sentences comparing the methods.

    The values are for the token predicted at the selected row. For a model without attention, attention and masking
    are left out. Raises EngineError as `occlusion` and `gradient_input`.
    """
    from engine.interpret.attribution import gradient_input, occlusion

    ids = state.ids[: state.selected_row + 1]
    token_id = target_token(session, state, model)
    arguments = (model.name, ids, token_id)
    result: Occlusion = state.cached(
        "occlusion", arguments, lambda: occlusion(model, ids, token_id, MAX_TOKENS), steps=1
    )
    gradient = state.cached("gradient", arguments, lambda: gradient_input(model, ids, token_id), steps=1)
    values: dict[str, np.ndarray] = {}
    texts: dict[str, list[str]] = {}
    if result.masked_log_probabilities is not None:
        values["attention"] = state.matrix(model)[state.selected_row, result.first : state.selected_row + 1]
        values["masked"] = result.masked
        texts["attention"] = [t.percent(float(value)) for value in values["attention"]]
        texts["masked"] = _before_and_after(result, result.masked_log_probabilities, t)
    values |= {"replaced": result.replaced, "gradient": gradient[result.first :]}
    texts["replaced"] = _before_and_after(result, result.replaced_log_probabilities, t)
    texts["gradient"] = [t.number(float(value), 2) for value in values["gradient"]]
    labels = model.pieces(state.ids)[result.first : len(ids)]
    rows = [
        shaded_tokens.row(
            t(f"inside.mattered.{method}"),
            t(f"inside.mattered.{method}_note"),
            labels,
            array.tolist(),
            texts[method],
            max(float(np.abs(array).max()), _MIN_DECREASE) if method in _OCCLUSIONS else None,
        )
        for method, array in values.items()
    ]
    question = t(
        "inside.mattered.question",
        token=shaded_tokens.token(token_label(state, model, token_id)),
        p=t.percent(result.probability),
    )
    names = token_names(labels, result.first, t)
    return rows, [question, *agreement_sentences(values, names, result.probability, t)]


def agreement_sentences(
    values: Mapping[str, np.ndarray], names: Sequence[str], probability: float, t: Translator
) -> list[str]:
    """Sentences on where the methods agree and differ.

    values       (n,) by method; those of `masked` are decreases in nats of the log of `probability`
    names        of the n tokens, as sentences print them
    probability  of the predicted token, without occlusion
    """
    return [
        *_top_tokens(values, names, t),
        *_attention_against_masking(values, names, probability, t),
        *_correlations(values, t),
    ]


def _before_and_after(result: Occlusion, log_probabilities: np.ndarray, t: Translator) -> list[str]:
    """Probability of the predicted token before and after each token was occluded."""
    before = t.percent(result.probability)
    return [f"{before} → {t.percent(float(np.exp(value)))}" for value in log_probabilities]


def token_names(labels: Sequence[str], first: int, t: Translator) -> list[str]:
    """Tokens as sentences print them; a token that occurs several times is given its position, counted from 1.

    first: position of the first label in the text.
    """
    return [
        shaded_tokens.token(label)
        if labels.count(label) == 1
        else t("inside.mattered.place", token=shaded_tokens.token(label), n=first + i + 1)
        for i, label in enumerate(labels)
    ]


def _top_tokens(values: Mapping[str, np.ndarray], names: Sequence[str], t: Translator) -> list[str]:
    """The token with the largest value of each method; methods with the same token share a sentence."""
    methods_by_token: dict[int, list[str]] = {}
    without_effect = []
    for method, array in values.items():
        method_name = t(f"inside.mattered.{method}")
        if method in _OCCLUSIONS and array.max() < _MIN_DECREASE:
            without_effect.append(method_name)
        else:
            methods_by_token.setdefault(int(np.argmax(array)), []).append(method_name)
    if len(methods_by_token) == 1 and not without_effect:
        return [t("inside.mattered.all_point", token=names[next(iter(methods_by_token))])]
    comma = t("inside.mattered.comma")
    lines = [t("inside.mattered.nothing", names=comma.join(without_effect))] if without_effect else []
    for at, methods in methods_by_token.items():
        verb = "points" if len(methods) == 1 else "point"
        lines.append(t(f"inside.mattered.{verb}", names=comma.join(methods), token=names[at]))
    return lines


def _attention_against_masking(
    values: Mapping[str, np.ndarray], names: Sequence[str], probability: float, t: Translator
) -> list[str]:
    """The token on which attention and masking differ most, where that is at least `_MIN_GAP`.

    The last token is left out: it computes the prediction, so masking cannot remove it.
    """
    if "masked" not in values:
        return []
    attention, masked = values["attention"][:-1], values["masked"][:-1]
    if not len(attention) or attention.max() <= 0 or np.abs(values["masked"]).max() < _MIN_DECREASE:
        return []
    gaps = attention / values["attention"].max() - masked / np.abs(values["masked"]).max()
    # What the sentences claim, in absolute terms: hardly needed, or needed although hardly attended to.
    looked = attention >= values["attention"].max() / 2
    hardly_needed = (gaps > 0) & looked & (np.abs(masked) <= _SMALL_DECREASE)
    needed = (gaps < 0) & (masked > _SMALL_DECREASE) & (attention <= _SMALL_ATTENTION)
    gaps = np.where(hardly_needed | needed, gaps, 0.0)
    at = int(np.argmax(np.abs(gaps)))
    if abs(gaps[at]) < _MIN_GAP:
        return []
    before, after = t.percent(probability), t.percent(probability * float(np.exp(-masked[at])))
    fields = {"token": names[at], "p": t.percent(float(attention[at])), "before": before, "after": after}
    return [t(f"inside.mattered.{'looked_only' if gaps[at] > 0 else 'needed_only'}", **fields)]


def _correlations(values: Mapping[str, np.ndarray], t: Translator) -> list[str]:
    """Rank correlations of masking with attention and with the gradient; none over few tokens or where undefined."""
    from engine.interpret.rank_correlation import spearman

    lines = []
    for first, second in (("attention", "masked"), ("masked", "gradient")):
        if first not in values or len(values[first]) < _MIN_CORRELATED:
            continue
        correlation = spearman(values[first], values[second])
        if correlation is None:
            continue
        degree = "alike" if correlation >= _ALIKE else "partly" if correlation >= _PARTLY else "unlike"
        names = {"one": t(f"inside.mattered.{first}"), "other": t(f"inside.mattered.{second}")}
        lines.append(t(f"inside.mattered.{degree}", value=t.number(correlation, 2), **names))
    return lines
