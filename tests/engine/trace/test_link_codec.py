"""Link codec: exact round trips, rejection of altered input, and bounded memory for malicious input."""

from __future__ import annotations

import random
import string
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.errors import TraceError
from engine.sampling.settings import RANGES, Settings, TokenOrigin
from engine.trace.byte_packing import DecodeError, Reader, Writer
from engine.trace.link_codec import MAX_CHARACTERS, MAX_TEXT_BYTES, MAX_TOKENS, VERSION, decode_text, encode_text
from engine.trace.trace import Choice, Trace
from tests.engine.conftest import Tiny

ORIGINS: tuple[TokenOrigin, ...] = ("greedy", "drawn", "hand")
URL_SAFE = frozenset(string.ascii_letters + string.digits + "-_")


def some_settings(dice: random.Random) -> Settings:
    """Settings of which some differ from the defaults, as rounded or arbitrary values."""
    values: dict[str, float] = {}
    for name, (low, high) in RANGES.items():
        if dice.random() < 0.4:
            if isinstance(low, int):
                values[name] = dice.randint(low, int(high))
            else:
                value = dice.uniform(low, high)
                values[name] = max(low, round(value, 2)) if dice.random() < 0.5 else value
    return Settings(**values)  # type: ignore[arg-type]


def some_trace(dice: random.Random) -> Trace:
    """Trace after a random sequence of operations."""
    vocabulary = dice.choice([2, 300, 9_216, 151_936, 2**31 - 1])
    prompt = [dice.randrange(vocabulary) for _ in range(dice.randint(1, 12))]
    model = dice.choice(["bundled", "org/model", "/models/有空格 的", "a"])
    fingerprint = dice.choice(["", "h4-sQS_L"])
    seed = dice.choice([0, 7, 2**31 - 1])
    trace = Trace.start(model, prompt, some_settings(dice), dice.choice(["greedy", "sample"]), seed, fingerprint)
    for _ in range(dice.randint(0, 24)):
        move = dice.random()
        if move < 0.7:
            trace = trace.choose(dice.randrange(vocabulary), dice.choice(ORIGINS))
        elif move < 0.85:
            trace = trace.go_to(dice.randrange(len(trace.choices)))
        else:
            trace = trace.back()
    return trace


def text_of(length: int, branches: int = 0, vocabulary: int = 9_216) -> Trace:
    """Trace of `length` tokens with further branches of eight tokens each."""
    dice = random.Random(length)
    ids = [dice.randrange(vocabulary) for _ in range(length + 8 * branches)]
    trace = Trace.start("bundled", ids[:8], Settings(temperature=0.8, top_p=0.95), seed=7, fingerprint="h4-sQS_L")
    for token_id in ids[8:length]:
        trace = trace.choose(token_id, "drawn")
    for branch in range(branches):
        trace = trace.go_to(10 + 9 * branch)
        for token_id in ids[length + 8 * branch :][:8]:
            trace = trace.choose(token_id, "hand")
    return trace


@pytest.mark.slow
def test_ten_thousand_traces_come_back_as_they_went() -> None:
    dice = random.Random(1)
    for _ in range(10_000):
        trace = some_trace(dice)
        text = engine.encode_trace(trace)
        back = engine.decode_trace(text)
        assert back == trace
        assert set(text) <= URL_SAFE
        assert engine.encode_trace(back) == text


def test_settings_come_back_to_the_last_bit() -> None:
    for value in (0.1 + 0.2, 1 / 3, 5e-324, 1e-15, 0.0, 100.0, 0.8, 1.0000000000000002):
        trace = replace(text_of(9), settings=Settings(temperature=value))
        back = engine.decode_trace(engine.encode_trace(trace))
        assert back.settings.temperature.hex() == value.hex()


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 30), max_size=8), st.integers(0, 30))
def test_any_way_that_was_looked_at_last_comes_back(latest: dict[int, int], cursor: int) -> None:
    trace = text_of(15, branches=2)
    valid = {k: v for k, v in latest.items() if v < len(trace.choices) and trace.choices[v].parent == k}
    trace = replace(trace, latest=valid, cursor=cursor % len(trace.choices))
    assert engine.decode_trace(engine.encode_trace(trace)) == trace


def test_a_link_is_short() -> None:
    assert len(engine.encode_trace(text_of(64, branches=3))) < 300
    assert len(engine.encode_trace(text_of(64, branches=3, vocabulary=151_936))) < 400


def test_no_number_of_a_model_is_in_it(gpt2: Tiny) -> None:
    """The string depends on the user's choices alone, not on outputs in the prefix cache."""
    model = gpt2.model
    ids = model.encode("the cat sat")
    before = engine.encode_trace(Trace.start(model.name, ids, Settings()))
    model.distribution(ids)
    assert engine.encode_trace(Trace.start(model.name, ids, Settings())) == before


def refused(text: str) -> bool:
    """Whether decoding raises TraceError; a string that is accepted must be the canonical one of its trace."""
    try:
        trace = engine.decode_trace(text)
    except TraceError:
        return True
    assert engine.encode_trace(trace) == text
    return False


def tamper(dice: random.Random, text: str) -> str:
    kind = dice.randrange(7)
    at = dice.randrange(len(text))
    letters = string.ascii_letters + string.digits + "-_"
    if kind == 0:
        return text[:at] + dice.choice(letters) + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + dice.choice(letters) + text[at:]
    if kind == 3:
        return text[at:] + text[:at]
    if kind == 4:
        return "".join(dice.choice(letters) for _ in range(dice.randint(0, 80)))
    if kind == 5:
        return "".join(chr(dice.choice([dice.randrange(32, 127), dice.randrange(0x110000)])) for _ in range(20))
    return text + dice.choice(["=", "==", "\n", " ", "A", "%00", "\x00"])


def test_ten_thousand_tampered_texts_are_refused() -> None:
    dice = random.Random(2)
    texts = [engine.encode_trace(some_trace(dice)) for _ in range(50)]
    assert sum(not refused(tampered) for tampered in altered(dice, texts, tamper)) == 0


def altered(dice: random.Random, texts: list[str], change: Callable[[random.Random, str], str]) -> list[str]:
    """Ten thousand changed strings, none of them in `texts`."""
    results: list[str] = []
    while len(results) < 10_000:
        text = dice.choice(texts)
        other = change(dice, text)
        if other not in texts:
            results.append(other)
    return results


def forge(dice: random.Random, text: str) -> str:
    """Changed bytes with a valid checksum."""
    out = Writer()
    out.bytes += Reader(text, MAX_CHARACTERS).bytes
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(out.bytes))
        kind = dice.randrange(3)
        if kind == 0:
            out.bytes[at] = dice.randrange(256)
        elif kind == 1:
            del out.bytes[at]
        else:
            out.bytes[at:at] = bytes([dice.choice([0, 0x7F, 0x80, 0xFF, dice.randrange(256)])])
        if not out.bytes:
            break
    return out.url()


def test_ten_thousand_forged_texts_are_traces_or_refused() -> None:
    """With a valid checksum, input is either a valid trace or refused."""
    dice = random.Random(3)
    texts = [engine.encode_trace(some_trace(dice)) for _ in range(50)]
    outcomes = [refused(text) for text in altered(dice, texts, forge)]
    assert 0 < sum(outcomes) < len(outcomes)


def claims(prompt: int, written: int, *more: int) -> str:
    """The header of a trace with these token counts, without the tokens."""
    out = Writer()
    for value in (VERSION, 0, 7, 0, prompt, written, *more):
        out.number(value)
    return out.url()


def malicious() -> dict[str, str]:
    chain = tuple(Choice(i - 1, 2**31 - 1 - i, "hand" if i else "prompt") for i in range(MAX_TOKENS))
    star = tuple(Choice(0 if i else -1, i, ("hand", "drawn")[i % 2] if i else "prompt") for i in range(MAX_TOKENS))
    text = Writer()
    for value in (VERSION, 2, 10):
        text.number(value)
    text.bytes += zlib.compress(bytes(50_000_000), 9, -15)[:40_000]
    return {
        "claims the most": claims(MAX_TOKENS, 0, 0, 0, 32),
        "claims what no computer holds": claims(1, 2**60, 0, 0, 32),
        "a run without an end": claims(1, 100, 0, 2**62),
        "a name without an end": claims(2, 2**62),
        "the longest chain": engine.encode_trace(Trace("m", chain, 1, 0, Settings())),
        "the widest star": engine.encode_trace(Trace("m", star, 1, 0, Settings())),
        "letters only": "A" * MAX_CHARACTERS,
        "too many letters": "A" * 10_000_000,
        "an inflated text": text.url(),
    }


@pytest.mark.parametrize(("name", "text"), malicious().items(), ids=malicious())
def test_nothing_swells(name: str, text: str) -> None:
    tracemalloc.start()
    try:
        for decode in (engine.decode_trace, decode_text):
            try:
                decode(text)
            except TraceError:
                continue
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
        if name.startswith("claims"):
            assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_what_does_not_fit_is_said() -> None:
    chain = tuple(Choice(i - 1, 5, "hand" if i else "prompt") for i in range(MAX_TOKENS + 1))
    with pytest.raises(TraceError) as caught:
        engine.encode_trace(Trace("bundled", chain, 1, 0, Settings()))
    assert caught.value.code == "trace_size"
    with pytest.raises(TraceError) as caught:
        encode_text("字" * MAX_TEXT_BYTES, "")
    assert caught.value.code == "trace_size"


def test_what_is_no_trace_gets_no_text() -> None:
    with pytest.raises(TraceError):
        engine.encode_trace(replace(text_of(9), cursor=99))
    with pytest.raises(TraceError):
        engine.encode_trace(replace(text_of(9), fingerprint="<b>"))


def test_a_later_version_is_said_to_be_one() -> None:
    out = Writer()
    out.bytes += bytes([VERSION + 1]) + b"whatever stands there then"
    for decode in (engine.decode_trace, decode_text):
        with pytest.raises(TraceError) as caught:
            decode(out.url())
        assert caught.value.code == "trace_version"


# Published links of version 1, which must stay valid.
GOLDEN: dict[str, Trace] = {
    "AQAAAAMAAAAGtBYCCFBVew": Trace.start("bundled", (11, 22, 33), Settings(), "greedy"),
    "AQWHj6xBL4sHBQEIAl8DAwIBAgMBAQICB2iaUGMPAeLcsqk": Trace.start(
        "bundled", (11, 22, 33), Settings(temperature=0.8, top_p=0.95), "sample", 7, "h4-sQS-L"
    )
    .choose(44, "drawn")
    .choose(55, "hand")
    .go_to(2)
    .choose(66, "greedy")
    .go_to(4)
    .back(),
    "AQMKb3JnL-aooeWei_____8Hf_9VVVVVVVXVPygBCQIFAQIBCwMCAgACBAEAHwAAAID___8_AAAAFAAAAAnXdQ08": Trace.start(
        "org/模型", (0, 2**31 - 1), Settings(1 / 3, 40, 0.9, 0.05, 0.2, 1.1, 3), "sample", 2**31 - 1
    )
    .choose(5, "hand")
    .go_to(0)
    .choose(9, "drawn"),
}
GOLDEN_TEXTS = {
    "AQEFTspZKVkpbCN3H1l9MAKRao4f": ("今天天氣真", "好。"),
    "AQAHVGhlIGNhdCBzYXTdZ1Z1": ("The cat", " sat"),
    "AQOsAgs5ETIKRyENIAACZOvv": ("哈" * 300, "哈"),
}


@pytest.mark.parametrize(("text", "trace"), GOLDEN.items(), ids=range(len(GOLDEN)))
def test_links_that_were_given_out_still_open(text: str, trace: Trace) -> None:
    assert engine.decode_trace(text) == trace
    assert engine.encode_trace(trace) == text


@pytest.mark.parametrize(("text", "pair"), GOLDEN_TEXTS.items(), ids=range(len(GOLDEN_TEXTS)))
def test_texts_that_were_given_out_still_open(text: str, pair: tuple[str, str]) -> None:
    assert decode_text(text) == pair


@settings(max_examples=300)
@given(st.text(max_size=60), st.text(max_size=60))
def test_a_text_comes_back(prompt: str, written: str) -> None:
    text = encode_text(prompt, written)
    assert decode_text(text) == (prompt, written)
    assert set(text) <= URL_SAFE


def test_chinese_takes_two_bytes_a_character_and_repetition_little() -> None:
    assert len(encode_text("今天天氣真", "好我們去公園散步")) < 50
    assert len(encode_text("from ", "here to there")) < 40
    assert len(encode_text("哈" * 5_000, "哈" * 5_000)) < 120


def test_half_a_character_has_no_text() -> None:
    with pytest.raises(TraceError):
        encode_text("\ud800", "")


def test_tampered_texts_of_characters_are_refused() -> None:
    dice = random.Random(4)
    texts = [encode_text("今天天氣真" * n, "好" * n) for n in range(1, 30)]
    for text in altered(dice, texts, tamper)[:2_000]:
        with pytest.raises(TraceError):
            decode_text(text)
    for text in altered(dice, texts, forge)[:2_000]:
        try:
            prompt, written = decode_text(text)
        except TraceError:
            continue
        assert len(prompt + written) <= MAX_TEXT_BYTES


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40))
def test_packed_numbers_come_back(values: list[int]) -> None:
    out = Writer()
    out.packed(values)
    assert Reader(out.url(), 10_000).packed(len(values)) == values


@given(st.floats(allow_nan=False))
def test_floats_come_back_to_the_last_bit(value: float) -> None:
    out = Writer()
    out.float(value)
    assert Reader(out.url(), 1_000).float().hex() == value.hex()


def test_a_number_without_an_end_is_refused() -> None:
    out = Writer()
    out.bytes += b"\x80" * 30
    with pytest.raises(DecodeError):
        Reader(out.url(), 1_000).number(2**63)
