"""Training page: a text under teacher forcing, and the bundled model's predictions during its training."""

from __future__ import annotations

from functools import partial

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.sampling.settings import Settings
from engine.serving import admission, config
from pages.components import examples
from pages.components.charts import probability_bars, probability_rows
from pages.components.examples import Example
from pages.components.tables import data_table
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, example_language, fragment, messages, model_access, model_picker, remote_notice
from pages.shell.open_in_step import open_in_step
from pages.training import export, scored_text, shifted_text, surprises
from pages.training import training_history as history_view
from pages.training.state import TrainingState

session = session_state.get(TextState)
state = session_state.get(TrainingState)
t = Translator(session_state.language())
WORK_SLICE_SECONDS = 0.3  # work on a text between two redraws of the page


def example_texts() -> list[str]:
    """Texts of the example buttons; the first is in the box at the beginning."""
    return example_language.for_prompts(t).list("training.examples.texts")


def load_text(text: str) -> None:
    admission.start_response_timer()
    model = model_access.loaded_model(session)
    if model is not None:
        state.load_text(model, text)


def on_typed() -> None:
    load_text(str(session_state.widget("training_text") or ""))


def load_example(text: str) -> None:
    session_state.set_widget("training_text", text)
    load_text(text)


def pick_bar(turn: int, token_id: int) -> None:
    """Continue on the step page with another token at the displayed position."""
    open_in_step(session, state.continue_with, turn, token_id)


def draw_box() -> None:
    session_state.default_widget("training_text", state.text)
    st.text_area(
        t("training.text"), key="training_text", height=96, on_change=on_typed, label_visibility="collapsed",
        placeholder=t("training.placeholder"), persist_state="session", disabled=config.current().demo,
    )  # fmt: skip
    st.button(t("training.start"), key="training_start", type="primary", on_click=on_typed)
    named_texts = zip(t.list("training.examples.names"), example_texts(), strict=True)
    buttons = [Example(name, f"training example {name}", partial(load_example, text)) for name, text in named_texts]
    examples.draw(buttons, t, "training examples")
    with st.container():
        if state.problem is not None and state.problem.code == "context":
            st.error(t("training.too_long", **state.problem.values) + " " + t("error.kept"))
        else:
            messages.show_problem(state.problem, t)


def read_text(model: engine.Model) -> None:
    """Score the text for a moment; where more remains, draw the progress and rerun."""
    if state.work(model, WORK_SLICE_SECONDS):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(t("step.stop"), key="training_stop", shortcut="Space", on_click=state.stop)
            st.progress(state.scoring(model).progress, width=200)
        fragment.rerun()


def draw_scored_text(model: engine.Model) -> None:
    score, at = state.score(model), state.position(model)
    if state.stopped:
        st.caption(t("training.stopped", count=f"{len(score.token_ids):,}", total=f"{len(state.ids):,}"))
        if at is None:
            return
    scored_text.draw(scored_text.data(model, score, at, state.turn, t), t, state.open_position)
    if at is None:
        st.info(t("training.one_token"))
        return
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        st.subheader(t("training.here"), anchor=False)
        distribution = model.distribution(score.token_ids[:at], Settings())
        rows = probability_rows.rows(distribution, 10, score.token_ids[at], set(), state.turn, t)
        probability_bars.draw(rows, t, pick_bar, key="training_bars")
        st.caption(t("training.bars_note"))
    with right:
        st.subheader(t("training.worst"), anchor=False)
        surprises.draw(surprises.data(model, score, at, state.turn, t), state.open_position)
    st.subheader(t("training.shift"), anchor=False)
    st.caption(t("training.shift_note"))
    shifted_text.draw(shifted_text.input_target_pairs(model, score, at, t), t)
    st.markdown(scored_text.explanation(score, t))
    columns = [t(f"training.{name}") for name in ("position", "token", "probability", "rank", "loss")]
    data_table.draw(t("training.numbers"), columns, scored_text.table(model, score, t), "training_table")


def draw_training_history(model: engine.Model) -> None:
    if model.name != BUNDLED_NAME:
        st.caption(t("training.learned.other"))
        return
    st.subheader(t("training.learned.title"), anchor=False)
    from engine.bundled.training_history import training_history

    history = training_history()
    steps = f"{history.checkpoints[-1].step:,}"
    prompts = list(history.prompts)
    languages = history_view.languages(prompts, t)
    count, top = len(history.checkpoints), history.top
    st.caption(t("training.learned.lead", steps=steps, count=count, top=top, languages=languages))
    session_state.default_widget("training_prompt", history_view.first_prompt(prompts, t))
    prompt = st.selectbox(t("training.learned.prompt"), prompts, key="training_prompt", persist_state="session")
    checkpoint = count - 1 if state.checkpoint is None else min(state.checkpoint, count - 1)
    payload = history_view.data(history, model, prompt, checkpoint, t)
    history_view.draw(payload, t, lambda checkpoint: state.select_checkpoint(checkpoint, count))
    _, recorded, current = history_view.final_prediction(history, model, prompt)
    st.caption(t("training.learned.now", recorded=t.percent(recorded), now=t.percent(current)))
    st.caption(t("training.learned.honest"))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    messages.show_model_problem(session.problem, t)
    state.update_text(model, example_texts()[0])
    draw_box()
    if not state.ids or state.model != model.name:
        return
    if remote_notice.draw_missing(session, model, "whole", t):
        address_bar.update()
        return
    with st.container():
        read_text(model)
        draw_scored_text(model)
    draw_training_history(model)
    address_bar.update()


def sync_text_box() -> None:
    session_state.set_widget("training_text", state.text or example_texts()[0])


address_bar = address.AddressBar(session, t, state, sync_text_box)
frame.begin(t("training.title"), t("training.lead"), session, t, export.EXPORTS)
address_bar.restore()
workbench()
model_picker.draw(session, t)
