"""Error accumulation on the limits page: one improbable token forced, and both continuations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from engine.errors import EngineError
from pages.components import shaded_tokens, text_table
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


def fork_rows(fork: ForcedTokenExperiment, model: Model, turn: int, t: Translator) -> dict[str, Any]:
    """Both ways of the first seed."""
    from engine.decoding.text_metrics import measure

    pair = fork.pairs[0]
    groups = []
    for at, (which, text) in enumerate((("own", pair.own), ("forced", pair.forced))):
        status = t(f"compare.stop.{text.stop}") if text.stop in ("end", "context", "person") else ""
        found = measure((text.token_ids[1:], text.log_probabilities[1:]))
        numbers = {
            name: [None, text_table.read(name, getattr(found, name), t)] for name in ("per_token", "perplexity")
        }  # fmt: skip
        chips = text_table.chips(model, fork.ids, text, t)
        row = {"seed": "", "chips": chips, "status": status, "numbers": numbers, "at": [at, 0]}
        note = t(f"limits.errors.{which}_note")
        groups.append({"name": t(f"limits.errors.{which}"), "note": note, "status": "", "numbers": {}, "texts": [row]})
    return {"turn": turn, "groups": groups}


def fork_columns(t: Translator) -> list[list[Any]]:
    """The measures beside both ways."""
    return [text_table.column(name, t, True) for name in ("per_token", "perplexity")]


def forced_options(
    model: Model, ids: tuple[int, ...], ladder: list[int], first: int, t: Translator
) -> tuple[dict[str, int], str]:
    """Tokens to force by how they read in a list, likeliest first; and how the one reads that it begins with."""
    distribution = model.distribution(ids)
    read = {i: f"{distribution.candidate(i).text}　{t.percent(float(distribution.raw[i]))}" for i in ladder}
    return {text: i for i, text in read.items()}, read[first]


def errors_lines(fork: ForcedTokenExperiment, model: Model, t: Translator) -> tuple[list[Line], list[Line]]:
    """Log-probability token by token, and the running perplexity of what follows the fork, for the first seed."""
    from engine.experiments.error_accumulation import running_perplexity

    pair = fork.pairs[0]
    values, perplexities = [], []
    looks = (("own", pair.own, ("draw", "solid", "circle")), ("forced", pair.forced, ("branch", "dashed", "square")))
    for which, text, look in looks:
        words = model.pieces([*fork.ids, *text.token_ids])[len(fork.ids) :]
        name = t(f"limits.errors.{which}")
        values.append(Line(name, *look, [
            Point(i, v, f"{word}  {t.percent(math.exp(v))}")
            for i, (v, word) in enumerate(zip(text.log_probabilities, words, strict=True), 1)
        ]))  # fmt: skip
        perplexities.append(Line(name, *look, [
            Point(i, v, f"{word}  {t.number(v)}")
            for i, (v, word) in enumerate(zip(running_perplexity(text), words[1:], strict=True), 2)
        ]))  # fmt: skip
    return values, perplexities


def errors_plain(fork: ForcedTokenExperiment, model: Model, t: Translator) -> list[str]:
    """Where both texts part, and whether they come together again."""
    from engine.experiments.error_accumulation import first_difference, together_again

    pair = fork.pairs[0]
    words = [_words(fork, text, model) for text in (pair.own, pair.forced)]
    parted = first_difference(pair)
    if parted is None:
        return [t("limits.errors.same")]
    told = [t("limits.errors.parted", own=words[0][parted], forced=words[1][parted],
              p=t.percent(math.exp(pair.forced.log_probabilities[parted])))]  # fmt: skip
    again = together_again(pair)
    if again is None:
        told.append(t("limits.errors.never"))
    else:
        own, forced, length = again
        run = model.text(pair.own.token_ids[own : own + length])
        key = "again" if own == forced else "again_shifted"
        told.append(t(f"limits.errors.{key}", run=run, n=length, own=own + 1, forced=forced + 1))
    return told


def _words(fork: ForcedTokenExperiment, text: Continuation, model: Model) -> list[str]:
    return model.pieces([*fork.ids, *text.token_ids])[len(fork.ids) :]


def errors_told(pairs: list[TextPair], t: Translator) -> list[str]:
    """What the forced token did to all that followed, over the seeds."""
    from engine.experiments.error_accumulation import summarize

    found = summarize(pairs)
    if found is None:
        return [t("limits.errors.nothing")]
    numbers = {
        "own": t.number(found.own, 2), "forced": t.number(found.forced, 2), "seeds": found.seeds, "lower": found.lower,
        "own_perplexity": t.number(math.exp(-found.own)), "forced_perplexity": t.number(math.exp(-found.forced)),
    }  # fmt: skip
    change = found.forced - found.own
    key = "equal" if abs(change) < EQUAL_WITHIN else "worse" if change < 0 else "better"
    if found.seeds == 1:
        return [t(f"limits.errors.{key}_once", **numbers)]
    return [t(f"limits.errors.{key}", **numbers)]


def draw(run: IncrementalRun, model: Model, t: Translator, on_take: Callable[[dict[str, Any]], None]) -> None:
    """Texts, curves and sentences of a run; `on_take` gets the event of a text to be opened on the step page."""
    text_table.draw(
        fork_rows(run.work, model, run.turn, t), t,
        on_take, "limits_fork", fork_columns(t),
        "limits.errors.legend",
    )  # fmt: skip
    values, perplexities = errors_lines(run.work, model, t)
    left, right = st.columns(2, gap="medium")
    with left:
        axes = line_chart.Axes(t("limits.errors.x"), t("limits.errors.y"), ".0f")
        line_chart.draw(values, axes, "limits_values", 190)
    with right:
        axes = line_chart.Axes(t("limits.errors.x"), t("limits.errors.y_perplexity"), ",.0f")
        line_chart.draw(perplexities, axes, "limits_perplexities", 190)
    if not run.running:
        shaded_tokens.draw([], errors_plain(run.work, model, t), "limits_errors_told")
        for sentence in errors_told(run.work.pairs, t):
            st.markdown(sentence)
    line_chart.draw_table(values, t("limits.errors.x"), 2, t, "limits_values_table")
    line_chart.draw_table(perplexities, t("limits.errors.x"), 1, t, "limits_perplexities_table")


def draw_forced_token(model: Model, limits: LimitsState, prompt: str, demo: bool, t: Translator) -> None:
    """The list of tokens to force, as probable and improbable as the prompt makes them."""
    try:
        options, first = forced_options(model, *limits.ladder(model, prompt), t)
    except EngineError as error:
        messages.show_problem(error, t, "limits.kept")
        return
    if limits.forced_for != prompt or not session_state.widget("limits_forced"):  # another prompt has another list
        limits.forced_for = prompt
        session_state.set_widget("limits_forced", first)
    st.selectbox(
        t("limits.errors.force"), list(options), key="limits_forced", accept_new_options=not demo,
        help=t("limits.errors.force_help"), persist_state="session",
    )  # fmt: skip


def force(model: Model, session: TextState, limits: LimitsState, prompt: str, t: Translator) -> None:
    """Force the token that was picked from the list, or the one that was typed into it."""
    wanted = str(session_state.widget("limits_forced") or "")
    run = limits.trials["errors"]
    try:
        options, first = forced_options(model, *limits.ladder(model, prompt), t)
    except EngineError as error:
        run.problem = error
        return
    found = [options[wanted or first]] if (wanted or first) in options else model.vocabulary.search(wanted, 1)
    if found:
        limits.force(session, model, prompt, found[0])
    else:
        run.problem = EngineError("no_token", "no such token")
