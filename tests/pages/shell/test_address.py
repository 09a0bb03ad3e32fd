"""URL synchronisation: a page's URL restores its state, and no URL raises an exception."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import engine
from engine import bundled
from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from engine.trace.link_codec import encode_text
from engine.trace.trace import Trace
from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.compare.state import CompareSettings, CompareState
from pages.i18n.translator import plain
from pages.session.query_params import QueryParams, format_value
from pages.session.text_state import TextState
from pages.shell.address import MAX_QUERY_CHARACTERS, AddressState, encode_for_url, text_and_continuation
from pages.tokens.state import MAX_MERGE_CHARACTERS, TokensState
from pages.training.state import TrainingState
from tests.pages.visit import follow_link, go_on, move, state_of

ROOT = Path(__file__).parents[3]
HOSTILE = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "javascript:alert(1)", "[a](javascript:alert(1))",
    "![a](http://127.0.0.1/x.png)", "**bold** :red[x] $x^2$", "../../etc/passwd", "%00", "\u202e\u0000", "字" * 5_000,
    "-1", "999999999999", "1e308", "NaN", "0x10", "{t}", "None", "3.5.7", "-", "",
]  # fmt: skip


def loaded() -> Model:
    return model_registry.request().result()


def arrive(query: dict[str, str], page: str = "step") -> AppTest:
    """The app opened by a link."""
    return follow_link(query, page)


def query(app: AppTest) -> dict[str, str]:
    """The query that the app has written."""
    written = state_of(app, AddressState).written
    assert written is not None
    return {name: str(value) for name, value in written.items()}


def session(app: AppTest) -> TextState:
    return state_of(app, TextState)


def a_trace(model: Model) -> Trace:
    """A trace with all origins, a branch, the cursor in the middle, and settings and seed other than the defaults."""
    ids = model.encode("今天天氣真")
    settings = Settings(temperature=1 / 3, top_k=40, top_p=0.9, repetition_penalty=1.15)
    trace = Trace.start(model.name, ids, settings, "sample", 99, model.fingerprint)
    for token_id in model.encode("好，我們去公園"):
        trace = trace.choose(token_id, "drawn")
    return trace.go_to(4).choose(model.encode("熱")[0], "hand").choose(model.encode("死")[0], "greedy").go_to(4).back()


def test_a_link_opens_as_it_was_left() -> None:
    trace = a_trace(loaded())
    app = arrive({"t": engine.encode_trace(trace), "bars": "25", "tokens": "33"})
    assert not app.exception and not app.warning and not app.error
    assert session(app).trace == trace
    assert (session(app).bars, session(app).run_tokens) == (25, 33)
    assert app.slider(key="temperature").value == 1 / 3
    assert app.slider(key="top_k").value == 40
    assert app.number_input(key="seed").value == 99
    assert app.text_area(key="prompt").value == "今天天氣真"
    written = query(app)
    assert written["t"] == engine.encode_trace(trace)
    assert (written["bars"], written["tokens"]) == ("25", "33")


def test_a_link_gives_itself_back_and_moves_change_it() -> None:
    app = arrive({"t": engine.encode_trace(a_trace(loaded()))})
    first = query(app)
    again = arrive(first)
    assert query(again) == first
    move(again, "next")
    later = query(again)
    assert later["t"] != first["t"]
    assert session(arrive(later)).trace == session(again).trace


def test_greedy_and_settings_out_of_the_sliders_reach() -> None:
    model = loaded()
    settings = Settings(temperature=7.5, top_k=5_000, repetition_penalty=0.5, no_repeat_ngram_size=40)
    trace = Trace.start(model.name, model.encode("The weather"), settings, "greedy", 2**31 - 1, model.fingerprint)
    app = arrive({"t": engine.encode_trace(trace)})
    assert not app.exception
    assert session(app).trace == trace
    move(app, "next")
    assert session(app).settings == settings


def test_nobody_arrives_at_nothing() -> None:
    app = arrive({})
    assert not app.exception and not app.warning
    assert session(arrive(query(app))).trace == session(app).trace


def test_a_run_goes_on_where_it_was() -> None:
    model = loaded()
    trace = Trace.start(model.name, model.encode("今天天氣真"), Settings(), "greedy", 0, model.fingerprint)
    app = arrive({"t": engine.encode_trace(trace), "run": "3"})
    assert session(app).running == 3
    restored = session(go_on(app)).trace
    assert restored is not None and len(restored.choices) == len(trace.choices) + 3
    assert "run" not in query(app)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_garbage_opens_the_usual_page(value: str) -> None:
    app = arrive(dict.fromkeys(("t", "text", "bars", "tokens", "run", "lang"), value))
    assert not app.exception
    assert session(app).trace is not None
    assert len(app.warning) == 1


NAMES = (
    "view", "head", "row", "cell", "tried", "mattered", "width", "levels", "penalty", "early", "repetition", "ngram",
    "shown", "node", "open", "mass", "run", "prompt", "most", "seeds", "first", "beam", "top_k", "top_p", "bars",
    "typed", "read", "moment", "lesson", "box",
)  # fmt: skip


@pytest.mark.parametrize("page", ["beam", "compare", "transformer", "attention", "tokens", "training", "limits"])
def test_garbage_on_other_pages(page: str) -> None:
    for turn in range(4):
        app = arrive({name: HOSTILE[(5 * turn + at) % len(HOSTILE)] for at, name in enumerate(NAMES)}, page)
        assert not app.exception


def test_a_trace_of_other_tokens_is_refused_in_words_and_its_text_can_be_seen() -> None:
    trace = replace(a_trace(loaded()), fingerprint="AAAAAAAA")
    app = arrive({"t": engine.encode_trace(trace), "text": encode_text("今天天氣真", "好，我們")})
    assert len(app.warning) == 1
    assert session(app).trace != trace
    app.button(key="address_replay").click().run()
    assert not app.exception and not app.warning
    restored = session(app).trace
    assert restored is not None
    assert loaded().text(restored.token_ids()) == "今天天氣真好，我們"
    assert restored.choices[-1].how == "hand"
    assert app.text_area(key="prompt").value == "今天天氣真"


def test_other_weights_are_told_and_shown() -> None:
    model = loaded()
    trace = replace(a_trace(model), fingerprint=model.fingerprint[:4] + "AAAA")
    app = arrive({"t": engine.encode_trace(trace)})
    assert len(app.warning) == 1
    assert session(app).trace == replace(trace, fingerprint=model.fingerprint)
    assert not [button for button in app.button if button.key == "address_replay"]


@pytest.mark.parametrize("value", [v for v in HOSTILE if v and v.isprintable() and len(v) < 100])
def test_a_model_that_is_not_open_here_is_named_as_plain_text(value: str) -> None:
    trace = replace(a_trace(loaded()), model=value)
    app = arrive({"t": engine.encode_trace(trace), "text": encode_text(value, "")})
    assert not app.exception
    assert plain(value) in app.warning[0].value
    assert session(app).model_name == bundled.BUNDLED_NAME
    app.button(key="address_replay").click().run()
    assert not app.exception
    assert app.text_area(key="prompt").value == value


def test_only_open_models_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[str] = []
    request = model_registry.request

    def recording_request(name: str = bundled.BUNDLED_NAME) -> model_registry.ModelLoad:
        requested.append(name)
        return request(name)

    monkeypatch.setattr(model_registry, "request", recording_request)
    arrive({"t": engine.encode_trace(replace(a_trace(loaded()), model="org/closed"))})
    assert set(requested) == {bundled.BUNDLED_NAME}


def test_a_model_that_is_open_but_not_there_is_told_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENGINE_MODELS", f"{tmp_path}/*")
    trace = replace(a_trace(loaded()), model=str(tmp_path / "gone"))
    app = arrive({"t": engine.encode_trace(trace)})
    assert not app.exception and not app.error
    assert len(app.warning) == 1
    assert session(app).model_name == bundled.BUNDLED_NAME


def test_a_link_brings_its_model_and_another_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Model
) -> None:
    monkeypatch.setenv("ENGINE_MODELS", f"{tmp_path}/*")
    folder = tmp_path / "own"
    shutil.copytree(model.name, folder)
    own = Trace.start(str(folder), model.encode("the cat"), Settings(), fingerprint=model.fingerprint)
    app = arrive({"t": engine.encode_trace(own)})
    assert not app.exception and not app.warning
    assert session(app).model_name == str(folder)
    assert session(app).trace == own


def test_a_demo_takes_no_links_with_prompts_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    model = loaded()
    own = Trace.start(model.name, model.encode("我自己的話"), Settings(), fingerprint=model.fingerprint)
    app = arrive({"t": engine.encode_trace(own)})
    assert len(app.warning) == 1
    assert session(app).trace != own
    shipped = Trace.start(model.name, model.encode("今天天氣真"), Settings(), fingerprint=model.fingerprint)
    app = arrive({"t": engine.encode_trace(shipped)})
    assert not app.warning
    assert session(app).trace == shipped


def test_the_language_stays_that_of_the_reader_unless_it_was_chosen() -> None:
    app = arrive({"lang": "en"})
    english = app.title[0].value
    app = arrive({"lang": "zh_Hant"})
    assert {english, app.title[0].value} == {"Guess the next word", "猜下一個詞"}


def test_a_text_too_long_for_an_address_leaves_out_branches_then_all() -> None:
    line = Trace.start("bundled", [9_000] * 3_000, Settings())
    branched = line.go_to(5)
    for token_id in range(1_000):
        branched = branched.choose(token_id, "hand")
    branched = branched.go_to(2_999)
    assert encode_for_url(line)[1] == ""
    code, left_out = encode_for_url(branched)
    assert left_out == "branches"
    assert engine.decode_trace(code) == branched.line_alone()
    assert encode_for_url(Trace.start("bundled", [9_000] * 5_000, Settings())) == ("", "all")
    assert len(code) < MAX_QUERY_CHARACTERS


def test_a_line_alone_within_the_prompt() -> None:
    trace = Trace.start("bundled", [1, 2, 3], Settings()).go_to(0).choose(7, "hand").choose(8, "drawn").back()
    alone = trace.line_alone().check()
    assert alone.token_ids() == trace.token_ids() == (1, 7)
    assert (alone.prompt_length, len(alone.choices), len(alone.line())) == (1, 3, 3)


def test_the_text_of_a_link_is_what_was_typed_and_written(model: Model) -> None:
    ids = model.encode("the cat")
    trace = Trace.start(model.name, ids, Settings())
    for token_id in model.encode(" sat"):
        trace = trace.choose(token_id, "drawn")
    assert text_and_continuation(model, trace, "the cat") == ("the cat", " sat")


# State of the pages


def follow_beam(model: Model, values: dict[str, str], session: TextState) -> BeamState:
    beam = BeamState()
    beam.from_query(QueryParams(values), session, model)
    return beam


def test_a_beam_search_is_found_again(model: Model) -> None:
    session = TextState(prompt="the cat")
    beam = BeamState()
    beam.settings = BeamSettings(3, 0.5, 6, "never", 1.2, 2)
    beam.update_search(session, model)
    for _ in range(3):
        beam.grow()
    node = next(n.index for n in beam.search.nodes if n.level == 2 and n.status == "pruned")  # type: ignore[union-attr]
    beam.open(beam.turn, node)
    beam.toggle_pruned(beam.turn, 0)
    other = follow_beam(model, beam.to_query(), session)
    assert (other.settings, other.shown_levels, other.opened, other.expanded) == (beam.settings, 4, node, {0})
    assert other.to_query() == beam.to_query()


def test_a_node_that_is_not_the_one_that_was_meant_is_not_opened(model: Model) -> None:
    session = TextState(prompt="the cat")
    beam = follow_beam(model, {"shown": "2"}, session)
    assert beam.search is not None
    token = beam.search.nodes[3].token_id
    assert follow_beam(model, {"shown": "2", "node": f"3.{token}"}, session).opened == 3
    assert follow_beam(model, {"shown": "2", "node": f"3.{token + 1}"}, session).opened is None
    assert follow_beam(model, {"shown": "1", "node": f"9999.{token}"}, session).opened is None


values = st.one_of(
    st.sampled_from(HOSTILE), st.from_regex(r"-?\d{0,4}([.-]\d{1,4}){0,3}", fullmatch=True), st.text(max_size=9)
)


@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=6))
def test_whatever_an_address_says_a_page_can_show_it(model: Model, params: dict[str, str]) -> None:
    session = TextState(prompt="the cat")
    for state in (AttentionState(), CompareState(), session):
        state.from_query(QueryParams(params), session, model)
        again = state.to_query()
        state.from_query(QueryParams(again), session, model)
        assert state.to_query() == again
    attention = AttentionState()
    attention.from_query(QueryParams(params), session, model)
    assert attention.matrix(model).shape == (len(attention.ids), len(attention.ids))
    assert attention.cell is None or attention.cell[0] <= 3


def test_looking_is_found_again(model: Model) -> None:
    session = TextState(prompt="the cat sat on the mat")
    attention = AttentionState()
    attention.update_text(session, model)
    attention.open_head(attention.text_version, 1, 2)
    attention.choose_row(attention.text_version, 2)
    attention.choose_cell(attention.text_version, 2, 1)
    attention.run_experiment("induction")
    params = attention.to_query()
    assert params == {"head": "2.3", "row": "3", "cell": "2.2", "tried": "2.1"}
    other = AttentionState()
    other.from_query(QueryParams(params), session, model)
    assert (other.layer, other.head, other.row, other.cell) == (1, 2, 2, (2, 1))
    assert other.experiment_runs == {"induction": 1}


def test_a_comparison_is_asked_again(model: Model) -> None:
    session = TextState(prompt="the cat")
    session.ready(model)
    comparison = CompareState(step_prompt="the cat")
    comparison.settings = CompareSettings(
        model.name, "the dog", tuple((k, v + 1 if k == "top_k" else v) for k, v in CompareSettings().values), (5, 6), 10
    )
    comparison.start(model)
    params = comparison.to_query()
    other = CompareState()
    other.from_query(QueryParams(params), session, model)
    assert other.settings == comparison.settings
    assert other.running and other.run_settings == comparison.run_settings
    assert other.to_query() == params


def test_a_text_that_was_cut_is_cut_again(model: Model) -> None:
    session = TextState(prompt="the cat")
    tokens = TokensState()
    tokens.from_query(
        QueryParams({"typed": encode_text("the cat sat", ""), "open": "2", "merged": "1"}), session, model
    )
    assert (tokens.text, tokens.opened, tokens.merge_count) == ("the cat sat", 1, 1)
    other = TokensState()
    other.from_query(QueryParams(tokens.to_query()), session, model)
    assert (other.text, other.opened, other.merge_count) == (tokens.text, tokens.opened, tokens.merge_count)
    other.from_query(QueryParams({}), session, model)
    assert other.text == "the cat" and not other.to_query()


def test_more_merges_than_characters_are_found_again() -> None:
    bundled, session = loaded(), TextState()
    tokens = TokensState()
    tokens.load_text("今天天氣真好，我們一起去公園。" * 20)
    count = len(tokens.derivation(bundled).merges)
    assert count > MAX_MERGE_CHARACTERS
    tokens.merge_to(tokens.turn, count)
    other = TokensState()
    other.from_query(QueryParams(tokens.to_query()), session, bundled)
    assert len(other.derivation(bundled).merges) == other.merge_count == count


def test_a_text_that_was_read_is_read_again(model: Model) -> None:
    session = TextState(prompt="the cat")
    training = TrainingState()
    training.load_text(model, "the cat sat on the mat")
    training.open_position(training.turn, 3)
    training.select_checkpoint(2, 5)
    other = TrainingState()
    other.from_query(QueryParams(training.to_query()), session, model)
    assert (other.text, other.ids, other.opened, other.checkpoint) == (training.text, training.ids, 3, 2)


def test_values_are_written_as_a_person_would() -> None:
    assert [format_value(value) for value in (True, False, 0.8, 1.0, 4, "never")] == [
        "1",
        "0",
        "0.8",
        "1",
        "4",
        "never",
    ]


def test_a_link_without_a_text_to_read_fills_the_training_box_with_the_text_that_is_read() -> None:
    app = arrive({"bars": "12"}, "training")
    assert not app.exception
    assert app.text_area(key="training_text").value == state_of(app, TrainingState).text != ""
