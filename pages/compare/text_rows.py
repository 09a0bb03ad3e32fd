"""Data of the compare page's text table: one group for each strategy, one row for each text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.decoding.strategies import STRATEGIES, DecodingStrategy
from engine.decoding.text_metrics import measure
from engine.errors import SettingsError
from pages.compare.state import CompareState, StrategyRun
from pages.components.tables.text_table import chips, numbers
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.model.model import Model


def strategy_label(strategy: DecodingStrategy, value: float, t: Translator) -> str:
    """Display name of a strategy, followed by its parameter value if it has one."""
    return t(f"compare.way.{strategy.name}") + (f" {value:g}" if strategy.parameter else "")


def rows(state: CompareState, model: Model, t: Translator) -> dict[str, Any]:
    """Data for `text_table.draw`.

    groups: one for each strategy, started or not; its `numbers` are [value or None, display text] by measure, over all
    of its texts.
    """
    settings = state.run_settings
    groups = []
    for i, strategy in enumerate(STRATEGIES):
        run = state.runs[i] if i < len(state.runs) else None
        value = (settings or state.settings).value(strategy)
        texts: list[dict[str, Any]] = []
        if run is not None and settings is not None:
            texts = [_text_row(state, model, run, text, t) | {"at": [i, j]}
                     for j, text in enumerate(run.generation.texts)]  # fmt: skip
        elif state.running and settings is not None:  # placeholders, so that the table does not change its height
            texts = [_waiting_row(seed, t) for seed in (settings.seeds if strategy.draws else (None,))]
        groups.append(
            {
                "name": strategy_label(strategy, value, t),
                "note": t(f"compare.note.{strategy.name}"),
                "status": _status(state, run, t),
                "numbers": numbers(run.measures(len(settings.seeds)), run.generation.cost, t)
                if run is not None and settings is not None and texts
                else {},
                "texts": texts,
            }
        )
    return {"turn": state.turn, "groups": groups}


def _status(state: CompareState, run: StrategyRun | None, t: Translator) -> str:
    """Sentence about a strategy that was not started or has failed; empty otherwise."""
    if run is None:
        return "" if state.running or state.run_settings is None else t("compare.not_begun")
    problem = run.problem
    if isinstance(problem, SettingsError):
        return t("compare.out_of_range", **problem.values)
    return t(f"error.{problem.code}", **problem.values) if problem is not None else ""


def _waiting_row(seed: int | None, t: Translator) -> dict[str, Any]:
    return {"at": None, "seed": _seed_label(seed, t), "chips": [], "status": "", "numbers": {}}


def _seed_label(seed: int | None, t: Translator) -> str:
    return "" if seed is None else t("compare.seed", seed=seed)


def _text_row(state: CompareState, model: Model, run: StrategyRun, text: Continuation, t: Translator) -> dict[str, Any]:
    measures = measure((text.token_ids, text.log_probabilities))
    return {
        "seed": _seed_label(text.seed, t),
        "chips": chips(model, state.prompt_ids, text, t),
        "status": t(f"compare.stop.{text.stop}") if text.stop in ("end", "context", "person") else "",
        "numbers": numbers(measures, run.generation.cost, t),
    }
