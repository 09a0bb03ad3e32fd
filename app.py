"""The app: page configuration, language, navigation. Everything that is seen lives in `pages/`."""

import streamlit as st

from pages.ui import host, models, state
from pages.ui.i18n import Translator

t = Translator(state.language())


def own_name(language: str) -> str:
    """A language's name in that language."""
    t = Translator(language)
    return t("app.name")


st.set_page_config(
    page_title=t("app.title"),
    layout="wide",
    initial_sidebar_state="collapsed" if st.context.is_embedded else "auto",  # room is scarce in another's page
)

host.begin(t)
page = st.navigation(
    {
        t("course.nav"): [
            st.Page("pages/learn/contents.py", title=t("course.title"), url_path="learn"),
            st.Page("pages/learn/quiz.py", title=t("quiz.title"), url_path="quiz"),
        ],
        t("app.lab"): [
            st.Page("pages/lab/step.py", title=t("step.title"), url_path="first", default=True),  # it stands at /
            st.Page("pages/host/to_step.py", title=t("step.title"), url_path="step", visibility="hidden"),
            st.Page("pages/lab/beam.py", title=t("beam.title"), url_path="beam"),
            st.Page("pages/lab/compare.py", title=t("compare.title"), url_path="compare"),
            st.Page("pages/lab/attention.py", title=t("inside.title"), url_path="attention"),
            st.Page("pages/lab/tokens.py", title=t("cut.title"), url_path="tokens"),
            st.Page("pages/lab/training.py", title=t("training.title"), url_path="training"),
            st.Page("pages/lab/limits.py", title=t("limits.title"), url_path="limits"),
            st.Page("pages/lab/uses.py", title=t("uses.title"), url_path="uses"),
            *host.pages(t),
        ],
    }
)
state.arrive(page.url_path or "step")

with st.sidebar:
    st.segmented_control(
        t("app.language"),
        state.LANGUAGES,
        default=state.language(),
        required=True,
        format_func=own_name,
        key=state.language_key(),
        persist_state="session",
        label_visibility="collapsed",
    )

if models.admitted(t):
    page.run()
