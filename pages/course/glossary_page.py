"""Glossary: the terms of the course in Chinese and English, each with the step in which it is explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.components.register import event_callback, register
from pages.course import catalog, coach, glossary
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address

_glossary = register("glossary", Path(__file__).with_name("glossary.js"), "terms")

session = session_state.get(TextState)
t = Translator(session_state.language())


def glossary_data() -> dict[str, Any]:
    """Data of the component `glossary.js`."""
    terms = glossary.terms(t.language).values()
    return {
        "parts": [
            {
                "title": t(f"course.part.{part.name}"),
                "terms": [glossary.entry(term, t) for term in terms if term.lesson in part.lessons],
            }
            for part in catalog.parts()
        ],
        "labels": {word: t(f"course.glossary.{word}") for word in ("search", "none")},
    }


@st.fragment
def workbench() -> None:
    """The glossary, redrawn without the rest of the page."""
    coach.open_pending_page(t)
    _glossary(
        key="glossary",
        data=glossary_data(),
        on_term_change=event_callback(
            "glossary", "term", lambda value: coach.open_term(str(value["name"]), t.language)
        ),
    )


address_bar = address.AddressBar(session, t)
frame.begin(t("course.glossary.title"), t("course.glossary.lead"), session, t)
address_bar.restore()
workbench()
address_bar.update()
