"""Downloads: generated on behalf of the visitor on any thread; a file with an error contains its message."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from engine.errors import EngineError
from engine.serving import admission
from pages.i18n.translator import Translator
from pages.shell import visitor
from pages.shell.share import downloads
from tests.pages.shell.share.test_spreadsheet import parsed

T = Translator("zh_Hant")


def refused() -> str:
    raise EngineError("not_finite", "numbers")


def test_an_errand_is_run_for_who_asked_and_for_nobody_after_that(monkeypatch: pytest.MonkeyPatch) -> None:
    visitors: list[str | None] = []

    def work() -> None:
        visitors.append(admission._session_hooks.current_visitor())

    monkeypatch.setattr(visitor, "get_script_run_ctx", lambda **_: SimpleNamespace(session_id="somebody"))
    as_visitor = visitor.run_as_visitor(work)
    failing = visitor.run_as_visitor(refused)
    monkeypatch.setattr(visitor, "get_script_run_ctx", lambda **_: None)
    with ThreadPoolExecutor(1) as pool:  # as Streamlit reuses its threads
        pool.submit(as_visitor).result()
        pool.submit(work).result()
        with pytest.raises(EngineError):
            pool.submit(failing).result()
        pool.submit(work).result()
    assert visitors == ["somebody", None, None]


@pytest.mark.parametrize("name", ["candidates.csv", "replay.html"])
def test_a_file_that_cannot_be_made_says_why(name: str) -> None:
    content = downloads.File("candidates", name, refused).content(T)
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    assert T("error.not_finite") in text
    assert not name.endswith(".csv") or parsed(content.encode() if isinstance(content, str) else content) == []


def test_every_file_has_a_name_a_note_and_a_kind() -> None:
    for key in ("replay", "trace", "candidates", "text", "nodes", "beams", "compared", "attention"):
        assert T(f"export.file.{key}") and T(f"export.note.{key}")
    assert downloads.File("trace", "x.json", refused).kind == "application/json"
