"""What can be taken away from a page as a file: the recording, tables, pictures. Drawn in the share panel.

Nothing is computed before a button is clicked, and nothing is written on the server's disk: a file is made in memory
and handed to the browser.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from engine.errors import EngineError
from engine.trace import json_file
from pages.ui import importing, models, picture, replay, replay_file, sheets, state
from pages.ui.i18n import Translator
from pages.ui.session import Session

if TYPE_CHECKING:
    from engine.model.model import Model


@dataclass(frozen=True)
class File:
    """Something to take away: its key in the texts, the file's name, and what makes it."""

    key: str
    name: str
    make: Callable[[], str | bytes]

    @property
    def kind(self) -> str:
        return {"json": "application/json", "csv": "text/csv", "html": "text/html"}[self.name.rpartition(".")[2]]

    def made(self, t: Translator) -> str | bytes:
        """The file; where it cannot be made (a limit of the host, numbers that are not finite), one that says why."""
        try:
            return self.make()
        except EngineError as error:
            sentence = t(f"error.{error.code}", **error.values)
            return sheets.write([sentence], []) if self.name.endswith(".csv") else html.escape(sentence)


def files(session: Session, model: Model, t: Translator, place: picture.Place | None) -> list[File]:
    """What this page has to give, the recording first. Tables of what is not there yet are left out."""
    looking, beaming = state.looking(), state.beaming()

    def recording() -> str:
        # Who has opened no head yet gets the mean of all.
        seen = looking if looking.ids else replace(looking, view="all")
        return replay_file.page(replay.collect(model, session.ready(model), seen, beaming, t), t)

    found = [File("replay", "replay.html", recording)]
    found.append(File("trace", "next-token.json", lambda: json_file.to_json(model, session.ready(model))))
    if place == "step":
        found.append(
            File("candidates", "candidates.csv", lambda: sheets.candidates(model, session.choice(model)[0], t))
        )
    if place in ("step", "attention"):
        found.append(File("text", "text.csv", lambda: sheets.whole_text(model, session.ready(model), t)))
    search, shown = beaming.search, beaming.shown
    if place == "beam" and search is not None:
        found.append(File("nodes", "beam-nodes.csv", lambda: sheets.beam_nodes(search, shown, t)))
        if beaming.over and search.sequences:
            found.append(File("beams", "beams.csv", lambda: sheets.finished_beams(search, t)))
    comparison = state.comparison()
    if place == "compare" and comparison.entries:
        found.append(File("compared", "compared.csv", lambda: sheets.compared(comparison, model, t)))
    if place == "attention" and looking.ids:

        def matrix() -> bytes:
            return sheets.attention(looking.matrix(model), model.pieces(looking.ids), t)

        found.append(File("attention", "attention.csv", matrix))
    return found


def draw(session: Session, t: Translator, place: picture.Place | None) -> None:
    """The buttons; nothing while the model is on its way."""
    model = models.ready(session)
    if model is None:
        return
    st.markdown(f"**{t('export.files')}**")
    with st.container(horizontal=True, gap="small"):
        for file in files(session, model, t, place):
            st.download_button(
                t(f"export.file.{file.key}"), state.errand(partial(file.made, t)), file.name, file.kind,
                key=f"export {file.key}", on_click="ignore", help=t(f"export.note.{file.key}"),
            )  # fmt: skip
    if place is not None:
        st.markdown(f"**{t('export.pictures.title')}**")
        picture.draw(place, state.dark(), t)
    importing.draw(session, t, place == "step")
