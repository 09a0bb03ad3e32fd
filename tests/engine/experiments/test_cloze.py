"""Cloze scores: sums of the reference model's log-probabilities, for either tokenization of the sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import engine
from engine.experiments.cloze import MAX_CANDIDATES, fill, parts
from pages.i18n.translator import sentences
from tests.engine.conftest import Tiny


def log_probabilities(tiny: Tiny, ids: tuple[int, ...], first: int) -> list[float]:
    """Reference log-probabilities of the tokens from `first` on, in nats."""
    table = torch.log_softmax(tiny.forward(ids).logits[0].double(), dim=-1)
    return [float(table[i - 1, ids[i]]) for i in range(first, len(ids))]


def test_every_candidate_is_the_references_sum(each: Tiny) -> None:
    result = fill(each.fresh(), "the cat ___ on the mat", ["sat", "the dog sat", "天", "sat "])
    assert [f.text for f in result.candidates] == ["sat", "the dog sat", "天"]
    totals = []
    for f in result.candidates:
        values = log_probabilities(each, f.token_ids, f.first)
        assert f.log_left == pytest.approx(sum(values[: f.last - f.first]), abs=2e-3)
        assert f.log_right == pytest.approx(sum(values[f.last - f.first :]), abs=2e-3)
        assert list(f.log_probabilities) == pytest.approx(values, abs=1e-3)
        totals.append(f.log_left + f.log_right)
    shares = np.exp(np.array(totals) - np.logaddexp.reduce(totals))
    assert [f.whole for f in result.candidates] == pytest.approx(list(shares), abs=1e-6)
    assert sum(f.left_alone for f in result.candidates) == pytest.approx(1)
    assert result.from_both is result.candidates[int(np.argmax(totals))]
    assert result.from_left is max(result.candidates, key=lambda f: f.left_alone)


def test_the_sentence_is_cut_as_a_whole_where_it_falls_on_the_edges(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    joined = fill(model, "the cat ___ on", ["sat", "log"]).candidates[0]
    assert joined.joined
    assert joined.token_ids == model.encode("the cat sat on")
    assert model.text(joined.token_ids[joined.first : joined.last]) == " sat"


def test_a_token_that_reaches_over_an_edge_is_taken_apart(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    result = fill(model, "t___e cat", ["h", "a"]).candidates[0]
    whole = model.encode("the cat")
    assert whole[0] != model.encode("t")[0], "the tokenizer merges across the edge"
    assert not result.joined
    assert result.token_ids == (*model.encode("t"), *model.encode("h"), *model.encode("e cat"))
    assert model.text(result.token_ids) == "the cat"


@pytest.mark.parametrize(
    ("sentence", "candidates", "code"),
    [
        ("no gap", ["a", "b"], "gap"), ("one ___ two ___", ["a", "b"], "gap"), ("___ first", ["a", "b"], "gap"),
        ("", ["a", "b"], "gap"), ("😀", ["a", "b"], "gap"), ("a", ["a", "b"], "gap"),
        ("the ___", [], "candidates"), ("the ___", ["a", " a ", ""], "candidates"),
        ("the ___", [str(i) for i in range(MAX_CANDIDATES + 1)], "candidates"),
        ("the ___" + "字" * 300, ["a", "b"], "context"),
        ("字" * 20_001 + "___", ["a", "b"], "characters"), ("the \ud83d ___", ["a", "b"], "surrogate"),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_is_refused(gpt2: Tiny, sentence: str, candidates: list[str], code: str) -> None:
    with pytest.raises(engine.EngineError) as caught:
        fill(gpt2.model, sentence, candidates)
    assert caught.value.code == code


def test_parts_keep_the_space_with_the_candidate() -> None:
    assert parts("I drink ___ now.") == ("I drink", " ", " now.")
    assert parts("今天＿＿好") == ("今天", "", "好")
    assert parts("the end _") == ("the end", " ", "")


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_the_given_examples_show_it_with_the_bundled_model(language: str) -> None:
    """The right context changes the best candidate of the first two examples, not of the last."""
    model = engine.load()
    texts = sentences(language)
    changed = []
    for sentence, line in zip(texts["limits.left.examples"], texts["limits.left.candidates"], strict=True):
        result = fill(model, sentence, line.split("/"))
        assert all(f.joined for f in result.candidates)
        changed.append(result.from_left is not result.from_both)
    assert changed == [True, True, False]
