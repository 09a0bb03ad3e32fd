"""What stands between a page and the model: lets visitors in, waits for the model, makes moves, tells of problems.

Everyone shares the model that is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import streamlit as st

from engine import bundled
from engine.errors import EngineError, ModelError, PromptError
from engine.serving import admission, model_registry
from pages.ui import state
from pages.ui.i18n import Translator, plain
from pages.ui.session import Session

if TYPE_CHECKING:
    from engine.model.model import Model


def ready(session: Session) -> Model | None:
    """The session's model if it is in memory, without waiting: for callbacks."""
    try:
        loading = model_registry.request(session.model_name)
        return loading.result() if loading.done else None
    except ModelError:
        return None


def act(session: Session, move: Callable[..., Any], *arguments: Any) -> None:
    """For callbacks: make one of the session's moves with the model that is in memory. One refused is a problem."""
    admission.start_response_timer()
    model = ready(session)
    if model is not None:
        try:
            move(session, model, *arguments)
        except EngineError as error:
            session.problem = error


P = ParamSpec("P")


def part(draw: Callable[P, None]) -> Callable[P, None]:
    """`st.fragment` for a part of a page: where a limit cuts the drawing short, the visitor is told why.

    Where a text was handed over to the step page, that page is opened instead.
    """

    @wraps(draw)
    def guarded(*arguments: P.args, **named: P.kwargs) -> None:
        session = state.session()
        if session.handed:
            session.handed = False
            st.switch_page("pages/lab/step.py")
        with admission.response_timer():
            try:
                draw(*arguments, **named)
            except EngineError as error:
                tell(error, Translator(state.language()))

    return st.fragment(guarded)


def fragment(draw: Callable[[], None]) -> Callable[[], None]:
    """As `part`, for what works with the model; where a lesson is on, its sheet follows below."""

    @wraps(draw)
    def with_sheet() -> None:
        from pages.learn import coach  # it makes moves, as pages do, and so imports this module

        t = Translator(state.language())
        coach.turn_to_page(t)
        draw()
        coach.draw(ready(state.session()), t)

    return part(with_sheet)


def drawn() -> None:
    """For pages that go on working while the visitor looks: what was asked is answered."""
    admission.mark_answered()


def admitted(t: Translator) -> bool:
    """Whether there is room for this visitor; where not, they are told so, and how to try again."""
    try:
        admission.admit()
    except EngineError as error:
        tell(error, t)
        st.button(t("host.again"), key="again", type="primary")
        return False
    return True


def tell(problem: EngineError | None, t: Translator, kept: str = "error.kept") -> None:
    """Say what went wrong, if anything did; of a prompt, that nothing of what was typed is lost."""
    if problem is not None:
        values = {name: plain(v) if isinstance(v, str) else v for name, v in problem.values.items()}
        sentence = t(f"error.{problem.code}", **values)
        say = st.warning if problem.code.startswith("limit_") else st.error  # nobody did anything wrong
        say(f"{sentence} {t(kept)}" if isinstance(problem, PromptError) else sentence)


def wait(session: Session, t: Translator) -> Model:
    """The session's model. Shows what is being read meanwhile; falls back to the bundled one with a problem noted."""
    try:
        return _wait(session.model_name, t)
    except ModelError as error:
        if session.model_name == bundled.BUNDLED_NAME:
            raise
        session.problem, session.model_name = error, session.fallback_model
        return _wait(session.model_name, t)


def _wait(name: str, t: Translator) -> Model:
    loading = model_registry.request(name)
    with st.container():  # always there, so that what follows keeps its place on the page
        return _show(loading, t)


def _show(loading: model_registry.ModelLoad, t: Translator) -> Model:
    place = st.empty()
    if not loading.done:
        # Meanwhile the browser fetches what draws charts: the first bars need not wait for it.
        chart_place = st.empty()
        chart_place.vega_lite_chart({"mark": "bar", "height": 1, "width": 1, "data": {"values": []}}, theme=None)
        stage = ""
        while not loading.wait(0.05):
            if loading.stage != stage:
                stage = loading.stage
                with place.container():
                    st.markdown(f"**{t('loading.title')}**")
                    stages = ("libraries", "files", "tokenizer", "weights", "warm_up")
                    st.progress((stages.index(stage) + 1) / (len(stages) + 1), t(f"loading.{stage}"))
        place.empty()
        chart_place.empty()
    return loading.result()
