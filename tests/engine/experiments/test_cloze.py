"""What fills a gap: sums of the reference's own log-probabilities, whatever way the sentence is cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import engine
from engine.experiments.cloze import MOST, fill, parts
from pages.ui.i18n import sentences
from tests.engine.conftest import Tiny


def believed(one: Tiny, ids: tuple[int, ...], first: int) -> list[float]:
    table = torch.log_softmax(one.forward(ids).logits[0].double(), dim=-1)
    return [float(table[i - 1, ids[i]]) for i in range(first, len(ids))]


def test_every_candidate_is_the_references_sum(each: Tiny) -> None:
    found = fill(each.fresh(), "the cat ___ on the mat", ["sat", "the dog sat", "天", "sat "])
    assert [f.text for f in found.filled] == ["sat", "the dog sat", "天"]
    wholes = []
    for f in found.filled:
        values = believed(each, f.token_ids, f.first)
        assert f.log_left == pytest.approx(sum(values[: f.last - f.first]), abs=2e-3)
        assert f.log_right == pytest.approx(sum(values[f.last - f.first :]), abs=2e-3)
        assert list(f.log_probabilities) == pytest.approx(values, abs=1e-3)
        wholes.append(f.log_left + f.log_right)
    shares = np.exp(np.array(wholes) - np.logaddexp.reduce(wholes))
    assert [f.whole for f in found.filled] == pytest.approx(list(shares), abs=1e-6)
    assert sum(f.left_alone for f in found.filled) == pytest.approx(1)
    assert found.from_both is found.filled[int(np.argmax(wholes))]
    assert found.from_left is max(found.filled, key=lambda f: f.left_alone)


def test_the_sentence_is_cut_as_a_whole_where_it_falls_on_the_edges(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    joined = fill(model, "the cat ___ on", ["sat", "log"]).filled[0]
    assert joined.joined
    assert joined.token_ids == model.encode("the cat sat on")
    assert model.text(joined.token_ids[joined.first : joined.last]) == " sat"


def test_a_token_that_reaches_over_an_edge_is_taken_apart(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    found = fill(model, "t___e cat", ["h", "a"]).filled[0]
    whole = model.encode("the cat")
    assert whole[0] != model.encode("t")[0], "the tokenizer joins what stands at the edge"
    assert not found.joined
    assert found.token_ids == (*model.encode("t"), *model.encode("h"), *model.encode("e cat"))
    assert model.text(found.token_ids) == "the cat"


@pytest.mark.parametrize(
    ("sentence", "candidates", "code"),
    [
        ("no gap", ["a", "b"], "gap"), ("one ___ two ___", ["a", "b"], "gap"), ("___ first", ["a", "b"], "gap"),
        ("", ["a", "b"], "gap"), ("😀", ["a", "b"], "gap"), ("a", ["a", "b"], "gap"),
        ("the ___", [], "candidates"), ("the ___", ["a", " a ", ""], "candidates"),
        ("the ___", [str(i) for i in range(MOST + 1)], "candidates"), ("the ___" + "字" * 300, ["a", "b"], "context"),
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
    """The first two turn with what stands right of the gap, the last does not: both are there to be seen."""
    model = engine.load()
    texts = sentences(language)
    turned = []
    for sentence, line in zip(texts["limits.left.examples"], texts["limits.left.candidates"], strict=True):
        found = fill(model, sentence, line.split("/"))
        assert all(f.joined for f in found.filled)
        turned.append(found.from_left is not found.from_both)
    assert turned == [True, True, False]
