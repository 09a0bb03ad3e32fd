"""Models page without a browser: the model at hand, loading another, its refusal, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForCausalLM

from engine.bundled import BUNDLED_NAME
from engine.errors import ModelError
from engine.model import memory
from engine.model.file_facts import FileFacts, file_facts
from engine.model.memory import size_text
from engine.serving import catalog, model_registry
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator
from pages.models import facts
from pages.models.state import ModelsState
from pages.session.text_state import TextState
from tests import tiny
from tests.pages.visit import state_of, visit


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model that the host allows by its folder."""
    path = tiny.build("gpt2", tmp_path / "gpt2")
    monkeypatch.setenv("ENGINE_MODELS", f"{path}, {tmp_path}/*")
    return str(path)


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    while state_of(app, ModelsState).loading is not None:
        app.run()
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


@pytest.mark.parametrize("language", WRITTEN)
def test_a_model_is_loaded_used_and_given_back(folder: str, language: str) -> None:
    t = Translator(language)
    app = visit("models", language)
    state, session = state_of(app, ModelsState), state_of(app, TextState)
    press(app, f"load {folder}")
    assert session.model_name == folder and state.problem is None
    model = model_registry.request(folder).result()
    for fact in facts.of_loaded(model, t)[:4]:
        assert fact in captions(app)
    assert size_text(model.weight_bytes) in captions(app)
    press(app, "models_back")
    assert session.model_name == BUNDLED_NAME
    state.unload(session, folder)
    assert folder not in {use.name for use in model_registry.memory_use()}


@pytest.mark.parametrize("language", WRITTEN)
def test_a_named_model_stands_with_the_facts_of_its_files(folder: str, language: str) -> None:
    """The same as of the model itself, before it is loaded."""
    t, hf = Translator(language), AutoModelForCausalLM.from_pretrained(folder)
    shown = captions(visit("models", language))
    assert t("models.layers", n=hf.config.n_layer) in shown and t("models.heads", n=hf.config.n_head) in shown
    assert t("models.vocabulary", n=f"{hf.get_output_embeddings().weight.shape[0]:,}") in shown
    assert t("models.needs", size=size_text(4 * sum(p.numel() for p in hf.parameters()))) in shown
    assert t("models.files", size=size_text(Path(folder, "model.safetensors").stat().st_size)) in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_coarser_number_format_is_told_on_every_page(
    folder: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_DTYPE", "bfloat16")
    t = Translator(language)
    model = model_registry.request(folder).result()
    assert model.dtype == "bfloat16" and t("models.format", name="bfloat16") in facts.of_loaded(model, t)
    assert t("models.rounded", name="bfloat16") in facts.remark(model, t)
    app = visit("tokens", language, session=TextState(model_name=folder))
    assert t("settings.format", name="bfloat16") in captions(app)
    monkeypatch.setenv("ENGINE_DTYPE", "auto")
    assert t("models.faster", name="bfloat16") in facts.remark(model, t)
    bundled = model_registry.request().result()
    assert facts.remark(bundled, t) == "", "its format is not chosen"


def test_facts_need_readable_files(folder: str, tmp_path: Path) -> None:
    before = file_facts(folder)
    assert before is not None and before.parameters > 0
    Path(folder, "config.json").write_text('{"model_type": "gpt2", "n_layer": 99999999}')
    assert file_facts(folder) is None  # and nothing of that size was built
    assert file_facts(str(tmp_path / "nothing")) is None and file_facts("org/name-that-is-not-here") is None
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + bytes(96))
    assert file_facts(str(tmp_path / "x.gguf")) == FileFacts(nbytes=100)
    assert facts.of_named(str(tmp_path / "nothing"), Translator("en")) == []


def test_what_cannot_be_loaded_is_told_and_changes_nothing(folder: str) -> None:
    t = Translator("en")
    app = visit("models", "en")
    missing = f"{Path(folder).parent}/nothing"
    app.text_input(key="models_name").set_value(missing).run()
    while state_of(app, ModelsState).loading is not None:
        app.run()
    state, session = state_of(app, ModelsState), state_of(app, TextState)
    assert isinstance(state.problem, ModelError) and session.model_name == BUNDLED_NAME
    assert any(error.value for error in app.error) and not app.exception
    app.text_input(key="models_name").set_value("/etc/passwd").run()
    assert state.problem.code == "not_allowed" and state.loading is None
    assert t("error.not_allowed", name="x").split("x")[0][:20] in app.error[0].value


def test_a_model_in_use_that_is_unloaded_gives_way_to_the_bundled_one(folder: str) -> None:
    session, state = TextState(), ModelsState()
    state.load(session, folder)
    while state.loading is not None:
        state.settle(session)
    assert session.model_name == folder
    state.unload(session, folder)
    assert session.model_name == BUNDLED_NAME


@pytest.mark.parametrize("language", WRITTEN)
def test_the_offered_models_stand_with_what_they_need(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_CATALOG", "small")
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**9)
    app = visit("models", language)
    assert not app.exception
    offered = catalog.offered()
    assert len(offered) > 10
    written = captions(app)
    for model in offered:
        assert size_text(model.memory_needed()) in written
        short = model.memory_needed() + 256 * 2**20 > 10**9
        assert app.button(key=f"load {model.name}").disabled == short, model.name
    titles = " ".join(element.value for element in app.markdown)
    assert all(model.title.replace("-", "\\-").replace(".", "\\.") in titles for model in offered)


@pytest.mark.parametrize(("count", "zh_Hant", "zh_Hans", "en"), [
    (12_600_000, "1,260 萬個參數", "1,260 万个参数", "12.6 million parameters"),
    (102_000_000, "1.02 億個參數", "1.02 亿个参数", "102 million parameters"),
    (3_100_000_000, "31 億個參數", "31 亿个参数", "3.1 billion parameters"),
])  # fmt: skip
def test_numbers_of_parameters_are_written_as_people_say_them(count: int, zh_Hant: str, zh_Hans: str, en: str) -> None:
    model = catalog.CatalogModel("a/b", "gpt2", count)
    assert [facts.of_catalog(model, Translator(language))[0] for language in LANGUAGES] == [zh_Hant, zh_Hans, en]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_family_and_language_of_the_catalog_has_words(language: str) -> None:
    t = Translator(language)
    for model in catalog.models():
        assert t(f"models.family.{model.family}") and t(f"models.about.{model.family}")
        assert all("{" not in fact for fact in facts.of_catalog(model, t))


def test_a_public_demo_offers_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    app = visit("models", "en")
    assert not app.exception
    assert not [button for button in app.button if (button.key or "").startswith("load ")]
    assert Translator("en")("models.none_offered") in captions(app)
