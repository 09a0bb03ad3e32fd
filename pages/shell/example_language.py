"""Language of the ready examples: that of the page, but English for a model that knows no Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from engine.serving import catalog
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import model_access

if TYPE_CHECKING:
    from engine.model.model import Model

# Tokens for a Chinese character. A tokenizer that was made from Chinese text takes fewer than one (Qwen2.5 and the
# bundled model 0.7 to 0.8), one that was not takes most characters apart into bytes (SmolLM2 2.0).
_MOST_TOKENS = 1.5
_MOST_UNKNOWN = 0.1  # share of special tokens: a vocabulary without bytes has `[UNK]` for what it lacks
_found: WeakKeyDictionary[Model, bool] = WeakKeyDictionary()


def for_examples(t: Translator) -> Translator:
    """Translator whose examples the visitor's model can continue; `t` itself until the model is loaded."""
    model = model_access.loaded_model(session_state.get(TextState))
    if t.language == "en" or model is None or knows_chinese(model):
        return t
    return Translator("en")


def knows_chinese(model: Model) -> bool:
    """Whether a model was trained on Chinese: as the catalog says, else judged by its tokenizer; found out once."""
    if model not in _found:
        _found[model] = _judge(model)
    return _found[model]


def _judge(model: Model) -> bool:
    known = catalog.find(model.name)
    if known is not None:
        return any(language.startswith("zh") for language in known.languages)
    sample = "".join(Translator("zh_Hant").list("step.examples.list"))
    ids = model.encode(sample)[len(model.vocabulary.start) :]
    unknown = sum(i in model.vocabulary.special for i in ids)
    return len(ids) <= _MOST_TOKENS * len(sample) and unknown <= _MOST_UNKNOWN * len(ids)
