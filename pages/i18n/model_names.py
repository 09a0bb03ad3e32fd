"""Names of models as visitors read them."""

from __future__ import annotations

from engine.bundled import BUNDLED_NAME
from engine.remote.endpoint import PREFIX
from pages.i18n.translator import Translator


def display_name(name: str, t: Translator) -> str:
    """A model's name: for the bundled one a phrase of the language, for one on a server the name of its endpoint."""
    return t("settings.bundled") if name == BUNDLED_NAME else name.removeprefix(PREFIX)
