"""Values of the sampling settings that the controls offer. A trace may hold others, within the engine's RANGES."""

from __future__ import annotations

# Minimum, maximum and step of each slider.
SLIDERS: dict[str, tuple[float, float, float]] = {
    "temperature": (0.0, 2.0, 0.05),
    "top_k": (0, 200, 1),
    "top_p": (0.0, 1.0, 0.01),
    "min_p": (0.0, 0.5, 0.01),
    "typical_p": (0.05, 1.0, 0.01),
    "repetition_penalty": (1.0, 2.0, 0.05),
    "no_repeat_ngram_size": (0, 6, 1),
}
