"""The stage after the next step, sent before the visitor asks for it, so that a click on Next is answered at once.

The next token is known as soon as the distribution is: it depends on the text, the settings and the seed alone. After
each answer the model computes the text with that token appended; the stage's data of that text then goes to the browser
as its difference from the data that the browser has. `moves.js` shows it at a click on Next, if that is the first move
after the data on the screen; the app's own answer to the click, with the same data, follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from threading import Event
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from pages.components import in_advance
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.step import stage
from pages.step.state import StageState

if TYPE_CHECKING:
    import engine

WAIT_SECONDS = 0.25  # for the model; a slower one's answers are not sent in advance


def draw(computed: Event | None, data: dict[str, Any], after: Callable[[], dict[str, Any] | None]) -> None:
    """Send the difference from the stage's `data`, if the next text is `computed` soon and this is no run.

    `after` computes the data after the step, as `after_next` does.
    """
    known = None
    if not data["running"] and computed is not None and _wait(computed):
        with suppress(EngineError):  # which is shown when that step is asked for
            known = after()
    in_advance.send("next_step", data, known, "turn", "made")


def _wait(computed: Event) -> bool:
    """Wait for the model, but not for longer than until the visitor's next action."""
    end = time.monotonic() + WAIT_SECONDS
    while not computed.wait(0.01) and time.monotonic() < end:
        session_state.widget("stage")  # Streamlit begins the next run, if there is one, where its state is read
    return computed.is_set()


def after_next(
    session: TextState,
    state: StageState,
    model: engine.Model,
    t: Translator,
    simple: bool,
    head: tuple[int, int] | None,
) -> dict[str, Any] | None:
    """The stage's data after the move `next`; None if no token may follow."""
    after = session.after_step(model)
    if after is None:
        return None
    moved = copy(state)
    moved.new_moves([{"n": state.made + 1, "kind": "next"}])
    text = after.annotator.annotate(model, after.ready(model))
    return stage.data(after, moved, model, text, t, simple, head)
