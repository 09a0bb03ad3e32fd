"""Every experiment reports its progress after each forward pass, and a stop takes effect before the next one.

The passes are counted at the `transformers` model itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import engine
from engine.decoding.batch_generation import BatchGeneration
from engine.decoding.strategies import BY_NAME
from engine.experiments.cloze import ClozeScoring
from engine.experiments.decoding_speed import DecodingSpeed
from engine.experiments.error_accumulation import ForcedTokenExperiment
from engine.experiments.exposure_bias import BATCH, ExposureBias
from engine.model.chunked_prefill import CHUNK, TextScoring
from engine.model.model import Model
from tests.engine.conftest import Tiny
from tests.passes import counted_passes
from tests.turns import todays

PROMPT = tuple(range(3, 53))  # longer than a chunk
TEXTS = [
    "Today the weather is good, and the sky is blue.",
    "A small fox ran far up the hill and hid in the dry grass.",
    "Once upon a time there was a little cat.",
]
SAMPLING = engine.Settings(temperature=1.5)
WORK: dict[str, Callable[[Model], Any]] = {
    "speed": lambda model: DecodingSpeed(model, (5, 6), (4, 8, 12)),
    "errors": lambda model: ForcedTokenExperiment(model, PROMPT, 9, "sample", SAMPLING, range(4), 12),
    "exposure": lambda model: ExposureBias(model, TEXTS, "sample", range(BATCH), 4),
    "cloze": lambda model: ClozeScoring(model, "the cat ___ on the mat, the dog sat", ["sat", "the dog sat", "is"]),
    "text": lambda model: TextScoring(model, PROMPT),
    "sampling": lambda model: BatchGeneration(model, PROMPT, BY_NAME["sample"], 0, range(5), 8, SAMPLING),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_a_step_is_one_pass_at_most_and_moves_the_progress(each: Tiny, name: str) -> None:
    with counted_passes(each.model) as passes:
        work = WORK[name](each.fresh())
        assert not passes, "nothing is computed before the first step"
        before, reports = work.progress, 0
        while work.step():
            assert len(passes) <= reports + 1, "more passes than reports"
            assert before < work.progress <= 1
            before, reports = work.progress, reports + 1
        assert len(passes) <= reports + 1 and work.progress == 1
        assert not work.step()


@pytest.mark.parametrize("name", WORK)
def test_a_stop_takes_effect_before_the_next_pass(each: Tiny, name: str) -> None:
    for steps in (0, 1, 3, 7):
        work = WORK[name](each.fresh())
        for _ in range(steps):
            work.step()
        with counted_passes(each.model) as passes:
            work.stop()
            assert work.done and not work.step() and not passes


def test_no_pass_is_longer_than_a_chunk_or_wider_than_a_batch(gpt2: Tiny) -> None:
    for name in ("errors", "text", "sampling", "exposure", "cloze"):
        with counted_passes(gpt2.model) as passes:
            work = WORK[name](gpt2.fresh())
            while work.step():
                pass
        assert max(passes) <= CHUNK, name
    assert BATCH < CHUNK


def test_a_text_larger_than_the_prefix_cache_is_computed_twice_at_most(gpt2: Tiny) -> None:
    roomy = gpt2.fresh()
    ids = tuple(range(3, 3 + 64))
    expected = roomy.score(ids)
    for share in (1, 20, 40, 60):
        model = gpt2.fresh(max_bytes=roomy.prefix_cache.nbytes * share // len(ids))
        with counted_passes(model) as passes:
            scoring = TextScoring(model, ids)
            while scoring.step():
                pass
        assert sum(passes) < 2 * len(ids) and len(passes) <= 2
        assert scoring.score.ranks == expected.ranks


@pytest.mark.slow
def test_what_a_lost_connection_interrupts_goes_on_later(each: Tiny) -> None:
    """An exception in the middle of a pass, from the host's hooks for instance: the next step does it again."""
    for name in todays(("errors", "exposure", "cloze", "text", "sampling"), 5):
        undisturbed = WORK[name](each.fresh())
        while undisturbed.step():
            pass
        work, steps = WORK[name](each.fresh()), 0
        while not work.done:
            steps += 1
            if steps % 3 == 0:
                interrupted(each, work)
            work.step()
        assert results(work) == results(undisturbed), name


def interrupted(tiny: Tiny, work: Any) -> None:
    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    handle = tiny.model.prefix_cache.forward.model.register_forward_pre_hook(break_off)
    try:
        work.step()
    except KeyboardInterrupt:
        pass
    finally:
        handle.remove()


def results(work: Any) -> object:
    if isinstance(work, ForcedTokenExperiment):
        return [(pair.own.token_ids, pair.forced.token_ids) for pair in work.pairs]
    if isinstance(work, ExposureBias):
        return work.written, [[round(v, 3) for v in work.loss(kind).by_text] for kind in ("true", "own", "other")]
    if isinstance(work, ClozeScoring):
        assert work.result is not None
        return [(c.text, round(c.log_left, 3), round(c.log_right, 3)) for c in work.result.candidates]
    if isinstance(work, BatchGeneration):
        return [text.token_ids for text in work.texts]
    return [None if v is None else round(v, 3) for v in work.score.log_probabilities], work.score.ranks
