"""Settings that have an effect on the next token, for the picture of the page and the printed page."""

from __future__ import annotations

from engine.sampling.settings import Settings
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.step.svg_text import safe


def settings_in_effect(session: TextState, u: float | None, t: Translator) -> list[tuple[str, str]]:
    """Names and values of the model, the strategy, the settings that have an effect, the seed and the number drawn."""
    rows = [
        (t("settings.model"), safe(display_name(session.model_name, t))),
        (t("settings.strategy"), t(f"settings.{session.strategy}")),
    ]
    settings = session.settings.for_greedy() if session.strategy == "greedy" else session.settings
    neutral = Settings()
    for setting in Settings.__dataclass_fields__:
        value = getattr(settings, setting)
        if value != getattr(neutral, setting) or (setting == "temperature" and session.strategy == "sample"):
            rows.append((t(f"settings.{setting}"), f"{value:.6g}"))
    if session.strategy == "sample":
        rows.append((t("settings.seed"), str(session.seed)))
    return rows if u is None else [*rows, ("u", f"{u:.4f}")]
