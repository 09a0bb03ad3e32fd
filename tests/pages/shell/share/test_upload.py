"""Recordings as they were handed on: opened, or told in words, with the current text untouched."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from copy import deepcopy
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from engine.trace import json_file
from engine.trace.trace import Trace
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell.share.upload_state import UploadState
from tests.pages.visit import state_of


def loaded() -> Model:
    return model_registry.request().result()


def trace() -> Trace:
    model = loaded()
    start = Trace.start(model.name, model.encode("從前有一隻"), Settings(top_p=0.9), "greedy", 3, model.fingerprint)
    return start.choose(model.encode("貓")[0], "hand").back().choose(model.encode("狗")[0], "drawn")


TEXT = json_file.to_json(loaded(), trace())


def archive(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(name, TEXT)
    return file.getvalue()


def table(delimiter: str) -> bytes:
    """The recording as a spreadsheet saves it: one line a cell, quoted."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([[line, ""] for line in TEXT.splitlines()])
    return file.getvalue().encode()


def changed(**values: Any) -> bytes:
    return json.dumps(json.loads(TEXT) | values).encode()


OPENED = {
    "as it was": TEXT.encode(),
    "byte order mark": TEXT.encode("utf-8-sig"),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "UTF-16, the other order": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "line ends of Windows": TEXT.replace("\n", "\r\n").encode("utf-8-sig"),
    "line ends of old": TEXT.replace("\n", "\r").encode(),
    "in one line": json.dumps(json.loads(TEXT)).encode(),
    "escaped": json.dumps(json.loads(TEXT), ensure_ascii=True, indent=4).encode(),
    "sorted": json.dumps(json.loads(TEXT), sort_keys=True).encode(),
}
TOLD = {
    "nothing": (b"", "trace"),
    "blank": (b" \r\n", "trace"),
    "a mark alone": (b"\xef\xbb\xbf", "trace"),
    "Big5": (TEXT.encode("big5"), "trace"),
    "GBK": (TEXT.encode("gbk"), "trace"),
    "commas": (table(","), "trace"),
    "semicolons": (table(";"), "trace"),
    "cut": (TEXT.encode()[: len(TEXT) // 2], "trace"),
    "cut within a character": (TEXT.encode()[: TEXT.encode().index("從".encode()) + 1], "trace"),
    "cut UTF-16": (TEXT.encode("utf-16")[:-1], "trace"),
    "twice": (TEXT.encode() * 2, "trace"),
    "an archive": (archive("recording.json"), "trace"),
    "a spreadsheet": (archive("xl/workbook.xml"), "trace"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "trace"),
    "zeros": (bytes(5_000), "trace"),
    "a page": (b"<!doctype html><title>Sign in</title>", "trace"),
    "nested lists": (b"[" * 1_000_000, "trace"),
    "nested objects": (b'{"a":' * 300_000, "trace"),
    "nested and closed": (b"[" * 900_000 + b"]" * 900_000, "trace"),
    "huge": (b" " * (json_file.MAX_BYTES + 1), "trace_size"),
    "a key twice": (TEXT.replace('"seed": 3', '"seed": 3, "seed": 4').encode(), "trace"),
    "not a number": (TEXT.replace('"seed": 3', '"seed": NaN').encode(), "trace"),
    "infinity": (TEXT.replace('"temperature": 1.0', '"temperature": -Infinity').encode(), "trace"),
    "too large a number": (TEXT.replace('"temperature": 1.0', '"temperature": 1e400').encode(), "trace"),
    "a number of many digits": (TEXT.replace('"seed": 3', f'"seed": {"9" * 6_000}').encode(), "trace"),
    "a number as a string": (changed(seed="3"), "trace"),
    "a cursor as a decimal number": (changed(cursor=1.0), "trace"),
    "choices as strings": (changed(choices=["a"]), "trace"),
    "a later version": (changed(version=2), "trace_version"),
    "another model": (changed(model="org/closed"), "not_allowed"),
    "another tokenizer": (changed(fingerprint="AAAAAAAA"), "trace_vocabulary"),
    "a list": (b"[1, 2]", "trace"),
    "a progress file": (b'{"05-beam": [0, 1]}', "trace"),
}


def session() -> TextState:
    state = TextState(prompt="今天天氣真")
    state.ready(loaded())
    state.step(loaded())
    return state


def contents(state: TextState) -> dict[str, Any]:
    names = ("prompt", "model_name", "settings", "strategy", "seed", "trace", "turn", "running", "problem", "notes")
    return {name: deepcopy(getattr(state, name)) for name in names}


@pytest.mark.parametrize("name", OPENED)
def test_a_recording_handed_on_opens_as_it_was(name: str) -> None:
    state, upload = session(), UploadState()
    upload.read(state, OPENED[name])
    assert upload.problem is None and upload.opened
    assert (state.trace, state.prompt, state.settings.top_p) == (trace(), "從前有一隻", 0.9)


@pytest.mark.parametrize("name", TOLD)
def test_another_file_is_told_and_changes_nothing(name: str) -> None:
    data, code = TOLD[name]
    state, upload = session(), UploadState()
    before = contents(state)
    upload.read(state, data)
    assert upload.problem is not None and upload.problem.code == code
    assert not upload.opened and contents(state) == before


def box() -> None:
    """The upload box alone."""
    from pages.i18n.translator import Translator
    from pages.session import session_state
    from pages.session.text_state import TextState
    from pages.shell.share import upload

    upload.draw(session_state.get(TextState), Translator("en"))


@pytest.mark.parametrize("file", ["recording.json", "recording.json.txt", "recording.TXT"])
@pytest.mark.parametrize("name", ["Big5", "nested objects", "a spreadsheet", "nothing", "another model"])
def test_the_page_says_what_is_wrong_with_a_file(name: str, file: str) -> None:
    app = AppTest.from_function(box, default_timeout=60)
    app.session_state[TextState.__name__] = session()
    app.run()
    before = contents(state_of(app, TextState))
    app.file_uploader[0].set_value((file, TOLD[name][0], "text/plain")).run()
    assert not app.exception
    assert [error.value for error in app.error] == [Translator("en")(f"error.{TOLD[name][1]}")]
    assert contents(state_of(app, TextState)) == before
