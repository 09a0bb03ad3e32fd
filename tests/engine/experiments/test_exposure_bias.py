"""The same endings behind three middles: each loss is the reference's, each middle is what it says."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest
import torch

import engine
from engine.experiments.exposure_bias import GIVEN, PREFIXES, SCORED, ExposureBias, Loss, Prefix, gap
from engine.sampling.distribution import uniform
from pages.ui.i18n import sentences
from tests.engine.conftest import Tiny

TEXTS = [
    "Today the weather is good, and the sky is blue.",
    "A small fox ran far up the hill and hid in the dry grass.",
    "Once upon a time there was a little cat.",
]
BETWEEN = 3


def run(exposure: ExposureBias) -> ExposureBias:
    while exposure.step():
        assert 0 <= exposure.progress <= 1 and not exposure.finished
    assert exposure.finished and exposure.progress == 1
    return exposure


def cut(one: Tiny, text: str) -> tuple[int, ...]:
    ids = one.model.encode(text)[: GIVEN + BETWEEN + SCORED]
    assert len(ids) == GIVEN + BETWEEN + SCORED
    return ids


def losses(one: Tiny, ids: tuple[int, ...]) -> list[float]:
    table = torch.log_softmax(one.forward(ids).logits[0].double(), dim=-1)
    return [-float(table[i - 1, ids[i]]) for i in range(len(ids) - SCORED, len(ids))]


def likeliest(one: Tiny, ids: tuple[int, ...]) -> tuple[int, ...]:
    for _ in range(BETWEEN):
        logits = one.forward(ids).logits[0, -1].clone()
        logits[list(one.model.end_ids)] = -math.inf
        ids = (*ids, int(logits.argmax()))
    return ids


def test_every_loss_is_the_references(each: Tiny) -> None:
    exposure = run(ExposureBias(each.fresh(), TEXTS, "greedy", (0,), BETWEEN))
    texts = [cut(each, text) for text in TEXTS]
    middles = [text[GIVEN:-SCORED] for text in texts]
    own = [likeliest(each, text[:GIVEN])[GIVEN:] for text in texts]
    assert exposure.written == [[middle] for middle in own]
    others = [*middles[1:], middles[0]]
    for kind, behind in (("true", middles), ("own", own), ("other", others)):
        found = exposure.loss(cast(Prefix, kind))
        rows = [
            losses(each, (*text[:GIVEN], *middle, *text[-SCORED:])) for text, middle in zip(texts, behind, strict=True)
        ]
        assert found.by_position == pytest.approx(np.mean(rows, axis=0), abs=2e-3)
        assert found.by_text == pytest.approx(np.mean(rows, axis=1), abs=2e-3)
        assert found.mean == pytest.approx(np.mean(rows), abs=2e-3)


def test_drawn_middles_come_from_the_unfiltered_distribution(gpt2: Tiny) -> None:
    exposure = run(ExposureBias(gpt2.fresh(), TEXTS, "sample", (4, 5), BETWEEN))
    for text, middles in zip(TEXTS, exposure.written, strict=True):
        assert len(middles) == 2
        for seed, middle in zip((4, 5), middles, strict=True):
            ids = cut(gpt2, text)[:GIVEN]
            for token_id in middle:
                raw = torch.softmax(gpt2.forward(ids).logits[0, -1].double(), dim=-1).numpy()
                raw[list(gpt2.model.end_ids)] = 0
                order = np.argsort(-raw, kind="stable")
                at = np.searchsorted(np.cumsum(raw[order]) / raw.sum(), uniform(seed, len(ids)), side="right")
                assert token_id == order[at]
                ids = (*ids, token_id)
    assert not {token for middles in exposure.written for m in middles for token in m} & gpt2.model.end_ids


def test_texts_that_are_too_short_are_left_out_or_refused(gpt2: Tiny) -> None:
    exposure = ExposureBias(gpt2.fresh(), ["short", *TEXTS[:2], "", "😀"], "greedy", (0,), BETWEEN)
    assert exposure.used == [1, 2]
    for texts in ([], ["a"], ["短"] * 9, TEXTS[:1]):
        with pytest.raises(engine.EngineError) as caught:
            ExposureBias(gpt2.model, texts, "greedy", (0,), BETWEEN)
        assert caught.value.code == "texts"
    with pytest.raises(engine.EngineError) as caught:
        ExposureBias(gpt2.model, [text * 5 for text in TEXTS], "greedy", (0,), 60)
    assert caught.value.code == "context"


def test_stopped_it_tells_nothing(gpt2: Tiny) -> None:
    exposure = ExposureBias(gpt2.fresh(), TEXTS, "greedy", (0,), BETWEEN)
    for _ in range(3):
        exposure.step()
    exposure.stop()
    assert exposure.done and not exposure.finished and not exposure.step()


def test_a_gap_is_told_text_by_text() -> None:
    found = gap(Loss((), (3.0, 5.0, 4.0)), Loss((), (1.0, 5.0, 3.0)))
    assert (found.mean, found.above) == (1.0, 2)
    assert found.error == pytest.approx(1 / math.sqrt(3))
    assert gap(Loss((), (1.0,)), Loss((), (0.0,))).error is None


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_all_given_texts_are_long_enough_for_the_longest_middle(language: str) -> None:
    texts = sentences(language)["limits.exposure.examples"]
    assert ExposureBias(engine.load(), texts, "greedy", (0,), 24).used == list(range(len(texts)))
    assert PREFIXES == ("true", "own", "other")
