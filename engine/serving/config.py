"""Host configuration: typed, validated and frozen settings from the environment, a TOML file, or defaults.

Precedence: the environment variable (`ENGINE_TREE_MB=256`), the TOML file (`tree_mb = 256`), the default below. The
file is the one named by `ENGINE_CONFIG`, else `engine.toml` in the working directory if it exists. `python -m engine
config` prints every setting with its value, origin and meaning. Nothing is enforced here: `admission.py` enforces the
limits, `allowed_models.py` decides on models.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from engine.errors import EngineError
from engine.remote.endpoint import Endpoint, parse_endpoints

PREFIX = "ENGINE_"
FILE_VARIABLE = "ENGINE_CONFIG"
FILE = "engine.toml"
Parser = Callable[[Any], Any]  # raw value from the environment or the file -> value; ValueError states what is valid


class ConfigError(EngineError):
    """An invalid setting; the message names the setting, its origin and the valid values. Code `config`."""

    def __init__(self, setting: str, where: str, problem: str) -> None:
        super().__init__("config", f"{setting} ({where}) {problem}", setting=setting, where=where)


def _integer(low: int) -> Parser:
    """Parser of an integer of at least `low`."""

    def parse(raw: Any) -> int:
        text = str(raw).strip()
        if isinstance(raw, bool) or not (text.isascii() and text.isdecimal()) or int(text) < low:
            raise ValueError(f"must be a whole number from {low} up, not {raw!r}")
        return int(text)

    return parse


def _boolean(raw: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    value = words.get(str(raw).strip().lower())
    if value is None:
        raise ValueError(f"must be true or false, not {raw!r}")
    return value


def _choice(*values: str) -> Parser:
    """Parser of one of some words."""

    def parse(raw: Any) -> str:
        text = str(raw).strip().lower()
        if text not in values:
            raise ValueError(f"must be {' or '.join(values)}, not {raw!r}")
        return text

    return parse


def _patterns(raw: Any) -> tuple[str, ...]:
    """A list of strings, or a comma-separated string."""
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"must be a list of names or patterns, not {raw!r}")
    return tuple(part.strip() for part in parts if part.strip())


def _address(raw: Any) -> str:
    """`HOST:PORT` from an address or a port alone (127.0.0.1); "" from false, an empty string or `off`."""
    text = "" if isinstance(raw, bool) and not raw else str(raw).strip()
    if text.lower() in ("", "off"):
        return ""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536) or re.search(r"[\s/]", host):
        raise ValueError(f"must be off, a port, or an address with a port such as 127.0.0.1:9101, not {raw!r}")
    return f"{host or '127.0.0.1'}:{port}"


def _setting(default: Any, parse: Parser, meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. For limits that may be 0, 0 means unlimited, but for `classrooms`."""

    models: tuple[str, ...] = _setting(
        (), _patterns, "models that may be loaded besides the bundled one: names or patterns, * for any model"
    )
    catalog: Literal["auto", "off", "small", "all"] = _setting(
        "auto",
        _choice("auto", "off", "small", "all"),
        "well-known models that visitors may load as well: small (and free), all, off; auto: small, if only this "
        "machine can reach the server",
    )
    prompt_tokens: int = _setting(
        0, _integer(0), "maximum prompt length in tokens; 0: limited only by the model's context"
    )
    run_tokens: int = _setting(100, _integer(1), "maximum new tokens per text in one run, beam search or comparison")
    tree_mb: int = _setting(512, _integer(1), "maximum size of each model's prefix cache in megabytes")
    steps_per_minute: int = _setting(3000, _integer(0), "maximum model steps per session and minute; 0: unlimited")
    sessions: int = _setting(
        100, _integer(0), "maximum concurrent sessions; further visitors are asked to try again later; 0: unlimited"
    )
    classrooms: int = _setting(20, _integer(0), "maximum classrooms open at the same time; 0: no classrooms")
    classroom_members: int = _setting(60, _integer(1), "maximum members of a classroom, the teacher not counted")
    classroom_minutes: int = _setting(180, _integer(1), "minutes after which a classroom ends with everything in it")
    classroom_file: str = _setting(
        "",
        lambda raw: str(raw).strip(),
        "a file for classrooms, to share them among several processes on one machine; empty: in this process's memory",
    )
    demo: bool = _setting(False, _boolean, "only the app's own examples and lessons; no other prompts or models")
    dtype: Literal["float32", "bfloat16", "auto"] = _setting(
        "float32",
        _choice("float32", "bfloat16", "auto"),
        "number format of models besides the bundled one; bfloat16: half the memory; auto: the faster one here",
    )
    device: Literal["auto", "cpu"] = _setting(
        "auto",
        _choice("auto", "cpu"),
        "what computes models besides the bundled one; auto: a GPU or Apple's chip that PyTorch can use, else the CPU",
    )
    endpoints: tuple[Endpoint, ...] = _setting(
        (), parse_endpoints, "servers whose models visitors may use: tables with name, url and more, see the template"
    )
    endpoint_gguf: str = _setting(
        "", lambda raw: str(raw).strip(), "a GGUF file that llama.cpp serves within this process, as one more endpoint"
    )
    log_prompts: bool = _setting(
        False, _boolean, "whether logs may contain what users typed, and messages that may quote it"
    )
    metrics: str = _setting("", _address, "address for Prometheus metrics, e.g. 127.0.0.1:9101; off: not served")
    status: bool = _setting(False, _boolean, "a page with the same metrics in the app, visible to every visitor")

    @property
    def tree_bytes(self) -> int:
        """`tree_mb` in bytes."""
        return self.tree_mb * 2**20


@dataclass(frozen=True, slots=True)
class ConfigWithOrigins:
    """A configuration with the origin of each value: a variable, `FILE, line N`, or `default`."""

    config: Config
    origins: dict[str, str]


def variable(name: str) -> str:
    """Name of the environment variable of a setting."""
    return PREFIX + name.upper()


def current() -> Config:
    """Configuration of this process. Raises ConfigError."""
    return load_config().config


def load_config() -> ConfigWithOrigins:
    """Configuration of this process with the origins of its values. Raises ConfigError.

    The environment is read at every call; the result is cached for each environment and working directory, so the file
    is read only once.
    """
    environment = tuple((key, value) for key, value in os.environ.items() if key.startswith(PREFIX))
    return _read(environment, Path.cwd())


@lru_cache(maxsize=16)
def _read(environment: tuple[tuple[str, str], ...], folder: Path) -> ConfigWithOrigins:
    variables = dict(environment)
    names = {f.name for f in fields(Config)}
    _reject_misspelt(variables, {FILE_VARIABLE, *(variable(name) for name in names)})
    path = folder / (variables.get(FILE_VARIABLE) or FILE)
    file, lines = _read_file(path, FILE_VARIABLE in variables)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in file:
        if name not in names:
            raise ConfigError(name, f"{path}, {lines[name]}", f"is not a setting{_suggestion(name, names)}")
    for f in fields(Config):
        name, parse = f.name, f.metadata["parse"]
        if (raw := variables.get(variable(name))) is not None:
            values[name], origins[name] = _value(parse, raw, variable(name), "environment"), variable(name)
        elif name in file:
            where = f"{path}, {lines[name]}"
            values[name], origins[name] = _value(parse, file[name], name, where), where
        else:
            origins[name] = "default"
    return ConfigWithOrigins(Config(**values), origins)


def _value(parse: Parser, raw: Any, setting: str, where: str) -> Any:
    try:
        return parse(raw)
    except ValueError as error:
        raise ConfigError(setting, where, str(error)) from None


def _read_file(path: Path, required: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """(values of a TOML file, `line N` of each name); both empty for a missing file that is not required."""
    if not path.is_file():
        if required:
            raise ConfigError(FILE_VARIABLE, "environment", f"names a file that does not exist: {path}")
        return {}, {}
    try:
        text = path.read_text("utf-8")
        values = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("configuration file", str(path), f"cannot be read: {error}") from None
    lines = dict.fromkeys(values, "somewhere")
    for number, line in enumerate(text.splitlines(), 1):
        name = re.split(r"[=\]\s]", line.strip().lstrip("["))[0].strip("\"'")
        if lines.get(name) == "somewhere":
            lines[name] = f"line {number}"
    return values, lines


def _reject_misspelt(variables: dict[str, str], known: set[str]) -> None:
    """Raise ConfigError for a variable that resembles a known one; other `ENGINE_` variables may belong to others."""
    for name in variables:
        if name not in known and (hint := _suggestion(name, known)):
            raise ConfigError(name, "environment", f"is not a setting{hint}")


def _suggestion(name: str, known: set[str]) -> str:
    """`; did you mean X?` for the most similar known name; "" if none is similar."""
    similar = difflib.get_close_matches(name, known, 1, 0.8)
    return f"; did you mean {similar[0]}?" if similar else ""


def as_rows(loaded: ConfigWithOrigins) -> list[dict[str, Any]]:
    """Name, variable, value, origin and meaning of each setting, as JSON values."""
    return [
        {
            "name": f.name,
            "variable": variable(f.name),
            "value": _as_json(getattr(loaded.config, f.name)),
            "origin": loaded.origins[f.name],
            "says": f.metadata["meaning"],
        }
        for f in fields(Config)
    ]


def _as_json(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return [asdict(part) if isinstance(part, Endpoint) else part for part in value]


def as_text(loaded: ConfigWithOrigins) -> str:
    """Listing for a terminal: each setting with its value and origin, its meaning on the next line."""
    lines = []
    for row in as_rows(loaded):
        value = getattr(loaded.config, row["name"])
        lines += [
            f"{row['name']} = {_format_value(value)}   [{row['origin']}]",
            f"    {row['says']}  ({row['variable']})",
        ]
    return "\n".join(lines)


def _format_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value) or "off"
