"""Completion of a lesson's step: conditions on the state of the pages.

A condition is called with the learner's state, its value in the lesson's file, and a memory that is empty when the step
begins. It is evaluated after every action and may store intermediate values in the memory, such as the seeds used.
"""

from __future__ import annotations

from typing import Any

from engine.errors import EngineError
from pages.course.learner import Condition, Count, Learner, TaskMemory
from pages.course.page_tasks import PAGE_COUNTS, PAGE_TASKS
from pages.course.text_tasks import TEXT_COUNTS, TEXT_TASKS

Task = tuple[tuple[str, Any], ...]  # (name, value) of its conditions

TASKS: dict[str, Condition] = {**TEXT_TASKS, **PAGE_TASKS}
COUNTS: dict[str, Count] = {**TEXT_COUNTS, **PAGE_COUNTS}
MAX_PARTS = 5  # of one condition; one that counts further is one part


def met(task: Task, learner: Learner, memory: TaskMemory) -> tuple[bool, ...]:
    """Whether each condition of a step holds.

    All are evaluated, even after one is false, so that each can update its own part of the memory.
    """
    return tuple(
        _holds(TASKS[name], learner, value, memory.setdefault(f"{index} {name}", {}))
        for index, (name, value) in enumerate(task)
    )


def parts(task: Task, holds: tuple[bool, ...], learner: Learner, memory: TaskMemory) -> tuple[int, int]:
    """Number of parts of a task that are done, and of all: such as (2, 3) of three seeds.

    A condition is one part, or as many as it counts. What there was when the step began is no part of the task.
    Called after `met`, with its result, from the beginning of the step on.
    """
    first = memory.setdefault("first", {})
    done_parts = all_parts = 0
    for index, ((name, value), is_met) in enumerate(zip(task, holds, strict=True)):
        have, need = int(is_met), 1
        if name in COUNTS and value <= MAX_PARTS:
            have, need = COUNTS[name](learner, value, memory[f"{index} {name}"])
            have = need if is_met else min(have, need - 1)
        begin = first.setdefault(index, have)
        done_parts += max(0, have - begin)
        all_parts += need - begin
    return done_parts, all_parts


def _holds(condition: Condition, learner: Learner, value: Any, memory: TaskMemory) -> bool:
    """Whether a condition holds; False where the model's numbers, which it needs, cannot be used."""
    try:
        return condition(learner, value, memory)
    except EngineError:
        return False
