"""Version and length of the strings in links, which traces (`link_codec.py`) and texts (`text_codec.py`) share."""

from __future__ import annotations

from engine.errors import TraceError
from engine.trace.byte_packing import DecodeError, Reader

VERSION = 1
MAX_CHARACTERS = 65_536  # of an encoded string


def open_reader(text: str) -> Reader:
    """Reader positioned after the version byte. Raises DecodeError, or TraceError(`trace_version`) for a newer one."""
    reader = Reader(text, MAX_CHARACTERS)
    version = reader.byte()
    if version > VERSION:
        raise TraceError("trace_version", f"version {version} is newer than {VERSION}")
    if version < VERSION:
        raise DecodeError("unknown version")
    return reader
