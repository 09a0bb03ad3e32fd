"""How it learns: a real text under teacher forcing, and how the bundled model's predictions took shape in training."""

from __future__ import annotations

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.sampling.settings import Settings
from engine.serving import admission, config
from pages.ui import address, as_table, bars, forced, learning, models, page, settings, state, text_box
from pages.ui.handing import hand_over
from pages.ui.i18n import Translator

session = state.session()
forcing = state.forcing()
t = Translator(state.language())
TEXTS = t.list("training.examples.texts")


def read(text: str) -> None:
    admission.start_response_timer()
    model = models.ready(session)
    if model is not None:
        forcing.read(model, text)


def typed() -> None:
    read(str(state.widget("training_text") or ""))


def taken(text: str) -> None:
    state.set_widget("training_text", text)
    read(text)


def pick_bar(turn: int, token_id: int) -> None:
    """Go on from another token than the real one, on the step page."""
    hand_over(session, forcing.follow, turn, token_id)


def draw_box() -> None:
    state.default_widget("training_text", forcing.text)
    st.text_area(
        t("training.text"), key="training_text", height=96, on_change=typed, label_visibility="collapsed",
        placeholder=t("training.placeholder"), persist_state="session", disabled=config.current().demo,
    )  # fmt: skip
    st.button(t("training.start"), key="training_start", type="primary", on_click=typed)
    names = t.list("training.examples.names")
    text_box.examples(list(zip(names, TEXTS, strict=True)), t, taken, key="training")
    if forcing.problem is not None and forcing.problem.code == "context":
        st.error(t("training.too_long", **forcing.problem.values) + " " + t("error.kept"))
    else:
        models.tell(forcing.problem, t)


def draw_forced(model: engine.Model) -> None:
    score, at = forcing.score(model), forcing.at(model)
    forced.draw_chips(forced.chips(model, score, at, forcing.turn, t), state.dark(), t, forcing.open)
    if at is None:
        st.info(t("training.one_token"))
        return
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        st.subheader(t("training.here"), anchor=False)
        distribution = model.distribution(score.token_ids[:at], Settings())
        rows = bars.rows(distribution, 10, score.token_ids[at], set(), forcing.turn, t)
        bars.draw(rows, state.dark(), t, pick_bar, key="training_bars")
        st.caption(t("training.bars_note"))
    with right:
        st.subheader(t("training.worst"), anchor=False)
        forced.draw_worst(forced.worst(model, score, at, forcing.turn, t), state.dark(), forcing.open)
    st.subheader(t("training.shift"), anchor=False)
    st.caption(t("training.shift_note"))
    forced.draw_shifted(forced.shifted(model, score, at), state.dark(), t)
    st.markdown(t("training.why", predicted=f"{score.predicted:,}", loss=t.number(score.loss, 2)))
    columns = [t(f"training.{name}") for name in ("position", "token", "probability", "rank", "loss")]
    as_table.draw(t("training.numbers"), columns, forced.table(model, score, t), state.dark(), "training_table")


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
    state.default_widget("training_prompt", t("training.learned.first"))
    prompt = st.selectbox(t("training.learned.prompt"), prompts, key="training_prompt", persist_state="session")
    last = len(found.moments) - 1
    at = last if forcing.moment is None else min(forcing.moment, last)
    shown = learning.data(found, model, prompt, at, t)
    learning.draw(shown, state.dark(), t, lambda moment: forcing.rest(moment, len(found.moments)))
    _, recorded, current = learning.now(found, model, prompt)
    st.caption(t("training.learned.now", recorded=t.percent(recorded), now=t.percent(current)))
    st.caption(t("training.learned.honest"))


@models.fragment
def workbench() -> None:
    model = models.wait(session, t)
    forcing.ready(model, TEXTS[0])
    draw_box()
    if not forcing.ids or forcing.model != model.name:
        return
    draw_forced(model)
    draw_learned(model)
    here.write()


def show_text() -> None:
    state.set_widget("training_text", forcing.text or TEXTS[0])


here = address.Here(session, t, forcing, show_text)
page.begin(t("training.title"), t("training.lead"), session, t, "training")
here.open()
workbench()
with st.sidebar:
    settings.draw_model(session, t)
