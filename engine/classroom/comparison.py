"""The answers of a class beside the model's distribution: what is stored with a round when it is revealed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.classroom.question import Question
from engine.classroom.records import Answer
from engine.classroom.tally import Bar, ClassScore, Tokens, bars, score_class
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.questions import QuizQuestion

TOP = 8  # most probable tokens that have a bar in any case
_INFINITE = "inf"  # JSON has no infinity


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a round.

    bars   every token that the class answered, the model's most probable ones, and the true one; see `tally.bars`
    chosen tokens that most answers count as; of equally many the more probable ones; () without answers
    best   the model's most probable token
    truth  the token that follows in the text, () where there is none
    """

    bars: tuple[Bar, ...]
    chosen: Tokens
    best: Tokens
    truth: Tokens
    score: ClassScore

    def bar(self, tokens: Tokens) -> Bar | None:
        """The bar of a token."""
        return next((bar for bar in self.bars if bar.tokens == tokens), None)

    def to_json(self) -> dict[str, Any]:
        """JSON values of the result, for a store."""
        values: dict[str, Any] = _without_infinity(asdict(self))
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Result:
        """The result that `to_json` wrote."""
        restored = _with_infinity(values)
        return cls(
            bars=tuple(Bar(**{**bar, "tokens": tuple(bar["tokens"])}) for bar in restored["bars"]),
            chosen=tuple(restored["chosen"]),
            best=tuple(restored["best"]),
            truth=tuple(restored["truth"]),
            score=ClassScore(**restored["score"]),
        )


def compare(model: Model, question: Question, answers: Sequence[Answer]) -> Result:
    """The result of a round under the model that asked it. One pass for each answer of several tokens."""
    from engine.quiz.questions import QuizQuestion

    distribution = model.distribution(question.ids)
    votes: Counter[Tokens] = Counter(answer.tokens for answer in answers)
    texts: dict[Tokens, str] = {answer.tokens: answer.text for answer in answers}
    pending = model.vocabulary.pending(question.ids)
    best: Tokens = (int(distribution.order[0]),)
    truth: Tokens = () if question.truth is None else (question.truth,)
    for token_id in [*(int(i) for i in distribution.order[: min(TOP, distribution.known)]), *truth]:
        texts.setdefault((token_id,), model.vocabulary.label(token_id, pending))
    asked = QuizQuestion(question.ids, best[0], ())
    found = bars(votes, texts, {tokens: _bits(model, asked, tokens) for tokens in texts})
    least = _bits(model, asked, best)
    score = score_class(found, least or 0.0, distribution.size, distribution.entropy / math.log(2), truth or None)
    chosen = found[0].tokens if found and found[0].votes else ()
    return Result(tuple(found), chosen, best, truth, score)


def _bits(model: Model, question: QuizQuestion, tokens: Tokens) -> float | None:
    """Surprisal of tokens in bits; None where a server does not tell it."""
    from engine.quiz.questions import score_guess

    try:
        return score_guess(model, question, tokens).bits
    except EngineError as error:
        if error.code == "unlisted":
            return None
        raise


def _without_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_infinity(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_infinity(part) for part in value]
    return _INFINITE if value == math.inf else value


def _with_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: part if name == "text" else _with_infinity(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_infinity(part) for part in value]
    return math.inf if value == _INFINITE else value
