"""Host limits in the app: a message for the visitor, and the text is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import bundled
from engine.errors import EngineError
from engine.serving import admission, metrics, model_registry
from pages.beam.state import BeamState
from pages.compare.state import CompareState
from pages.i18n.translator import Translator, sentences, shipped
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.step import state
from tests.pages.visit import move, page_alone, run_to_the_end, stage, state_of, visit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def app() -> AppTest:
    return visit(language="en")


def texts(app: AppTest) -> str:
    trace = state_of(app, TextState).trace
    assert trace is not None
    return str(model_registry.request().result().text(trace.token_ids()))


def errors(app: AppTest) -> list[str]:
    assert not app.exception
    return [box.value for box in (*app.error, *app.warning)]


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_who_is_too_fast_is_told_how_long_to_wait(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "3")
    monkeypatch.setattr(metrics, "now", lambda: 1000.0)  # however long the test takes
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.session_state["lang"] = language
    app.run()  # the first prompt costs a step
    for _ in range(2):
        move(app, "next")
        assert errors(app) == []
    before = texts(app)
    move(app, "next")
    assert errors(app) == [Translator(language)("error.limit_steps", most=3, seconds=20)]
    assert texts(app) == before
    move(app, "back")  # cached tokens cost no steps
    assert errors(app) == [] and texts(app) != before


def test_a_run_that_reaches_the_limit_keeps_what_is_written(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app.slider(key="run_tokens").set_value(30).run()
    app.button(key="example Once upon a time").click().run()
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "4")
    monkeypatch.setattr(metrics, "now", lambda: 1e9)  # much later and constant: the bucket is full, and not refilled
    trace = state_of(app, TextState).trace
    assert trace is not None
    before = trace.prompt_length
    run_to_the_end(app)
    assert len(errors(app)) == 1 and "4" in errors(app)[0]
    session: TextState = state_of(app, TextState)
    assert session.trace is not None and len(session.trace.choices) == before + 4 and session.running == 0


def test_a_full_house_says_so_and_lets_in_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_SESSIONS", "1")
    monkeypatch.setattr(admission, "_visitors", {"somebody else": admission._Visitor(level=1)})
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.run()
    assert errors(app) == [Translator("en")("error.limit_sessions", most=1)]
    assert [button.key for button in app.button] == ["again"]
    admission._visitors.clear()
    app.button(key="again").click().run()
    assert errors(app) == [] and stage(app)


def test_a_demo_plays_its_examples_and_takes_no_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    monkeypatch.setenv("ENGINE_MODELS", "*")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.session_state["lang"] = "en"
    app.run()
    assert app.info[0].value == Translator("en")("host.demo")
    assert app.text_area(key="prompt").disabled
    for example in sentences("en")["step.examples.list"]:
        app.button(key=f"example {example}").click().run()
        move(app, "next")
        assert errors(app) == [] and texts(app).startswith(example)
    session: TextState = state_of(app, TextState)
    session.choose_model("org/other")
    app.run()
    assert len(errors(app)) == 1 and session.model_name == bundled.BUNDLED_NAME


def test_every_page_works_in_a_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    model_registry.request().wait(60)
    pages = [page.name for page in navigation.PAGES if page.section == navigation.LAB]
    assert len(pages) == 16
    for page in pages:
        app = page_alone("step" if page == "first" else page).run()
        assert errors(app) == [], page


def test_a_prompt_longer_than_the_host_allows(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_PROMPT_TOKENS", "4")
    before = texts(app)
    app.text_area(key="prompt").set_value("one two three four five six").run()
    assert len(errors(app)) == 1 and "4" in errors(app)[0] and texts(app) == before
    app.button(key="example Once upon a time").click().run()
    assert errors(app) == []


@pytest.mark.slow
def test_sliders_go_as_far_as_the_host_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in (1, 2, 5, 30):
        monkeypatch.setenv("ENGINE_RUN_TOKENS", str(limit))
        for page, key in (("step", "run_tokens"), ("beam", "beam_levels"), ("compare", "compare_tokens")):
            app = page_alone(page).run()
            assert not app.exception
            sliders = [slider for slider in app.slider if slider.key == key]
            assert [slider.max for slider in sliders] == ([] if limit == 1 else [limit])


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of the test runs on behalf of a visitor."""
    hooks = admission._SessionHooks(lambda: "me", lambda _: True, lambda: None, shipped)
    monkeypatch.setattr(admission, "_session_hooks", hooks)


@pytest.mark.usefixtures("visitor")
def test_a_demo_takes_no_prompt_past_the_disabled_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    model = model_registry.request().result()
    session = TextState()
    session.set_prompt(model, "my own")
    assert session.problem is not None and session.problem.code == "limit_demo" and session.trace is None
    comparison = CompareState()
    comparison.start(model)
    assert comparison.running
    with pytest.raises(EngineError):
        comparison.filter_sizes(model, "my own")


@pytest.mark.usefixtures("visitor")
def test_runs_longer_than_allowed_are_refused_past_the_sliders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_RUN_TOKENS", "5")
    model = model_registry.request().result()
    session = TextState(run_tokens=6)
    session.ready(model)
    with pytest.raises(EngineError) as caught:
        session.run(model)
    assert caught.value.code == "limit_run" and session.running == 0
    length = len(session.ready(model).choices)
    with pytest.raises(EngineError):  # and the moves after it on the stage are left out
        state.make(session, model, [{"n": 1, "kind": "run"}, {"n": 2, "kind": "next"}])
    assert len(session.ready(model).choices) == length
    comparison = CompareState()
    comparison.start(model)  # 20 tokens
    assert comparison.problem is not None and comparison.problem.code == "limit_run" and not comparison.running
    beam = BeamState()  # 12 tokens
    search = beam.update_search(session, model)
    assert beam.problem is not None and beam.problem.code == "limit_run" and search.most == 5


@pytest.mark.usefixtures("visitor")
def test_beams_and_comparisons_pay_for_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "8")
    monkeypatch.setattr(metrics, "now", lambda: 1000.0)
    model = model_registry.request().result()
    session, beam, comparison = TextState(), BeamState(), CompareState()
    session.ready(model)  # 1
    beam.update_search(session, model)  # 1
    beam.run()
    beam.run_on(60)
    assert beam.shown_levels == 7 and not beam.running
    assert beam.problem is not None and beam.problem.code == "limit_steps"
    beam.grow()
    assert beam.shown_levels == 7
    comparison.start(model)
    assert comparison.problem is not None and not comparison.running  # no step left for the prompt
    admission._visitors["me"].level = 5
    comparison.start(model)
    comparison.work(model, 60)
    assert comparison.problem is not None and comparison.problem.code == "limit_steps"
    assert sum(len(run.generation.texts[0].token_ids) for run in comparison.runs) == 4
    assert not comparison.running
