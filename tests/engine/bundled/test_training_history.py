"""Training history: equals `learning.json`, and its last checkpoint matches the bundled model."""

from __future__ import annotations

import json
import math

import pytest

import engine
from engine.bundled import BUNDLED
from engine.bundled.training_history import training_history


def test_it_is_what_stands_in_the_file() -> None:
    data = json.loads((BUNDLED / "learning.json").read_text("utf-8"))
    history = training_history()
    assert history.top == data["top"] and len(history.checkpoints) == len(data["moments"])
    for checkpoint, expected in zip(history.checkpoints, data["moments"], strict=True):
        assert (checkpoint.step, checkpoint.loss) == (expected["step"], expected["loss"])
        assert set(checkpoint.top_tokens) == set(history.prompts)
        for prompt, rows in expected["prompts"].items():
            assert checkpoint.top_tokens[prompt] == tuple(map(tuple, rows))
            assert len(rows) == history.top and sum(p for _, p in rows) <= 1 + 1e-3
            assert checkpoint.probability(prompt, rows[3][0]) == rows[3][1]
            assert checkpoint.probability(prompt, -1) is None
    steps = [checkpoint.step for checkpoint in history.checkpoints]
    assert steps == sorted(set(steps)) and steps[0] == 0 and history.checkpoints[0].loss is None


def test_before_training_it_knows_nothing() -> None:
    model = engine.load()
    for prompt, likeliest in training_history().checkpoints[0].top_tokens.items():
        assert likeliest[0][1] < 0.01, prompt
    loss = training_history().checkpoints[1].loss
    assert loss == pytest.approx(math.log(model.vocabulary.size), abs=0.2)


def test_the_last_moment_is_the_bundled_model() -> None:
    """Up to the rounding to 16-bit weights; the history of another training run would differ far more."""
    model = engine.load()
    last = training_history().checkpoints[-1]
    for prompt in ("今天天氣真", "人工智能是", "ChatGPT", "語言模型會預測下一個"):
        distribution = model.distribution(model.encode(prompt))
        for token_id, p in last.top_tokens[prompt][:5]:
            assert distribution.candidate(token_id).raw == pytest.approx(p, abs=0.03), prompt
