"""Beam search compared with that of `transformers` and with an exhaustive search."""

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
from tests.turns import ALL


def reference_search(
    reference: PreTrainedModel, end_ids: frozenset[int], ids: tuple[int, ...], s: BeamSettings
) -> list[tuple[tuple[int, ...], float]]:
    """(token ids, score) of each beam returned by `generate`, best first, without padding and empty beams."""
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
    if s.width == 1:  # greedy search returns no sequence score
        new = out.sequences[0, len(ids) :].tolist()
        steps = [float(torch.log_softmax(at[0].double(), -1)[i]) for at, i in zip(out.scores, new, strict=True)]
        scores = [sum(steps) / len(steps) ** s.length_penalty]
    else:
        scores = out.sequences_scores.tolist()
    beams = []
    for row, score in zip(out.sequences.tolist(), scores, strict=True):
        new = row[len(ids) :]
        end = next((i for i, token in enumerate(new) if token in end_ids), len(new) - 1)
        if score > -1e5:
            beams.append((tuple(row[: len(ids)] + new[: end + 1]), score))
    return beams


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


def ending(case: Tiny, ids: tuple[int, ...], how_soon: int) -> frozenset[int]:
    """End-of-text ids that searches from `ids` encounter; random weights would rarely end a text by themselves.

    They are the token that greedy search generates at step `how_soon`, and the third best token of its first step.
    """
    steps = list(engine.generate(case.model, ids, max_new_tokens=how_soon))
    return frozenset({steps[-1].token_id, int(steps[0].distribution.order[2])})


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=200 if ALL else 50)
def test_it_finds_what_generate_finds(data: st.DataObject, build: Any) -> None:
    case: Tiny = build(data.draw(st.sampled_from(["gpt2", "llama", "qwen2", "mistral", "gemma2"])))
    ids = data.draw(st.sampled_from(case.prefixes(12, longest=20, seed=5)))
    s = data.draw(beam_settings)
    ends = data.draw(st.sampled_from([frozenset(), ending(case, ids, 1), ending(case, ids, 3), ending(case, ids, 6)]))
    model = Model("tiny", case.model.vocabulary, case.model.prefix_cache, case.model.context_length, ends)
    check_same(model, case.reference, ids, s)


@pytest.fixture(scope="module")
def bundled() -> tuple[Model, PreTrainedModel]:
    return load(), AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32).eval()


PROMPTS = ["今天天氣真", "人工智慧是", "從前有一隻", "The weather today is", "ChatGPT", "我", "問：你好嗎？\n答："]


@pytest.mark.slow
@given(prompt=st.sampled_from(PROMPTS), s=beam_settings)
@settings(max_examples=60 if ALL else 15)
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
    """A model with six tokens, the last of which ends the text: small enough for exhaustive search."""
    tokenizer = Tokenizer(models.WordLevel({c: i for i, c in enumerate("abcde.")}, unk_token="a"))
    config = LlamaConfig(vocab_size=VOCABULARY, **tiny.SHAPE)
    return load(tiny.save(tmp_path_factory.mktemp("smallest"), tokenizer, config, end="."), from_hub=False)


def all_extensions(model: Model, texts: list[tuple[int, ...]], prompt: int) -> list[tuple[float, tuple[int, ...]]]:
    """(log-probability, text) of every one-token extension of every text, best first; each scored separately."""
    extensions = []
    for text in texts:
        for token in range(VOCABULARY):
            longer = (*text, token)
            extensions.append((sum(v for v in model.score(longer).log_probabilities[prompt:] if v is not None), longer))
    return sorted(extensions, reverse=True)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("prompt", [(0,), (3, 1), (2, 2, 4)])
def test_every_fate_is_that_of_a_plain_search(smallest: Model, prompt: tuple[int, ...], width: int) -> None:
    search = engine.beam_search(smallest, prompt, width=width, max_new_tokens=5, early_stopping="never")
    texts, best_finished = [prompt], []
    for number, level in enumerate(search.levels, 1):
        ranked = all_extensions(smallest, texts, len(prompt))
        candidates = ranked[: 2 * width]
        nodes = [search.nodes[i] for i in level.candidates]
        assert [search.token_ids(node.index) for node in nodes] == [text for _, text in candidates]
        assert [node.log_probability for node in nodes] == pytest.approx([p for p, _ in candidates], abs=1e-4)
        assert level.considered == len(ranked)
        last = number == 5
        ends = [text[-1] == VOCABULARY - 1 or last for _, text in candidates]
        finished = [text for (_, text), end, rank in zip(candidates, ends, itertools.count()) if end and rank < width]
        texts = [text for (_, text), end in zip(candidates, ends, strict=True) if not end][:width]
        statuses = {search.token_ids(node.index): node.status for node in nodes}
        assert statuses == {
            text: "finished" if text in finished else "kept" if text in texts else "pruned" for _, text in candidates
        }
        best_finished += [(p / number, text) for p, text in candidates if text in finished]
        best_finished = sorted(best_finished, reverse=True)[:width]
        assert [search.token_ids(i) for i in level.finished] == [text for _, text in best_finished]
    assert [h.token_ids for h in search.sequences] == [text for _, text in best_finished]


def test_with_a_width_of_everything_it_finds_the_best_text_there_is(smallest: Model) -> None:
    search = engine.beam_search(smallest, (0,), width=VOCABULARY, length_penalty=0.0, max_new_tokens=2)
    every = all_extensions(smallest, [(0,)], 1)
    longer = all_extensions(smallest, [text for _, text in every if text[-1] != VOCABULARY - 1], 1)
    complete = [e for e in every if e[1][-1] == VOCABULARY - 1] + longer
    assert search.sequences[0].token_ids == max(complete)[1]


def test_growing_computes_each_level_once_and_looking_back_nothing(gpt2: Tiny) -> None:
    model = gpt2.fresh()
    search = BeamSearch(model, gpt2.prefixes(1, longest=9)[0], BeamSettings(width=4, max_new_tokens=6))
    passes = model.prefix_cache.counters.passes
    for level in range(1, 7):
        assert search.grow()
        # The first level needs only the pass over the prompt.
        assert model.prefix_cache.counters.passes == passes + level - 1
    assert not search.grow()
    total = model.prefix_cache.counters.passes
    for node in search.nodes:
        if node.status == "kept":
            model.records(search.token_ids(node.index))
    assert model.prefix_cache.counters.passes == total


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
