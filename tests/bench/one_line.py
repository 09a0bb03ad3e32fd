"""The smallest app that answers a click: one button, one line. What the step page is measured against."""

import streamlit as st

st.session_state.setdefault("count", 0)


def count() -> None:
    st.session_state["count"] += 1


st.button("Next", on_click=count)
st.text(f"line {st.session_state['count']}")
