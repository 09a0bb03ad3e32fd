"""The page of a classroom without a browser, where the host allows rooms and where not."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.classroom.state import ClassroomState
from pages.i18n.translator import LANGUAGES, Translator
from tests.pages.visit import component_data, follow_link, state_of, visit


def data_of(app: AppTest, key: str) -> Any:
    """Data of the component with a key."""
    [found] = [each.proto for each in app.get("bidi_component") if each.proto.id.endswith(f"-{key}")]
    return component_data(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_door_is_drawn(language: str) -> None:
    app = visit("classroom", language)
    assert not app.exception and app.title[0].value == Translator(language)("classroom.title")
    assert data_of(app, "door")["allowed"] is True


def test_a_host_can_switch_rooms_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_CLASSROOMS", "0")
    app = visit("classroom", "en")
    assert not app.exception and data_of(app, "door")["off"] == Translator("en")("classroom.door.off")


def test_a_link_to_a_room_that_is_gone_says_so_and_to_one_that_is_there_asks_for_the_name() -> None:
    app = follow_link({"room": "AAAAA", "lang": "en"}, "classroom")
    assert not app.exception and data_of(app, "door")["problem"] == Translator("en")("error.room_none")
    teacher = ClassroomState()
    teacher.open_room(named=True)
    app = follow_link({"room": teacher.code, "lang": "en"}, "classroom")
    assert data_of(app, "door")["asks_name"] is True and data_of(app, "door")["wanted"] == teacher.code
    app = follow_link({"room": teacher.code, "teach": teacher.key, "lang": "en"}, "classroom")
    assert not app.exception and state_of(app, ClassroomState).role == "teacher"
    assert "teach" not in app.query_params
    assert data_of(app, "room_head")["code"] == teacher.code
    teacher.close()
