"""Speculative and Jacobi decoding: the text of `generate`, the distribution of sampling, and counted passes."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch

import engine
from engine.decoding import speculative
from engine.decoding.drafting import Draft, Drafter, LookupDrafter, layer_drafter, model_drafter
from engine.decoding.jacobi import JacobiDecoding
from engine.decoding.speculative import SpeculativeDecoding
from engine.errors import EngineError, PromptError
from engine.interpret.logit_lens import logit_lens
from engine.model.model import Model
from engine.sampling.distribution import Distribution
from engine.sampling.settings import Settings
from tests.engine.conftest import Tiny
from tests.turns import todays

NEW = 12


def run(
    model: Model, ids: tuple[int, ...], drafter: Drafter, guesses: int = 4, settings: Settings | None = None,
    strategy: Literal["greedy", "sample"] = "greedy", seed: int = 0, tokens: int = NEW,
) -> SpeculativeDecoding:  # fmt: skip
    work = SpeculativeDecoding(model, ids, drafter, guesses, strategy, settings or Settings(), seed, tokens)
    while work.step():
        pass
    return work


def reference(each: Tiny, ids: tuple[int, ...], tokens: int = NEW) -> list[int]:
    """Greedy text of `transformers`, up to its end-of-text token."""
    found: list[int] = each.reference.generate(  # type: ignore[operator]
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
        max_new_tokens=tokens, pad_token_id=0,
    )[0].tolist()  # fmt: skip
    return found


@pytest.mark.slow
def test_greedy_text_is_that_of_generate(each: Tiny) -> None:
    """Every drafter, with few and many guesses."""
    layers = each.model.prefix_cache.forward.layers
    prefixes = todays(each.prefixes(100, longest=24), 10)
    for ids, guesses in zip(prefixes, itertools.cycle((1, 2, 4, 7))):
        want = reference(each, ids)
        drafters: list[Drafter] = [LookupDrafter(), model_drafter(each.model, each.model)]
        with contextlib.suppress(EngineError):  # a family whose layers cannot be left out
            drafters.append(layer_drafter(each.model, layers - 1))
        for drafter in drafters:
            assert run(each.model, ids, drafter, guesses).ids == want, (type(drafter).__name__, guesses)
        jacobi = JacobiDecoding(each.model, ids, NEW)
        while jacobi.step():
            pass
        assert [*ids, *jacobi.token_ids] == want


def test_usual_families_run_with_fewer_layers(build: Callable[[str], Tiny]) -> None:
    for family in ("llama", "gpt2", "qwen2"):
        layer_drafter(build(family).model, 1)


def test_the_first_layers_predict_what_the_logit_lens_shows(model: Model) -> None:
    ids = model.encode("今天天氣真好，我們")
    lens = logit_lens(model, ids)
    for layers in (1, 3, 5):
        drafter = layer_drafter(model, layers)
        assert drafter.text is not None
        logits = drafter.text.logits(ids, len(ids))
        assert logits.argmax(dim=-1).tolist() == lens.top_token_ids[layers].tolist()
        probabilities = torch.softmax(logits, dim=-1).max(dim=-1).values.numpy()
        np.testing.assert_allclose(probabilities, lens.probability[layers], atol=1e-5)


def test_passes_are_counted_and_rounds_tell_what_happened(model: Model) -> None:
    ids = model.encode("從前從前，有一個")
    work = run(model, ids, layer_drafter(model, 4), tokens=24)
    assert work.passes == len(work.rounds) < 24 == work.single_passes == work.written
    assert work.draft_passes == sum(len(each.guesses) for each in work.rounds)
    assert (
        work.identical is True
        and work.single_seconds is not None
        and work.single_seconds > 0
        and work.seconds > 0
        and work.progress == 1
    )
    text = list(ids)
    for each in work.rounds:
        assert each.start == len(text)
        for guess in each.guesses:
            assert guess.u is guess.limit is None
            if guess.kept is None:
                continue
            d = model.distribution(text)
            assert guess.kept == (guess.token_id == d.argmax())
            assert guess.model == pytest.approx(d.raw[guess.token_id], abs=1e-5)
            if guess.kept:
                text.append(guess.token_id)
        text += [] if each.token_id is None else [each.token_id]
    assert text == work.ids
    everything = run(model, ids, model_drafter(model, model), tokens=24)
    assert everything.ids == work.ids and all(g.kept for each in everything.rounds for g in each.guesses)
    assert everything.passes == 5  # four guesses and one of the model's own a pass, four at last


def test_prompt_lookup_copies_what_followed() -> None:
    def drafts(text: str, count: int = 3) -> str:
        ids = [ord(c) for c in text]
        found = LookupDrafter().draft(ids, count, None, None)  # type: ignore[arg-type]
        assert all(draft.probability == 1 and draft.distribution is None for draft in found)
        return "".join(chr(draft.token_id) for draft in found)

    assert drafts("abcdeXabc") == "deX"
    assert drafts("ab1 ab2 ab") == "2 a"  # of two matches the last
    assert drafts("cab dab cab") == " da"  # the longest match counts
    assert drafts("abcd") == "" and drafts("a") == ""
    assert drafts("aaaa", 2) == "a"


def chi_square_p(found: np.ndarray, expected: np.ndarray) -> float:
    """Probability of counts that are at least as far from the expected ones, by chance."""
    statistic = ((found - expected) ** 2 / expected).sum()
    return float(torch.special.gammaincc(torch.tensor((len(found) - 1) / 2), torch.tensor(statistic / 2)))


class FixedModel:
    """Distributions of a vocabulary of five tokens that depend on the last token alone."""

    def __init__(self, seed: int, sharpness: float) -> None:
        self.logits = (np.random.default_rng(seed).normal(size=(5, 5)) * sharpness).astype(np.float32)

    def after(self, token_id: int, settings: Settings) -> Distribution:
        return Distribution([token_id], self.logits[token_id], settings, str)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "certain"), [(Settings(), False), (Settings(temperature=1.3, top_k=4), False), (Settings(), True)]
)
def test_drafting_and_checking_keeps_the_distribution(model: Model, settings: Settings, certain: bool) -> None:
    """Pairs of tokens of 20,000 rounds, beside the product of the model's own probabilities."""
    target, hasty = FixedModel(1, 1.5), FixedModel(2, 1.0)
    counts = np.zeros((5, 5))
    work = SpeculativeDecoding(model, (0,), LookupDrafter(), 2, "sample", settings, 0, 3)
    for seed in range(20_000):
        work._seed = seed
        text, drafts = [0], list[Draft]()
        for _ in range(2):
            q = hasty.after(text[-1], settings)
            token_id = q.argmax() if certain else work._choose(q, len(text))
            drafts.append(Draft(token_id, None if certain else q))
            text.append(token_id)
        found = work._check(1, drafts, [target.after(token_id, settings) for token_id in text]).token_ids
        if len(found) < 2:  # the second token is that of another round
            p = target.after(found[0], settings)
            found = (*found, p.draw(np.random.default_rng(seed).random()))
        counts[found[0], found[1]] += 1
    first = target.after(0, settings).probabilities.astype(np.float64)
    expected = np.stack([first[i] * target.after(i, settings).probabilities.astype(np.float64) for i in range(5)])
    expected /= expected.sum()
    possible = expected > 0
    assert counts[~possible].sum() == 0
    assert chi_square_p(counts[possible], expected[possible] * counts.sum()) > 0.001


def test_the_residual_and_the_acceptance_add_up_to_the_model() -> None:
    """min(p, q) + P(rejected) x residual = p, for random distributions."""
    random = np.random.default_rng(0)
    for _ in range(200):
        p, q = random.dirichlet(np.full(7, 0.4)), random.dirichlet(np.full(7, 0.4))
        kept = np.minimum(p, q)
        np.testing.assert_allclose(kept + (1 - kept.sum()) * speculative.residual(p, q), p, atol=1e-12)
    np.testing.assert_array_equal(speculative.residual(p, p), p)


def test_sampling_is_reproducible_and_differs_by_seed(model: Model) -> None:
    ids = model.encode("從前從前，有一個")
    drafter = layer_drafter(model, 3)
    texts = [run(model, ids, drafter, strategy="sample", seed=seed, tokens=8).ids for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    for each in run(model, ids, drafter, strategy="sample", seed=5).rounds:
        for guess in each.guesses:
            assert guess.limit == pytest.approx(min(1, guess.model / guess.drafted))
            assert guess.kept is (None if guess.u is None else guess.u < (guess.limit or 0))


def test_jacobi_makes_at_least_one_place_final_a_pass(model: Model) -> None:
    ids = model.encode("從前從前，有一個")
    work = JacobiDecoding(model, ids, 24)
    while work.step():
        pass
    greedy = [step.token_id for step in engine.generate(model, ids, max_new_tokens=24)]
    assert list(work.token_ids) == greedy
    assert work.final[0] == 0 and work.final[-1] == 24
    for row, final, before in zip(work.rows[1:], work.final[1:], work.final, strict=False):
        assert list(row[:final]) == greedy[:final] and final > before
    assert work.passes <= 24


def test_what_cannot_be_run(model: Model, gpt2: Tiny) -> None:
    with pytest.raises(PromptError):
        SpeculativeDecoding(model, (), LookupDrafter(), 4, "greedy", Settings(), 0, 4)
    with pytest.raises(PromptError):
        JacobiDecoding(model, (), 4)
    with pytest.raises(EngineError, match="other tokens") as raised:
        model_drafter(model, gpt2.model)
    assert raised.value.code == "draft_vocabulary"
    for layers in (0, model.prefix_cache.forward.layers):
        with pytest.raises(ValueError, match="layers"):
            layer_drafter(model, layers)


def test_a_text_ends_at_its_end_and_at_the_context(gpt2: Tiny, model: Model) -> None:
    ids = model.encode("夏天好熱，我們去買")
    work = run(model, ids, layer_drafter(model, 4), tokens=40)
    assert work.stop_reason == "end" and work.ids[-1] in model.end_ids and work.single_passes == work.written < 40
    full = gpt2.prefixes(1, seed=3)[0] * 50
    full = full[: gpt2.model.context_length - 2]
    work = run(gpt2.model, full, LookupDrafter(), tokens=40)
    assert len(work.ids) <= gpt2.model.context_length and work.stop_reason in ("context", "end", "length")
