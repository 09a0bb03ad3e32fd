"""The reduced step page of a first visit: what it shows, when it is shown, and the tokens it writes on arrival."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from streamlit.testing.v1 import AppTest

from engine.model.model import Model
from engine.serving import model_registry
from pages.i18n.translator import WRITTEN, Translator, sentences
from pages.session.text_state import FIRST_PROMPT, FIRST_SETTINGS, TextState
from pages.step import stage, state
from pages.step.state import ARRIVAL_TOKENS, StageState
from pages.step.view import View
from tests.pages.visit import follow_link, move, state_of, visit

T = Translator("en")


def written(app: AppTest) -> tuple[int, ...]:
    """Tokens after the prompt."""
    trace = state_of(app, TextState).trace
    assert trace is not None
    return trace.token_ids()[trace.prompt_length :]


def arrive(app: AppTest) -> AppTest:
    return move(app, "arrive", turn=state_of(app, TextState).turn)


def test_a_first_visit_shows_no_settings_and_a_link_shows_all() -> None:
    first = follow_link({})
    assert not first.slider and not first.number_input and first.button(key="see_more")
    link = follow_link({"bars": "10"})
    assert {slider.key for slider in link.slider} >= {"temperature", "top_p"}
    assert "see_more" not in {button.key for button in link.button}


def test_more_is_one_click_away_and_so_is_less() -> None:
    app = follow_link({})
    app.button(key="see_more").click().run()
    assert app.slider(key="temperature").value == 1 and state_of(app, TextState).settings == FIRST_SETTINGS
    app.button(key="see_less").click().run()
    assert not app.slider
    app.button(key="see_more").click().run()
    app.slider(key="temperature").set_value(0.5).run()
    assert "see_less" not in {button.key for button in app.button}, "a temperature without its slider would mislead"


def test_settings_from_elsewhere_and_lessons_show_all() -> None:
    session = TextState(seed=3)
    session.strategy = "greedy"
    app = visit(session=session, View=View(simple=True))
    assert app.slider(key="temperature")
    assert visit(lesson="01-next-token.1", View=View(simple=True)).slider(key="temperature")


def test_two_tokens_are_written_on_arrival_as_next_would() -> None:
    model = model_registry.request().result()
    app = follow_link({})
    session: TextState = state_of(app, TextState)
    expected = TextState(prompt=session.prompt, seed=session.seed)
    for _ in range(ARRIVAL_TOKENS):
        expected.step(model)
    for _ in range(4):
        arrive(app)
    trace = expected.trace
    assert trace is not None and written(app) == trace.token_ids()[trace.prompt_length :]
    move(app, "next")
    assert len(written(app)) == ARRIVAL_TOKENS + 1


def test_nothing_is_written_to_what_the_visitor_typed() -> None:
    app = follow_link({})
    assert arriving(app)
    app.text_area(key="prompt").set_value("小明").run()
    assert not arriving(app)
    for link in ({"bars": "10"}, {"lesson": "01-next-token.1"}):
        assert not state_of(follow_link(link), StageState).arrival_tokens


def arriving(app: AppTest) -> bool:
    return state_of(app, StageState).arriving(state_of(app, TextState).prompt)


MOVES = st.lists(st.sampled_from(["arrive", "next", "back", "run", "restart"]), max_size=8)


@given(MOVES)
def test_the_visitors_first_move_ends_the_writing_on_arrival(kinds: list[str]) -> None:
    moves: list[dict[str, Any]] = [{"n": n, "kind": kind, "turn": 0} for n, kind in enumerate(kinds, 1)]
    counter = StageState()
    counter.arrive("a")
    made = [move["kind"] for move in counter.new_moves(moves)]
    own = [kind for kind in kinds if kind != "arrive"]
    before = kinds.index(own[0]) if own else len(kinds)
    assert made == ["arrive"] * min(before, ARRIVAL_TOKENS) + own
    assert counter.untouched == (not own) and (not own or not counter.arriving("a"))


def test_the_reduced_stage_has_five_bars_and_one_button(model: Model) -> None:
    session, counter = TextState(prompt="the cat"), StageState()
    counter.arrive(session.prompt)
    text = session.annotator.annotate(model, session.ready(model))
    from_start = stage.data(session, counter, model, text, T, simple=True)
    assert from_start["view"] == {"simple": True, "one": True, "arriving": stage.ARRIVAL_MILLISECONDS}
    shown = [row for row in from_start["rows"] if row["id"] is not None]
    top = session.choice(model)[0].top(stage.SIMPLE_BARS, session.choice(model)[1])
    assert [row["id"] for row in shown] == [candidate.token_id for candidate in top]
    state.make(session, model, counter.new_moves([{"n": 1, "kind": "next"}]))
    assert stage.data(session, counter, model, text, T, simple=True)["view"] == {
        "simple": True, "one": False, "arriving": 0,
    }  # fmt: skip


@pytest.mark.parametrize("language", WRITTEN)
def test_the_die_gives_another_prompt_that_the_model_can_read(language: str) -> None:
    texts = sentences(language)["step.examples.more"]
    assert len(set(texts)) == len(texts) > 6 and not set(texts) & set(sentences(language)["step.examples.list"])
    app = visit(language=language)
    seen = {FIRST_PROMPT}
    for _ in range(3):
        before = state_of(app, TextState).prompt
        app.button(key="die").click().run()
        assert not app.error
        prompt = state_of(app, TextState).prompt
        assert prompt != before and prompt in texts and app.text_area(key="prompt").value == prompt
        seen.add(prompt)
    assert len(seen) > 2
