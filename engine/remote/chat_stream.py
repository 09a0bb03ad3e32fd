"""A reply that a server is writing, read on a thread of its own, so that whoever waits for it can stop it."""

from __future__ import annotations

import threading
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import Any

from engine import usage
from engine.errors import EngineError
from engine.remote.answer import MalformedAnswer
from engine.remote.chat_answer import FailedReply, ReplyPart, parts
from engine.remote.client import Client, Refusal

_PATH = "/v1/chat/completions"
_FILTERED = ("content_filter", "data_inspection_failed")
_TOO_LONG = ("context_length_exceeded", "exceed_context_size_error")


class ChatStream:
    """The pieces of a reply, in order, as the server writes them."""

    def __init__(self, client: Client, body: dict[str, Any], most_bytes: int) -> None:
        """Ask for the reply. Raises what `usage.before_request` raises, for the visitor of this thread."""
        usage.before_request(client.endpoint.name)
        self._client, self._body, self._most_bytes = client, body, most_bytes
        self._pieces: SimpleQueue[ReplyPart | EngineError | None] = SimpleQueue()
        self._stopped = threading.Event()
        threading.Thread(target=self._read, name=f"reply of {client.endpoint.name}", daemon=True).start()

    def next(self, seconds: float) -> ReplyPart | None:
        """The next piece, an empty one if none has come within `seconds`; None at the end. Raises EngineError."""
        try:
            piece = self._pieces.get(timeout=seconds)
        except Empty:
            return ReplyPart()
        if isinstance(piece, EngineError):
            raise piece
        return piece

    def stop(self) -> None:
        """Read no further. The connection is closed with the next piece, upon which the server ends its work."""
        self._stopped.set()

    def _read(self) -> None:
        finished, used, count = False, (0, 0), 0
        try:
            with closing(self._client.lines(_PATH, self._body, self._most_bytes)) as lines:
                for piece in parts(lines):
                    if self._stopped.is_set():
                        break
                    finished = finished or bool(piece.finish)
                    used, count = max(used, piece.used), count + len(piece.tokens)
                    self._pieces.put(piece)
            self._pieces.put(None if finished or self._stopped.is_set() else self._client.error("remote_broken"))
        except FailedReply:
            self._pieces.put(self._client.error("remote_broken"))
        except MalformedAnswer:
            self._pieces.put(self._client.error("remote_garbage"))
        except Refusal as refusal:
            self._pieces.put(self._refused(refusal))
        except EngineError as error:
            self._pieces.put(error)
        except Exception:  # whoever waits must not wait for ever; what it says may quote the server
            self._pieces.put(self._client.error("remote_garbage"))
        finally:
            usage.after_request(self._client.endpoint.name, used[0], used[1] or count)

    def _refused(self, refusal: Refusal) -> EngineError:
        if refusal.kind in _FILTERED:
            return self._client.error("remote_filter")
        if refusal.kind in _TOO_LONG:
            return self._client.error("remote_long")
        return self._client.error("remote_status", status=refusal.status)
