"""Exposure bias experiment: the losses of the three prefixes and the generated middles against the reference model."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest
import torch

import engine
from engine.experiments.exposure_bias import GIVEN, PREFIXES, SCORED, ExposureBias, Loss, Prefix, gap
from engine.sampling.distribution import uniform
from pages.i18n.translator import sentences
from tests.engine.conftest import Tiny

TEXTS = [
    "Today the weather is good, and the sky is blue.",
    "A small fox ran far up the hill and hid in the dry grass.",
    "Once upon a time there was a little cat.",
]
BETWEEN = 3


def run(experiment: ExposureBias) -> ExposureBias:
    while experiment.step():
        assert 0 <= experiment.progress <= 1 and not experiment.finished
    assert experiment.finished and experiment.progress == 1
    return experiment


def tokenized(tiny: Tiny, text: str) -> tuple[int, ...]:
    ids = tiny.model.encode(text)[: GIVEN + BETWEEN + SCORED]
    assert len(ids) == GIVEN + BETWEEN + SCORED
    return ids


def losses(tiny: Tiny, ids: tuple[int, ...]) -> list[float]:
    table = torch.log_softmax(tiny.forward(ids).logits[0].double(), dim=-1)
    return [-float(table[i - 1, ids[i]]) for i in range(len(ids) - SCORED, len(ids))]


def greedy(tiny: Tiny, ids: tuple[int, ...]) -> tuple[int, ...]:
    for _ in range(BETWEEN):
        logits = tiny.forward(ids).logits[0, -1].clone()
        logits[list(tiny.model.end_ids)] = -math.inf
        ids = (*ids, int(logits.argmax()))
    return ids


def test_every_loss_is_the_references(each: Tiny) -> None:
    experiment = run(ExposureBias(each.fresh(), TEXTS, "greedy", (0,), BETWEEN))
    texts = [tokenized(each, text) for text in TEXTS]
    middles = [text[GIVEN:-SCORED] for text in texts]
    own = [greedy(each, text[:GIVEN])[GIVEN:] for text in texts]
    assert experiment.written == [[middle] for middle in own]
    others = [*middles[1:], middles[0]]
    for kind, prefix_middles in (("true", middles), ("own", own), ("other", others)):
        result = experiment.loss(cast(Prefix, kind))
        rows = [
            losses(each, (*text[:GIVEN], *middle, *text[-SCORED:]))
            for text, middle in zip(texts, prefix_middles, strict=True)
        ]
        assert result.by_position == pytest.approx(np.mean(rows, axis=0), abs=2e-3)
        assert result.by_text == pytest.approx(np.mean(rows, axis=1), abs=2e-3)
        assert result.mean == pytest.approx(np.mean(rows), abs=2e-3)


def test_drawn_middles_come_from_the_unfiltered_distribution(gpt2: Tiny) -> None:
    experiment = run(ExposureBias(gpt2.fresh(), TEXTS, "sample", (4, 5), BETWEEN))
    for text, middles in zip(TEXTS, experiment.written, strict=True):
        assert len(middles) == 2
        for seed, middle in zip((4, 5), middles, strict=True):
            ids = tokenized(gpt2, text)[:GIVEN]
            for token_id in middle:
                raw = torch.softmax(gpt2.forward(ids).logits[0, -1].double(), dim=-1).numpy()
                raw[list(gpt2.model.end_ids)] = 0
                order = np.argsort(-raw, kind="stable")
                at = np.searchsorted(np.cumsum(raw[order]) / raw.sum(), uniform(seed, len(ids)), side="right")
                assert token_id == order[at]
                ids = (*ids, token_id)
    assert not {token for middles in experiment.written for m in middles for token in m} & gpt2.model.end_ids


def test_texts_that_are_too_short_are_left_out_or_refused(gpt2: Tiny) -> None:
    experiment = ExposureBias(gpt2.fresh(), ["short", *TEXTS[:2], "", "😀"], "greedy", (0,), BETWEEN)
    assert experiment.used == [1, 2]
    for texts in ([], ["a"], ["短"] * 9, TEXTS[:1]):
        with pytest.raises(engine.EngineError) as caught:
            ExposureBias(gpt2.model, texts, "greedy", (0,), BETWEEN)
        assert caught.value.code == "texts"
    with pytest.raises(engine.EngineError) as caught:
        ExposureBias(gpt2.model, [text * 5 for text in TEXTS], "greedy", (0,), 60)
    assert caught.value.code == "context"


def test_stopped_it_tells_nothing(gpt2: Tiny) -> None:
    experiment = ExposureBias(gpt2.fresh(), TEXTS, "greedy", (0,), BETWEEN)
    for _ in range(3):
        experiment.step()
    experiment.stop()
    assert experiment.done and not experiment.finished and not experiment.step()


def test_a_gap_is_told_text_by_text() -> None:
    result = gap(Loss((), (3.0, 5.0, 4.0)), Loss((), (1.0, 5.0, 3.0)))
    assert (result.mean, result.above) == (1.0, 2)
    assert result.error == pytest.approx(1 / math.sqrt(3))
    assert gap(Loss((), (1.0,)), Loss((), (0.0,))).error is None


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_all_given_texts_are_long_enough_for_the_longest_middle(language: str) -> None:
    texts = sentences(language)["limits.exposure.examples"]
    assert ExposureBias(engine.load(), texts, "greedy", (0,), 24).used == list(range(len(texts)))
    assert PREFIXES == ("true", "own", "other")
