"""Readable links: prompt, settings and seed as parameters that can be written by hand. No Streamlit here.

    prompt   the prompt; given several times: the first is the prompt, and all are offered as examples
    prompts  the same in one parameter, separated by `|`
    T        the temperature, also `temperature`
    …        every other field of `Settings` under its own name; `strategy` (`sample` or `greedy`), `seed`

`bars` and `tokens` are read by `TextState.from_query`. Names may be in any case. A link that holds a trace (`t`), its
text or a checksum was written by the app, and none of its parameters is read here. A prompt may be any text, so it is
taken as it is, without the cleaning of `QueryParams`; `write` ends in a number, where a chat's mark does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import NamedTuple
from urllib.parse import quote

from engine.sampling.settings import NEXT_TOKEN_STRATEGIES, RANGES, Settings, Strategy
from engine.trace.byte_packing import has_checksum
from engine.trace.trace import MAX_SEED
from pages.session.offered_settings import SLIDERS
from pages.session.query_params import CHECK, QueryParams, clean_name

_SETTINGS = tuple(field.name for field in fields(Settings))
_NAMES = frozenset((*_SETTINGS, "strategy", "seed"))
_TEXTS = ("prompt", "prompts")
_SEPARATOR = re.compile(r"[|｜]")
_SHORTEST_TRACE = 12  # characters; every trace has more


class Texts(NamedTuple):
    """Texts of a link: the prompt, None if there is none, and the list of prompts, () if there is none."""

    prompt: str | None
    prompts: tuple[str, ...]


def split(query: Mapping[str, Sequence[str]]) -> tuple[Texts, dict[str, str]]:
    """The texts of a query, by names with all their values, and its other parameters as `QueryParams` takes them.

    >>> split({"Prompt": ["one", "two"], "T": ["0.7"]})
    (Texts(prompt='one', prompts=('one', 'two')), {'temperature': '0.7'})
    >>> split({"prompts": ["A|B"]})
    (Texts(prompt='A', prompts=('A', 'B')), {})
    """
    rest: dict[str, str] = {}
    if any(_is_of_the_app(name, value) for name, values in query.items() for value in values):
        return Texts(None, ()), {name: values[-1] for name, values in query.items() if values}
    found: dict[str, list[str]] = {name: [] for name in _TEXTS}
    for name, values in query.items():
        known = clean_name(name)
        for value in values:
            if known in _TEXTS and not has_checksum("".join(value.split())):
                found[known].append(value)
            else:
                rest["temperature" if known == "t" else name] = value
    prompts = [part for value in found["prompts"] for part in _SEPARATOR.split(value)]
    if len(found["prompt"]) > 1:
        prompts = found["prompt"] + prompts
    prompts = [text for text in dict.fromkeys(prompts) if text.strip()]
    first = found["prompt"][0] if found["prompt"] else prompts[0] if prompts else None
    return Texts(first, tuple(prompts)), rest


def _is_of_the_app(name: str, value: str) -> bool:
    known = clean_name(name)
    return known in (CHECK, "text") or (known == "t" and not _is_temperature(name, value))


def _is_temperature(name: str, value: str) -> bool:
    """Whether the parameter `t` or `T` is the temperature instead of a trace."""
    params = QueryParams({"t": value})
    return params.number("t", *RANGES["temperature"], -1.0) >= 0 or (name == "T" and len(value) < _SHORTEST_TRACE)


def has_settings(params: QueryParams) -> bool:
    """Whether a link without a trace sets something that `read` reads."""
    return CHECK not in params and "t" not in params and any(name in params for name in _NAMES)


def read(params: QueryParams, first: Settings, seed: int) -> tuple[Settings, Strategy, int]:
    """Settings, strategy and seed; `first` and `seed` for what is absent, cannot be read or is not offered here."""
    values: dict[str, float] = {}
    for name in _SETTINGS:
        low, high, _ = SLIDERS[name]
        otherwise = getattr(first, name)
        values[name] = (
            params.whole(name, int(low), int(high), otherwise)
            if isinstance(low, int)
            else params.number(name, low, high, otherwise)
        )
    settings = replace(first, **values)  # type: ignore[arg-type]
    return settings, params.one_of("strategy", NEXT_TOKEN_STRATEGIES, "sample"), params.whole("seed", 0, MAX_SEED, seed)


def write(prompts: Sequence[str], settings: Settings, first: Settings, strategy: Strategy, seed: int) -> str:
    """Query of a readable link; settings that equal those of `first` are left out, except for the temperature.

    >>> write(["one &"], Settings(temperature=0.7), Settings(), "sample", 3)
    'prompt=one+%26&T=0.7&seed=3'
    """
    parts = [f"prompt={_quoted(text)}" for text in prompts]
    if strategy == "greedy":
        parts.append("strategy=greedy")
    else:
        parts.append(f"T={_number(settings.temperature)}")
    for name in _SETTINGS[1:]:
        if getattr(settings, name) != getattr(first, name):
            parts.append(f"{name}={_number(getattr(settings, name))}")
    return "&".join([*parts, f"seed={seed}"])


def _number(value: float) -> str:
    """A number as `QueryParams.number` reads it, with at most six decimals."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    """A text for a query: letters and digits of all scripts stay readable, all else is percent-encoded."""
    quoted = (c if c.isalnum() else "+" if c == " " else quote(c, safe="", errors="replace") for c in text)
    return "".join(quoted)
