"""Greedy generation equals `generate(do_sample=False)` of `transformers`."""

from __future__ import annotations

import itertools

import pytest
import torch

import engine
from tests.engine.conftest import Tiny
from tests.turns import todays

NEW = 3
PENALTIES = [(1.0, 0), (1.4, 0), (1.0, 2), (0.8, 3)]  # repetition penalty, n-gram size


@pytest.mark.slow
def test_greedy_equals_generate(each: Tiny) -> None:
    for ids, (penalty, size) in todays(list(zip(each.prefixes(104), itertools.cycle(PENALTIES), strict=False)), 3):
        want = each.reference.generate(  # type: ignore[operator]
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            do_sample=False,
            max_new_tokens=NEW,
            repetition_penalty=penalty,
            no_repeat_ngram_size=size,
            pad_token_id=0,
        )[0].tolist()
        settings = engine.Settings(repetition_penalty=penalty, no_repeat_ngram_size=size)
        steps = list(engine.generate(each.model, ids, settings=settings, max_new_tokens=NEW))
        assert [*ids, *(step.token_id for step in steps)] == want, (penalty, size)


def test_greedy_does_not_look_at_the_filters(gpt2: Tiny) -> None:
    for ids in gpt2.prefixes(10):
        plain = [s.token_id for s in engine.generate(gpt2.model, ids, max_new_tokens=NEW)]
        settings = engine.Settings(temperature=2.0, top_k=1, top_p=0.1, min_p=0.9, typical_p=0.1)
        steps = list(engine.generate(gpt2.model, ids, settings=settings, max_new_tokens=NEW))
        assert [s.token_id for s in steps] == plain
        assert all(s.how == "greedy" and s.u is None for s in steps)


def test_the_penalties_change_what_is_written(gpt2: Tiny) -> None:
    """Otherwise the comparison above would not test the penalties."""
    changed = dict.fromkeys(PENALTIES[1:], 0)
    for ids in gpt2.prefixes(30):
        plain = [s.token_id for s in engine.generate(gpt2.model, ids, max_new_tokens=NEW)]
        for penalty, size in changed:
            settings = engine.Settings(repetition_penalty=penalty, no_repeat_ngram_size=size)
            tokens = [s.token_id for s in engine.generate(gpt2.model, ids, settings=settings, max_new_tokens=NEW)]
            changed[penalty, size] += tokens != plain
    assert min(changed.values()) > 2, changed
