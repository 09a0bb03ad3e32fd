"""What a recording replays, collected once: the tree of choices, the bars of each step, attention, the beam search.

Everything comes from the functions that draw the app, so that a recording shows the app's numbers. Plain data here;
`replay_file.py` makes a page of it, `replay.js` draws it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import engine
from engine.errors import EngineError
from engine.trace.trace import Trace
from pages.attention import head_detail
from pages.attention.state import AttentionState
from pages.beam import tree
from pages.beam.state import BeamState
from pages.components import probability_bars, text_strip
from pages.components.register import number_words
from pages.i18n.translator import Translator
from pages.session.annotated_text import TextAnnotator

if TYPE_CHECKING:
    from engine.model.model import Model

BARS = 10
MOST_STEPS = 300  # the way that is shown comes first, then the branches as far as there is room
_BAR = ("word", "raw", "shown", "state", "branch", "value", "token", "rank", "believed", "drawn", "reason")


def collect(model: Model, trace: Trace, looking: AttentionState, beaming: BeamState, t: Translator) -> dict[str, Any]:
    """nodes: [parent, label, how, special, token id] a choice; facts: as the strip's, a choice; groups: by the last
    choice of each way, the tokens that are read together; latest: the child to go on with; steps: by choice and the
    child that follows it ("" where none does), what it was chosen from; rows: by choice, where it looked."""
    ways = _ways(trace)
    annotator = TextAnnotator()
    facts: dict[int, Any] = {}
    labels: dict[int, str] = {}
    groups: dict[int, list[Any]] = {}
    rows: dict[int, str] = {}
    steps: dict[int, dict[str, Any]] = {}
    room = MOST_STEPS
    for end in ways:
        told = annotator.annotate(model, trace.go_to(end))
        for at, node in enumerate(told["line"]):
            facts.setdefault(node, told["facts"][at])
            labels.setdefault(node, told["nodes"][node][1])
        groups[end] = [group for group in told["groups"] if group[1] - group[0] > 1]
        if room > 0:
            room -= _steps(model, trace, end, room, steps, t)
            _rows(model, trace, end, looking, rows)
    nodes = [
        [c.parent, labels[i], c.how, c.token_id in model.vocabulary.special, c.token_id]
        for i, c in enumerate(trace.choices)
    ]
    return {
        "nodes": nodes,
        "facts": [facts[i] for i in range(len(nodes))],
        "groups": groups,
        "latest": trace.latest,
        "first": trace.prompt_length - 1,
        "steps": steps,
        "rows": rows,
        "tree": _tree(model, trace, beaming, t),
        "words": words(model, trace, looking, bool(rows), t),
    }


def _ways(trace: Trace) -> list[int]:
    """The last choice of each way, that of the way that is shown first."""
    followed = {choice.parent for choice in trace.choices}
    shown = trace.line()[-1]
    return [shown, *(i for i in range(len(trace.choices)) if i not in followed and i != shown)]


def _steps(model: Model, trace: Trace, end: int, room: int, steps: dict[int, dict[str, Any]], t: Translator) -> int:
    """Fill in the steps of one way from the prompt's end on; how many were new."""
    path = trace.path(end)
    made = 0
    children = trace.children()
    for at, node in enumerate(path):
        following = path[at + 1] if at + 1 < len(path) else None
        if at + 1 < trace.prompt_length or made >= room or str(following or "") in steps.get(node, {}):
            continue
        taken = {trace.choices[i].token_id for i in children.get(node, ())}
        steps.setdefault(node, {})[str(following or "")] = _step(model, trace, path[: at + 1], following, taken, t)
        made += 1
    return made


def _step(
    model: Model, trace: Trace, path: list[int], following: int | None, taken: set[int], t: Translator
) -> dict[str, Any] | None:
    """What was chosen from after `path`, and how; None where nothing may follow."""
    ids = tuple(trace.choices[i].token_id for i in path)
    if engine.stop_reason(model, ids, len(ids) - trace.prompt_length, len(ids)) and following is None:
        return None
    distribution, own, u = engine.choose(model, ids, trace.strategy, trace.settings, trace.seed)
    chosen = own if following is None else trace.choices[following].token_id
    how = "next" if following is None else trace.choices[following].how
    candidate = distribution.candidate(chosen)
    table = probability_bars.rows(distribution, BARS, chosen, taken, 0, t)
    # A recorded draw is shown landing only where these settings land there: they may have changed since.
    landed = u is not None and chosen == own and how in ("drawn", "next")
    low, high = distribution.interval(chosen)
    numbers: dict[str, Any] = {"seed": trace.seed, "position": len(ids) + 1}
    numbers |= {"u": f"{u or 0:.4f}", "low": f"{low:.4f}", "high": f"{high:.4f}"}
    return {
        "bars": [{name: row[name] for name in _BAR} for row in table],
        "full": table[0]["full"],
        "choices": t.number(math.exp(distribution.entropy)),
        "u": u if landed else None,
        "interval": [low, high],
        "draw": t("sums.draw", **numbers) if landed else "",
        "told": t(f"replay.told.{how}", token="{token}", p=t.percent(candidate.raw)),
        "word": candidate.text,
    }


def _rows(model: Model, trace: Trace, end: int, looking: AttentionState, rows: dict[int, str]) -> None:
    """Where each token of one way looked, by the view that is open: whole numbers of 1/65535, two bytes each."""
    path = trace.path(end)
    if all(node in rows for node in path):
        return
    try:
        matrix = replace(looking, ids=trace.token_ids(end), cache={}).matrix(model)
    except EngineError:  # this model has none to show
        return
    for at, node in enumerate(path):
        if node not in rows:
            rows[node] = head_detail.coded_weights(matrix[at, : at + 1])


def _tree(model: Model, trace: Trace, beaming: BeamState, t: Translator) -> dict[str, Any] | None:
    """The beam search of this prompt, as far as it is shown; None where there is none."""
    search = beaming.search
    if search is None or not beaming.shown or search.model is not model:
        return None
    if search.ids != trace.token_ids(trace.prompt_length - 1):
        return None
    shown = tree.data(beaming, t)
    return shown | {"labels": tree.labels(t) | {"more": t("replay.pruned")}}


def words(model: Model, trace: Trace, looking: AttentionState, attention: bool, t: Translator) -> dict[str, Any]:
    """Every sentence of the page."""
    names = (
        "title", "lead", "step", "previous", "next", "play", "pause", "keys", "chosen_from", "line", "tree", "beam",
        "end", "left_out", "own", "legend",
    )  # fmt: skip
    said: dict[str, Any] = {name: t(f"replay.{name}") for name in names}
    said["strip"] = number_words(t) | text_strip.labels(t) | {"branch": t("replay.branch"), "legend": ""}
    said["bar"] = [t(f"bars.{name}") for name in ("token", "rank", "believed", "drawn", "reason")]
    settings = trace.settings.for_greedy() if trace.strategy == "greedy" else trace.settings
    told = [t(f"settings.{trace.strategy}")]
    told += [
        f"{t(f'settings.{name}')} {getattr(settings, name):g}"
        for name in engine.Settings.__dataclass_fields__
        if getattr(settings, name) != getattr(engine.Settings(), name)
    ]
    if trace.strategy == "sample":
        told.append(f"{t('settings.seed')} {trace.seed}")
    said["settings"] = told
    said["model"] = t("settings.bundled") if model.name == "bundled" else model.name
    if attention:
        said["head"] = number_words(t) | head_detail.labels(t)
        said["note"] = t(f"inside.views_note.{looking.view}")
        said["attention"] = t(f"replay.{looking.view}", layer=looking.layer + 1, head=looking.head + 1)
    return said
