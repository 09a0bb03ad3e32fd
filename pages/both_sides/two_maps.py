"""Component: attention of the masked and of the causal model over the same text, the mean of a layer's heads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.masked.masked_model import MaskedModel

_component = register("two_maps", Path(__file__))


def data(
    model: MaskedModel, ids: tuple[int, ...], both: np.ndarray, causal: np.ndarray, t: Translator
) -> dict[str, Any]:
    """Data of the component. both, causal: (L, H, T, T), of two models with as many layers or not."""
    maps = [("both", both), ("causal", causal)]
    return {
        "tokens": [model.vocabulary.label(i) for i in ids],
        "maps": [
            {
                "title": t(f"both_sides.maps.{name}"),
                "layers": np.rint(1000 * attention.mean(axis=1)).astype(int).tolist(),  # in thousandths
                "later": t.percent(later_share(attention)),
            }
            for name, attention in maps
        ],
        "labels": {name: t(f"both_sides.maps.{name}") for name in ("layer", "row", "column", "later", "cell")},
    }


def later_share(attention: np.ndarray) -> float:
    """Share of the attention that goes to later tokens, (L, H, T, T), the mean over all rows."""
    return float(np.triu(attention, 1).sum(axis=-1).mean())


def draw(values: dict[str, Any]) -> None:
    """The component."""
    _component(key="two_maps", data=values)
