"""The setting `endpoints`: what is taken, and errors that never quote a value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.remote.endpoint import parse_endpoints

GOOD: dict[str, Any] = {"name": "vllm", "url": "http://127.0.0.1:8000/v1"}


def test_endpoints_from_a_file_and_from_the_environment() -> None:
    more = GOOD | {"name": "other", "key": "OPENAI_API_KEY", "model": "m", "alternatives": 20, "timeout": 0}
    found = parse_endpoints([GOOD, more])
    assert [endpoint.model_name for endpoint in found] == ["endpoint:vllm", "endpoint:other"]
    assert found[0].url == "http://127.0.0.1:8000" and str(found[1]) == "other" and found[1].timeout == 30
    assert parse_endpoints(json.dumps([GOOD, more])) == found
    assert parse_endpoints("") == parse_endpoints([]) == ()


@pytest.mark.parametrize(
    "raw",
    [
        "sk-secret",
        {"name": "x"},
        ["sk-secret"],
        [GOOD | {"url": "ftp://sk-secret"}],
        [GOOD | {"url": "http://user:sk-secret@host"}],
        [GOOD | {"url": "http://host/?key=sk-secret"}],
        [GOOD | {"url": "http://host:99999/sk-secret"}],
        [GOOD | {"key": "sk-secret"}],
        [GOOD | {"name": "<b>"}],
        [GOOD | {"name": ""}],
        [GOOD | {"other": "sk-secret"}],
        [GOOD | {"timeout": -1}],
        [GOOD | {"timeout": True}],
        [GOOD | {"model": 5}],
        [GOOD, GOOD],
        [{"url": "http://host"}],
        [{"name": "x"}],
    ],
)
def test_what_is_refused(raw: Any) -> None:
    with pytest.raises(ValueError, match=r"must|has") as error:
        parse_endpoints(raw)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("value", [None, "", "two words", "umlaut-ü", "line\nbreak"])
def test_a_key_that_cannot_be_sent(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_KEY", value)
    [endpoint] = parse_endpoints([GOOD | {"key": "SOME_KEY"}])
    with pytest.raises(ValueError, match="SOME_KEY") as error:
        endpoint.secret()
    assert not value or value not in str(error.value)
