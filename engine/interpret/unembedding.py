"""How a model ends: the final norm and the head that make a token's last state into logits.

Families name these parts differently and do more to the logits than multiply (Gemma 2 caps them softly, Cohere scales
them), so nothing is rebuilt here. The model's own code runs, on a copy that shares every weight and has the states
that we hand over in the place of its layers. The shared model itself is not touched: many threads use it. What was
found is checked once a model, by a pass over two tokens; it does not know what states it is given.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from engine.errors import EngineError
from engine.model.forward import Forward


def nearly_equal(one: Tensor, two: Tensor) -> bool:
    """Whether two tensors are the same but for rounding; false where one is not finite."""
    return torch.allclose(one, two, atol=1e-3, rtol=1e-3)


class _Handed(nn.Module):
    """Stands where the layers stand in a model, and gives back the states that it was made with."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self._states = states  # (1, n, d)

    def forward(self, *args: Any, **kwargs: Any) -> _Output:
        return _Output(self._states)


class _Output:
    """As a `ModelOutput` of `transformers` that has its first value alone."""

    def __init__(self, states: Tensor) -> None:
        self.last_hidden_state = states

    def __getitem__(self, key: int | slice) -> Any:
        return (self.last_hidden_state,)[key]

    def __getattr__(self, name: str) -> None:
        return None


def _twin(module: nn.Module) -> nn.Module:
    """A copy that shares all weights and parts, and whose parts and hooks can be exchanged."""
    twin = copy.copy(module)
    twin._modules = dict(module._modules)
    twin._forward_hooks = OrderedDict()
    return twin


def _exchanged(root: nn.Module, path: str, part: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """A copy of `root` in which the module at a dotted path is what `part` makes of it."""
    name, _, rest = path.partition(".")
    twin = _twin(root)
    child = root.get_submodule(name)
    twin._modules[name] = _exchanged(child, rest, part) if rest else part(child)
    return twin


def _watched(seen: list[Tensor]) -> Callable[[nn.Module], nn.Module]:
    """Makes a copy of a module that writes down the first value that it returns."""

    def part(module: nn.Module) -> nn.Module:
        twin = _twin(module)
        twin.register_forward_hook(lambda _, __, out: seen.append(out if isinstance(out, Tensor) else out[0]))
        return twin

    return part


class Unembedding:
    """The end of one model. Safe for many threads."""

    def __init__(self, forward: Forward) -> None:
        """Finds the parts and checks them. Raises EngineError(`lens`) where they cannot be told."""
        self._model = forward.model
        for path, block, norm in _candidates(forward.model, forward.layers):
            self._path, self._norm = path, norm
            try:
                if self._holds(block):
                    return
            except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
                continue  # a family whose code does not take the copy
        raise EngineError("lens", "this family does not show its final norm and head")

    @torch.inference_mode()
    def _holds(self, block: str) -> bool:
        """Whether norm and head, given what the last block returns, give what the model gives."""
        before: list[Tensor] = []
        after: list[Tensor] = []
        watched = _exchanged(self._model, block, _watched(before))
        watched = _exchanged(watched, self._path, _watched(after))
        logits = watched(input_ids=torch.tensor([[0, 1]], device=self._model.device), use_cache=False).logits[0]
        return nearly_equal(self.normed(before[-1][0]), after[-1][0]) and nearly_equal(
            self.logits(after[-1][0]), logits.float()
        )

    @torch.inference_mode()
    def normed(self, states: Tensor) -> Tensor:
        """The model's final norm of states that left a block, (n, d) to (n, d). As they are where it has none."""
        return self._norm(states[None])[0] if self._norm else states

    @torch.inference_mode()
    def logits(self, states: Tensor) -> Tensor:
        """(n, V) float32 of states (n, d) after the final norm: the head, and all else that is done to logits."""
        ended = _exchanged(self._model, self._path, lambda _: _Handed(states[None]))
        ids = torch.zeros((1, len(states)), dtype=torch.long, device=states.device)
        return ended(input_ids=ids, use_cache=False).logits[0].float()


def _candidates(model: nn.Module, layers: int) -> Iterator[tuple[str, str, nn.Module | None]]:
    """What could be (the module that holds all blocks, its last block, the final norm), the likeliest first.

    The norm stands beside the list of the blocks; a family that normalises within each block has none.
    """
    for name, module in model.named_modules():
        if not isinstance(module, nn.ModuleList) or len(module) != layers or "." not in name:
            continue
        path = name.rpartition(".")[0]
        beside = [child for child in model.get_submodule(path).children() if "norm" in type(child).__name__.lower()]
        for norm in (*reversed(beside), None):
            yield path, f"{name}.{layers - 1}", norm


_lock = threading.Lock()
_known: WeakKeyDictionary[Forward, Unembedding] = WeakKeyDictionary()


def unembedding_of(forward: Forward) -> Unembedding:
    """The end of a model, found once. Raises EngineError(`lens`) where it cannot be."""
    with _lock:
        if forward not in _known:
            _known[forward] = Unembedding(forward)
        return _known[forward]
