"""For the host: how many are in, how quick answers are, what is in memory. Only where the configuration opens it."""

from __future__ import annotations

import streamlit as st

from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.status import metrics

EVERY = 5  # seconds

t = Translator(session_state.language())


@st.fragment(run_every=EVERY)
def figures() -> None:
    for row in (metrics.now(t), metrics.times(t)):
        with st.container(horizontal=True):
            for label, value in row:
                st.metric(label, value, width=150)
    st.subheader(t("host.models"), anchor=False)
    st.dataframe(metrics.models(t), hide_index=True)
    st.subheader(t("host.limits"), anchor=False)
    st.dataframe(metrics.refused(t), hide_index=True)
    st.caption(t("host.every", seconds=EVERY))


frame.begin(t("host.title"), t("host.lead"), session_state.get(TextState), t)
figures()
