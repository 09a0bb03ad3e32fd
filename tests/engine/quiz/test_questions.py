"""Guessing: places, guesses and scores, against `transformers`' own softmax of the whole vocabulary."""

from __future__ import annotations

import math

import pytest
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
def asked(model: Model) -> list[list[QuizQuestion]]:
    """All places of each of the texts."""
    return [questions.find_questions(model, text) for text in TEXTS]


def read(model: Model, place: QuizQuestion, typed: str) -> tuple[tuple[int, ...], str]:
    """The tokens of a guess, or none and why it was refused."""
    try:
        return questions.guess_token_ids(model, place, typed), ""
    except PromptError as error:
        return (), error.code


@torch.inference_mode()
def logits(reference: PreTrainedModel, ids: tuple[int, ...]) -> torch.Tensor:
    return reference(input_ids=torch.tensor([ids])).logits[0]


def log2_softmax(reference: PreTrainedModel, ids: tuple[int, ...]) -> torch.Tensor:
    return torch.log_softmax(logits(reference, ids).double(), dim=-1) / math.log(2)


def bits_of(reference: PreTrainedModel, before: tuple[int, ...], ids: tuple[int, ...]) -> float:
    found = log2_softmax(reference, before + ids)
    return -sum(float(found[len(before) - 1 + at, token]) for at, token in enumerate(ids))


@pytest.mark.parametrize("text", TEXTS)
def test_places_are_whole_words_and_stand_by_themselves(model: Model, text: str) -> None:
    ids, found = model.encode(text), questions.find_questions(model, text)
    assert len(found) >= 5
    for place in found:
        assert (*place.before, place.truth, *place.rest) == ids and place.rest
        assert len(place.before) >= questions.FEWEST_BEFORE
        before = model.text(place.before)
        assert text.startswith(before) and model.encode(before) == place.before
        token = model.vocabulary.token_bytes(place.truth).decode()  # raises inside a character
        word = token.strip(" ")
        assert word
        latin = [char for char in (before[-1], word[0]) if char.isascii() and char.isalnum()]
        assert len(latin) < 2 or token.startswith(" "), (before, token)
        assert not (before + token).endswith(("don't", "3.1"))


def test_no_place_lies_in_a_character_or_a_cluster(model: Model) -> None:
    """An emoji family is many tokens: none of them is asked about, nor is what follows asked about within it."""
    family = "👩‍👩‍👧"
    for place in questions.find_questions(model, TEXTS[3]):
        before = model.text(place.before)
        assert not before.endswith(("\u200d", "👩")) and "‹" not in before
        assert family.startswith("👩") and place.truth not in model.encode(family)


def test_what_is_typed_at_a_place_is_the_token_there(model: Model, asked: list[list[QuizQuestion]]) -> None:
    """Whoever knows the text types what follows, and is right at every single place."""
    for places in asked:
        for place in places:
            follows = model.text((place.truth, *place.rest))
            assert questions.guess_token_ids(model, place, follows) == (place.truth,)
            assert questions.guess_token_ids(model, place, f"  {follows.strip()} ") == (place.truth,)


def test_scores_equal_the_reference(model: Model, reference: PreTrainedModel, asked: list[list[QuizQuestion]]) -> None:
    for places in asked:
        for place in places[::5]:
            log2 = log2_softmax(reference, place.before)[-1]
            for typed in ("的", "park", "龘", "!"):
                outcome = questions.score_round(model, place, questions.guess_token_ids(model, place, typed))
                assert outcome.guess.bits == pytest.approx(
                    bits_of(reference, place.before, outcome.guess.token_ids), abs=1e-3
                )
                assert outcome.truth.bits == pytest.approx(-float(log2[place.truth]), abs=1e-3)
                assert outcome.best.bits == pytest.approx(-float(log2.max()), abs=1e-3)
                assert outcome.vocabulary == len(log2) and outcome.chance == math.log2(len(log2))
                assert outcome.hit == (outcome.guess.token_ids == (place.truth,))
                assert outcome.model_hit == (int(log2.argmax()) == place.truth)
                assert outcome.best.bits <= min(outcome.guess.bits, outcome.truth.bits) + 1e-9


def test_a_character_of_several_tokens_is_guessed_whole(model: Model, reference: PreTrainedModel) -> None:
    place = questions.find_questions(model, TEXTS[0])[3]
    ids = questions.guess_token_ids(model, place, "龘龘龘")
    assert len(ids) > 1 and model.text(ids) == "龘"
    guess = questions.score_guess(model, place, ids)
    assert guess.text == "龘"
    assert guess.bits == pytest.approx(bits_of(reference, place.before, ids), abs=1e-3)
    assert guess.bits > questions.score_guess(model, place, ids[:1]).bits


def test_what_would_join_the_text_before_is_still_a_guess(model: Model) -> None:
    """今|天 is one token when it is written together; a place between them keeps its own tokens."""
    ids = (*model.encode("我昨天到了"), *model.encode("今"))
    place = QuizQuestion(ids, model.encode("晚")[0], model.encode("。"))
    assert model.encode(model.text(ids) + "天")[: len(ids)] != ids
    assert questions.guess_token_ids(model, place, "天氣") == (model.encode("天氣")[0],)


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
    model: Model, asked: list[list[QuizQuestion]], typed: str, at: int, which: int
) -> None:
    place = asked[at][which % len(asked[at])]
    ids, refused = read(model, place, typed)
    if refused:  # every byte is a token here, so that nothing else can be
        assert refused == ("surrogate" if typed.strip() else "quiz_empty")
        return
    data = b"".join(model.vocabulary.token_bytes(i) for i in ids)
    assert data and not incomplete(data)
    assert typed.strip().encode().startswith(data.removeprefix(b" "))
    guess = questions.score_guess(model, place, ids)
    assert guess.bits >= 0 and math.isfinite(guess.bits)
    assert guess.text and "\ufffd" not in guess.text


def test_options_are_the_truth_the_best_and_drawn_ones_in_no_telling_order(
    model: Model, asked: list[list[QuizQuestion]]
) -> None:
    at: dict[int, int] = {0: 0, 1: 0, 2: 0, 3: 0}
    for places in asked[:3]:
        for number, place in enumerate(places):
            given_options = questions.options(model, place, seed=number)
            best = model.distribution(place.before).likeliest()
            assert given_options == questions.options(model, place, seed=number)
            assert len(given_options) == len(set(given_options)) == 4
            assert {place.truth, best} <= set(given_options)
            labels = [model.vocabulary.label(i) for i in given_options]
            assert len(set(labels)) == 4 and not any("‹" in label for label in labels)
            at[given_options.index(place.truth)] += 1
    assert min(at.values()) > sum(at.values()) / 10


def test_every_family_can_be_asked_or_has_no_place(each: Tiny) -> None:
    for text in ("今天天氣真好，我們去公園散步。" * 2, "the cat sat on the mat, the dog sat on the log. the cat"):
        for place in questions.find_questions(each.model, text):
            assert len(place.before) + 4 <= each.model.context_length
            for typed in ("cat", "天", "!", "x"):
                ids, refused = read(each.model, place, typed)
                if refused:
                    assert refused == "quiz_unknown"
                    continue
                outcome = questions.score_round(each.model, place, ids)
                log2 = torch.log_softmax(each.forward(place.before).logits[0, -1].double(), -1) / math.log(2)
                if len(ids) == 1:
                    assert outcome.guess.bits == pytest.approx(-float(log2[ids[0]]), abs=1e-3)
                assert outcome.truth.bits == pytest.approx(-float(log2[place.truth]), abs=1e-3)
            assert place.truth in questions.options(each.model, place, 1)


def test_some_families_do_have_places(gpt2: Tiny) -> None:
    assert questions.find_questions(gpt2.model, "the cat sat on the mat, the dog sat on the log. the cat")


def test_the_tally_is_of_means_in_bits() -> None:
    def outcome(guess: int, truth: int, best: int, options: int) -> Outcome:
        bits = {1: 1.0, 2: 3.0, 3: 9.0}
        mine, real, likeliest = (Guess((i,), str(i), bits[i]) for i in (guess, truth, best))
        return Outcome(mine, real, likeliest, vocabulary=16, options=options)

    found = score_game([outcome(1, 1, 1, 0), outcome(2, 2, 1, 4), outcome(3, 2, 1, 4), outcome(1, 2, 1, 0)])
    assert (found.rounds, found.hits, found.model_hits) == (4, 2, 1)
    assert (found.guess, found.truth, found.best, found.chance) == (3.5, 2.5, 1.0, 4.0)
    assert found.chance_hits == 2 / 16 + 2 / 4
    assert perplexity(found.chance) == 16
    with pytest.raises(ValueError, match="no rounds"):
        score_game([])
