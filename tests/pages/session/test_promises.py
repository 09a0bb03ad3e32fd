"""What the pages say is kept is kept: after an error, and on another page or in another language and back.

Wherever a sentence says that what was typed is still in the box, the box has what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.compare.state import CompareState
from pages.i18n.translator import Translator
from pages.quiz.state import QuizState
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.shell.address import AddressState
from pages.tokens.state import TokensState
from pages.training.state import TrainingState
from tests import tiny
from tests.pages.visit import follow_link, move, state_of, visit

LONG = "今天天氣真好。" * 400
T = {language: Translator(language) for language in ("en", "zh_Hant")}


@dataclass(frozen=True)
class Box:
    """A text box: its page and key, the button that reads it, the sentence of its errors, and what it had led to."""

    page: str
    key: str
    button: str
    kept: str
    result: Callable[[AppTest], Any]
    task: tuple[str, str] = ("", "")


def text_of(app: AppTest) -> Any:
    session = state_of(app, TextState)
    return session.trace, session.prompt, session.model_name, session.settings


BOXES = {
    "step": Box("step", "prompt", "", "error.kept", text_of),
    "compare": Box("compare", "compare_prompt", "compare_start", "compare.kept",
                   lambda app: state_of(app, CompareState).run_settings),
    "training": Box("training", "training_text", "training_start", "error.kept",
                    lambda app: state_of(app, TrainingState).ids),
    "quiz": Box("quiz", "quiz_own", "quiz_bring", "quiz.own.kept", lambda app: state_of(app, QuizState).own_text),
    "limits": Box("limits", "limits sequential {}", "limits_start", "limits.kept", text_of),
    "limits, exposure": Box("limits", "limits exposure {}", "limits_start", "limits.kept", text_of,
                            ("limits_shown", "exposure")),
    "uses": Box("uses", "uses dialogue {}", "uses_run", "limits.kept", text_of),
}  # fmt: skip


def widget(app: AppTest, key: str) -> Any:
    return next((w for w in [*app.text_input, *app.text_area] if w.key == key), None)


def typed(box: Box, text: str, language: str) -> AppTest:
    """The page with a text typed into the box and sent."""
    app = visit(box.page, language)
    if box.task[0]:
        app.segmented_control(key=box.task[0]).set_value(box.task[1]).run()
    field = widget(app, box.key.format(language))
    assert field is not None, [w.key for w in [*app.text_input, *app.text_area]]
    field.set_value(text).run()
    if box.button:
        app.button(key=box.button).click().run()
    assert not app.exception
    return app


def check(app: AppTest, box: Box, text: str, language: str) -> bool:
    """Whether the page says that the text is kept; it must then be so."""
    assert not app.exception
    says = any(T[language](box.kept) in message.value for message in [*app.error, *app.warning])
    if says:
        assert widget(app, box.key.format(language)).value == text
    return says


def other(language: str) -> str:
    return "en" if language == "zh_Hant" else "zh_Hant"


@pytest.mark.slow
@pytest.mark.parametrize("language", T)
@pytest.mark.parametrize("text", ["  ", LONG], ids=["blank", "long"])
@pytest.mark.parametrize("name", BOXES)
def test_what_was_typed_and_what_was_there_are_kept(name: str, text: str, language: str) -> None:
    box = BOXES[name]
    before = box.result(visit(box.page, language))
    app = typed(box, text, language)
    assert check(app, box, text, language) or name == "limits, exposure"  # whose sentence is about texts, not a prompt
    assert box.result(app) == before
    app.segmented_control(key="lang").set_value(other(language)).run()
    check(app, box, text, other(language))
    app.segmented_control(key="lang").set_value(language).run()
    assert widget(app, box.key.format(language)).value == text
    check(app, box, text, language)
    app.switch_page(navigation.path("beam" if box.page != "beam" else "step")).run()
    app.switch_page(navigation.path(box.page)).run()
    if box.task[0] and app.segmented_control(key=box.task[0]).value != box.task[1]:
        app.segmented_control(key=box.task[0]).set_value(box.task[1]).run()
    assert widget(app, box.key.format(language)).value == text
    check(app, box, text, language)
    assert box.result(app) == before


@pytest.mark.parametrize("language", T)
def test_a_prompt_that_the_step_page_replaced_is_not_said_to_be_there(language: str) -> None:
    box = BOXES["compare"]
    app = typed(box, "  ", language)
    app.switch_page(navigation.path("step")).run()
    widget(app, "prompt").set_value("從前有一隻").run()
    app.switch_page(navigation.path("compare")).run()
    check(app, box, "  ", language)


def test_text_to_cut_is_kept_when_it_cannot_be_cut() -> None:
    app = visit("tokens", "en")
    tokens = state_of(app, TokensState)
    tokens.on_typed(tokens.box_version, text := "字" * 60_000)
    app.run()
    assert not app.exception
    for _ in range(2):
        said = [error.value for error in app.error if T["en"]("cut.kept") in error.value]
        assert said and state_of(app, TokensState).text == text
        app.switch_page(navigation.path("step")).run()
        app.switch_page(navigation.path("tokens")).run()


@pytest.mark.slow
@pytest.mark.parametrize("language", T)
@pytest.mark.parametrize("page", [
    "step", "beam", "compare", "attention", "tokens", "training", "limits", "uses", "quiz",
])  # fmt: skip
def test_the_model_one_had_stays_with_its_text(
    page: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.build("gpt2", tmp_path / "had")
    monkeypatch.setenv("ENGINE_MODELS", f"{tmp_path}/*")
    app = visit(page, language, session=TextState(prompt="the cat sat", model_name=str(folder)))
    before = text_of(app)
    (tmp_path / "empty").mkdir()
    for gone in ("gone", "empty"):
        state_of(app, TextState).choose_model(str(tmp_path / gone))
        app.run()
        assert not app.exception
        code = state_of(app, TextState).problem
        assert code is not None and T[language](f"error.{code.code}") in [error.value for error in app.error], gone
        assert text_of(app) == before


def test_nothing_is_lost_when_one_was_too_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit("step", "en")
    move(app, "next")
    before = text_of(app)
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "1")
    for _ in range(3):
        move(app, "next")
    assert any("nothing is lost" in warning.value for warning in app.warning)
    assert not app.exception
    after = state_of(app, TextState).trace
    assert after is not None and after.choices[: len(before[0].choices)] == before[0].choices
    app.switch_page(navigation.path("beam")).run()
    app.switch_page(navigation.path("step")).run()
    assert state_of(app, TextState).trace == after


@pytest.mark.parametrize("name", BOXES)
def test_after_a_reload_the_text_before_is_there_and_nothing_is_said_of_another(name: str) -> None:
    box = BOXES[name]
    app = typed(box, LONG, "en")
    again = follow_link(dict(state_of(app, AddressState).written or {}), box.page)
    assert not again.exception and not again.warning and not again.error
    assert state_of(again, TextState).trace == state_of(app, TextState).trace
