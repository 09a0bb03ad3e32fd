"""Warnings about a link that could not be restored, or only in part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError
from pages.i18n.translator import Translator, plain, sentences
from pages.session import session_state
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.shell import model_access
from pages.shell.messages import escaped_values
from pages.shell.text_params import decoded_text

if TYPE_CHECKING:
    from engine.trace.trace import Trace


@dataclass(frozen=True)
class Notice:
    """A warning about a link; `replay` is its text where that can be retokenized."""

    key: str
    values: dict[str, object]
    replay: tuple[str, str] | None = None


def about(
    t: Translator, key: str, params: QueryParams | None = None, trace: Trace | None = None, replay: bool = True
) -> Notice:
    """A notice with the name of the trace's model, and with the text of the query unless `replay` is false."""
    name = t("settings.bundled") if trace is not None and trace.model == BUNDLED_NAME else ""
    text = decoded_text(params) if params is not None and replay else ("", "")
    values: dict[str, object] = {"name": name or plain(trace.model)} if trace is not None else {}
    return Notice(key, values, text if text[0] else None)


def refused(error: EngineError) -> Notice:
    """A notice that the text of a link was refused; it is in no box, so there is nothing for the visitor to shorten."""
    key = f"address.refused.{error.code}"
    return Notice(key if key in sentences("en") else f"error.{error.code}", escaped_values(error))


def show(notice: Notice | None, session: TextState, t: Translator, dismiss: Callable[[], None]) -> None:
    """The warning, with a button that loads its text with the session's own model; `dismiss` is called before that."""
    if notice is None:
        return

    def replay(prompt: str, continuation: str) -> None:
        dismiss()
        model_access.run_action(session, TextState.replay, prompt, continuation)
        session_state.set_widget("prompt", session.prompt)

    st.warning(t(notice.key, **notice.values))
    if notice.replay is not None:
        st.button(t("address.replay"), key="address_replay", on_click=replay, args=notice.replay)
