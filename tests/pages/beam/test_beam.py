"""Tests of the beam page: tree layout, actions, drawn data and sentences, compared with the search itself."""

from __future__ import annotations

import itertools
import math
import re
from typing import Literal

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from streamlit.testing.v1 import AppTest

import engine
from engine.decoding.batch_generation import Continuation
from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model
from engine.serving import model_registry
from pages.beam import baselines_view, finished_beams, level_summary, probability_mass, tree
from pages.beam.baselines import Baselines
from pages.beam.state import BeamState
from pages.beam.tree_layout import layout_rows, separate
from pages.components.text_width import text_width
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from tests.pages.sentences import number, which
from tests.pages.visit import stage, state_of, visit

LANGUAGES = ("zh_Hant", "en")


@given(st.lists(st.floats(-50, 50), max_size=30))
def test_rows_are_apart_in_order_and_only_moved_where_they_must_be(wanted: list[float]) -> None:
    rows = separate(wanted)
    assert all(b - a >= 1 - 1e-9 for a, b in itertools.pairwise(rows))
    if all(b - a >= 1 for a, b in itertools.pairwise(wanted)):
        assert rows == pytest.approx(wanted)
    assert sum(rows) == pytest.approx(sum(wanted), abs=1e-6)  # least squares preserves the mean


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_no_two_edges_cross(counts: list[int]) -> None:
    children: dict[int, list[int]] = {}
    nodes = 1
    for node, count in enumerate(counts):
        if node >= nodes:
            break
        children[node] = list(range(nodes, nodes + count))
        nodes += count
    rows = layout_rows(children)
    parents = {child: node for node, below in children.items() for child in below}
    depth = {0: 0}
    for node in range(1, len(rows)):
        depth[node] = depth[parents[node]] + 1
    for a in rows:
        for b in rows:
            if a < b and depth[a] == depth[b] and a:
                assert rows[b] - rows[a] >= 1 - 1e-9
                assert rows[parents[a]] <= rows[parents[b]]


def make_state(model: Model, shown_levels: int, text: str = "今天天氣", **changed: object) -> BeamState:
    state = BeamState(settings=BeamSettings(**({"width": 3, "max_new_tokens": 6} | changed)))  # type: ignore[arg-type]
    state.update_search(TextState(prompt=text, model_name=model.name), model)
    state.restart()
    for _ in range(shown_levels):
        state.grow()
    return state


def test_back_and_forth_shows_without_computing(model: Model) -> None:
    state = make_state(model, 4)
    passes = model.prefix_cache.counters.passes
    state.back()
    state.back()
    assert state.shown_levels == 2
    state.grow()
    state.grow()
    assert (state.shown_levels, model.prefix_cache.counters.passes) == (4, passes)


def test_moves_that_are_out_of_date_or_impossible_do_nothing(model: Model) -> None:
    state = make_state(model, 3)
    assert state.search is not None
    deeper = state.search.levels[2].candidates[0]
    state.back()
    state.open(state.turn - 1, 1)
    state.open(state.turn, deeper)
    state.open(state.turn, 10**6)
    state.toggle_pruned(state.turn, -1)
    assert (state.opened, state.expanded) == (None, set())
    for _ in range(9):
        state.back()
    assert state.shown_levels == 0
    for _ in range(20):
        state.grow()
    assert state.done
    assert state.shown_levels == len(state.search.levels)


def test_a_run_grows_to_the_end_and_can_be_stopped(model: Model) -> None:
    state = make_state(model, 0)
    state.run()
    assert state.run_on(0)
    state.stop()
    assert not state.run_on(60)
    assert state.shown_levels == 1
    state.run()
    assert not state.run_on(60)
    assert state.done


def test_other_settings_show_as_many_levels_of_another_search(model: Model) -> None:
    state = make_state(model, 4)
    session = TextState(prompt="今天天氣", model_name=model.name)
    before = state.search
    state.settings = BeamSettings(width=5, max_new_tokens=6)
    assert state.update_search(session, model) is not before
    assert state.shown_levels == 4
    session.set_prompt(model, "the cat")
    state.update_search(session, model)
    assert state.shown_levels == 1


def test_a_width_that_cannot_be_had_keeps_the_search_that_was_there(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = TextState(prompt="今天天氣", model_name=model.name)
    state = make_state(model, 2)
    before = state.search
    monkeypatch.setattr("os.sysconf", lambda name: 300)
    state.settings = BeamSettings(width=16, max_new_tokens=6)
    assert state.update_search(session, model) is before
    assert state.problem is not None
    assert state.problem.code == "beam_memory"
    assert state.shown_levels == 2
    monkeypatch.undo()
    assert state.update_search(session, model).settings.width == 16
    assert state.problem is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tree_draws_every_candidate_or_counts_it(model: Model, language: str) -> None:
    t = Translator(language)
    state = make_state(model, 4)
    search = state.search
    assert search is not None
    data = tree.data(state, t)
    candidates = {i for level in search.levels[:4] for i in level.candidates}
    drawn = {node["id"] for node in data["nodes"]} - {0}
    assert drawn <= candidates
    assert len(drawn) + sum(node["stub"] for node in data["nodes"]) == len(candidates)
    assert drawn >= set(search.levels[3].candidates)  # the newest level is drawn whole
    state.toggle_pruned(state.turn, next(node["id"] for node in data["nodes"] if node["stub"]))
    more = tree.data(state, t)
    assert len(more["nodes"]) > len(data["nodes"])
    assert sum(node["folds"] for node in more["nodes"]) == 1
    for node in more["nodes"]:
        assert node["id"] == 0 or math.isfinite(node["row"])
        assert all(node["told"])


def test_what_is_strong_leads_somewhere_and_the_winner_is_marked_once_it_is_known(model: Model) -> None:
    t = Translator("en")
    state = make_state(model, 3)
    search = state.search
    assert search is not None
    kinds = {node["id"]: node["kind"] for node in tree.data(state, t)["nodes"]}
    assert "win" not in kinds.values()
    ends = {*search.levels[2].active, *search.levels[2].finished}
    nodes = {i for end in ends for i in search.path(end)}
    assert {i for i, kind in kinds.items() if kind == "live"} == nodes
    state.run()
    state.run_on(60)
    won = {node["id"] for node in tree.data(state, t)["nodes"] if node["kind"] == "win"}
    assert won == set(search.path(search.sequences[0].node))


def test_every_fate_is_told_with_its_numbers(model: Model) -> None:
    t = Translator("en")
    state = make_state(model, 6)
    search = state.search
    assert search is not None
    finished = search.levels[-1].finished
    for node in search.nodes[1:]:
        sentence = tree.status_sentence(search, node, finished, t)
        if node.status == "pruned" and not node.ends:
            assert str(node.rank) in sentence
            assert node.rank > 3
        if node.index in finished:
            assert f"place {finished.index(node.index) + 1}" in sentence


@settings(max_examples=20)
@given(width=st.integers(1, 8), shown=st.integers(0, 6), penalty=st.sampled_from([1.0, 1.3]))
def test_the_blocks_add_up_to_everything(model: Model, width: int, shown: int, penalty: float) -> None:
    state = make_state(model, shown, width=width, repetition_penalty=penalty)
    blocks = probability_mass.blocks(state, Translator("en"))
    assert sum(block["value"] for block in blocks) == pytest.approx(1, abs=1e-4)
    ids = [block["id"] for block in blocks]
    assert len(set(ids)) == len(ids)
    assert {block["parent"] for block in blocks} <= {*ids, ""}
    held_mass, dropped_mass, levels = probability_mass.coverage(state)
    assert 0 <= held_mass <= 1 + 1e-6
    assert held_mass + dropped_mass <= 1 + 1e-5
    assert levels == state.shown_levels


def test_mass_is_what_the_model_believes_of_whole_texts(model: Model) -> None:
    state = make_state(model, 4, repetition_penalty=1.5)
    search = state.search
    assert search is not None
    for index, total in probability_mass.raw_log_probabilities(search, 4).items():
        values = model.score(search.token_ids(index)).log_probabilities[len(search.ids) :]
        assert total == pytest.approx(sum(v for v in values if v is not None), abs=1e-4)


def test_plotly_gets_no_markup_from_tokens() -> None:
    block = {"id": "0", "parent": "", "label": "<b>&", "value": 1.0, "told": "<i>", "kind": "held"}
    trace = probability_mass.figure([block], False)["data"][0]
    assert trace["labels"] == ["<b>&lt;b&gt;&amp;</b>"]
    assert trace["customdata"] == ["&lt;i&gt;"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "changed",
    [{}, {"early_stopping": True}, {"early_stopping": "never", "length_penalty": 0.0}, {"width": 1}, {"width": 8}],
)
def test_each_level_is_told_with_the_numbers_of_the_run(
    model: Model, language: str, changed: dict[str, object]
) -> None:
    t = Translator(language)
    state = make_state(model, 0, **changed)  # type: ignore[arg-type]
    assert level_summary.sentences(state, t) == []
    search = state.search
    assert search is not None
    while not state.done:
        state.grow()
        lines = level_summary.sentences(state, t)
        level = search.levels[state.shown_levels - 1]
        assert f"{level.considered:,}" in lines[0]
        assert str(len(level.candidates)) in lines[1]
        if level.stop == "bound":
            assert level.best_possible is not None
            assert t.number(level.best_possible, 2) in lines[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_choices_of_when_to_stop_fit_into_their_box(language: str) -> None:
    t = Translator(language)
    for choice in ("false", "true", "never"):
        assert text_width(t(f"beam.early.{choice}")) <= 200, "of 260 pixels, without padding and arrow"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_log_probability_with_the_prompt_and_the_one_without_are_named_apart(language: str) -> None:
    t = Translator(language)
    with_prompt, new = t("strip.log_p"), t("compare.measure.log_probability")
    word = "新" if language == "zh_Hant" else "new"
    assert with_prompt != new and word in new and word in t("beam.told.sum") and word not in with_prompt
    prompt = t("step.prompt").lower()
    assert prompt in t("strip.log_p_help").lower() and prompt in t("compare.help.log_probability").lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_last_level_is_not_said_to_have_made_all_texts_equally_long(language: str) -> None:
    bundled = model_registry.request().result()
    state = make_state(bundled, 12, "The capital of France is", width=4, max_new_tokens=12)
    search = state.search
    assert search is not None and search.stop == "length"
    assert len({len(beam.token_ids) for beam in search.sequences}) > 1, "some ended by their end-of-text token before"
    sentence = level_summary.sentences(state, Translator(language))[-1]
    assert "12" in sentence
    assert not re.search(r"\b(all|every|each)\b|每個|所有|都有", sentence)


@pytest.mark.parametrize("early_stopping", [False, "never"])
@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("at", range(3))
def test_what_a_text_could_still_reach_is_only_said_where_it_is_a_bound(
    model: Model, early_stopping: bool | Literal["never"], length_penalty: float, at: int
) -> None:
    t = Translator("en")
    state = make_state(
        model, at, width=2, length_penalty=length_penalty, early_stopping=early_stopping, max_new_tokens=10
    )
    search = state.search
    assert search is not None
    while not state.done:
        state.grow()
        level, number = search.levels[state.shown_levels - 1], state.shown_levels
        line = level_summary.sentences(state, t)[-1]
        if level.stop not in ("bound", None) or level.worst_finished is None or not level.active:
            continue
        total = search.nodes[level.active[0]].log_probability
        # No text gets more probable by growing: its score at any later length is at most this.
        reachable = max(total / length**length_penalty for length in range(number, search.most + 1))
        claim = "could still reach" in line or "at most" in line
        assert claim == (f"{t.number(reachable, 2)}" in line and (early_stopping == "never" or length_penalty <= 0))
        if not claim:
            assert "ended now" in line and t.number(total / number**length_penalty, 2) in line


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_truth_is_told_by_the_scores_that_are_compared(model: Model, language: str) -> None:
    t = Translator(language)
    for width in (1, 2, 6):
        state = make_state(model, 0, width=width)
        state.run()
        state.run_on(60)
        search = state.search
        assert search is not None
        baselines = state.baselines()
        assert state.baselines() is baselines
        greedy = [step.token_id for step in engine.generate(model, search.ids, max_new_tokens=6)]
        assert list(baselines.greedy.token_ids) == greedy
        for text, score in zip((baselines.beam, baselines.greedy, baselines.sampled), baselines.scores, strict=True):
            values = model.score((*search.ids, *text.token_ids)).log_probabilities[len(search.ids) :]
            assert score == pytest.approx(sum(v for v in values if v is not None) / len(text.token_ids), abs=1e-4)
        assert baselines.scores[0] == pytest.approx(search.sequences[0].score, abs=1e-4)
        verdict = baselines_view.verdict(baselines, t)
        if baselines.beam.token_ids == baselines.greedy.token_ids:
            key = "same"
        elif baselines.scores[0] >= max(baselines.scores):
            key = "won"
        else:
            key = "lost_to_greedy" if baselines.scores[1] >= baselines.scores[2] else "lost_to_sampled"
        names = ("beam", "greedy", "sampled")
        name, shown = which(verdict, "beam.truth", ("same", "won", "lost_to_greedy", "lost_to_sampled"), language)
        assert name == key
        for name, score in zip(names, baselines.scores, strict=True):
            assert name not in shown or number(shown[name]) == pytest.approx(score, abs=0.0051)
        assert len(baselines_view.rows(baselines, state, t)["groups"]) == 3
        assert len(finished_beams.rows(state, t)["groups"][0]["texts"]) == len(search.sequences)


@pytest.fixture
def app(request: pytest.FixtureRequest) -> AppTest:
    return visit("beam", getattr(request, "param", "zh_Hant"))


@pytest.mark.parametrize("app", LANGUAGES, indirect=True)
def test_the_page_grows_and_goes_back(app: AppTest) -> None:
    assert not app.exception
    for key, shown in (("grow", 2), ("grow", 3), ("shrink", 2), ("beam_restart", 0), ("grow", 1)):
        app.button(key=key).click().run()
        assert not app.exception
        assert state_of(app, BeamState).shown_levels == shown
    app.slider(key="beam_width").set_value(16).run()
    app.slider(key="beam_levels").set_value(5).run()
    app.selectbox(key="beam_early").set_value("never").run()
    app.slider(key="beam_penalty").set_value(0.5).run()
    app.slider(key="beam_repetition").set_value(1.2).run()
    app.slider(key="beam_ngram").set_value(2).run()
    app.button(key="grow_all").click().run()
    app.toggle(key="beam_mass_on").set_value(True).run()
    assert not app.exception
    state = state_of(app, BeamState)
    assert state.settings == BeamSettings(16, 0.5, 5, "never", 1.2, 2)
    assert state.done
    assert app.button(key="grow").disabled


@pytest.mark.parametrize("app", LANGUAGES, indirect=True)
def test_frames_are_explained_where_there_are_some(app: AppTest) -> None:
    t = Translator(app.session_state["lang"])
    captions = {t("beam.opened.next"): False, t("beam.opened.next_framed"): True}
    app.button(key="grow").click().run()
    state = state_of(app, BeamState)
    assert state.search is not None
    for node in (state.best_node, 0):
        state.open(state.turn, node)
        app.run()
        told = [captions[caption.value] for caption in app.caption if caption.value in captions]
        assert told == [any(other.parent == node for other in state.search.nodes if other.level <= 2)]


def test_a_beam_goes_on_step_by_step(app: AppTest) -> None:
    app.button(key="grow").click().run()
    state, session = state_of(app, BeamState), state_of(app, TextState)
    assert state.search is not None
    ids = state.search.token_ids(state.best_node)
    app.button(key="beam_take").click().run()
    assert not app.exception
    assert session.trace is not None and session.trace.token_ids() == ids
    assert stage(app)


@pytest.mark.parametrize("bad", ["", "今天天氣真好。" * 400])
def test_a_bad_prompt_keeps_the_search(app: AppTest, bad: str) -> None:
    app.button(key="grow").click().run()
    app.text_area(key="prompt").set_value(bad).run()
    assert len(app.error) == 1
    assert not app.exception
    assert state_of(app, BeamState).shown_levels == 2


scores = st.integers(-40, 0).map(lambda n: n / 1000) | st.floats(-30, 0)


def test_the_baselines_are_computed_once_the_result_is_drawn(model: Model) -> None:
    state = make_state(model, 0, max_new_tokens=4)
    while not state.done:
        state.grow()
    state.compute_awaited_baselines()
    assert not state.baselines_known, "tree and text come first"
    state.baselines_awaited = True
    state.compute_awaited_baselines()
    assert state.baselines_known
    state.baselines_awaited = True
    state.settings = BeamSettings(width=1, max_new_tokens=3)
    state.update_search(TextState(prompt="今天天氣"), model)
    state.restart()
    state.compute_awaited_baselines()
    assert not state.baselines_known, "another search, which has not ended"


@given(scores, scores, scores)
def test_the_verdict_holds_for_the_scores_that_are_displayed(beam: float, greedy: float, sampled: float) -> None:
    first, second, third = (Continuation(None, (i,), (score,)) for i, score in enumerate((beam, greedy, sampled)))
    baselines = Baselines(first, second, third, scores=(beam, greedy, sampled))
    verdict = baselines_view.verdict(baselines, Translator("en"))
    name, shown = which(verdict, "beam.truth", ("won", "lost_to_greedy", "lost_to_sampled"))
    values = {who: number(shown[who]) for who in ("beam", "greedy", "sampled")}
    if name == "won":
        assert values["beam"] >= max(values.values())
    elif max(greedy, sampled) - beam > 1e-5:
        winner = "greedy" if name == "lost_to_greedy" else "sampled"
        assert values[winner] == max(values.values()) > values["beam"]
