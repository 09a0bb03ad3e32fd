"""Download buttons of the share panel: the recording, the page's tables and pictures.

Nothing is computed before a button is clicked, and nothing is written to the server's disk: a file is generated in
memory and sent to the browser.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from engine.errors import EngineError
from engine.trace import json_file
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import extensions, model_access, visitor
from pages.shell.messages import show_problem
from pages.shell.share import picture_saver, slide, spreadsheet, upload

if TYPE_CHECKING:
    from engine.model.model import Model


@dataclass(frozen=True)
class File:
    """A file to download: its locale key, its name, and the function that generates its content."""

    key: str
    name: str
    make: Callable[[], str | bytes]

    @property
    def kind(self) -> str:
        """MIME type."""
        return {"json": "application/json", "csv": "text/csv", "html": "text/html"}[self.name.rpartition(".")[2]]

    def content(self, t: Translator) -> str | bytes:
        """The content; if `make` raises EngineError (a host limit, non-finite numbers), the error's message instead."""
        try:
            return self.make()
        except EngineError as error:
            sentence = t(f"error.{error.code}", **error.values)
            return spreadsheet.to_csv([sentence], []) if self.name.endswith(".csv") else html.escape(sentence)


@dataclass(frozen=True)
class Exports:
    """What a page offers for download besides the recording.

    pictures  keys of its charts and components, see `picture_saver`
    files     returns its tables for the loaded model; tables of results that do not exist yet are left out
    slide     returns the SVG of the whole page in one picture, see `slide`; None where there is none
    """

    pictures: tuple[str, ...] = ()
    files: Callable[[Model], list[File]] = lambda model: []
    slide: Callable[[Model], str] | None = None


NOTHING = Exports()


def files(session: TextState, model: Model, t: Translator, exports: Exports) -> list[File]:
    """All files of a page, the recording first."""
    result = [File("trace", "next-token.json", lambda: json_file.to_json(model, session.ready(model)))]
    if (recording := extensions.recording) is not None:
        result.insert(0, File("replay", "replay.html", lambda: recording(session, model, t)))
    return result + exports.files(model)


def draw(session: TextState, t: Translator, exports: Exports) -> None:
    """The buttons; none while the model is loading."""
    model = model_access.loaded_model(session)
    if model is None:
        return
    st.markdown(f"**{t('export.files')}**")
    with st.container(horizontal=True, gap="small"):
        for file in files(session, model, t, exports):
            st.download_button(
                t(f"export.file.{file.key}"), visitor.run_as_visitor(partial(file.content, t)), file.name, file.kind,
                key=f"export {file.key}", on_click="ignore", help=t(f"export.note.{file.key}"),
            )  # fmt: skip
    if exports.slide is not None:
        draw_slide(exports.slide, model, t)
    if exports.pictures:
        st.markdown(f"**{t('export.pictures.title')}**")
        picture_saver.draw(exports.pictures, t)
    upload.draw(session, t)


def draw_slide(make: Callable[[Model], str], model: Model, t: Translator) -> None:
    """The page in one picture, or why there is none."""
    st.markdown(f"**{t('export.slide.title')}**")
    try:
        svg = make(model)
    except EngineError as error:
        show_problem(error, t)
    else:
        slide.draw(svg, t)
