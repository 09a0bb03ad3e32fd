"""The beam page's own arithmetic: places, moves, what is drawn and said, always against the search itself."""

from __future__ import annotations

import itertools
import math

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from streamlit.testing.v1 import AppTest

import engine
from engine.decoding.beam_types import BeamSettings
from engine.model.model import Model
from pages.beam import baselines_view, finished_beams, level_summary, probability_mass, tree
from pages.beam.state import BeamState
from pages.beam.tree_layout import apart, places
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from tests.pages.visit import state_of, visit

LANGUAGES = ("zh_Hant", "en")


@given(st.lists(st.floats(-50, 50), max_size=30))
def test_rows_are_apart_in_order_and_only_moved_where_they_must_be(wanted: list[float]) -> None:
    found = apart(wanted)
    assert all(b - a >= 1 - 1e-9 for a, b in itertools.pairwise(found))
    if all(b - a >= 1 for a, b in itertools.pairwise(wanted)):
        assert found == pytest.approx(wanted)
    assert sum(found) == pytest.approx(sum(wanted), abs=1e-6)  # least squares keeps the mean


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_no_two_edges_cross(counts: list[int]) -> None:
    children: dict[int, list[int]] = {}
    nodes = 1
    for node, count in enumerate(counts):
        if node >= nodes:
            break
        children[node] = list(range(nodes, nodes + count))
        nodes += count
    rows = places(children)
    parents = {child: node for node, below in children.items() for child in below}
    depth = {0: 0}
    for node in range(1, len(rows)):
        depth[node] = depth[parents[node]] + 1
    for a in rows:
        for b in rows:
            if a < b and depth[a] == depth[b] and a:
                assert rows[b] - rows[a] >= 1 - 1e-9
                assert rows[parents[a]] <= rows[parents[b]]


def beaming(model: Model, shown: int, text: str = "今天天氣", **changed: object) -> BeamState:
    found = BeamState(settings=BeamSettings(**({"width": 3, "max_new_tokens": 6} | changed)))  # type: ignore[arg-type]
    found.ready(TextState(prompt=text, model_name=model.name), model)
    found.restart()
    for _ in range(shown):
        found.grow()
    return found


def test_back_and_forth_shows_without_computing(model: Model) -> None:
    found = beaming(model, 4)
    passes = model.prefix_cache.counters.passes
    found.back()
    found.back()
    assert found.shown == 2
    found.grow()
    found.grow()
    assert (found.shown, model.prefix_cache.counters.passes) == (4, passes)


def test_moves_that_are_out_of_date_or_impossible_do_nothing(model: Model) -> None:
    found = beaming(model, 3)
    assert found.search is not None
    deeper = found.search.levels[2].candidates[0]
    found.back()
    found.open(found.turn - 1, 1)
    found.open(found.turn, deeper)
    found.open(found.turn, 10**6)
    found.fold(found.turn, -1)
    assert (found.opened, found.unfolded) == (None, set())
    for _ in range(9):
        found.back()
    assert found.shown == 0
    for _ in range(20):
        found.grow()
    assert found.over
    assert found.shown == len(found.search.levels)


def test_a_run_grows_to_the_end_and_can_be_stopped(model: Model) -> None:
    found = beaming(model, 0)
    found.run()
    assert found.run_on(0)
    found.stop()
    assert not found.run_on(60)
    assert found.shown == 1
    found.run()
    assert not found.run_on(60)
    assert found.over


def test_other_settings_show_as_many_levels_of_another_search(model: Model) -> None:
    found = beaming(model, 4)
    session = TextState(prompt="今天天氣", model_name=model.name)
    before = found.search
    found.settings = BeamSettings(width=5, max_new_tokens=6)
    assert found.ready(session, model) is not before
    assert found.shown == 4
    session.set_prompt(model, "the cat")
    found.ready(session, model)
    assert found.shown == 1


def test_a_width_that_cannot_be_had_keeps_the_search_that_was_there(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = TextState(prompt="今天天氣", model_name=model.name)
    found = beaming(model, 2)
    before = found.search
    monkeypatch.setattr("os.sysconf", lambda name: 300)
    found.settings = BeamSettings(width=16, max_new_tokens=6)
    assert found.ready(session, model) is before
    assert found.problem is not None
    assert found.problem.code == "beam_memory"
    assert found.shown == 2
    monkeypatch.undo()
    assert found.ready(session, model).settings.width == 16
    assert found.problem is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tree_draws_every_candidate_or_counts_it(model: Model, language: str) -> None:
    t = Translator(language)
    found = beaming(model, 4)
    search = found.search
    assert search is not None
    data = tree.data(found, t)
    looked_at = {i for level in search.levels[:4] for i in level.candidates}
    drawn = {node["id"] for node in data["nodes"]} - {0}
    assert drawn <= looked_at
    assert len(drawn) + sum(node["stub"] for node in data["nodes"]) == len(looked_at)
    assert drawn >= set(search.levels[3].candidates)  # the newest level is drawn whole
    found.fold(found.turn, next(node["id"] for node in data["nodes"] if node["stub"]))
    more = tree.data(found, t)
    assert len(more["nodes"]) > len(data["nodes"])
    assert sum(node["folds"] for node in more["nodes"]) == 1
    for node in more["nodes"]:
        assert node["id"] == 0 or math.isfinite(node["row"])
        assert all(node["told"])


def test_what_is_strong_leads_somewhere_and_the_winner_is_marked_once_it_is_known(model: Model) -> None:
    t = Translator("en")
    found = beaming(model, 3)
    search = found.search
    assert search is not None
    kinds = {node["id"]: node["kind"] for node in tree.data(found, t)["nodes"]}
    assert "win" not in kinds.values()
    ends = {*search.levels[2].active, *search.levels[2].finished}
    strong = {i for end in ends for i in search.path(end)}
    assert {i for i, kind in kinds.items() if kind == "live"} == strong
    found.run()
    found.run_on(60)
    won = {node["id"] for node in tree.data(found, t)["nodes"] if node["kind"] == "win"}
    assert won == set(search.path(search.sequences[0].node))


def test_every_fate_is_told_with_its_numbers(model: Model) -> None:
    t = Translator("en")
    found = beaming(model, 6)
    search = found.search
    assert search is not None
    held = search.levels[-1].finished
    for node in search.nodes[1:]:
        told = tree.status_sentence(search, node, held, t)
        if node.status == "pruned" and not node.ends:
            assert str(node.rank) in told
            assert node.rank > 3
        if node.index in held:
            assert f"place {held.index(node.index) + 1}" in told


@settings(max_examples=20)
@given(width=st.integers(1, 8), shown=st.integers(0, 6), penalty=st.sampled_from([1.0, 1.3]))
def test_the_blocks_add_up_to_everything(model: Model, width: int, shown: int, penalty: float) -> None:
    found = beaming(model, shown, width=width, repetition_penalty=penalty)
    made = probability_mass.blocks(found, Translator("en"))
    assert sum(block["value"] for block in made) == pytest.approx(1, abs=1e-4)
    ids = [block["id"] for block in made]
    assert len(set(ids)) == len(ids)
    assert {block["parent"] for block in made} <= {*ids, ""}
    kept, given_up, levels = probability_mass.shares(found)
    assert 0 <= kept <= 1 + 1e-6
    assert kept + given_up <= 1 + 1e-5
    assert levels == found.shown


def test_mass_is_what_the_model_believes_of_whole_texts(model: Model) -> None:
    found = beaming(model, 4, repetition_penalty=1.5)
    search = found.search
    assert search is not None
    for index, total in probability_mass.believed(search, 4).items():
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
    found = beaming(model, 0, **changed)  # type: ignore[arg-type]
    assert level_summary.told(found, t) == []
    search = found.search
    assert search is not None
    while not found.over:
        found.grow()
        lines = level_summary.told(found, t)
        level = search.levels[found.shown - 1]
        assert f"{level.considered:,}" in lines[0]
        assert str(len(level.candidates)) in lines[1]
        if level.stop == "bound":
            assert level.best_possible is not None
            assert t.number(level.best_possible, 2) in lines[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_truth_is_told_by_the_scores_that_are_compared(model: Model, language: str) -> None:
    t = Translator(language)
    for width in (1, 2, 6):
        found = beaming(model, 0, width=width)
        found.run()
        found.run_on(60)
        search = found.search
        assert search is not None
        truth = found.baselines()
        assert found.baselines() is truth
        greedy = [step.token_id for step in engine.generate(model, search.ids, max_new_tokens=6)]
        assert list(truth.greedy.token_ids) == greedy
        for text, score in zip((truth.beam, truth.greedy, truth.sampled), truth.scores, strict=True):
            values = model.score((*search.ids, *text.token_ids)).log_probabilities[len(search.ids) :]
            assert score == pytest.approx(sum(v for v in values if v is not None) / len(text.token_ids), abs=1e-4)
        assert truth.scores[0] == pytest.approx(search.sequences[0].score, abs=1e-4)
        said = baselines_view.verdict(truth, t)
        if truth.beam.token_ids == truth.greedy.token_ids:
            key = "same"
        elif truth.scores[0] >= max(truth.scores):
            key = "won"
        else:
            key = "lost_to_greedy" if truth.scores[1] >= truth.scores[2] else "lost_to_sampled"
        names = ("beam", "greedy", "sampled")
        assert said == t(f"beam.truth.{key}", **{n: t.number(s, 2) for n, s in zip(names, truth.scores, strict=True)})
        assert len(baselines_view.rows(truth, found, t)["groups"]) == 3
        assert len(finished_beams.rows(found, t)["groups"][0]["texts"]) == len(search.sequences)


@pytest.fixture
def app(request: pytest.FixtureRequest) -> AppTest:
    return visit("beam", getattr(request, "param", "zh_Hant"))


@pytest.mark.parametrize("app", LANGUAGES, indirect=True)
def test_the_page_grows_and_goes_back(app: AppTest) -> None:
    assert not app.exception
    for key, shown in (("grow", 2), ("grow", 3), ("shrink", 2), ("beam_restart", 0), ("grow", 1)):
        app.button(key=key).click().run()
        assert not app.exception
        assert state_of(app, BeamState).shown == shown
    app.slider(key="beam_width").set_value(16).run()
    app.slider(key="beam_levels").set_value(5).run()
    app.selectbox(key="beam_early").set_value("never").run()
    app.slider(key="beam_penalty").set_value(0.5).run()
    app.slider(key="beam_repetition").set_value(1.2).run()
    app.slider(key="beam_ngram").set_value(2).run()
    app.button(key="grow_all").click().run()
    app.toggle(key="beam_mass_on").set_value(True).run()
    assert not app.exception
    found = state_of(app, BeamState)
    assert found.settings == BeamSettings(16, 0.5, 5, "never", 1.2, 2)
    assert found.over
    assert app.button(key="grow").disabled


def test_a_beam_goes_on_step_by_step(app: AppTest) -> None:
    app.button(key="grow").click().run()
    beams, session = state_of(app, BeamState), state_of(app, TextState)
    assert beams.search is not None
    ids = beams.search.token_ids(beams.best)
    app.button(key="beam_take").click().run()
    assert not app.exception
    assert session.trace is not None and session.trace.token_ids() == ids
    assert app.button(key="next")


@pytest.mark.parametrize("bad", ["", "今天天氣真好。" * 400])
def test_a_bad_prompt_keeps_the_search(app: AppTest, bad: str) -> None:
    app.button(key="grow").click().run()
    app.text_input(key="prompt").set_value(bad).run()
    assert len(app.error) == 1
    assert not app.exception
    assert state_of(app, BeamState).shown == 2
