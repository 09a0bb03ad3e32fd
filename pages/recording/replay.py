"""Data of a recording: the trace with its branches, the distribution at each step, attention, and the beam search.

Computed by the functions that draw the app, so that a recording contains the app's numbers. Plain JSON data:
`html_page.py` embeds it in a page and `replay.js` draws it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import engine
from engine.errors import EngineError
from engine.trace.trace import Trace
from pages.attention import head_detail
from pages.attention.state import AttentionState
from pages.beam import tree
from pages.beam.state import BeamState
from pages.components.charts import probability_rows
from pages.components.register import number_words
from pages.components.text import text_strip
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator
from pages.session.annotated_text import TextAnnotator

if TYPE_CHECKING:
    from engine.model.model import Model

BARS = 10  # candidates of each step
MAX_STEPS = 300  # the current line comes first, then the other branches up to this number
_BAR = ("word", "raw", "shown", "state", "branch", "value", "token", "rank", "believed", "drawn", "reason")


def collect(model: Model, trace: Trace, attention: AttentionState, beam: BeamState, t: Translator) -> dict[str, Any]:
    """Everything that `replay.js` needs. A node is the index of a choice of the trace.

    nodes   for each node [parent, label, origin, special, token id]
    facts   for each node the facts of its token, as in `TextAnnotator.annotate`
    groups  last node of a branch -> groups of tokens that form one character: [from, to, text]
    latest  node -> the child that was visited last
    first   last node of the prompt
    steps   node -> next node of the branch ("" at its end) -> the step that chose it; None if no token may follow
    rows    node -> attention weights of its position, see `head_detail.encode_weights`; empty without attention
    tree    the beam search as in `tree.data`, or None
    words   texts of the page
    """
    ends = _branch_ends(trace)
    annotator = TextAnnotator()
    facts: dict[int, Any] = {}
    labels: dict[int, str] = {}
    groups: dict[int, list[Any]] = {}
    rows: dict[int, str] = {}
    steps: dict[int, dict[str, Any]] = {}
    remaining = MAX_STEPS
    for end in ends:
        text = annotator.annotate(model, trace.go_to(end))
        for at, node in enumerate(text["line"]):
            facts.setdefault(node, text["facts"][at])
            labels.setdefault(node, text["nodes"][node][1])
        groups[end] = [group for group in text["groups"] if group[1] - group[0] > 1]
        if remaining > 0:
            remaining -= _add_steps(model, trace, end, remaining, steps, t)
            _add_attention_rows(model, trace, end, attention, rows)
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
        "tree": _beam_tree(model, trace, beam, t),
        "words": page_texts(model, trace, attention, bool(rows), t),
    }


def _branch_ends(trace: Trace) -> list[int]:
    """Last node of each branch, that of the current line first."""
    parents = {choice.parent for choice in trace.choices}
    current = trace.line()[-1]
    return [current, *(i for i in range(len(trace.choices)) if i not in parents and i != current)]


def _add_steps(
    model: Model, trace: Trace, end: int, max_steps: int, steps: dict[int, dict[str, Any]], t: Translator
) -> int:
    """Add the steps of one branch from the end of the prompt on. Returns how many were new."""
    path = trace.path(end)
    added = 0
    children = trace.children()
    for at, node in enumerate(path):
        following = path[at + 1] if at + 1 < len(path) else None
        if at + 1 < trace.prompt_length or added >= max_steps or str(following or "") in steps.get(node, {}):
            continue
        branch_ids = {trace.choices[i].token_id for i in children.get(node, ())}
        steps.setdefault(node, {})[str(following or "")] = _step(model, trace, path[: at + 1], following, branch_ids, t)
        added += 1
    return added


def _step(
    model: Model, trace: Trace, path: list[int], following: int | None, branch_ids: set[int], t: Translator
) -> dict[str, Any] | None:
    """Distribution after `path` and the choice of `following`, or of the next token if None.

    branch_ids: first tokens of all branches here. None if no token may follow.
    """
    ids = tuple(trace.choices[i].token_id for i in path)
    if engine.stop_reason(model, ids, len(ids) - trace.prompt_length, len(ids)) and following is None:
        return None
    distribution, own, u = engine.choose(model, ids, trace.strategy, trace.settings, trace.seed)
    chosen = own if following is None else trace.choices[following].token_id
    how = "next" if following is None else trace.choices[following].how
    candidate = distribution.candidate(chosen)
    table = probability_rows.rows(distribution, BARS, chosen, branch_ids, 0, t)
    # The settings may have changed since the token was drawn: u is included only if it selects the token with them.
    reproduced = u is not None and chosen == own and how in ("drawn", "next")
    low, high = distribution.interval(chosen)
    numbers: dict[str, Any] = {"seed": trace.seed, "position": len(ids) + 1}
    numbers |= {"u": f"{u or 0:.4f}", "low": f"{low:.4f}", "high": f"{high:.4f}"}
    return {
        "bars": [{name: row[name] for name in _BAR} for row in table],
        "full": table[0]["full"],
        "choices": text_strip.choices(distribution, t),
        "u": u if reproduced else None,
        "interval": [low, high],
        "draw": t("sums.draw", **numbers) if reproduced else "",
        "told": t(f"replay.told.{how}", token="{token}", p=t.percent(candidate.raw)),
        "word": candidate.text,
    }


def _add_attention_rows(model: Model, trace: Trace, end: int, attention: AttentionState, rows: dict[int, str]) -> None:
    """Add the attention weights of each position of one branch, in the view selected on the attention page.

    Nothing is added for a model without attention.
    """
    path = trace.path(end)
    if all(node in rows for node in path):
        return
    try:
        matrix = replace(attention, ids=trace.token_ids(end), cache={}).matrix(model)
    except EngineError:
        return
    for at, node in enumerate(path):
        if node not in rows:
            rows[node] = head_detail.encode_weights(matrix[at, : at + 1])


def _beam_tree(model: Model, trace: Trace, beam: BeamState, t: Translator) -> dict[str, Any] | None:
    """The beam search tree up to the displayed level; None if there is no search of this prompt with this model."""
    search = beam.search
    if search is None or not beam.shown_levels or search.model is not model:
        return None
    if search.ids != trace.token_ids(trace.prompt_length - 1):
        return None
    return tree.data(beam, t) | {"labels": tree.labels(t) | {"more": t("replay.pruned")}}


def page_texts(
    model: Model, trace: Trace, attention: AttentionState, has_attention: bool, t: Translator
) -> dict[str, Any]:
    """All texts of the page: labels, the settings that differ from the defaults, the model's name."""
    names = (
        "title", "lead", "step", "previous", "next", "play", "pause", "keys", "chosen_from", "line", "tree", "beam",
        "end", "left_out", "own", "legend",
    )  # fmt: skip
    texts: dict[str, Any] = {name: t(f"replay.{name}") for name in names}
    texts["strip"] = number_words(t) | text_strip.labels(t) | {"branch": t("replay.branch"), "legend": ""}
    texts["bar"] = [t(f"bars.{name}") for name in ("token", "rank", "believed", "drawn", "reason")]
    settings = trace.settings.for_greedy() if trace.strategy == "greedy" else trace.settings
    descriptions = [t(f"settings.{trace.strategy}")]
    descriptions += [
        f"{t(f'settings.{name}')} {getattr(settings, name):g}"
        for name in engine.Settings.__dataclass_fields__
        if getattr(settings, name) != getattr(engine.Settings(), name)
    ]
    if trace.strategy == "sample":
        descriptions.append(f"{t('settings.seed')} {trace.seed}")
    texts["settings"] = descriptions
    texts["model"] = display_name(model.name, t)
    if has_attention:
        texts["head"] = number_words(t) | head_detail.labels(t)
        texts["note"] = t(f"inside.views_note.{attention.view}")
        texts["attention"] = t(f"replay.{attention.view}", layer=attention.layer + 1, head=attention.head + 1)
    return texts
