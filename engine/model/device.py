"""Device that computes a model: a GPU or Apple's chip where there is one, if the model's numbers are the same there."""

from __future__ import annotations

from typing import Literal

import torch

from engine.model.forward import Forward
from engine.model.kv_cache import KVCache

Choice = Literal["auto", "cpu"]
CPU = torch.device("cpu")
_TRIAL = (0, 1, 0, 1)  # token ids; the last is a step from a KV cache
_TOLERANCE = 0.01  # of the largest logit, in float32; devices round differently
_TOLERANCE_BFLOAT16 = 0.1


def accelerator() -> torch.device | None:
    """The GPU or the like of this machine that the installed PyTorch can use; None without one."""
    return torch.accelerator.current_accelerator(check_available=True)


def move_to_accelerator(forward: Forward) -> torch.device:
    """Move a model from the CPU to the accelerator, if there is one. Returns where it is then.

    It stays on the CPU if it does not fit there, if an operation is missing there, or if its logits differ by more than
    rounding: in a pass over a few tokens, and in a step from the KV cache after it.
    """
    target = accelerator()
    if target is None:
        return CPU
    expected = _trial(forward)
    try:
        _move(forward, target)
        found = _trial(forward)
    except (RuntimeError, NotImplementedError, TypeError):  # too little memory is a RuntimeError
        found = torch.full_like(expected, torch.nan)
    tolerance = _TOLERANCE if forward.model.dtype == torch.float32 else _TOLERANCE_BFLOAT16
    if float((found - expected).abs().max()) <= tolerance * float(expected.abs().max()):
        return target
    _move(forward, CPU)
    return CPU


def _move(forward: Forward, target: torch.device) -> None:
    torch.nn.Module.to(forward.model, target)


def _trial(forward: Forward) -> torch.Tensor:
    """Logits of a pass over a text and of a step after it, (n, V)."""
    *text, last = _TRIAL
    cache = KVCache(forward.layers, forward.device) if forward.supports_kv_cache else None
    one_pass = forward.run(text, cache).logits
    step = forward.run([last] if cache else _TRIAL, cache).logits
    return torch.cat([one_pass, step[-1:]])
