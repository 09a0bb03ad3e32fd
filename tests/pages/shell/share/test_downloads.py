"""Files are made for the visitor who asked, wherever Streamlit makes them; what cannot be made says why."""

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
    seen: list[str | None] = []

    def work() -> None:
        seen.append(admission._session_hooks.current_visitor())

    monkeypatch.setattr(visitor, "get_script_run_ctx", lambda **_: SimpleNamespace(session_id="somebody"))
    errand = visitor.run_as_visitor(work)
    failing = visitor.run_as_visitor(refused)
    monkeypatch.setattr(visitor, "get_script_run_ctx", lambda **_: None)
    with ThreadPoolExecutor(1) as pool:  # Streamlit's threads are used again
        pool.submit(errand).result()
        pool.submit(work).result()
        with pytest.raises(EngineError):
            pool.submit(failing).result()
        pool.submit(work).result()
    assert seen == ["somebody", None, None]


@pytest.mark.parametrize("name", ["candidates.csv", "replay.html"])
def test_a_file_that_cannot_be_made_says_why(name: str) -> None:
    made = downloads.File("candidates", name, refused).content(T)
    text = made.decode("utf-8-sig") if isinstance(made, bytes) else made
    assert T("error.not_finite") in text
    assert not name.endswith(".csv") or parsed(made.encode() if isinstance(made, str) else made) == []


def test_every_file_has_a_name_a_note_and_a_kind() -> None:
    for key in ("replay", "trace", "candidates", "text", "nodes", "beams", "compared", "attention"):
        assert T(f"export.file.{key}") and T(f"export.note.{key}")
    assert downloads.File("trace", "x.json", refused).kind == "application/json"
