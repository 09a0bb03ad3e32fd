"""How it learns: a real text under teacher forcing, and how the bundled model's predictions took shape in training."""

from __future__ import annotations

from functools import partial

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.sampling.settings import Settings
from engine.serving import admission, config
from pages.components import data_table, examples, probability_bars
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker
from pages.shell.open_in_step import open_in_step
from pages.training import export, scored_text, shifted_text, surprises
from pages.training import training_history as training_history_module
from pages.training.state import TrainingState

session = session_state.get(TextState)
forcing = session_state.get(TrainingState)
t = Translator(session_state.language())
TEXTS = t.list("training.examples.texts")


def read(text: str) -> None:
    admission.start_response_timer()
    model = model_access.loaded_model(session)
    if model is not None:
        forcing.read(model, text)


def typed() -> None:
    read(str(session_state.widget("training_text") or ""))


def taken(text: str) -> None:
    session_state.set_widget("training_text", text)
    read(text)


def pick_bar(turn: int, token_id: int) -> None:
    """Go on from another token than the real one, on the step page."""
    open_in_step(session, forcing.follow, turn, token_id)


def draw_box() -> None:
    session_state.default_widget("training_text", forcing.text)
    st.text_area(
        t("training.text"), key="training_text", height=96, on_change=typed, label_visibility="collapsed",
        placeholder=t("training.placeholder"), persist_state="session", disabled=config.current().demo,
    )  # fmt: skip
    st.button(t("training.start"), key="training_start", type="primary", on_click=typed)
    names = t.list("training.examples.names")
    rows = zip(names, TEXTS, strict=True)
    buttons = [Example(name, f"training example {name}", partial(taken, text)) for name, text in rows]
    examples.draw(buttons, t, "training examples")
    if forcing.problem is not None and forcing.problem.code == "context":
        st.error(t("training.too_long", **forcing.problem.values) + " " + t("error.kept"))
    else:
        messages.show_problem(forcing.problem, t)


def draw_forced(model: engine.Model) -> None:
    score, at = forcing.score(model), forcing.at(model)
    scored_text.draw_chips(scored_text.chips(model, score, at, forcing.turn, t), t, forcing.open)
    if at is None:
        st.info(t("training.one_token"))
        return
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        st.subheader(t("training.here"), anchor=False)
        distribution = model.distribution(score.token_ids[:at], Settings())
        rows = probability_bars.rows(distribution, 10, score.token_ids[at], set(), forcing.turn, t)
        probability_bars.draw(rows, t, pick_bar, key="training_bars")
        st.caption(t("training.bars_note"))
    with right:
        st.subheader(t("training.worst"), anchor=False)
        surprises.draw_worst(surprises.worst(model, score, at, forcing.turn, t), forcing.open)
    st.subheader(t("training.shift"), anchor=False)
    st.caption(t("training.shift_note"))
    shifted_text.draw_shifted(shifted_text.shifted(model, score, at), t)
    st.markdown(t("training.why", predicted=f"{score.predicted:,}", loss=t.number(score.loss, 2)))
    columns = [t(f"training.{name}") for name in ("position", "token", "probability", "rank", "loss")]
    data_table.draw(t("training.numbers"), columns, scored_text.table(model, score, t), "training_table")


def draw_learned(model: engine.Model) -> None:
    st.subheader(t("training.learned.title"), anchor=False)
    if model.name != BUNDLED_NAME:
        st.info(t("training.learned.other"))
        return
    from engine.bundled.training_history import training_history

    found = training_history()
    steps = f"{found.moments[-1].step:,}"
    st.caption(t("training.learned.lead", steps=steps, count=len(found.moments), top=found.top))
    prompts = list(found.prompts)
    session_state.default_widget("training_prompt", t("training.learned.first"))
    prompt = st.selectbox(t("training.learned.prompt"), prompts, key="training_prompt", persist_state="session")
    last = len(found.moments) - 1
    at = last if forcing.moment is None else min(forcing.moment, last)
    shown = training_history_module.data(found, model, prompt, at, t)
    training_history_module.draw(shown, t, lambda moment: forcing.rest(moment, len(found.moments)))
    _, recorded, current = training_history_module.now(found, model, prompt)
    st.caption(t("training.learned.now", recorded=t.percent(recorded), now=t.percent(current)))
    st.caption(t("training.learned.honest"))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    forcing.ready(model, TEXTS[0])
    draw_box()
    if not forcing.ids or forcing.model != model.name:
        return
    draw_forced(model)
    draw_learned(model)
    address_bar.update()


def show_text() -> None:
    session_state.set_widget("training_text", forcing.text or TEXTS[0])


address_bar = address.AddressBar(session, t, forcing, show_text)
frame.begin(t("training.title"), t("training.lead"), session, t, export.EXPORTS)
address_bar.restore()
workbench()
with st.sidebar:
    model_picker.draw(session, t)
