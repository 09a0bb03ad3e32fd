"""A model with unusable numbers (NaN, infinite, no token allowed) after one token: every page says so, nothing is lost.

The token stands first, in the middle or last in the page's text, or only follows it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest

import engine
from engine.sampling.settings import Settings
from engine.serving import model_registry
from engine.trace import json_file
from pages.beam.state import BeamState
from pages.chat.state import ChatState
from pages.compare.state import CompareState
from pages.course import catalog
from pages.course.lesson import PLACEHOLDER
from pages.course.placeholders import NO_VALUE
from pages.i18n.translator import Translator
from pages.quiz.state import QuizState
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.shell.address import AddressState
from pages.shell.question_texts import texts_for_game
from pages.shell.share import downloads
from pages.step import export
from pages.uses.state import prompt_parts
from tests import tiny, unusable
from tests.pages.visit import follow_link, move, run_to_the_end, state_of, visit

PAGES = ("step", "beam", "compare", "attention")
PROMPT = "the cat sat on the mat"
SENTENCE = Translator("en")("error.not_finite")
SETTINGS = Settings(temperature=0.5, top_k=7)
# Where the token stands and what is wrong after it: every place, and every kind.
CASES = [("first", "nan"), ("middle", "forbidden"), ("last", "infinite"), ("last", "one_infinite"), ("follows", "nan")]
Open = Callable[[str, str, str], AppTest]  # (page, place, kind)


def spoilt(folder: Path, position: int) -> Path:
    """A tiny GPT-2 whose outputs are NaN from a position on."""
    tiny.build("gpt2", folder)
    weights = load_file(folder / "model.safetensors")
    weights["transformer.wpe.weight"][position] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unusable.build(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def folder(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Function that makes a model with an unusable token at a place of a text."""

    def make(place: str, kind: str, text: str = PROMPT) -> str:
        clean = engine.load(sound)
        ids = clean.encode(text)
        follows = next(iter(engine.generate(clean, ids))).token_id
        token_id = {"first": ids[0], "middle": ids[len(ids) // 2 - 1], "last": ids[-1], "follows": follows}[place]
        path = str(unusable.spoil(sound, tmp_path / f"{place} {kind}", token_id, kind))
        monkeypatch.setenv("ENGINE_MODELS", str(tmp_path / "*"))
        return path

    return make


def opened(model: str, page: str, lesson: str = "") -> AppTest:
    session = TextState(prompt=PROMPT, model_name=model, settings=SETTINGS, strategy="greedy", seed=3)
    widgets = {"strategy": "greedy", "temperature": 0.5, "top_k": 7, "top_p": 1.0, "seed": 3}
    return visit(page, "en", lesson, session, **widgets)


def components(app: AppTest) -> dict[str, Any]:
    """Data of every component on the screen, by its name; NaN and the infinities are not JSON and fail the test."""

    def fail(constant: str) -> None:
        raise AssertionError(constant)

    def elements(block: Any) -> Iterator[Any]:
        for child in block.children.values():
            yield from elements(child) if hasattr(child, "children") else [child]

    protos = [element.proto for element in elements(app.main)]
    drawn = [proto for proto in protos if getattr(proto, "component_name", "") and proto.WhichOneof("data") == "json"]
    return {proto.component_name.partition(".")[2]: json.loads(proto.json, parse_constant=fail)[0] for proto in drawn}


def told(app: AppTest) -> bool:
    """Whether the sentence is on the screen; the page must not have broken."""
    assert not app.exception
    components(app)
    return SENTENCE in [entry.value for kind in (app.error, app.info) for entry in kind]


def kept(app: AppTest) -> TextState:
    """The session, with its text and its settings as before."""
    session = state_of(app, TextState)
    assert (session.prompt, session.settings, session.strategy, session.seed) == (PROMPT, SETTINGS, "greedy", 3)
    assert session.trace is not None
    return session


def written_query(app: AppTest) -> dict[str, str]:
    """The query that a reload would send."""
    query = state_of(app, AddressState).written
    assert query is not None
    return query


@pytest.mark.parametrize("page", PAGES)
def test_numbers_that_are_not_finite(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(spoilt(tmp_path / "gpt2", 5))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    app = opened(folder, page)
    assert told(app)
    kept(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_model_that_cannot_be_had_is_told_of(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(spoilt(tmp_path / "gpt2", 0))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    app = opened(folder, page)
    assert not app.exception
    assert Translator("en")("error.not_finite_weights") in [error.value for error in app.error]
    assert state_of(app, TextState).model_name == "bundled"


@pytest.mark.parametrize(("place", "kind"), CASES)
def test_step(place: str, kind: str, folder: Callable[..., str]) -> None:
    """The text can be left again: the buttons stay."""
    app = opened(folder(place, kind), "step")
    if place == "follows":
        assert not told(app)
        move(app, "next")
    assert told(app)
    session = kept(app)
    assert session.trace is not None
    written = session.trace.token_ids()
    app.run()
    assert told(app) and state_of(app, TextState).trace.token_ids() == written  # type: ignore[union-attr]
    if place == "follows":
        assert engine.decode_trace(written_query(app)["t"]).token_ids() == written
        move(app, "back")
        assert not told(app) and not app.error
        run_to_the_end(app)
        assert told(app) and not kept(app).running


@pytest.mark.parametrize(("place", "kind"), CASES)
def test_beam(place: str, kind: str, folder: Callable[..., str]) -> None:
    app = opened(folder(place, kind), "beam")
    for _ in range(3):
        assert told(app) or place == "follows"
        app.button(key="grow").click().run()
    assert told(app)
    state = state_of(app, BeamState)
    assert state.shown_levels <= len(state.search.levels) and not state.running  # type: ignore[union-attr]
    app.button(key="grow_all").click().run()
    assert told(app)
    if state.shown_levels:
        app.button(key="beam_restart").click().run()
        assert not app.exception
    kept(app)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "kind"), CASES)
def test_compare(place: str, kind: str, folder: Callable[..., str]) -> None:
    model = folder(place, kind)
    app = opened(model, "compare")
    app.button(key="compare_start").click().run()
    assert not app.exception
    state = state_of(app, CompareState)
    assert not state.running and len(state.runs) == 8
    bad = [run for run in state.runs if run.problem is not None]
    assert all(run.problem is not None and run.problem.code == "not_finite" for run in bad)
    assert len(bad) == 8 or place in ("first", "middle", "follows")
    app.text_area(key="compare flat en").set_value(PROMPT).run()
    assert told(app) or place in ("middle", "follows")
    kept(app)


@pytest.mark.parametrize(("place", "kind"), CASES)
def test_attention(place: str, kind: str, folder: Callable[..., str]) -> None:
    app = opened(
        folder(place, kind),
        "attention",
    )
    if place == "follows":
        assert not told(app)
        session = state_of(app, TextState)
        session.step(model_registry.request(session.model_name).result())
        app.run()
    assert told(app)
    app.run()
    assert told(app)
    kept(app)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "kind"), CASES)
@pytest.mark.parametrize("name", ["sequential", "errors", "left", "exposure"])
def test_limits(name: str, place: str, kind: str, folder: Callable[..., str]) -> None:
    texts = {"left": f"{PROMPT}___ the log", "exposure": f"{PROMPT}, the dog sat on the log, {PROMPT}, {PROMPT}"}
    text = texts.get(name, PROMPT)
    app = opened(folder(place, kind), "limits")
    app.segmented_control(key="limits_shown").set_value(name).run()
    key = f"limits {name} en"
    if name == "exposure":
        text = f"{text}\n{text}"
    app.text_area(key=key).set_value(text).run()
    if name == "left":
        app.multiselect(key="limits candidates en").set_value([" and", " the"]).run()
    app.button(key="limits_start").click().run()
    needed = place in ("first", "middle", "last") or name in ("sequential",)
    if name == "errors" and place in ("first", "middle") and kind != "nan":
        needed = False  # only numbers after the prompt are needed
    assert told(app) or not needed
    app.run()
    assert told(app) or not needed
    box = app.text_area(key=key)
    assert box.value == text
    kept(app)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "kind"), CASES)
def test_uses(place: str, kind: str, folder: Callable[..., str]) -> None:
    """The token is in the prompt that the page puts together, or follows it."""
    t = Translator("en")
    prompt = "".join(part.text for part in prompt_parts("dialogue", PROMPT, t))
    app = opened(folder(place, kind, prompt), "uses")
    app.text_input(key="uses dialogue en").set_value(PROMPT).run()
    app.button(key="uses_run").click().run()
    assert told(app) or (place, kind) == ("middle", "forbidden")  # only what follows the prompt is needed
    assert app.text_input(key="uses dialogue en").value == PROMPT
    app.button(key="uses_take").click().run()
    assert not app.exception and state_of(app, TextState).trace is not None


@pytest.mark.parametrize(("place", "kind"), CASES)
def test_chat(place: str, kind: str, folder: Callable[..., str]) -> None:
    """The conversation and the stream stay, with a sentence in place of what cannot be computed."""
    app = opened(folder(place, kind, f"A: {PROMPT}\nB:"), "chat")
    session, state = state_of(app, TextState), state_of(app, ChatState)
    model = model_registry.request(session.model_name).result()
    assert state.send(session, model, state.turn, PROMPT)
    app.run()
    assert told(app) or (place, kind) == ("middle", "forbidden")
    assert state.shown[0].content == PROMPT and "conversation" in components(app)
    app.button(key="chat_take").click().run()
    assert not app.exception and session.trace is not None


@pytest.mark.parametrize("mode", ["type", "choose"])
def test_quiz_of_the_page(mode: str, folder: Callable[..., str]) -> None:
    """Where the page's texts cannot be used, the visitor can still bring one, and the game of that text begins."""
    app = opened(folder("first", "nan", texts_for_game("en", 0)[0]), "quiz")
    assert told(app)
    app.text_area(key="quiz_own").set_value("we met at noon in the park. " * 9).run()
    app.button(key="quiz_bring").click().run()
    assert not app.exception and not app.error
    app.segmented_control(key="quiz_mode").set_value(mode).run()
    assert not app.exception and not app.error and state_of(app, QuizState).own_text
    kept(app)


@pytest.mark.parametrize(("place", "kind"), CASES[:4])
def test_quiz_of_a_text(place: str, kind: str, folder: Callable[..., str]) -> None:
    """A text with unusable numbers is refused with the sentence or played up to them; it stays in its box."""
    app = opened(folder(place, kind), "quiz")
    own = f"{PROMPT}, the dog sat on the log. " * 4
    app.text_area(key="quiz_own").set_value(own).run()
    app.button(key="quiz_bring").click().run()
    seen = told(app)
    for _ in range(10):
        quiz, session = state_of(app, QuizState), state_of(app, TextState)
        model = model_registry.request(session.model_name).result()
        if not quiz.questions:
            break
        quiz.guess(model, quiz.turn, "the")
        assert quiz.problem is None or quiz.problem.code == "not_finite"
        assert all(math.isfinite(guess.bits) for o in quiz.outcomes for guess in (o.guess, o.truth, o.best))
        quiz.next_round(model, quiz.turn)
        seen = seen or quiz.problem is not None
        app.run()
        assert not app.exception
    assert seen or kind != "nan"
    assert app.text_area(key="quiz_own").value == own
    kept(app)


@pytest.mark.parametrize(("place", "kind"), CASES)
def test_training(place: str, kind: str, folder: Callable[..., str]) -> None:
    app = opened(folder(place, kind), "training")
    app.text_area(key="training_text").set_value(PROMPT).run()
    assert told(app) == (place in ("first", "middle"))
    app.run()
    assert told(app) == (place in ("first", "middle"))
    assert app.text_area(key="training_text").value == PROMPT
    kept(app)


@pytest.mark.parametrize("place", ["first", "last"])
def test_tokens_need_no_numbers(place: str, folder: Callable[..., str]) -> None:
    app = opened(folder(place, "nan"), "tokens")
    assert not told(app) and not app.error
    kept(app)


NEXT_TOKEN = {"best", "best_p", "second", "second_p", "best_drawn", "choices", "kept", "u", "pick", "beyond"}
WHOLE_TEXT = {"last_p", "log_p", "text_p", "perplexity", "forced_perplexity"}


@pytest.mark.parametrize("lesson", ["chain.2", "greedy.1", "beam.2", "temperature.1", "attention.1", "training.1"])
@pytest.mark.parametrize("place", ["first", "last"])
def test_lessons(lesson: str, place: str, folder: Callable[..., str]) -> None:
    """The sheet stays, with a dash for each number that there is not, and the step is not taken for done."""
    name, _, number = lesson.partition(".")
    lesson_file = catalog.lesson("en", name)
    assert lesson_file is not None
    steps = lesson_file.steps[: int(number)]
    step, prompt = steps[-1], next((step.prompt for step in reversed(steps) if step.prompt), PROMPT)
    app = opened(folder(place, "nan", prompt), "step", lesson)
    if step.page != "step":
        app.switch_page(navigation.path(step.page)).run()
    assert told(app)
    sheet = components(app)["coach"]
    assert not sheet["done"] and sheet["values"].keys() == set(PLACEHOLDER.findall(step.text + step.do))
    dashes = {name for name, value in sheet["values"].items() if value == NO_VALUE}
    assert dashes >= sheet["values"].keys() & (NEXT_TOKEN if place == "last" else NEXT_TOKEN | WHOLE_TEXT)


@pytest.mark.parametrize(("place", "kind"), CASES)
def test_shared_files(place: str, kind: str, folder: Callable[..., str]) -> None:
    """The recording as JSON holds the text as ever; a file that needs the numbers holds the sentence instead."""
    model = model_registry.request(folder(place, kind)).result()
    session = TextState(prompt=PROMPT, model_name=model.name, settings=SETTINGS, strategy="greedy", seed=3)
    session.ready(model)
    if place == "follows":
        session.step(model)
    t, trace = Translator("en"), session.ready(model)
    contents = {file.key: file.content(t) for file in downloads.files(session, model, t, export.exports(session, t))}
    assert json_file.from_json(contents["trace"]).token_ids() == trace.token_ids()
    assert len(contents) > 2 and any(SENTENCE in str(content) for content in contents.values())
    for key, content in contents.items():
        assert key == "trace" or not {"nan", "inf", "infinity"} & set(re.findall(r"\w+", str(content).lower()))


@pytest.mark.slow
@pytest.mark.parametrize(("place", "kind"), CASES)
@pytest.mark.parametrize("page", ["step", "beam", "compare", "attention", "training"])
def test_links(page: str, place: str, kind: str, folder: Callable[..., str]) -> None:
    """A link to a text with unusable numbers opens with its text and its settings, and is written again."""
    model = model_registry.request(folder(place, kind)).result()
    session = TextState(prompt=PROMPT, model_name=model.name, settings=SETTINGS, strategy="greedy", seed=3)
    session.ready(model)
    if place == "follows":
        session.step(model)
    own = {"beam": {"width": "3", "levels": "9"}, "attention": {"row": "2"}, "compare": {"first": "5"}}.get(page, {})
    query = {"t": engine.encode_trace(session.ready(model)), "lang": "en"} | own
    app = follow_link(query, page)
    assert told(app) or page in ("compare", "training")  # which compute nothing of this text by themselves
    opened = kept(app).trace
    assert opened is not None and opened.token_ids() == session.ready(model).token_ids()
    assert own.items() <= written_query(app).items()
