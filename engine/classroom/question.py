"""One question to a class: the text before a token that is to be guessed, and four tokens to pick from.

It is built once, by the teacher's model, and stored with the round: members' pages read it and run no model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.classroom.records import Round
from engine.errors import PromptError

if TYPE_CHECKING:
    from engine.model.model import Model

SHOWN_CHARACTERS = 1_500  # of a long text its end


@dataclass(frozen=True, slots=True)
class Game:
    """Place of a question in a game with the quiz's texts: `index` from 0, of `rounds`; `number`: which game."""

    language: str
    number: int
    index: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question.

    model    name of the model whose tokens and distribution count
    ids      token ids before the question
    before   their text, of a long one its end
    options  (token id, display text) of the tokens to pick from
    truth    token id that follows in the text; None where the text ends here
    rest     text after that token
    game     None for a question about the teacher's own text
    ordinal  which of these it is in its room, from 1; 0 in a game
    """

    model: str
    ids: tuple[int, ...]
    before: str
    options: tuple[tuple[int, str], ...]
    truth: int | None = None
    rest: str = ""
    game: Game | None = None
    ordinal: int = 0

    def to_json(self) -> dict[str, Any]:
        """JSON values of the question, for a store."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Question:
        """The question that `to_json` wrote."""
        game = values["game"]
        return cls(
            model=values["model"],
            ids=tuple(values["ids"]),
            before=values["before"],
            options=tuple((int(token), str(text)) for token, text in values["options"]),
            truth=values["truth"],
            rest=values["rest"],
            game=Game(**game) if game else None,
            ordinal=int(values.get("ordinal", 0)),  # a file of rooms may be older
        )


def question_of(asked: Round) -> Question | None:
    """The question of a round; None where the round is another task."""
    return None if "kind" in asked.question else Question.from_json(asked.question)


def shown_text(model: Model, ids: tuple[int, ...]) -> str:
    """The text of `ids`, of a long one its end."""
    text = model.text(ids)
    return f"…{text[-SHOWN_CHARACTERS:]}" if len(text) > SHOWN_CHARACTERS else text


def ask_about(
    model: Model, ids: tuple[int, ...], seed: int, truth: int | None = None, rest: tuple[int, ...] = (),
    game: Game | None = None,
) -> Question:  # fmt: skip
    """The question what follows `ids`. One pass over the text, unless it is in the cache.

    The options are those of the quiz; without a true token, the most probable one takes its place. Raises PromptError:
    `context` (no room for one more token), `room_pending` (the text ends within a character).
    """
    from engine.quiz.questions import QuizQuestion, options

    if model.vocabulary.pending(ids):
        raise PromptError("room_pending", "the text ends within a character")
    model.check_text((*ids, 0))
    best = int(model.distribution(ids).order[0])
    question = QuizQuestion(ids, best if truth is None else truth, rest)
    pending = model.vocabulary.pending(ids)
    picked = [(i, model.vocabulary.label(i, pending)) for i in options(model, question, seed)]
    whole = model.text((*ids, *(() if truth is None else (truth,))))
    return Question(
        model=model.name,
        ids=ids,
        before=shown_text(model, ids),
        options=tuple(picked),
        truth=truth,
        rest=model.text((*ids, *(() if truth is None else (truth,)), *rest))[len(whole) :] if rest else "",
        game=game,
    )
