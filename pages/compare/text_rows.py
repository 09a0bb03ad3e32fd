"""TODO"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.decoding.strategies import STRATEGIES, DecodingStrategy
from engine.decoding.text_metrics import measure
from engine.errors import SettingsError
from pages.compare.state import CompareState, StrategyRun
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.model.model import Model
from pages.components.text_table import chips, numbers


def name(way: DecodingStrategy, value: float, t: Translator) -> str:
    """A strategy's name with its number."""
    return t(f"compare.way.{way.name}") + (f" {value:g}" if way.parameter else "")


def rows(comparison: CompareState, model: Model, t: Translator) -> dict[str, Any]:
    """groups: one a strategy, begun or not; numbers: by measure [value or None, as it is read]."""
    asked = comparison.answered
    groups = []
    for at, way in enumerate(STRATEGIES):
        entry = comparison.entries[at] if at < len(comparison.entries) else None
        value = (asked or comparison.question).value(way)
        texts: list[dict[str, Any]] = []
        if entry is not None and asked is not None:
            texts = [_text(comparison, model, entry, text, t) | {"at": [at, i]}
                     for i, text in enumerate(entry.together.texts)]  # fmt: skip
        elif comparison.running and asked is not None:  # their places are kept, so that nothing jumps
            texts = [_waiting(seed, t) for seed in (asked.seeds if way.draws else (None,))]
        groups.append(
            {
                "name": name(way, value, t),
                "note": t(f"compare.note.{way.name}"),
                "status": _status(comparison, entry, t),
                "numbers": numbers(entry.measures(len(asked.seeds)), entry.together.cost, t)
                if entry is not None and asked is not None and texts
                else {},
                "texts": texts,
            }
        )
    return {"turn": comparison.turn, "groups": groups}


def _status(comparison: CompareState, entry: StrategyRun | None, t: Translator) -> str:
    if entry is None:
        return "" if comparison.running or comparison.answered is None else t("compare.not_begun")
    problem = entry.problem
    if isinstance(problem, SettingsError):
        return t("compare.out_of_range", **problem.values)
    return t(f"error.{problem.code}", **problem.values) if problem is not None else ""


def _waiting(seed: int | None, t: Translator) -> dict[str, Any]:
    return {"at": None, "seed": _seed(seed, t), "chips": [], "status": "", "numbers": {}}


def _seed(seed: int | None, t: Translator) -> str:
    return "" if seed is None else t("compare.seed", seed=seed)


def _text(
    comparison: CompareState, model: Model, entry: StrategyRun, text: Continuation, t: Translator
) -> dict[str, Any]:
    found = measure((text.token_ids, text.log_probabilities))
    return {
        "seed": _seed(text.seed, t),
        "chips": chips(model, comparison.ids, text, t),
        "status": t(f"compare.stop.{text.stop}") if text.stop in ("end", "context", "person") else "",
        "numbers": numbers(found, entry.together.cost, t),
    }
