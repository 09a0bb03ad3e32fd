"""Training of a masked model: begins with the causal model's weights, hides a random share, resumes, is exported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from engine.bundled import BUNDLED
from engine.training import masked
from engine.training.__main__ import main
from engine.training.errors import TrainingError
from engine.training.masked import LEAST, MaskedRun, from_causal, hidden_shares, plan_after
from engine.training.plan import Plan, build
from engine.training.run import Hardware

PLAN = Plan(vocabulary=41, steps=4, hidden=16, layers=2, heads=2, feed_forward=32, context=32, rows=4, length=16)


def test_the_first_weights_are_those_of_the_causal_model() -> None:
    """With attention restricted to the left, the model computes what the causal one does."""
    causal = build(Plan(**{**PLAN.__dict__, "vocabulary": 40})).eval()
    model = from_causal(PLAN, causal).eval()
    ids = torch.arange(12)[None]
    left = torch.tril(torch.ones(12, 12, dtype=torch.bool))[None, None]
    with torch.no_grad():
        expected = causal(input_ids=ids).logits
        found = model(input_ids=ids, attention_mask=left).logits[..., :40]
        both = model(input_ids=ids).logits[..., :40]
    assert torch.allclose(found, expected, atol=1e-5) and not torch.allclose(both, expected, atol=1e-3)
    mean = causal.model.embed_tokens.weight.mean(0)
    assert torch.allclose(model.model.embed_tokens.weight[40], mean)


def test_another_architecture_or_size_is_refused() -> None:
    causal = build(PLAN)
    with pytest.raises(TrainingError):
        from_causal(PLAN, causal)  # it has as many tokens, none less
    causal.config.num_key_value_heads = 1
    with pytest.raises(TrainingError):
        plan_after(causal, {})


def test_hidden_tokens_are_a_random_share_and_the_only_targets() -> None:
    shares = hidden_shares(20_000, np.random.default_rng(1))
    assert shares.min() >= LEAST and shares.max() <= 1 and abs(shares.mean() - (LEAST + (1 - LEAST) / 2.5)) < 0.01
    run = MaskedRun(PLAN, Hardware(), masked.build(PLAN))
    batch = torch.randint(1, 40, (64, 17))
    inputs, targets = run.examples(batch)
    hidden = inputs == PLAN.vocabulary - 1
    assert (hidden.sum(1) > 0).all(), "at least one in each row"
    assert torch.equal(targets[hidden], batch[:, :-1][hidden]) and (targets[~hidden] == -100).all()
    assert torch.equal(inputs[~hidden], batch[:, :-1][~hidden])
    assert torch.equal(run.examples(batch)[0], inputs), "a pure function of seed and step"
    run.step = 1
    assert not torch.equal(run.examples(batch)[0], inputs)


def test_each_row_counts_the_same() -> None:
    run = MaskedRun(PLAN, Hardware(), masked.build(PLAN))
    inputs, targets = run.examples(torch.randint(1, 40, (3, 17)))
    rows = [float(run._eager_loss(inputs[n : n + 1], targets[n : n + 1])) for n in range(3)]
    assert float(run._eager_loss(inputs, targets)) == pytest.approx(sum(rows) / 3, rel=1e-5)


def test_the_command_trains_resumes_and_writes_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work, causal, target = tmp_path / "run", tmp_path / "causal", tmp_path / "masked"
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED)
    small = build(Plan(**{**PLAN.__dict__, "vocabulary": len(tokenizer)}))
    small.save_pretrained(causal)
    tokenizer.save_pretrained(causal)
    (work / "tokens").mkdir(parents=True)
    np.random.default_rng(1).integers(0, 200, 4_000).astype(np.uint16).tofile(work / "tokens" / "own-qa-zh.bin")
    sizes = {"own-qa-zh": {"tokens": 4_000, "characters": 4_000, "held_out": 0}}
    (work / "sources.json").write_text(json.dumps(sizes))
    command = ["masked", "--work", str(work), "--causal", str(causal), "--to", str(target), "--steps", "6"]
    command += ["--rows", "2", "--length", "8", "--no-compile", "--device", "cpu"]
    assert main([*command, "--minutes", "0"]) == 0 and not target.exists()
    assert main(command) == 0
    assert "step 6: " in capsys.readouterr().out
    model = AutoModelForMaskedLM.from_pretrained(target)
    again = AutoTokenizer.from_pretrained(target)
    assert again.mask_token_id == model.config.mask_token_id == len(tokenizer)
    assert again.encode("今天") == tokenizer.encode("今天")
    before = AutoModelForCausalLM.from_pretrained(causal).model.layers[0].mlp.up_proj.weight
    assert not torch.allclose(model.model.layers[0].mlp.up_proj.weight.float(), before.float(), atol=1e-4)
    assert main([*command[:-5], "--rows", "3", "--length", "8", "--no-compile", "--device", "cpu"]) == 2, "other sizes"
