"""Comparison of two models: rows by bytes, the divergence of the shared part, lockstep, by plain calculations."""

from __future__ import annotations

import gc
import math
import time
import weakref
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config

from engine.errors import EngineError, PromptError
from engine.experiments.model_comparison import Comparison, Lockstep, compare, jensen_shannon, next_text
from engine.model.loading import load
from engine.model.model import Model
from engine.tokenization.vocabulary import Vocabulary
from engine.tokenization.vocabulary_match import match
from tests import tiny

PAIRS = [("gpt2", "llama"), ("llama", "gpt2"), ("gpt2", "bert"), ("bert", "llama"), ("gpt2", "qwen2")]
TEXTS = ["今天天氣", "the cat", "Today the weather 天", "天"]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    """A byte-level, a SentencePiece and a WordPiece vocabulary, and a second model of the first."""
    place = tmp_path_factory.mktemp("three")
    folders = {family: tiny.build(family, place / family) for family in ("gpt2", "llama", "qwen2")}
    tokenizer = tiny.wordpiece()
    config = GPT2Config(vocab_size=tokenizer.get_vocab_size(), n_positions=64, n_embd=32, n_layer=2, n_head=4)
    folders["bert"] = tiny.save(place / "bert", tokenizer, config, "[SEP]")
    return {name: load(str(folder)) for name, folder in folders.items()}


def by_text(model: Model, ids: tuple[int, ...]) -> dict[object, float]:
    """Probability of everything that a token can write, by plain addition."""
    found: dict[object, float] = defaultdict(float)
    named = set(range(model.vocabulary.size - tiny.UNNAMED))
    for i, p in enumerate(model.distribution(ids).raw.tolist()):
        data = model.vocabulary.token_bytes(i)
        unnamed = data == f"‹#{i}›".encode() and i not in named
        found[(model.name, i) if unnamed else (i in model.vocabulary.special, data)] += p
    return found


def plain_divergence(p: list[float], q: list[float]) -> float:
    """Entropy of the mixture minus the mean entropy: another formula of the same paper."""

    def entropy(values: list[float]) -> float:
        return -math.fsum(v * math.log2(v) for v in values if v > 0)

    mixed = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return entropy(mixed) - (entropy(p) + entropy(q)) / 2


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("pair", PAIRS[:4])
def test_rows_divergence_and_the_outside_are_those_of_a_plain_count(
    three: dict[str, Model], pair: tuple[str, str], text: str
) -> None:
    first, second = (three[name] for name in pair)
    ids = first.encode(text), second.encode(text)
    p, q = by_text(first, ids[0]), by_text(second, ids[1])
    both = p.keys() & q.keys()
    compared = compare(first, ids[0], second, ids[1])
    assert compared.shared == len(both) and not compared.equal
    inside = sum(p[key] for key in both), sum(q[key] for key in both)
    assert compared.first_outside == pytest.approx(1 - inside[0], abs=1e-5)
    assert compared.second_outside == pytest.approx(1 - inside[1], abs=1e-5)
    expected = plain_divergence([p[key] / inside[0] for key in both], [q[key] / inside[1] for key in both])
    assert compared.divergence == pytest.approx(expected, abs=1e-6)
    largest = sorted((max(p.get(key, 0), q.get(key, 0)) for key in p.keys() | q.keys()), reverse=True)[:10]
    for row, value in zip(compared.rows, largest, strict=True):
        assert max(row.first or 0, row.second or 0) == pytest.approx(value, abs=1e-6)
        if row.text is not None:
            key = (False, row.text.encode())
            assert (row.first is None) == (key not in p) and (row.second is None) == (key not in q)
            assert row.first is None or row.first == pytest.approx(p[key], abs=1e-6)
            assert row.second is None or row.second == pytest.approx(q[key], abs=1e-6)


def test_equal_vocabularies_give_the_usual_divergence(three: dict[str, Model]) -> None:
    first, second = three["gpt2"], three["qwen2"]
    ids = first.encode("今天天氣")
    compared = compare(first, ids, second, second.encode("今天天氣"))
    p, q = (model.distribution(ids).raw.astype(np.float64) for model in (first, second))
    assert compared.equal and compared.shared == first.vocabulary.size
    assert compared.first_outside == compared.second_outside == 0
    assert compared.divergence == pytest.approx(plain_divergence([*p / p.sum()], [*q / q.sum()]), abs=1e-7)
    assert compare(first, ids, first, ids).divergence == 0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=30))
def test_the_divergence_is_symmetric_bounded_and_that_of_entropies(pairs: list[tuple[float, float]]) -> None:
    p, q = np.array(pairs).T
    if p.sum() < 1e-3 or q.sum() < 1e-3:
        return
    value = jensen_shannon(p, q)
    assert 0 <= value <= 1 and value == pytest.approx(jensen_shannon(q, p), abs=1e-12)
    assert value == pytest.approx(plain_divergence([*p / p.sum()], [*q / q.sum()]), abs=1e-9)
    assert jensen_shannon(p, p * 3) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_an_error(bad: float) -> None:
    with pytest.raises(EngineError) as error:
        jensen_shannon(np.array([0.5, bad]), np.array([0.5, 0.5]))
    assert error.value.code == "not_finite"
    assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1


def words(count: int, every: int) -> Vocabulary:
    tokenizer = Tokenizer(models.BPE({f"w{i * every}": i for i in range(count)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    return Vocabulary(tokenizer, count)


def test_large_vocabularies_match_in_a_moment_and_are_forgotten() -> None:
    small, large = words(9_000, 2), words(152_000, 1)
    start = time.process_time()
    found = match(small, large)
    assert time.process_time() - start < 1
    assert found.shared.sum() == 9_000 and match(small, large) is found
    assert (found.first == found.second[np.arange(9_000) * 2]).all()
    gone = weakref.ref(found)
    del found, small
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("leader", [0, 1])
@pytest.mark.parametrize("pair", PAIRS)
def test_lockstep_is_comparing_and_appending_by_hand(
    three: dict[str, Model], pair: tuple[str, str], leader: int
) -> None:
    first, second = (three[name] for name in pair)
    run = Lockstep(first, second, "今天", leader, 4)
    text, seen = "今天", 0
    while run.step():
        pass
    assert run.done and (len(run.steps) == 4 or run.ended) and run.progress == 1
    for step in run.steps:
        expected: Comparison = compare(first, first.encode(text), second, second.encode(text))
        assert step.comparison.divergence == pytest.approx(expected.divergence, abs=1e-6)
        model = (first, second)[leader]
        assert next_text(model, model.encode(text)) == step.text
        text += step.text
        seen += 1
    assert run.text == text and seen == len(run.steps) and "\ufffd" not in text and "‹" not in text


def test_a_context_that_is_full_is_an_error_and_the_steps_stay(three: dict[str, Model]) -> None:
    text = "黶" * 30  # three tokens each
    run = Lockstep(three["llama"], three["gpt2"], text, 0, 60)
    with pytest.raises(PromptError) as error:
        run.step()
    assert error.value.code == "context" and run.text == text and not run.steps


def test_some_runs_append_text(three: dict[str, Model]) -> None:
    lengths = []
    for leader, text in [(leader, text) for leader in (0, 1) for text in TEXTS]:
        run = Lockstep(three["llama"], three["bert"], text, leader, 3)
        while run.step():
            pass
        lengths.append(len(run.steps))
    assert max(lengths) == 3
