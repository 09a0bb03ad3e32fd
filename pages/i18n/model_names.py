"""Names of models as visitors read them."""

from __future__ import annotations

from engine.bundled import BUNDLED_NAME
from pages.i18n.translator import Translator


def display_name(name: str, t: Translator) -> str:
    """A model's name, which for the bundled one is a phrase of the language."""
    return t("settings.bundled") if name == BUNDLED_NAME else name
