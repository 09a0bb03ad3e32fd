"""Servers that answer badly: each is one error with a code, and nothing of what they say is in it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine import usage
from engine.errors import EngineError
from engine.remote.client import Client, Refusal
from engine.remote.endpoint import Endpoint
from engine.remote.errors import RemoteError
from tests.endpoint_server import Answer, serve

KEY = "sk-very-secret"


def client(url: str, timeout: int = 5, waits: list[float] | None = None) -> Client:
    sleeps = [] if waits is None else waits
    return Client(Endpoint("here", url, timeout=timeout), KEY, sleep=sleeps.append)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(b"<html>hello"), "remote_garbage"),
        (Answer(b"\xff\xfe\x00"), "remote_garbage"),
        (Answer(b"[" * 100_000), "remote_garbage"),
        (Answer(b'{"a": "' + b"x" * 10_000_000 + b'"}'), "remote_large"),
        (Answer(status=302, headers={"Location": "http://example.org/"}), "remote_redirect"),
        (Answer(status=307, headers={"Location": "http://127.0.0.2/"}), "remote_redirect"),
        (Answer({"error": {"message": f"bad key {KEY}"}}, 401), "remote_key"),
        (Answer({"error": f"no {KEY}"}, 403), "remote_key"),
        (Answer({"error": {"message": "no such model"}}, 404), "remote_model"),
        (Answer(f"oh {KEY}".encode(), 500), "remote_status"),
        (Answer(b"", 503), "remote_busy"),
        (Answer(b"", 429), "remote_busy"),
        (Answer({"a": "b" * 100}, cut=True), "remote_unreachable"),
        (Answer(b"\x1f\x8b broken", headers={"Content-Encoding": "gzip"}), "remote_garbage"),
    ],
)
def test_a_bad_answer(answer: Answer, code: str, capfd: pytest.CaptureFixture[str]) -> None:
    with serve(lambda path, body: answer) as served, pytest.raises(RemoteError) as error:
        client(served.url).post("/v1/completions", {"prompt": "a text"})
    assert error.value.code == code
    told = repr(error.value) + repr(error.value.values) + "".join(capfd.readouterr())
    assert KEY not in told and "a text" not in told and "127.0.0" not in told
    assert (error.value.__cause__ is None and error.value.__suppress_context__) or error.value.__context__ is None


@pytest.mark.parametrize("answer", [Answer({"a": 1}, pause=3.0), Answer({"a": "b" * 50}, pause=0.1, drip=True)])
def test_a_slow_answer(answer: Answer) -> None:
    started = time.monotonic()
    with serve(lambda path, body: answer) as served, pytest.raises(RemoteError) as error:
        client(served.url, timeout=1).get("/v1/models")
    assert error.value.code == "remote_slow" and error.value.values["seconds"] == 1
    assert time.monotonic() - started < 2.9
    assert len(served.asked) == 1, "a slow server is not asked again"


def test_a_server_that_is_not_there() -> None:
    waits: list[float] = []
    with serve(lambda path, body: Answer({})) as served:
        url = served.url
    with pytest.raises(RemoteError) as error:
        client(url, waits=waits).get("/v1/models")
    assert error.value.code == "remote_unreachable" and waits == [0.25, 1.0]


def test_what_may_pass_is_tried_again() -> None:
    answers = [Answer(b"", 503), Answer(b"", 429, {"Retry-After": "2"}), Answer({"ok": 1})]
    waits: list[float] = []
    with serve(lambda path, body: answers.pop(0)) as served:
        assert client(served.url, waits=waits).get("/x") == {"ok": 1}
    assert waits == [0.25, 2.0] and len(served.asked) == 3
    assert served.keys == [f"Bearer {KEY}"] * 3


def test_a_long_pause_is_not_waited_for() -> None:
    with serve(lambda path, body: Answer(b"", 429, {"Retry-After": "600"})) as served:
        with pytest.raises(RemoteError) as error:
            client(served.url).get("/x")
        assert error.value.code == "remote_busy" and len(served.asked) == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [({"error": {"type": "exceed_context_size_error"}}, "exceed_context_size_error"), (b"x", ""), ({"error": 3}, ""),
     ({"error": {"type": f"<b>{KEY}"}}, "")],
)  # fmt: skip
def test_a_request_that_is_refused(content: Any, kind: str) -> None:
    with serve(lambda path, body: Answer(content, 400)) as served, pytest.raises(Refusal) as refusal:
        client(served.url).post("/x", {})
    assert (refusal.value.status, refusal.value.kind) == (400, kind)


def test_requests_and_tokens_are_counted_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, int, int]] = []

    def refuse(endpoint: str) -> None:
        if len(counted) >= 2:
            raise EngineError("limit_requests", endpoint)

    hooks = usage.Hooks(before_request=refuse, after_request=lambda *told: counted.append(told))
    monkeypatch.setattr(usage, "_hooks", hooks)
    spent = {"usage": {"prompt_tokens": 12, "completion_tokens": 1}}
    answers = [Answer(spent), Answer({"usage": {"prompt_tokens": -5, "completion_tokens": "x"}})]
    with serve(lambda path, body: answers.pop(0)) as served:
        asking = client(served.url)
        asking.get("/x"), asking.get("/x")
        with pytest.raises(EngineError) as error:
            asking.get("/x")
    assert error.value.code == "limit_requests" and len(served.asked) == 2
    assert counted == [("here", 12, 1), ("here", 0, 0)]
