"""Progress of a model that is being loaded: its stage, the bytes of its download, a button that stops it."""

from __future__ import annotations

import streamlit as st

from engine.model.memory import size_text
from engine.serving.model_registry import ModelLoad
from pages.i18n.translator import Translator

STAGES = ("libraries", "files", "endpoint", "download", "convert", "tokenizer", "weights", "warm_up")


def draw(loading: ModelLoad, t: Translator) -> None:
    """The bar, with the share of the download while there is one, else with that of the stages done."""
    done, total = loading.bytes
    if loading.stage == "download" and total:
        share, text = done / total, t("loading.bytes", done=size_text(done), total=size_text(total))
    else:
        share, text = (STAGES.index(loading.stage) + 1) / (len(STAGES) + 1), t(f"loading.{loading.stage}")
    st.progress(min(share, 1.0), text)


def draw_stoppable(loading: ModelLoad, key: str, label: str, note: str, t: Translator) -> None:
    """The bar, and below it the button that stops the load, with a note beside it; what is downloaded is kept."""
    draw(loading, t)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(label, key=key, on_click=loading.stop)
        st.caption(note, width="content")
