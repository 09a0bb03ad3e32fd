"""What one person did: the prompt, the settings, every token chosen and how, all branches, where the cursor is.

A trace is small and immutable and holds no number that a model computed, so a link can hold all of it and any process
can replay it. Each change returns a new trace.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from engine.types import How, Settings, Strategy


class Choice(NamedTuple):
    """One token of the tree: which one it follows (-1: none), its id, and how it came there."""

    parent: int
    token_id: int
    how: How


@dataclass(frozen=True, slots=True)
class Trace:
    """choices[i].parent < i; the first `prompt_length` are the prompt, a chain. The cursor is an index of choices.

    `latest` remembers for each choice the child that was on the path last, so that going back keeps what was beyond.
    """

    model: str
    choices: tuple[Choice, ...]
    prompt_length: int
    cursor: int
    settings: Settings
    strategy: Strategy = "sample"
    seed: int = 0
    latest: dict[int, int] = field(default_factory=dict, hash=False)

    @staticmethod
    def start(
        model: str, prompt: Sequence[int], settings: Settings, strategy: Strategy = "sample", seed: int = 0
    ) -> Trace:
        """A new trace whose cursor is at the prompt's end. Raises ValueError for an empty prompt."""
        if not prompt:
            raise ValueError("a trace begins with at least one token")
        choices = tuple(Choice(i - 1, token_id, "prompt") for i, token_id in enumerate(prompt))
        latest = {i: i + 1 for i in range(len(prompt) - 1)}
        return Trace(model, choices, len(prompt), len(prompt) - 1, settings, strategy, seed, latest)

    def path(self, node: int | None = None) -> list[int]:
        """Indices of the choices from the first token to `node` (the cursor by default)."""
        at = self.cursor if node is None else node
        path = []
        while at >= 0:
            path.append(at)
            at = self.choices[at].parent
        return path[::-1]

    def token_ids(self, node: int | None = None) -> tuple[int, ...]:
        """The text up to `node` (the cursor by default)."""
        return tuple(self.choices[i].token_id for i in self.path(node))

    def line(self) -> list[int]:
        """The path through the cursor and on along what was last looked at beyond it."""
        line = self.path()
        while (following := self.latest.get(line[-1])) is not None:
            line.append(following)
        return line

    def children(self) -> dict[int, list[int]]:
        """For each choice that something follows, what follows it, in the order in which it came."""
        children: dict[int, list[int]] = {}
        for index, choice in enumerate(self.choices):
            if choice.parent >= 0:
                children.setdefault(choice.parent, []).append(index)
        return children

    def choose(self, token_id: int, how: How) -> Trace:
        """Append a token at the cursor, or step onto it where it follows already; other ways stay as branches."""
        existing = next(
            (i for i, c in enumerate(self.choices) if c.parent == self.cursor and c.token_id == token_id), None
        )
        if existing is not None:
            choices, at = self.choices, existing
            if choices[at].how not in ("prompt", how):
                choices = (*choices[:at], choices[at]._replace(how=how), *choices[at + 1 :])
        else:
            choices, at = (*self.choices, Choice(self.cursor, token_id, how)), len(self.choices)
        return replace(self, choices=choices, cursor=at, latest={**self.latest, self.cursor: at})

    def go_to(self, node: int) -> Trace:
        """Move the cursor; the way to it becomes the way that was looked at last. IndexError for an unknown one."""
        if not 0 <= node < len(self.choices):
            raise IndexError(node)
        path = self.path(node)
        return replace(self, cursor=node, latest={**self.latest, **dict(itertools.pairwise(path))})

    def back(self) -> Trace:
        """One token back; at the first one, the same trace."""
        parent = self.choices[self.cursor].parent
        return self if parent < 0 else replace(self, cursor=parent)

    def restart(self) -> Trace:
        """The prompt alone, its settings kept."""
        prompt = [choice.token_id for choice in self.choices[: self.prompt_length]]
        return Trace.start(self.model, prompt, self.settings, self.strategy, self.seed)
