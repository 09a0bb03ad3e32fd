"""JSON serialization of traces: human-readable output, and validated parsing of untrusted input.

{
  "format": "next-token trace", "version": 1,
  "model": "bundled", "fingerprint": "h4-sQS-L", "prompt": "今天天氣真", "text": "今天天氣真好",
  "settings": {"temperature": 0.8, …}, "strategy": "sample", "seed": 7,
  "prompt_length": 3, "cursor": 3,
  "choices": [{"parent": -1, "token_id": 5, "text": "今天", "how": "prompt", "next": 1}, …]
}

`choices` is the tree of `trace.Trace`, one node a line; `next` is the child visited last, or null. The texts are for
human readers; parsing uses the token ids alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, NoReturn

from engine.errors import EngineError, TraceError
from engine.sampling.settings import Settings
from engine.trace.trace import MAX_CHOICES, Choice, Trace

if TYPE_CHECKING:
    from engine.model.model import Model

FORMAT, VERSION = "next-token trace", 1
MAX_BYTES = 2_000_000
_MAX_TEXT_CHARACTERS = 200_000  # of any string
_KEYS: dict[str, type] = {
    "format": str, "version": int, "model": str, "fingerprint": str, "prompt": str, "text": str, "settings": dict,
    "strategy": str, "seed": int, "prompt_length": int, "cursor": int, "choices": list,
}  # fmt: skip
_CHOICE_KEYS: dict[str, Any] = {"parent": int, "token_id": int, "text": str, "how": str, "next": (int, type(None))}


def to_json(model: Model, trace: Trace) -> str:
    """JSON of a trace, one choice a line. The model decodes the token ids."""
    pieces = _pieces(model, trace)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "model": trace.model,
        "fingerprint": trace.fingerprint,
        "prompt": model.text(trace.token_ids(trace.prompt_length - 1)),
        "text": model.text(trace.token_ids()),
        "settings": asdict(trace.settings),
        "strategy": trace.strategy,
        "seed": trace.seed,
        "prompt_length": trace.prompt_length,
        "cursor": trace.cursor,
    }
    choices = [
        {"parent": c.parent, "token_id": c.token_id, "text": pieces[i], "how": c.how, "next": trace.latest.get(i)}
        for i, c in enumerate(trace.choices)
    ]
    lines = [f"  {_json(key)}: {_json(value)}," for key, value in header.items()]
    rows = ",\n".join(f"    {_json(choice)}" for choice in choices)
    return "\n".join(["{", *lines, '  "choices": [', rows, "  ]", "}"]) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _pieces(model: Model, trace: Trace) -> dict[int, str]:
    """Display text of each choice, decoded in the context of its branch.

    A token shared by several branches can read differently in each of them (a character may span several tokens); the
    text of `trace.line()` takes precedence.
    """
    inner = {choice.parent for choice in trace.choices}
    pieces: dict[int, str] = {}
    for leaf in (trace.line()[-1], *(i for i in range(len(trace.choices)) if i not in inner)):
        if leaf not in pieces:
            for i, piece in zip(trace.path(leaf), model.pieces(trace.token_ids(leaf)), strict=True):
                pieces.setdefault(i, piece)
    return pieces


def from_json(data: str | bytes) -> Trace:
    """Trace from JSON, validated by `Trace.check`; `Trace.fits` checks it against a model.

    Raises TraceError `trace_size`, `trace_version` or `trace`, and no other exception for any input.
    """
    if len(data) > MAX_BYTES:
        raise TraceError("trace_size", f"{len(data)} bytes", most=f"{MAX_BYTES // 1_000_000} MB")
    try:
        # Windows editors save "Unicode", which is UTF-16. `json.loads` would take lone surrogates from bytes.
        text = data.decode(json.detect_encoding(data)) if isinstance(data, bytes) else data.removeprefix("\ufeff")
        document = json.loads(text, parse_constant=_reject_constant, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:  # not Unicode, not JSON, or nested too deeply
        raise TraceError("trace", f"invalid JSON: {type(error).__name__}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TraceError("trace", "JSON of another format")
    version = document.get("version")
    if type(version) is int and version > VERSION:
        raise TraceError("trace_version", "a later version")
    if version != VERSION:
        raise TraceError("trace", "the version")
    _check_fields(document, _KEYS)
    return _trace(document).check()


def _trace(document: dict[str, Any]) -> Trace:
    choices: list[Choice] = []
    latest: dict[int, int] = {}
    if len(document["choices"]) > MAX_CHOICES:
        raise TraceError("trace_size", "too many choices", most=f"{MAX_CHOICES:,}")
    for index, choice in enumerate(document["choices"]):
        _check_fields(choice, _CHOICE_KEYS)
        choices.append(Choice(choice["parent"], choice["token_id"], choice["how"]))
        if choice["next"] is not None:
            latest[index] = choice["next"]
    return Trace(
        document["model"], tuple(choices), document["prompt_length"], document["cursor"],
        _settings(document["settings"]), document["strategy"], document["seed"], latest, document["fingerprint"],
    )  # fmt: skip


def _settings(values: dict[str, Any]) -> Settings:
    if set(values) != {field.name for field in fields(Settings)}:
        raise TraceError("trace", "settings")
    try:
        return Settings(**values)
    except EngineError as error:
        raise TraceError("trace", f"the setting {error.code}") from None


def _check_fields(values: Any, types: dict[str, Any]) -> None:
    """Raise TraceError(`trace`) unless `values` is a dict of exactly these keys and types, with bounded strings.

    A bool is not accepted as an int.
    """
    if not isinstance(values, dict) or set(values) != set(types):
        raise TraceError("trace", "names of fields")
    for key, expected in types.items():
        value = values[key]
        if not isinstance(value, expected) or isinstance(value, bool):
            raise TraceError("trace", f"the field {key}")
        if isinstance(value, str) and len(value) > _MAX_TEXT_CHARACTERS:
            raise TraceError("trace", f"the text {key} is too long")


def _reject_constant(name: str) -> NoReturn:
    """`parse_constant` of `json.loads`: NaN and the infinities are not JSON."""
    raise ValueError(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """`object_pairs_hook` of `json.loads` that rejects duplicate keys."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("duplicate key")
    return values
