"""Rotary encodings that depend on the whole text's length: LongRoPE, and dynamic NTK within its window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from engine.decoding.batch_generation import BatchGeneration
from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.decoding.strategies import BY_NAME
from engine.experiments.decoding_speed import DecodingSpeed
from engine.interpret import heads
from engine.interpret.attention_maps import attention_without_cache
from engine.interpret.attribution import gradient_input, neutral_token, occlusion
from engine.interpret.induction import induction_experiment
from engine.interpret.logit_lens import logit_lens
from engine.model.batch import TextBatch
from engine.model.loading import load
from engine.model.model import Model
from tests import tiny
from tests.engine.model.test_uncommon_models import IDS, all_bytes, ours
from tests.families.comparison import load_reference, reference_log_probabilities
from tests.tiny import SHAPE

SWITCH = 16
LENGTHS = (8, 15, 16, 17, 20, 40)
LAST = {"last": 6}  # tokens to occlude: the keys and values before them are reused


@pytest.fixture(scope="module")
def longrope(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rope = {
        "rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0] * 4, "long_factor": [4.0, 3.0, 2.0, 8.0],
        "original_max_position_embeddings": SWITCH,
    }  # fmt: skip
    config = transformers.Phi3Config(
        vocab_size=256, original_max_position_embeddings=SWITCH, rope_parameters=rope, **SHAPE
    )
    return tiny.save(tmp_path_factory.mktemp("longrope"), all_bytes(), config)


def test_longrope_token_by_token_past_its_original_window(longrope: Path) -> None:
    model, hf = load(longrope, from_hub=False), load_reference(longrope)
    for end in range(10, 30):
        torch.testing.assert_close(
            ours(model, IDS[:end]), reference_log_probabilities(hf, IDS[:end])[-1], atol=1e-4, rtol=0
        )


def test_longrope_short_texts_do_not_see_what_a_long_one_computed(longrope: Path) -> None:
    model, hf = load(longrope, from_hub=False), load_reference(longrope)
    model.records(IDS[:30])
    for end in (8, 12, 16, 17, 20, 30, 12, 40, 8):
        want = reference_log_probabilities(hf, IDS[:end])
        torch.testing.assert_close(ours(model, IDS[:end]), want[-1], atol=1e-4, rtol=0)
        score = model.score(IDS[:end]).log_probabilities
        assert score[5] == pytest.approx(float(want[4, IDS[5]]), abs=1e-4)


def test_longrope_beams_seeds_and_occlusion_cross_the_switch(longrope: Path) -> None:
    model, hf, ids = load(longrope, from_hub=False), load_reference(longrope), IDS[:14]
    search = BeamSearch(model, ids, BeamSettings(width=3, max_new_tokens=8))
    search.grow_to(8)
    for found in search.sequences:
        last = search.nodes[found.node]
        want = reference_log_probabilities(hf, found.token_ids[:-1])[-1][found.token_ids[-1]]
        assert last.step_log_probability == pytest.approx(float(want), abs=1e-4)
    generation = BatchGeneration(model, ids, BY_NAME["sample"], 0, (1, 2, 3), 8)
    while generation.step():
        pass
    for text in generation.texts:
        whole = (*ids, *text.token_ids)
        want = reference_log_probabilities(hf, whole[:-1])[-1][whole[-1]]
        assert text.log_probabilities[-1] == pytest.approx(float(want), abs=1e-4)
    result = occlusion(model, IDS[:20], 9)
    assert result.log_probability == pytest.approx(float(reference_log_probabilities(hf, IDS[:20])[-1][9]), abs=1e-4)


def test_longrope_threads_on_both_sides_of_the_switch(longrope: Path) -> None:
    model, hf = load(longrope, from_hub=False), load_reference(longrope)
    want = {end: reference_log_probabilities(hf, IDS[:end])[-1] for end in (12, 30)}
    wrong: list[int] = []

    def visitor(end: int, first: int) -> None:
        for i in range(20):
            ids = (first + i, *IDS[1:end])  # another text each time, so that it is computed
            if not torch.allclose(ours(model, ids), reference_log_probabilities(other[end], ids)[-1], atol=1e-4):
                wrong.append(end)

    other = {end: load_reference(longrope) for end in want}
    threads = [threading.Thread(target=visitor, args=(end, end)) for end in want]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def masked_reference(hf: transformers.PreTrainedModel, ids: tuple[int, ...], at: int) -> torch.Tensor:
    """Log-probabilities after a text in which no position attends to position `at`."""
    mask = torch.ones((1, len(ids)), dtype=torch.long)
    mask[0, at] = 0
    with torch.inference_mode():
        out = hf(input_ids=torch.tensor([ids]), attention_mask=mask, position_ids=torch.arange(len(ids))[None])
    return torch.log_softmax(out.logits[0, -1].float(), -1)


@pytest.mark.parametrize("length", LENGTHS)
def test_longrope_occlusion_is_the_references_own(longrope: Path, length: int) -> None:
    model, hf, ids = load(longrope, from_hub=False), load_reference(longrope), IDS[:length]
    result, neutral = occlusion(model, ids, 9, **LAST), neutral_token(model)
    assert result.masked_log_probabilities is not None
    for i, at in enumerate(range(result.first, length)):
        replaced = reference_log_probabilities(hf, (*ids[:at], neutral, *ids[at + 1 :]))[-1][9]
        assert result.replaced_log_probabilities[i] == pytest.approx(float(replaced), abs=1e-4)
        masked = masked_reference(hf, ids, at)[9]
        assert result.masked_log_probabilities[i] == pytest.approx(float(masked), abs=1e-4)


@pytest.mark.parametrize("length", LENGTHS)
def test_longrope_lens_attention_and_gradient_are_the_references_own(longrope: Path, length: int) -> None:
    model, hf, ids = load(longrope, from_hub=False), load_reference(longrope), IDS[:length]
    model.records(IDS[:30])
    with torch.enable_grad():
        embedded = hf.get_input_embeddings()(torch.tensor([ids])).detach().requires_grad_()
        out = hf(inputs_embeds=embedded, output_hidden_states=True, output_attentions=True, use_cache=False)
        torch.log_softmax(out.logits[0, -1], -1)[9].backward()
    assert embedded.grad is not None
    np.testing.assert_allclose(gradient_input(model, ids, 9), (embedded.grad * embedded).sum(-1)[0].detach(), atol=1e-4)
    attention = torch.cat(out.attentions).detach().numpy()
    np.testing.assert_allclose(model.attention(ids), attention, atol=2e-3)  # kept in half precision
    np.testing.assert_allclose(attention_without_cache(model, ids), attention, atol=1e-5)
    with torch.inference_mode():
        middle = hf.lm_head(hf.model.norm(out.hidden_states[2][0, -1]))
    np.testing.assert_allclose(logit_lens(model, ids).logits(2, length - 1), middle, atol=1e-2)


@pytest.mark.parametrize("prompt", [4, 20])
def test_longrope_speed_of_decoding_measures_the_same_text_in_all_ways(longrope: Path, prompt: int) -> None:
    model, hf = load(longrope, from_hub=False), load_reference(longrope)
    speed = DecodingSpeed(model, IDS[:prompt], (8, 16, 24, 40), rounds=2)
    last_logits: list[torch.Tensor] = []
    handle = model.prefix_cache.forward.model.register_forward_hook(lambda _, __, out: last_logits.append(out.logits))
    while speed.step():
        pass
    handle.remove()
    ids = list(IDS[:prompt])
    while len(ids) < 40:
        ids.append(int(reference_log_probabilities(hf, tuple(ids))[-1].argmax()))
    assert speed.ids == ids
    assert speed.difference is not None and speed.difference < 1e-4
    want = {end: reference_log_probabilities(hf, tuple(ids[:end]))[-1] for end in range(1, 41)}
    extra = 1  # the pass over the prompt that computes `difference`; one more warms up
    cached = [torch.log_softmax(logits[0, -1].float(), -1) for logits in last_logits[1 : 41 + extra]]
    del cached[prompt]
    for end, found in enumerate(cached, 1):
        torch.testing.assert_close(found, want[end], atol=1e-4, rtol=0, msg=f"after {end} tokens")


def test_longrope_batches_of_different_lengths_cross_the_switch(longrope: Path) -> None:
    model, hf = load(longrope, from_hub=False), load_reference(longrope)
    batches = [TextBatch(model.prefix_cache, [IDS[:n], (9, *IDS[1:n])]) for n in (14, 16, 17, 25)]
    for token_id in (3, 4, 5, 6):
        for batch in batches:
            batch.append([1, 0], [token_id, token_id])
            for text, output in zip(batch.texts, batch.outputs, strict=True):
                found = torch.log_softmax(torch.from_numpy(output.logits), -1)
                torch.testing.assert_close(found, reference_log_probabilities(hf, text)[-1], atol=1e-4, rtol=0)


def _speed(model: Model) -> None:
    speed = DecodingSpeed(model, IDS[:4], (4, 8), rounds=1)
    while speed.step():
        pass


PASSES: dict[str, Callable[[Model], object]] = {
    "records": lambda model: model.records(IDS[:20]),
    "batch": lambda model: TextBatch(model.prefix_cache, [IDS[:5]]).append([0], [7]),
    "occlusion": lambda model: occlusion(model, IDS[:20], 9),
    "gradient": lambda model: gradient_input(model, IDS[:20], 9),
    "lens": lambda model: logit_lens(model, IDS[:20]),
    "heads": heads.describe,
    "induction": lambda model: induction_experiment(model, 3),
    "speed": _speed,
}


@pytest.mark.parametrize("name", PASSES)
def test_no_pass_of_a_longrope_model_overlaps_another(longrope: Path, name: str) -> None:
    """The factors are in the module: whatever computes an encoding holds the lock."""
    model = load(longrope, from_hub=False)
    forward = model.prefix_cache.forward
    assert isinstance(forward.lock, type(threading.Lock()))
    held: list[bool] = []
    rotary = forward.model.model.rotary_emb
    rotary.register_forward_hook(lambda *_: held.append(forward.lock.locked()))
    PASSES[name](model)
    assert held and all(held)


def test_longrope_occlusion_in_threads_on_both_sides_of_the_switch(longrope: Path) -> None:
    model = load(longrope, from_hub=False)
    want = {end: occlusion(model, IDS[:end], 9).replaced_log_probabilities for end in (12, 30)}
    wrong: list[int] = []

    def visitor(end: int) -> None:
        for _ in range(15):
            if not np.allclose(occlusion(model, IDS[:end], 9).replaced_log_probabilities, want[end], atol=1e-4):
                wrong.append(end)

    threads = [threading.Thread(target=visitor, args=(end,)) for end in want]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_dynamic_scaling_within_its_window_is_the_references_own(tmp_path: Path) -> None:
    """Its frequencies change beyond `max_position_embeddings` only, which no text here exceeds."""
    rope = {"rope_type": "dynamic", "rope_theta": 10_000.0, "factor": 4.0}
    config = transformers.LlamaConfig(vocab_size=256, rope_parameters=rope, **SHAPE)
    model = load(tiny.save(tmp_path, all_bytes(), config), from_hub=False)
    assert model.context_length == SHAPE["max_position_embeddings"]
    whole = tuple(range(20, 20 + model.context_length))
    for end in (3, len(whole), len(whole) - 1, 5):
        want = reference_log_probabilities(load_reference(tmp_path), whole[:end])[-1]
        torch.testing.assert_close(ours(model, whole[:end]), want, atol=1e-4, rtol=0)
        assert occlusion(model, whole[:end], 9).log_probability == pytest.approx(float(want[9]), abs=1e-4)
