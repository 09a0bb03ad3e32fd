"""Conditions on the text that goes from page to page, as the step page shows it; see `tasks.py`."""

from __future__ import annotations

import math

from engine.decoding.text_metrics import repeated_ngrams
from pages.course.learner import Condition, Learner, Memory


def _since(learner: Learner, memory: Memory) -> list[int]:
    """The choices that were added since the step began, or since the text was begun anew."""
    trace = learner.trace
    key = trace.token_ids(trace.prompt_length - 1)
    if memory.get("prompt") != key or len(trace.choices) < memory.get("first", 0):
        memory["first"] = len(trace.choices) if "prompt" not in memory else trace.prompt_length
        memory["prompt"] = key
    return list(range(memory["first"], len(trace.choices)))


def _written(learner: Learner, count: int, memory: Memory) -> bool:
    """So many tokens were written: by the model, or by hand."""
    return len(_since(learner, memory)) >= count


def _hand(learner: Learner, below: float, memory: Memory) -> bool:
    """A token was taken by hand that the model gave less than `below`."""
    trace = learner.trace
    added = [i for i in _since(learner, memory) if trace.choices[i].how == "hand"]
    for i in added:
        before = learner.model.records(trace.token_ids(trace.choices[i].parent))[-1]
        if math.exp(before.log_probability(trace.choices[i].token_id)) < below:
            return True
    return False


def _back(learner: Learner, count: int, memory: Memory) -> bool:
    """So many tokens back from the furthest place since the step began."""
    at = len(learner.trace.path())
    memory["furthest"] = max(at, memory.get("furthest", 0))
    return bool(memory["furthest"] - at >= count)


def _branches(learner: Learner, count: int, memory: Memory) -> bool:
    """Some place has so many ways on."""
    return any(len(children) >= count for children in learner.trace.children().values())


def _stopped(learner: Learner, reasons: list[str], memory: Memory) -> bool:
    """The writing stopped for one of these reasons."""
    return learner.session.stopped in reasons


def _strategy(learner: Learner, name: str, memory: Memory) -> bool:
    return learner.session.strategy == name


def _loops(learner: Learner, yes: bool, memory: Memory) -> bool:
    """The text at the cursor says a run of four tokens again."""
    trace = learner.trace
    return bool(repeated_ngrams(trace.token_ids()[trace.prompt_length :])) is yes


def _length(learner: Learner, count: int, memory: Memory) -> bool:
    """So many tokens stand after the prompt, up to the cursor."""
    return len(learner.trace.path()) - learner.trace.prompt_length >= count


def _at_most(learner: Learner, limits: dict[str, float], memory: Memory) -> bool:
    return all(getattr(learner.session.settings, name) <= value for name, value in limits.items())


def _at_least(learner: Learner, limits: dict[str, float], memory: Memory) -> bool:
    return all(getattr(learner.session.settings, name) >= value for name, value in limits.items())


def _seeds(learner: Learner, count: int, memory: Memory) -> bool:
    """So many seeds were tried, each for at least one token drawn; two may have drawn the same."""
    trace, seen = learner.trace, memory.setdefault("seeds", set())
    at = len(trace.path())
    if at > memory.get("at", at) and trace.choices[trace.cursor].how == "drawn":
        seen.add(learner.session.seed)
    memory["at"] = at
    return len(seen) >= count


def _own_prompt(learner: Learner, yes: bool, memory: Memory) -> bool:
    """Another prompt than the one the step began with."""
    return bool(learner.session.prompt != memory.setdefault("first prompt", learner.session.prompt)) is yes


def _unlikely(learner: Learner, below: float, memory: Memory) -> bool:
    """The cursor is at a token to which the model gave less than `below`."""
    trace = learner.trace
    if len(trace.path()) < 2:
        return False
    *before, last = trace.token_ids()
    return math.exp(learner.model.records(before)[-1].log_probability(last)) < below


def _search(learner: Learner, yes: bool, memory: Memory) -> bool:
    """A token of the vocabulary was looked for and found."""
    query = str(learner.widget("search") or "")
    return bool(query and learner.model.vocabulary.search(query)) is yes


def _again(learner: Learner, count: int, memory: Memory) -> bool:
    """From the prompt, so many tokens were written, and then written once more: without luck there is one way only."""
    trace = learner.trace
    written = len(trace.path()) - trace.prompt_length
    if written <= 0 and memory.get("once"):
        memory["back"] = True
    memory["once"] = memory.get("once", False) or written >= count
    one_way = all(len(children) == 1 for children in trace.children().values())
    return bool(memory.get("back")) and written >= count and one_way


def _least(learner: Learner, yes: bool, memory: Memory) -> bool:
    """The cursor was moved to the token of the text that the model expected least."""
    trace = learner.trace
    line = trace.line()
    memory["moved"] = memory.get("moved", False) or trace.cursor != memory.setdefault("cursor", trace.cursor)
    logs = learner.model.score([trace.choices[i].token_id for i in line]).log_probabilities
    known = [(value, i) for value, i in zip(logs, line, strict=True) if value is not None]
    return (memory["moved"] and bool(known) and min(known)[1] == trace.cursor) is yes


def _bars(learner: Learner, count: int, memory: Memory) -> bool:
    """At least so many candidates are shown."""
    return learner.session.bars >= count


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
