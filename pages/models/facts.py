"""Facts about a model as short phrases: of a loaded one from the model itself, of the others from the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from engine.bundled import BUNDLED_NAME
from engine.model.memory import BYTES_PER_NUMBER, size_text
from engine.serving import catalog, config
from engine.serving.catalog import CatalogModel
from pages.i18n.translator import Translator, plain

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.remote.model import RemoteModel


def of_catalog(model: CatalogModel, t: Translator) -> list[str]:
    """Parameters, memory, languages, purpose, licence, and what cannot be seen in the model."""
    found = [
        t("models.parameters", n=_parameters(model.parameters, t)),
        t("models.needs", size=size_text(model.memory_needed())),
        t("models.comma").join(t(f"models.language.{language}") for language in model.languages),
        t("models.chat" if model.chat else "models.base"),
    ]
    found += [t("models.context", n=f"{model.context:,}")] if model.context else []
    found += [t("models.licence", name=model.licence)] if model.licence else []
    found += [t("models.gated")] if model.gated else []
    return found + ([t("models.some_attention")] if model.attention == "some" else [])


def of_named(name: str, t: Translator) -> list[str]:
    """Facts about a model that the host names: from the catalog, else from its files; none where it has none here."""
    from engine.model.file_facts import FileFacts, file_facts  # imports torch: only once a model is loaded

    known = catalog.find(name)
    if known is not None:
        return of_catalog(known, t)
    facts = file_facts(name) or FileFacts()
    memory = facts.parameters * BYTES_PER_NUMBER[config.current().dtype]
    found = [
        (facts.parameters, t("models.parameters", n=_parameters(facts.parameters, t))),
        (memory, t("models.needs", size=size_text(memory))),
        (facts.layers, t("models.layers", n=facts.layers)),
        (facts.heads, t("models.heads", n=facts.heads)),
        (facts.vocabulary, t("models.vocabulary", n=f"{facts.vocabulary:,}")),
        (facts.context, t("models.context", n=f"{facts.context:,}")),
        (facts.nbytes, t("models.files", size=size_text(facts.nbytes))),
    ]
    return [text for value, text in found if value]


def of_loaded(model: Model, t: Translator) -> list[str]:
    """Size, layers, number format and memory, as the model itself has them."""
    if model.is_remote:
        return of_remote(cast("RemoteModel", model), t)
    forward = model.prefix_cache.forward
    found = [
        t("models.layers", n=forward.layers),
        t("models.vocabulary", n=f"{model.vocabulary.size:,}"),
        t("models.context", n=f"{model.context_length:,}"),
        t("models.format", name=model.dtype),
        *([t("models.device", name=model.device)] if model.device != "cpu" else []),
        t("models.memory_now", weights=size_text(model.weight_bytes), cache=size_text(model.prefix_cache.nbytes)),
        t("models.with_template" if model.chat_template is not None else "models.without_template"),
    ]
    known = catalog.find(model.name)
    return found + ([t("models.licence", name=known.licence)] if known is not None and known.licence else [])


def of_remote(model: RemoteModel, t: Translator) -> list[str]:
    """What its server can do, as it was found by asking."""
    found = [
        t("models.on_server"),
        t("models.whole") if model.is_whole else t("models.listed", n=model.capabilities.top),
        t("models.vocabulary", n=f"{model.vocabulary.size:,}"),
        t("models.context", n=f"{model.context_length:,}"),
    ]
    found += [t("models.scores")] if model.capabilities.prompt_scores else []
    found += [t("models.by_text")] if model.capabilities.forced == "text" else []
    return [*found, t("models.with_template" if model.chat_template is not None else "models.without_template")]


def remark(model: Model, t: Translator) -> str:
    """What is special about the files of a model, and about its number format; "" where nothing is."""
    origin, sentences = model.origin, []
    if model.dtype not in ("float32", ""):
        sentences.append(t("models.rounded", name=model.dtype))
    if config.current().dtype == "auto" and model.dtype and model.name != BUNDLED_NAME:
        sentences.append(t("models.faster", name=model.dtype))
    if origin.converted:
        sentences.append(t("models.converted", revision=plain(origin.revision)))
    elif origin.revision and origin.revision != "main":
        sentences.append(t("models.revision", revision=plain(origin.revision)))
    if origin.quantization:
        sentences.append(t("models.quantized", type=plain(origin.quantization)))
    if origin.pre_tokenizer:
        sentences.append(t("models.other_split", name=plain(origin.pre_tokenizer)))
    return " ".join(sentences)


def _parameters(count: int, t: Translator) -> str:
    """A number of parameters as people say it: `1.02 億`, `1,260 萬`, `124 million`, `1.24 billion`."""
    size = "large" if count >= int(t("models.unit.large")) else "small"
    number = float(f"{count / int(t(f'models.unit.{size}')):.3g}")
    return t(f"models.count.{size}", n=f"{number:,g}")
