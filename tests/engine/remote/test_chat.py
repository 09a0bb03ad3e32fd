"""Replies of servers that only chat: recorded bytes, answers that lie or break off, and llama.cpp by its chat alone."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import usage
from engine.errors import EngineError
from engine.model.model import Model
from engine.remote.chat_answer import ReplyPart, parts
from engine.remote.chat_server import ChatServer, ServerSampling, connect_chat
from engine.remote.chat_stream import ChatStream
from engine.remote.client import Client
from engine.remote.connect import connect
from engine.remote.embedded import EmbeddedServer
from engine.remote.endpoint import Endpoint
from engine.remote.probe import probe_route
from engine.remote.reply_text import alternative_labels, labels, whole_text
from engine.remote.reply_token import ReplyToken, reply_tokens
from engine.tokenization.chat_template import ChatMessage
from tests.endpoint_server import ANSWERS, Answer, chat_only, entry, serve, streamed
from tests.engine.remote.conftest import KEY
from tests.gguf_files import write_bundled

RECORDED = (ANSWERS / "llamacpp_chat.sse").read_bytes()
SECRET = "sk-very-secret"
HELLO = [ChatMessage("user", "hello")]
SAMPLING = ServerSampling(0.7, 0.9, 7, 20)
WORDS = [entry("Hi", -0.1, {"Hi": -0.1, "Hello": -2.5}), entry("!", -1.0, {"!": -1.0, ".": -1.2})]


def read(stream: ChatStream) -> tuple[str, list[ReplyToken], ReplyPart]:
    """Text, tokens and last piece of a whole reply."""
    text, last = "", ReplyPart()
    tokens: list[ReplyToken] = []
    deadline = time.monotonic() + 20
    while (piece := stream.next(0.1)) is not None:
        assert time.monotonic() < deadline
        text, tokens, last = text + piece.text, [*tokens, *piece.tokens], piece if piece != ReplyPart() else last
    return text, tokens, last


def asked(url: str, timeout: int = 5, key: str = "", **more: int) -> ChatServer:
    found = connect_chat(Endpoint("here", url, key=key, timeout=timeout, **more))  # type: ignore[arg-type]
    assert found is not None
    return found


def entries_of(data: bytes) -> list[dict[str, Any]]:
    """The entries of a recording, read without the code that is tested."""
    events = [json.loads(line[6:]) for line in data.decode().splitlines() if line.startswith("data: {")]
    return [each for event in events for c in event["choices"] for each in (c.get("logprobs") or {}).get("content", [])]


def test_a_recorded_reply_byte_by_byte() -> None:
    with serve(chat_only(lambda body: Answer(RECORDED, drip=True, pause=0.00001))) as served:
        text, tokens, last = read(asked(served.url).reply(HELLO, SAMPLING))
    assert text == "先入釜」，這個是我在看院裡面有這個名字。" == "".join(labels(tokens))
    assert last.used == (16, 18) and len(tokens) == 16
    for token, told in zip(tokens, entries_of(RECORDED), strict=True):
        values = sorted((other["logprob"] for other in told["top_logprobs"]), reverse=True)
        assert token.log_probability == told["logprob"] and token.data == bytes(told["bytes"])
        np.testing.assert_array_equal(token.alternatives.log_probabilities, values)
        ids = [other["id"] for other in sorted(told["top_logprobs"], key=lambda other: -other["logprob"])]
        assert token.listed == (ids.index(told["id"]) if told["id"] in ids else None)
        named = np.exp(values if told["id"] in ids else [*values, told["logprob"]])
        assert token.unseen == pytest.approx(1 - named.sum(), abs=1e-12)
        shares = np.append(named, 1 - named.sum())
        assert token.entropy == pytest.approx(-(shares * np.log(shares)).sum(), abs=1e-12)
    assert [at for at, token in enumerate(tokens) if token.is_merged] == [2], "llama.cpp wrote 釜 as two tokens"
    assert alternative_labels(tokens, 2)[0] == "釜 3/3", "the alternatives are those of its last byte"


def test_a_request_says_what_is_asked_and_no_more() -> None:
    with serve(chat_only(lambda body: Answer(streamed(WORDS)))) as served:
        server = asked(served.url, alternatives=3)
        read(server.reply([ChatMessage("system", "Be kind."), *HELLO], SAMPLING))
        read(server.reply(HELLO, ServerSampling(0.0, 1.0, None, 5)))
    drawn, greedy = (body for _, body in served.asked[-2:])
    assert server.top == 3 and drawn["top_logprobs"] == 3
    assert drawn["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "hello"},
    ]
    assert (drawn["temperature"], drawn["top_p"], drawn["seed"], drawn["max_tokens"]) == (0.7, 0.9, 7, 20)
    assert greedy["temperature"] == 0 and "seed" not in greedy and greedy["max_tokens"] == 5


def test_a_server_that_calls_the_length_otherwise() -> None:
    def answering(path: str, body: dict[str, Any]) -> Answer:
        if "max_tokens" in body:
            return Answer({"error": {"message": "use max_completion_tokens", "code": "unsupported_parameter"}}, 400)
        return chat_only(lambda body: Answer(streamed(WORDS)), top=20)(path, body)

    with serve(answering) as served:
        server = asked(served.url)
        assert server.top == 20 and read(server.reply(HELLO, SAMPLING))[0] == "Hi!"
    assert served.asked[-1][1]["max_completion_tokens"] == 20 and "max_tokens" not in served.asked[-1][1]


def test_parts_of_characters_are_put_together_by_their_bytes() -> None:
    data = "氣🙂".encode()
    pieces = [data[:1], data[1:3], data[3:5], data[5:]]
    others: dict[str, float] = {"x": -3.0}
    told = [entry("\ufffd" if i < 3 else "🙂", -0.5, others, piece) for i, piece in enumerate(pieces)]
    half = {"token": "\ufffd", "logprob": -1.0, "bytes": [0xA3]}
    told[1]["top_logprobs"].append(half | {"bytes": [0xB0, 0xA3]})
    tokens = reply_tokens({"content": told})
    assert labels(tokens) == ["氣 1/3", "氣 2–3/3", "🙂 1–2/4", "🙂 3–4/4"]
    assert whole_text("\ufffd\ufffd\ufffd\ufffd", tokens) == "氣🙂"
    assert whole_text("\ufffd", tokens[:3]) == "氣", "a character that is cut off is left out"
    assert alternative_labels(tokens, 1) == ["氣 2–3/3", "x"]
    assert labels(tokens[:1]) == ["‹E6›"]


def test_bytes_that_are_not_given() -> None:
    unknown = {"token": "\ufffd", "logprob": -0.5, "bytes": None, "top_logprobs": []}
    [token] = reply_tokens({"content": [unknown]})
    assert token.data is None and token.listed is None and token.unseen == pytest.approx(1 - math.exp(-0.5))
    assert labels([token]) == ["‹FFFD›"] and whole_text("a\ufffdb", [token]) == "ab"
    text = {"tokens": [" a"], "token_logprobs": [-0.2], "top_logprobs": [{" a": -0.2, " b": -3.0}]}
    [token] = reply_tokens(text)
    assert (token.text, token.listed, len(token.alternatives)) == (" a", 0, 2)


def test_a_token_outside_of_the_list() -> None:
    told = [entry("z", -4.0, {"x": -0.1, "y": -3.0}), entry("z", -9999.0, {"x": -0.1, "y": -3.0})]
    known, unknown = reply_tokens({"content": told})
    listed = math.exp(-0.1) + math.exp(-3)
    assert known.listed is None and known.unseen == pytest.approx(1 - listed - math.exp(-4))
    assert unknown.log_probability is None and unknown.unseen == pytest.approx(1 - listed)


def test_a_reply_in_one_piece() -> None:
    """Of a server that does not stream, whatever it is asked."""
    whole = {"choices": [{"message": {"content": "Hi!"}, "logprobs": {"content": WORDS}, "finish_reason": "stop"}]}
    for data in (json.dumps(whole).encode(), json.dumps(whole, indent=1).encode()):
        [found] = parts(iter(data.split(b"\n")))
        assert (found.text, len(found.tokens), found.finish) == ("Hi!", 2, "stop")


def bad(value: float) -> bytes:
    return streamed([entry("Hi", value, {"Hi": value})])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(b"<html>hello"), "remote_garbage"),
        (Answer(b"data: {broken\n\n"), "remote_garbage"),
        (Answer(b"data: [1]\n\n"), "remote_garbage"),
        (Answer(bad(float("nan"))), "remote_garbage"),
        (Answer(bad(3.0)), "remote_garbage"),
        (Answer(streamed([entry("Hi", -0.1, {"Hi": -0.1, "Ho": -0.1})])), "remote_garbage"),
        (Answer(streamed([entry("Hi", -0.1, {"Ho": -0.1})])), "remote_garbage"),
        (Answer(b"data: " + b"x" * 10_000_000), "remote_large"),
        (Answer(status=302, headers={"Location": "http://example.org/"}), "remote_redirect"),
        (Answer({"error": {"message": f"bad key {SECRET}"}}, 401), "remote_key"),
        (Answer({"error": {"message": SECRET}}, 429), "remote_busy"),
        (Answer(SECRET.encode(), 500), "remote_status"),
        (Answer({"error": {"message": SECRET, "code": "context_length_exceeded"}}, 400), "remote_long"),
        (Answer({"error": {"message": SECRET, "code": "content_filter"}}, 400), "remote_filter"),
        (Answer(b'data: {"error": {"message": "sk-very-secret"}}\n\n'), "remote_broken"),
        (Answer(streamed(WORDS), cut=True), "remote_broken"),
        (Answer(streamed(WORDS, finish=None)), "remote_broken"),
        (Answer(streamed(WORDS), pause=3.0), "remote_slow"),
    ],
)
def test_a_bad_reply(
    answer: Answer, code: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_KEY", SECRET)
    with serve(chat_only(lambda body: answer)) as served:
        server = asked(served.url, timeout=1, key="CHAT_KEY")
        before = len(served.asked)
        with pytest.raises(EngineError) as error:
            read(server.reply(HELLO, SAMPLING))
        assert len(served.asked) == before + 1, "a reply is asked for once"
    assert error.value.code == code and error.value.values["name"] == "here"
    told = repr(error.value) + repr(error.value.values) + "".join(capfd.readouterr())
    assert SECRET not in told and "127.0.0" not in told and "hello" not in told


def test_what_came_before_a_break_is_there() -> None:
    with serve(chat_only(lambda body: Answer(streamed(WORDS * 4, finish=None)))) as served:
        stream = asked(served.url).reply(HELLO, SAMPLING)
        text = "".join(piece.text for piece in (stream.next(5) for _ in range(8)) if piece is not None)
        with pytest.raises(EngineError) as error:
            stream.next(5)
    assert text == "Hi!" * 4 and error.value.code == "remote_broken"


def test_a_class_is_answered_at_the_same_time() -> None:
    with serve(chat_only(lambda body: Answer(streamed(WORDS), pause=0.6))) as served:
        server = asked(served.url, timeout=1)
        streams = [server.reply(HELLO, SAMPLING) for _ in range(30)]
        assert [read(stream)[0] for stream in streams] == ["Hi!"] * 30


def test_nobody_waits_for_a_thread_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    with serve(chat_only(lambda body: Answer(streamed(WORDS)))) as served:
        server = asked(served.url)
        monkeypatch.setattr(Client, "lines", fail)
        with pytest.raises(EngineError) as error:
            read(server.reply(HELLO, SAMPLING))
    assert error.value.code == "remote_garbage" and SECRET not in repr(error.value)


def test_stopping_closes_the_connection() -> None:
    with serve(chat_only(lambda body: Answer(streamed(WORDS * 400), drip=True, pause=0.0005))) as served:
        stream = asked(served.url).reply(HELLO, SAMPLING)
        while not (piece := stream.next(1)) or not piece.tokens:
            pass
        stream.stop()
        begun = time.monotonic()
        while stream.next(0.1) is not None:
            pass
        assert time.monotonic() - begun < 2, "the whole reply takes a minute"


def test_requests_and_tokens_are_counted_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[str] = []
    counted: list[tuple[str, int, int]] = []

    def count(endpoint: str) -> None:
        if len(requests) >= 2:
            raise EngineError("limit_requests", endpoint)
        requests.append(endpoint)

    replies = [streamed(WORDS), streamed(WORDS * 2, finish=None)]
    with serve(chat_only(lambda body: Answer(replies.pop(0)))) as served:
        server = asked(served.url)
        hooks = usage.Hooks(before_request=count, after_request=lambda *told: counted.append(told))
        monkeypatch.setattr(usage, "_hooks", hooks)
        read(server.reply(HELLO, SAMPLING))
        with pytest.raises(EngineError):
            read(server.reply(HELLO, SAMPLING))
        with pytest.raises(EngineError) as error:
            server.reply(HELLO, SAMPLING)
    deadline = time.monotonic() + 5
    while len(counted) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert error.value.code == "limit_requests" and requests == ["here", "here"]
    assert counted == [("here", 9, 2), ("here", 0, 4)], "of a reply that breaks off, what has come"


def test_such_a_server_is_no_model() -> None:
    with serve(chat_only(lambda body: Answer(streamed(WORDS)))) as served, pytest.raises(EngineError) as error:
        connect(Endpoint("here", served.url), 2**20)
    assert error.value.code == "remote_chat_only"


def test_llama_cpp_by_its_chat_alone(tmp_path: Path, local: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of a real server, compared with those of the model that it serves."""
    template = "{% for m in messages %}「{{ m.content }}」\n{% endfor %}「"
    served = EmbeddedServer(write_bundled(tmp_path / "chat.gguf", template))
    monkeypatch.setenv(KEY, served.key)
    endpoint = Endpoint("here", served.url, key=KEY)
    assert connect_chat(endpoint) is None, "its completions are better"
    client = Client(endpoint, served.key)
    server = ChatServer(client, probe_route(client))
    text, tokens, last = read(server.reply([ChatMessage("user", "你喜歡吃什麼？")], ServerSampling(0.9, 1.0, 3, 24)))
    assert text and len(tokens) >= last.used[1] - 1 and not any(token.is_merged for token in tokens)
    ids = local.encode("「你喜歡吃什麼？」\n「")
    for token in tokens:
        raw = local.distribution(ids).raw
        [token_id] = {
            int(i) for i in token.alternatives.token_ids[[token.listed]]  # type: ignore[index]
        } if token.listed is not None else {
            i for i in range(local.vocabulary.size) if local.vocabulary.token_bytes(i) == token.data
        }  # fmt: skip
        assert math.exp(token.log_probability or 0) == pytest.approx(float(raw[token_id]), abs=2e-3)
        top = np.sort(raw)[::-1][: server.top]
        assert token.unseen == pytest.approx(
            1 - float(top.sum()) - (float(raw[token_id]) if token.listed is None else 0), abs=5e-3
        )
        whole = -(raw[raw > 0] * np.log(raw[raw > 0])).sum()
        assert token.entropy <= whole + 0.02
        ids = (*ids, token_id)
    served.stop()
