"""Data of the stage and the visitor's moves: against the distribution, and each move made exactly once."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import engine
from engine.model.model import Model
from engine.sampling.settings import Settings
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.step import stage, state
from pages.step.state import StageState

T = Translator("en")


def data(session: TextState, model: Model, simple: bool = False) -> dict[str, Any]:
    text = session.annotator.annotate(model, session.ready(model))
    return stage.data(session, StageState(), model, text, T, simple)


ODD: list[Any] = [
    None, {}, [], "next", 3, [None], [3], [{"n": 1}], [{"n": "1", "kind": "next"}], [{"n": True, "kind": "next"}],
    [{"n": 1, "kind": "leap"}], [{"n": 1, "kind": ["next"]}], [{"n": 1, "kind": "pick", "turn": 0}],
    [{"n": 1, "kind": "pick", "turn": 0, "token": "3"}], [{"n": 1, "kind": "go", "turn": 0, "node": 1.5}],
    [{"n": 1, "kind": "pick", "turn": 0, "token": 3, "after": "x"}],
]  # fmt: skip


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12))
def test_each_move_is_made_once_and_in_order_however_often_it_is_sent(ends: list[int]) -> None:
    """The browser sends all moves that it does not know to be made; each message may be the last one seen."""
    counter, made = StageState(), []
    for end in ends:
        made += [move["n"] for move in counter.new_moves([{"n": n, "kind": "next"} for n in range(1, end + 1)])]
    assert made == list(range(1, max(ends) + 1))


@pytest.mark.parametrize("sent", ODD, ids=str)
def test_a_malformed_message_is_no_move(sent: object) -> None:
    assert StageState().new_moves(sent) == []


def test_a_restart_is_undone_once(model: Model) -> None:
    session = TextState(prompt="the cat")
    session.ready(model)
    state.make(session, model, [{"n": n, "kind": "next"} for n in range(3)])
    written = session.ready(model).token_ids()
    state.make(session, model, [{"n": 4, "kind": "restart"}])
    assert session.restarted_from is not None
    state.make(session, model, [{"n": 5, "kind": "undo"}])
    assert session.ready(model).token_ids() == written and session.restarted_from is None
    state.make(session, model, [{"n": 6, "kind": "restart"}, {"n": 7, "kind": "next"}, {"n": 8, "kind": "undo"}])
    assert len(session.ready(model).token_ids()) == len(written) - 2, "a step later there is nothing to be undone"


def test_after_the_last_token_the_bars_are_called_what_they_are(model: Model) -> None:
    session = TextState(prompt="a")
    session.ready(model)
    shown = data(session, model)
    assert shown["labels"]["legend"] != T("stage.over")
    session.pick(model, session.turn, min(model.end_ids))
    ended = data(session, model)
    assert ended["ended"] and ended["labels"]["legend"] == T("stage.over")
    assert not any(row["state"] == "pick" for row in ended["rows"])


def test_writing_on_arrival_is_called_a_demonstration(model: Model) -> None:
    session, moved = TextState(prompt="a"), StageState()
    text = session.annotator.annotate(model, session.ready(model))
    assert stage.data(session, moved, model, text, T, True)["status"] == ""
    moved.arrive("a")
    shown = stage.data(session, moved, model, text, T, True)
    assert shown["view"]["arriving"] and "2" in shown["status"]


def test_moves_sent_together_are_all_made(model: Model) -> None:
    session = TextState(prompt="the cat")
    before = len(session.ready(model).choices)
    state.make(session, model, [{"n": n, "kind": "next"} for n in range(1, 21)])
    steps = TextState(prompt="the cat")
    for _ in range(20):
        steps.step(model)
    assert session.trace == steps.trace
    assert session.trace is not None and len(session.trace.choices) > before


def test_a_click_on_a_bar_that_has_changed_since_does_nothing(model: Model) -> None:
    session = TextState(prompt="the cat")
    session.ready(model)
    turn, length = session.turn, len(session.ready(model).choices)
    pick = {"kind": "pick", "turn": turn, "token": session.choice(model)[0].argmax()}
    state.make(session, model, [{"n": 1} | pick, {"n": 2} | pick])
    assert len(session.ready(model).choices) == length + 1


def test_a_run_goes_on_for_the_turn_that_the_browser_has_drawn(model: Model) -> None:
    session = TextState(prompt="the cat", run_tokens=5)
    length = len(session.ready(model).choices)
    state.make(session, model, [{"n": 1, "kind": "run"}])
    tick = {"kind": "tick", "turn": session.turn}
    state.make(session, model, [{"n": 2} | tick, {"n": 3} | tick])
    assert len(session.ready(model).choices) == length + 2, "the second is about a text that has changed since"
    state.make(session, model, [{"n": 4, "kind": "stop"}, {"n": 5, "kind": "tick", "turn": session.turn}])
    assert len(session.ready(model).choices) == length + 2 and session.stopped == "person"


SETTINGS = [
    Settings(), Settings(temperature=0.7, top_k=4), Settings(top_p=0.5), Settings(temperature=0), Settings(min_p=0.2),
    Settings(typical_p=0.3), Settings(repetition_penalty=2.0, top_k=6),
]  # fmt: skip


@pytest.mark.parametrize("strategy", ["sample", "greedy"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_ruler_and_the_cut_line_are_those_of_the_distribution(
    model: Model, settings: Settings, strategy: Any
) -> None:
    session = TextState(prompt="the cat", settings=settings, strategy=strategy)
    for _ in range(3):
        session.step(model)
    text = session.annotator.annotate(model, session.ready(model))
    data = stage.data(session, StageState(), model, text, T)
    ids = session.ready(model).token_ids()
    d = model.distribution(ids, settings) if strategy == "sample" else session.choice(model)[0]
    order = sorted(range(d.size), key=lambda i: (-d.raw[i], i))
    shown = [row for row in data["rows"] if row["id"] is not None]
    assert [row["id"] for row in shown[: session.bars]] == order[: session.bars]
    picked = [row["id"] for row in shown if row["state"] == "pick"]
    assert picked == [session.choice(model)[1]]
    for low, high, word, kind in data["ruler"]["parts"]:
        [token] = [row["id"] for row in shown if row["word"] == word and abs(row["shown"] - (high - low)) < 1e-6][:1]
        assert low == pytest.approx(sum(d.probabilities[i] for i in order[: order.index(token)]), abs=1e-5)
        assert (kind == "pick") == (token == picked[0])
    u = data["ruler"]["u"]
    assert (u is None) == (strategy == "greedy")
    if u is not None:
        assert u == engine.uniform(session.seed, len(ids))
        [(low, high)] = [(low, high) for low, high, _, kind in data["ruler"]["parts"] if kind == "pick"]
        assert low <= u < high
    kept = [d.probabilities[row["id"]] > 0 for row in shown]
    cut = data["cut"]
    if cut is not None:
        assert all(kept[: cut["row"]]) and not any(kept[cut["row"] :])
    else:
        assert all(kept) or kept != sorted(kept, reverse=True)


def test_after_the_end_nothing_is_drawn(model: Model) -> None:
    session = TextState(prompt="the cat")
    session.ready(model)
    session.pick(model, session.turn, min(model.end_ids))
    data = stage.data(session, StageState(), model, session.annotator.annotate(model, session.ready(model)), T)
    assert data["ended"] and data["ruler"]["u"] is None
    assert all(row["state"] != "pick" for row in data["rows"])


def test_a_very_small_probability_is_written_short_with_its_value_at_hand(model: Model) -> None:
    session = TextState(prompt="the cat", settings=Settings(temperature=0.05))
    text = session.annotator.annotate(model, session.ready(model))
    rows = stage.data(session, StageState(), model, text, T)["rows"]
    small = [row for row in rows if 0 < row["shown"] < 0.0001]
    assert small and all("< 0.01%" in row["value"] and "1 in" not in row["value"] for row in small)
    assert all(dict(row["details"])["after the filters"] == f"{row['shown']:.6%}" for row in small)
