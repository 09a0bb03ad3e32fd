"""An endpoint on 127.0.0.1 for tests: it answers as it is told to, well or badly, and counts what it is asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent / "engine" / "remote" / "answers"  # of real servers: vLLM 0.32.0, llama.cpp 11549


@dataclass
class Answer:
    """One answer: its status, its content, and what is done before and besides."""

    content: bytes | Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0  # seconds before it, and where `drip` between any two bytes
    drip: bool = False
    cut: bool = False  # whether the connection ends in the middle

    @property
    def data(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        return json.dumps(self.content, ensure_ascii=False).encode()


Answering = Callable[[str, dict[str, Any]], Answer]


@dataclass
class Served:
    """A running endpoint. asked: path and body of each request so far; keys: their Authorization headers."""

    url: str
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@contextmanager
def serve(answering: Answering) -> Iterator[Served]:
    """An endpoint that answers a request (path, body) with what `answering` returns for it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            served.asked.append((self.path, body))
            served.keys.append(self.headers.get("Authorization"))
            found = answering(self.path, body)
            time.sleep(found.pause)
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.data)))
            self.end_headers()
            try:
                self._write(found)
            except OSError:  # the client has had enough
                self.close_connection = True

        def _write(self, found: Answer) -> None:
            if found.drip:
                for byte in found.data:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(found.pause)
            elif found.cut:
                self.wfile.write(found.data[: len(found.data) // 2])
                self.close_connection = True
            else:
                self.wfile.write(found.data)

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # a class connects at the same time

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Served(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def recorded(server: str) -> list[dict[str, Any]]:
    """Requests to a real server with its answers: `path`, `request`, `response`; `vllm` or `llamacpp`."""
    exchanges: list[dict[str, Any]] = json.loads((ANSWERS / f"{server}.json").read_text("utf-8"))
    return exchanges


def find(server: str, path: str, **request: Any) -> Any:
    """The recorded answer to the first request to a path that has these entries."""
    for exchange in recorded(server):
        asked = exchange.get("request", {})
        if exchange["path"].endswith(path) and all(asked.get(name) == value for name, value in request.items()):
            return exchange["response"]
    raise LookupError((server, path, request))


def completion(values: dict[str, float], **more: Any) -> dict[str, Any]:
    """An answer of the shape `completions`."""
    logprobs = {"tokens": [next(iter(values), "")], "top_logprobs": [values]}
    return {"choices": [{"text": "", "index": 0, "logprobs": logprobs, "finish_reason": "length"}]} | more


def entry(text: str, log_probability: float, top: dict[str, float], data: bytes | None = None) -> dict[str, Any]:
    """An entry for a token of a reply in a chat, in OpenAI's shape; `data`: its bytes, if not those of the text."""
    token = {"token": text, "logprob": log_probability, "bytes": list(text.encode() if data is None else data)}
    others = [{"token": other, "logprob": value, "bytes": list(other.encode())} for other, value in top.items()]
    return token | {"top_logprobs": others}


def streamed(entries: list[dict[str, Any]], finish: str | None = "stop", said: list[str] | None = None) -> bytes:
    """A reply in a chat as events, one for each entry, as OpenAI streams it. `said`: its text, if not the tokens'."""
    events: list[dict[str, Any]] = []
    texts = [each["token"] for each in entries] if said is None else said
    for each, text in zip(entries, texts, strict=True):
        delta = {"delta": {"content": text}, "logprobs": {"content": [each]}, "finish_reason": None}
        events.append({"choices": [delta | {"index": 0}]})
    if finish:
        events.append({"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish}]})
        events.append({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": len(entries)}})
    lines = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    return b"".join([*lines, b"data: [DONE]\n\n"] if finish else lines)


def chat_only(reply: Callable[[dict[str, Any]], Answer], model: str = "chatty", top: int = 5) -> Answering:
    """A server that gives log-probabilities by chat alone, `top` alternatives at most, as DashScope and OpenAI do.

    reply: its answer to a request that streams, by the request's body.
    """

    def answer(path: str, body: dict[str, Any]) -> Answer:
        if path == "/v1/models":
            return Answer({"object": "list", "data": [{"id": model, "object": "model"}]})
        if path != "/v1/chat/completions":
            return Answer({"error": {"message": "no such address"}}, 404)
        if body.get("top_logprobs", 0) > top:
            return Answer({"error": {"message": "top_logprobs", "type": "invalid_request_error"}}, 400)
        if body.get("stream"):
            return reply(body)
        others = {f"w{i}": -2.0 - i for i in range(body["top_logprobs"])}
        logprobs = {"content": [entry("w0", -2.0, others)]}
        return Answer({"choices": [{"message": {"content": "w0"}, "logprobs": logprobs, "finish_reason": "length"}]})

    return answer
