"""Task for a class: everybody continues the same text, each with a seed of their own.

Generation is that of `engine.generate`: the seed of a member is the member's number, so that anybody can write the same
text again. With greedy search nothing is drawn, and all texts are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.classroom.question import shown_text
from engine.classroom.records import Round
from engine.errors import PromptError
from engine.sampling.settings import Settings, Strategy

if TYPE_CHECKING:
    from engine.model.model import Model

MOST_TOKENS = 40
KIND = "spread"  # in the JSON of a round, where a question has none


class Written(NamedTuple):
    """A continuation: its token ids up to its last whole character, without the end-of-text token; and their text."""

    tokens: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Spread:
    """The task.

    model   name of the model that writes
    ids     token ids of the text that is continued; before: their text, of a long one its end
    tokens  number of tokens to generate at most
    ordinal which task about the teacher's own text it is in its room, from 1
    """

    model: str
    ids: tuple[int, ...]
    before: str
    strategy: Strategy
    settings: Settings
    tokens: int
    ordinal: int = 0

    def to_json(self) -> dict[str, Any]:
        """JSON values of the task, for a store."""
        return asdict(self) | {"kind": KIND}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Spread:
        """The task that `to_json` wrote."""
        return cls(
            model=values["model"],
            ids=tuple(values["ids"]),
            before=values["before"],
            strategy=values["strategy"],
            settings=Settings(**values["settings"]),
            tokens=values["tokens"],
            ordinal=values["ordinal"],
        )

    def write(self, model: Model, seed: int) -> Written:
        """The continuation of a seed. Up to `tokens` steps of the model; raises EngineError."""
        from engine.decoding.generation import generate

        steps = generate(model, self.ids, self.strategy, self.settings, seed, self.tokens)
        tokens = tuple(step.token_id for step in steps if step.token_id not in model.end_ids)
        while model.vocabulary.pending((*self.ids, *tokens)):  # the limit came within a character
            tokens = tokens[:-1]
        return Written(tokens, model.text((*self.ids, *tokens))[len(model.text(self.ids)) :])


def spread_from(
    model: Model, ids: tuple[int, ...], strategy: Strategy, settings: Settings, tokens: int, ordinal: int
) -> Spread:
    """The task to continue `ids` by up to `tokens` tokens. Raises PromptError: `context`, `room_pending`."""
    if model.vocabulary.pending(ids):
        raise PromptError("room_pending", "the text ends within a character")
    tokens = max(1, min(tokens, MOST_TOKENS))
    model.check_text((*ids, 0))
    return Spread(model.name, ids, shown_text(model, ids), strategy, settings, tokens, ordinal)


def spread_of(asked: Round) -> Spread | None:
    """The task of a round; None where the round is a question."""
    return Spread.from_json(asked.question) if asked.question.get("kind") == KIND else None


Unit = tuple[tuple[int, ...], str]  # tokens between character boundaries, and their display text


def units(model: Model, tokens: Sequence[int]) -> tuple[Unit, ...]:
    """A continuation as units: one token each, or the several of one character."""
    return tuple((tuple(tokens[first:stop]), text) for first, stop, text in model.vocabulary.groups(tokens))
