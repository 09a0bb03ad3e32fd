"""Stage of the step page: text, buttons, ruler of the draw and bars of the next-token distribution in one component.

All of it arrives in one message, so the text and the distribution that are shown always belong together. The component
(`stage.js`) reports the visitor's moves: see `state.py`. During a run it asks for each token once it has drawn the
last.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.decoding.stopping import StopReason
from pages.components.charts import probability_rows
from pages.components.register import register
from pages.components.text import text_strip
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.step import attention_arcs
from pages.step.settings_in_effect import settings_in_effect
from pages.step.state import ARRIVAL_TOKENS, StageState

if TYPE_CHECKING:
    import engine

PACE_MILLISECONDS = 90  # between the tokens of a run, so that they can be read
ARRIVAL_MILLISECONDS = 1400  # before each token on arrival
SIMPLE_BARS = 5
_KEY = "stage"
_PARTS = (
    "token_line",
    "text_strip_card",
    "moves",
    "ruler",
    "bars",
    "motion",
    "attention_arcs",
    "difference",
)

_stage = register(_KEY, Path(__file__), *_PARTS)


def data(
    session: TextState,
    state: StageState,
    model: engine.Model,
    text: dict[str, Any],
    t: Translator,
    simple: bool = False,
    head: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Data of the component, reduced if `simple`, with the attention of `head`: that of `TextAnnotator.annotate`, and

    turn, made  see `TextState.turn` and `StageState.made`
    running     whether a run is to be continued; `pace`: milliseconds from token to token
    view        see `_view`
    restarted   whether a restart can be undone
    ended       whether no token can follow the cursor
    stage       the highlighted stage of the loop, 0 to 4
    status      sentence about why a run ended
    rows, cut   see `bar_rows` and `cut`
    ruler       see `ruler`
    arcs        see `attention_arcs.data`
    settings    those that have an effect, for the printed page
    labels      texts of the component
    """
    distribution, token_id, u = session.choice(model)
    ended = session.end(model)
    stopped = session.stopped or ended
    chosen = None if ended else token_id
    rows = bar_rows(session, distribution, chosen, t, SIMPLE_BARS if simple else session.bars)
    tokens = [text["nodes"][i][1] for i in text["line"]]
    explained = any(row["differs"] or row["branch"] for row in rows)  # what the legend is about is on the screen
    return text | {
        "turn": session.turn,
        "made": state.made,
        "running": bool(session.running),
        "pace": PACE_MILLISECONDS,
        "view": _view(session, state, simple),
        "restarted": session.restarted_from is not None,
        "ended": ended is not None,
        "stage": 4 if stopped in ("end", "context") else 3,
        "status": _status(stopped, model, t) or _arriving(session, state, simple, t),
        "rows": rows,
        "cut": cut(rows, t),
        "ruler": ruler(distribution, rows, chosen, u, session.seed, t),
        "arcs": None if simple else attention_arcs.data(model, distribution.token_ids, tokens, head, t),
        "settings": " · ".join(f"{name} {value}" for name, value in settings_in_effect(session, None, t)),
        "labels": _labels(session, t) | {"legend": _legend(simple, explained, ended is not None, t)},
    }


def _legend(simple: bool, explained: bool, ended: bool, t: Translator) -> str:
    """Sentence below the bars, "" where nothing that it explains is on the screen."""
    if ended:
        return t("stage.over")
    return t("first.legend") if simple else t("strip.legend") if explained else ""


def data_without_distribution(
    session: TextState, state: StageState, model: engine.Model, t: Translator
) -> dict[str, Any]:
    """Data of the component where the model gives no probabilities: the text, from which one can go back."""
    text = session.annotator.annotate(model, session.ready(model), probabilities=False)
    return text | {
        "turn": session.turn,
        "made": state.made,
        "running": False,
        "pace": PACE_MILLISECONDS,
        "view": _view(session, state, False),
        "restarted": session.restarted_from is not None,
        "ended": True,
        "stage": 1,
        "status": "",
        "rows": [],
        "cut": None,
        "ruler": {"parts": [], "u": None, "told": ""},
        "arcs": None,
        "settings": "",
        "labels": _labels(session, t),
    }


def _view(session: TextState, state: StageState, simple: bool) -> dict[str, Any]:
    """Extent of the stage:

    simple    whether it is reduced to the text, few bars and the buttons
    one       whether of the buttons only `next` is shown: the visitor has made no move yet
    arriving  milliseconds until the next token on arrival, 0 for none
    """
    arriving = simple and state.arriving(session.prompt)
    return {
        "simple": simple,
        "one": simple and state.untouched,
        "arriving": ARRIVAL_MILLISECONDS if arriving else 0,
    }


def bar_rows(
    session: TextState, distribution: engine.Distribution, chosen: int | None, t: Translator, count: int
) -> list[dict[str, Any]]:
    """Rows of the bars: the `count` likeliest tokens and the chosen one, then all others together, with the id None.

    raw, shown  probability before and after the filters
    state       pick, cut, draw or others
    differs     whether the two probabilities differ as written
    details     pairs of name and exact value
    """
    trace = session.trace
    children = trace.children().get(trace.cursor, ()) if trace is not None else ()
    branches = {trace.choices[i].token_id for i in children} if trace is not None else set()
    table = probability_rows.rows(distribution, count, chosen, branches, session.turn, t)
    names = [t(f"bars.{name}") for name in ("token", "rank", "believed", "drawn", "reason")]
    rows = []
    for row in table:
        others = row["state"] == "others"
        values = (row["token"], row["rank"] and f"{row['rank']:,}", row["believed"], row["drawn"], row["reason"])
        rows.append(
            {
                "id": None if others else int(row["token"].removeprefix("#")),
                "word": row["token"] if others else row["word"],
                "raw": row["raw"],
                "shown": row["shown"],
                "state": row["state"],
                "branch": row["branch"],
                "differs": row["differs"],
                "value": row["value"],
                "reason": row["reason"],
                "details": [pair for pair in zip(names, values, strict=True) if pair[1]][others:],
            }
        )
    return rows


def cut(rows: list[dict[str, Any]], t: Translator) -> dict[str, Any] | None:
    """Line above the first row that the filters cut: `row` and a sentence; None where kept rows follow a cut one."""
    states = [row["state"] == "cut" for row in rows if row["id"] is not None]
    if True not in states or not all(states[states.index(True) :]):
        return None
    row = states.index(True)
    return {"row": row, "told": t("stage.cut", filter=rows[row]["reason"])}


def ruler(
    distribution: engine.Distribution,
    rows: list[dict[str, Any]],
    chosen: int | None,
    u: float | None,
    seed: int,
    t: Translator,
) -> dict[str, Any]:
    """Ruler of the draw: `parts` [low, high, token, "pick" or ""] of [0, 1], the number `u` or None, and a sentence."""
    parts: list[tuple[float, float, str, str]] = []
    for row in rows:
        if row["id"] is not None and row["shown"] > 0:
            low, high = distribution.interval(row["id"])
            parts.append((low, high, row["word"], "pick" if row["id"] == chosen else ""))
    parts.sort()
    if chosen is None:
        return {"parts": parts, "u": None, "told": t("sums.ended")}
    if u is None:
        return {"parts": parts, "u": None, "told": t("stage.greedy")}
    told = t("stage.drawn", seed=seed, u=f"{u:.4f}")
    return {"parts": parts, "u": u, "told": told}


def _arriving(session: TextState, state: StageState, simple: bool, t: Translator) -> str:
    """Sentence that says that the app writes by itself, as long as it does."""
    return t("first.arriving", n=ARRIVAL_TOKENS) if simple and state.arriving(session.prompt) else ""


def _status(stopped: StopReason | None, model: engine.Model, t: Translator) -> str:
    return t(f"stop.{stopped}", most=model.context_length) if stopped else ""


def _labels(session: TextState, t: Translator) -> dict[str, Any]:
    """Texts of the component: those of the text strip, of the buttons and of the bars."""
    labels = {"next": t("step.next"), "back": t("step.back"), "restart": t("step.restart")}
    labels |= {"undo": t("stage.undo")}
    labels |= {"run": t("step.run", n=session.run_tokens), "stop": t("step.stop"), "space": t("stage.space")}
    labels |= {"bars": t("stage.bars"), "legend": t("strip.legend"), "arcs": t("arcs.button")}
    words: dict[str, Any] = {"loop": t.list("strip.loop")}
    return text_strip.labels(t) | words | labels


def draw(payload: dict[str, Any], on_moves: Callable[[list[dict[str, Any]]], None], state: StageState) -> None:
    """Draw the component with the result of `data`; `on_moves` is called with the new moves."""

    def callback() -> None:
        moves = state.new_moves((session_state.widget(_KEY) or {}).get("moves"))
        if moves:
            on_moves(moves)

    _stage(key=_KEY, data=payload, on_moves_change=callback)
