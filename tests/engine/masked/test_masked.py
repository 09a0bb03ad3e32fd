"""The bundled masked model: probabilities held to the library's own forward, gaps, writing in parallel."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

import engine
from engine.bundled import BUNDLED, MASKED
from engine.errors import EngineError, ModelError, PromptError
from engine.masked import gaps
from engine.masked.masked_model import MaskedModel, bundled_masked, load_masked
from engine.masked.parallel_writing import MOST_PLACES, ParallelWriting
from engine.model.model import Model

SENTENCE = "今天天氣真＿，你要多穿一點。"


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return bundled_masked()


@pytest.fixture(scope="module")
def causal() -> Model:
    return engine.load()


def run(
    model: MaskedModel, passes: int, strategy: str = "sample", seed: int = 1, remask: bool = False
) -> ParallelWriting:
    work = ParallelWriting(model, model.encode("今天天氣真"), 16, passes, strategy, seed, remask)  # type: ignore[arg-type]
    while work.step():
        pass
    return work


def test_the_files_are_a_model_of_the_library_with_the_tokens_of_the_bundled_one(
    model: MaskedModel, causal: Model
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MASKED)
    assert tokenizer.mask_token_id == model.mask == causal.vocabulary.size
    for text in ("今天天氣真好。", "The weather today is nice.", "1+1=2", "😀"):
        assert model.encode(text) == causal.encode(text) == tuple(tokenizer.encode(text))
    assert sum(path.stat().st_size for path in MASKED.iterdir()) < 24e6


def test_probabilities_are_the_librarys(model: MaskedModel) -> None:
    hf = AutoModelForMaskedLM.from_pretrained(MASKED, dtype=torch.float32).eval()
    ids = gaps.read(model, "The cat_ on the_ mat, and 今天＿氣真好。").ids
    places = [at for at, token in enumerate(ids) if token == model.mask]
    with torch.no_grad():
        logits = hf(input_ids=torch.tensor([ids])).logits[0, places].double().clone()
    logits[:, model.mask] = -math.inf
    expected = torch.log_softmax(logits, -1).numpy()
    found = model.log_probabilities(ids, places)
    likely = np.exp(expected) > 1e-9
    assert np.abs(found - expected)[likely].max() < 1e-4
    assert np.isneginf(found[:, model.mask]).all() and np.allclose(np.exp(found).sum(1), 1)


def test_attention_is_the_librarys_and_goes_to_both_sides(model: MaskedModel) -> None:
    ids = model.encode("今天天氣真冷，你要多穿一點。")
    hf = AutoModelForMaskedLM.from_pretrained(MASKED, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.inference_mode():
        expected = torch.stack(hf(input_ids=torch.tensor([ids]), output_attentions=True).attentions)[:, 0].numpy()
    found = model.attention(ids)
    assert found.shape == (6, 6, len(ids), len(ids)) and np.abs(found - expected).max() < 1e-5
    assert np.triu(found, 1).sum(-1).mean() > 0.1, "tokens attend to later ones"


def test_later_words_change_what_fills_a_gap_from_both_sides_alone(model: MaskedModel, causal: Model) -> None:
    found = []
    for rest in ("，你要多穿一點。", "，我們去公園玩吧。"):
        text = gaps.read(model, f"今天天氣真＿{rest}")
        result = gaps.fill_in(model, causal, text, text.gaps[0])
        both = gaps.both_sides(model, text, text.gaps[0])
        left = causal.distribution(text.ids[: text.gaps[0]]).raw
        for candidate in result.candidates:
            assert candidate.both == both[candidate.token_id] and candidate.left == left[candidate.token_id]
        assert result.candidates[0].token_id == int(both.argmax())
        assert int(left.argmax()) in [candidate.token_id for candidate in result.candidates]
        assert result.entropy_left is not None and result.entropy_left > 0
        found.append(result)
    one, other = found
    assert one.entropy_left == other.entropy_left and one.entropy_both != other.entropy_both
    cold = next(c for c in one.candidates if model.text((c.token_id,)) == "冷")
    warm = next(c for c in other.candidates if c.token_id == cold.token_id)
    assert cold.both > warm.both and cold.left == warm.left


def test_gaps_are_filled_and_hidden_again(model: MaskedModel, causal: Model) -> None:
    text = gaps.read(model, "天＿就＿傘。")
    first, second = text.gaps
    assert gaps.left_alone(causal, text, first, model.mask) is not None
    assert gaps.left_alone(causal, text, second, model.mask) is None, "another gap on its left is open"
    [token] = model.encode("雨")
    filled = text.fill(first, token)
    assert filled.filled == {first: token} and gaps.left_alone(causal, filled, second, model.mask) is not None
    assert not np.allclose(gaps.both_sides(model, text, second), gaps.both_sides(model, filled, second))
    assert np.allclose(gaps.both_sides(model, text, first), gaps.both_sides(model, filled, first)), (
        "it is hidden for that"
    )
    assert filled.open(first, model.mask) == text
    with pytest.raises(EngineError):
        text.fill(0, token)


@pytest.mark.parametrize("sentence", ["no gap", "", "_" * (gaps.MOST_GAPS + 1)])
def test_a_text_without_gaps_or_with_too_many_is_refused(model: MaskedModel, sentence: str) -> None:
    with pytest.raises(EngineError) as refused:
        gaps.read(model, sentence)
    assert refused.value.code == "gaps" and refused.value.values == {"most": gaps.MOST_GAPS}


def test_a_text_that_is_too_long_is_refused(model: MaskedModel) -> None:
    with pytest.raises(PromptError) as refused:
        gaps.read(model, "天 " * model.context_length + "_")
    assert refused.value.code == "context"
    with pytest.raises(PromptError):
        model.encode("\ud800")


@pytest.mark.parametrize("passes", [16, 8, 5, 4, 1])
@pytest.mark.parametrize("strategy", ["sample", "greedy"])
def test_each_pass_uncovers_the_surest(model: MaskedModel, passes: int, strategy: str) -> None:
    """Against the model's own probabilities of the state before the pass."""
    work = run(model, passes, strategy)
    assert len(work.passes) == passes and len(work.token_ids) == 16
    prompt = model.encode("今天天氣真")
    before: tuple[int | None, ...] = (None,) * 16
    for number, each in enumerate(work.passes, 1):
        assert sum(token is not None for token in each.tokens) == round(16 * number / passes)
        hidden = [at for at, token in enumerate(before) if token is None]
        ids = (*prompt, *(model.mask if token is None else token for token in before))
        values = model.log_probabilities(ids, [len(prompt) + at for at in hidden])
        assert all(each.tokens[at] == token for at, token in enumerate(before) if token is not None)
        if strategy == "greedy":
            surest = dict(zip(hidden, values.max(1), strict=True))
            kept = [surest[at] for at in each.uncovered]
            assert all(each.tokens[at] == int(values[hidden.index(at)].argmax()) for at in each.uncovered)
            assert min(kept) >= max([surest[at] for at in hidden if at not in each.uncovered], default=-math.inf)
        before = each.tokens


def test_a_seed_writes_the_same_again_and_another_seed_another_text(model: MaskedModel) -> None:
    assert run(model, 4).passes == run(model, 4).passes
    assert len({run(model, 4, seed=seed).token_ids for seed in range(5)}) > 1
    assert run(model, 4, "greedy", 1).token_ids == run(model, 4, "greedy", 2).token_ids


def test_hidden_again_is_the_least_sure_and_every_place_is_written_in_the_end(model: MaskedModel) -> None:
    work = run(model, 8, remask=True)
    assert len(work.token_ids) == 16 and [bool(each.hidden) for each in work.passes] == [False, *[True] * 6, False]
    for each, following in zip(work.passes, work.passes[1:], strict=False):
        for place in each.hidden:
            assert place not in each.uncovered
            assert following.tokens[place] is None or place in following.uncovered


def test_impossible_plans_are_refused(model: MaskedModel) -> None:
    for places, passes in ((MOST_PLACES + 1, 1), (4, 5), (4, 0)):
        with pytest.raises(EngineError) as refused:
            ParallelWriting(model, (1,), places, passes, "greedy", 1)
        assert refused.value.code == "places"


def test_files_that_are_no_masked_model_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, BUNDLED):
        with pytest.raises(ModelError) as refused:
            load_masked(folder)
        assert refused.value.code == "broken"
