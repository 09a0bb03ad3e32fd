"""Conditions on the text that goes from page to page, as the step page shows it; see `tasks.py`."""

from __future__ import annotations

import math

from engine.decoding.text_metrics import repeated_ngrams
from pages.learn.table import Condition, Memory, Table


def _since(table: Table, memory: Memory) -> list[int]:
    """The choices that were added since the step began, or since the text was begun anew."""
    trace = table.trace
    key = trace.token_ids(trace.prompt_length - 1)
    if memory.get("prompt") != key or len(trace.choices) < memory.get("first", 0):
        memory["first"] = len(trace.choices) if "prompt" not in memory else trace.prompt_length
        memory["prompt"] = key
    return list(range(memory["first"], len(trace.choices)))


def _written(table: Table, count: int, memory: Memory) -> bool:
    """So many tokens were written: by the model, or by hand."""
    return len(_since(table, memory)) >= count


def _hand(table: Table, below: float, memory: Memory) -> bool:
    """A token was taken by hand that the model gave less than `below`."""
    trace = table.trace
    added = [i for i in _since(table, memory) if trace.choices[i].how == "hand"]
    for i in added:
        before = table.model.records(trace.token_ids(trace.choices[i].parent))[-1]
        if math.exp(before.log_probability(trace.choices[i].token_id)) < below:
            return True
    return False


def _back(table: Table, count: int, memory: Memory) -> bool:
    """So many tokens back from the furthest place since the step began."""
    at = len(table.trace.path())
    memory["furthest"] = max(at, memory.get("furthest", 0))
    return bool(memory["furthest"] - at >= count)


def _branches(table: Table, count: int, memory: Memory) -> bool:
    """Some place has so many ways on."""
    return any(len(children) >= count for children in table.trace.children().values())


def _stopped(table: Table, reasons: list[str], memory: Memory) -> bool:
    """The writing stopped for one of these reasons."""
    return table.session.stopped in reasons


def _strategy(table: Table, name: str, memory: Memory) -> bool:
    return table.session.strategy == name


def _loops(table: Table, yes: bool, memory: Memory) -> bool:
    """The text at the cursor says a run of four tokens again."""
    trace = table.trace
    return bool(repeated_ngrams(trace.token_ids()[trace.prompt_length :])) is yes


def _length(table: Table, count: int, memory: Memory) -> bool:
    """So many tokens stand after the prompt, up to the cursor."""
    return len(table.trace.path()) - table.trace.prompt_length >= count


def _at_most(table: Table, limits: dict[str, float], memory: Memory) -> bool:
    return all(getattr(table.session.settings, name) <= value for name, value in limits.items())


def _at_least(table: Table, limits: dict[str, float], memory: Memory) -> bool:
    return all(getattr(table.session.settings, name) >= value for name, value in limits.items())


def _seeds(table: Table, count: int, memory: Memory) -> bool:
    """So many seeds were tried, each for at least one token drawn; two may have drawn the same."""
    trace, seen = table.trace, memory.setdefault("seeds", set())
    at = len(trace.path())
    if at > memory.get("at", at) and trace.choices[trace.cursor].how == "drawn":
        seen.add(table.session.seed)
    memory["at"] = at
    return len(seen) >= count


def _own_prompt(table: Table, yes: bool, memory: Memory) -> bool:
    """Another prompt than the one the step began with."""
    return bool(table.session.prompt != memory.setdefault("first prompt", table.session.prompt)) is yes


def _unlikely(table: Table, below: float, memory: Memory) -> bool:
    """The cursor is at a token to which the model gave less than `below`."""
    trace = table.trace
    if len(trace.path()) < 2:
        return False
    *before, last = trace.token_ids()
    return math.exp(table.model.records(before)[-1].log_probability(last)) < below


def _search(table: Table, yes: bool, memory: Memory) -> bool:
    """A token of the vocabulary was looked for and found."""
    query = str(table.widget("search") or "")
    return bool(query and table.model.vocabulary.search(query)) is yes


def _again(table: Table, count: int, memory: Memory) -> bool:
    """From the prompt, so many tokens were written, and then written once more: without luck there is one way only."""
    trace = table.trace
    written = len(trace.path()) - trace.prompt_length
    if written <= 0 and memory.get("once"):
        memory["back"] = True
    memory["once"] = memory.get("once", False) or written >= count
    one_way = all(len(children) == 1 for children in trace.children().values())
    return bool(memory.get("back")) and written >= count and one_way


def _least(table: Table, yes: bool, memory: Memory) -> bool:
    """The cursor was moved to the token of the text that the model expected least."""
    trace = table.trace
    line = trace.line()
    memory["moved"] = memory.get("moved", False) or trace.cursor != memory.setdefault("cursor", trace.cursor)
    logs = table.model.score([trace.choices[i].token_id for i in line]).log_probabilities
    known = [(value, i) for value, i in zip(logs, line, strict=True) if value is not None]
    return (memory["moved"] and bool(known) and min(known)[1] == trace.cursor) is yes


def _bars(table: Table, count: int, memory: Memory) -> bool:
    """At least so many candidates are shown."""
    return table.session.bars >= count


STEP: dict[str, Condition] = {
    "written": _written,
    "hand": _hand,
    "back": _back,
    "branches": _branches,
    "stopped": _stopped,
    "strategy": _strategy,
    "loops": _loops,
    "length": _length,
    "at_most": _at_most,
    "at_least": _at_least,
    "seeds": _seeds,
    "own_prompt": _own_prompt,
    "unlikely": _unlikely,
    "search": _search,
    "again": _again,
    "least": _least,
    "bars": _bars,
}
