"""Page of the whole model: one picture from the text to the next token, with the numbers behind every box."""

from __future__ import annotations

import streamlit as st

import engine
from engine.errors import EngineError
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker, navigation, prompt_box, remote_notice
from pages.transformer import diagram
from pages.transformer.details import Shown
from pages.transformer.state import TransformerState

session = session_state.get(TextState)
state = session_state.get(TransformerState)
t = Translator(session_state.language())


def move(text_version: int, kind: str) -> None:
    """Append the next token, or go one back."""
    if text_version == state.text_version:
        model_access.run_action(session, TextState.step if kind == "append" else TextState.back)


def leave(box: str) -> None:
    state.leaving = diagram.PAGES.get(box, "")


def draw_model(model: engine.Model) -> None:
    ids = state.update_text(session, model)
    try:
        found = state.activations(model)
    except EngineError as error:
        if error.code != "lens":
            raise
        st.info(t("transformer.closed"))
        return
    distribution, chosen, u = session.choice(model)
    shown = Shown(
        model=model, found=found, labels=model.pieces(ids), layer=state.layer, head=state.head,
        distribution=distribution, chosen=None if session.end(model) else chosen, u=u, session=session,
    )  # fmt: skip
    diagram.draw(diagram.data(shown, state, t), t, state.show, move, leave)


@fragment.workbench
def workbench() -> None:
    if state.leaving:
        page, state.leaving = state.leaving, ""
        st.switch_page(navigation.path(page))
    model = model_access.wait_for_model(session, t)
    messages.show_problem(session.problem, t)
    if remote_notice.draw_missing(session, model, "inside", t):
        return
    draw_model(model)
    fragment.mark_answered()
    address_bar.update()


address_bar = address.AddressBar(session, t, state)
frame.begin(t("transformer.title"), t("transformer.lead"), session, t)
address_bar.restore()
prompt_box.draw(session, t)
workbench()
model_picker.draw(session, t)
