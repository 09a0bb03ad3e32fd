"""A hub on 127.0.0.1 that speaks as much of the protocol of huggingface_hub as loading a model needs, with faults.

Repositories hold commits, and references to them; large files are served as LFS files are, by the SHA-256 of their
content, and in ranges.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 20_000  # bytes from which a file is an LFS file
DATE = "2026-01-02T03:04:05.000Z"


@dataclass
class Pull:
    """A pull request or a discussion."""

    num: int
    title: str
    author: str
    status: str = "open"
    is_pull_request: bool = True


@dataclass
class Repository:
    """commits: files of each; history: commits of each reference, newest first."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    history: dict[str, list[str]] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    gated: bool = False

    def commit(self, files: dict[str, bytes], reference: str = "main", base: list[str] | None = None) -> str:
        """Add a commit to a reference; its id."""
        before = self.history.get(reference, []) if base is None else base
        commit = hashlib.sha1(repr((sorted(files), reference, before, time.monotonic_ns())).encode()).hexdigest()
        self.commits[commit] = files
        self.history[reference] = [commit, *before]
        return commit

    def resolve(self, revision: str) -> str | None:
        return revision if revision in self.commits else next(iter(self.history.get(revision, [])), None)


@dataclass
class Hub:
    """repositories by id; `cut` bytes after which an answer breaks off, `cuts` how often; `pause` between chunks."""

    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    sent: int = 0  # bytes of file contents
    cut: int = 0
    cuts: int = 0
    pause: float = 0.0
    before: Callable[[str], None] = lambda _: None  # called with the line of every request
    spoil: bool = False  # contents differ from their ETag
    etag: Callable[[bytes], str] = lambda data: _etag(data)  # of mirrors: something else
    elsewhere: bool = False  # large files are on another host, as on a content delivery network
    tokens: set[tuple[str, str]] = field(default_factory=set)  # hosts that were asked, and the token they were given
    status: int = 0  # the answer to everything

    def add(self, name: str, folder: Path | None = None, files: dict[str, bytes] | None = None) -> Repository:
        """A repository with the files of a folder, and `files` beside or instead of them."""
        self.repositories[name] = Repository()
        self.repositories[name].commit({**(files_of(folder) if folder else {}), **(files or {})})
        return self.repositories[name]

    def gets(self, path: str) -> int:
        """Number of GET requests for a file."""
        return sum(line.startswith("GET") and line.endswith(path) for line in self.requests)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _etag(data: bytes) -> str:
    small = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    return hashlib.sha256(data).hexdigest() if len(data) >= LARGE else small


@contextmanager
def serve() -> Iterator[Hub]:
    """A running hub."""
    hub = Hub()

    class Handler(_Handler):
        served = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.served
        hub.before(f"{self.command} {self.path}")
        hub.requests.append(f"{self.command} {urlsplit(self.path).path}")
        hub.tokens.add((self.headers["Host"].partition(":")[0], self.headers.get("authorization", "")))
        if hub.status:
            return self._refuse(hub.status, "")
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        parts = [unquote(part) for part in path.strip("/").split("/")]
        api = parts[:2] == ["api", "models"]
        parts = parts[2:] if api else parts
        at = next((i for i in (1, 2) if "/".join(parts[:i]) in hub.repositories), None)
        if at is None:
            return self._refuse(401, "RepoNotFound")
        repository, rest = hub.repositories["/".join(parts[:at])], parts[at:]
        if rest and rest[0] == "discussions":
            return self._json(self._discussions("/".join(parts[:at]), repository, query))
        revision = rest[1] if len(rest) > 1 else "main"
        commit = repository.resolve(revision)
        if commit is None:
            return self._refuse(404, "RevisionNotFound")
        if not api:
            return self._file(repository, commit, "/".join(rest[2:]))
        if rest and rest[0] == "commits":
            history = next(h for h in repository.history.values() if h[0] == commit)
            return self._json([{"id": c, "title": "", "message": "", "date": DATE, "authors": []} for c in history])
        entries = [self._entry(name, data) for name, data in repository.commits[commit].items()]
        if rest and rest[0] == "tree":
            return self._json(entries)
        siblings = [
            {"rfilename": e["path"], "size": e["size"], "blobId": e["oid"]} | ({"lfs": e["lfs"]} if "lfs" in e else {})
            for e in entries
        ]
        name = "/".join(parts[:at])
        return self._json({"id": name, "modelId": name, "sha": commit, "private": False, "siblings": siblings})

    @staticmethod
    def _entry(name: str, data: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": _etag(data)[:40]}
        if len(data) >= LARGE:
            sha = _etag(data)
            entry["lfs"] = {"oid": sha, "sha256": sha, "size": len(data), "pointerSize": 130}
        return entry

    @staticmethod
    def _discussions(name: str, repository: Repository, query: dict[str, list[str]]) -> dict[str, Any]:
        """Every discussion: like a mirror, it does not filter."""
        found = [
            {
                "num": p.num, "title": p.title, "author": {"name": p.author}, "createdAt": DATE, "status": p.status,
                "isPullRequest": p.is_pull_request, "repo": {"name": name, "type": "model"},
            }
            for p in repository.pulls
        ]  # fmt: skip
        return {"count": len(found), "start": 0, "discussions": found}

    def _file(self, repository: Repository, commit: str, path: str) -> None:
        hub = self.served
        moved = self.headers["Host"].startswith("localhost")
        if repository.gated and "authorization" not in self.headers and not moved:
            return self._refuse(401, "GatedRepo")
        data = repository.commits[commit].get(path)
        if data is None:
            return self._refuse(404, "EntryNotFound", commit)
        if hub.elsewhere and len(data) >= LARGE and not moved:
            return self._redirect(data, commit)
        first, last = 0, len(data) - 1
        if given := self.headers.get("Range"):
            start, _, end = given.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end), last) if end else last
            if first > last:
                return self._refuse(416, "")
        self.send_response(206 if given else 200)
        self.send_header("ETag", f'"{hub.etag(data)}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if given:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return None
        body = bytes(b ^ 1 for b in data) if hub.spoil and len(data) >= LARGE else data
        for at in range(first, last + 1, 2**14):
            if hub.cuts and len(data) >= LARGE and at - first >= hub.cut:
                hub.cuts -= 1
                self.close_connection = True
                return self.wfile.flush()
            piece = body[at : min(at + 2**14, last + 1)]
            try:
                self.wfile.write(piece)
            except OSError:  # the other side has stopped
                self.close_connection = True
                return None
            hub.sent += len(piece)
            time.sleep(hub.pause)
        return None

    def _redirect(self, data: bytes, commit: str) -> None:
        self.send_response(302)
        self.send_header("Location", self.served.url.replace("127.0.0.1", "localhost") + self.path)
        self.send_header("X-Linked-ETag", f'"{_etag(data)}"')
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def _refuse(self, status: int, code: str, commit: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()
