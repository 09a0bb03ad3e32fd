"""Held-out gaps: passages are reproducible, and hits are those of the models' own probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import engine
from engine.masked.masked_model import bundled_masked
from engine.training import gap_measures
from engine.training.gap_measures import LEAST_TOKENS, MOST_TOKENS, TOP


def test_hits_are_counted_against_the_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    causal, masked = engine.load(), bundled_masked()
    for name in ("everyday-zh", "own-weather-zh", "own-qa-zh", "own-chat-zh"):
        (tmp_path / f"{name}.txt").write_text(
            "今天天氣真好，我們去公園散步，然後回家吃飯。\n\n" * 6 + "短\n\n", "utf-8"
        )
    path = tmp_path / "everyday-zh.txt"
    found = [*gap_measures.passages(path, causal, 4)]
    assert found == [*gap_measures.passages(path, causal, 4)] and len(found) == 4
    assert all(LEAST_TOKENS <= len(ids) <= MOST_TOKENS and 2 <= place < len(ids) - 3 for ids, place in found)
    measures = gap_measures.measure(masked, causal, tmp_path, 8)
    assert {name: hits.gaps for name, hits in measures.sources.items()} == {"everyday-zh": 4, "own": 4}
    both = left = 0
    for ids, place in found:
        hidden = (*ids[:place], masked.mask, *ids[place + 1 :])
        values = np.exp(masked.log_probabilities(hidden, [place])[0])
        both += (values > values[ids[place]]).sum() < TOP
        raw = causal.distribution(ids[:place]).raw
        left += (raw > raw[ids[place]]).sum() < TOP
    assert (measures.sources["everyday-zh"].both, measures.sources["everyday-zh"].left) == (both, left)
    gap_measures.report(measures)
    assert "everyday-zh" in capsys.readouterr().out
