"""JSON logs: one object a line, and no user text by default."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from engine.errors import EngineError
from engine.serving import json_logs

SECRET = "a secret prompt"


@pytest.fixture
def log_stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    original = root.handlers[:], sys.excepthook, threading.excepthook
    stream = io.StringIO()
    json_logs.configure(stream)
    yield stream
    root.handlers[:], sys.excepthook, threading.excepthook = original
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail() -> None:
    raise EngineError("x", SECRET) from ValueError(SECRET)


def log_all() -> None:
    json_logs.event("model", name="bundled", seconds=1.5)
    json_logs.prompt(SECRET, visitor="v")
    other = logging.getLogger("somebody.else")
    other.warning("about %s", SECRET)
    other.warning(f"about {SECRET}")
    try:
        fail()
    except EngineError:
        other.exception("failed on %r", SECRET)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def test_by_default_no_text_is_in_them(log_stream: io.StringIO) -> None:
    log_all()
    assert SECRET not in log_stream.getvalue()
    event, with_arguments, without, caught, thread = lines(log_stream)
    assert event["event"] == "model" and event["name"] == "bundled" and event["seconds"] == 1.5
    assert event["level"] == "info" and str(event["time"]).endswith("Z")
    assert with_arguments["message"] == "about %s" and "message" not in without
    assert str(without["where"]).startswith("test_json_logs.py:") and without["logger"] == "somebody.else"
    for line in (caught, thread):
        error = line["error"]
        assert isinstance(error, dict)
        assert error["kind"] == "EngineError" and error["cause"] == "ValueError" and error["at"][-1].endswith(" fail")


def test_the_host_may_ask_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_LOG_PROMPTS", "1")
    root = logging.getLogger()
    original = root.handlers[:], sys.excepthook, threading.excepthook
    stream = io.StringIO()
    try:
        json_logs.configure(stream)
        log_all()
    finally:
        root.handlers[:], sys.excepthook, threading.excepthook = original
        logging.captureWarnings(False)
    assert [line.get("text") for line in lines(stream)][1] == SECRET
    assert stream.getvalue().count(SECRET) >= 5


def test_what_went_wrong_is_counted(log_stream: io.StringIO) -> None:
    before = json_logs.METRICS.errors
    logging.getLogger("somebody.else").warning("no")
    assert json_logs.METRICS.errors == before
    logging.getLogger("somebody.else").error("yes")
    assert json_logs.METRICS.errors == before + 1
