"""Status page for the host: load, response times, models, refusals. Available only if the configuration allows it."""

from __future__ import annotations

import streamlit as st

from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.status import metrics

REFRESH_SECONDS = 5

t = Translator(session_state.language())


@st.fragment(run_every=REFRESH_SECONDS)
def draw_metrics() -> None:
    for row in (metrics.current_load(t), metrics.response_times(t)):
        with st.container(horizontal=True):
            for label, value in row:
                st.metric(label, value, width=150)
    st.subheader(t("host.models"), anchor=False)
    st.table(metrics.loaded_models(t), hide_index=True)
    st.subheader(t("host.limits"), anchor=False)
    st.table(metrics.refusals(t), hide_index=True)
    st.caption(t("host.every", seconds=REFRESH_SECONDS))


frame.begin(t("host.title"), t("host.lead"), session_state.get(TextState), t)
draw_metrics()
