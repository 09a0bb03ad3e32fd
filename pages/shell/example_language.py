"""Language of the ready prompts: that of the page, or the nearest that the model has read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from engine.serving import catalog
from pages.i18n.translator import DERIVED, Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import model_access

if TYPE_CHECKING:
    from engine.model.model import Model

# Tokens for a Chinese character. A tokenizer that was made from Chinese text takes fewer than one (Qwen2.5 and the
# bundled model 0.7 to 0.8), one that was not takes most characters apart into bytes (SmolLM2 2.0).
_MOST_TOKENS = 1.5
_MOST_UNKNOWN = 0.1  # share of special tokens: a vocabulary without bytes has `[UNK]` for what it lacks
# Tokens for a text in Simplified characters, by those for it in Traditional ones: Qwen2.5 takes fewer, a tokenizer that
# was made from Traditional text alone cuts the other characters into bytes (1.4).
_MOST_SIMPLIFIED = 1.2
_found: WeakKeyDictionary[Model, frozenset[str]] = WeakKeyDictionary()


def for_examples(t: Translator) -> Translator:
    """Translator whose examples the visitor's model can continue: English for a model that knows no Chinese."""
    model = model_access.loaded_model(session_state.get(TextState))
    if t.language == "en" or model is None or knows_chinese(model):
        return for_prompts(t)
    return Translator("en")


def for_prompts(t: Translator) -> Translator:
    """Translator of the prompts of a page: Traditional ones on a Simplified page, unless the model knows Simplified."""
    if t.language not in DERIVED:
        return t
    model = model_access.loaded_model(session_state.get(TextState))
    return t if model is not None and knows_simplified(model) else for_bundled(t)


def for_bundled(t: Translator) -> Translator:
    """Translator of the prompts that the bundled model is asked, whose numbers are given: never Simplified ones."""
    return Translator(DERIVED.get(t.language, t.language))


def note(t: Translator) -> str:
    """Sentence for a Simplified page whose examples are Traditional; empty elsewhere."""
    return t("prompts.traditional") if for_examples(t).language == DERIVED.get(t.language) else ""


def knows_chinese(model: Model) -> bool:
    """Whether a model was trained on Chinese: as the catalog says, else judged by its tokenizer."""
    return bool(_scripts(model))


def knows_simplified(model: Model) -> bool:
    """Whether a model was trained on Simplified Chinese: as the catalog says, else judged by its tokenizer."""
    return "zh_Hans" in _scripts(model)


def _scripts(model: Model) -> frozenset[str]:
    """Languages of `zh_Hant` and `zh_Hans` that a model knows; found out once."""
    if model not in _found:
        known = catalog.find(model.name)
        _found[model] = frozenset(_judged(model) if known is None else known.languages) & {"zh_Hant", "zh_Hans"}
    return _found[model]


def _judged(model: Model) -> set[str]:
    """What the tokenizer says: whether it has tokens for Chinese characters, and for the Simplified ones."""
    tokens = {}
    for language in ("zh_Hant", "zh_Hans"):
        examples = Translator(language).list("step.examples.list") + Translator(language).list("step.examples.more")
        sample = "".join(text for text in examples if not text.isascii())
        ids = model.encode(sample)[len(model.vocabulary.start) :]
        unknown = sum(i in model.vocabulary.special for i in ids)
        if len(ids) > _MOST_TOKENS * len(sample) or unknown > _MOST_UNKNOWN * len(ids):
            break
        tokens[language] = len(ids)
    if len(tokens) == 2 and tokens["zh_Hans"] > _MOST_SIMPLIFIED * tokens["zh_Hant"]:
        del tokens["zh_Hans"]
    return set(tokens)
