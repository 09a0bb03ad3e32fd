"""Page on both sides without a browser: what it shows against the engine, filling, writing, links, refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.errors import EngineError
from engine.masked import gaps
from engine.masked.masked_model import MaskedModel, bundled_masked
from engine.model.model import Model
from engine.serving import model_registry
from pages.both_sides import gap_view, two_maps, writing, written_texts
from pages.both_sides.state import PASSES, PLACES, BothSidesState, Wanted
from pages.i18n.translator import LANGUAGES, Translator
from pages.shell.address import AddressState
from tests.pages.visit import component_data, follow_link, state_of, visit


@pytest.fixture(scope="module")
def causal() -> Model:
    return model_registry.request().result()


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return bundled_masked()


def component(app: AppTest, name: str) -> dict[str, Any]:
    [proto] = [each.proto for each in app.get("bidi_component") if each.proto.id.endswith(f"-{name}")]
    data = component_data(proto)
    assert isinstance(data, dict)
    return data


def told(app: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (app.markdown, app.caption, app.error) for element in kind)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_views_are_drawn_and_a_link_brings_them_back(language: str) -> None:
    t = Translator(language)
    app = visit("both-sides", language)
    assert not app.exception and app.title[0].value == t("both_sides.title")
    assert component(app, "gap_view")["rows"] and t("both_sides.gap.note") in told(app)
    app.segmented_control(key="both_sides_shown").set_value("writing").run()
    app.button(key="both_sides_write").click().run()
    assert not app.exception and len(component(app, "written_texts")["rows"]) == len(PASSES) + 1
    assert len(component(app, "both_sides_grid")["rows"]) == PASSES[1]
    app.segmented_control(key="both_sides_shown").set_value("attention").run()
    assert not app.exception and len(component(app, "two_maps")["maps"]) == 2
    query = dict(state_of(app, AddressState).written or {})
    again = follow_link(query, "both-sides")
    assert again.segmented_control(key="both_sides_shown").value == "attention"


def test_the_rows_are_the_engines_and_filling_goes_to_the_next_gap(model: MaskedModel, causal: Model) -> None:
    state, t = BothSidesState(), Translator("en")
    state.read(model, "天＿就＿傘。")
    assert state.text is not None
    found = state.filled_in(model, causal)
    assert found is not None and found[1] is None, "several gaps are not scored as a whole"
    data = gap_view.data(model, state.text, state.place, *found, state.turn, t)
    expected = gaps.both_sides(model, state.text, state.place)
    assert [row["both"][0] for row in data["rows"]] == [expected[row["token"]] for row in data["rows"]]
    assert [part["gap"] for part in data["parts"]].count(True) == 2
    first = state.place
    state.fill(10**6)  # no candidate
    assert state.text.filled == {}
    state.fill(data["rows"][0]["token"])
    assert state.text.filled == {first: data["rows"][0]["token"]} and state.place == state.text.gaps[1]
    state.show(first)
    assert state.place == first
    state.open(model)
    assert state.text.filled == {}
    state.read(model, "no gap")
    assert state.problem is not None and state.problem.code == "gaps" and state.text.gaps, "the last one stays"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentences_hold_the_numbers(language: str, model: MaskedModel, causal: Model) -> None:
    state, t = BothSidesState(), Translator(language)
    state.read(model, "今天天氣真_，你要多穿一點。")
    found = state.filled_in(model, causal)
    assert found is not None
    result, scored = found
    assert scored is not None and result.entropy_left is not None
    lines = gap_view.told(model, result, scored, t)
    assert t.percent(result.candidates[0].both) in lines[0] and t.number(result.entropy_both, 1) in lines[0]
    likely = max(candidate.left or 0 for candidate in result.candidates)
    assert t.percent(likely) in lines[1] and t.number(result.entropy_left, 1) in lines[1]
    assert scored.from_both.text in lines[2] and t.percent(scored.from_both.whole) in lines[2]
    whole = {row["text"]: row["whole"] for row in gap_view.data(model, state.text, state.place, *found, 1, t)["rows"]}  # type: ignore[arg-type]
    assert sum(share[0] for share in whole.values() if share) == pytest.approx(1)


@pytest.mark.parametrize("strategy", ["sample", "greedy"])
def test_texts_are_scored_by_the_causal_model(strategy: Any, model: MaskedModel, causal: Model) -> None:
    state, t = BothSidesState(), Translator("en")
    state.write(model, causal, Wanted("今天天氣真", strategy, 3, False))
    ids = causal.encode("今天天氣真")
    assert state.one_by_one is not None and [text.passes for _, text in state.written] == list(PASSES)
    for text in (*(text for _, text in state.written), state.one_by_one):
        ps = [causal.distribution((*ids, *text.token_ids[:n])).raw[token] for n, token in enumerate(text.token_ids)]
        assert text.bits == pytest.approx(-sum(math.log2(p) for p in ps) / len(ps), rel=1e-4)
    for work, text in state.written:
        grid = writing.grid(model, work, t)
        assert len(grid["rows"]) == text.passes and all(len(row["kinds"]) == PLACES for row in grid["rows"])
        assert "hidden" not in grid["rows"][-1]["kinds"]
    texts = [text for _, text in state.written]
    data = written_texts.data("今天天氣真", texts, state.one_by_one, t)
    assert max(row["share"] for row in data["rows"]) == 1
    sentence = writing.told(texts, state.one_by_one, t)
    assert t.number(texts[0].bits, 1) in sentence and t.number(texts[-1].bits, 1) in sentence
    worse = texts[-1].bits > texts[0].bits + 0.05
    assert ("less they fit" in sentence) == worse
    before = state.written
    state.write(model, causal, Wanted("  ", strategy, 3, False))
    assert isinstance(state.writing_problem, EngineError) and state.written == before


def test_the_share_of_attention_to_later_tokens(model: MaskedModel, causal: Model) -> None:
    ids = causal.encode("今天天氣真冷，你要多穿一點。")
    assert two_maps.later_share(causal.attention(ids)) == 0 < two_maps.later_share(model.attention(ids)) < 1
    values = two_maps.data(model, ids, model.attention(ids), causal.attention(ids), Translator("en"))
    assert [len(each["layers"]) for each in values["maps"]] == [6, 6] and len(values["tokens"]) == len(ids)


def test_what_is_refused_is_said_and_nothing_is_lost() -> None:
    t = Translator("en")
    app = visit("both-sides", "en")
    box = next(area for area in app.text_area if str(area.key).startswith("both_sides gap"))
    box.set_value("no gap at all").run()
    assert not app.exception and t("error.gaps", most=8) in told(app)
    box = next(area for area in app.text_area if str(area.key).startswith("both_sides gap"))
    box.set_value("The <b>_</b> *cat*.").run()
    assert not app.exception and component(app, "gap_view")["rows"]
