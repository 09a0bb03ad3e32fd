"""HTTP client of one endpoint: JSON requests with a bounded time, size and number, retried where that can help.

The server is not trusted: redirects are not followed, an answer is read up to its bound, and nothing that it says
becomes part of an error.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from engine import usage
from engine.remote.endpoint import Endpoint
from engine.remote.errors import RemoteError

_ATTEMPTS = 3
_BACK_OFF = 0.25  # seconds before the second attempt, four times as long before the third
_LONGEST_BACK_OFF = 5.0  # seconds that a server may ask for
_TRY_AGAIN = (429, 502, 503, 504)
_CONNECTIONS = 8
_SMALL = 2**18  # bytes of an answer to a small question
_REPLY_TIMES = 4  # a reply that comes piece by piece may take so many times the time of one answer
_NETWORK = (httpx2.ConnectError, httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)


class Refusal(Exception):
    """An answer of status 400 or 422: the server does not take the request as it is. `kind` is its error code."""

    def __init__(self, status: int, kind: str) -> None:
        super().__init__(f"status {status}")
        self.status, self.kind = status, kind


class Client:
    """Client of one endpoint, with at most so many connections at a time. Thread-safe."""

    def __init__(
        self, endpoint: Endpoint, key: str = "", sleep: Callable[[float], None] = time.sleep,
        connections: int = _CONNECTIONS,
    ) -> None:  # fmt: skip
        self.endpoint = endpoint
        self._sleep = sleep
        local = (httpx2.URL(endpoint.url).host or "") in ("127.0.0.1", "localhost", "::1")
        self._http = httpx2.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(endpoint.timeout, connect=min(5, endpoint.timeout)),
            limits=httpx2.Limits(max_connections=connections, keepalive_expiry=60),
            follow_redirects=False,
            trust_env=not local,
        )

    def error(self, code: str, **values: object) -> RemoteError:
        """An error of this endpoint."""
        return RemoteError(code, f"{self.endpoint.name}: {code}", name=self.endpoint.name, **values)

    def get(self, path: str) -> Any:
        """JSON value of an address. Raises RemoteError, Refusal, and what `usage.before_request` raises."""
        return self._ask("GET", path, None, _SMALL, json.loads)

    def post(
        self, path: str, body: dict[str, Any], most_bytes: int = _SMALL, read: Callable[[bytes], Any] = json.loads
    ) -> Any:
        """JSON value of the answer to a JSON request, by `read`. Raises as `get`."""
        return self._ask("POST", path, body, most_bytes, read)

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, most_bytes: int, read: Callable[[bytes], Any]
    ) -> Any:
        for attempt in range(_ATTEMPTS):
            usage.before_request(self.endpoint.name)
            wait: float | None = _BACK_OFF * 4**attempt
            try:
                status, data, after = self._exchange(method, path, body, most_bytes)
            except _NETWORK:
                problem: Exception = self.error("remote_unreachable")
            else:
                if status == 200:
                    return self._parsed(data, read)
                problem = self._problem(status, data)
                wait = after if after is not None else wait
                if status not in _TRY_AGAIN:
                    raise problem
            if attempt + 1 < _ATTEMPTS and wait is not None and wait <= _LONGEST_BACK_OFF:
                self._sleep(wait)
            else:
                break
        raise problem from None

    def _exchange(
        self, method: str, path: str, body: dict[str, Any] | None, most_bytes: int
    ) -> tuple[int, bytes, float | None]:
        """Status, content and wish for a pause of one answer, read within the time and size allowed."""
        with self._errors(), self._http.stream(method, self.endpoint.url + path, json=body) as response:
            data = b"".join(self._chunks(response, most_bytes, self.endpoint.timeout))
            return response.status_code, data, _pause(response.headers.get("retry-after"))

    def lines(self, path: str, body: dict[str, Any], most_bytes: int) -> Generator[bytes]:
        """Lines of the answer to a JSON request, each as soon as it is there.

        For a reply that is written while it is read: it is asked for once only, and the caller counts it, on the
        thread of the visitor (`usage.before_request`). Raises RemoteError, Refusal.
        """
        begun, rest = False, b""
        try:
            with self._errors(), self._http.stream("POST", self.endpoint.url + path, json=body) as response:
                if response.status_code != 200:
                    data = b"".join(self._chunks(response, _SMALL, self.endpoint.timeout))
                    raise self._problem(response.status_code, data)
                for chunk in self._chunks(response, most_bytes, _REPLY_TIMES * self.endpoint.timeout):
                    begun = True
                    *whole, rest = (rest + chunk).split(b"\n")
                    yield from whole
        except _NETWORK:
            raise self.error("remote_broken" if begun else "remote_unreachable") from None
        if rest:
            yield rest

    def _chunks(self, response: httpx2.Response, most_bytes: int, seconds: int) -> Iterator[bytes]:
        """The content of an answer as it comes, within the time and size allowed."""
        deadline, size = time.monotonic() + seconds, 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > most_bytes:
                raise self.error("remote_large")
            if time.monotonic() > deadline:
                raise self.error("remote_slow", seconds=seconds)
            yield chunk

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Context in which an answer is read: what goes wrong is an error of the endpoint."""
        try:
            yield
        except httpx2.ConnectTimeout:
            raise self.error("remote_unreachable") from None
        except httpx2.PoolTimeout:
            raise self.error("remote_busy") from None
        except httpx2.TimeoutException:
            raise self.error("remote_slow", seconds=self.endpoint.timeout) from None
        except (httpx2.DecodingError, httpx2.InvalidURL, httpx2.UnsupportedProtocol):
            raise self.error("remote_garbage") from None

    def _parsed(self, data: bytes, read: Callable[[bytes], Any]) -> Any:
        try:
            answer = read(data)
        except (ValueError, RecursionError):
            raise self.error("remote_garbage") from None
        usage.after_request(self.endpoint.name, *tokens_used(answer))
        return answer

    def _problem(self, status: int, data: bytes) -> Exception:
        """What a status other than 200 means."""
        if 300 <= status < 400:
            return self.error("remote_redirect")
        if status in (401, 403):
            return self.error("remote_key")
        if status == 404:
            return self.error("remote_model")
        if status in (429, 503):
            return self.error("remote_busy")
        if status in (400, 422):
            return Refusal(status, _error_kind(data))
        return self.error("remote_status", status=status)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


def _pause(value: str | None) -> float | None:
    """Seconds of a Retry-After header; None for a date or no header."""
    return float(value) if value is not None and value.isascii() and value.isdecimal() and len(value) < 6 else None


def _error_kind(data: bytes) -> str:
    """The machine-readable name of an error, such as `exceed_context_size_error`; its message is not read."""
    try:
        error = json.loads(data)["error"]
        names = [error.get("code"), error.get("type")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return next((name for name in names if isinstance(name, str) and name.isidentifier() and len(name) < 60), "")


def tokens_used(answer: Any) -> tuple[int, int]:
    """Prompt tokens and new tokens that an answer says it took."""
    used = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(used, dict):
        return 0, 0
    counts = [used.get(name) for name in ("prompt_tokens", "completion_tokens")]
    prompt, new = (value if type(value) is int and 0 <= value < 10**9 else 0 for value in counts)
    return prompt, new
