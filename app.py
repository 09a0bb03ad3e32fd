"""Entry point of the app: extension points, page configuration, language, navigation. All drawing is in `pages/`."""

import streamlit as st

from engine.serving import config
from pages.course.coach import Coach
from pages.i18n.translator import LANGUAGES, Translator
from pages.recording import html_page
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import extensions, navigation, startup, visitor

extensions.companion = Coach()
extensions.recording = html_page.recording
t = Translator(session_state.language())


def own_name(language: str) -> str:
    """A language's name in that language."""
    t = Translator(language)
    return t("app.name")


st.set_page_config(
    page_title=t("app.title"),
    layout="wide",
    initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",  # an embedded page is narrow
)

startup.begin(t)
session_state.get(TextState, lambda: TextState(prompt=t.list("step.examples.list")[0]))
page = st.navigation(navigation.menu(t, status=config.current().status))
session_state.enter_page(page.url_path or navigation.STEP)

with st.sidebar:
    st.segmented_control(
        t("app.language"),
        LANGUAGES,
        default=session_state.language(),
        required=True,
        format_func=own_name,
        key=session_state.language_key(),
        persist_state="session",
        label_visibility="collapsed",
    )

if visitor.admit(t):
    page.run()
