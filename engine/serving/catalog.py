"""Catalog of well-known models on the Hugging Face hub (`catalog.toml`), and which of them this host offers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from engine.errors import ModelError
from engine.model import hub_name, memory
from engine.serving import config

SMALL = 700_000_000  # parameters: what a laptop runs at the speed of reading
_FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """Model of the catalog; the fields are explained in `catalog.toml`. 0, "" and () stand for what is not known."""

    name: str
    family: str
    parameters: int
    download: int = 0
    context: int = 0
    languages: tuple[str, ...] = ()
    chat: bool = False
    licence: str = ""
    gated: bool = False
    attention: Literal["all", "some"] = "all"

    @property
    def title(self) -> str:
        """Name without organisation and revision."""
        return self.name.partition("@")[0].rpartition("/")[2]

    @property
    def is_small_and_open(self) -> bool:
        """Whether it can be tried at once: without consent on the hub, on a usual laptop."""
        return not self.gated and self.parameters <= SMALL

    def memory_needed(self) -> int:
        """Bytes of its weights in the number format of this host."""
        return self.parameters * memory.BYTES_PER_NUMBER[config.current().dtype]


class _Host:
    """What is known of this server only once it runs.

    own_machine  whether all visitors so far came from the machine it runs on; None before the first
    """

    own_machine: bool | None = None


def note_visitor(own_machine: bool) -> None:
    """Note whether a visitor uses the machine of the server: what the setting `catalog` = auto depends on.

    One visitor from elsewhere is enough for the server to count as public, until it is started again.
    """
    _Host.own_machine = own_machine and _Host.own_machine is not False


@cache
def models() -> tuple[CatalogModel, ...]:
    """All models of the catalog, in its order."""
    entries = tomllib.loads(_FILE.read_text("utf-8"))["model"]
    return tuple(CatalogModel(**entry | {"languages": tuple(entry["languages"])}) for entry in entries)


def offered() -> tuple[CatalogModel, ...]:
    """Models that the configuration offers to every visitor: none on a public demo."""
    settings = config.current()
    extent = settings.catalog
    if extent == "auto":
        extent = "small" if _Host.own_machine else "off"
    if settings.demo or extent == "off":
        return ()
    return tuple(model for model in models() if extent == "all" or model.is_small_and_open)


def offers(name: str) -> bool:
    """Whether a name is one of the offered models, at any revision."""
    asked = hub_name.split(name)
    return asked is not None and any(asked.id == _repository(model) for model in offered())


def find(name: str) -> CatalogModel | None:
    """Entry of a model, at whatever revision; None for a model that is not in the catalog."""
    asked = hub_name.split(name)
    return next((model for model in models() if asked is not None and asked.id == _repository(model)), None)


def families(chosen: Iterable[CatalogModel]) -> dict[str, list[CatalogModel]]:
    """Models by family, in the order of the catalog."""
    found: dict[str, list[CatalogModel]] = {}
    for model in chosen:
        found.setdefault(model.family, []).append(model)
    return found


def lacks_memory(model: CatalogModel) -> ModelError | None:
    """Why this machine has no room for a model now; None if it has."""
    try:
        memory.check_memory(model.name, model.memory_needed())
    except ModelError as error:
        return error
    return None


def is_downloaded(name: str) -> bool:
    """Whether all files of a model are in the cache of the hub."""
    from engine.model import hub  # imports huggingface_hub

    return hub.is_downloaded(name)


def _repository(model: CatalogModel) -> str:
    return model.name.partition("@")[0]
