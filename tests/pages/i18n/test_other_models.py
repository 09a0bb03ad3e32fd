"""Sentences that are true of the included model only are not shown with another model, on any page or in any lesson."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from pages.course import catalog
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator, sentences
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.uses.state import TASKS
from tests import tiny
from tests.pages.visit import state_of, visit

OF_THE_INCLUDED_MODEL = (
    *(f"uses.{task}.bundled" for task in TASKS), "quiz.game", "training.learned.title", "training.learned.lead",
    "training.learned.now", "training.learned.honest",
)  # fmt: skip
CLAIMS = re.compile(
    r"this (small|bundled|included) model|this model is small|8\.6 million|takes? a few seconds"
    r"|這個(小|內建)模型|這個內建的模型|這個模型很小|860 萬|大約要幾秒"
    r"|这个(小|内置)模型|这个内置的模型|这个模型很小|860 万|大约要几秒",
    re.IGNORECASE,
)
PAGES = [page.name for page in navigation.PAGES]


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with room for the prompts of all pages."""
    tokenizer = tiny.byte_level()
    config = tiny.FAMILIES["qwen2"][1](tokenizer.get_vocab_size())
    config.max_position_embeddings = 1024
    return tiny.save(tmp_path_factory.mktemp("other") / "qwen2", tokenizer, config, tiny.END)


@pytest.fixture
def session(other_model: Path, monkeypatch: pytest.MonkeyPatch) -> TextState:
    monkeypatch.setenv("ENGINE_MODELS", f"{other_model.parent}/*")
    return TextState(model_name=str(other_model))


def visible(app: AppTest) -> str:
    """All strings that the page sends to the browser, those in the data of components included."""
    return "\n".join(text for node in nodes(app._tree) for text in strings(MessageToDict(node.proto)))


def nodes(node: Any) -> Iterator[Any]:
    if getattr(node, "proto", None) is not None:
        yield node
    for child in getattr(node, "children", {}).values():
        yield from nodes(child)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value
        if value.startswith(("{", "[")):
            with suppress(ValueError):  # not JSON
                yield from strings(json.loads(value))


def patterns(language: str) -> dict[str, re.Pattern[str]]:
    """A pattern for each sentence of OF_THE_INCLUDED_MODEL, with anything in place of its {values}."""
    texts = {key: str(sentences(language)[key]) for key in OF_THE_INCLUDED_MODEL}
    return {key: re.compile(re.sub(r"\\{\w+\\}", ".*", re.escape(text))) for key, text in texts.items()}


def shown(app: AppTest, language: str) -> set[str]:
    assert not app.exception
    text = visible(app)
    found = {match[0] for match in CLAIMS.finditer(text)}
    return found | {key for key, pattern in patterns(language).items() if pattern.search(text)}


@pytest.mark.parametrize("language", WRITTEN)
def test_the_search_finds_these_sentences_where_they_are_true(language: str) -> None:
    found = set().union(*(shown(visit(page, language), language) for page in ("uses", "quiz", "training")))
    assert {"uses.dialogue.bundled", "quiz.game", *OF_THE_INCLUDED_MODEL[-4:]} <= found


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", WRITTEN)
def test_no_page_says_of_another_model_what_is_true_of_the_included_one(
    language: str, page: str, session: TextState
) -> None:
    app = visit(page, language, session=session)
    assert state_of(app, TextState).model_name == session.model_name != TextState().model_name
    assert not shown(app, language)
    if page == "uses":
        for task in TASKS:
            assert not shown(app.segmented_control(key="uses_task").set_value(task).run(), language)
    if page == "limits":
        assert Translator(language)("limits.sequential.first") in visible(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_lesson_says_it_either(language: str) -> None:
    for lesson in catalog.lessons(language):
        for text in [lesson.lead, *(part for step in lesson.steps for part in (step.text, step.do, step.then))]:
            assert not CLAIMS.search(text), lesson.name


@pytest.mark.slow
@pytest.mark.parametrize("lesson", [lesson.name for lesson in catalog.lessons("en")])
@pytest.mark.parametrize("language", WRITTEN)
def test_every_step_of_every_lesson_opens_with_another_model(language: str, lesson: str, session: TextState) -> None:
    for number, step in enumerate(catalog.lesson(language, lesson).steps, 1):  # type: ignore[union-attr]
        app = visit(step.page, language, f"{lesson}.{number}", session)
        assert state_of(app, TextState).model_name == session.model_name
        assert step.do in visible(app), "the sheet is shown"
        assert not shown(app, language)
