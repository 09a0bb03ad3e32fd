"""Access to the session's model: wait for loading, run an action, fall back to the bundled model.

Loaded models are shared by all sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from engine import bundled
from engine.errors import EngineError, ModelError
from engine.serving import admission, model_registry
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import loading_progress

if TYPE_CHECKING:
    from engine.model.model import Model


def loaded_model(session: TextState) -> Model | None:
    """The session's model, None if it is not loaded; never waits, for callbacks."""
    try:
        loading = model_registry.request(session.model_name)
        return loading.result() if loading.done else None
    except ModelError:
        return None


def run_action(session: TextState, action: Callable[..., Any], *arguments: Any) -> None:
    """For callbacks: call `action(session, model, *arguments)` if the model is loaded; an EngineError becomes
    `session.problem`."""
    admission.start_response_timer()
    model = loaded_model(session)
    if model is not None:
        try:
            action(session, model, *arguments)
        except EngineError as error:
            session.problem = error


def wait_for_model(session: TextState, t: Translator) -> Model:
    """The session's model, with a progress bar while it is loading.

    If it cannot be loaded, sets `session.problem` and returns the model used before. Raises ModelError for the bundled
    model.
    """
    try:
        return _wait_for(session.model_name, t)
    except ModelError as error:
        if session.model_name == bundled.BUNDLED_NAME:
            raise
        session.problem, session.model_name = error, session.fallback_model
        return _wait_for(session.model_name, t)


def model_named(name: str) -> Model:
    """A model by its name, for callbacks; waits where it is still loading. Raises ModelError, also `not_allowed`."""
    return model_registry.request(name).result()


def _wait_for(name: str, t: Translator) -> Model:
    loading = model_registry.request(name)
    with st.container():  # always drawn, so that the elements after it keep their position in the page
        return _with_progress(name, loading, t)


def _with_progress(name: str, loading: model_registry.ModelLoad, t: Translator) -> Model:
    place, stop_place = st.empty(), st.empty()
    if not loading.done:
        if name != bundled.BUNDLED_NAME:
            stop_place.button(t("loading.stop"), key=f"stop {name}", on_click=loading.stop)
        shown: tuple[str, int] | None = None
        while not loading.wait(0.05):
            now = loading.stage, loading.bytes[0] * 100 // max(1, loading.bytes[1])  # percent of the download
            if now != shown:
                shown = now
                with place.container():
                    st.markdown(f"**{t('loading.title')}**")
                    loading_progress.draw(loading, t)
        place.empty()
        stop_place.empty()
    return loading.result()
