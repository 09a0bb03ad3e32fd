"""Trace of a stepwise generation: prompt, settings, the tree of chosen tokens with their origins, and the cursor.

A trace is small and immutable and contains no model output, so it fits in a link and any process can replay it. Every
operation that changes a trace returns a new one.
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

MAX_CHOICES = 10_000  # of a trace from a link or a file
MAX_SEED = 2**31 - 1
_MAX_TOKEN_ID = 2**31 - 1
_MAX_NAME_LENGTH = 200  # characters of a model's name
_FINGERPRINT = re.compile(r"([A-Za-z0-9_-]{8})?", re.ASCII)


class Choice(NamedTuple):
    """One node of the tree: index of its parent (-1 for the first token), its token id, and its origin."""

    parent: int
    token_id: int
    how: TokenOrigin


@dataclass(frozen=True, slots=True)
class Trace:
    """Tree of tokens with a cursor.

    model          name of the model
    choices        nodes in the order of their creation; choices[i].parent < i
    prompt_length  the first so many choices are the prompt, a chain
    cursor         index of the current choice
    latest         for each choice the child visited last, so that the text after the cursor survives stepping back
    fingerprint    of the model (`engine.model.fingerprint`), which distinguishes models of the same name; "" unknown
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
        """New trace with the cursor at the end of the prompt. Raises ValueError for an empty prompt."""
        if not prompt:
            raise ValueError("a trace begins with at least one token")
        choices = tuple(Choice(i - 1, token_id, "prompt") for i, token_id in enumerate(prompt))
        latest = {i: i + 1 for i in range(len(prompt) - 1)}
        return Trace(model, choices, len(prompt), len(prompt) - 1, settings, strategy, seed, latest, fingerprint)

    def path(self, node: int | None = None) -> list[int]:
        """Indices of the choices from the first token to `node` (default: the cursor)."""
        current = self.cursor if node is None else node
        path = []
        while current >= 0:
            path.append(current)
            current = self.choices[current].parent
        return path[::-1]

    def token_ids(self, node: int | None = None) -> tuple[int, ...]:
        """Token ids of the text up to and including `node` (default: the cursor)."""
        return tuple(self.choices[i].token_id for i in self.path(node))

    def line(self) -> list[int]:
        """Path to the cursor, continued along the children visited last to a leaf."""
        line = self.path()
        while (following := self.latest.get(line[-1])) is not None:
            line.append(following)
        return line

    def children(self) -> dict[int, list[int]]:
        """Child indices of every inner node, in the order of their creation."""
        children: dict[int, list[int]] = {}
        for index, choice in enumerate(self.choices):
            if choice.parent >= 0:
                children.setdefault(choice.parent, []).append(index)
        return children

    def choose(self, token_id: int, how: TokenOrigin) -> Trace:
        """Append a token at the cursor and move there; an existing child of the same token is reused.

        A reused child takes the new origin, unless it belongs to the prompt. Other branches stay.
        """
        existing = next(
            (i for i, c in enumerate(self.choices) if c.parent == self.cursor and c.token_id == token_id), None
        )
        if existing is not None:
            choices, node = self.choices, existing
            if choices[node].how not in ("prompt", how):
                choices = (*choices[:node], choices[node]._replace(how=how), *choices[node + 1 :])
        else:
            choices, node = (*self.choices, Choice(self.cursor, token_id, how)), len(self.choices)
        return replace(self, choices=choices, cursor=node, latest={**self.latest, self.cursor: node})

    def go_to(self, node: int) -> Trace:
        """Move the cursor to `node`; the path to it becomes the one visited last. Raises IndexError."""
        if not 0 <= node < len(self.choices):
            raise IndexError(node)
        path = self.path(node)
        return replace(self, cursor=node, latest={**self.latest, **dict(itertools.pairwise(path))})

    def back(self) -> Trace:
        """Move the cursor one token back; at the first token, the same trace."""
        parent = self.choices[self.cursor].parent
        return self if parent < 0 else replace(self, cursor=parent)

    def restart(self) -> Trace:
        """Move the cursor to the end of the prompt, with nothing after it; all branches stay."""
        path = self.path(self.prompt_length - 1)
        return replace(self, cursor=path[-1], latest=dict(itertools.pairwise(path)))

    def line_alone(self) -> Trace:
        """Trace of `line()` alone, without other branches."""
        line = self.line()
        choices = tuple(self.choices[node]._replace(parent=i - 1) for i, node in enumerate(line))
        prompt_length = sum(choice.how == "prompt" for choice in choices)
        latest = {i: i + 1 for i in range(len(line) - 1)}
        cursor = line.index(self.cursor)
        return replace(self, choices=choices, prompt_length=prompt_length, cursor=cursor, latest=latest)

    def check(self) -> Trace:
        """This trace, validated without a model, for untrusted input. Raises TraceError(`trace`); see also `fits`."""
        invalid = self._invalid_part()
        if invalid:
            raise TraceError("trace", invalid)
        return self

    def _invalid_part(self) -> str | None:
        """Name of the first invalid part; None if all are valid. Scalar fields may be values of any type."""
        count = len(self.choices)
        if (
            not isinstance(self.model, str)
            or not 0 < len(self.model) <= _MAX_NAME_LENGTH
            or not self.model.isprintable()
        ):
            return "the model's name"
        if not isinstance(self.fingerprint, str) or not _FINGERPRINT.fullmatch(self.fingerprint):
            return "the model's fingerprint"
        if not isinstance(self.settings, Settings) or self.strategy not in get_args(Strategy):
            return "settings"
        if not _is_int(self.seed, 0, MAX_SEED):
            return "the seed"
        if not 0 < count <= MAX_CHOICES or not _is_int(self.prompt_length, 1, count):
            return "the number of choices"
        edges: set[tuple[int, int]] = set()
        origins = get_args(TokenOrigin)
        for index, (parent, token_id, how) in enumerate(self.choices):
            first, last = (index - 1, index - 1) if index < self.prompt_length else (0, index - 1)
            if (
                not _is_int(parent, first, last)
                or not _is_int(token_id, 0, _MAX_TOKEN_ID)
                or (parent, token_id) in edges
            ):
                return f"choice {index}"
            if how not in origins or (how == "prompt") != (index < self.prompt_length):
                return f"the origin of choice {index}"
            edges.add((parent, token_id))
        if not _is_int(self.cursor, 0, count - 1):
            return "the cursor"
        for node, child in self.latest.items():
            if (
                not _is_int(node, 0, count - 1)
                or not _is_int(child, 0, count - 1)
                or self.choices[child].parent != node
            ):
                return f"the latest child of choice {node}"
        return None

    def fits(self, model: Model) -> Trace:
        """This trace, if the model can process it.

        The vocabularies agree by fingerprint (where both are known), all token ids exist, and no path is longer than
        the model's context. Raises TraceError(`trace_vocabulary`).
        """
        if self.fingerprint and model.fingerprint and self.fingerprint[:4] != model.fingerprint[:4]:
            raise TraceError("trace_vocabulary", f"other tokens than those of {self.model}", name=self.model)
        depths: list[int] = []
        for parent, token_id, _ in self.choices:
            depths.append(depths[parent] + 1 if parent >= 0 else 1)
            if token_id >= model.vocabulary.size or depths[-1] > model.context_length:
                raise TraceError("trace_vocabulary", f"{self.model} cannot read it", name=self.model)
        return self


def _is_int(value: Any, low: int, high: int) -> bool:
    """Whether `value` is an int in [low, high]; bool and float do not count."""
    return type(value) is int and low <= value <= high
