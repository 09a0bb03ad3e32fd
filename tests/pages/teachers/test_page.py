"""The page for teachers: its parts, the links of the worksheet, its QR code, and what it says of another model."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from engine.serving import model_registry
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator, shipped
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.teachers import answers, documents, lesson_links, material
from pages.tokens.state import TokensState
from tests.pages.visit import component_data, follow_link, page_alone, state_of


def document(app: AppTest) -> dict[str, Any]:
    """Data of the document on the page."""
    assert not app.exception
    [proto] = [e.proto for e in app.get("bidi_component") if e.proto.id.endswith("-paper")]
    data: dict[str, Any] = component_data(proto)
    return data


def words(value: Any) -> str:
    """All texts of a document."""
    if isinstance(value, dict):
        return " ".join(words(entry) for entry in value.values())
    return " ".join(map(words, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("language", WRITTEN)
def test_every_part_can_be_opened_by_a_link(language: str) -> None:
    t, content, values = Translator(language), material.read(language), answers.bundled_values(language)
    expected = {
        "plan": [*content.aims, *content.content, content.licence, content.curriculum],
        "sheet": [material.fill(task.do, values, t) for task in content.tasks],
        "key": [material.fill(task.answer, values, t) for task in content.tasks],
        "talk": [entry.belief for entry in content.misconceptions],
        "ideas": [point.idea for point in content.points if point.steps],
    }
    assert tuple(expected) == documents.PARTS
    for part, sentences in expected.items():
        app = follow_link({"shown": part, "lang": language}, "teachers")
        text = words(document(app)["blocks"])
        assert all(sentence in text for sentence in sentences), part
        assert "{" not in text and "[" not in text.replace("[]", "")
        assert app.segmented_control(key="teachers_part").value == part
    assert not any(point.idea in text for point in content.points if not point.steps), "an idea without a step"


@pytest.mark.parametrize("language", WRITTEN)
def test_the_links_of_the_worksheet_open_what_its_tasks_say(language: str) -> None:
    t, content, values = Translator(language), material.read(language), answers.bundled_values(language)
    opened = set()
    for task, row in zip(content.tasks, rows(documents.sheet(values, t, "", None)), strict=True):
        [link] = row[0]["links"]
        parts = urlsplit(link["path"])
        query = {name: value[-1] for name, value in parse_qs(parts.query).items()}
        if link["path"] in opened:
            continue
        opened.add(link["path"])
        app = follow_link(query | {"lang": language}, parts.path or navigation.STEP)
        assert not app.exception and not app.warning and not app.error
        session = state_of(app, TextState)
        if task.page == navigation.STEP:
            wanted = material.fill(task.query.partition("&")[0].removeprefix("prompt="), values, t)
            assert session.prompt == wanted
            assert session.strategy == ("greedy" if "strategy=greedy" in task.query else "sample")
            assert session.settings.top_k == (5 if "top_k" in task.query else 0)
            assert session.settings.top_p == (0.9 if "top_p" in task.query else 1.0)
        elif task.page == "limits":
            assert app.segmented_control(key="limits_shown").value == "left"
            assert values["gap"] in [box.value for box in (*app.text_input, *app.text_area)]
        elif task.page == "uses":
            assert app.segmented_control(key="uses_task").value == "questions"
            labels = [button.label for button in app.button]
            assert values["known"] in labels and values["unknown"] in labels
        else:
            assert state_of(app, TokensState).text
    assert len(opened) >= 7


def rows(blocks: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of the only table of a document."""
    [table] = [block for block in blocks if block["kind"] == "table"]
    return list(table["rows"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_qr_code_offers_the_prompts_of_the_sheet(language: str) -> None:
    prompts = material.read(language).sheet.prompts
    query = parse_qs(lesson_links.prompts_query(prompts))
    app = follow_link({"prompts": query["prompts"][0], "lang": language})
    assert state_of(app, TextState).prompt == prompts[0]
    labels = [button.label for button in app.button]
    assert all(prompt in labels for prompt in prompts)


def test_without_an_address_for_phones_the_sheet_has_room_for_one() -> None:
    t, values = Translator("en"), answers.bundled_values("en")
    [without, *_] = documents.sheet(values, t, "", None)
    [known, *_] = documents.sheet(values, t, "http://192.168.1.5:8501/", "data:image/svg+xml,")
    assert t("teachers.sheet.address") in without["fields"] and not without["address"]
    assert "192.168.1.5" in known["address"] and t("teachers.sheet.address") not in known["fields"]


def test_of_another_model_the_page_says_that_the_key_is_not_its() -> None:
    t = Translator("en")
    for part, says in (("key", True), ("sheet", True), ("talk", True), ("plan", False)):
        app = page_alone("teachers")
        app.session_state["lang"], app.session_state["teachers_part"] = "en", part
        app.session_state[TextState.__name__] = TextState(model_name="org/*other*")
        app.run()
        told = [info.value for info in app.info]
        assert told == ([t("teachers.model", name="org\\/\\*other\\*")] if says else [])
        assert (answers.bundled_values("en")["unknown_least"] in words(document(app))) == (part == "key")


def test_a_demo_opens_the_material_and_its_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    model_registry.request().result()
    answers.bundled_values.cache_clear()
    for language in WRITTEN:
        for part in documents.PARTS:
            assert document(follow_link({"shown": part, "lang": language}, "teachers"))["blocks"]
        for prompt in material.read(language).sheet.prompts:
            app = follow_link({"prompt": prompt, "T": "1", "lang": language})
            assert not app.error and not app.warning
            assert state_of(app, TextState).prompt == prompt
            assert prompt in shipped()
