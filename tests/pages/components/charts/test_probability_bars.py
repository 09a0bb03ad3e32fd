"""Data of the probability bars and the calculation, against their distribution; format of probabilities."""

from __future__ import annotations

import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from engine.model.model import Model
from engine.sampling.settings import Settings
from pages.components.charts import probability_bars, probability_rows
from pages.i18n.translator import Translator
from pages.step import calculation

T = Translator("en")


@pytest.mark.parametrize(
    "settings", [Settings(), Settings(temperature=0.7, top_k=4), Settings(top_p=0.5), Settings(temperature=0)]
)
def test_rows_are_the_likeliest_and_one_honest_rest(model: Model, settings: Settings) -> None:
    d = model.distribution(model.encode("the cat"), settings)
    chosen = d.argmax()
    table = probability_rows.rows(d, 8, chosen, set(), turn=3, t=T)
    assert [row["pick"] for row in table[:8]] == [f"3:{c.token_id}" for c in d.top(8)]
    assert sum(row["raw"] for row in table) == pytest.approx(1, abs=1e-5)
    drawn = sum(row["shown"] for row in table if row["state"] != "cut")
    assert drawn == pytest.approx(1, abs=1e-5)
    assert [row["state"] for row in table].count("pick") == 1
    for row, c in zip(table, d.top(8), strict=False):
        assert (row["state"] == "cut") == (not c.kept)
        assert c.kept or T(f"filter.{c.cut_by}") in row["value"]


def test_what_the_model_believed_has_a_bar_only_where_it_differs(model: Model) -> None:
    ids = model.encode("the cat")
    for settings, some in ((Settings(), False), (Settings(temperature=0.7, top_k=4), True)):
        table = probability_rows.rows(model.distribution(ids, settings), 8, None, set(), turn=0, t=T)
        assert any(row["differs"] for row in table) == some
        for row in table:
            assert row["differs"] == (row["state"] != "cut" and "→" in row["value"])
    layers = probability_bars.specification(False, tuple("abcdef"))["layer"]
    filters = [layer["transform"][0]["filter"] for layer in layers if "datum.raw *" in str(layer.get("transform"))]
    assert filters == ["datum.differs", "datum.state == 'cut'"]


def test_a_chosen_token_that_is_not_among_the_first_has_a_row(model: Model) -> None:
    d = model.distribution(model.encode("the cat"))
    unlikely = int(d.order[-1])
    table = probability_rows.rows(d, 5, unlikely, {unlikely}, turn=0, t=T)
    assert len(table) == 7
    assert table[5]["state"] == "pick"
    assert table[5]["branch"]


def test_the_curves_are_the_cumulative_sums(model: Model) -> None:
    d = model.distribution(model.encode("the cat"), Settings(top_k=6))
    data = calculation.data(d, d.argmax(), 0.25, seed=1, count=5, t=T)
    raw = np.cumsum(np.sort(d.raw)[::-1])
    for rank, p in data["believed"]:
        assert p == pytest.approx(raw[rank - 1], abs=1e-4)
    assert data["believed"][-1][0] == d.size
    assert data["cut"] == 6
    assert dict(map(tuple, data["drawn"]))[6] == 1


def test_the_draw_is_told_with_its_interval(model: Model) -> None:
    d = model.distribution(model.encode("the cat"))
    token = d.draw(0.42)
    sentence = calculation.data(d, token, 0.42, seed=9, count=5, t=T)["labels"]["draw"]
    low, high = map(float, re.search(r"between (\d\.\d+) and (\d\.\d+)", sentence).groups())  # type: ignore[union-attr]
    assert low <= 0.42 <= high
    assert "0.4200" in sentence


@given(st.floats(0, 1))
def test_a_probability_is_never_told_as_nothing_or_certain(p: float) -> None:
    for language in ("en", "zh_Hant"):
        text = Translator(language).percent(p)
        assert (text == "0%") == (p == 0)
        assert text != "100%" or p == 1
        assert "e+" not in text


@pytest.mark.parametrize(
    ("p", "english", "chinese"),
    [(0.342, "34%", "34%"), (0.0211, "2.1%", "2.1%"), (0.00031, "0.031%", "0.031%"),
     (0.000025, "1 in 40,000", "40,000分之 1"), (0.9973, "99.73%", "99.73%"), (1.0, "100%", "100%")],
)  # fmt: skip
def test_probabilities_read_as_a_person_says_them(p: float, english: str, chinese: str) -> None:
    for language, text in (("en", english), ("zh_Hant", chinese)):
        assert Translator(language).percent(p) == text.replace(" ", "\xa0")


@pytest.mark.parametrize("language", ["en", "zh_Hant"])
@given(st.floats(0, 1) | st.floats(0, 1e-4))
def test_a_probability_is_never_broken_over_two_lines(language: str, p: float) -> None:
    assert " " not in Translator(language).percent(p).removeprefix("under ").removeprefix("不到 ")


def test_the_chart_is_built_once_and_names_no_data() -> None:
    labels = ("a", "b", "c", "d", "e", "f")
    one = probability_bars.specification(False, labels)
    assert one is probability_bars.specification(False, labels)
    assert "datasets" not in one
    assert one["description"] == "f"
    assert all("data" not in layer for layer in one["layer"])
