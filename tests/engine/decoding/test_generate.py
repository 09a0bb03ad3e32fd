"""Generation of one text: the numbers of each step, determinism and stopping conditions."""

from __future__ import annotations

import dataclasses
import math

import pytest

import engine
from engine.decoding.generation import Generation, Step
from engine.model.loading import load
from engine.model.model import Model
from tests import tiny
from tests.engine.conftest import Tiny

WARM = engine.Settings(temperature=0.9, top_k=40, top_p=0.95, repetition_penalty=1.1)


def run(generation: Generation) -> tuple[list[Step], str | None]:
    steps = list(generation)
    return steps, generation.stop_reason


def ending_at(model: Model, *end_ids: int) -> Model:
    """The same model with other end-of-text tokens."""
    return Model(model.name, model.vocabulary, model.prefix_cache, model.context_length, frozenset(end_ids))


def test_numbers_of_each_step_belong_together(each: Tiny) -> None:
    ids = each.model.encode("the cat 今")
    steps, _ = run(engine.generate(each.model, ids, "sample", WARM, seed=3, max_new_tokens=10))
    text = tuple(ids)
    for step in steps:
        assert step.token_ids == text
        candidate = step.distribution.candidate(step.token_id)
        assert (step.raw, step.probability, step.text) == (candidate.raw, candidate.probability, candidate.text)
        assert step.log_probability == pytest.approx(math.log(step.raw), abs=1e-4)
        assert step.how == "drawn" and step.u == engine.uniform(3, len(text))
        low, high = step.distribution.interval(step.token_id)
        assert low <= step.u < high
        assert step.distribution.settings == WARM
        text = (*text, step.token_id)
    assert [step.stop for step in steps[:-1]] == [None] * (len(steps) - 1)
    assert each.model.score(text).log_probability - each.model.score(ids).log_probability == pytest.approx(
        sum(step.log_probability for step in steps), abs=1e-3
    )


@pytest.mark.slow
def test_same_prompt_settings_and_seed_same_text_in_any_process(each: Tiny) -> None:
    ids = each.model.encode("the cat")
    again = load(each.folder, from_hub=False)
    for seed in range(4):
        first, second = (
            [s.token_id for s in engine.generate(model, ids, "sample", WARM, seed=seed, max_new_tokens=8)]
            for model in (each.model, again)
        )
        assert first == second
    texts = {tuple(s.token_id for s in engine.generate(each.model, ids, "sample", seed=seed)) for seed in range(4)}
    assert len(texts) == 4


def test_going_on_from_any_step_writes_the_same(gpt2: Tiny) -> None:
    """A draw depends on the seed and the position only, not on where generation started."""
    ids = gpt2.model.encode("the cat")
    whole = [s.token_id for s in engine.generate(gpt2.model, ids, "sample", WARM, seed=8, max_new_tokens=12)]
    for done in range(12):
        rest = engine.generate(gpt2.model, (*ids, *whole[:done]), "sample", WARM, seed=8, max_new_tokens=12 - done)
        assert [s.token_id for s in rest] == whole[done:]


def test_stops_at_the_length(each: Tiny) -> None:
    model = ending_at(each.model)
    for most in (0, 1, 7):
        steps, why = run(engine.generate(model, model.encode("cat"), max_new_tokens=most))
        assert (len(steps), why) == (most, "length")
        assert [s.stop for s in steps[-1:]] == ["length"] * bool(most)


def test_stops_at_an_end_token(gpt2: Tiny) -> None:
    ids = gpt2.model.encode("the cat")
    third = list(engine.generate(ending_at(gpt2.model), ids, "sample", seed=1, max_new_tokens=9))[2].token_id
    steps, why = run(engine.generate(ending_at(gpt2.model, third, 0), ids, "sample", seed=1, max_new_tokens=9))
    assert why == "end" == steps[-1].stop and steps[-1].token_id == third and len(steps) <= 3


def test_end_is_end_even_where_the_length_is_reached_too(gpt2: Tiny) -> None:
    ids = gpt2.model.encode("the cat")
    first = next(engine.generate(ending_at(gpt2.model), ids)).token_id
    assert run(engine.generate(ending_at(gpt2.model, first), ids, max_new_tokens=1))[1] == "end"


def test_an_end_token_in_the_prompt_stops_nothing(gpt2: Tiny) -> None:
    (end,) = gpt2.model.end_ids
    steps, why = run(engine.generate(ending_at(gpt2.model, end), (5, end), max_new_tokens=1))
    assert len(steps) == 1 and why in ("length", "end")


def test_stops_where_the_window_is_full(each: Tiny) -> None:
    model = ending_at(each.model)
    model.context_length = tiny.CONTEXT
    ids = (5,) * (tiny.CONTEXT - 3)
    steps, why = run(engine.generate(model, ids, max_new_tokens=100))
    assert (len(steps), why, steps[-1].stop) == (3, "context", "context")
    assert run(engine.generate(model, (5,) * tiny.CONTEXT)) == ([], "context")


def test_stops_when_the_person_says_so(gpt2: Tiny) -> None:
    model = ending_at(gpt2.model)
    seen: list[Step] = []
    generation = engine.generate(model, (5,), max_new_tokens=50, should_stop=lambda: len(seen) == 4)
    for step in generation:
        assert step.stop is None
        seen.append(step)
    assert (len(seen), generation.stop_reason) == (4, "person")
    assert run(engine.generate(model, (5,), should_stop=lambda: True)) == ([], "person")


def test_reads_only_as_far_as_it_is_asked(gpt2: Tiny) -> None:
    """Nothing is computed before the next step is requested."""
    model = gpt2.fresh()
    generation = engine.generate(model, (5, 6), max_new_tokens=50)
    assert model.prefix_cache.counters.passes == 0
    for count in (1, 2, 3):
        next(generation)
        assert model.prefix_cache.counters.passes == count


def test_steps_are_values(gpt2: Tiny) -> None:
    first, second = (next(engine.generate(gpt2.model, (5, 6))) for _ in range(2))
    assert first == second
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.token_id = 3  # type: ignore[misc]


def test_an_unknown_strategy_and_no_tokens_are_refused(gpt2: Tiny) -> None:
    with pytest.raises(ValueError, match="strategy"):
        engine.generate(gpt2.model, (5,), "beam")  # type: ignore[arg-type]
    with pytest.raises(engine.PromptError):
        engine.generate(gpt2.model, ())
