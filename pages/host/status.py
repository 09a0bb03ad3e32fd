"""For the host: how many are in, how quick answers are, what is in memory. Only where the configuration opens it."""

from __future__ import annotations

import streamlit as st

from pages.ui import page, state, status
from pages.ui.i18n import Translator

EVERY = 5  # seconds

t = Translator(state.language())


@st.fragment(run_every=EVERY)
def figures() -> None:
    for row in (status.now(t), status.times(t)):
        with st.container(horizontal=True):
            for label, value in row:
                st.metric(label, value, width=150)
    st.subheader(t("host.models"), anchor=False)
    st.dataframe(status.models(t), hide_index=True)
    st.subheader(t("host.limits"), anchor=False)
    st.dataframe(status.refused(t), hide_index=True)
    st.caption(t("host.every", seconds=EVERY))


page.begin(t("host.title"), t("host.lead"), state.session(), t)
figures()
