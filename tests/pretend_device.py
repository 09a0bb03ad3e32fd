"""A pretended accelerator: a device whose tensors the CPU computes, and which may not meet tensors of the CPU.

It shows that a program puts every tensor where it belongs; it shows nothing about the arithmetic of a real device. Made
with PyTorch's Python backends. `torch.accelerator` does not find it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils import backend_registration

_aten = torch.ops.aten
_CPU = torch.device("cpu")


class _Module(backend_registration._DummyBackendModule):
    """`torch.pretend`, with what `torch.random.fork_rng` asks of the module of a device."""

    def get_rng_state(self, device: object = None) -> Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: Tensor, device: object = None) -> None:
        """Random numbers come from the CPU."""


class _Pretended(Tensor):
    """Tensor on the device; `raw` has its values, on the CPU."""

    raw: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, raw: Tensor) -> _Pretended:
        made: _Pretended = Tensor._make_wrapper_subclass(
            cls, raw.size(), strides=raw.stride(), storage_offset=raw.storage_offset(), dtype=raw.dtype,
            device=torch.device("pretend:0"),
        )  # fmt: skip
        made.raw = raw
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, function: Callable[..., Any], types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        parts = function.decompose(*args, **(kwargs or {}))  # type: ignore[attr-defined]
        return parts if parts is not NotImplemented else _compute(function, *args, **(kwargs or {}))


def _raw(value: Any) -> Any:
    return value.raw if isinstance(value, _Pretended) else value


def _compute(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Result of an operation of PyTorch, on the CPU; a RuntimeError if one of its tensors is on another device."""
    if function is _aten.copy_.default:
        function(*map(_raw, args), **kwargs)
        return args[0]
    if function is _aten._to_copy.default:
        target = kwargs.get("device") or args[0].device
        copied = function(_raw(args[0]), **{**kwargs, "device": _CPU})
        return copied if torch.device(target).type == "cpu" else _Pretended(copied)
    tensors = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    ours = {id(tensor.raw): tensor for tensor in tensors if isinstance(tensor, _Pretended)}
    if ours and any(tensor.dim() and not isinstance(tensor, _Pretended) for tensor in tensors):
        raise RuntimeError(f"{function} of tensors on two devices")
    if "device" in kwargs:
        kwargs["device"] = _CPU
    raw_args, raw_kwargs = pytree.tree_map_only(_Pretended, _raw, (args, kwargs))
    result = function(*raw_args, **raw_kwargs)

    def wrapped(tensor: Tensor) -> Tensor:
        return ours[id(tensor)] if id(tensor) in ours else _Pretended(tensor)

    return pytree.tree_map_only(Tensor, wrapped, result)


_library = torch.library.Library("_", "IMPL", "PrivateUse1")


@cache
def _register() -> torch.device:
    backend_registration._setup_privateuseone_for_python_backend("pretend", backend_module=_Module())
    _library.fallback(_compute)
    return torch.device("pretend:0")


def device(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """The device. During the test `torch.tensor` can create tensors on it, as Python backends cannot by themselves."""
    registered, tensor = _register(), torch.tensor

    def created(*args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        return tensor(*args, **kwargs) if device is None else tensor(*args, **kwargs).to(device)

    monkeypatch.setattr(torch, "tensor", created)
    return registered
