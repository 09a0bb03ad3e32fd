"""Table of the app's pages: URL name, script, title key and section of the menu."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.i18n.translator import Translator


class Page(NamedTuple):
    """One page. `title` and `section` are locale keys; a hidden page has a URL and no entry in the menu."""

    name: str
    title: str
    section: str
    script: str = ""
    hidden: bool = False

    @property
    def path(self) -> str:
        """Path of the page's script from the app's folder."""
        return f"pages/{self.script or f'{self.name}/page.py'}"


COURSE, LAB, TEACHING = "course.nav", "app.lab", "teachers.short"
PAGES = (
    Page("learn", "course.title", COURSE, "course/page.py"),
    Page("recap", "course.recap.title", COURSE, "course/recap_page.py", hidden=True),
    Page("glossary", "course.glossary.title", COURSE, "course/glossary_page.py", hidden=True),
    Page("write", "own_lesson.title", COURSE, "course/editor_page.py", hidden=True),
    Page("quiz", "quiz.title", COURSE),
    Page("first", "step.title", LAB, "step/page.py"),  # the default page: its URL is /
    Page("step", "step.title", LAB, "step/redirect.py", hidden=True),
    Page("beam", "beam.title", LAB),
    Page("compare", "compare.title", LAB),
    Page("transformer", "transformer.title", LAB),
    Page("attention", "inside.title", LAB),
    Page("tokens", "cut.title", LAB),
    Page("training", "training.title", LAB),
    Page("limits", "limits.title", LAB),
    Page("speculative", "speculative.title", LAB),
    Page("both-sides", "both_sides.title", LAB, "both_sides/page.py"),
    Page("chat", "chat.title", LAB),
    Page("models", "models.title", LAB),
    Page("side-by-side", "side.title", LAB, "side_by_side/page.py"),
    Page("uses", "uses.title", LAB),
    Page("classroom", "classroom.title", LAB),
    Page("teachers", "teachers.title", TEACHING),
)
STATUS = Page("status", "host.title", LAB)  # for the host, where the configuration opens it
STEP = "step"


def path(name: str) -> str:
    """Script of a page by its URL name, for `st.switch_page`; `step` is the step page itself."""
    return next(page.path for page in PAGES if page.name == ("first" if name == STEP else name))


def tab_title(t: Translator, name: str) -> str:
    """Title of a browser tab and of an entry in its history: the page's own, by its URL name, and the app's."""
    app = t("app.title")
    title = page_title(t, name)
    return f"{title} · {app}" if title else app


def page_title(t: Translator, name: str) -> str:
    """Title of a page by its URL name, which may be that of the start page; "" where there is no such page."""
    titles = {page.name: page.title for page in (*PAGES, STATUS)}
    return t(titles[name or "first"]) if (name or "first") in titles else ""


def menu(t: Translator, status: bool) -> dict[str, list[StreamlitPage]]:
    """Argument of `st.navigation`: the pages by section, with the status page where it is open."""
    sections: dict[str, list[StreamlitPage]] = {}
    for page in _open_pages(status):
        sections.setdefault(t(page.section), []).append(
            st.Page(
                page.path,
                title=t(page.title),
                url_path=page.name,
                default=page.name == "first",
                visibility="hidden" if page.hidden else "visible",
            )
        )
    return sections


def _open_pages(status: bool) -> Iterator[Page]:
    yield from PAGES
    if status:
        yield STATUS
