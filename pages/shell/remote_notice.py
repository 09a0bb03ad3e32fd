"""What a page says about a model on a server: what its probabilities are of, or that it cannot be looked into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from engine.bundled import BUNDLED_NAME
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator, plain
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.sampling.distribution import Distribution


def draw_inside(session: TextState, model: Model, t: Translator) -> bool:
    """For a page that looks into the model: True after a sentence and a way to a local model where there is nothing."""
    if not model.is_remote:
        return False
    st.info(t("remote.inside", name=plain(display_name(model.name, t))))
    st.button(t("remote.local"), key="remote_local", on_click=session.choose_model, args=(BUNDLED_NAME,))
    return True


def sentence(model: Model, distribution: Distribution, t: Translator) -> str:
    """Where the probabilities come from, and which are not known; "" for a local model."""
    if not model.is_remote:
        return ""
    name, capabilities = plain(display_name(model.name, t)), getattr(model, "capabilities", None)
    by_text = [t("remote.by_text")] if capabilities is not None and capabilities.forced == "text" else []
    if distribution.known == distribution.size:
        return " ".join([t("remote.whole", name=name), *by_text])
    told = t(
        "remote.listed", name=name, n=distribution.known,
        listed=t.percent(1 - distribution.unseen), rest=t.percent(distribution.unseen),
    )  # fmt: skip
    consequence = t("remote.exact") if distribution.is_exact else t("remote.bound")
    return " ".join([told, consequence, *by_text])
