"""Bundled model: equality with `transformers`, a sensible first example, and the size and type of its files."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

import engine
from engine.bundled import BUNDLED
from engine.model.model import Model
from tests.engine.conftest import random_texts
from tests.turns import todays

PROMPTS = [
    "今天天氣真",
    "我們一起去公園",
    "天空是",
    "從前有一個",
    "Once upon a time",
    "The weather is",
    "一隻小貓",
    "老師說",
]


@pytest.fixture(scope="module")
def texts(model: Model) -> list[tuple[int, ...]]:
    """Prompts followed by random tokens, and random tokens alone."""
    noise = random_texts(model.vocabulary, 104, 24, seed=1)
    beginnings = itertools.chain.from_iterable([model.encode(prompt), ()] for prompt in PROMPTS)
    return [(*beginning, *ids) for beginning, ids in zip(itertools.cycle(beginnings), noise, strict=False)]


@pytest.mark.slow
def test_softmax_scores_and_attention_equal_the_reference(
    model: Model, reference: PreTrainedModel, texts: list[tuple[int, ...]]
) -> None:
    for ids in texts:
        with torch.inference_mode():
            out = reference(input_ids=torch.tensor([ids]), output_attentions=True, use_cache=False)
        raw = torch.softmax(out.logits[0, -1], dim=-1).numpy()
        np.testing.assert_allclose(model.distribution(ids).raw, raw, atol=1e-5, rtol=0)
        want = torch.log_softmax(out.logits[0, :-1], dim=-1).gather(1, torch.tensor([ids[1:]]).T)[:, 0].numpy()
        np.testing.assert_allclose(np.array(model.score(ids).log_probabilities[1:], dtype=float), want, atol=1e-4)
        np.testing.assert_allclose(model.attention(ids), torch.cat(out.attentions).numpy(), atol=1e-5)


@pytest.mark.slow
def test_greedy_equals_generate(model: Model, reference: PreTrainedModel, texts: list[tuple[int, ...]]) -> None:
    for ids, (penalty, size) in todays(
        list(zip(texts, itertools.cycle([(1.0, 0), (1.3, 0), (1.0, 2)]), strict=False)), 4
    ):
        want = reference.generate(  # type: ignore[operator]
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            do_sample=False,
            max_new_tokens=3,
            repetition_penalty=penalty,
            no_repeat_ngram_size=size,
            pad_token_id=0,
        )[0].tolist()
        settings = engine.Settings(repetition_penalty=penalty, no_repeat_ngram_size=size)
        steps = list(engine.generate(model, ids, settings=settings, max_new_tokens=3))
        assert [*ids, *(step.token_id for step in steps)] == want


def test_cached_equals_uncached(model: Model, reference: PreTrainedModel) -> None:
    ids = random_texts(model.vocabulary, 30, 200, seed=2)[7]
    for end in range(1, len(ids) + 1):
        model.records(ids[:end])
    with torch.inference_mode():
        want = torch.softmax(reference(input_ids=torch.tensor([ids]), use_cache=False).logits[0], dim=-1).numpy()
    got = np.stack([model.distribution(ids[:end]).raw for end in range(1, len(ids) + 1)])
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_good_weather(model: Model) -> None:
    top = model.distribution(model.read_prompt("今天天氣真")).top(10)
    assert "好" in [candidate.text for candidate in top]


def test_a_full_window(model: Model) -> None:
    ids = (1,) * model.context_length
    assert model.context_length == 512
    assert len(model.score(ids).ranks) == 512


@pytest.mark.parametrize("text", [*PROMPTS, "龘𠮷👩‍👩‍👧", "שלום مرحبا", "a\0b\r\n\ufffd", "<|endoftext|></s>[UNK]"])
def test_any_text_goes_in_and_comes_out(model: Model, text: str) -> None:
    ids = model.read_prompt(text)
    assert model.text(ids) == text
    pieces = model.pieces(ids)
    assert len(pieces) == len(ids) and all(pieces) and "\ufffd" not in "".join(pieces)
    assert not set(ids) & model.vocabulary.special


def test_every_token_can_be_read(model: Model) -> None:
    names = [model.pieces([token])[0] for token in range(model.vocabulary.size)]
    assert all(names) and "\ufffd" not in "".join(names)
    assert not any(name.startswith("‹#") for name in names)  # the tokenizer has a name for each id


def test_it_knows_where_a_text_ends(model: Model) -> None:
    assert model.end_ids and model.end_ids <= model.vocabulary.special


def test_the_files_are_small_and_nothing_but_data() -> None:
    files = [path for path in BUNDLED.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert len(files) > 5
    for path in files:
        assert path.stat().st_size < 48 * 2**20, path.name
        assert path.suffix in (".json", ".safetensors", ".md", ".txt"), path.name
