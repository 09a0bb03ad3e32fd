"""JSON files of traces: round trips, and TraceError as the only exception for untrusted input."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TraceError
from engine.sampling.settings import Settings
from engine.trace import json_file
from engine.trace.trace import Trace
from tests.engine.conftest import Tiny
from tests.engine.trace.test_trace import Move, moves, play
from tests.payloads import PAYLOADS

some_settings = st.builds(
    Settings, temperature=st.floats(0, 100), top_k=st.integers(0, 1_000_000), top_p=st.floats(0, 1),
    min_p=st.floats(0, 1), repetition_penalty=st.floats(0.01, 100), no_repeat_ngram_size=st.integers(0, 100),
)  # fmt: skip


def example(tiny: Tiny, prompt: str = "今天 the cat", steps: int = 4) -> Trace:
    trace = Trace.start(tiny.model.name, tiny.model.encode(prompt), Settings(top_p=0.9), seed=5)
    for token_id in range(20, 20 + steps):
        trace = trace.choose(token_id, "drawn")
    return trace.go_to(trace.prompt_length).choose(60, "hand").back()


@given(prompt=st.lists(st.integers(0, 3), min_size=1, max_size=5), moves=moves, settings=some_settings,
       strategy=st.sampled_from(["greedy", "sample"]), seed=st.integers(0, 2**31 - 1))  # fmt: skip
def test_there_and_back_is_the_same(
    gpt2: Tiny, prompt: list[int], moves: list[Move], settings: Settings, strategy: Any, seed: int
) -> None:
    trace = play(Trace.start("bundled", prompt, settings, strategy, seed), moves)
    text = json_file.to_json(gpt2.model, trace)
    utf_16 = b"\xfe\xff" + text.encode("utf-16-be")
    for data in (text, text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), utf_16):
        assert json_file.from_json(data) == trace
    assert json.loads(text)["choices"][0]["text"] == gpt2.model.pieces(trace.token_ids(0))[0]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_any_text_goes_through(gpt2: Tiny, payload: str) -> None:
    model = gpt2.model
    ids = model.encode(payload)
    trace = Trace.start(
        payload.replace("\n", "").replace("\t", "").replace("\u2028", "").replace("\u2029", ""), ids, Settings()
    )
    written = json_file.to_json(model, trace)
    assert json_file.from_json(written) == trace
    assert json.loads(written)["prompt"] == model.text(ids)


def test_it_can_be_read_by_a_person(gpt2: Tiny) -> None:
    trace = example(gpt2)
    lines = json_file.to_json(gpt2.model, trace).splitlines()
    assert sum('"token_id"' in line for line in lines) == len(trace.choices), "one choice a line"
    assert any("今天 the cat" in line for line in lines)


def test_a_large_trace_is_read_back(gpt2: Tiny) -> None:
    trace = Trace.start("bundled", [1, 2], Settings())
    for branch in range(100):
        trace = trace.go_to(1).choose(branch % 250 + 5, "hand")
        for step in range(30):
            trace = trace.choose(step * 7 % 200, "drawn")
    text = json_file.to_json(gpt2.model, trace)
    assert len(text.encode()) < json_file.MAX_BYTES
    assert json_file.from_json(text) == trace


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=5,
)


@given(st.data())
def test_a_changed_file_raises_nothing_but_the_error(gpt2: Tiny, data: st.DataObject) -> None:
    """Arbitrary values anywhere in the document are replaced, removed or added."""
    document = json.loads(json_file.to_json(gpt2.model, example(gpt2)))
    for _ in range(data.draw(st.integers(1, 3))):
        holder: Any = document
        if data.draw(st.booleans()):
            holder = (
                data.draw(st.sampled_from([document["settings"], *document["choices"]]))
                if document.get("choices")
                else document
            )
        if not isinstance(holder, dict) or not holder:
            break
        key = data.draw(st.sampled_from(sorted(holder)))
        change = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            holder[key] = data.draw(values)
        elif change == "remove":
            del holder[key]
        else:
            holder[data.draw(st.text(max_size=4))] = data.draw(values)
        if not isinstance(document.get("settings"), dict) or not isinstance(document.get("choices"), list):
            break
        if not all(isinstance(choice, dict) for choice in document["choices"]):
            break
    with suppress(TraceError):
        trace = json_file.from_json(json.dumps(document))
        assert trace.check() is trace
        json_file.to_json(gpt2.model, trace.fits(gpt2.model))


@given(st.one_of(st.text(), st.binary(), values.map(lambda value: json.dumps(value))))
def test_anything_at_all_raises_nothing_but_the_error(data: str | bytes) -> None:
    with pytest.raises(TraceError) as caught:
        json_file.from_json(data)
    assert caught.value.code in ("trace", "trace_size", "trace_version")


@given(st.integers(0, 3_000), st.binary(min_size=1, max_size=3))
def test_a_file_cut_or_spoiled_anywhere_raises_nothing_but_the_error(gpt2: Tiny, at: int, junk: bytes) -> None:
    whole = json_file.to_json(gpt2.model, example(gpt2)).encode()
    for data in (whole[: at % len(whole)], whole[:at] + junk + whole[at:], whole[:at] + junk + whole[at + len(junk) :]):
        with suppress(TraceError):
            json_file.from_json(data).check()


@pytest.mark.parametrize(
    ("data", "code"),
    [("[" * 100_000, "trace"), ('{"format": ' + "9" * 10_000 + "}", "trace"), ("{}", "trace"), ("", "trace"),
     (" " * 2_000_001, "trace_size"), ('{"format": "next-token trace", "version": 2}', "trace_version"),
     ('{"format": "next-token trace", "version": true}', "trace"),
     ('{"format": "next-token trace", "version": 1, "version": 1}', "trace"),
     ('{"format": NaN}', "trace"), ("\ud800", "trace")],
    ids=["nested", "a long number", "empty object", "nothing", "large", "later", "true", "twice", "no number", "half"],
)  # fmt: skip
def test_what_is_refused(data: str, code: str) -> None:
    with pytest.raises(TraceError) as caught:
        json_file.from_json(data)
    assert caught.value.code == code


def test_settings_out_of_range_are_refused(gpt2: Tiny) -> None:
    document = json.loads(json_file.to_json(gpt2.model, example(gpt2)))
    for name, value in (("temperature", -1), ("top_k", 1.5), ("top_p", True), ("seed", 2**31), ("extra", 1)):
        settings = document["settings"] | {name: value}
        changed = document | ({"seed": value} if name == "seed" else {"settings": settings})
        with pytest.raises(TraceError):
            json_file.from_json(json.dumps(changed))
    assert json_file.from_json(json.dumps(document)) == replace(example(gpt2))
