"""Endpoint: the address of a server and what the host says about it, from the setting `endpoints`.

Visitors never name an address. The key is in an environment variable, of which only the name is stored here.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

PREFIX = "endpoint:"  # of the names of models that endpoints compute
_TIMEOUT = 30  # seconds

_NAME = re.compile(r"[\w.+-][\w.+ -]{0,59}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_KEY = re.compile(r"[!-~]+")  # what may stand in a header


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Server and the model that it is asked for.

    name                  as visitors read it
    url                   address, without /v1
    model                 its name on the server; "" for the first that the server lists
    key                   environment variable that holds the key; "" for a server without one
    tokenizer             folder with the model's tokenizer files, for servers that do not give the bytes of tokens
    alternatives          most alternatives to ask for; 0: as many as the server gives
    timeout               seconds to wait for an answer
    requests_per_visitor  most requests a visitor and day; 0: unlimited
    requests_per_day      most requests a day; 0: unlimited
    """

    name: str
    url: str
    model: str = ""
    key: str = ""
    tokenizer: str = ""
    alternatives: int = 0
    timeout: int = _TIMEOUT
    requests_per_visitor: int = 1000
    requests_per_day: int = 20_000

    def __str__(self) -> str:
        return self.name

    @property
    def model_name(self) -> str:
        """Name of its model in this app."""
        return PREFIX + self.name

    def secret(self) -> str:
        """The key; "" without one. Raises ValueError, which does not quote it, where it cannot be sent."""
        value = os.environ.get(self.key, "") if self.key else ""
        if self.key and not _KEY.fullmatch(value):
            raise ValueError(f"the environment variable {self.key} does not hold a key")
        return value


def parse_endpoints(raw: Any) -> tuple[Endpoint, ...]:
    """Endpoints from a list of TOML tables, or of JSON objects in one string. Raises ValueError, without any value."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw) if raw.strip() else []
        except ValueError:
            raise ValueError("must be a list of endpoints in JSON") from None
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise ValueError("must be a list of tables, each with a name and a url")
    endpoints = tuple(_parse(entry) for entry in raw)
    names = [endpoint.name for endpoint in endpoints]
    if len(set(names)) < len(names):
        raise ValueError("has two endpoints of the same name")
    return endpoints


def _parse(entry: dict[str, Any]) -> Endpoint:
    known = {f.name: f.type for f in fields(Endpoint)}
    for name, value in entry.items():
        if name not in known:
            raise ValueError(f"has an entry {name!r}, which is none of {', '.join(known)}")
        whole = known[name] == "int"
        if (whole and (type(value) is not int or value < 0)) or (not whole and not isinstance(value, str)):
            raise ValueError(f"must have a {'whole number from 0 up' if whole else 'text'} as {name}")
    if not _NAME.fullmatch(entry.get("name", "")):
        raise ValueError("must have a name of letters, digits and . + - _ for every endpoint")
    if entry.get("key") and not _VARIABLE.fullmatch(entry["key"]):
        raise ValueError("must have the name of an environment variable as key, such as OPENAI_API_KEY")
    return Endpoint(**entry | {"url": _checked_url(entry.get("url", "")), "timeout": entry.get("timeout") or _TIMEOUT})


def _checked_url(url: str) -> str:
    """The address without /v1 at its end."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must have a url such as http://127.0.0.1:8080, without a user, a key or a question mark")
    return url.rstrip("/").removesuffix("/v1").rstrip("/")
