"""Attention summaries, head scores and classification, and the induction experiment, compared with plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.interpret import attention_maps, heads, induction
from engine.interpret.head_scores import Kind, classify_head, describe_attention
from engine.interpret.probe_texts import repeated_random_tokens
from engine.tokenization.vocabulary import Vocabulary
from tests import tiny
from tests.engine.conftest import Tiny

STRING = tuple(range(20))
TWICE = STRING + STRING


def random_attention(layers: int, count: int, length: int, seed: int) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(layers, count, length, length)) * 3
    weights = np.exp(scores) * np.tril(np.ones((length, length)))
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def attending(at: Callable[[int], int | None], length: int) -> np.ndarray:
    """(1, 1, T, T): a head whose row t attends to position at(t) only, and to the first position where that is None."""
    attention = np.zeros((1, 1, length, length), dtype=np.float32)
    for t in range(length):
        attention[0, 0, t, at(t) or 0] = 1
    return attention


def uniform(length: int, window: int) -> np.ndarray:
    """(1, 1, T, T): a head with uniform attention to the last `window` positions."""
    visible = np.tril(np.ones((length, length))) - np.tril(np.ones((length, length)), -window)
    return (visible / visible.sum(-1, keepdims=True))[None, None].astype(np.float32)


PATTERNS: dict[Kind, Callable[[int], int | None]] = {
    "previous": lambda t: max(t - 1, 0),
    "first": lambda t: 0,
    "self": lambda t: t,
    "duplicate_token": lambda t: t - 20 if t >= 20 else None,
    "induction": lambda t: t - 19 if t >= 20 else None,
}


@pytest.mark.parametrize("kind", list(PATTERNS))
def test_a_perfect_head_gets_its_name(kind: Kind) -> None:
    [[description]] = describe_attention((attending(PATTERNS[kind], 40), TWICE))
    assert description.kind == kind
    assert getattr(description, kind) == 1
    assert description.entropy == 0
    others = [name for name in PATTERNS if name not in (kind, "first")]
    assert all(getattr(description, name) < 0.06 for name in others)


@pytest.mark.parametrize("kind", list(PATTERNS))
def test_a_head_that_half_does_it_gets_its_name(kind: Kind) -> None:
    mixed = 0.6 * attending(PATTERNS[kind], 40) + 0.4 * uniform(40, 40)
    [[description]] = describe_attention((mixed, TWICE))
    assert description.kind == kind


@pytest.mark.parametrize("window", [4, 5, 40])
@pytest.mark.parametrize("ids", [TWICE, tuple(range(40)), (7,) * 40], ids=["twice", "once", "one token"])
def test_a_head_that_spreads_evenly_gets_none(ids: tuple[int, ...], window: int) -> None:
    [[description]] = describe_attention((uniform(40, window), ids))
    assert description.kind is None


def test_the_scores_of_an_even_head_are_chance() -> None:
    [[description]] = describe_attention((uniform(40, 40), TWICE))
    rows = np.arange(1, 40)
    assert description.previous == pytest.approx((1 / (rows + 1)).mean(), rel=1e-5)
    assert description.self == description.first == pytest.approx(description.previous)
    late = np.arange(20, 40)
    assert description.duplicate_token == pytest.approx((1 / (late + 1)).mean(), rel=1e-5)
    assert description.induction == pytest.approx((1 / (late + 1)).mean(), rel=1e-5)
    assert description.entropy == pytest.approx(np.log(rows + 1).mean(), rel=1e-5)


def test_a_text_in_which_nothing_repeats_leaves_them_open() -> None:
    [[description]] = describe_attention((uniform(3, 3), (1, 2, 3)))
    assert description.duplicate_token is None and description.induction is None
    with pytest.raises(ValueError, match="two tokens"):
        describe_attention((uniform(1, 1), (1,)))


def test_a_resting_head_is_called_by_what_it_does_elsewhere() -> None:
    scores: dict[Kind, float | None] = {"first": 0.55, "induction": 0.45, "duplicate_token": 0.0}
    chances: dict[Kind, float] = {"first": 0.05, "induction": 0.02, "duplicate_token": 0.02}
    assert classify_head(scores, chances) == "induction"
    assert classify_head({**scores, "induction": 0.1}, chances) == "first"
    assert classify_head({**scores, "induction": None, "first": 0.3}, chances) is None


def slow_scores(attention: np.ndarray, ids: Sequence[int]) -> dict[str, float | None]:
    """Each score by loops over the rows, as defined in the docstring of `HeadDescription`."""
    sums: dict[str, list[float]] = {"previous": [], "first": [], "self": [], "duplicate_token": [], "induction": []}
    for t in range(1, len(ids)):
        row = attention[t]
        sums["previous"].append(row[t - 1])
        sums["first"].append(row[0])
        sums["self"].append(row[t])
        same = [j for j in range(t) if ids[j] == ids[t]]
        if same:
            sums["duplicate_token"].append(sum(row[j] for j in same))
        after = [j + 1 for j in same if j + 1 < t]
        if after:
            sums["induction"].append(sum(row[j] for j in after))
    return {name: float(np.mean(values)) if values else None for name, values in sums.items()}


@given(st.lists(st.integers(0, 4), min_size=2, max_size=15), st.integers(0, 100))
def test_scores_equal_a_loop(ids: list[int], seed: int) -> None:
    attention = random_attention(2, 2, len(ids), seed)
    for layer in describe_attention((attention, ids)):
        for description in layer:
            for name, want in slow_scores(attention[description.layer, description.head], ids).items():
                got = getattr(description, name)
                assert got == (want if want is None else pytest.approx(want, abs=1e-5))


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 12), st.integers(0, 100))
def test_rollout_equals_a_loop(layers: int, count: int, length: int, seed: int) -> None:
    attention = random_attention(layers, count, length, seed)
    want = [[float(i == j) for j in range(length)] for i in range(length)]
    for layer in range(layers):
        mixed = [
            [0.5 * sum(float(attention[layer, h, i, j]) for h in range(count)) / count + 0.5 * (i == j)
             for j in range(length)] for i in range(length)
        ]  # fmt: skip
        mixed = [[value / sum(row) for value in row] for row in mixed]
        want = [
            [sum(mixed[i][k] * want[k][j] for k in range(length)) for j in range(length)] for i in range(length)
        ]  # fmt: skip
    got = attention_maps.rollout(attention)
    np.testing.assert_allclose(got, want, atol=1e-6)
    np.testing.assert_allclose(got.sum(-1), 1, atol=1e-5)
    assert (np.triu(got, 1) == 0).all()
    np.testing.assert_allclose(attention_maps.mean(attention), attention.sum((0, 1)) / (layers * count), atol=1e-6)


def test_the_share_of_the_first_position() -> None:
    attention = np.concatenate([attending(lambda _: 0, 5), uniform(5, 5)], axis=1)
    np.testing.assert_allclose(attention_maps.sink(attention), [[1, (1 / np.arange(2, 6)).mean()]], rtol=1e-6)
    assert (attention_maps.sink(attention[:, :, :1, :1]) == 0).all()


def test_what_heads_do_is_computed_once_and_leaves_the_tree_alone(attentive: Tiny) -> None:
    model = attentive.fresh()
    first = heads.describe(model)
    assert heads.describe(model) is first
    assert len(model.prefix_cache) == 0 and model.prefix_cache.counters.passes == 0
    heads._described.clear()
    assert heads.describe(model) == first
    assert [[(h.layer, h.head) for h in layer] for layer in first] == [[(a, b) for b in range(4)] for a in range(3)]
    layer, head, score = heads.previous_token_head(model)
    assert score == max(h.previous for row in first for h in row) == first[layer][head].previous


def test_a_model_without_attention_has_no_heads(mamba: Tiny) -> None:
    for function in (heads.describe, heads.previous_token_head):
        with pytest.raises(engine.EngineError) as caught:
            function(mamba.model)
        assert caught.value.code == "attention"


def test_probes_are_of_ordinary_tokens_and_always_the_same(vocabulary: Vocabulary) -> None:
    tokens = vocabulary.readable_ids
    assert tokens and not set(tokens) & vocabulary.special
    assert max(tokens) < vocabulary.size - tiny.UNNAMED or "‹#" not in vocabulary.label(max(tokens))
    assert all("‹" not in vocabulary.label(i) for i in tokens)


def test_a_string_is_written_twice(each: Tiny) -> None:
    for seed in (0, 5):
        ids = repeated_random_tokens(each.model, seed)
        assert ids == repeated_random_tokens(each.model, seed) != repeated_random_tokens(each.model, seed + 1)
        start = len(each.model.vocabulary.start)
        n = (len(ids) - start) // 2
        assert ids[start : start + n] == ids[start + n :] and len(set(ids[start:])) == n
        assert len(ids) <= each.model.context_length
    with pytest.raises(ValueError, match="negative"):
        repeated_random_tokens(each.model, -1)


def test_a_window_too_small_is_refused(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    model.context_length = 5
    with pytest.raises(engine.PromptError):
        repeated_random_tokens(model, 0)


def test_the_experiment_reports_the_reference_s_losses(each: Tiny) -> None:
    model = each.fresh()
    got = induction.induction_experiment(model, 3)
    assert len(model.prefix_cache) == 0
    n = len(got.second)
    assert got.token_ids == repeated_random_tokens(model, 3) and len(got.token_ids) == got.start + 2 * n
    logits = each.forward(got.token_ids).logits[0].double()
    want = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(got.token_ids[1:]), reduction="none")
    losses = [None, *want.tolist()]
    for value, real in zip((*got.first, *got.second), losses[got.start :], strict=True):
        assert value == (real if real is None else pytest.approx(real, abs=1e-4))
    assert got.second_mean == pytest.approx(np.mean(got.second[1:]))
    assert got.gain == pytest.approx(got.shuffled_mean - got.second_mean)
    assert got.copies == (got.gain > 2 * got.error)
    assert math.isfinite(got.error)
    if each.family == "mamba":
        assert got.layer is got.head is got.score is got.at is got.attention is None
    else:
        attention = model.attention(got.token_ids)[got.layer, got.head]
        assert got.at is not None and got.attention is not None
        row = attention[got.start + n + got.at]
        np.testing.assert_allclose(got.attention, row[got.start : got.start + n], atol=1e-5)
        followed = [attention[got.start + n + i, got.start + i + 1] for i in range(n - 1)]
        assert got.attention[got.at + 1] == pytest.approx(max(followed), abs=1e-5)
        scores = [
            h.induction for row in describe_attention((model.attention(got.token_ids), got.token_ids)) for h in row
        ]
        assert got.score == pytest.approx(max(s for s in scores if s is not None), abs=1e-5)


def test_shuffled_losses_stand_in_the_string_s_order(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a loss that depends on the token only, the shuffled losses equal the others, token by token."""
    monkeypatch.setattr(induction, "_losses", lambda _, ids: [float(token) for token in ids])
    got = induction.induction_experiment(gpt2.model, 1)
    assert got.first == got.second == got.shuffled
    assert got.gain == 0 and not got.copies
