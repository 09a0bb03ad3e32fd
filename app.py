"""Entry point of the app: extension points, page configuration, language, navigation. All drawing is in `pages/`."""

import streamlit as st

from engine.serving import config
from pages.classroom import following
from pages.course.coach import Coach
from pages.frame import top_bar
from pages.i18n.translator import Translator
from pages.recording import html_page
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import example_language, extensions, navigation, startup, visitor

extensions.companion = Coach()
extensions.follow = following.show
extensions.links = top_bar.draw
extensions.report = following.report
extensions.room_line = following.draw_line
extensions.recording = html_page.recording
t = Translator(session_state.language())

st.set_page_config(layout="wide")

startup.begin(t)
session_state.get(TextState, lambda: TextState(prompt=example_language.for_bundled(t).list("step.examples.list")[0]))
page = st.navigation(navigation.menu(t, status=config.current().status), position="hidden")
st.set_page_config(page_title=navigation.tab_title(t, page.url_path))
session_state.enter_page(page.url_path or navigation.STEP)

if visitor.admit(t):
    following.turn_to_page()
    page.run()
