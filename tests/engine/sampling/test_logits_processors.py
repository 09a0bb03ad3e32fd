"""Filters: the kept tokens, the probabilities and the attributed filter equal those of `generate`.

The oracle is the list of processors that `generate` itself builds from a GenerationConfig.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GenerationConfig, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

import engine
from engine.sampling.distribution import Distribution
from engine.sampling.logits_processors import FILTERS
from tests.engine.conftest import Tiny

NAMES = {
    "RepetitionPenaltyLogitsProcessor": "repetition_penalty",
    "NoRepeatNGramLogitsProcessor": "no_repeat_ngram_size",
    "TemperatureLogitsWarper": "temperature",
    "TopKLogitsWarper": "top_k",
    "TopPLogitsWarper": "top_p",
    "MinPLogitsWarper": "min_p",
    "TypicalLogitsWarper": "typical_p",
}
some_settings = st.builds(
    engine.Settings,
    temperature=st.one_of(st.just(1.0), st.floats(0.05, 5)),
    top_k=st.one_of(st.just(0), st.integers(1, 60), st.integers(1, 400)),
    top_p=st.one_of(st.just(1.0), st.floats(0, 1)),
    min_p=st.one_of(st.just(0.0), st.floats(0, 1)),
    typical_p=st.one_of(st.just(1.0), st.floats(0.01, 1)),
    repetition_penalty=st.one_of(st.just(1.0), st.floats(0.3, 3)),
    no_repeat_ngram_size=st.integers(0, 4),
)


def oracle_list(tiny: Tiny, ids: tuple[int, ...], chosen: engine.Settings) -> list:
    config = GenerationConfig(do_sample=True, **dataclasses.asdict(chosen))
    return tiny.reference._get_logits_processor(config, len(ids))  # type: ignore[operator]


@pytest.mark.slow
def probabilities_of(scores: torch.Tensor) -> np.ndarray:
    """(V,) float32: softmax in float64, since a float32 sum over a large vocabulary is wrong in the fifth digit."""
    return torch.softmax(scores, dim=-1, dtype=torch.float64).float().numpy()


@settings(max_examples=200)
@given(data=st.data(), chosen=some_settings)
def test_masks_probabilities_and_who_cut(gpt2: Tiny, data: st.DataObject, chosen: engine.Settings) -> None:
    ids = data.draw(st.sampled_from(gpt2.prefixes(50)))
    distribution = gpt2.model.distribution(ids, chosen)
    scores = torch.from_numpy(distribution.logits)[None].clone()  # (1, V)
    cut_by: dict[int, str] = {}
    for processor in oracle_list(gpt2, ids, chosen):
        scores = processor(torch.tensor([ids]), scores)
        for token_id in torch.nonzero(torch.isneginf(scores[0]))[:, 0].tolist():
            cut_by.setdefault(token_id, NAMES[type(processor).__name__])
    np.testing.assert_array_equal(distribution.scores, scores[0].numpy())
    np.testing.assert_array_equal(distribution.probabilities, probabilities_of(scores[0]))
    candidates = distribution.top(distribution.size)
    assert {c.token_id: c.cut_by for c in candidates if not c.kept} == cut_by
    assert all((c.cut_by is None) == c.kept == (c.token_id not in cut_by) for c in candidates)
    assert distribution.kept == distribution.size - len(cut_by) >= 1


@settings(max_examples=100)
@given(data=st.data(), chosen=some_settings)
def test_scaled_is_before_any_cut(gpt2: Tiny, data: st.DataObject, chosen: engine.Settings) -> None:
    """`scaled` is the logit after penalty and temperature, in that order; the final score of every kept token."""
    ids = data.draw(st.sampled_from(gpt2.prefixes(50)))
    distribution = gpt2.model.distribution(ids, chosen)
    scores = torch.from_numpy(distribution.logits)[None].clone()
    for processor in oracle_list(gpt2, ids, chosen):
        if NAMES[type(processor).__name__] in ("repetition_penalty", "temperature"):
            scores = processor(torch.tensor([ids]), scores)
    np.testing.assert_array_equal(distribution.scaled, scores[0].numpy())
    kept = np.isfinite(distribution.scores)
    np.testing.assert_array_equal(distribution.scores[kept], distribution.scaled[kept])


def test_scores_equal_those_that_generate_reports(each: Tiny) -> None:
    """End to end: the scores that `generate` returns."""
    cases = [
        engine.Settings(temperature=0.7, top_k=20, top_p=0.9),
        engine.Settings(repetition_penalty=1.3, no_repeat_ngram_size=2, top_p=0.6),
        engine.Settings(temperature=1.6, min_p=0.1),
        engine.Settings(typical_p=0.5, top_k=100),
    ]
    for ids, chosen in zip(each.prefixes(12), cases * 3, strict=True):
        out = each.reference.generate(  # type: ignore[operator]
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            do_sample=True,
            max_new_tokens=1,
            output_scores=True,
            return_dict_in_generate=True,
            pad_token_id=0,
            **dataclasses.asdict(chosen),
        )
        np.testing.assert_allclose(
            each.model.distribution(ids, chosen).probabilities,
            torch.softmax(out.scores[0][0], dim=-1).numpy(),
            atol=1e-5,
        )


def test_the_order_of_the_filters_is_that_of_generate(gpt2: Tiny) -> None:
    everything = engine.Settings(0.5, 5, 0.5, 0.5, 0.5, 2.0, 2)
    assert tuple(NAMES[type(p).__name__] for p in oracle_list(gpt2, (1, 2), everything)) == FILTERS


def test_the_edges_of_each_range_keep_a_token(gpt2: Tiny) -> None:
    ids = gpt2.prefixes(1, seed=9)[0]
    for chosen in [
        engine.Settings(top_p=0.0),
        engine.Settings(min_p=1.0),
        engine.Settings(typical_p=0.0),
        engine.Settings(top_k=1_000_000),
        engine.Settings(temperature=0.0, top_k=1, top_p=0.0, min_p=1.0, typical_p=0.0),
        engine.Settings(temperature=1e-6),
        engine.Settings(temperature=100.0, repetition_penalty=100.0),
        engine.Settings(repetition_penalty=0.01, no_repeat_ngram_size=1),
    ]:
        distribution = gpt2.model.distribution(ids, chosen)
        assert distribution.kept >= 1
        assert abs(float(distribution.probabilities.sum()) - 1) < 1e-5
        assert np.isfinite(distribution.probabilities).all()


def test_the_model_keeps_what_it_said(gpt2: Tiny) -> None:
    """Filters work on copies: the logits in the prefix cache stay those of the model."""
    ids = gpt2.prefixes(1, seed=11)[0]
    before = gpt2.model.distribution(ids).logits.copy()
    for chosen in [engine.Settings(0.5, 3, 0.5, 0.1, 0.5, 1.5, 1), engine.Settings(temperature=0)]:
        gpt2.model.distribution(ids, chosen)
    np.testing.assert_array_equal(gpt2.model.distribution(ids).logits, before)


def some_logits(kind: str, seed: int, size: int = 30_000) -> np.ndarray:
    """(V,) float32: all different as far as float32 allows, rounded as in bfloat16, in few steps, or all equal."""
    rng = np.random.default_rng(seed)
    logits = (rng.standard_normal(size) * rng.choice([0.5, 3, 8])).astype(np.float32)
    if kind == "bfloat16":
        return torch.from_numpy(logits).bfloat16().float().numpy()
    if kind == "steps":
        return np.round(logits) + np.float32(0) * rng.choice([-1, 1], size).astype(np.float32)  # -0.0 among the zeros
    return np.zeros(size, np.float32) if kind == "equal" else logits


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "steps", "equal"])
@pytest.mark.parametrize("top_p", [0.0, 1e-6, 0.1, 0.5, 0.9, 0.95, 0.999999])
def test_top_p_over_a_large_vocabulary_keeps_what_the_processor_keeps(kind: str, top_p: float) -> None:
    """Ties at the limit included, which the processor splits in an order of its own."""
    for seed in range(4):
        logits = some_logits(kind, seed)
        logits[:100] = -np.inf
        for earlier in ([], [TemperatureLogitsWarper(0.7)], [TemperatureLogitsWarper(1.3), TopKLogitsWarper(50)]):
            scores = torch.from_numpy(logits)[None].clone()
            for processor in [*earlier, TopPLogitsWarper(top_p)]:
                scores = processor(torch.tensor([[0]]), scores)
            temperature, top_k = [(1.0, 0), (0.7, 0), (1.3, 50)][len(earlier)]
            chosen = engine.Settings(temperature=temperature, top_k=top_k, top_p=top_p)
            distribution = Distribution([0], logits, chosen, str)
            np.testing.assert_array_equal(distribution.scores, scores[0].numpy())
            np.testing.assert_array_equal(distribution.probabilities, probabilities_of(scores[0]))


def test_top_p_without_ties_sorts_no_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.sort` takes most of a step's time in a vocabulary of 150,000 tokens."""
    logits = np.random.default_rng(0).permutation(30_000).astype(np.float32) / 1000
    expected = TopPLogitsWarper(0.9)(torch.tensor([[0]]), torch.from_numpy(logits)[None])[0].numpy()
    monkeypatch.setattr(torch, "sort", None)
    np.testing.assert_array_equal(Distribution([0], logits, engine.Settings(top_p=0.9), str).scores, expected)
