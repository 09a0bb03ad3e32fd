"""Stepwise generation engine for causal language models, with every quantity that the app displays.

Importing this package is light: torch and transformers are imported with the first name that needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError, ModelError, PromptError, SettingsError, TraceError
from engine.sampling.settings import Settings

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch, beam_search
    from engine.decoding.generation import Generation, Step, choose, generate
    from engine.decoding.stopping import stop_reason
    from engine.interpret.attention_maps import rollout
    from engine.interpret.attribution import gradient_input, occlusion
    from engine.model.loading import load
    from engine.model.model import Model
    from engine.model.score import Score
    from engine.sampling.distribution import Candidate, Distribution, uniform
    from engine.trace.link_codec import decode_trace, encode_trace

_LAZY = {
    "BeamSearch": "engine.decoding.beam_search",
    "Candidate": "engine.sampling.distribution",
    "Distribution": "engine.sampling.distribution",
    "Generation": "engine.decoding.generation",
    "Model": "engine.model.model",
    "Score": "engine.model.score",
    "Step": "engine.decoding.generation",
    "beam_search": "engine.decoding.beam_search",
    "choose": "engine.decoding.generation",
    "decode_trace": "engine.trace.link_codec",
    "encode_trace": "engine.trace.link_codec",
    "generate": "engine.decoding.generation",
    "gradient_input": "engine.interpret.attribution",
    "load": "engine.model.loading",
    "occlusion": "engine.interpret.attribution",
    "rollout": "engine.interpret.attention_maps",
    "stop_reason": "engine.decoding.stopping",
    "uniform": "engine.sampling.distribution",
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
