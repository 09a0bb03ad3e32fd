"""Unembedding: the model's own final norm and LM head, applied to any hidden state.

Families name these modules differently and do more than a matrix product (Gemma 2 soft-caps the logits, Cohere scales
them), so nothing is reimplemented here. The model's own code runs, on a shallow copy that shares every weight and whose
layers are replaced by a module that returns the given states. The shared model is never modified, because many threads
use it. The modules are verified once per model, by a pass over two tokens. It is not verified that the states passed in
are hidden states of this model.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from engine.errors import EngineError
from engine.model.forward import Forward
from engine.model.module_copies import recording_into, with_replaced


def nearly_equal(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal up to rounding (atol = rtol = 1e-3); False if either contains NaN."""
    return torch.allclose(a, b, atol=1e-3, rtol=1e-3)


class _FixedStates(nn.Module):
    """Replacement for the layers of a model: returns the given states for any input."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self._states = states  # (B, T, d)

    def forward(self, *args: Any, **kwargs: Any) -> _Output:
        return _Output(self._states)


class _Output:
    """Minimal `ModelOutput` of `transformers` with `last_hidden_state` only; other attributes are None."""

    def __init__(self, states: Tensor) -> None:
        self.last_hidden_state = states

    def __getitem__(self, key: int | slice) -> Any:
        return (self.last_hidden_state,)[key]

    def __getattr__(self, name: str) -> None:
        return None


class Unembedding:
    """Final norm and LM head of one model. Thread-safe.

    blocks  dotted path of the list of layers
    """

    def __init__(self, forward: Forward) -> None:
        """Find and verify the modules. Raises EngineError(`lens`) where they cannot be identified."""
        self._model, self._pass_lock = forward.model, forward.lock
        for path, block, norm in _candidates(forward.model, forward.layers):
            self._path, self._norm, self.blocks = path, norm, block.rpartition(".")[0]
            try:
                if self._matches_model(block):
                    return
            except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
                continue  # the family's code does not work with the copy
        raise EngineError("lens", "the final norm and head of this model family were not found")

    @torch.inference_mode()
    def _matches_model(self, block: str) -> bool:
        """Whether norm and head, applied to the output of the last block, reproduce the model's states and logits."""
        before: list[Tensor] = []
        after: list[Tensor] = []
        recording = with_replaced(self._model, block, recording_into(before))
        recording = with_replaced(recording, self._path, recording_into(after))
        ids = torch.tensor([[0, 1]], device=self._model.device)
        with self._pass_lock:  # the copies share all other modules with the model
            logits = recording(input_ids=ids, use_cache=False).logits[0]
        return nearly_equal(self.normed(before[-1][0]), after[-1][0].cpu()) and nearly_equal(
            self.logits(after[-1][0]), logits.float().cpu()
        )

    @torch.inference_mode()
    def normed(self, states: Tensor) -> Tensor:
        """Final norm of states from any block, (n, d) -> (n, d) on the CPU. Unchanged for a model without one."""
        return self._norm(states[None].to(self._model.device))[0].cpu() if self._norm else states.cpu()

    @torch.inference_mode()
    def logits(self, states: Tensor, batch: bool = False) -> Tensor:
        """Logits, (n, d) -> (n, V) float32 on the CPU: LM head and further processing (soft-capping) of normed states.

        batch: whether the model is given n texts of one token, instead of one text of n tokens.
        """
        states = (states[:, None] if batch else states[None]).to(self._model.device)  # (B, T, d)
        head = with_replaced(self._model, self._path, lambda _: _FixedStates(states))
        ids = torch.zeros(states.shape[:2], dtype=torch.long, device=states.device)
        with self._pass_lock:
            return head(input_ids=ids, use_cache=False).logits.flatten(0, 1).float().cpu()


def _candidates(model: nn.Module, layers: int) -> Iterator[tuple[str, str, nn.Module | None]]:
    """Candidates for (path of the module with all blocks, path of its last block, final norm), most probable first.

    The norm is a sibling of the list of blocks; None for a family that normalizes within each block.
    """
    for name, module in model.named_modules():
        if not isinstance(module, nn.ModuleList) or len(module) != layers or "." not in name:
            continue
        path = name.rpartition(".")[0]
        siblings = [child for child in model.get_submodule(path).children() if "norm" in type(child).__name__.lower()]
        for norm in (*reversed(siblings), None):
            yield path, f"{name}.{layers - 1}", norm


_lock = threading.Lock()
_unembeddings: WeakKeyDictionary[Forward, Unembedding] = WeakKeyDictionary()


def unembedding_of(forward: Forward) -> Unembedding:
    """Unembedding of a model, created once per model. Raises EngineError(`lens`) where its modules are not found."""
    with _lock:
        if forward not in _unembeddings:
            _unembeddings[forward] = Unembedding(forward)
        return _unembeddings[forward]
