"""Codec between traces and short URL-safe strings for links: `encode_trace`, `decode_trace`.

The string contains the user's choices and no model output, so any process can replay it. Format version 1, in order:

    version, flags     whether tokens are drawn, whether a model name follows, whether a fingerprint follows
    model              its name, unless it is the bundled one; six bytes of fingerprint
    seed, settings     bit mask of the settings that differ from the defaults, then their exact values
    lengths            number of prompt tokens, number of tokens after them, distance of the cursor from the last choice
    runs               chains of choices of the same origin: origin, length, parent
    latest             nodes whose last visited child is not the child created last
    token ids          all with the same number of bits
    checksum           CRC-32 (`byte_packing.py`)

The encoding is canonical: each trace has exactly one string, and no other string decodes to it. Input is untrusted:
anything that `encode_trace` did not produce raises TraceError before memory beyond the size of the input is allocated.
"""

from __future__ import annotations

import base64
from dataclasses import fields

from engine.bundled import BUNDLED_NAME
from engine.errors import SettingsError, TraceError
from engine.sampling.settings import RANGES, Settings, Strategy, TokenOrigin
from engine.trace.byte_packing import DecodeError, Reader, Writer
from engine.trace.link_format import MAX_CHARACTERS, VERSION, open_reader
from engine.trace.text_codec import MAX_TEXT_BYTES, decode_text, encode_text
from engine.trace.trace import MAX_SEED, Choice, Trace

__all__ = [
    "MAX_CHARACTERS", "MAX_NAME_BYTES", "MAX_TEXT_BYTES", "MAX_TOKENS", "VERSION",
    "decode_text", "decode_trace", "encode_text", "encode_trace",
]  # fmt: skip

MAX_TOKENS = 4_096  # of a trace in a link; a trace in a file may have more
MAX_NAME_BYTES = 1_024  # of a model's name
_ORIGINS: tuple[TokenOrigin, ...] = ("greedy", "drawn", "hand")  # numbered as in the format
_DRAWN, _NAMED, _FINGERPRINT = 1, 2, 4  # flags
_SETTING_NAMES = tuple(field.name for field in fields(Settings))


def encode_trace(trace: Trace) -> str:
    """URL-safe string of a trace, about 2.4 characters a token for the bundled model.

    Raises TraceError: `trace_size` for more than MAX_TOKENS tokens, `trace` for an invalid trace.
    """
    if len(trace.choices) > MAX_TOKENS:
        count = len(trace.choices)
        raise TraceError("trace_size", f"{count} tokens", most=f"{MAX_TOKENS:,}")
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
    """Trace of a string by `encode_trace`.

    Raises TraceError: `trace` for invalid or altered input, `trace_version` for a newer version of the format.
    """
    try:
        reader = open_reader(text)
        trace = _read(reader)
        if encode_trace(trace) != text:  # also validates the trace
            raise DecodeError("not the canonical encoding")
    except (DecodeError, SettingsError) as error:
        raise TraceError("trace", f"invalid trace: {error}") from error
    return trace


def _read(reader: Reader) -> Trace:
    flags = reader.byte()
    model = reader.text(MAX_NAME_BYTES) if flags & _NAMED else BUNDLED_NAME
    fingerprint = base64.urlsafe_b64encode(reader.take(6)).decode() if flags & _FINGERPRINT else ""
    seed = reader.number(MAX_SEED)
    settings = _read_settings(reader)
    prompt_length = reader.number(MAX_TOKENS)
    count = prompt_length + reader.number(MAX_TOKENS - prompt_length)
    if not prompt_length or count > 8 * len(reader.bytes):  # a token takes at least one bit
        raise DecodeError("more tokens than the input can contain")
    cursor = count - 1 - reader.number(count - 1)
    nodes = _read_runs(reader, prompt_length, count)
    latest = _read_latest(reader, [parent for parent, _ in nodes])
    ids = reader.packed(count)
    choices = tuple(Choice(parent, token_id, how) for (parent, how), token_id in zip(nodes, ids, strict=True))
    strategy: Strategy = "sample" if flags & _DRAWN else "greedy"
    return Trace(model, choices, prompt_length, cursor, settings, strategy, seed, latest, fingerprint)


def _write_settings(out: Writer, settings: Settings) -> None:
    default = Settings()
    changed = [
        name for name in _SETTING_NAMES
        if repr(float(getattr(settings, name))) != repr(float(getattr(default, name)))  # repr: −0.0 differs from 0.0
    ]  # fmt: skip
    out.byte(sum(1 << _SETTING_NAMES.index(name) for name in changed))
    for name in changed:
        value = getattr(settings, name)
        if isinstance(RANGES[name][0], int):
            out.number(value)
        else:
            out.float(value)


def _read_settings(reader: Reader) -> Settings:
    mask = reader.byte()
    values: dict[str, float] = {}
    for index, name in enumerate(_SETTING_NAMES):
        if mask >> index & 1:
            is_int = isinstance(RANGES[name][0], int)
            values[name] = reader.number(int(RANGES[name][1])) if is_int else reader.float()
    return Settings(**values)  # type: ignore[arg-type]


def _write_runs(out: Writer, trace: Trace) -> None:
    """A run is a chain of choices of one origin: origin + 3 · (starts a branch) + 6 · (length − 1).

    A run that starts a branch is followed by the distance to its parent, as start − 2 − parent.
    """
    start = trace.prompt_length
    while start < len(trace.choices):
        parent, _, how = trace.choices[start]
        end = start + 1
        while end < len(trace.choices) and trace.choices[end].parent == end - 1 and trace.choices[end].how == how:
            end += 1
        branches = parent != start - 1
        out.number(_ORIGINS.index(how) + 3 * branches + 6 * (end - start - 1))
        if branches:
            out.number(start - 2 - parent)
        start = end


def _read_runs(reader: Reader, prompt_length: int, count: int) -> list[tuple[int, TokenOrigin]]:
    """(parent, origin) of each choice; the format is that of `_write_runs`."""
    nodes: list[tuple[int, TokenOrigin]] = [(i - 1, "prompt") for i in range(prompt_length)]
    while (start := len(nodes)) < count:
        length, kind = divmod(reader.number(6 * (count - start) - 1), 6)
        branches, origin = divmod(kind, 3)
        parent = start - 2 - reader.number(start - 2) if branches and start > 1 else start - 1
        nodes.append((parent, _ORIGINS[origin]))
        nodes += [(i - 1, _ORIGINS[origin]) for i in range(start + 1, start + 1 + length)]
    return nodes


def _last_children(parents: list[int]) -> dict[int, int]:
    """The child created last, by parent."""
    return {parent: i for i, parent in enumerate(parents) if parent >= 0}


def _write_latest(out: Writer, trace: Trace) -> None:
    """Nodes whose `latest` is not the child created last.

    Their count, then for each its distance from the previous one, and the distance from the child created last back to
    the latest one (0: no latest child).
    """
    last = _last_children([choice.parent for choice in trace.choices])
    exceptions = [node for node in sorted(last) if trace.latest.get(node) != last[node]]
    out.number(len(exceptions))
    previous = 0
    for node in exceptions:
        out.number(node - previous)
        out.number(last[node] - trace.latest[node] if node in trace.latest else 0)
        previous = node


def _read_latest(reader: Reader, parents: list[int]) -> dict[int, int]:
    """`Trace.latest`; the format is that of `_write_latest`."""
    latest = last = _last_children(parents)
    count = reader.number(len(last))
    if count:
        latest = dict(last)
    node = 0
    for _ in range(count):
        node += reader.number(len(parents))
        if node not in last:
            raise DecodeError("the choice has no child")
        distance = reader.number(last[node])
        if distance:
            latest[node] = last[node] - distance
        else:
            latest.pop(node, None)
    return latest
