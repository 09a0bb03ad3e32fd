"""Masked language model: a random share of the tokens is hidden, and predicted from both sides.

The model is an `EuroBertForMaskedLM` (Boizard et al. 2025): the layers of Llama with attention in both directions. So a
causal model of the same sizes gives the first weights, as in LLM2Vec (BehnamGhader et al. 2024), and what it has
learned need not be learned again. One more token, `<mask>`, stands for a hidden one.

The share of hidden tokens differs from row to row, from LEAST to all of them, as in masked diffusion (LLaDA, Nie et al.
2025): one model then fills a single gap and writes a whole text. Low shares are more frequent than high ones. Each row
counts the same, however many of its tokens are hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import EuroBertConfig, EuroBertForMaskedLM, PreTrainedModel

from engine.training.errors import TrainingError
from engine.training.plan import Plan
from engine.training.run import Hardware, Run

MASK = "<mask>"
LEAST = 0.1  # share of hidden tokens in a row, at least
_SKEW = 1.5  # LEAST + (1 - LEAST) u^_SKEW for u uniform in [0, 1): 46 % on average
PLAN: dict[str, Any] = {
    "rows": 16, "length": 192, "matrix_rate": 0.012, "other_rate": 0.002, "warm_up": 50, "falling": 0.4,
}  # fmt: skip
_IGNORED = -100  # target of a token that is not hidden


def build(plan: Plan) -> EuroBertForMaskedLM:
    """Randomly initialised model, determined by `plan.seed`. The last id of its vocabulary is that of `<mask>`."""
    torch.manual_seed(plan.seed)
    config = EuroBertConfig(  # type: ignore[call-arg]
        vocab_size=plan.vocabulary,
        hidden_size=plan.hidden,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        intermediate_size=plan.feed_forward,
        max_position_embeddings=plan.context,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=None,
        mask_token_id=plan.vocabulary - 1,
        attn_implementation="sdpa",
    )
    return EuroBertForMaskedLM(config)


@torch.no_grad()
def from_causal(plan: Plan, causal: PreTrainedModel) -> EuroBertForMaskedLM:
    """Model with the weights of a causal one, which has one token less; `<mask>` begins as the mean of all tokens.

    Raises TrainingError for a causal model of other sizes.
    """
    model = build(plan)
    given = dict(causal.named_parameters())
    for name, parameter in model.named_parameters():
        source: Tensor | None = given.get(name)
        if source is not None and name == "model.embed_tokens.weight":
            source = torch.cat([source, source.mean(0, keepdim=True)])
        if source is None or source.shape != parameter.shape:
            raise TrainingError(f"The causal model has no {name} of the shape {tuple(parameter.shape)}.")
        parameter.copy_(source)
    return model


def plan_after(causal: PreTrainedModel, given: Mapping[str, Any]) -> Plan:
    """Plan of a run that begins with a causal Llama model; `given`: fields that replace those of PLAN.

    Rates are lower and batches smaller than in a training from nothing. Raises TrainingError for another architecture.
    """
    config = causal.config
    if config.model_type != "llama" or config.num_key_value_heads != config.num_attention_heads:
        raise TrainingError("A masked model can begin with a Llama model without grouped queries only.")
    sizes = {
        "vocabulary": config.vocab_size + 1,
        "hidden": config.hidden_size,
        "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads,
        "feed_forward": config.intermediate_size,
        "context": config.max_position_embeddings,
    }
    return Plan(**(sizes | PLAN | dict(given)))


def hidden_shares(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Random share of hidden tokens of each row, (rows,), from LEAST to 1."""
    shares: np.ndarray = LEAST + (1 - LEAST) * rng.random(rows) ** _SKEW
    return shares


class MaskedRun(Run):
    """Training state of a masked language model."""

    def __init__(self, plan: Plan, hardware: Hardware, model: EuroBertForMaskedLM) -> None:
        super().__init__(plan, hardware, model)

    def examples(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Ids with hidden tokens, and the hidden tokens, _IGNORED elsewhere; a pure function of seed and step."""
        ids = batch[:, :-1]
        rng = np.random.default_rng((self.plan.seed, self.step, 1))
        noise = rng.random(tuple(ids.shape))
        noise[np.arange(len(ids)), rng.integers(0, ids.shape[1], len(ids))] = -1.0  # one token of each row at least
        hidden = torch.from_numpy(noise < hidden_shares(len(ids), rng)[:, None]).to(ids.device)  # (B, T)
        return ids.masked_fill(hidden, self.plan.vocabulary - 1), ids.masked_fill(~hidden, _IGNORED)

    def _eager_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the hidden tokens in nats, averaged in each row, then over the rows; both (B, T)."""
        with torch.autocast(self.hardware.device, torch.bfloat16, enabled=self.hardware.bfloat16):
            logits = self.model(input_ids=inputs).logits  # (B, T, V)
            losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none", ignore_index=_IGNORED)
            hidden = targets != _IGNORED
            return (losses.view_as(targets).sum(1) / hidden.sum(1)).mean()
