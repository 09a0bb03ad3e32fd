"""Language of the ready examples: Chinese for models that know it, English for the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bundled import BUNDLED_NAME
from engine.serving import catalog, model_registry
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell.example_language import knows_chinese
from tests import tiny
from tests.pages.visit import visit


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_tokenizer_that_takes_characters_apart_was_not_made_from_chinese(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tiny.build(family, tmp_path / family))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    model = model_registry.request(folder).result()
    sample = "".join(Translator("zh_Hant").list("step.examples.list"))
    assert len(model.encode(sample)) > 1.5 * len(sample) and not knows_chinese(model)
    english = Translator("en")
    for page, prefix, key in (
        ("step", "example", "step.examples.list"),
        ("chat", "chat example", "chat.examples"),
        ("limits", "limits example sequential", "limits.sequential.examples"),
    ):
        app = visit(page, "zh_Hant", session=TextState(model_name=folder, fallback_model=BUNDLED_NAME))
        labels = [button.label for button in app.button if str(button.key).startswith(prefix)]
        assert labels[: len(english.list(key))] == english.list(key), page


def test_the_bundled_model_knows_chinese() -> None:
    assert knows_chinese(model_registry.request().result())
    labels = [button.label for button in visit("step", "zh_Hant").button]
    assert Translator("zh_Hant").list("step.examples.list")[0] in labels


def test_the_catalog_says_it_of_its_models() -> None:
    known = {model.title: any(code.startswith("zh") for code in model.languages) for model in catalog.models()}
    assert known["Qwen2.5-0.5B"] and not known["SmolLM2-135M"]
