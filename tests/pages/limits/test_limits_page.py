"""Limits page without a browser: every experiment runs, reports its results, and rejects unusable input."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from engine.errors import EngineError
from engine.experiments.cloze import fill
from engine.experiments.error_accumulation import ForcedTokenExperiment
from engine.model.model import Model
from pages.i18n.translator import Translator
from pages.limits import cloze, error_accumulation, line_chart
from pages.limits.state import NAMES, LimitsState
from pages.session.incremental_run import IncrementalRun
from pages.session.text_state import TextState
from pages.shell import navigation
from tests.pages.visit import component_data, state_of, visit
from tests.passes import counted_passes

PROBLEMS = ["", "  ", "一", "😀", "今天天氣真好。" * 43, "今天天氣真好。" * 400]


def opened(language: str) -> AppTest:
    return visit("limits", language)


def show(app: AppTest, name: str) -> AppTest:
    return app.segmented_control(key="limits_shown").set_value(name).run()


def start(app: AppTest) -> AppTest:
    return app.button(key="limits_start").click().run()


def limits_of(app: AppTest) -> LimitsState:
    return state_of(app, LimitsState)


def page_text(app: AppTest) -> str:
    return "\n".join(markdown.value for markdown in app.markdown)


@pytest.mark.slow
def test_all_experiments_run_and_are_kept() -> None:
    app = opened("zh_Hant")
    for name in NAMES:
        show(app, name)
        assert any(Translator("zh_Hant")(f"limits.{name}.first") == caption.value for caption in app.caption)
        start(app)
        assert not app.exception and not app.error
        run = limits_of(app).runs[name]
        assert run.work is not None and not run.running and not run.stopped
    assert limits_of(app).runs["exposure"].work.finished
    show(app, "sequential")
    assert "128 個詞元一次算完" in page_text(app)
    work = limits_of(app).runs["sequential"].work
    app.switch_page(navigation.path("step")).run()
    app.switch_page(navigation.path("limits")).run()
    assert limits_of(app).runs["sequential"].work is work
    app.session_state["lang"] = "en"
    for name, word in (("sequential", "128 tokens take"), ("exposure", "The same endings cost"), ("left", "Fill the")):
        show(app, name)
        text = page_text(app) + "".join(button.label for button in app.button)
        assert word in text
    assert not app.exception


@pytest.mark.slow
@pytest.mark.parametrize("bad", PROBLEMS, ids=range(len(PROBLEMS)))
def test_any_prompt_is_taken_or_refused_kindly(bad: str) -> None:
    app = opened("zh_Hant")
    for name in ("left", "exposure", "errors", "sequential"):
        show(app, name)
        key = f"limits {name} zh_Hant"
        box = app.text_area(key=key)
        box.set_value(bad).run()
        assert not app.exception
        if (name in ("sequential", "errors") and bad in ("😀", PROBLEMS[4])) or (name, bad) == ("sequential", "一"):
            continue  # valid input; a run takes seconds
        start(app)
        assert not app.exception
        refused = name in ("left", "exposure") or not bad.strip() or bad == PROBLEMS[5]
        assert bool(app.error) == refused, name
        assert app.text_area(key=key).value == bad


def test_candidates_may_be_added_and_must_be_two() -> None:
    app = show(opened("en"), "left")
    box = app.multiselect(key="limits candidates en")
    box.set_value([]).run()
    start(app)
    assert len(app.error) == 1 and not app.exception
    app.multiselect(key="limits candidates en").set_value(["nice", "cold"]).run()
    start(app)
    assert not app.error
    assert [f.text for f in limits_of(app).runs["left"].work.result.candidates] == ["nice", "cold"]
    app.button(key="limits example left 1").click().run()
    start(app)
    assert [f.text for f in limits_of(app).runs["left"].work.result.candidates] == ["tea", "milk", "water"]


def test_another_prompt_has_another_list_of_tokens_to_force() -> None:
    app = show(opened("zh_Hant"), "errors")
    first = app.selectbox(key="limits_forced").value
    app.button(key="limits example errors 1").click().run()
    assert app.selectbox(key="limits_forced").value != first
    assert not app.exception


def test_a_run_keeps_the_last_result_where_a_new_one_cannot_begin(model: Model) -> None:
    run = IncrementalRun()
    run.begin("a", lambda: fill(model, "the cat ___ on", ["sat", "log"]))
    work = run.work
    run.begin("b", lambda: fill(model, "the cat", ["sat", "log"]))
    assert run.work is work and run.asked == "a"
    assert run.problem is not None and run.problem.code == "gap"

    class Breaks:
        def step(self) -> bool:
            raise EngineError("not_finite", "no number")

        def stop(self) -> None:
            pass

    run.begin("c", Breaks)
    assert run.running and not run.go_on(1)
    assert run.problem.code == "not_finite" and not run.running


@pytest.mark.parametrize("name", NAMES)
def test_each_redraw_follows_one_pass_of_a_slow_model_and_a_stop_ends_there(model: Model, name: str) -> None:
    """A slice of no seconds stands for a model whose passes last longer than a slice."""
    limits, session = LimitsState(), TextState(prompt="the cat", model_name=model.name)
    texts = ("A small fox ran far up the hill and hid in the grass.", "Zebras run away quickly; our dog sleeps on.")
    begin = {
        "sequential": lambda: limits.measure_speed(model, "the cat"),
        "errors": lambda: limits.force_token(session, model, "the cat sat on the log and the dog", 7),
        "left": lambda: limits.fill_gap(model, "the cat ___ on the mat and on the log", ("sat", "is good", "dog")),
        "exposure": lambda: limits.measure_exposure_bias(model, texts, False, 4, 7),
    }
    with counted_passes(model) as passes:
        begin[name]()
        run, before = limits.runs[name], -1.0
        assert run.running and not passes
        for redraws in range(1, 5):
            assert run.go_on(0) and len(passes) <= redraws
            assert before < run.work.progress < 1
            before = run.work.progress
        count = len(passes)
        run.stop()
        assert run.stopped and not run.go_on(0) and len(passes) == count


@pytest.mark.parametrize("which", [0, 1])
def test_both_ways_go_to_the_step_page_as_branches(model: Model, which: int) -> None:
    limits, session = LimitsState(), TextState(prompt="the cat", model_name=model.name)
    limits.ready(model)
    session.ready(model)
    limits.force_token(session, model, "the cat", 7)
    while limits.runs["errors"].go_on(1):
        pass
    fork: ForcedTokenExperiment = limits.runs["errors"].work
    assert not limits.load_branch(session, model, 0, which)
    assert limits.load_branch(session, model, limits.runs["errors"].turn, which)
    trace = session.trace
    assert trace is not None
    pair = fork.pairs[0]
    texts = [(*fork.ids, *text.token_ids) for text in (pair.own, pair.forced)]
    assert trace.token_ids() == texts[which]
    ends = {trace.token_ids(i) for i in range(len(trace.choices)) if i not in trace.children()}
    assert ends == set(texts)
    origins = {trace.choices[i].token_id: trace.choices[i].how for i in trace.children()[len(fork.ids) - 1]}
    assert origins[7] == "hand" and origins[pair.own.token_ids[0]] == "drawn"


def test_a_filled_sentence_goes_to_the_step_page(model: Model) -> None:
    limits, session = LimitsState(), TextState(prompt="the cat", model_name=model.name)
    limits.ready(model)
    limits.fill_gap(model, "the cat ___ on", ("sat", "log"))
    while limits.runs["left"].go_on(1):
        pass
    assert not limits.load_filled(session, model, 1, 2)
    assert limits.load_filled(session, model, limits.runs["left"].turn, 1)
    assert session.trace is not None
    assert model.text(session.trace.token_ids()) == "the cat log on"
    assert session.prompt == "the cat"


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_a_forced_token_that_is_the_models_own_is_called_so(model: Model, language: str) -> None:
    t, ids = Translator(language), model.encode("the cat")
    own = model.distribution(ids).argmax()
    fork = ForcedTokenExperiment(model, ids, own, "greedy", TextState().settings, (1,), 5)
    while fork.step():
        pass
    assert error_accumulation.convergence_sentences(fork, model, t) == [t("limits.errors.same")]
    values, _ = error_accumulation.curves(fork, model, t)
    assert [p.y for p in values[0].points] == pytest.approx([p.y for p in values[1].points], abs=1e-4)


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_a_gap_with_nothing_behind_it_turns_nothing(model: Model, language: str) -> None:
    t = Translator(language)
    result = fill(model, "the cat ___", ["sat", "log"])
    first = cloze.sentences(result, model, t)[0]
    assert result.from_left.text in first
    bars = cloze.bars(result, 1, t)
    assert [row["state"] for row in bars] == ["pick", "draw"]
    assert all(row["raw"] == pytest.approx(row["shown"]) for row in bars)


def test_a_chart_holds_only_points_that_are_there() -> None:
    points = [line_chart.Point(8, 1.0, "a"), line_chart.Point(16, None, "")]
    line = line_chart.Line("one", "draw", "solid", "circle", points)
    assert line_chart.point_rows([line]) == [{"line": "one", "x": 8.0, "y": 1.0, "tooltip": "a"}]
    chart = line_chart.specification(False, (line[:4],), line_chart.Axes("x", "y"), 200)
    assert {layer["mark"]["type"] for layer in chart["layer"]} == {"line", "point"}
    assert "data" not in chart


def table_names(app: AppTest) -> list[str]:
    """Names on the disclosures of the charts' tables."""
    components = [e.proto for e in app.get("bidi_component") if e.proto.id.endswith(("_table", " table"))]
    return [component_data(proto)["name"] for proto in components]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh_Hant", "en"])
@pytest.mark.parametrize("page", ["limits", "compare"])
def test_each_table_says_of_which_chart_it_is(page: str, language: str) -> None:
    app = visit(page, language)
    if page == "limits":
        start(show(app, "errors"))
    names = table_names(app)
    assert len(names) == 2
    assert len({*names}) == 2
    t = Translator(language)
    keys = {
        "limits": ("limits.errors.y", "limits.errors.y_perplexity"),
        "compare": ("compare.flat.flat", "compare.flat.peaked"),
    }
    for name, key in zip(names, keys[page], strict=True):
        assert name.endswith(t(key))
