"""A trace as a short text that a link can carry, and back: `encode_trace`, `decode_trace`.

The text holds what a person did and nothing that a model computed, so any process can replay it. Version 1, in order:

    version, flags     whether tokens are drawn, whether the model is named, whether its fingerprint is there
    model              its name, unless it is the bundled one; six bytes of fingerprint
    seed, settings     which settings are not the default ones, then those, exactly
    lengths            of the prompt and of what was chosen after it; how far the cursor stands from the end
    runs               choices that follow one another and came the same way: how, how many, after which choice
    latest             where the way looked at last is not the one that came last
    token ids          all with the same number of bits
    checksum           CRC-32, as in every such text (`packing.py`)

One trace has one text, and only that text is taken for it. A text is a stranger's: it is either what was written here
or refused with TraceError, before anything larger than itself is allocated.

`encode_text` does the same for a prompt and what was written after it, as characters: for a model that is not at hand,
whose token ids nobody here can read.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import fields

from engine.bundled import BUNDLED_NAME
from engine.errors import SettingsError, TraceError
from engine.sampling.settings import RANGES, Settings, Strategy, TokenOrigin
from engine.trace.byte_packing import DecodeError, Reader, Writer
from engine.trace.trace import MOST_SEED, Choice, Trace

VERSION = 1
MOST_TOKENS = 4_096  # of a trace in a link; a recording in a file may hold more
MOST_CHARACTERS = 65_536  # of an encoded text
MOST_NAME = 1_024  # bytes of a model's name
MOST_TEXT = 200_000  # bytes of a prompt and what follows it
_HOWS: tuple[TokenOrigin, ...] = ("greedy", "drawn", "hand")
_DRAWN, _NAMED, _FINGERPRINT = 1, 2, 4
_NAMES = tuple(field.name for field in fields(Settings))


def encode_trace(trace: Trace) -> str:
    """The trace in letters that a URL takes as they are; about 2.4 for each token of the bundled model.

    Raises TraceError: `trace_size` for more than MOST_TOKENS tokens, `trace` for what is no trace.
    """
    if len(trace.choices) > MOST_TOKENS:
        count = len(trace.choices)
        raise TraceError("trace_size", f"{count} tokens", most=f"{MOST_TOKENS:,}")
    trace.check()
    out = Writer()
    out.byte(VERSION)
    named = trace.model != BUNDLED_NAME
    out.byte(_DRAWN * (trace.strategy == "sample") | _NAMED * named | _FINGERPRINT * bool(trace.fingerprint))
    if named:
        out.text(trace.model)
    if trace.fingerprint:
        out.bytes += base64.urlsafe_b64decode(trace.fingerprint)
    out.number(trace.seed)
    _write_settings(out, trace.settings)
    out.number(trace.prompt_length)
    out.number(len(trace.choices) - trace.prompt_length)
    out.number(len(trace.choices) - 1 - trace.cursor)
    _write_runs(out, trace)
    _write_latest(out, trace)
    out.packed([choice.token_id for choice in trace.choices])
    return out.url()


def decode_trace(text: str) -> Trace:
    """The trace that a text holds.

    Raises TraceError: `trace` for one that was changed or never was such a text, `trace_version` for one that a
    newer version of this engine wrote.
    """
    try:
        reader = _open(text)
        trace = _read(reader)
        if encode_trace(trace) != text:  # which also checks that it is a trace
            raise DecodeError("another text of the same trace")
    except (DecodeError, SettingsError) as error:
        raise TraceError("trace", f"not a trace: {error}") from error
    return trace


def encode_text(prompt: str, written: str) -> str:
    """A prompt and what was written after it, whichever of a few ways is the shortest.

    Raises TraceError: `trace_size`, or `trace` for half a character.
    """
    try:
        plain = [(kind, (prompt + written).encode(code)) for kind, code in enumerate(_CODES)]
    except UnicodeEncodeError as error:
        raise TraceError("trace", "half a character") from error
    if max(len(data) for _, data in plain) > MOST_TEXT:
        raise TraceError("trace_size", "too long a text", most=f"{MOST_TEXT // 4:,}")
    small = [(kind + len(_CODES), zlib.compress(data, 9, -15)) for kind, data in plain]
    kind, data = min(plain + small, key=lambda way: len(way[1]))
    out = Writer()
    out.byte(VERSION)
    out.byte(kind)
    out.number(len(prompt))
    out.bytes += data
    return out.url()


def decode_text(text: str) -> tuple[str, str]:
    """The prompt and what was written after it. Raises TraceError as `decode_trace`."""
    try:
        reader = _open(text)
        kind, length, data = reader.byte(), reader.number(MOST_TEXT), reader.rest()
        if kind >= len(_CODES):
            kind -= len(_CODES)
            inflate = zlib.decompressobj(-15)
            data = inflate.decompress(data, MOST_TEXT + 1)
            if not inflate.eof or inflate.unused_data or len(data) > MOST_TEXT:
                raise DecodeError("not a text")
        if kind >= len(_CODES):
            raise DecodeError("not a way to write a text")
        whole = data.decode(_CODES[kind])
        if length > len(whole):
            raise DecodeError("a prompt longer than the text")
    except (DecodeError, UnicodeDecodeError, zlib.error) as error:
        raise TraceError("trace", f"not a text: {error}") from error
    return whole[:length], whole[length:]


_CODES = ("utf-8", "utf-16-be")  # two bytes a Chinese character instead of three


def _open(text: str) -> Reader:
    reader = Reader(text, MOST_CHARACTERS)
    version = reader.byte()
    if version > VERSION:
        raise TraceError("trace_version", f"version {version} is newer than {VERSION}")
    if version < VERSION:
        raise DecodeError("no such version")
    return reader


def _read(reader: Reader) -> Trace:
    flags = reader.byte()
    model = reader.text(MOST_NAME) if flags & _NAMED else BUNDLED_NAME
    fingerprint = base64.urlsafe_b64encode(reader.take(6)).decode() if flags & _FINGERPRINT else ""
    seed = reader.number(MOST_SEED)
    settings = _read_settings(reader)
    prompt_length = reader.number(MOST_TOKENS)
    count = prompt_length + reader.number(MOST_TOKENS - prompt_length)
    if not prompt_length or count > 8 * len(reader.bytes):  # a token takes a bit at least
        raise DecodeError("more tokens than there is room for")
    cursor = count - 1 - reader.number(count - 1)
    after = _read_runs(reader, prompt_length, count)
    latest = _read_latest(reader, [parent for parent, _ in after])
    ids = reader.packed(count)
    choices = tuple(Choice(parent, token_id, how) for (parent, how), token_id in zip(after, ids, strict=True))
    strategy: Strategy = "sample" if flags & _DRAWN else "greedy"
    return Trace(model, choices, prompt_length, cursor, settings, strategy, seed, latest, fingerprint)


def _write_settings(out: Writer, settings: Settings) -> None:
    plain = Settings()
    changed = [name for name in _NAMES if repr(float(getattr(settings, name))) != repr(float(getattr(plain, name)))]
    out.byte(sum(1 << _NAMES.index(name) for name in changed))
    for name in changed:
        value = getattr(settings, name)
        if isinstance(RANGES[name][0], int):
            out.number(value)
        else:
            out.float(value)


def _read_settings(reader: Reader) -> Settings:
    mask = reader.byte()
    values: dict[str, float] = {}
    for index, name in enumerate(_NAMES):
        if mask >> index & 1:
            whole = isinstance(RANGES[name][0], int)
            values[name] = reader.number(int(RANGES[name][1])) if whole else reader.float()
    return Settings(**values)  # type: ignore[arg-type]


def _write_runs(out: Writer, trace: Trace) -> None:
    at = trace.prompt_length
    while at < len(trace.choices):
        parent, _, how = trace.choices[at]
        end = at + 1
        while end < len(trace.choices) and trace.choices[end].parent == end - 1 and trace.choices[end].how == how:
            end += 1
        jumps = parent != at - 1
        out.number(_HOWS.index(how) + 3 * jumps + 6 * (end - at - 1))
        if jumps:
            out.number(at - 2 - parent)
        at = end


def _read_runs(reader: Reader, prompt_length: int, count: int) -> list[tuple[int, TokenOrigin]]:
    """What each choice follows, and how it came."""
    after: list[tuple[int, TokenOrigin]] = [(i - 1, "prompt") for i in range(prompt_length)]
    while (at := len(after)) < count:
        length, kind = divmod(reader.number(6 * (count - at) - 1), 6)
        jumps, how = divmod(kind, 3)
        parent = at - 2 - reader.number(at - 2) if jumps and at > 1 else at - 1
        after.append((parent, _HOWS[how]))
        after += [(i - 1, _HOWS[how]) for i in range(at + 1, at + 1 + length)]
    return after


def _last_children(parents: list[int]) -> dict[int, int]:
    return {parent: i for i, parent in enumerate(parents) if parent >= 0}


def _write_latest(out: Writer, trace: Trace) -> None:
    last = _last_children([choice.parent for choice in trace.choices])
    others = [node for node in sorted(last) if trace.latest.get(node) != last[node]]
    out.number(len(others))
    before = 0
    for node in others:
        out.number(node - before)
        out.number(last[node] - trace.latest[node] if node in trace.latest else 0)
        before = node


def _read_latest(reader: Reader, parents: list[int]) -> dict[int, int]:
    latest = last = _last_children(parents)
    count = reader.number(len(last))
    if count:
        latest = dict(last)
    node = 0
    for _ in range(count):
        node += reader.number(len(parents))
        if node not in last:
            raise DecodeError("nothing follows that choice")
        back = reader.number(last[node])
        if back:
            latest[node] = last[node] - back
        else:
            latest.pop(node, None)
    return latest
