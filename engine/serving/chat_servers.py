"""Endpoints whose servers only chat, found by asking each endpoint once which way it gives log-probabilities.

Such a server is no model of the app: it can reply on the chat page, and is offered nowhere else.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Literal

from engine.errors import ModelError
from engine.serving import endpoints

if TYPE_CHECKING:
    from engine.remote.chat_server import ChatServer
    from engine.remote.endpoint import Endpoint

_AGAIN = 60.0  # seconds after which a server that could not be asked is asked again

Known = Literal["asking", "chat", "steps", "failed"]
_lock = threading.Lock()
_asked: dict[Endpoint, tuple[float, Future[ChatServer | None]]] = {}


def look() -> bool:
    """Ask the endpoints that have not been asked; whether some answer is still missing. Never waits."""
    asked = [_asking(endpoint) for endpoint in endpoints.offered() if endpoint.url]
    return not all(each.done() for each in asked)


def known(model_name: str) -> Known:
    """What is known of the server of a model: still `asking`, only `chat`, continues texts (`steps`), or `failed`.

    A server in this process always continues texts, and so does what is no endpoint.
    """
    endpoint = endpoints.find(model_name)
    if endpoint is None or not endpoint.url:
        return "steps"
    found = _asking(endpoint)
    if not found.done():
        return "asking"
    if found.exception() is not None:
        return "failed"
    return "steps" if found.result() is None else "chat"


def offered() -> list[Endpoint]:
    """Endpoints that can be asked for replies alone, as far as it is known, and those that could not be asked."""
    return [each for each in endpoints.offered() if known(each.model_name) in ("chat", "failed")]


def is_chat_only(model_name: str) -> bool:
    """Whether it is known that the server of a model only chats."""
    return known(model_name) == "chat"


def server(model_name: str) -> ChatServer:
    """The server that only chats of an endpoint; waits until it has been asked. Raises ModelError."""
    endpoint = endpoints.find(model_name)
    found = None if endpoint is None or not endpoint.url else _asking(endpoint).result()
    if found is None:
        raise ModelError("not_allowed", f"no server that only chats is {model_name}", name=model_name)
    return found


def ask_again(model_name: str) -> None:
    """Ask a server again that could not be asked."""
    endpoint = endpoints.find(model_name)
    if endpoint is not None and known(model_name) == "failed":
        with _lock:
            _asked.pop(endpoint, None)
        _asking(endpoint)


def _asking(endpoint: Endpoint) -> Future[ChatServer | None]:
    """The server of an endpoint, None for one that continues texts; or why it could not be asked, for a minute."""
    with _lock:
        since, found = _asked.get(endpoint, (0.0, None))
        failed = found is not None and found.done() and found.exception() is not None
        if found is None or (failed and time.monotonic() - since > _AGAIN):
            found = Future()
            _asked[endpoint] = time.monotonic(), found
            threading.Thread(target=_ask, args=(endpoint, found), name=f"ask {endpoint}", daemon=True).start()
        return found


def _ask(endpoint: Endpoint, found: Future[ChatServer | None]) -> None:
    from engine.remote.chat_server import connect_chat
    from engine.remote.errors import RemoteError

    try:
        found.set_result(connect_chat(endpoint))
    except ModelError as error:
        found.set_exception(error)
    except BaseException as error:  # whoever waits for it must not wait for ever
        found.set_exception(RemoteError("remote_garbage", type(error).__name__, name=endpoint.name))
