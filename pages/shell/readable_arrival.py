"""Arrival by a readable link: its prompt, settings and list of prompts become those of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.serving import admission
from pages.session import prompt_list, readable_link, session_state
from pages.session.prompt_list import MAX_CHARACTERS, MAX_PROMPTS, PromptList
from pages.session.query_params import QueryParams
from pages.session.readable_link import Texts
from pages.session.text_state import FIRST_SETTINGS, TextState
from pages.shell import link_notice
from pages.shell.link_notice import Notice

if TYPE_CHECKING:
    from engine.model.model import Model


def apply(texts: Texts, params: QueryParams, session: TextState, model: Model) -> Notice | None:
    """Set what the link holds; a notice where that is not all of it. A refused prompt keeps the current text."""
    told = _offer(texts.prompts or prompt_list.from_query(params))
    if texts.prompt is not None or readable_link.has_settings(params):
        first = readable_link.read(params, FIRST_SETTINGS, session.seed)
        session.settings, session.strategy, session.seed = first
        session.from_query(params, session, model)
    if texts.prompt is not None:
        session.set_prompt(model, texts.prompt)
        if session.problem is not None:
            told = link_notice.refused(session.problem)
            session.problem = None
    return told


def _offer(texts: tuple[str, ...]) -> Notice | None:
    """Offer the prompts of the list that the host allows; those of an earlier link stay where there are none."""
    allowed, told = [], None
    for text in texts:
        try:
            admission.check_prompt(text)
            allowed.append(text)
        except EngineError as error:
            told = link_notice.refused(error)
    if not allowed:
        return told
    if not session_state.get(PromptList).offer(allowed):
        told = Notice("address.prompts", {"most": MAX_PROMPTS, "characters": f"{MAX_CHARACTERS:,}"})
    return told
