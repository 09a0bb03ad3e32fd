"""When a step of a lesson is done: conditions on what the learner has on the table, read and never guessed.

A condition is a function of the table, of the value that the lesson's file gives it, and of a memory that is empty when
the step begins. It is asked after everything the learner does, and may remember what it saw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.measures import repeated_ngrams
from engine.types import EngineError
from pages.learn import facts, reading
from pages.ui.forcing import Forcing
from pages.ui.limits_session import Limits, Trial
from pages.ui.quizzing import Quizzing
from pages.ui.using import TASKS as USES
from pages.ui.using import Using

if TYPE_CHECKING:
    from engine.model import Model
    from engine.trace import Trace
    from pages.ui.beam_session import Beaming
    from pages.ui.comparison import Comparison
    from pages.ui.cutting import Cutting
    from pages.ui.looking import Looking
    from pages.ui.session import Session

Memory = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """What a learner has before them, on every page. `widget` gives the value of a control by its key."""

    model: Model
    session: Session
    beaming: Beaming
    comparison: Comparison
    looking: Looking
    cutting: Cutting
    widget: Callable[[str], Any]
    forcing: Forcing = field(default_factory=Forcing)
    limits: Limits = field(default_factory=Limits)
    using: Using = field(default_factory=Using)
    quizzing: Quizzing = field(default_factory=Quizzing)

    @property
    def trace(self) -> Trace:
        return self.session.ready(self.model)


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


def _beam_width(table: Table, width: int, memory: Memory) -> bool:
    return table.beaming.settings.width == width


def _beam_widths(table: Table, count: int, memory: Memory) -> bool:
    """So many widths were followed to the end."""
    seen = memory.setdefault("widths", set())
    if table.beaming.over:
        seen.add(table.beaming.settings.width)
    return len(seen) >= count


def _beam_levels(table: Table, levels: int, memory: Memory) -> bool:
    return table.beaming.shown >= levels


def _beam_over(table: Table, yes: bool, memory: Memory) -> bool:
    return table.beaming.over is yes


def _beam_opened(table: Table, yes: bool, memory: Memory) -> bool:
    """A node of the tree was opened."""
    return (table.beaming.opened is not None) is yes


def _compared(table: Table, ways: int, memory: Memory) -> bool:
    """So many strategies have finished."""
    return len(table.comparison.finished) >= ways


def _flat_changed(table: Table, yes: bool, memory: Memory) -> bool:
    """One of the two prompts that stand beside each other was changed into another that can be read."""
    changed = False
    for key in (f"compare {which} {language}" for language in reading.languages() for which in ("flat", "peaked")):
        now = table.widget(key)
        if now is not None and now != memory.setdefault(key, now):
            changed = changed or facts.kept_first(table, str(now)) is not None
    return changed is yes


def _head(table: Table, count: int, memory: Memory) -> bool:
    """So many different heads were opened since the step began."""
    seen = memory.setdefault("heads", set())
    if table.looking.view == "head":
        seen.add((table.looking.layer, table.looking.head))
    return len(seen) > count


def _row(table: Table, yes: bool, memory: Memory) -> bool:
    """Another row than the one that predicts the next token is on show."""
    return (table.looking.row is not None) is yes


def _lens(table: Table, yes: bool, memory: Memory) -> bool:
    """A cell of the lens was opened."""
    return (table.looking.cell is not None) is yes


def _mattered(table: Table, yes: bool, memory: Memory) -> bool:
    return bool(table.widget("inside_mattered")) is yes


def _cut_text(table: Table, yes: bool, memory: Memory) -> bool:
    """Another text than at the beginning was cut into tokens."""
    return bool(table.cutting.text != memory.setdefault("cut", table.cutting.text)) is yes


def _cut_opened(table: Table, yes: bool, memory: Memory) -> bool:
    return (table.cutting.opened is not None) is yes


def _merged(table: Table, count: int, memory: Memory) -> bool:
    return table.cutting.merged >= count


def _merged_all(table: Table, yes: bool, memory: Memory) -> bool:
    """All merges of the text have been replayed."""
    try:
        total = len(table.cutting.replay(table.model).merges)
    except EngineError:  # a tokenizer that makes none: nothing is left to do
        return yes
    return (table.cutting.merged >= total) is yes


def _forced_opened(table: Table, yes: bool, memory: Memory) -> bool:
    """A position of the text under teacher forcing was opened."""
    return (table.forcing.opened is not None) is yes


def _forced_text(table: Table, yes: bool, memory: Memory) -> bool:
    """Another text than at the beginning was read under teacher forcing."""
    return bool(table.forcing.ids != memory.setdefault("ids", table.forcing.ids)) is yes


def _moment(table: Table, yes: bool, memory: Memory) -> bool:
    """Another moment of the training than the last is on show."""
    return (table.forcing.moment is not None) is yes


def _over(trial: Trial, seen: Memory) -> bool:
    """An experiment was begun since the step began, and has come to its end."""
    return trial.turn > seen.setdefault("turn", trial.turn) and trial.work is not None and not trial.running


def _tried(table: Table, name: str, memory: Memory) -> bool:
    """That experiment on limits was made since the step began."""
    return _over(table.limits.trials[name], memory)


def _tried_other(table: Table, name: str, memory: Memory) -> bool:
    """That experiment was made since the step began, and asked something else than before."""
    trial = table.limits.trials[name]
    before = memory.setdefault("asked", trial.asked)
    return _over(trial, memory) and trial.asked != before


def _used(table: Table, count: int, memory: Memory) -> bool:
    """So many of the tasks on the page of uses were gone on with since the step began."""
    seen = [memory.setdefault(name, {}) for name in USES]
    return sum(_over(table.using.trial(name), mine) for name, mine in zip(USES, seen, strict=True)) >= count


def _bars(table: Table, count: int, memory: Memory) -> bool:
    """At least so many candidates are shown."""
    return table.session.bars >= count


def _guessed(table: Table, count: int, memory: Memory) -> bool:
    """So many rounds of the quiz were answered since the step began."""
    seen = len(table.quizzing.outcomes)
    memory["played"] = memory.get("played", 0) + max(0, seen - memory.get("seen", seen))
    memory["seen"] = seen
    return bool(memory["played"] >= count)


TASKS: dict[str, Callable[[Table, Any, Memory], bool]] = {
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
    "beam_width": _beam_width,
    "beam_widths": _beam_widths,
    "beam_levels": _beam_levels,
    "beam_over": _beam_over,
    "beam_opened": _beam_opened,
    "compared": _compared,
    "flat_changed": _flat_changed,
    "head": _head,
    "row": _row,
    "lens": _lens,
    "mattered": _mattered,
    "cut_text": _cut_text,
    "cut_opened": _cut_opened,
    "merged": _merged,
    "merged_all": _merged_all,
    "forced_opened": _forced_opened,
    "forced_text": _forced_text,
    "moment": _moment,
    "tried": _tried,
    "tried_other": _tried_other,
    "used": _used,
    "bars": _bars,
    "guessed": _guessed,
}


def done(task: tuple[tuple[str, Any], ...], table: Table, memory: Memory) -> bool:
    """Whether all conditions of a step hold. Each is asked, so that each sees what happens."""
    held = [TASKS[name](table, value, memory.setdefault(f"{at} {name}", {})) for at, (name, value) in enumerate(task)]
    return all(held)
