"""Foot of a page: the model at hand, a link to the models page, and a select box where the host allows others."""

from __future__ import annotations

import streamlit as st

from engine import bundled
from engine.serving import config
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import extensions, model_access, navigation


def draw(session: TextState, t: Translator) -> None:
    """The select box, if the configuration allows further models, and the model's name and size.

    Nothing during loading.

    The box accepts other names if some of the allowed models are patterns (`org/*`).
    """
    model = model_access.loaded_model(session)
    if model is None:
        return
    patterns = config.current().models
    if patterns:
        names = [p for p in patterns if not any(sign in p for sign in "*?[")]
        known = [bundled.BUNDLED_NAME, *names]
        if session.model_name not in known:
            known.append(session.model_name)
        st.selectbox(
            t("settings.model"),
            known,
            index=known.index(session.model_name),
            format_func=lambda name: t("settings.bundled") if name == bundled.BUNDLED_NAME else name,
            accept_new_options=len(names) < len(patterns),
            key=f"model {session.model_name}",
            on_change=_choose,
            args=(session, f"model {session.model_name}"),
        )
        st.caption(t("settings.model_note"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="model_foot"):
        name = t("settings.bundled") if session.model_name == bundled.BUNDLED_NAME else session.model_name
        label = t("settings.at_hand", name=plain(name))
        if extensions.links is None:  # a page without the app around it, which knows no other pages
            st.caption(label, width="content")
        else:
            st.page_link(navigation.path("models"), label=label, width="content")
        size, most = f"{model.vocabulary.size:,}", f"{model.context_length:,}"
        st.caption(t("settings.window", size=size, most=most), width="content")


def _choose(session: TextState, key: str) -> None:
    session.choose_model(str(session_state.widget(key) or bundled.BUNDLED_NAME).strip())
