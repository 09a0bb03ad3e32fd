"""A trace as JSON that a person can read, and back. It may come from a stranger: nothing in it is believed.

{
  "format": "next-token trace", "version": 1,
  "model": "bundled", "fingerprint": "h4-sQS-L", "prompt": "今天天氣真", "text": "今天天氣真好",
  "settings": {"temperature": 0.8, …}, "strategy": "sample", "seed": 7,
  "prompt_length": 3, "cursor": 3,
  "choices": [{"parent": -1, "token_id": 5, "text": "今天", "how": "prompt", "next": 1}, …]
}

`choices` is the tree of `trace.Trace`, one a line; `next` is the child that was looked at last, null where there is
none. The texts are for people: reading goes by the ids alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, NoReturn

from engine.errors import EngineError, TraceError
from engine.sampling.settings import Settings
from engine.trace.trace import MOST_CHOICES, Choice, Trace

if TYPE_CHECKING:
    from engine.model.model import Model

FORMAT, VERSION = "next-token trace", 1
MOST_BYTES = 2_000_000
_LONGEST_TEXT = 200_000  # characters of a text that is only for people
_KEYS: dict[str, type] = {
    "format": str, "version": int, "model": str, "fingerprint": str, "prompt": str, "text": str, "settings": dict,
    "strategy": str, "seed": int, "prompt_length": int, "cursor": int, "choices": list,
}  # fmt: skip
_CHOICE_KEYS: dict[str, Any] = {"parent": int, "token_id": int, "text": str, "how": str, "next": (int, type(None))}


def to_json(model: Model, trace: Trace) -> str:
    """The trace as JSON. Half a character in a text (there is none in what the app shows) could not be written."""
    words = _words(model, trace)
    head = {
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
        {"parent": c.parent, "token_id": c.token_id, "text": words[i], "how": c.how, "next": trace.latest.get(i)}
        for i, c in enumerate(trace.choices)
    ]
    lines = [f"  {_json(key)}: {_json(value)}," for key, value in head.items()]
    rows = ",\n".join(f"    {_json(choice)}" for choice in choices)
    return "\n".join(["{", *lines, '  "choices": [', rows, "  ]", "}"]) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _words(model: Model, trace: Trace) -> dict[int, str]:
    """What a person reads for each choice, each way read as a whole; where they differ, as on the way that is shown."""
    followed = {choice.parent for choice in trace.choices}
    words: dict[int, str] = {}
    for end in (trace.line()[-1], *(i for i in range(len(trace.choices)) if i not in followed)):
        if end not in words:
            for i, piece in zip(trace.path(end), model.pieces(trace.token_ids(end)), strict=True):
                words.setdefault(i, piece)
    return words


def from_json(data: str | bytes) -> Trace:
    """The trace that a JSON file holds; whether its model can read it is `Trace.fits`'.

    Raises TraceError: `trace_size`, `trace_version`, `trace`, and nothing else, whatever `data` holds.
    """
    if len(data) > MOST_BYTES:
        raise TraceError("trace_size", f"{len(data)} bytes", most=f"{MOST_BYTES // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        found = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        raise TraceError("trace", f"no JSON: {type(error).__name__}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise TraceError("trace", "JSON of something else")
    version = found.get("version")
    if type(version) is int and version > VERSION:
        raise TraceError("trace_version", "a later version")
    if version != VERSION:
        raise TraceError("trace", "the version")
    _same_keys(found, _KEYS)
    return _trace(found).check()


def _trace(found: dict[str, Any]) -> Trace:
    choices: list[Choice] = []
    latest: dict[int, int] = {}
    if len(found["choices"]) > MOST_CHOICES:
        raise TraceError("trace_size", "too many choices", most=f"{MOST_CHOICES:,}")
    for index, one in enumerate(found["choices"]):
        _same_keys(one, _CHOICE_KEYS)
        choices.append(Choice(one["parent"], one["token_id"], one["how"]))
        if one["next"] is not None:
            latest[index] = one["next"]
    return Trace(
        found["model"], tuple(choices), found["prompt_length"], found["cursor"], _settings(found["settings"]),
        found["strategy"], found["seed"], latest, found["fingerprint"],
    )  # fmt: skip


def _settings(found: dict[str, Any]) -> Settings:
    if set(found) != {field.name for field in fields(Settings)}:
        raise TraceError("trace", "settings")
    try:
        return Settings(**found)
    except EngineError as error:
        raise TraceError("trace", f"the setting {error.code}") from None


def _same_keys(found: Any, keys: dict[str, Any]) -> None:
    """Exactly these keys, each with a value of its kind; True is no number here, and no text is endless."""
    if not isinstance(found, dict) or set(found) != set(keys):
        raise TraceError("trace", "names of fields")
    for key, kind in keys.items():
        value = found[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TraceError("trace", f"the field {key}")
        if isinstance(value, str) and len(value) > _LONGEST_TEXT:
            raise TraceError("trace", f"the text {key} is endless")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice")
    return found
