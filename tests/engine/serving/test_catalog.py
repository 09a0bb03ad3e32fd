"""Catalog of well-known models: what it says, and which of them a host offers."""

from __future__ import annotations

import pytest

from engine.errors import ModelError
from engine.model import hub_name, memory
from engine.serving import catalog, model_registry

GATED, LARGE = "meta-llama/Llama-3.2-1B", "HuggingFaceTB/SmolLM3-3B"
SMALL = "EleutherAI/pythia-70m-deduped"


@pytest.fixture(autouse=True)
def nobody_was_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog._Host, "own_machine", None)


def test_every_entry_is_a_name_of_the_hub_and_stands_once() -> None:
    names = [model.name for model in catalog.models()]
    assert len(names) > 20 and len({name.partition("@")[0] for name in names}) == len(names)
    for model in catalog.models():
        assert hub_name.parse(model.name).id.count("/") == 1
        assert model.parameters > 10**6 and model.languages and model.family
        assert catalog.find(model.name) is model
    grouped = catalog.families(catalog.models())
    assert [model for members in grouped.values() for model in members] == sorted(
        catalog.models(), key=lambda model: list(grouped).index(model.family)
    )


def test_downloads_are_of_the_size_of_the_parameters() -> None:
    """Two or four bytes each, and somewhat more for buffers that are stored as well."""
    for model in catalog.models():
        if model.download:
            assert 1.9 < model.download / model.parameters < 4.5, model.name


@pytest.mark.parametrize(
    ("variables", "visitors", "small", "all_of_them"),
    [
        ({}, [], False, False),  # before the first visitor nothing is known
        ({}, [True], True, False),
        ({}, [False], False, False),
        ({}, [True, False, True], False, False),  # one visitor from elsewhere: a public server
        ({"ENGINE_CATALOG": "off"}, [True], False, False),
        ({"ENGINE_CATALOG": "small"}, [False], True, False),
        ({"ENGINE_CATALOG": "all"}, [False], True, True),
        ({"ENGINE_CATALOG": "all", "ENGINE_DEMO": "1"}, [True], False, False),
    ],
)
def test_the_host_decides_what_is_offered(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], visitors: list[bool], small: bool, all_of_them: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for own in visitors:
        catalog.note_visitor(own)
    for name, expected in ((SMALL, small), (GATED, all_of_them), (LARGE, all_of_them)):
        assert catalog.offers(name) == model_registry.allowed(name) == expected, name
    assert catalog.offers(f"{SMALL}@step1000") == model_registry.allowed(f"{SMALL}@step1000") == small
    assert not model_registry.allowed("someone/else")
    with pytest.raises(ModelError, match="allow"):
        model_registry.request("someone/else")


def test_memory_is_that_of_the_number_format(monkeypatch: pytest.MonkeyPatch) -> None:
    model = catalog.find(SMALL)
    assert model is not None
    assert model.memory_needed() == 4 * model.parameters
    monkeypatch.setenv("ENGINE_DTYPE", "bfloat16")
    assert model.memory_needed() == 2 * model.parameters


def test_what_does_not_fit_is_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 600 * 2**20)
    small, large = catalog.find(SMALL), catalog.find(LARGE)
    assert small is not None and large is not None
    assert catalog.lacks_memory(small) is None
    error = catalog.lacks_memory(large)
    assert error is not None and error.values["needs"] == "12.4 GB"
