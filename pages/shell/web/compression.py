"""Compression (gzip) of what Streamlit leaves to a proxy, as this app is also served without one.

Scripts and styles are compressed once for all visitors, the start page as it is sent.
"""

from __future__ import annotations

import gzip
import posixpath
import re
import threading

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/static/"
_TEXT = re.compile(r"text/(?!html)|application/(javascript|json|wasm)|image/svg\+xml")
_ACCEPTED = re.compile(r"(^|[\s,])gzip(?!\s*;\s*q=0(\.0*)?\s*(,|$))")


def accepts_gzip(headers: Headers) -> bool:
    """Whether a request allows a compressed answer."""
    return bool(_ACCEPTED.search(headers.get("accept-encoding", "").lower()))


def _whole_file(scope: Scope) -> bool:
    """Whether a request is for a file as a whole and allows compression."""
    headers = Headers(scope=scope)
    return scope["method"] == "GET" and "range" not in headers and accepts_gzip(headers)


class Compression:
    """ASGI middleware; must be closer to the routes than Streamlit's own, which skips what is compressed already."""

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app = app
        self._base = f"/{base.strip('/')}".rstrip("/")
        self._start_page = GZipMiddleware(app, compresslevel=6)
        self._files: dict[str, bytes] = {}  # compressed static files by path; as many as Streamlit has
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].rstrip("/") == self._base:
            await self._start_page(scope, receive, send)
        elif STATIC in scope["path"] and _whole_file(scope):
            await self._send_file(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _send_file(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a static file compressed, with the headers of the original; other answers unchanged."""
        status, fields, _ = await self._answer({**scope, "method": "HEAD"}, receive)
        if status != 200 or not _TEXT.match(fields.get("content-type", "")):
            await self.app(scope, receive, send)
            return
        path = posixpath.normpath(scope["path"])  # one key for a file: a//b, a/./b
        if path not in self._files:
            _, _, body = await self._answer(scope, receive)
            await to_thread.run_sync(self._compress, path, body)
        fields["content-encoding"] = "gzip"
        fields["content-length"] = str(len(self._files[path]))
        fields["etag"] = f"W/{fields['etag'].removeprefix('W/')}"  # the same text in other bytes
        fields.add_vary_header("Accept-Encoding")
        await send({"type": "http.response.start", "status": status, "headers": fields.raw})
        await send({"type": "http.response.body", "body": self._files[path]})

    def _compress(self, path: str, body: bytes) -> None:
        with self._lock:  # a class that arrives together waits for one compression
            if path not in self._files:
                self._files[path] = gzip.compress(body, 6)  # at 9 twice the time, on a first visit, for 1 % less

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, MutableHeaders, bytes]:
        """(status, headers, body) of an answer to a request."""
        start: Message = {}
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, keep)
        return start["status"], MutableHeaders(raw=list(start["headers"])), b"".join(parts)
