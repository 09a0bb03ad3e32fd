"""What writing one token after another costs: four experiments, each measured now on the model at hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

import engine
from engine.errors import EngineError
from engine.serving import config
from pages.ui import address, as_table, bars, lines, models, page, settings, shaded, state, texts
from pages.ui import limits_rows as rows
from pages.ui import limits_told as told
from pages.ui.handing import hand_over
from pages.ui.i18n import Translator
from pages.ui.limits_session import NAMES, Name, Trial

BREATH = 0.3  # seconds of work between two looks at it

session = state.session()
limits = state.limits()
t = Translator(state.language())
demo = config.current().demo


def shown() -> Name:
    chosen: Name = state.widget("limits_shown") or NAMES[0]
    return chosen


def key(name: str) -> str:
    """Of a widget whose first value is a text of the language."""
    return f"limits {name} {t.language}"


def text(name: str) -> str:
    return str(state.widget(key(name)) or "")


def start(name: Name) -> None:
    model = models.ready(session)
    if model is None:
        return
    if name == "sequential":
        limits.time(model, text("sequential"))
    elif name == "errors":
        force(model)
    elif name == "left":
        limits.fill(model, text("left"), tuple(state.widget(key("candidates")) or ()))
    else:
        from engine.experiments.exposure_bias import BETWEEN  # torch comes with it: not before a model is there

        given = tuple(line.strip() for line in text("exposure").splitlines() if line.strip())
        greedy = state.widget("limits_greedy") == "greedy"
        limits.expose(model, given, greedy, int(state.widget("limits_between") or BETWEEN), session.seed)


def force(model: engine.Model) -> None:
    """Force the token that was picked from the list, or the one that was typed into it."""
    prompt, wanted = text("errors"), str(state.widget("limits_forced") or "")
    trial = limits.trials["errors"]
    try:
        options, first = rows.forced_options(model, *limits.ladder(model, prompt), t)
    except EngineError as error:
        trial.problem = error
        return
    found = [options[wanted or first]] if (wanted or first) in options else model.vocabulary.search(wanted, 1)
    if found:
        limits.force(session, model, prompt, found[0])
    else:
        trial.problem = EngineError("no_token", "no such token")


def take(move: Callable[..., bool], which: str, value: dict[str, Any]) -> None:
    """Hand a text over to the step page."""
    hand_over(session, move, value["turn"], value[which])


def draw_box(name: str) -> None:
    """The experiment's own prompt, with a few that were given."""
    examples = t.list(f"limits.{name}.examples")
    state.default_widget(key(name), examples[0])
    st.text_input(t(f"limits.{name}.prompt"), key=key(name), placeholder=t("step.placeholder"), persist_state="session")
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="examples"):
        st.caption(t("step.try"), width="content")
        for at, example in enumerate(examples):
            st.button(example, key=f"limits example {name} {at}", type="tertiary", on_click=set_example,
                      args=(name, at))  # fmt: skip


def set_example(name: str, at: int) -> None:
    state.set_widget(key(name), t.list(f"limits.{name}.examples")[at])
    if name == "left":
        state.set_widget(key("candidates"), t.list("limits.left.candidates")[at].split("/"))


def draw_question(name: Name, model: engine.Model) -> None:
    """What can be asked."""
    from engine.experiments.cloze import MOST
    from engine.experiments.exposure_bias import BETWEEN

    if name == "exposure":
        state.default_widget(key(name), "\n".join(t.list("limits.exposure.examples")))
        st.text_area(t("limits.exposure.prompt"), key=key(name), height=190, persist_state="session", disabled=demo)
        left, right = st.columns(2, gap="medium", vertical_alignment="bottom")
        with left:
            st.segmented_control(
                t("limits.exposure.how"), ("sample", "greedy"), default="sample", required=True,
                format_func=lambda how: t(f"settings.{how}"), key="limits_greedy", persist_state="session",
            )  # fmt: skip
        with right:
            settings.length(t("limits.exposure.between"), 4, 24, BETWEEN, "limits_between")
        return
    draw_box(name)
    if name == "left":
        state.default_widget(key("candidates"), t.list("limits.left.candidates")[0].split("/"))
        known = {word for line in t.list("limits.left.candidates") for word in line.split("/")}
        st.multiselect(
            t("limits.left.list"), sorted(known | set(state.widget(key("candidates")) or ())),
            key=key("candidates"), accept_new_options=not demo, max_selections=MOST, persist_state="session",
            placeholder=t("limits.left.add"), help=t("limits.left.list_help"),
        )  # fmt: skip
    if name == "errors":
        draw_forced(model)


def draw_forced(model: engine.Model) -> None:
    """The list of tokens to force, as probable and improbable as the prompt makes them."""
    try:
        options, first = rows.forced_options(model, *limits.ladder(model, text("errors")), t)
    except EngineError as error:
        models.tell(error, t, "limits.kept")
        return
    if limits.forced_for != text("errors") or not state.widget("limits_forced"):  # another prompt has another list
        limits.forced_for = text("errors")
        state.set_widget("limits_forced", first)
    st.selectbox(
        t("limits.errors.force"), list(options), key="limits_forced", accept_new_options=not demo,
        help=t("limits.errors.force_help"), persist_state="session",
    )  # fmt: skip


def draw_controls(name: Name, trial: Trial) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t(f"limits.{name}.start"), key="limits_start", type="primary", on_click=start, args=(name,),
                  disabled=trial.running)  # fmt: skip
        if name != "left":
            st.button(t("step.stop"), key="limits_stop", shortcut="Space", on_click=trial.stop,
                      disabled=not trial.running)  # fmt: skip
        if trial.running:
            st.progress(trial.work.progress, width=200)
        elif trial.stopped:
            st.caption(t("limits.stopped"), width="content")
        elif trial.work is None:
            st.caption(t(f"limits.{name}.first"), width="content")
    models.tell(trial.problem, t, "limits.kept")


@models.fragment
def workbench() -> None:
    model = models.wait(session, t)
    limits.ready(model)
    name = shown()
    trial = limits.trials[name]
    draw_question(name, model)
    above, below = st.container(), st.container()
    with above:
        draw_controls(name, trial)
    with below:
        if trial.work is not None:
            {"sequential": draw_sequential, "errors": draw_errors, "left": draw_left, "exposure": draw_exposure}[name](
                trial, model
            )
    here.write()
    models.drawn()
    if trial.running:
        trial.go_on(BREATH)
        state.rerun()


def draw_sequential(trial: Trial, model: engine.Model) -> None:
    curves = told.times(trial.work, t)
    axes = lines.Axes(t("limits.sequential.x"), t("limits.sequential.y"), ",d", trial.work.lengths[1:])
    lines.draw(curves, axes, state.dark(), "limits_times", 280)
    for sentence in told.times_told(trial.work, t):
        st.markdown(sentence)
    st.caption(t("limits.sequential.note"))
    lines.draw_table(curves, t("limits.sequential.x"), 1, state.dark(), t, "limits_times_table")


def draw_errors(trial: Trial, model: engine.Model) -> None:
    texts.draw(
        rows.fork_rows(trial.work, model, trial.turn, t), state.dark(), t,
        lambda value: take(limits.take_branch, "entry", value), "limits_fork", rows.fork_columns(t),
        "limits.errors.legend",
    )  # fmt: skip
    values, perplexities = told.errors_lines(trial.work, model, t)
    left, right = st.columns(2, gap="medium")
    with left:
        axes = lines.Axes(t("limits.errors.x"), t("limits.errors.y"), ".0f")
        lines.draw(values, axes, state.dark(), "limits_values", 190)
    with right:
        axes = lines.Axes(t("limits.errors.x"), t("limits.errors.y_perplexity"), ",.0f")
        lines.draw(perplexities, axes, state.dark(), "limits_perplexities", 190)
    if not trial.running:
        shaded.draw([], told.errors_plain(trial.work, model, t), state.dark(), "limits_errors_told")
        for sentence in told.errors_told(trial.work.pairs, t):
            st.markdown(sentence)
    lines.draw_table(values, t("limits.errors.x"), 2, state.dark(), t, "limits_values_table")
    lines.draw_table(perplexities, t("limits.errors.x"), 1, state.dark(), t, "limits_perplexities_table")


def draw_left(trial: Trial, model: engine.Model) -> None:
    found = trial.work
    shaded.draw([], told.left_plain(found, model, t), state.dark(), "limits_left_told")
    labels = tuple(t(f"limits.left.tip.{name}") for name in ("tokens", "log_left", "left", "whole", "log_right"))
    bars.draw(rows.cloze_bars(found, trial.turn, t), state.dark(), t, lambda *_: None, "limits_bars", labels)
    st.caption(t("limits.left.legend"))
    texts.draw(
        rows.cloze_rows(found, model, trial.turn, t), state.dark(), t,
        lambda value: take(limits.take_filled, "text", value), "limits_cloze", rows.cloze_columns(t),
        "limits.left.rows_legend",
    )  # fmt: skip
    as_table.draw(
        t("limits.table"), rows.cloze_columns_read(t), rows.cloze_table(found, t), state.dark(), "limits_left_table"
    )


def draw_exposure(trial: Trial, model: engine.Model) -> None:
    exposure = trial.work
    given = trial.asked[0]
    if len(exposure.used) < len(given):
        st.caption(t("limits.exposure.left_out", count=len(given) - len(exposure.used)))
    if not exposure.finished:
        return
    curves = told.exposure_lines(exposure, t)
    axes = lines.Axes(t("limits.exposure.x"), t("limits.exposure.y"), ".0f")
    lines.draw(curves, axes, state.dark(), "limits_exposure", 260)
    for sentence in told.exposure_told(exposure, t):
        st.markdown(sentence)
    st.caption(t("limits.exposure.note"))
    lines.draw_table(curves, t("limits.exposure.x"), 2, state.dark(), t, "limits_exposure_table")
    with st.expander(t("limits.exposure.written")):
        st.dataframe(
            {
                t("limits.exposure.text"): [exposure.beginning(i) for i in range(len(exposure.used))],
                t("limits.exposure.own_middle"): [model.text(middles[0]) for middles in exposure.written],
                t("limits.exposure.true_middle"): [exposure.middle(i) for i in range(len(exposure.used))],
            },
            hide_index=True,
            key="limits_written",
        )


here = address.Here(session, t, widgets={"shown": ("limits_shown", NAMES)})
page.begin(t("limits.title"), t("limits.lead"), session, t, "limits")
here.open()
state.default_widget("limits_shown", NAMES[0])
st.segmented_control(
    t("limits.which"), NAMES, required=True, format_func=lambda name: t(f"limits.{name}.name"),
    key="limits_shown", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
st.caption(t(f"limits.{shown()}.lead"))
if shown() == "errors":
    with st.sidebar:
        settings.draw(session, t)
workbench()
with st.sidebar:
    settings.draw_model(session, t)
