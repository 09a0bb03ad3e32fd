"""Recording of the parts of every layer in one forward pass: outputs of embeddings, attention, norms, MLP and layers.

The modules are found by their names and types in a copy of the model with hooks, made once per model. Nothing is
verified here: see `activations.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from engine import usage
from engine.errors import EngineError
from engine.model.forward import Forward, attention_observer
from engine.model.kv_cache import BatchKVCache
from engine.model.module_copies import shallow_copy, with_replaced
from engine.model.token_output import TokenOutput
from engine.model.unembedding import unembedding_of

_MIXERS = ("attn", "attention", "mixer")  # in the name or type of the part of a layer that mixes tokens
_MLPS = ("mlp", "ffn", "feed_forward", "feedforward", "moe", "fc2")
_NORMS = ("norm", "ln_")


@dataclass
class RecordedLayer:
    """Parts of one layer as its pass computed them, at the last token."""

    mixer: Any = None  # output of the part that mixes tokens, as the module returned it
    mlp: Any = None
    mixed: Tensor | None = None  # (d,) what they add: the output of a norm that takes theirs, where there is one
    added: Tensor | None = None
    neurons: Tensor | None = None  # (F,)
    matrix: Tensor | None = None  # (d,) output of the matrix that takes the neurons
    scores: Tensor | None = None  # (H, T)
    weights: Tensor | None = None  # (H, T)
    output: Tensor = field(default_factory=lambda: torch.empty(0))


@dataclass
class Recorder:
    """What one pass has reported."""

    embeddings: list[tuple[nn.Module, Tensor]] = field(default_factory=list)  # with the last vector of each
    layers: list[RecordedLayer] = field(default_factory=list)
    first: Tensor | None = None  # (d,) input of the first layer
    open: RecordedLayer | None = None  # the layer whose pass is going on

    def attention(self, query: Tensor, key: Tensor, scaling: float, weights: Tensor) -> None:
        """As `attention_observer`."""
        if self.open is not None:
            last = query[0, :, -1]  # (H, dim)
            keys = key[0].repeat_interleave(len(last) // key.shape[1], dim=0)  # (H, T, dim)
            self.open.scores = (keys @ last[:, :, None])[..., 0].float().cpu() * scaling  # (H, T)
            self.open.weights = weights[0, :, -1].float().cpu()  # (H, T)


_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)
_lock = threading.Lock()
_observed: WeakKeyDictionary[Forward, nn.Module] = WeakKeyDictionary()


@torch.inference_mode()
def record(forward: Forward, ids: Sequence[int], outputs: Sequence[TokenOutput]) -> Recorder:
    """Parts of every layer in a pass over the last token, or over the whole text without a KV cache.

    Raises EngineError: `lens` where the layers are not found or the family's code does not work with the hooks,
    `limit_steps` as `Forward.run`.
    """
    with _lock:
        if forward not in _observed:
            _observed[forward] = _with_hooks(forward)
        copied = _observed[forward]
    before = [output.key_values for output in outputs[:-1] if output.key_values is not None]
    arguments: dict[str, Any] = {"use_cache": False}
    given = list(ids)
    if before and len(before) == len(ids) - 1 and forward.supports_kv_cache:
        cache = BatchKVCache(forward.layers, forward.device)
        cache.fill(torch.stack(before)[None], forward.kv_shapes)
        arguments, given = {"past_key_values": cache.cache, "use_cache": True}, given[-1:]
    usage.before_pass(len(given))
    recorder = Recorder()
    observing, recording = attention_observer.set(recorder.attention), _recorder.set(recorder)
    try:
        with forward.lock:
            copied(input_ids=torch.tensor([given], device=forward.model.device), **arguments)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise EngineError("lens", f"the layers of this model family cannot be observed: {error}") from error
    finally:
        attention_observer.reset(observing)
        _recorder.reset(recording)
    return recorder


def _with_hooks(forward: Forward) -> nn.Module:
    """Copy of a model whose passes report to `_recorder`. Raises EngineError(`lens`) where its layers are not found."""
    root: nn.Module = forward.model
    path = unembedding_of(forward).blocks
    names = [name for name, module in root.named_modules() if isinstance(module, nn.Embedding)]
    for name in names:
        root = with_replaced(root, name, _hooked(_on_embedding(forward.model.get_submodule(name))))
    for index in range(forward.layers):
        block_path = f"{path}.{index}"
        for part, hook in _hooks(root.get_submodule(block_path)):
            root = with_replaced(root, f"{block_path}.{part}", _hooked(hook))
        root = with_replaced(root, block_path, _hooked(_end_layer, _begin_layer))
    return root


Hook = Callable[[Recorder, tuple[Any, ...], Any], None]  # (recorder, positional arguments of the module, its output)


def _hooked(after: Hook, before: Callable[[Recorder, Any], None] | None = None) -> Callable[[nn.Module], nn.Module]:
    """A function that copies a module with these hooks, which do nothing outside `record`."""

    def call_after(_: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        if (recorder := _recorder.get()) is not None:
            after(recorder, arguments, output)

    def call_before(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if (recorder := _recorder.get()) is not None and before is not None:
            before(recorder, arguments[0] if arguments else named.get("hidden_states"))

    def replace(module: nn.Module) -> nn.Module:
        copied = shallow_copy(module)
        copied.register_forward_hook(call_after)
        if before is not None:
            copied._forward_pre_hooks = copied._forward_pre_hooks.copy()
            copied.register_forward_pre_hook(call_before, with_kwargs=True)
        return copied

    return replace


def _begin_layer(recorder: Recorder, states: Any) -> None:
    if recorder.first is None and isinstance(states, Tensor):
        recorder.first = last_vector(states)
    recorder.open = RecordedLayer()


def _end_layer(recorder: Recorder, arguments: tuple[Any, ...], output: Any) -> None:
    if recorder.open is not None:
        recorder.open.output = last_vector(output)
        recorder.layers.append(recorder.open)
    recorder.open = None


def _on_embedding(module: nn.Module) -> Hook:
    return lambda recorder, _, output: recorder.embeddings.append((module, last_vector(output)))


def _hooks(block: nn.Module) -> Iterator[tuple[str, Hook]]:
    """Hooks of the parts of a layer, by the part's path in it."""
    kinds = {name: _kind(name, child) for name, child in block.named_children()}
    mixer = next((name for name, kind in kinds.items() if kind == "mixer"), None)
    mlp = next((name for name, kind in kinds.items() if kind == "mlp"), None)
    if mlp:
        width = [name for name, child in block.get_submodule(mlp).named_children() if hasattr(child, "weight")]
        yield (f"{mlp}.{width[-1]}" if width else mlp), _on_matrix
        if width:
            yield mlp, _on_mlp
    if mixer:
        yield mixer, _on_mixer
    yield from ((name, _on_norm) for name, kind in kinds.items() if kind == "norm")


def _kind(name: str, module: nn.Module) -> str:
    """Kind of a part of a layer, by its name and type: `norm`, `mixer`, `mlp`, or "" for any other."""
    label = f"{name} {type(module).__name__}".lower()
    for kind, words in (("norm", _NORMS), ("mixer", _MIXERS), ("mlp", _MLPS)):
        if any(word in label for word in words):
            return kind
    return ""


def _on_mixer(recorder: Recorder, arguments: tuple[Any, ...], output: Any) -> None:
    if recorder.open is not None:
        recorder.open.mixer = first_tensor(output)
        recorder.open.mixed = last_vector(output)


def _on_mlp(recorder: Recorder, arguments: tuple[Any, ...], output: Any) -> None:
    if recorder.open is not None:
        recorder.open.mlp = first_tensor(output)
        recorder.open.added = last_vector(output)


def _on_matrix(recorder: Recorder, arguments: tuple[Any, ...], output: Any) -> None:
    """The last matrix of an MLP; it may be the whole of the MLP that has a module."""
    if recorder.open is not None and arguments and isinstance(arguments[0], Tensor):
        recorder.open.neurons, recorder.open.matrix = last_vector(arguments[0]), last_vector(output)
        _on_mlp(recorder, arguments, output)


def _on_norm(recorder: Recorder, arguments: tuple[Any, ...], output: Any) -> None:
    """A norm after a part, before its output is added."""
    layer = recorder.open
    if layer is not None and arguments:
        if arguments[0] is layer.mixer:
            layer.mixed = last_vector(output)
        elif arguments[0] is layer.mlp:
            layer.added = last_vector(output)


def first_tensor(output: Any) -> Any:
    """The first tensor of a module's output."""
    return output if isinstance(output, Tensor) else output[0]


def last_vector(output: Any) -> Tensor:
    """The last token's vector in a module's output, (d,) float32 on the CPU; tokens are its last dimension but one."""
    tensor = first_tensor(output)
    return tensor.reshape(-1, tensor.shape[-1])[-1].float().cpu()
