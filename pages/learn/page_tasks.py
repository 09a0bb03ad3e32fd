"""Conditions on what the other pages show; see `tasks.py`."""

from __future__ import annotations

from engine.errors import EngineError
from pages.learn import facts, reading
from pages.learn.table import Condition, Memory, Table
from pages.ui.limits_session import Trial
from pages.ui.using import TASKS as USES


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


def _guessed(table: Table, count: int, memory: Memory) -> bool:
    """So many rounds of the quiz were answered since the step began."""
    seen = len(table.quizzing.outcomes)
    memory["played"] = memory.get("played", 0) + max(0, seen - memory.get("seen", seen))
    memory["seen"] = seen
    return bool(memory["played"] >= count)


PAGES: dict[str, Condition] = {
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
    "guessed": _guessed,
}
