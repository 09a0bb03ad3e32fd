"""Next-token guessing game: question positions in a text, tokenization of a typed guess, its score, and options.

Shannon 1951, "Prediction and entropy of printed English", had people guess a text letter by letter to measure its
predictability. Here a player and a model predict one token of a text at the same position, and the player's guess is
scored under the model's distribution; `quiz.scoring` defines the scores. The player has one advantage: questions are
never asked inside a word, which the model does not take into account. Functions are stateless.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from engine.errors import PromptError
from engine.quiz.scoring import Guess, Outcome
from engine.tokenization.unicode import incomplete

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.tokenization.vocabulary import Vocabulary

MIN_TOKENS_BEFORE = 6  # tokens before a question, not counting start tokens
MAX_GUESS_CHARACTERS = 300  # longer guesses are truncated; only the first token is used
_MAX_CHARACTER_TOKENS = 4  # a UTF-8 character has at most 4 bytes
_DRAWS = 200  # samples drawn for the options
_SCRIPT_CONTEXT = 20  # characters before a true token without letters that decide the script of its options

# Letters and digits of scripts that separate words by spaces, and punctuation that is followed by a space in them.
_SPACED = regex.compile(
    r"[[\p{L}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]", regex.V1
)
_SPACE_FOLLOWS = ",.;:!?)]}%”’"


@dataclass(frozen=True, slots=True)
class QuizQuestion:
    """A position in a text: token ids `before`, the token to guess (`truth`), and the token ids after it (`rest`)."""

    before: tuple[int, ...]
    truth: int
    rest: tuple[int, ...]


def find_questions(model: Model, text: str) -> list[QuizQuestion]:
    """All suitable questions of a text, from left to right.

    A token is suitable if it consists of whole characters, is not only white space, not special and not the last one of
    the text; at least MIN_TOKENS_BEFORE tokens precede it; it does not continue a word; and the text before it, encoded
    by itself, gives the same tokens.
    """
    vocabulary = model.vocabulary
    ids = model.encode(text)
    end = min(len(ids) - 1, model.context_length - _MAX_CHARACTER_TOKENS)
    questions = []
    for first, last, _ in vocabulary.groups(ids):
        if last - first > 1 or not len(vocabulary.start) + MIN_TOKENS_BEFORE <= first < end:
            continue
        before = model.text(ids[:first])
        if _can_follow(vocabulary, before, ids[first]) and model.encode(before) == ids[:first]:
            questions.append(QuizQuestion(ids[:first], ids[first], ids[first + 1 :]))
    return questions


def _can_follow(vocabulary: Vocabulary, before: str, token_id: int) -> bool:
    """Whether a token is readable and does not continue a word of the text before it."""
    try:
        text = vocabulary.token_bytes(token_id).decode()
    except UnicodeDecodeError:
        return False
    word = text.removeprefix(" ")
    if token_id in vocabulary.special or not word or word != word.strip() or regex.match(r"['’]\p{L}", text):
        return False
    return (text != word) == (_needs_space(before) and _SPACED.match(word) is not None)


def _scripts(text: str) -> set[str]:
    """Scripts of the letters of a text, by the first word of their Unicode names: LATIN, CJK, CYRILLIC."""
    return {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()}


def _needs_space(before: str) -> bool:
    """Whether a new word after this text is preceded by a space."""
    return bool(before) and (before[-1] in _SPACE_FOLLOWS or _SPACED.match(before[-1]) is not None)


def guess_token_ids(model: Model, question: QuizQuestion, typed: str) -> tuple[int, ...]:
    """Token ids of a typed guess: the first token of `typed` as a continuation of the text.

    Surrounding white space is removed, and a leading space is added where the script requires one. If a character is
    split into several tokens, all of its tokens are returned. If the tokenizer would merge the guess with the text
    before it, the guess is matched greedily, longest token first. Raises PromptError: `quiz_empty`, `surrogate`,
    `quiz_unknown` (the vocabulary has no token for it).
    """
    typed = typed.strip()[:MAX_GUESS_CHARACTERS]
    if not typed:
        raise PromptError("quiz_empty", "nothing was guessed")
    before = model.text(question.before)
    guess = " " + typed if _needs_space(before) and _SPACED.match(typed) else typed
    ids, n = model.encode(before + guess), len(question.before)
    rest = ids[n:] if ids[:n] == question.before else _longest_match(model.vocabulary, guess.encode())
    for count in range(1, _MAX_CHARACTER_TOKENS + 1):
        token_ids = rest[:count]
        data = b"".join(model.vocabulary.token_bytes(i) for i in token_ids)
        if len(token_ids) == count and data and not incomplete(data):
            if set(token_ids) & model.vocabulary.special:
                break
            return token_ids
    raise PromptError("quiz_unknown", "the vocabulary has no token that this begins with")


def _longest_match(vocabulary: Vocabulary, data: bytes) -> tuple[int, ...]:
    """Greedy longest-match tokenization of the beginning of `data`, at most _MAX_CHARACTER_TOKENS tokens."""
    token_ids: list[int] = []
    ordinary = [(vocabulary.token_bytes(i), i) for i in range(vocabulary.size) if i not in vocabulary.special]
    while data and len(token_ids) < _MAX_CHARACTER_TOKENS:
        matches = [(len(token), -i) for token, i in ordinary if token and data.startswith(token)]
        if not matches:
            break
        length, negative_id = max(matches)  # longest; of equal ones the lowest id
        token_ids.append(-negative_id)
        data = data[length:]
    return tuple(token_ids)


def score_guess(model: Model, question: QuizQuestion, token_ids: tuple[int, ...]) -> Guess:
    """A guess with its surprisal in bits; for several tokens the sum, by the chain rule."""
    outputs = model.records(question.before + token_ids[:-1])[len(question.before) - 1 :]
    bits = -math.fsum(o.log_probability(i) for o, i in zip(outputs, token_ids, strict=True)) / math.log(2)
    pending = model.vocabulary.pending(question.before)
    if len(token_ids) == 1:
        text = model.vocabulary.label(token_ids[0], pending)
    else:
        text = "".join(group for _, _, group in model.vocabulary.groups(token_ids))
    return Guess(token_ids, text, max(0.0, bits))


def score_round(model: Model, question: QuizQuestion, token_ids: tuple[int, ...], options: int = 0) -> Outcome:
    """Outcome of a round with the guess `token_ids`; `options` as in `Outcome`."""
    distribution = model.distribution(question.before)
    return Outcome(
        guess=score_guess(model, question, token_ids),
        truth=score_guess(model, question, (question.truth,)),
        best=score_guess(model, question, (int(distribution.order[0]),)),
        vocabulary=distribution.size,
        options=options,
    )


def options(model: Model, question: QuizQuestion, seed: int, count: int = 4) -> list[int]:
    """Token ids of a multiple-choice question: the true token, the most probable one, and sampled distractors.

    Distractors are drawn from the model's distribution, are readable, do not continue a word and are written in the
    script of the true token; display texts are unique. The order is shuffled by the seed, so a position carries no
    information. Other scripts only if the vocabulary has too few tokens of this one, fewer than `count` only if it has
    too few suitable tokens.
    """
    from engine.sampling.distribution import uniform

    distribution = model.distribution(question.before)
    before = model.text(question.before)
    by_text: dict[str, int] = {}

    def add(token_id: int) -> None:
        if len(by_text) < count:
            by_text.setdefault(distribution.candidate(token_id).text, token_id)

    add(question.truth)
    add(int(distribution.order[0]))
    truth = model.vocabulary.token_bytes(question.truth).decode("utf-8", "ignore")
    wanted = _scripts(truth) or _scripts(before[-_SCRIPT_CONTEXT:])
    drawn = (distribution.draw(uniform(seed, at)) for at in range(_DRAWS))
    others: list[int] = []
    for token_id in itertools.chain(drawn, map(int, distribution.order)):
        if len(by_text) == count:
            break
        if _can_follow(model.vocabulary, before, token_id):
            same = _scripts(model.vocabulary.token_bytes(token_id).decode()) <= wanted
            (add if same else others.append)(token_id)
    for token_id in others:
        add(token_id)
    order = sorted(by_text.values())
    return sorted(order, key=lambda token_id: uniform(seed, _DRAWS + order.index(token_id)))
