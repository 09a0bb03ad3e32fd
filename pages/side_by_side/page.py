"""Side-by-side page: the same text under the model at hand and a second one, and how far their predictions differ."""

from __future__ import annotations

from functools import partial

import streamlit as st

import engine
from engine.errors import ModelError
from engine.serving import allowed_models, catalog, chat_servers
from engine.tokenization.unicode import readable
from pages.components import examples, prompt_area
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import (
    address,
    extensions,
    fragment,
    loading_progress,
    messages,
    model_access,
    model_picker,
    navigation,
    offered_prompts,
)
from pages.side_by_side import distribution_rows, sentences, step_strip, text_cuts
from pages.side_by_side.result import Result
from pages.side_by_side.state import DEFAULT_STEPS, STEP_RANGE, SideState, candidates

REFRESH_SECONDS = 0.3  # between two looks at a load, and of a run between two drawings of the page
SHOWN_CHARACTERS = 80  # of the end of a long text, which the box has whole: the bars stay in sight

session = session_state.get(TextState)
state = session_state.get(SideState)
t = Translator(session_state.language())


def name_of(name: str) -> str:
    """A model's name as visitors read it."""
    known = catalog.find(name)
    return known.title if known is not None and known.name == name else display_name(name, t)


def choose(key: str) -> None:
    """Callback: choose the second model."""
    state.choose(str(session_state.widget(key) or "").strip())


def draw_prompt() -> None:
    """Prompt box and example buttons. A prompt that is new on the step page is copied into the box."""
    if state.step_prompt != session.prompt:
        state.step_prompt = session.prompt
        session_state.set_widget("side_prompt", session.prompt)
    prompt_area.draw(t("step.prompt"), "side_prompt", placeholder=t("step.placeholder"), label_visibility="collapsed")
    set_prompt = partial(session_state.set_widget, "side_prompt")
    prompts = offered_prompts.offered(t)
    buttons = [Example(label, f"side example {text}", partial(set_prompt, text)) for label, text in prompts]
    with offered_prompts.box(prompts):
        examples.draw(buttons, t, note=offered_prompts.note(t))


def draw_choice(model: engine.Model) -> None:
    """The second model: the select box, its load or why it failed; how to get one where there is none."""
    names = candidates(model.name)
    names += [state.second] if state.second and state.second not in names else []
    free = allowed_models.has_wildcards()
    if names or free:
        key = f"side second {model.name} {state.second}"
        st.selectbox(
            t("side.second"), names, index=names.index(state.second) if state.second else None, key=key,
            format_func=name_of, accept_new_options=free, placeholder=t("side.choose"), on_change=choose, args=(key,),
        )  # fmt: skip
    if state.loading is not None:
        loading_progress.draw_stoppable(state.loading, "side_stop_loading", t("step.stop"), t("side.loading"), t)
    messages.show_problem(state.load_problem, t)
    if isinstance(state.load_problem, ModelError):
        st.button(t("side.again"), key="side_again", on_click=state.choose, args=(state.second,))
    if not state.second:
        st.markdown(t("side.alone" if names or free else "side.only_one"))
        if extensions.links is not None:
            st.page_link(navigation.path("models"), label=t("side.to_models"), width="content")


def draw_actions(model: engine.Model, other: engine.Model, result: Result) -> None:
    """Buttons that append a choice, and Back."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="side_actions"):
        for which, reading in enumerate(result.readings):
            letter = "AB"[which]
            choice = reading.choice
            label = t("side.none", model=letter)
            if choice is not None:
                label = t("side.take", model=letter, text=plain(readable(choice)))
            st.button(
                label, key=f"side_take_{letter}", on_click=state.take_choice, args=(model, other, state.turn, which),
                disabled=choice is None or state.run.running,
            )  # fmt: skip
        st.button(t("step.back"), key="side_back", on_click=state.back, disabled=not state.written or state.run.running)


def draw_run(model: engine.Model, other: engine.Model) -> None:
    """The lockstep run: its controls, the divergence at each step, and the button that keeps its text."""
    st.subheader(t("side.run_title"), anchor=False)
    st.caption(t("side.run_lead"))
    running = state.run.running
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="side_run"):
        session_state.default_widget("side_steps", DEFAULT_STEPS)
        count = st.slider(t("side.steps"), *STEP_RANGE, key="side_steps", persist_state="session", width=220)
        for leader, letter in enumerate("AB"):
            st.button(
                t("side.run", model=letter), key=f"side_run_{letter}", on_click=state.start,
                args=(model, other, leader, count), disabled=running,
            )  # fmt: skip
        st.button(t("step.stop"), key="side_stop", on_click=state.run.stop, disabled=not running)
    messages.show_problem(state.run.problem, t, "side.kept")
    work = state.run.work
    if work is None:
        return
    if work.steps:
        step_strip.draw(step_strip.data(work, t))
    if not running:
        if sentence := sentences.lockstep(work, t):
            st.markdown(sentence)
        if work.steps:
            st.button(t("side.keep"), key="side_keep", on_click=state.keep)


def draw_result(model: engine.Model, other: engine.Model | None, result: Result) -> None:
    """The text, both distributions, the divergence, the buttons; then the tokens and the run."""
    models = [model] if other is None else [model, other]
    names = [f"{letter} · {name_of(each.name)}" for letter, each in zip("AB", models, strict=False)]
    for name, reading in zip(names, result.readings, strict=True):
        if reading.problem is not None:
            st.markdown(t("side.cannot_read", name=plain(name)))
            messages.show_problem(reading.problem, t, "side.kept")
    for sentence in sentences.unknown(result, names, t):
        st.warning(sentence)
    st.text(state.text if len(state.text) <= SHOWN_CHARACTERS else f"…{state.text[-SHOWN_CHARACTERS:]}")
    if other is not None and result.comparison is not None and result.problem is None:
        draw_both(model, other, result, names)
    else:
        draw_alone(result, names)
    st.subheader(t("side.cuts_title"), anchor=False)
    text_cuts.draw(text_cuts.data(models, names, result, t))
    if other is not None and result.problem is None:
        st.markdown(" ".join(sentences.bits(result, t)))
        draw_run(model, other)


def draw_both(model: engine.Model, other: engine.Model, result: Result, names: list[str]) -> None:
    """Both distributions, the buttons, the divergence."""
    assert result.comparison is not None
    rows = distribution_rows.data(result.comparison, names, state.turn, t)
    distribution_rows.draw(rows, partial(state.pick, model, other))
    st.caption(t("side.pick"))
    draw_actions(model, other, result)
    draw_refusal(names)
    st.markdown(" ".join(sentences.divergence(result.comparison, t)))


def draw_refusal(names: list[str]) -> None:
    """Which model could not read the last text, and why."""
    if state.problem is not None and state.refused_by < len(names):
        st.markdown(t("side.refused", name=plain(names[state.refused_by])))
    messages.show_problem(state.problem, t, "side.kept")


def draw_alone(result: Result, names: list[str]) -> None:
    """The distribution of the model at hand by itself, and Back where text was appended."""
    if result.comparison is not None:
        rows = distribution_rows.data(result.comparison, names[:1], state.turn, t)
        distribution_rows.draw(rows, lambda turn, row: None)
    draw_refusal(names)
    if state.written:
        st.button(t("step.back"), key="side_back", on_click=state.back)


@fragment.workbench
def workbench() -> None:
    """The part of the page that is redrawn after each action, for each look at a load and each slice of a run."""
    model = model_access.wait_for_model(session, t)
    other = state.other(model)
    messages.show_model_problem(session.problem, t)
    with st.container():
        draw_choice(model)
    state.read(model, other, str(session_state.widget("side_prompt") or ""))
    if state.prompt:
        draw_result(model, other, state.result(model, other))
    else:
        messages.show_problem(state.problem, t, "side.kept")
    address_bar.update()
    fragment.mark_answered()
    if state.run.running:
        state.run.go_on(REFRESH_SECONDS)
        fragment.rerun()
    if state.loading is not None or chat_servers.look():
        fragment.rerun(after=REFRESH_SECONDS)


def sync_widgets() -> None:
    """Set the box to the restored text."""
    session_state.set_widget("side_prompt", state.prompt)


address_bar = address.AddressBar(session, t, state, sync_widgets)
frame.begin(t("side.title"), t("side.lead"), session, t)
address_bar.restore()
draw_prompt()
workbench()
model_picker.draw(session, t)
