"""Codec between a prompt with its continuation, as characters, and short URL-safe strings for links.

For a model that is not available, so that its token ids cannot be decoded.
"""

from __future__ import annotations

import zlib

from engine.errors import TraceError
from engine.trace.byte_packing import DecodeError, Writer
from engine.trace.link_format import VERSION, open_reader

MAX_TEXT_BYTES = 200_000  # of a prompt and its continuation, in either text encoding
_TEXT_ENCODINGS = ("utf-8", "utf-16-be")  # UTF-16 takes two bytes a Chinese character instead of three


def encode_text(prompt: str, written: str) -> str:
    """URL-safe string of a prompt and its continuation.

    The shortest of UTF-8 and UTF-16, each raw or compressed by DEFLATE. Raises TraceError: `trace_size`, or `trace` for
    a lone surrogate.
    """
    try:
        plain = [(kind, (prompt + written).encode(encoding)) for kind, encoding in enumerate(_TEXT_ENCODINGS)]
    except UnicodeEncodeError as error:
        raise TraceError("trace", "a lone surrogate") from error
    if max(len(data) for _, data in plain) > MAX_TEXT_BYTES:
        raise TraceError("trace_size", "the text is too long", most=f"{MAX_TEXT_BYTES // 4:,}")
    compressed = [(kind + len(_TEXT_ENCODINGS), zlib.compress(data, 9, -15)) for kind, data in plain]
    kind, data = min(plain + compressed, key=lambda encoded: len(encoded[1]))
    out = Writer()
    out.byte(VERSION)
    out.byte(kind)
    out.number(len(prompt))
    out.bytes += data
    return out.url()


def decode_text(text: str) -> tuple[str, str]:
    """(prompt, continuation) of a string by `encode_text`. Raises TraceError as `decode_trace` in `link_codec.py`."""
    try:
        reader = open_reader(text)
        kind, length, data = reader.byte(), reader.number(MAX_TEXT_BYTES), reader.rest()
        if kind >= len(_TEXT_ENCODINGS):
            kind -= len(_TEXT_ENCODINGS)
            inflate = zlib.decompressobj(-15)
            data = inflate.decompress(data, MAX_TEXT_BYTES + 1)
            if not inflate.eof or inflate.unused_data or len(data) > MAX_TEXT_BYTES:
                raise DecodeError("invalid compressed data")
        if kind >= len(_TEXT_ENCODINGS):
            raise DecodeError("an unknown text encoding")
        whole = data.decode(_TEXT_ENCODINGS[kind])
        if length > len(whole):
            raise DecodeError("the prompt is longer than the text")
    except (DecodeError, UnicodeDecodeError, zlib.error) as error:
        raise TraceError("trace", f"invalid text: {error}") from error
    return whole[:length], whole[length:]
