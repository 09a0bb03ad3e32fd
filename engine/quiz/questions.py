"""Guess the next token: where to ask in a text, which token a guess is, and what the model makes of it.

Shannon 1951, "Prediction and entropy of printed English", had people guess a text letter by letter to learn how
predictable it is. Here a person and a model guess one token of a text at the same place, and the person's guess is
looked up in the model's own distribution. What rounds are worth is `tally.py`'s. The person knows one thing that the
model is not told: places never lie inside a word. This file knows no screen and keeps nothing.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from engine.errors import PromptError
from engine.quiz.scoring import Guess, Outcome
from engine.tokenization.unicode import incomplete

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.vocabulary import Vocabulary

FEWEST_BEFORE = 6  # tokens that stand before a place
LONGEST_GUESS = 300  # characters of a guess that are read: its first token decides
_CHARACTER = 4  # tokens that one character can take at most
_DRAWS = 200

# Letters of scripts that part words by spaces, and signs after which such a script puts one.
_SPACED = regex.compile(
    r"[[\p{L}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]", regex.V1
)
_SPACE_FOLLOWS = ",.;:!?)]}%”’"


@dataclass(frozen=True, slots=True)
class QuizQuestion:
    """A place in a text. `before`: the tokens that are shown; then comes the token `truth`, then `rest`."""

    before: tuple[int, ...]
    truth: int
    rest: tuple[int, ...]


def find_questions(model: Model, text: str) -> list[QuizQuestion]:
    """Every place of a text at which it can fairly be asked, from left to right.

    The token is whole characters, not only white space, not the text's last and not a special one; some tokens stand
    before it; the text up to it would be cut into the same tokens by itself; and it begins no later than its word.
    """
    vocabulary = model.vocabulary
    ids = model.encode(text)
    most = min(len(ids) - 1, model.context_length - _CHARACTER)
    found = []
    for first, last, _ in vocabulary.groups(ids):
        if last - first > 1 or not len(vocabulary.start) + FEWEST_BEFORE <= first < most:
            continue
        before = model.text(ids[:first])
        if _could_follow(vocabulary, before, ids[first]) and model.encode(before) == ids[:first]:
            found.append(QuizQuestion(ids[:first], ids[first], ids[first + 1 :]))
    return found


def _could_follow(vocabulary: Vocabulary, before: str, token_id: int) -> bool:
    """Whether a token is readable and does not go on with a word that has begun."""
    try:
        text = vocabulary.token_bytes(token_id).decode()
    except UnicodeDecodeError:
        return False
    word = text.removeprefix(" ")
    if token_id in vocabulary.special or not word or word != word.strip() or regex.match(r"['’]\p{L}", text):
        return False
    return (text != word) == (_space_belongs(before) and _SPACED.match(word) is not None)


def _space_belongs(before: str) -> bool:
    """Whether a new word after this text has a space before it."""
    return bool(before) and (before[-1] in _SPACE_FOLLOWS or _SPACED.match(before[-1]) is not None)


def guess_token_ids(model: Model, question: QuizQuestion, typed: str) -> tuple[int, ...]:
    """The token that a typed guess is: the first, when what was typed stands behind the text.

    White space around it is dropped and put where the script wants it. Where a character falls into several tokens,
    all of its tokens. Where the tokenizer would join it with the text before, the longest token that it begins with.
    Raises PromptError: `quiz_empty`, `surrogate`, `quiz_unknown` (the vocabulary has no token for it).
    """
    typed = typed.strip()[:LONGEST_GUESS]
    if not typed:
        raise PromptError("quiz_empty", "nothing was guessed")
    before = model.text(question.before)
    more = " " + typed if _space_belongs(before) and _SPACED.match(typed) else typed
    ids, n = model.encode(before + more), len(question.before)
    rest = ids[n:] if ids[:n] == question.before else _longest(model.vocabulary, more.encode())
    for count in range(1, _CHARACTER + 1):
        taken = rest[:count]
        data = b"".join(model.vocabulary.token_bytes(i) for i in taken)
        if len(taken) == count and data and not incomplete(data):
            if set(taken) & model.vocabulary.special:
                break
            return taken
    raise PromptError("quiz_unknown", "the vocabulary has no token that this begins with")


def _longest(vocabulary: Vocabulary, data: bytes) -> tuple[int, ...]:
    """Tokens that spell the beginning of `data`, each the longest that fits; as many as one character can take."""
    found: list[int] = []
    known = [(vocabulary.token_bytes(i), i) for i in range(vocabulary.size) if i not in vocabulary.special]
    while data and len(found) < _CHARACTER:
        fits = [(len(token), -i) for token, i in known if token and data.startswith(token)]
        if not fits:
            break
        length, negative = max(fits)
        found.append(-negative)
        data = data[length:]
    return tuple(found)


def score_guess(model: Model, question: QuizQuestion, token_ids: tuple[int, ...]) -> Guess:
    """A guess with its bits; of several tokens the sum, each after those before it."""
    records = model.records(question.before + token_ids[:-1])[len(question.before) - 1 :]
    bits = -math.fsum(r.log_probability(i) for r, i in zip(records, token_ids, strict=True)) / math.log(2)
    pending = model.vocabulary.pending(question.before)
    if len(token_ids) == 1:
        text = model.vocabulary.label(token_ids[0], pending)
    else:
        text = "".join(whole for _, _, whole in model.vocabulary.groups(token_ids))
    return Guess(token_ids, text, max(0.0, bits))


def score_round(model: Model, question: QuizQuestion, token_ids: tuple[int, ...], options: int = 0) -> Outcome:
    """What a round comes to."""
    distribution = model.distribution(question.before)
    return Outcome(
        guess=score_guess(model, question, token_ids),
        truth=score_guess(model, question, (question.truth,)),
        best=score_guess(model, question, (int(distribution.order[0]),)),
        vocabulary=distribution.size,
        options=options,
    )


def options(model: Model, question: QuizQuestion, seed: int, count: int = 4) -> list[int]:
    """Tokens to choose from: what really comes, what the model finds likeliest, and others drawn from what it believes.

    The others are readable and go on with no word that has begun; no two read alike. The order is drawn by the seed
    too, so that a place in it says nothing. Fewer than `count` only where the vocabulary has no more that would do.
    """
    from engine.sampling.distribution import uniform

    distribution = model.distribution(question.before)
    before = model.text(question.before)
    found: dict[str, int] = {}

    def take(token_id: int) -> None:
        if len(found) < count:
            found.setdefault(distribution.candidate(token_id).text, token_id)

    take(question.truth)
    take(int(distribution.order[0]))
    drawn = (distribution.draw(uniform(seed, at)) for at in range(_DRAWS))
    for token_id in itertools.chain(drawn, map(int, distribution.order)):
        if len(found) == count:
            break
        if _could_follow(model.vocabulary, before, token_id):
            take(token_id)
    order = sorted(found.values())
    return sorted(order, key=lambda token_id: uniform(seed, _DRAWS + order.index(token_id)))
