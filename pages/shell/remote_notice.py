"""What a page says about a model on a server: what its probabilities are of, or that the page needs more than these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from engine.bundled import BUNDLED_NAME
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator, plain
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.sampling.distribution import Distribution


# inside  attention, hidden states, gradients
# speed   forward passes whose time can be measured
# whole   the probability of every token
# scores  the probability of every token of a given text
Need = Literal["inside", "speed", "whole", "scores"]


def draw_missing(session: TextState, model: Model, need: Need, t: Translator) -> bool:
    """For a page, or a part of one: True after a sentence and a way to a local model where the model lacks the need."""
    if not model.is_remote or not lacks(model, need):
        return False
    st.info(t(f"remote.{need}", **_values(model, t)))
    draw_local(session, t)
    return True


def _values(model: Model, t: Translator) -> dict[str, object]:
    capabilities = getattr(model, "capabilities", None)
    return {"name": plain(display_name(model.name, t)), "n": capabilities.top if capabilities is not None else 0}


def lacks(model: Model, need: Need) -> bool:
    """Whether a model on a server cannot give what is needed."""
    if need in ("inside", "speed") or model.is_whole:
        return need in ("inside", "speed")
    capabilities = getattr(model, "capabilities", None)
    return need == "whole" or capabilities is None or not capabilities.prompt_scores


def draw_local(session: TextState, t: Translator) -> None:
    """The way to a local model."""
    st.button(t("remote.local"), key="remote_local", on_click=session.choose_model, args=(BUNDLED_NAME,))


def draw_among(model: Model, t: Translator) -> None:
    """For a page that generates texts: that tokens are chosen among those which the server lists."""
    if model.is_remote and not model.is_whole:
        st.caption(t("remote.among", **_values(model, t)))


def sentence(model: Model, distribution: Distribution, t: Translator) -> str:
    """Where the probabilities come from, and which are not known; "" for a local model."""
    if not model.is_remote:
        return ""
    name, capabilities = plain(display_name(model.name, t)), getattr(model, "capabilities", None)
    by_text = [t("remote.by_text")] if capabilities is not None and capabilities.forced == "text" else []
    if distribution.known == distribution.size:
        return " ".join([t("remote.all_known", name=name), *by_text])
    told = t(
        "remote.listed", name=name, n=distribution.known,
        listed=t.percent(1 - distribution.unseen), rest=t.percent(distribution.unseen),
    )  # fmt: skip
    consequence = t("remote.exact") if distribution.is_exact else t("remote.bound")
    return " ".join([told, consequence, *by_text])
