"""What the host decides, in one place: typed, checked, and frozen when it is read.

A setting comes from its environment variable (`ENGINE_TREE_MB=256`), else from a TOML file (`tree_mb = 256`), else from
its default here. The file is the one that `ENGINE_CONFIG` names, else `engine.toml` in the working folder if there is
one. `python -m engine config` prints every value, where it came from and what it does. Nothing is enforced here: see
`door.py` for limits, `shared.py` for models.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import EngineError

PREFIX = "ENGINE_"
FILE_VARIABLE = "ENGINE_CONFIG"
FILE = "engine.toml"
Reader = Callable[[Any], Any]  # what the environment or the file says -> the value; ValueError: what it must be


class ConfigError(EngineError):
    """A setting of the host's is wrong; the message names it, where it stands and what it must be."""

    def __init__(self, setting: str, where: str, problem: str) -> None:
        super().__init__("config", f"{setting} ({where}) {problem}", setting=setting, where=where)


def _whole(low: int) -> Reader:
    def read(raw: Any) -> int:
        text = str(raw).strip()
        if isinstance(raw, bool) or not (text.isascii() and text.isdecimal()) or int(text) < low:
            raise ValueError(f"must be a whole number from {low} up, not {raw!r}")
        return int(text)

    return read


def _switch(raw: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    found = words.get(str(raw).strip().lower())
    if found is None:
        raise ValueError(f"must be true or false, not {raw!r}")
    return found


def _patterns(raw: Any) -> tuple[str, ...]:
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"must be a list of names or patterns, not {raw!r}")
    return tuple(part.strip() for part in parts if part.strip())


def _address(raw: Any) -> str:
    """`HOST:PORT`, a port alone (then of this machine only), or nothing or `off`."""
    text = "" if isinstance(raw, bool) and not raw else str(raw).strip()
    if text.lower() in ("", "off"):
        return ""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536) or re.search(r"[\s/]", host):
        raise ValueError(f"must be off, a port, or an address with a port such as 127.0.0.1:9101, not {raw!r}")
    return f"{host or '127.0.0.1'}:{port}"


def _setting(default: Any, read: Reader, says: str) -> Any:
    return field(default=default, metadata={"read": read, "says": says})


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting. 0 is no limit wherever a limit may be 0."""

    models: tuple[str, ...] = _setting(
        (), _patterns, "models that may be loaded besides the bundled one: names or patterns, * for any"
    )
    prompt_tokens: int = _setting(0, _whole(0), "longest prompt, in tokens; 0: as long as the model's window")
    run_tokens: int = _setting(100, _whole(1), "most tokens that one run, beam search or comparison may write a text")
    tree_mb: int = _setting(512, _whole(1), "megabytes that each model's prefix tree may hold")
    steps_per_minute: int = _setting(3000, _whole(0), "steps of the model that a session may ask for a minute; 0: any")
    sessions: int = _setting(100, _whole(0), "sessions at once; who comes later is asked to try again; 0: any")
    demo: bool = _setting(False, _switch, "only the app's own examples and lessons; no prompt or model of one's own")
    log_prompts: bool = _setting(
        False, _switch, "whether logs may hold what people typed, and messages that may quote it"
    )
    metrics: str = _setting("", _address, "address of the figures for Prometheus, e.g. 127.0.0.1:9101; off without one")
    status: bool = _setting(False, _switch, "a page of the same figures in the app, for everybody who can open the app")

    @property
    def tree_bytes(self) -> int:
        return self.tree_mb * 2**20


@dataclass(frozen=True, slots=True)
class ConfigWithOrigins:
    """A configuration, and where each of its values came from: a variable, a file and line, or `default`."""

    config: Config
    origins: dict[str, str]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def current() -> Config:
    """The configuration of this process. Raises ConfigError."""
    return load_config().config


def load_config() -> ConfigWithOrigins:
    """As `current`, with the origins. A file is read once; the environment is looked at anew. Raises ConfigError."""
    environment = tuple((key, value) for key, value in os.environ.items() if key.startswith(PREFIX))
    return _read(environment, Path.cwd())


@lru_cache(maxsize=16)
def _read(environment: tuple[tuple[str, str], ...], folder: Path) -> ConfigWithOrigins:
    given = dict(environment)
    names = {f.name for f in fields(Config)}
    _refuse_misspelt(given, {FILE_VARIABLE, *(variable(name) for name in names)})
    path = folder / (given.get(FILE_VARIABLE) or FILE)
    file, lines = _file(path, FILE_VARIABLE in given)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in file:
        if name not in names:
            raise ConfigError(name, f"{path}, {lines[name]}", f"is no setting{_nearest(name, names)}")
    for f in fields(Config):
        name, read = f.name, f.metadata["read"]
        if (raw := given.get(variable(name))) is not None:
            values[name], origins[name] = _value(read, raw, variable(name), "environment"), variable(name)
        elif name in file:
            where = f"{path}, {lines[name]}"
            values[name], origins[name] = _value(read, file[name], name, where), where
        else:
            origins[name] = "default"
    return ConfigWithOrigins(Config(**values), origins)


def _value(read: Reader, raw: Any, setting: str, where: str) -> Any:
    try:
        return read(raw)
    except ValueError as error:
        raise ConfigError(setting, where, str(error)) from None


def _file(path: Path, wanted: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """What a TOML file says, and for each name `line N`."""
    if not path.is_file():
        if wanted:
            raise ConfigError(FILE_VARIABLE, "environment", f"names a file that is not there: {path}")
        return {}, {}
    try:
        text = path.read_text("utf-8")
        said = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("configuration file", str(path), f"cannot be read: {error}") from None
    lines = dict.fromkeys(said, "somewhere")
    for number, line in enumerate(text.splitlines(), 1):
        name = re.split(r"[=\]\s]", line.strip().lstrip("["))[0].strip("\"'")
        if lines.get(name) == "somewhere":
            lines[name] = f"line {number}"
    return said, lines


def _refuse_misspelt(given: dict[str, str], known: set[str]) -> None:
    """A variable that is nearly one of ours is a slip; others with the same beginning may be somebody else's."""
    for name in given:
        if name not in known and (hint := _nearest(name, known)):
            raise ConfigError(name, "environment", f"is no setting{hint}")


def _nearest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.8)
    return f"; did you mean {near[0]}?" if near else ""


def as_rows(found: ConfigWithOrigins) -> list[dict[str, Any]]:
    """For a program: name, variable, value, origin and meaning of each setting."""
    return [
        {
            "name": f.name,
            "variable": variable(f.name),
            "value": getattr(found.config, f.name),
            "origin": found.origins[f.name],
            "says": f.metadata["says"],
        }
        for f in fields(Config)
    ]


def as_text(found: ConfigWithOrigins) -> str:
    """For a person: a setting a line, what it does below."""
    lines = []
    for row in as_rows(found):
        lines += [
            f"{row['name']} = {_format_value(row['value'])}   [{row['origin']}]",
            f"    {row['says']}  ({row['variable']})",
        ]
    return "\n".join(lines)


def _format_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value) or "off"
