"""Error accumulation on the limits page: one improbable token forced, and both continuations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from engine.errors import EngineError
from engine.model.perplexity import perplexity
from pages.components.tables import shaded_tokens, text_table
from pages.i18n.translator import Translator
from pages.limits import line_chart
from pages.limits.line_chart import Line, Point
from pages.limits.state import EQUAL_WITHIN, LimitsState
from pages.session import session_state
from pages.session.incremental_run import IncrementalRun
from pages.session.text_state import TextState
from pages.shell import messages

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.experiments.error_accumulation import ForcedTokenExperiment, TextPair
    from engine.model.model import Model


def text_groups(fork: ForcedTokenExperiment, model: Model, turn: int, t: Translator) -> dict[str, Any]:
    """Data for `text_table.draw`: both continuations of the first seed. The metrics leave out the first token."""
    from engine.decoding.text_metrics import measure

    pair = fork.pairs[0]
    groups = []
    for at, (which, text) in enumerate((("own", pair.own), ("forced", pair.forced))):
        status = t(f"compare.stop.{text.stop}") if text.stop in ("end", "context", "person") else ""
        measures = measure((text.token_ids[1:], text.log_probabilities[1:]))
        numbers = {
            name: [None, text_table.read(name, getattr(measures, name), t)] for name in ("per_token", "perplexity")
        }  # fmt: skip
        chips = text_table.chips(model, fork.ids, text, t)
        row = {"seed": "", "chips": chips, "status": status, "numbers": numbers, "at": [at, 0]}
        note = t(f"limits.errors.{which}_note")
        groups.append({"name": t(f"limits.errors.{which}"), "note": note, "status": "", "numbers": {}, "texts": [row]})
    return {"turn": turn, "groups": groups}


def text_columns(t: Translator) -> list[list[Any]]:
    """Metric columns beside both texts, for `text_table.draw`."""
    return [text_table.column(name, t, True) for name in ("per_token", "perplexity")]


def token_options(
    model: Model, ids: tuple[int, ...], candidates: list[int], default: int, t: Translator
) -> tuple[dict[str, int], str]:
    """(option label -> token id, in the order of `candidates`; label of the default option)."""
    distribution = model.distribution(ids)
    labels = {i: f"{distribution.candidate(i).text}　{t.percent(float(distribution.raw[i]))}" for i in candidates}
    return {label: i for i, label in labels.items()}, labels[default]


def curves(fork: ForcedTokenExperiment, model: Model, t: Translator) -> tuple[list[Line], list[Line]]:
    """(log-probability of each token, running perplexity of the tokens after the fork) of both texts, first seed."""
    from engine.experiments.error_accumulation import running_perplexity

    pair = fork.pairs[0]
    values, perplexities = [], []
    styles = (("own", pair.own, ("draw", "solid", "circle")), ("forced", pair.forced, ("branch", "dashed", "square")))
    for which, text, style in styles:
        pieces = _pieces(fork, text, model)
        name = t(f"limits.errors.{which}")
        values.append(Line(name, *style, [
            Point(i, v, f"{piece}  {t.percent_of_log(v)}")
            for i, (v, piece) in enumerate(zip(text.log_probabilities, pieces, strict=True), 1)
        ]))  # fmt: skip
        perplexities.append(Line(name, *style, [
            Point(i, v, f"{piece}  {t.number(v)}")
            for i, (v, piece) in enumerate(zip(running_perplexity(text), pieces[1:], strict=True), 2)
        ]))  # fmt: skip
    return values, perplexities


def convergence_sentences(fork: ForcedTokenExperiment, model: Model, t: Translator) -> list[str]:
    """First difference of the two texts of the first seed, and the tokens on which they converge again, if any."""
    from engine.experiments.error_accumulation import common_run, first_difference

    pair = fork.pairs[0]
    if not pair.own.token_ids:  # stopped while the prompt was being computed
        return []
    own_pieces, forced_pieces = (_pieces(fork, text, model) for text in (pair.own, pair.forced))
    difference = first_difference(pair)
    if difference is None:
        return [t("limits.errors.same")]
    result = [t("limits.errors.parted", own=own_pieces[difference], forced=forced_pieces[difference],
                p=t.percent_of_log(pair.forced.log_probabilities[difference]))]  # fmt: skip
    common = common_run(pair)
    if common is None:
        result.append(t("limits.errors.never"))
    else:
        own, forced, length = common
        before, run = [*fork.ids, *pair.own.token_ids[:own]], pair.own.token_ids[own : own + length]
        text = model.continuation(before, run)
        key = "again" if own == forced else "again_shifted"
        result.append(t(f"limits.errors.{key}", run=text, n=length, own=own + 1, forced=forced + 1))
    return result


def _pieces(fork: ForcedTokenExperiment, text: Continuation, model: Model) -> list[str]:
    """Display text of each token of a continuation, read after the prompt."""
    return model.pieces([*fork.ids, *text.token_ids])[len(fork.ids) :]


def loss_sentences(pairs: list[TextPair], t: Translator) -> list[str]:
    """Mean log-probability of the tokens after the fork in both texts, over the seeds."""
    from engine.experiments.error_accumulation import summarize

    means = summarize(pairs)
    if means is None:
        return [t("limits.errors.nothing")]
    numbers = {
        "own": t.number(means.own, 2), "forced": t.number(means.forced, 2), "seeds": means.seeds, "lower": means.lower,
        "own_perplexity": t.number(perplexity(-means.own)), "forced_perplexity": t.number(perplexity(-means.forced)),
    }  # fmt: skip
    change = means.forced - means.own
    key = "equal" if abs(change) < EQUAL_WITHIN else "worse" if change < 0 else "better"
    if means.seeds == 1:
        return [t(f"limits.errors.{key}_once", **numbers)]
    return [t(f"limits.errors.{key}", **numbers)]


def draw(run: IncrementalRun, model: Model, t: Translator, on_take: Callable[[dict[str, Any]], None]) -> None:
    """Texts, curves and sentences of a run. `on_take` is called with the event of the text to open on the step page."""
    text_table.draw(
        text_groups(run.work, model, run.turn, t), t, on_take, "limits_fork", text_columns(t), "limits.errors.legend",
    )  # fmt: skip
    values, perplexities = curves(run.work, model, t)
    left, right = st.columns(2, gap="medium")
    with left:
        value_axes = line_chart.Axes(t("limits.errors.x"), t("limits.errors.y"))
        line_chart.draw(values, value_axes, "limits_values", 190)
    with right:
        axes = line_chart.Axes(t("limits.errors.x"), t("limits.errors.y_perplexity"))
        line_chart.draw(perplexities, axes, "limits_perplexities", 190)
    if not run.running:
        shaded_tokens.draw([], convergence_sentences(run.work, model, t), "limits_errors_told")
        for sentence in loss_sentences(run.work.pairs, t):
            st.markdown(sentence)
    line_chart.draw_table(values, value_axes, 2, t, "limits_values_table")
    line_chart.draw_table(perplexities, axes, 1, t, "limits_perplexities_table")


def draw_token_list(model: Model, limits: LimitsState, prompt: str, demo: bool, t: Translator) -> None:
    """Select box of the tokens to force, from probable to improbable after the prompt."""
    try:
        options, default = token_options(model, *limits.forced_token_candidates(model, prompt), t)
    except EngineError as error:
        messages.show_problem(error, t, "limits.kept")
        return
    if limits.token_list_prompt != prompt or not session_state.widget("limits_forced"):  # each prompt has its own list
        limits.token_list_prompt = prompt
        session_state.set_widget("limits_forced", default)
    st.selectbox(
        t("limits.errors.force"), list(options), key="limits_forced", accept_new_options=not demo,
        help=t("limits.errors.force_help"), persist_state="session",
    )  # fmt: skip


def start(model: Model, session: TextState, limits: LimitsState, prompt: str, t: Translator) -> None:
    """Start the experiment with the selected token, or with the best match of a typed one.

    Sets the run's problem where there is none (`no_token`) or the prompt cannot be used.
    """
    selected = str(session_state.widget("limits_forced") or "")
    run = limits.runs["errors"]
    try:
        options, default = token_options(model, *limits.forced_token_candidates(model, prompt), t)
    except EngineError as error:
        run.problem = error
        return
    label = selected or default
    matches = [options[label]] if label in options else model.vocabulary.search(selected, 1)
    if matches:
        limits.force_token(session, model, prompt, matches[0])
    else:
        run.problem = EngineError("no_token", "no such token")
