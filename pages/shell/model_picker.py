"""Foot of a page: the model at hand, its size and its number format, with a link to the models page."""

from __future__ import annotations

import streamlit as st

from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator, plain
from pages.session.text_state import TextState
from pages.shell import extensions, model_access, navigation


def draw(session: TextState, t: Translator) -> None:
    """The model's name and size, and its number format if it is not float32; nothing during loading."""
    model = model_access.loaded_model(session)
    if model is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="model_foot"):
        label = t("settings.at_hand", name=plain(display_name(session.model_name, t)))
        if extensions.links is None:  # a page without the app around it, which knows no other pages
            st.caption(label, width="content")
        else:
            st.page_link(navigation.path("models"), label=label, width="content")
        size, most = f"{model.vocabulary.size:,}", f"{model.context_length:,}"
        st.caption(t("settings.window", size=size, most=most), width="content")
        if model.dtype not in ("float32", ""):
            st.caption(t("settings.format", name=model.dtype), width="content")
