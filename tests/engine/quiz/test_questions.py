"""Guessing game: questions, guesses and scores, against the softmax of `transformers` over the whole vocabulary."""

from __future__ import annotations

import math

import pytest
import regex
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedModel

from engine.errors import PromptError
from engine.model.model import Model
from engine.quiz import questions
from engine.quiz.questions import QuizQuestion
from engine.quiz.scoring import Guess, Outcome, perplexity, score_game
from engine.tokenization.unicode import incomplete
from tests.engine.conftest import Tiny

TEXTS = [
    "陽台上的薄荷長得太快，外婆剪了一大把，泡成一壺冰涼的茶請鄰居喝。",
    "He folded the map the wrong way so many times that it finally tore along the river.",
    '"You said five minutes." "I did not say which five minutes, did I?" 3.14 and 2,000 are well-known.',
    "我用 Python 3 寫了 👩‍👩‍👧 龘 𠮷 的程式，don't stop now, 你看\n換行之後 again.",
]


@pytest.fixture(scope="module")
def all_questions(model: Model) -> list[list[QuizQuestion]]:
    """All questions of each text."""
    return [questions.find_questions(model, text) for text in TEXTS]


def guess_or_error(model: Model, question: QuizQuestion, typed: str) -> tuple[tuple[int, ...], str]:
    """(token ids of a guess, ""), or ((), error code)."""
    try:
        return questions.guess_token_ids(model, question, typed), ""
    except PromptError as error:
        return (), error.code


@torch.inference_mode()
def logits(reference: PreTrainedModel, ids: tuple[int, ...]) -> torch.Tensor:
    return reference(input_ids=torch.tensor([ids])).logits[0]


def log2_softmax(reference: PreTrainedModel, ids: tuple[int, ...]) -> torch.Tensor:
    return torch.log_softmax(logits(reference, ids).double(), dim=-1) / math.log(2)


def bits_of(reference: PreTrainedModel, before: tuple[int, ...], ids: tuple[int, ...]) -> float:
    table = log2_softmax(reference, before + ids)
    return -sum(float(table[len(before) - 1 + i, token]) for i, token in enumerate(ids))


@pytest.mark.parametrize("text", TEXTS)
def test_places_are_whole_words_and_stand_by_themselves(model: Model, text: str) -> None:
    ids, result = model.encode(text), questions.find_questions(model, text)
    assert len(result) >= 5
    for question in result:
        assert (*question.before, question.truth, *question.rest) == ids and question.rest
        assert len(question.before) >= questions.MIN_TOKENS_BEFORE
        before = model.text(question.before)
        assert text.startswith(before) and model.encode(before) == question.before
        token = model.vocabulary.token_bytes(question.truth).decode()  # raises inside a character
        word = token.strip(" ")
        assert word
        latin = [char for char in (before[-1], word[0]) if char.isascii() and char.isalnum()]
        assert len(latin) < 2 or token.startswith(" "), (before, token)
        assert not (before + token).endswith(("don't", "3.1"))


def test_no_place_lies_in_a_character_or_a_cluster(model: Model) -> None:
    """An emoji of several code points is many tokens: no question is about any of them or starts inside it."""
    family = "👩‍👩‍👧"
    for question in questions.find_questions(model, TEXTS[3]):
        before = model.text(question.before)
        assert not before.endswith(("\u200d", "👩")) and "‹" not in before
        assert family.startswith("👩") and question.truth not in model.encode(family)


def test_what_is_typed_at_a_place_is_the_token_there(model: Model, all_questions: list[list[QuizQuestion]]) -> None:
    """Typing the true continuation is a hit at every question."""
    for text_questions in all_questions:
        for question in text_questions:
            follows = model.text((question.truth, *question.rest))
            assert questions.guess_token_ids(model, question, follows) == (question.truth,)
            assert questions.guess_token_ids(model, question, f"  {follows.strip()} ") == (question.truth,)


def test_scores_equal_the_reference(
    model: Model, reference: PreTrainedModel, all_questions: list[list[QuizQuestion]]
) -> None:
    for text_questions in all_questions:
        for question in text_questions[::5]:
            log2 = log2_softmax(reference, question.before)[-1]
            for typed in ("的", "park", "龘", "!"):
                outcome = questions.score_round(model, question, questions.guess_token_ids(model, question, typed))
                assert outcome.guess.bits == pytest.approx(
                    bits_of(reference, question.before, outcome.guess.token_ids), abs=1e-3
                )
                assert outcome.truth.bits == pytest.approx(-float(log2[question.truth]), abs=1e-3)
                assert outcome.best.bits == pytest.approx(-float(log2.max()), abs=1e-3)
                assert outcome.vocabulary == len(log2) and outcome.chance == math.log2(len(log2))
                assert outcome.hit == (outcome.guess.token_ids == (question.truth,))
                assert outcome.model_hit == (int(log2.argmax()) == question.truth)
                assert outcome.best.bits <= min(outcome.guess.bits, outcome.truth.bits) + 1e-9


def test_a_character_of_several_tokens_is_guessed_whole(model: Model, reference: PreTrainedModel) -> None:
    question = questions.find_questions(model, TEXTS[0])[3]
    ids = questions.guess_token_ids(model, question, "龘龘龘")
    assert len(ids) > 1 and model.text(ids) == "龘"
    guess = questions.score_guess(model, question, ids)
    assert guess.text == "龘"
    assert guess.bits == pytest.approx(bits_of(reference, question.before, ids), abs=1e-3)
    assert guess.bits > questions.score_guess(model, question, ids[:1]).bits


def test_what_would_join_the_text_before_is_still_a_guess(model: Model) -> None:
    """今天 is one token; a question between 今 and 天 keeps the tokens before it."""
    ids = (*model.encode("我昨天到了"), *model.encode("今"))
    question = QuizQuestion(ids, model.encode("晚")[0], model.encode("。"))
    assert model.encode(model.text(ids) + "天")[: len(ids)] != ids
    assert questions.guess_token_ids(model, question, "天氣") == (model.encode("天氣")[0],)


GUESSES = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(), min_size=290, max_size=310),
    st.sampled_from(
        ["", " ", "\0", "\x1b[31m", "👍🏽", "👩‍👩‍👧", "字" * 300, "\ud800", "<eos>", "\ufffd", "  park ", "$&"]
    ),
)


@settings(max_examples=100)
@given(typed=GUESSES, at=st.integers(0, 3), which=st.integers(0, 10**6))
@example(typed="a" * 300, at=1, which=3)
@example(typed="\ud83d", at=0, which=0)
def test_any_guess_is_a_character_or_is_refused(
    model: Model, all_questions: list[list[QuizQuestion]], typed: str, at: int, which: int
) -> None:
    question = all_questions[at][which % len(all_questions[at])]
    ids, error = guess_or_error(model, question, typed)
    if error:  # every byte is a token of this vocabulary, so other errors cannot occur
        assert error == ("surrogate" if typed.strip() else "quiz_empty")
        return
    data = b"".join(model.vocabulary.token_bytes(i) for i in ids)
    assert data and not incomplete(data)
    assert typed.strip().encode().startswith(data.removeprefix(b" "))
    guess = questions.score_guess(model, question, ids)
    assert guess.bits >= 0 and math.isfinite(guess.bits)
    assert guess.text and "\ufffd" not in guess.text


def test_options_are_the_truth_the_best_and_drawn_ones_in_no_telling_order(
    model: Model, all_questions: list[list[QuizQuestion]]
) -> None:
    position_counts: dict[int, int] = {0: 0, 1: 0, 2: 0, 3: 0}
    for text_questions in all_questions[:3]:
        for number, question in enumerate(text_questions):
            given_options = questions.options(model, question, seed=number)
            best = model.distribution(question.before).argmax()
            assert given_options == questions.options(model, question, seed=number)
            assert len(given_options) == len(set(given_options)) == 4
            assert {question.truth, best} <= set(given_options)
            labels = [model.vocabulary.label(i) for i in given_options]
            assert len(set(labels)) == 4 and not any("‹" in label for label in labels)
            position_counts[given_options.index(question.truth)] += 1
    assert min(position_counts.values()) > sum(position_counts.values()) / 10


@pytest.mark.parametrize("text", [TEXTS[0] * 3, TEXTS[1] + " " + TEXTS[1]])
def test_options_are_in_the_script_of_the_true_token(model: Model, text: str) -> None:
    """`ator` in a Chinese sentence, or 你 in an English one, is no option: everybody sees that it is wrong."""
    foreign = regex.compile(r"\p{Latin}|\p{Cyrillic}" if "，" in text else r"\p{Han}|\p{Cyrillic}")
    asked = questions.find_questions(model, text)
    assert len(asked) >= 10
    for number, question in enumerate(asked):
        best = model.distribution(question.before).argmax()
        for option in questions.options(model, question, seed=number):
            assert option == best or not foreign.search(model.vocabulary.token_bytes(option).decode())


@pytest.mark.slow
def test_every_family_can_be_asked_or_has_no_place(each: Tiny) -> None:
    for text in ("今天天氣真好，我們去公園散步。" * 2, "the cat sat on the mat, the dog sat on the log. the cat"):
        for question in questions.find_questions(each.model, text):
            assert len(question.before) + 4 <= each.model.context_length
            for typed in ("cat", "天", "!", "x"):
                ids, error = guess_or_error(each.model, question, typed)
                if error:
                    assert error == "quiz_unknown"
                    continue
                outcome = questions.score_round(each.model, question, ids)
                log2 = torch.log_softmax(each.forward(question.before).logits[0, -1].double(), -1) / math.log(2)
                if len(ids) == 1:
                    assert outcome.guess.bits == pytest.approx(-float(log2[ids[0]]), abs=1e-3)
                assert outcome.truth.bits == pytest.approx(-float(log2[question.truth]), abs=1e-3)
            assert question.truth in questions.options(each.model, question, 1)


def test_some_families_do_have_places(gpt2: Tiny) -> None:
    assert questions.find_questions(gpt2.model, "the cat sat on the mat, the dog sat on the log. the cat")


def test_the_tally_is_of_means_in_bits() -> None:
    def outcome(guess: int, truth: int, best: int, options: int) -> Outcome:
        bits = {1: 1.0, 2: 3.0, 3: 9.0}
        yours, real, top = (Guess((i,), str(i), bits[i]) for i in (guess, truth, best))
        return Outcome(yours, real, top, vocabulary=16, options=options)

    score = score_game([outcome(1, 1, 1, 0), outcome(2, 2, 1, 4), outcome(3, 2, 1, 4), outcome(1, 2, 1, 0)])
    assert (score.rounds, score.hits, score.model_hits) == (4, 2, 1)
    assert (score.guess, score.truth, score.best, score.chance) == (3.5, 2.5, 1.0, 4.0)
    assert score.chance_hits == 2 / 16 + 2 / 4
    assert perplexity(score.chance) == 16
    with pytest.raises(ValueError, match="no rounds"):
        score_game([])
