"""Shallow copies of a model in which some modules are replaced or observed; they share every weight with the model.

The model itself is never modified, because many threads use it.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor, nn


def shallow_copy(module: nn.Module) -> nn.Module:
    """A copy that shares all weights and submodules, but has its own submodule dictionary and no forward hooks."""
    copied = copy.copy(module)
    copied._modules = dict(module._modules)
    copied._forward_hooks = OrderedDict()
    return copied


def with_replaced(root: nn.Module, path: str, replace: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """A shallow copy of `root` in which `replace` is applied to the submodule at a dotted path."""
    name, _, rest = path.partition(".")
    copied = shallow_copy(root)
    child = root.get_submodule(name)
    copied._modules[name] = with_replaced(child, rest, replace) if rest else replace(child)
    return copied


def recording_into(outputs: list[Tensor]) -> Callable[[nn.Module], nn.Module]:
    """A function that copies a module with a hook that appends the module's first output to `outputs`."""

    def replace(module: nn.Module) -> nn.Module:
        copied = shallow_copy(module)
        copied.register_forward_hook(lambda _, __, out: outputs.append(out if isinstance(out, Tensor) else out[0]))
        return copied

    return replace
