"""Download of single files into the cache of huggingface_hub, continued where an earlier download broke off.

A file grows in `blobs/ETAG.part`, whatever ends the download, and is moved to `blobs/ETAG` once its size and its hash
are right; `snapshot_download` then finds it there. The hub's ETag is the SHA-256 of the content, or git's SHA-1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import WeakFileLock, build_hf_headers, get_session, hf_raise_for_status, httpx

from engine.errors import ModelError
from engine.model.monitor import Monitor

_CHUNK = 2**18  # bytes between two looks at the stop
_TRIES = 5  # in a row without a single byte
_PAUSE = 0.5  # seconds before the next try, doubled each time
_BUSY = (408, 429, 500, 502, 503, 504)  # statuses after which to try again
_ETAG = re.compile(r"\w[\w.-]{0,199}", re.ASCII)  # becomes a file name


def part_bytes(storage: Path) -> int:
    """Bytes of the unfinished files of a repository."""
    return sum(path.stat().st_size for path in storage.glob("blobs/*.part"))


def fetch(repo_id: str, commit: str, path: str, storage: Path, monitor: Monitor, tell: Callable[[int], None]) -> None:
    """One file of a commit, in `blobs/` of `storage`; `tell` is called with its bytes so far.

    Raises ModelError: `stopped`, `interrupted` (what has come is kept), `changed` (its content is not what was
    announced), and the exceptions of huggingface_hub.
    """
    url = hf_hub_url(repo_id, path, revision=commit)
    metadata = get_hf_file_metadata(url, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    if metadata.commit_hash != commit or metadata.etag is None or not _ETAG.fullmatch(metadata.etag):
        raise _changed(repo_id, path)
    blob = storage / "blobs" / metadata.etag
    blob.parent.mkdir(parents=True, exist_ok=True)
    locks = storage.parent / ".locks" / storage.name
    locks.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(locks / f"{metadata.etag}.part.lock"):
        monitor.check()
        if not blob.exists():
            part = blob.with_name(f"{metadata.etag}.part")
            _continue(url, part, metadata.size, repo_id, monitor, tell)
            if not _matches(part, metadata.etag, monitor):
                part.unlink()
                raise _changed(repo_id, path)
            part.replace(blob)
    tell(blob.stat().st_size)


def _continue(
    url: str, part: Path, size: int | None, repo_id: str, monitor: Monitor, tell: Callable[[int], None]
) -> None:
    """Fill `part` up to its size, with a new request wherever one breaks off."""
    tries = 0
    if size == 0:
        part.touch()
    while size is None or not part.exists() or part.stat().st_size < size:
        before = part.stat().st_size if part.exists() else 0
        try:
            _request(url, part, before, monitor, tell)
            if size is None:
                return
        except (httpx.TransportError, HfHubHTTPError) as error:
            if isinstance(error, HfHubHTTPError) and error.response.status_code not in _BUSY:
                raise
            broken: Exception | None = error
        else:
            broken = None
        after = part.stat().st_size if part.exists() else 0
        tries = 0 if after > before else tries + 1
        if tries >= _TRIES or (size is None and broken):
            message = f"the download of {repo_id} broke off: {broken or 'too few bytes'}"
            raise ModelError("interrupted", message, name=repo_id) from broken
        if after < (size or 0):
            monitor.wait(_PAUSE * 2**tries)
    if size is not None and part.stat().st_size > size:
        part.unlink()
        raise _changed(repo_id, url)


def _request(url: str, part: Path, start: int, monitor: Monitor, tell: Callable[[int], None]) -> None:
    """Append what one request brings, from byte `start` on; from the first if the server knows no ranges."""
    headers = {**build_hf_headers(), "Accept-Encoding": "identity", "Range": f"bytes={start}-"}
    # The session follows redirects, and sends the token to no other host.
    client: Any = get_session()
    with client.stream("GET", url, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT) as response:
        if response.status_code == 416:  # the part is longer than the file
            part.unlink(missing_ok=True)
            return
        hf_raise_for_status(response)
        if response.status_code != 206:
            start = 0
        with part.open("ab") as file:
            file.truncate(start)
            file.seek(start)
            for chunk in response.iter_bytes(_CHUNK):
                file.write(chunk)
                start += len(chunk)
                tell(start)


def _matches(path: Path, etag: str, monitor: Monitor) -> bool:
    """Whether a file has the content that its ETag stands for; an ETag that is no hash says nothing."""
    kinds: dict[int, list[Any]] = {
        64: [hashlib.sha256()],
        40: [hashlib.sha1(b"blob %d\0" % path.stat().st_size), hashlib.sha1()],  # of git, and of some mirrors
    }
    digests = kinds.get(len(etag), []) if re.fullmatch(r"[0-9a-f]+", etag) else []
    with path.open("rb") as file:
        while digests and (chunk := file.read(2**20)):
            for digest in digests:
                digest.update(chunk)
            monitor.check()
    return not digests or etag in [digest.hexdigest() for digest in digests]


def _changed(repo_id: str, path: str) -> ModelError:
    return ModelError("changed", f"{path} of {repo_id} changed during the download", name=repo_id)
