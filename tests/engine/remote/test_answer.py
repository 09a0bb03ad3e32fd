"""Answers of real servers as they were recorded, and answers that no server should give."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.remote import answer
from engine.remote.answer import MalformedAnswer, NoLogProbabilities
from tests.endpoint_server import completion, find

TEXT_IDS = [15076, 228, 18614, 119, 18614, 119, 177, 125, 113, 178, 246, 249]  # 今天天氣真


def test_vllm_by_ids() -> None:
    found = answer.only(find("vllm", "/v1/completions", return_token_ids=True))
    assert found.shape == "completions" and found.token_ids is not None
    assert found.token_ids.tolist() == [11567, 12831, 8083, 178, 28]
    assert found.log_probabilities[0] == -1.6782622337341309
    assert set(found.token_bytes) == {None}


def test_vllm_by_text_loses_parts_of_characters() -> None:
    found = answer.only(find("vllm", "/v1/completions", prompt=TEXT_IDS[:9]))
    assert found.token_ids is None and found.texts == ("",), "why vLLM is asked by id"


def test_llama_cpp() -> None:
    found = answer.only(find("llamacpp", "/v1/completions", return_tokens=True))
    assert found.shape == "content" and found.token_ids is not None
    assert found.token_ids.tolist() == [11567, 12831, 8083]
    assert found.token_bytes == ("的".encode(), "，".encode(), b"\xef\xbc")


@pytest.mark.parametrize("server", ["vllm", "llamacpp"])
def test_chats_have_one_shape(server: str) -> None:
    found = answer.only(find(server, "/v1/chat/completions", logprobs=True))
    assert found.shape == "content" and len(found) == 3
    assert "Hello" in found.texts and found.chosen in found.texts


def test_an_answer_without_log_probabilities() -> None:
    responses: list[Any] = [
        find("vllm", "/v1/completions", prompt_logprobs=1),
        {"choices": [{"logprobs": {"content": []}}]},
    ]
    for response in responses:
        with pytest.raises(NoLogProbabilities):
            answer.only(response)


def test_absent_alternatives_are_left_out() -> None:
    assert len(answer.only(completion({"a": -0.5, "b": -9999.0}))) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"a": math.nan},
        {"a": 0.7},
        {"a": -math.inf, "b": math.inf},
        {"a": -0.1, "b": -0.1},  # more than 1 together
        {"a": "b"},
        {"a": [1]},
    ],
)
def test_numbers_that_are_no_log_probabilities(values: Any) -> None:
    with pytest.raises((MalformedAnswer, NoLogProbabilities)):
        answer.only(completion(values))


def test_an_id_that_stands_twice() -> None:
    entry = {"id": 5, "token": "a", "bytes": [97], "logprob": -1.0}
    broken = {"choices": [{"logprobs": {"content": [entry | {"top_logprobs": [entry, entry]}]}}]}
    with pytest.raises(MalformedAnswer):
        answer.only(broken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "logprobs", "content", "top_logprobs", "token", "bytes", "logprob", "id", "tokens"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_json_is_an_answer_or_a_known_error(value: Any) -> None:
    for wrapped in (value, {"choices": [value]}, {"choices": [{"logprobs": value}]}):
        try:
            for found in answer.parse(wrapped):
                assert np.isfinite(found.log_probabilities).all()
        except (MalformedAnswer, NoLogProbabilities):
            pass


def long_answer(count: int, text: str, **more: Any) -> bytes:
    """As llama.cpp writes it, with a text that looks like the list's own entries."""
    values = np.log(np.full(count, 1 / count))
    entries = [
        {"id": i, "token": text, "bytes": list(text.encode()), "logprob": float(v)} for i, v in enumerate(values)
    ]
    token = {"id": 0, "token": text, "bytes": [], "logprob": -1.0, "top_logprobs": entries}
    value = {"choices": [{"text": text, "logprobs": {"content": [token]}, "finish_reason": "length"}]} | more
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("text", ["a", '{"id":7,', '"logprob":-3}', '\\"', '"top_logprobs":[', "氣]}", "\\u0022"])
def test_a_long_list_is_read_as_by_json(text: str) -> None:
    data = long_answer(2000, text, usage={"prompt_tokens": 3})
    got, want = answer.only(answer.read(data)), answer.only(json.loads(data))
    assert got.token_ids is not None and want.token_ids is not None
    assert got.token_ids.tolist() == want.token_ids.tolist()
    assert got.log_probabilities.tolist() == want.log_probabilities.tolist()
    assert answer.read(data)["usage"] == {"prompt_tokens": 3}
    assert got.texts == (), "the list was not built"


@pytest.mark.parametrize("cut", [1, 2, 30, 40_000])
def test_a_long_answer_that_breaks_off(cut: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        answer.read(long_answer(2000, "a")[:-cut])


def test_a_long_answer_of_another_kind() -> None:
    value = {"choices": [], "text": "x" * 100_000}
    assert answer.read(json.dumps(value).encode()) == value
