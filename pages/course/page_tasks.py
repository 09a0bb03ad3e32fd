"""Conditions on what the other pages show; see `tasks.py`."""

from __future__ import annotations

from engine.errors import EngineError
from pages.course import placeholders
from pages.course.learner import Condition, Learner, Memory
from pages.i18n.translator import LANGUAGES
from pages.session.incremental_run import IncrementalRun
from pages.uses.state import TASKS as USES


def _beam_width(learner: Learner, width: int, memory: Memory) -> bool:
    return learner.beaming.settings.width == width


def _beam_widths(learner: Learner, count: int, memory: Memory) -> bool:
    """So many widths were followed to the end."""
    seen = memory.setdefault("widths", set())
    if learner.beaming.over:
        seen.add(learner.beaming.settings.width)
    return len(seen) >= count


def _beam_levels(learner: Learner, levels: int, memory: Memory) -> bool:
    return learner.beaming.shown >= levels


def _beam_over(learner: Learner, yes: bool, memory: Memory) -> bool:
    return learner.beaming.over is yes


def _beam_opened(learner: Learner, yes: bool, memory: Memory) -> bool:
    """A node of the tree was opened."""
    return (learner.beaming.opened is not None) is yes


def _compared(learner: Learner, ways: int, memory: Memory) -> bool:
    """So many strategies have finished."""
    return len(learner.comparison.finished) >= ways


def _flat_changed(learner: Learner, yes: bool, memory: Memory) -> bool:
    """One of the two prompts that stand beside each other was changed into another that can be read."""
    changed = False
    for key in (f"compare {which} {language}" for language in LANGUAGES for which in ("flat", "peaked")):
        now = learner.widget(key)
        if now is not None and now != memory.setdefault(key, now):
            changed = changed or placeholders.kept_first(learner, str(now)) is not None
    return changed is yes


def _head(learner: Learner, count: int, memory: Memory) -> bool:
    """So many different heads were opened since the step began."""
    seen = memory.setdefault("heads", set())
    if learner.looking.view == "head":
        seen.add((learner.looking.layer, learner.looking.head))
    return len(seen) > count


def _row(learner: Learner, yes: bool, memory: Memory) -> bool:
    """Another row than the one that predicts the next token is on show."""
    return (learner.looking.row is not None) is yes


def _lens(learner: Learner, yes: bool, memory: Memory) -> bool:
    """A cell of the lens was opened."""
    return (learner.looking.cell is not None) is yes


def _mattered(learner: Learner, yes: bool, memory: Memory) -> bool:
    return bool(learner.widget("inside_mattered")) is yes


def _cut_text(learner: Learner, yes: bool, memory: Memory) -> bool:
    """Another text than at the beginning was cut into tokens."""
    return bool(learner.cutting.text != memory.setdefault("cut", learner.cutting.text)) is yes


def _cut_opened(learner: Learner, yes: bool, memory: Memory) -> bool:
    return (learner.cutting.opened is not None) is yes


def _merged(learner: Learner, count: int, memory: Memory) -> bool:
    return learner.cutting.merged >= count


def _merged_all(learner: Learner, yes: bool, memory: Memory) -> bool:
    """All merges of the text have been replayed."""
    try:
        total = len(learner.cutting.derivation(learner.model).merges)
    except EngineError:  # a tokenizer that makes none: nothing is left to do
        return yes
    return (learner.cutting.merged >= total) is yes


def _forced_opened(learner: Learner, yes: bool, memory: Memory) -> bool:
    """A position of the text under teacher forcing was opened."""
    return (learner.forcing.opened is not None) is yes


def _forced_text(learner: Learner, yes: bool, memory: Memory) -> bool:
    """Another text than at the beginning was read under teacher forcing."""
    return bool(learner.forcing.ids != memory.setdefault("ids", learner.forcing.ids)) is yes


def _moment(learner: Learner, yes: bool, memory: Memory) -> bool:
    """Another moment of the training than the last is on show."""
    return (learner.forcing.moment is not None) is yes


def _over(trial: IncrementalRun, seen: Memory) -> bool:
    """An experiment was begun since the step began, and has come to its end."""
    return trial.turn > seen.setdefault("turn", trial.turn) and trial.work is not None and not trial.running


def _tried(learner: Learner, name: str, memory: Memory) -> bool:
    """That experiment on limits was made since the step began."""
    return _over(learner.limits.trials[name], memory)


def _tried_other(learner: Learner, name: str, memory: Memory) -> bool:
    """That experiment was made since the step began, and asked something else than before."""
    trial = learner.limits.trials[name]
    before = memory.setdefault("asked", trial.asked)
    return _over(trial, memory) and trial.asked != before


def _used(learner: Learner, count: int, memory: Memory) -> bool:
    """So many of the tasks on the page of uses were gone on with since the step began."""
    seen = [memory.setdefault(name, {}) for name in USES]
    return sum(_over(learner.using.trial(name), mine) for name, mine in zip(USES, seen, strict=True)) >= count


def _guessed(learner: Learner, count: int, memory: Memory) -> bool:
    """So many rounds of the quiz were answered since the step began."""
    seen = len(learner.quizzing.outcomes)
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
