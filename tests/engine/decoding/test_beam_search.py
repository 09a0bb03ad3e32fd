"""Beam search against `transformers`' own, and against a plain search through everything."""

from __future__ import annotations

import itertools
import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel

import engine
from engine.bundled import BUNDLED
from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError, SettingsError
from engine.model.loading import load
from engine.model.model import Model
from tests import tiny
from tests.engine.conftest import Tiny


def reference_search(
    reference: PreTrainedModel, end_ids: frozenset[int], ids: tuple[int, ...], s: BeamSettings
) -> list[tuple[tuple[int, ...], float]]:
    """(tokens, score) of each beam that `generate` returns, best first; its padding and unfilled places taken off."""
    whole: Any = reference
    more: dict[str, Any] = {}
    if s.width > 1:
        more = {"length_penalty": s.length_penalty, "early_stopping": s.early_stopping}
    out = whole.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        num_beams=s.width,
        num_return_sequences=s.width,
        do_sample=False,
        max_new_tokens=s.max_new_tokens,
        repetition_penalty=s.repetition_penalty,
        no_repeat_ngram_size=s.no_repeat_ngram_size,
        eos_token_id=sorted(end_ids) or None,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
        **more,
    )
    if s.width == 1:  # greedy search gives no score of the sequence
        new = out.sequences[0, len(ids) :].tolist()
        steps = [float(torch.log_softmax(at[0].double(), -1)[i]) for at, i in zip(out.scores, new, strict=True)]
        scores = [sum(steps) / len(steps) ** s.length_penalty]
    else:
        scores = out.sequences_scores.tolist()
    found = []
    for row, score in zip(out.sequences.tolist(), scores, strict=True):
        new = row[len(ids) :]
        end = next((i for i, token in enumerate(new) if token in end_ids), len(new) - 1)
        if score > -1e5:
            found.append((tuple(row[: len(ids)] + new[: end + 1]), score))
    return found


def check_same(model: Model, reference: PreTrainedModel, ids: tuple[int, ...], s: BeamSettings) -> BeamSearch:
    search = BeamSearch(model, ids, s)
    search.grow_to(search.most)
    assert search.stop is not None
    expected = reference_search(reference, model.end_ids, ids, s)
    ours = search.sequences
    assert [h.token_ids for h in ours] == [tokens for tokens, _ in expected]
    np.testing.assert_allclose([h.score for h in ours], [score for _, score in expected], atol=1e-4, rtol=1e-4)
    return search


beam_settings = st.builds(
    BeamSettings,
    width=st.integers(1, 16),
    length_penalty=st.sampled_from([0.0, 1.0, -1.0, 0.6, 2.0]),
    max_new_tokens=st.integers(1, 14),
    early_stopping=st.sampled_from([False, True, "never"]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 0.8]),
    no_repeat_ngram_size=st.sampled_from([0, 0, 2, 3]),
)


def ending(one: Tiny, ids: tuple[int, ...], how_soon: int) -> frozenset[int]:
    """End-of-text ids that this text really meets: what greedy search writes a few tokens on, and what it holds third
    best at first. Random weights would hardly ever end a text by themselves."""
    steps = list(engine.generate(one.model, ids, max_new_tokens=how_soon))
    return frozenset({steps[-1].token_id, int(steps[0].distribution.order[2])})


@given(data=st.data())
@settings(max_examples=200)
def test_it_finds_what_generate_finds(data: st.DataObject, build: Any) -> None:
    one: Tiny = build(data.draw(st.sampled_from(["gpt2", "llama", "qwen2", "mistral", "gemma2"])))
    ids = data.draw(st.sampled_from(one.prefixes(12, longest=20, seed=5)))
    s = data.draw(beam_settings)
    ends = data.draw(st.sampled_from([frozenset(), ending(one, ids, 1), ending(one, ids, 3), ending(one, ids, 6)]))
    model = Model("tiny", one.model.vocabulary, one.model.prefix_cache, one.model.context_length, ends)
    check_same(model, one.reference, ids, s)


@pytest.fixture(scope="module")
def bundled() -> tuple[Model, PreTrainedModel]:
    return load(), AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32).eval()


PROMPTS = ["今天天氣真", "人工智慧是", "從前有一隻", "The weather today is", "ChatGPT", "我", "問：你好嗎？\n答："]


@given(prompt=st.sampled_from(PROMPTS), s=beam_settings)
@settings(max_examples=60)
def test_it_finds_what_generate_finds_with_the_bundled_model(
    prompt: str, s: BeamSettings, bundled: tuple[Model, PreTrainedModel]
) -> None:
    model, reference = bundled
    check_same(model, reference, model.encode(prompt), s)


def test_sixty_four_levels(bundled: tuple[Model, PreTrainedModel]) -> None:
    model, reference = bundled
    search = check_same(model, reference, model.encode("今天"), BeamSettings(4, 0.0, 64, "never", 1.0, 3))
    assert all(math.isfinite(node.log_probability) for node in search.nodes)


def test_a_recurrent_model_searches_too(mamba: Tiny) -> None:
    ids = mamba.prefixes(1, longest=9)[0]
    search = engine.beam_search(mamba.model, ids, width=3, max_new_tokens=4)
    best = max(
        (sum(v for v in mamba.model.score(h.token_ids).log_probabilities[len(ids) :] if v is not None))
        for h in search.sequences
    )
    assert search.sequences[0].log_probability == pytest.approx(best, abs=1e-4)


VOCABULARY = 6


@pytest.fixture(scope="module")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Six tokens, of which the last ends the text: everything can be searched."""
    tokenizer = Tokenizer(models.WordLevel({c: i for i, c in enumerate("abcde.")}, unk_token="a"))
    config = LlamaConfig(vocab_size=VOCABULARY, **tiny.SHAPE)
    return load(tiny.save(tmp_path_factory.mktemp("smallest"), tokenizer, config, end="."), from_hub=False)


def all_extensions(model: Model, texts: list[tuple[int, ...]], prompt: int) -> list[tuple[float, tuple[int, ...]]]:
    """(log-probability, text) of every extension of every text, best first: each scored as a whole, alone."""
    found = []
    for text in texts:
        for token in range(VOCABULARY):
            longer = (*text, token)
            found.append((sum(v for v in model.score(longer).log_probabilities[prompt:] if v is not None), longer))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("prompt", [(0,), (3, 1), (2, 2, 4)])
def test_every_fate_is_that_of_a_plain_search(smallest: Model, prompt: tuple[int, ...], width: int) -> None:
    search = engine.beam_search(smallest, prompt, width=width, max_new_tokens=5, early_stopping="never")
    texts, held = [prompt], []
    for number, level in enumerate(search.levels, 1):
        ranked = all_extensions(smallest, texts, len(prompt))
        looked_at = ranked[: 2 * width]
        nodes = [search.nodes[i] for i in level.candidates]
        assert [search.token_ids(node.index) for node in nodes] == [text for _, text in looked_at]
        assert [node.log_probability for node in nodes] == pytest.approx([p for p, _ in looked_at], abs=1e-4)
        assert level.considered == len(ranked)
        last = number == 5
        ends = [text[-1] == VOCABULARY - 1 or last for _, text in looked_at]
        finished = [text for (_, text), end, rank in zip(looked_at, ends, itertools.count()) if end and rank < width]
        texts = [text for (_, text), end in zip(looked_at, ends, strict=True) if not end][:width]
        fates = {search.token_ids(node.index): node.status for node in nodes}
        assert fates == {
            text: "finished" if text in finished else "kept" if text in texts else "pruned" for _, text in looked_at
        }
        held += [(p / number, text) for p, text in looked_at if text in finished]
        held = sorted(held, reverse=True)[:width]
        assert [search.token_ids(i) for i in level.finished] == [text for _, text in held]
    assert [h.token_ids for h in search.sequences] == [text for _, text in held]


def test_with_a_width_of_everything_it_finds_the_best_text_there_is(smallest: Model) -> None:
    found = engine.beam_search(smallest, (0,), width=VOCABULARY, length_penalty=0.0, max_new_tokens=2)
    every = all_extensions(smallest, [(0,)], 1)
    longer = all_extensions(smallest, [text for _, text in every if text[-1] != VOCABULARY - 1], 1)
    complete = [e for e in every if e[1][-1] == VOCABULARY - 1] + longer
    assert found.sequences[0].token_ids == max(complete)[1]


def test_growing_computes_each_level_once_and_looking_back_nothing(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    search = BeamSearch(model, gpt2.prefixes(1, longest=9)[0], BeamSettings(width=4, max_new_tokens=6))
    passes = model.prefix_cache.counters.passes
    for level in range(1, 7):
        assert search.grow()
        assert model.prefix_cache.counters.passes == passes + level - 1  # the first level needs the prompt's pass alone
    assert not search.grow()
    done = model.prefix_cache.counters.passes
    for node in search.nodes:
        if node.status == "kept":
            model.records(search.token_ids(node.index))
    assert model.prefix_cache.counters.passes == done


def test_a_search_goes_on_after_its_memory_was_given_back(gpt2: Tiny) -> None:
    ids = gpt2.prefixes(1, longest=9)[0]
    whole = engine.beam_search(gpt2.fresh(), ids, width=3, max_new_tokens=6)
    search = BeamSearch(gpt2.fresh(max_bytes=1), ids, BeamSettings(width=3, max_new_tokens=6))
    while search.grow():
        search.release()
    assert [h.token_ids for h in search.sequences] == [h.token_ids for h in whole.sequences]


def test_what_cannot_be_searched_is_refused(smallest: Model, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError) as wide:
        engine.beam_search(smallest, (0,), width=VOCABULARY + 1)
    assert wide.value.code == "beam_vocabulary"
    with pytest.raises(EngineError) as full:
        engine.beam_search(gpt2.model, gpt2.prefixes(1)[0][:1] * tiny.CONTEXT)
    assert full.value.code == "context"
    with pytest.raises(EngineError) as none:
        engine.beam_search(gpt2.model, ())
    assert none.value.code == "empty"
    monkeypatch.setattr("os.sysconf", lambda name: 300)
    with pytest.raises(EngineError) as memory:
        engine.beam_search(gpt2.model, (1, 2), width=16)
    assert memory.value.code == "beam_memory"
    assert 1 <= memory.value.values["most"] < 16  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 0), ("width", 65), ("width", 2.5), ("max_new_tokens", 0), ("length_penalty", math.nan),
     ("early_stopping", "sometimes"), ("repetition_penalty", 0.0), ("no_repeat_ngram_size", -1)],
)  # fmt: skip
def test_settings_out_of_range(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as error:
        BeamSettings(**{name: value})  # type: ignore[arg-type]
    assert error.value.code == name


def test_the_window_ends_the_search(gpt2: Tiny) -> None:
    ids = gpt2.prefixes(1)[0][:1] * (tiny.CONTEXT - 2)
    search = engine.beam_search(gpt2.model, ids, width=2, max_new_tokens=30)
    assert (len(search.levels), search.stop) == (2, "context")


def test_all_beams_that_end_at_once(smallest: Model) -> None:
    model = Model(
        "ends", smallest.vocabulary, smallest.prefix_cache, smallest.context_length, frozenset(range(VOCABULARY))
    )
    search = engine.beam_search(model, (0,), width=3, max_new_tokens=5)
    assert search.stop in ("ended", "full", "bound")
    assert len(search.levels) == 1
    assert len(search.sequences) == 3
