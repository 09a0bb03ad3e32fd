"""Comparison of four token attributions for one prediction: attention, masking, replacement, gradient × input.

The numbers come from `engine.interpret.attribution` and from the page's attention matrix. Here they become one shaded
row per method over the same tokens, and sentences on where the methods agree and differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.attention.state import AttentionState, target_token, token_label
from pages.components.tables import shaded_tokens
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
_LARGE_ATTENTION = 0.2  # "looked at much" is said of no smaller share of attention
_MAX_NAMED = 3  # tokens with the same value that are named; of more, the number is said
_SMALL_ATTENTION = 0.1  # "hardly looked at" is said of no larger share of attention

Values = Mapping[str, np.ndarray]  # of each token, by method
Displayed = Mapping[str, Sequence[str]]  # the same as text


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
    before = t.percent_of_log(result.log_probability)
    values: dict[str, np.ndarray] = {}
    displayed: dict[str, list[str]] = {}
    if result.masked_log_probabilities is not None:
        values["attention"] = state.matrix(model)[state.selected_row, result.first : state.selected_row + 1]
        values["masked"] = result.masked
        displayed["attention"] = [t.percent(float(value)) for value in values["attention"]]
        displayed["masked"] = [t.percent_of_log(float(value)) for value in result.masked_log_probabilities]
    values |= {"replaced": result.replaced, "gradient": gradient[result.first :]}
    displayed["replaced"] = [t.percent_of_log(float(value)) for value in result.replaced_log_probabilities]
    displayed["gradient"] = [t.number(float(value), 2) for value in values["gradient"]]
    labels = model.pieces(state.ids)[result.first : len(ids)]
    rows = [
        shaded_tokens.row(
            t(f"inside.mattered.{method}"),
            t(f"inside.mattered.{method}_note"),
            labels,
            array.tolist(),
            [f"{before} → {after}" for after in displayed[method]] if method in _OCCLUSIONS else displayed[method],
            max(float(np.abs(array).max()), _MIN_DECREASE) if method in _OCCLUSIONS else None,
        )
        for method, array in values.items()
    ]
    question = t(
        "inside.mattered.question",
        token=shaded_tokens.token(token_label(state, model, token_id)),
        p=before,
    )
    names = token_names(labels, result.first, t)
    return rows, [question, *agreement_sentences(values, displayed, names, before, t)]


def agreement_sentences(
    values: Values, displayed: Displayed, names: Sequence[str], before: str, t: Translator
) -> list[str]:
    """Sentences on where the methods agree and differ, true of the values as they are displayed.

    values     (n,) by method; those of `masked` and `replaced` are decreases of the log-probability in nats
    displayed  the values as text; for `masked` and `replaced`, the probability that is left
    names      of the n tokens, as sentences print them
    before     probability of the predicted token without occlusion, as text
    """
    return [
        *_top_tokens(values, displayed, names, before, t),
        *_attention_against_masking(values, displayed, names, before, t),
        *_correlations(values, displayed, t),
    ]


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


def _top_tokens(values: Values, displayed: Displayed, names: Sequence[str], before: str, t: Translator) -> list[str]:
    """The tokens with the largest value of each method; methods with the same tokens share a sentence."""
    comma = t("inside.mattered.comma")
    methods_by_tokens: dict[tuple[int, ...], list[str]] = {}
    without_effect, lines = [], []
    for method, array in values.items():
        name, texts = t(f"inside.mattered.{method}"), displayed[method]
        top, bottom = int(np.argmax(array)), int(np.argmin(array))
        if method in _OCCLUSIONS and (array[top] < _MIN_DECREASE or texts[top] == before):
            if array[bottom] > -_MIN_DECREASE or texts[bottom] == before:
                without_effect.append(name)
            else:
                against = comma.join(names[i] for i in _same(texts, bottom)[:_MAX_NAMED])
                lines.append(t("inside.mattered.only_against", names=name, token=against))
        elif array[top] <= 0 or texts[top] == t.number(0, 2):
            lines.append(t("inside.mattered.none_above", names=name))
        else:
            methods_by_tokens.setdefault(_same(texts, top), []).append(name)
    if without_effect:
        lines.insert(0, t("inside.mattered.nothing", names=comma.join(without_effect)))
    for tokens, methods in methods_by_tokens.items():
        fields = {"names": comma.join(methods), "token": comma.join(names[i] for i in tokens)}
        if len(tokens) > _MAX_NAMED:
            lines.append(t("inside.mattered.several", names=fields["names"], n=len(tokens)))
        elif len(methods) == len(values):
            lines.append(t("inside.mattered.all_point", token=fields["token"]))
        else:
            lines.append(t(f"inside.mattered.{'points' if len(methods) == 1 else 'point'}", **fields))
    return lines


def _same(texts: Sequence[str], at: int) -> tuple[int, ...]:
    """Indices of the values that read like the one at `at`."""
    return tuple(i for i, text in enumerate(texts) if text == texts[at])


def _attention_against_masking(
    values: Values, displayed: Displayed, names: Sequence[str], before: str, t: Translator
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
    looked = attention >= max(values["attention"].max() / 2, _LARGE_ATTENTION)
    falls = np.array([text != before for text in displayed["masked"][:-1]])
    hardly_needed = (gaps > 0) & looked & (np.abs(masked) <= _SMALL_DECREASE)
    needed = (gaps < 0) & falls & (masked > _SMALL_DECREASE) & (attention <= _SMALL_ATTENTION)
    gaps = np.where(hardly_needed | needed, gaps, 0.0)
    at = int(np.argmax(np.abs(gaps)))
    if abs(gaps[at]) < _MIN_GAP:
        return []
    fields = {"p": displayed["attention"][at], "before": before, "after": displayed["masked"][at]}
    return [t(f"inside.mattered.{'looked_only' if gaps[at] > 0 else 'needed_only'}", token=names[at], **fields)]


def _correlations(values: Values, displayed: Displayed, t: Translator) -> list[str]:
    """Rank correlations of masking with attention and with the gradient; none over few tokens or equal values."""
    from engine.interpret.rank_correlation import spearman

    lines = []
    for first, second in (("attention", "masked"), ("masked", "gradient")):
        if first not in values or len(values[first]) < _MIN_CORRELATED:
            continue
        correlation = spearman(values[first], values[second])
        without_effect = np.abs(values["masked"]).max() < _MIN_DECREASE
        if correlation is None or without_effect or 1 in (len(set(displayed[first])), len(set(displayed[second]))):
            continue
        value = round(correlation, 2)  # as displayed, so that the same number is always called the same
        if value == 1 and correlation < 1 - 1e-9:
            value = 0.99  # 1 is only said of the same order
        degree = "alike" if value >= _ALIKE else "partly" if value >= _PARTLY else "unlike"
        methods = {"one": t(f"inside.mattered.{first}"), "other": t(f"inside.mattered.{second}")}
        lines.append(t(f"inside.mattered.{degree}", value=t.number(value, 2), **methods))
    return lines
