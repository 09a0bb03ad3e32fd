"""The stepwise generation engine: a causal model, and every number that the app shows of it.

Importing this package is light; torch and transformers come with the first name that needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.types import (
    BeamSettings,
    Candidate,
    EngineError,
    ModelError,
    PromptError,
    Score,
    Settings,
    SettingsError,
    TraceError,
)

if TYPE_CHECKING:
    from engine.beam import BeamSearch, beam_search
    from engine.codec import decode_trace, encode_trace
    from engine.generation import Generation, Step, choose, generate, stop_reason
    from engine.heads import rollout
    from engine.loading import load
    from engine.mattered import gradient_input, occlusion
    from engine.model import Model
    from engine.sampling import Distribution, uniform

_LAZY = {
    "BeamSearch": "engine.beam",
    "beam_search": "engine.beam",
    "decode_trace": "engine.codec",
    "encode_trace": "engine.codec",
    "generate": "engine.generation",
    "Generation": "engine.generation",
    "choose": "engine.generation",
    "stop_reason": "engine.generation",
    "Step": "engine.generation",
    "gradient_input": "engine.mattered",
    "load": "engine.loading",
    "Model": "engine.model",
    "occlusion": "engine.mattered",
    "rollout": "engine.heads",
    "Distribution": "engine.sampling",
    "uniform": "engine.sampling",
}

__all__ = [
    "BeamSearch",
    "BeamSettings",
    "Candidate",
    "Distribution",
    "EngineError",
    "Generation",
    "Model",
    "ModelError",
    "PromptError",
    "Score",
    "Settings",
    "SettingsError",
    "Step",
    "TraceError",
    "beam_search",
    "choose",
    "decode_trace",
    "encode_trace",
    "generate",
    "gradient_input",
    "load",
    "occlusion",
    "rollout",
    "stop_reason",
    "uniform",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
