"""What one person did: the prompt, the settings, every token chosen and how, all branches, where the cursor is.

A trace is small and immutable and holds no number that a model computed, so a link can hold all of it and any process
can replay it. Each change returns a new trace.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from engine.errors import TraceError
from engine.sampling.settings import Settings, Strategy, TokenOrigin

if TYPE_CHECKING:
    from engine.model.model import Model

MOST_CHOICES = 10_000  # of a trace that comes from outside
MOST_SEED = 2**31 - 1
_MOST_ID = 2**31 - 1
_LONGEST_NAME = 200  # characters of a model's name
_FINGERPRINT = re.compile(r"([A-Za-z0-9_-]{8})?", re.ASCII)


class Choice(NamedTuple):
    """One token of the tree: which one it follows (-1: none), its id, and how it came there."""

    parent: int
    token_id: int
    how: TokenOrigin


@dataclass(frozen=True, slots=True)
class Trace:
    """choices[i].parent < i; the first `prompt_length` are the prompt, a chain. The cursor is an index of choices.

    `latest` remembers for each choice the child that was on the path last, so that going back keeps what was beyond.
    `fingerprint` is the model's (`fingerprint.py`), by which another model of the same name is told apart; "" unknown.
    """

    model: str
    choices: tuple[Choice, ...]
    prompt_length: int
    cursor: int
    settings: Settings
    strategy: Strategy = "sample"
    seed: int = 0
    latest: dict[int, int] = field(default_factory=dict, hash=False)
    fingerprint: str = ""

    @staticmethod
    def start(
        model: str,
        prompt: Sequence[int],
        settings: Settings,
        strategy: Strategy = "sample",
        seed: int = 0,
        fingerprint: str = "",
    ) -> Trace:
        """A new trace whose cursor is at the prompt's end. Raises ValueError for an empty prompt."""
        if not prompt:
            raise ValueError("a trace begins with at least one token")
        choices = tuple(Choice(i - 1, token_id, "prompt") for i, token_id in enumerate(prompt))
        latest = {i: i + 1 for i in range(len(prompt) - 1)}
        return Trace(model, choices, len(prompt), len(prompt) - 1, settings, strategy, seed, latest, fingerprint)

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

    def choose(self, token_id: int, how: TokenOrigin) -> Trace:
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
        return Trace.start(self.model, prompt, self.settings, self.strategy, self.seed, self.fingerprint)

    def line_alone(self) -> Trace:
        """The way that is shown, without the others."""
        line = self.line()
        choices = tuple(self.choices[node]._replace(parent=at - 1) for at, node in enumerate(line))
        prompt_length = sum(choice.how == "prompt" for choice in choices)
        latest = {at: at + 1 for at in range(len(line) - 1)}
        cursor = line.index(self.cursor)
        return replace(self, choices=choices, prompt_length=prompt_length, cursor=cursor, latest=latest)

    def check(self) -> Trace:
        """This trace, once all that can be wrong with one from outside was looked for; no model is needed for it.

        Raises TraceError(`trace`). `fits` holds it against a model.
        """
        wrong = self._wrong()
        if wrong:
            raise TraceError("trace", wrong)
        return self

    def _wrong(self) -> str | None:
        """What is wrong with this trace. Fields may hold anything at all."""
        count = len(self.choices)
        if not isinstance(self.model, str) or not 0 < len(self.model) <= _LONGEST_NAME or not self.model.isprintable():
            return "the model's name"
        if not isinstance(self.fingerprint, str) or not _FINGERPRINT.fullmatch(self.fingerprint):
            return "the model's fingerprint"
        if not isinstance(self.settings, Settings) or self.strategy not in get_args(Strategy):
            return "settings"
        if not _whole(self.seed, 0, MOST_SEED):
            return "the seed"
        if not 0 < count <= MOST_CHOICES or not _whole(self.prompt_length, 1, count):
            return "how many choices there are"
        seen: set[tuple[int, int]] = set()
        hows = get_args(TokenOrigin)
        for index, (parent, token_id, how) in enumerate(self.choices):
            first, last = (index - 1, index - 1) if index < self.prompt_length else (0, index - 1)
            if not _whole(parent, first, last) or not _whole(token_id, 0, _MOST_ID) or (parent, token_id) in seen:
                return f"choice {index}"
            if how not in hows or (how == "prompt") != (index < self.prompt_length):
                return f"how choice {index} was made"
            seen.add((parent, token_id))
        if not _whole(self.cursor, 0, count - 1):
            return "the cursor"
        for at, child in self.latest.items():
            if not _whole(at, 0, count - 1) or not _whole(child, 0, count - 1) or self.choices[child].parent != at:
                return f"what was looked at last after choice {at}"
        return None

    def fits(self, model: Model) -> Trace:
        """This trace, once it is clear that the model can read it: its ids stand for the same tokens, they exist, and
        no way is longer than the window. Raises TraceError(`trace_vocabulary`)."""
        if self.fingerprint and model.fingerprint and self.fingerprint[:4] != model.fingerprint[:4]:
            raise TraceError("trace_vocabulary", f"other tokens than those of {self.model}", name=self.model)
        depths: list[int] = []
        for parent, token_id, _ in self.choices:
            depths.append(depths[parent] + 1 if parent >= 0 else 1)
            if token_id >= model.vocabulary.size or depths[-1] > model.context_length:
                raise TraceError("trace_vocabulary", f"{self.model} cannot read it", name=self.model)
        return self


def _whole(value: Any, low: int, high: int) -> bool:
    """Whether it is a whole number in that range, and not True or 1.0."""
    return type(value) is int and low <= value <= high
