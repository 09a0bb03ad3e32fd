"""Attention arcs of the step page: their weights and the sentence about them, against the model's attention."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.model import Model
from pages.i18n.translator import LANGUAGES, Translator
from pages.session.attention_choice import AttentionChoice
from pages.step import attention_arcs
from tests.pages.visit import component_data, stage, state_of, visit


@given(st.data())
def test_arcs_are_the_row_of_the_last_token(model: Model, data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.integers(3, model.vocabulary.size - 1), min_size=1, max_size=12))
    attention = model.attention(ids)  # (L, H, T, T)
    head = data.draw(st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)))
    known = head if head is not None and np.less(head, attention.shape[:2]).all() else None
    row = attention.mean((0, 1))[-1] if known is None else attention[known][-1]
    t = Translator(data.draw(st.sampled_from(LANGUAGES)))
    shown = attention_arcs.data(model, ids, model.pieces(ids), head, t)
    assert shown is not None
    assert [place for place, _ in shown["arcs"]] == np.flatnonzero(row >= attention_arcs.LEAST).tolist()
    np.testing.assert_allclose([weight for _, weight in shown["arcs"]], [row[i] for i, _ in shown["arcs"]], atol=6e-4)
    most = int(row.argmax())
    assert t("arcs.item", token=model.pieces(ids)[most], p=t.percent(float(row[most]))) in shown["told"]
    told = t("arcs.mean", seen="") if known is None else t("arcs.head", layer=known[0] + 1, head=known[1] + 1, seen="")
    assert shown["told"].startswith(told)


@pytest.mark.parametrize("head", [None, (1, 2)])
def test_the_stage_has_the_arcs_of_the_chosen_head(head: tuple[int, int] | None) -> None:
    app = visit(AttentionChoice=AttentionChoice(head))
    shown = component_data(stage(app)[-1])["arcs"]
    assert ("第 2 層第 3 個頭" in shown["told"]) == (head is not None)
    assert state_of(app, AttentionChoice).head == head
