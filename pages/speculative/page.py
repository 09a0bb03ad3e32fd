"""Speculative decoding page: guesses that are checked several at once, and Jacobi decoding as the contrast."""

from __future__ import annotations

from functools import partial

import streamlit as st

import engine
from engine.errors import TraceError
from engine.trace.text_codec import decode_text, encode_text
from pages.components import examples, prompt_area
from pages.components.examples import Example
from pages.components.tables import pass_grid
from pages.frame import frame
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.incremental_run import IncrementalRun
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.shell import (
    address,
    example_language,
    fragment,
    messages,
    model_access,
    model_picker,
    remote_notice,
    sampling_controls,
)
from pages.speculative import jacobi_grid, rounds, sentences
from pages.speculative.state import (
    DEFAULT_GUESSES,
    DEFAULT_TOKENS,
    DRAFTERS,
    EXPERIMENTS,
    LAYERS,
    LOOKUP,
    MOST_GUESSES,
    OTHER,
    TOKENS,
    Experiment,
    Plan,
    SpeculativeState,
)

LONGEST_CODE = 2_000  # characters of the text in the URL
WORK_SLICE_SECONDS = 0.2  # work on a run between two drawings of the page
STRATEGIES = ("greedy", "sample")

session = session_state.get(TextState)
state = session_state.get(SpeculativeState)
t = Translator(session_state.language())


def shown() -> Experiment:
    name: Experiment = session_state.widget("speculative_shown") or EXPERIMENTS[0]
    return name


def prompt() -> str:
    return str(session_state.widget(prompt_key()) or "")


def prompt_key() -> str:
    """Key of the prompt box; its examples depend on the language of the prompts."""
    return f"speculative prompt {example_language.for_prompts(t).language}"


class Prompt:
    """The text in the box as a part of the URL, where it is not the first example."""

    def to_query(self) -> dict[str, str]:
        code = encode_text(prompt(), "")
        own = prompt().strip() and prompt() != example_language.for_examples(t).list("speculative.examples")[0]
        return {"speculative": code} if own and len(code) < LONGEST_CODE else {}

    def from_query(self, params: QueryParams, session: TextState, model: engine.Model) -> None:
        if "speculative" in params:
            try:
                session_state.set_widget(prompt_key(), decode_text(params.text("speculative"))[0])
            except TraceError:
                params.unread.add("speculative")


def plan_of(layers: int, other: str) -> Plan:
    """Values of the controls."""
    return Plan(
        prompt(),
        session_state.widget("speculative_drafter") or LAYERS,
        layers,
        session_state.widget("speculative_guesses") or DEFAULT_GUESSES,
        session_state.widget("speculative_how") or "greedy",
        session_state.widget("speculative_tokens") or DEFAULT_TOKENS,
        other,
    )


def start(name: Experiment, layers: int, other: str) -> None:
    """Callback: run an experiment with the values of the controls."""
    model = model_access.loaded_model(session)
    if model is None:
        return
    if name == "jacobi":
        state.iterate(model, prompt(), session_state.widget("speculative_tokens") or DEFAULT_TOKENS)
    else:
        state.draft(model, plan_of(layers, other), session.settings, session.seed)


def draw_prompt() -> None:
    texts = example_language.for_examples(t).list("speculative.examples")
    key = prompt_key()
    session_state.default_widget(key, texts[0])
    prompt_area.draw(t("speculative.prompt"), key, placeholder=t("step.placeholder"), label_visibility="collapsed")
    buttons = [
        Example(text, f"speculative example {text}", partial(session_state.set_widget, key, text)) for text in texts
    ]
    examples.draw(buttons, t, note=example_language.note(t))


def draw_drafter(model: engine.Model) -> tuple[int, str]:
    """Controls of the drafter. Returns its number of layers and the name of the other model."""
    most = model.prefix_cache.forward.layers - 1
    others = state.others(model)
    choices = [name for name in DRAFTERS if (name != LAYERS or most > 0) and (name != OTHER or others)]
    if session_state.widget("speculative_drafter") not in choices:
        session_state.set_widget("speculative_drafter", choices[0])
    drafter = st.segmented_control(
        t("speculative.drafter"), choices, required=True, key="speculative_drafter", persist_state="session",
        format_func=lambda name: t(f"speculative.by.{name}"), help=t("speculative.drafter_help"), width="content",
    )  # fmt: skip
    layers, other = max(1, (most + 1) // 2), others[0] if others else ""
    if drafter == LAYERS and most > 1:
        key = f"speculative layers {model.name}"
        session_state.default_widget(key, layers)
        layers = st.slider(t("speculative.layers", n=most + 1), 1, most, key=key, persist_state="session", width=170)
    if drafter == OTHER and len(others) > 1:
        other = st.selectbox(
            t("speculative.other"), others, key=f"speculative other {model.name}",
            format_func=lambda name: display_name(name, t), width=220,
        )  # fmt: skip
    return layers, other


def draw_inputs(name: Experiment, run: IncrementalRun, model: engine.Model) -> None:
    """Prompt, controls and buttons of an experiment, and whether its result is of other values."""
    draw_prompt()
    layers, other = 1, ""
    with st.container(key="speculative_controls", horizontal=True, gap="small", vertical_alignment="bottom"):
        if name == "drafting":
            layers, other = draw_drafter(model)
            session_state.default_widget("speculative_guesses", DEFAULT_GUESSES)
            st.slider(
                t("speculative.guesses"), 1, MOST_GUESSES, key="speculative_guesses", persist_state="session", width=150
            )
            session_state.default_widget("speculative_how", STRATEGIES[0])
            st.segmented_control(
                t("speculative.how"), STRATEGIES, required=True, key="speculative_how", persist_state="session",
                format_func=lambda value: t(f"settings.{value}"), help=t("speculative.how_help"), width="content",
            )  # fmt: skip
        sampling_controls.token_count_slider(
            t("speculative.tokens"), *TOKENS, DEFAULT_TOKENS, "speculative_tokens", width=150
        )
        with st.container(horizontal=True, gap="small", width="content"):  # they stay together
            st.button(
                t(f"speculative.start.{name}"), key="speculative_start", type="primary", on_click=start,
                args=(name, layers, other), disabled=run.running,
            )  # fmt: skip
            st.button(
                t("step.stop"), key="speculative_stop", shortcut="Space", on_click=run.stop, disabled=not run.running
            )
    if run.running:
        st.progress(run.work.progress)
    elif run.stopped:
        st.caption(t("limits.stopped"))
    elif run.work is None:
        st.caption(t(f"speculative.first.{name}"))
    messages.show_problem(run.problem, t, "limits.kept")
    asked = prompt() if name == "jacobi" else plan_of(layers, other)
    if run.work is not None and not run.running and run.asked != asked:
        st.caption(t("speculative.stale"))


def draw_drafting(run: IncrementalRun, model: engine.Model) -> None:
    plan: Plan = run.asked
    picture, told = st.columns([3, 2], gap="medium")
    with picture:
        if run.work.rounds:
            rounds.draw(rounds.data(run.work, model, plan.prompt, plan.drafter == LOOKUP, run.turn, t))
    with told:
        for sentence in sentences.about_drafting(run.work, plan, model.prefix_cache.forward.layers, t):
            st.markdown(sentence)
        with st.expander(t("speculative.why.name")):
            st.markdown(t("speculative.why.text"))


def draw_jacobi(run: IncrementalRun, model: engine.Model) -> None:
    if about := sentences.about_jacobi(run.work, t):
        st.markdown(" ".join(about))
    pass_grid.draw(jacobi_grid.data(run.work, model, t))
    st.caption(t("speculative.grid.note"))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    messages.show_model_problem(session.problem, t)
    if remote_notice.draw_missing(session, model, "speed", t):
        return
    state.ready(model)
    name = shown()
    run = state.runs[name]
    with st.container():
        draw_inputs(name, run, model)
    with st.container(key="speculative_result"):
        if run.work is not None:
            (draw_drafting if name == "drafting" else draw_jacobi)(run, model)
    address_bar.update()
    fragment.mark_answered()
    if run.running:
        run.go_on(WORK_SLICE_SECONDS)
        fragment.rerun()


guesses = (DEFAULT_GUESSES, *(n for n in range(1, MOST_GUESSES + 1) if n != DEFAULT_GUESSES))
address_bar = address.AddressBar(
    session, t, Prompt(),
    widgets={
        "shown": ("speculative_shown", EXPERIMENTS),
        "drafter": ("speculative_drafter", DRAFTERS),
        "guesses": ("speculative_guesses", guesses),
        "how": ("speculative_how", STRATEGIES),
    },
)  # fmt: skip
frame.begin(t("speculative.title"), t("speculative.lead"), session, t)
address_bar.restore()
session_state.default_widget("speculative_shown", EXPERIMENTS[0])
st.segmented_control(
    t("speculative.which"), EXPERIMENTS, required=True, format_func=lambda name: t(f"speculative.name.{name}"),
    key="speculative_shown", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
st.caption(t(f"speculative.about.{shown()}"))
workbench()
model_picker.draw(session, t)
