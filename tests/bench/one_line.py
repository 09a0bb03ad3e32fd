"""Minimal Streamlit app with one button and one line of text: the baseline for the time of a click."""

import streamlit as st

st.session_state.setdefault("count", 0)


def count() -> None:
    st.session_state["count"] += 1


st.button("Next", on_click=count)
st.text(f"line {st.session_state['count']}")
