"""Control that shows the session's model and, where the host allows others, selects one."""

from __future__ import annotations

import streamlit as st

from engine import bundled
from engine.serving import config
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import model_access


def draw(session: TextState, t: Translator) -> None:
    """The select box, if the configuration allows further models, and the model's size; nothing during loading.

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
    st.caption(t("settings.window", size=f"{model.vocabulary.size:,}", most=f"{model.context_length:,}"))


def _choose(session: TextState, key: str) -> None:
    session.choose_model(str(session_state.widget(key) or bundled.BUNDLED_NAME).strip())
