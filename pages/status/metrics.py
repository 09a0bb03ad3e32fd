"""What the status page tells the host, as labels and values. About no one person."""

from __future__ import annotations

import pyarrow as pa

from engine.serving import admission, config, model_registry
from engine.serving.metrics import METRICS, memory_bytes
from pages.i18n.translator import Translator

SHARES = (0.5, 0.95, 0.99)
LIMITS = ("limit_steps", "limit_sessions", "limit_run", "limit_prompt", "limit_demo")


def now(t: Translator) -> list[tuple[str, str]]:
    """How much is going on."""
    most = config.current().sessions
    return [
        (t("host.sessions"), f"{admission.session_count():,}" + (f" / {most:,}" if most else "")),
        (t("host.steps"), t.number(METRICS.steps_per_second(), 1)),
        (t("host.memory"), f"{memory_bytes() / 2**20:,.0f} MB"),
        (t("host.errors"), f"{METRICS.errors:,}"),
    ]


def times(t: Translator) -> list[tuple[str, str]]:
    """Within how many milliseconds so large a share of the last minute's moves was answered."""
    return [
        (t("host.within", share=t.percent(share)), "–" if seconds is None else f"{seconds * 1000:,.0f} ms")
        for share, seconds in zip(SHARES, METRICS.percentiles(SHARES), strict=True)
    ]


def models(t: Translator) -> pa.Table:
    """One row a model in memory."""
    trees = [(model.name, model.prefix_cache) for model in model_registry.loaded()]
    most = config.current().tree_mb
    return pa.table(
        {
            t("settings.model"): [name for name, _ in trees],
            t("host.tree"): [f"{tree.nbytes / 2**20:,.1f} / {most:,} MB" for _, tree in trees],
            t("host.nodes"): [f"{len(tree):,}" for _, tree in trees],
            t("host.passes"): [f"{tree.counters.passes:,}" for _, tree in trees],
            t("host.tokens"): [f"{tree.counters.tokens:,}" for _, tree in trees],
            t("host.evicted"): [f"{tree.counters.evicted:,}" for _, tree in trees],
        }
    )


def refused(t: Translator) -> pa.Table:
    """How often each limit was met since the start."""
    return pa.table(
        {
            t("host.limit"): [t(f"host.{code}") for code in LIMITS],
            t("host.times"): [f"{METRICS.refused(code):,}" for code in LIMITS],
        }
    )
