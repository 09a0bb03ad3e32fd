"""What adding the next token is used for: six tasks made by their prompts alone, and models people have heard of."""

from __future__ import annotations

from functools import partial

import streamlit as st

import engine
from engine import bundled
from engine.serving import config, model_registry
from pages.components import examples
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.incremental_run import IncrementalRun
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker
from pages.shell.open_in_step import open_in_step
from pages.uses import prompt_view
from pages.uses.state import ONE_LINE, TASKS, TaskName, TaskRun, UsesState, parts

BREATH = 0.001  # seconds of work between two looks at it: a token
PACE = 0.03  # seconds between tokens, so that an eye can follow and a hand can stop it
FAMILIES = ("gpt", "qwen", "ernie", "code", "bart", "hosted")

session = session_state.get(TextState)
using = session_state.get(UsesState)
t = Translator(session_state.language())


def shown() -> TaskName:
    chosen: TaskName = session_state.widget("uses_task") or TASKS[0]
    return chosen


def key(task: TaskName) -> str:
    return f"uses {task} {t.language}"


def run(task: TaskName) -> None:
    model = model_access.loaded_model(session)
    if model is not None:
        using.run(model, task, str(session_state.widget(key(task)) or ""), t)


def take(task: TaskName) -> None:
    open_in_step(session, using.take, task)


def draw_question(task: TaskName) -> None:
    """The part of the prompt that is the visitor's."""
    inputs = t.list(f"uses.{task}.inputs")
    session_state.default_widget(key(task), inputs[0])
    st.text_input(t(f"uses.{task}.asks"), key=key(task), persist_state="session", disabled=config.current().demo)
    set_input = partial(session_state.set_widget, key(task))
    buttons = [Example(text, f"uses example {task} {at}", partial(set_input, text)) for at, text in enumerate(inputs)]
    examples.draw(buttons, t)


def draw_controls(task: TaskName, trial: IncrementalRun) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t("uses.run"), key="uses_run", type="primary", on_click=run, args=(task,), disabled=trial.running)
        st.button(t("step.stop"), key="uses_stop", shortcut="Space", on_click=trial.stop, disabled=not trial.running)
        ready = trial.work is not None and not trial.running
        st.button(t("uses.take"), key="uses_take", on_click=take, args=(task,), disabled=not ready)
    messages.show_problem(trial.problem, t, "limits.kept")


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    using.ready(model)
    task = shown()
    trial = using.trial(task)
    draw_question(task)
    draw_controls(task, trial)
    asked = str(session_state.widget(key(task)) or "")
    # What was written belongs to what was asked then: other words show their own prompt, and wait.
    writing = trial.work if trial.asked == (asked, t.language) and isinstance(trial.work, TaskRun) else None
    pieces = prompt_view.data(parts(task, asked, t), writing, model, trial.running, t)
    prompt_view.draw(pieces, "uses_prompt")
    draw_words(task, model)
    fragment.mark_answered()
    address_bar.update()
    if trial.running:
        trial.go_on(BREATH)
        fragment.rerun(after=PACE)


def draw_words(task: TaskName, model: engine.Model) -> None:
    """How the prompt makes the task, what the bundled model makes of it, and what size of model can."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{t('uses.how')}**")
        st.markdown(t(f"uses.{task}.how") + (" " + t("uses.one_line") if task in ONE_LINE else ""))
    with right:
        st.markdown(f"**{t('uses.can')}**")
        if model.name == bundled.BUNDLED_NAME:
            st.markdown(t(f"uses.{task}.bundled"))
        st.markdown(t(f"uses.{task}.size"))


def draw_families() -> None:
    """The families people have heard of, what of each loads here, and what each can show."""
    st.subheader(t("uses.families"), anchor=False)
    st.caption(t("uses.families_lead"))
    st.code("ENGINE_MODELS='openai-community/gpt2, Qwen/*, baidu/*' make run", language=None)
    for at in range(0, len(FAMILIES), 2):
        for column, family in zip(st.columns(2, gap="large"), FAMILIES[at : at + 2], strict=True):
            with column:
                st.markdown(f"**{t(f'uses.family.{family}.name')}**")
                for name in t.list(f"uses.family.{family}.load"):
                    draw_load(name)
                st.markdown(t(f"uses.family.{family}.shows"))


def draw_load(name: str) -> None:
    """A model by its name; a button where this host allows it."""
    if model_registry.allowed(name) and not config.current().demo:
        st.button(name, key=f"uses load {name}", on_click=session.choose_model, args=(name,),
                  disabled=session.model_name == name, help=t("uses.load"))  # fmt: skip
    else:
        st.markdown(f"`{name}`", help=t("uses.not_allowed"))


address_bar = address.AddressBar(session, t, widgets={"task": ("uses_task", TASKS)})
frame.begin(t("uses.title"), t("uses.lead"), session, t)
address_bar.restore()
st.segmented_control(
    t("uses.which"), TASKS, default=TASKS[0], required=True, format_func=lambda task: t(f"uses.{task}.name"),
    key="uses_task", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
workbench()
with st.container(key="uses_families"):
    draw_families()
with st.sidebar:
    model_picker.draw(session, t)
