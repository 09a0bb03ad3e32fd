"""Sentences of the attention page for any numbers: what each claims holds for the numbers beside it."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.interpret.head_scores import MIN_NORMALIZED_SCORE, HeadDescription, Kind, classify_head
from engine.interpret.induction import InductionResult, induction_experiment
from engine.model.model import Model
from pages.attention import attribution, experiments, head_descriptions
from pages.i18n.translator import LANGUAGES, Translator
from tests.pages.attention.test_inside import displayed
from tests.pages.sentences import assert_well_formed, number, values_in, which

T = {language: Translator(language) for language in LANGUAGES}
languages = st.sampled_from(list(T))
TOP = ("all_point", "points", "point", "several", "nothing", "only_against", "none_above")
shares = st.sampled_from([0.0, 0.1, 0.5, 0.5001, 0.012, 0.2]) | st.floats(0, 1)
nats = st.sampled_from([0.0, 0.005, -0.005, 0.02, 0.1, 2.0, 2.0001, -3.0]) | st.floats(-5, 9)


def drawn(n: int) -> st.SearchStrategy[dict[str, np.ndarray]]:
    """Values of all methods over n tokens, or of those of a model without attention."""
    methods = {"attention": shares, "masked": nats, "replaced": nats, "gradient": nats}
    arrays = {name: st.lists(values, min_size=n, max_size=n).map(np.array) for name, values in methods.items()}
    without = {name: array for name, array in arrays.items() if name in ("replaced", "gradient")}
    return st.fixed_dictionaries(arrays) | st.fixed_dictionaries(without)


def claims(lines: list[str], language: str) -> list[tuple[str, dict[str, str]]]:
    """Which sentence each line is, and its values."""
    names = (*TOP, "looked_only", "needed_only", "alike", "partly", "unlike")
    found = []
    for line in lines:
        assert_well_formed(line)
        every = [(name, values_in(line, f"inside.mattered.{name}", language, ".+?")) for name in names]
        found.append(next((name, values) for name, values in every if values is not None))
    return found


probabilities = st.sampled_from([1e-16, 0.001, 0.304, 0.9999, 1.0]) | st.floats(0.001, 1)


@given(values=st.integers(1, 9).flatmap(drawn), p=probabilities, language=languages)
def test_the_first_tokens_are_those_that_read_the_highest(
    values: dict[str, np.ndarray], p: float, language: str
) -> None:
    t, before = T[language], T[language].percent(p)
    texts = displayed(values, p, t)
    names = [f"<{i}>" for i in range(len(values["replaced"]))]
    told: dict[str, tuple[str, dict[str, str]]] = {}
    methods = {t(f"inside.mattered.{method}"): method for method in values}
    for claim, fields in claims(attribution._top_tokens(values, texts, names, before, t), language):
        listed = fields["names"].split(t("inside.mattered.comma")) if "names" in fields else list(methods)
        for name in listed:
            assert methods[name] not in told, "a method has one sentence"
            told[methods[name]] = claim, fields
        assert claim not in ("points", "point") or (claim == "points") == (len(listed) == 1)
    assert set(told) == set(values)
    for method, (claim, fields) in told.items():
        occluded = method in ("masked", "replaced")
        order = np.exp(-values[method]) if occluded else -values[method]
        best = {i for i, text in enumerate(texts[method]) if text == texts[method][int(order.argmin())]}
        if claim == "nothing":
            assert occluded and np.abs(p * (np.minimum(order, 1 / p) - 1)).max() <= 0.01
        elif claim == "only_against":
            assert occluded and (p * (1 - order)).max() <= 0.01
            against = {i for i, name in enumerate(names) if name in fields["token"]}
            assert against and all(order[i] > 1 and texts[method][i] != before for i in against)
        elif claim == "none_above":
            assert not occluded and float(values[method].max()) < 0.01
        elif claim == "several":
            assert int(fields["n"]) == len(best) > 3
        else:
            assert {i for i, name in enumerate(names) if name in fields["token"]} == best and len(best) <= 3
            if occluded:
                assert texts[method][min(best)] != before, "hiding it makes a difference that can be read"
            else:
                assert values[method].max() > 0


def series(attention: list[float], masked: list[float]) -> dict[str, np.ndarray]:
    """Values of all methods; those of the other two are those of masking."""
    return {"attention": np.array(attention)} | dict.fromkeys(("masked", "replaced", "gradient"), np.array(masked))


@given(values=st.integers(2, 6).flatmap(drawn), p=probabilities, language=languages)
@example(values=series([0.08, 0.01, 0.02], [0.0, 3.0, 0.0]), p=0.5, language="en")
def test_looked_at_and_needed(values: dict[str, np.ndarray], p: float, language: str) -> None:
    t, before = T[language], T[language].percent(p)
    texts = displayed(values, p, t)
    names = [f"<{i}>" for i in range(len(values["replaced"]))]
    lines = claims(attribution._attention_against_masking(values, texts, names, before, t), language)
    assert len(lines) <= ("masked" in values)
    for claim, fields in lines:
        at = names.index(fields["token"].strip("\x02\x03"))
        assert at < len(names) - 1, "the last token cannot be hidden from itself"
        assert fields["p"] == texts["attention"][at] and fields["after"] == texts["masked"][at]
        share, left = float(values["attention"][at]), math.exp(-values["masked"][at])
        if claim == "looked_only":
            assert share >= 0.2 and share >= values["attention"].max() / 2 and 0.9 <= left <= 1.11
        else:
            assert claim == "needed_only"
            assert share <= 0.1 and left < 0.91 and fields["before"] != fields["after"]


def ranks(series: np.ndarray) -> np.ndarray:
    """Rank of each value, counted from both sides: equal values share the mean."""
    return np.array([((series < value).sum() - (series > value).sum()) / 2 for value in series])


@given(values=st.integers(1, 9).flatmap(drawn), p=st.floats(0.001, 1), language=languages)
@example(values=series([i / 100 for i in range(15)], [1, 0, *range(2, 15)]), p=0.5, language="en")
@example(values=series([i / 100 for i in range(8)], [0, 1, 2, 5, 7, 6, 4, 3]), p=0.5, language="en")
def test_the_same_correlation_is_always_called_the_same(values: dict[str, np.ndarray], p: float, language: str) -> None:
    t = T[language]
    pairs = [("attention", "masked"), ("masked", "gradient")]
    for claim, fields in claims(attribution._correlations(values, displayed(values, p, t), t), language):
        by_name = {t(f"inside.mattered.{method}"): values[method] for method in values}
        one, other = by_name[fields["one"]], by_name[fields["other"]]
        assert any(values[a] is one and values[b] is other for a, b in pairs) and len(one) >= 5
        exact, shown = float(np.corrcoef(ranks(one), ranks(other))[0, 1]), number(fields["value"])
        assert shown == pytest.approx(exact, abs=0.0101)
        assert claim == ("alike" if shown >= 0.6 else "partly" if shown >= 0.3 else "unlike")
        if shown == 1:
            assert (ranks(one) == ranks(other)).all(), "1 would be the same order"


losses = st.lists(st.sampled_from([0.0, 1.0, 1.0001, 9.0, 800.0]) | st.floats(0, 12), min_size=4, max_size=6)


@given(first=losses, second=losses, shuffled=losses, language=languages)
def test_copying(first: list[float], second: list[float], shuffled: list[float], language: str) -> None:
    n = min(map(len, (first, second, shuffled)))
    ids = tuple(range(2 * n))
    result = InductionResult(
        ids, 0, (None, *first[1:n]), tuple(second[:n]), tuple(shuffled[:n]), None, None, None, None, None
    )
    line = experiments.copying_sentence(result, T[language])
    assert_well_formed(line)
    claim, fields = which(line, "inside.try", ("copies", "copies_not", "copies_less"), language, ".+?")
    gains = np.subtract(shuffled[1:n], second[1:n])
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    if claim == "copies_not":
        assert abs(gains.mean()) <= 2 * error + 1e-9 or fields["second"] == fields["shuffled"]
    else:
        assert fields["second"] != fields["shuffled"], "a difference that can be read"
        assert (claim == "copies") == (gains.mean() > 0) and abs(gains.mean()) > 2 * error - 1e-9


def test_another_order_is_another_order(model: Model) -> None:
    small = Model("small", model.vocabulary, model.prefix_cache, 6, model.end_ids)
    for seed in range(12):
        result = induction_experiment(small, seed)
        assert len(result.second) == 3
        assert list(result.second) != list(result.shuffled), seed


kinds = st.fixed_dictionaries({name: st.none() | st.floats(0, 1) for name in get_args(Kind)})


@given(scores=kinds, chance=st.floats(0, 0.5), language=languages)
def test_heads_are_described_by_what_they_do_most(
    scores: dict[Kind, float | None], chance: float, language: str
) -> None:
    t = T[language]
    kind = classify_head(scores, {name: chance for name, value in scores.items() if value is not None})
    own: Any = dict(scores)
    sentence = head_descriptions.describe(HeadDescription(0, 0, **own, entropy=1.0, kind=kind), t)
    assert_well_formed(sentence)
    names = ("none", "previous", "first", "self", "same", "induction")
    claim, fields = which(sentence, "inside.kind", names, language, ".+?")
    known = {name: value for name, value in scores.items() if value is not None}
    least = MIN_NORMALIZED_SCORE * (1 - chance) + chance
    if claim == "none":
        assert all(value < least + 1e-9 for value in known.values())
        return
    name: Any = "duplicate_token" if claim == "same" else claim
    assert known[name] > least - 1e-9 and fields["score"] == t.percent(known[name])
    rivals = [value for other, value in known.items() if other != "first" or claim == "first"]
    assert known[name] == max(rivals)
