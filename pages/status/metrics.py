"""Contents of the status page as labels and values: metrics of the whole process, nothing about single visitors."""

from __future__ import annotations

import pyarrow as pa

from engine.serving import admission, config, model_registry
from engine.serving.metrics import METRICS, memory_bytes
from pages.i18n.translator import Translator

PERCENTILES = (0.5, 0.95, 0.99)
LIMITS = (
    "limit_steps", "limit_sessions", "limit_run", "limit_prompt", "limit_demo", "limit_requests", "limit_day",
    "limit_codes",
)  # fmt: skip  # error codes


def current_load(t: Translator) -> list[tuple[str, str]]:
    """(label, value) of sessions (with their limit, if any), model steps a second, resident memory, logged errors."""
    max_sessions = config.current().sessions
    return [
        (t("host.sessions"), f"{admission.session_count():,}" + (f" / {max_sessions:,}" if max_sessions else "")),
        (t("host.steps"), t.number(METRICS.steps_per_second(), 1)),
        (t("host.memory"), f"{memory_bytes() / 2**20:,.0f} MB"),
        (t("host.errors"), f"{METRICS.errors:,}"),
    ]


def response_times(t: Translator) -> list[tuple[str, str]]:
    """(label, value) of the percentiles of the last minute's response times, in milliseconds."""
    return [
        (t("host.within", share=t.percent(share)), "–" if seconds is None else f"{seconds * 1000:,.0f} ms")
        for share, seconds in zip(PERCENTILES, METRICS.percentiles(PERCENTILES), strict=True)
    ]


def loaded_models(t: Translator) -> pa.Table:
    """One row for each loaded model: its prefix cache's size and limit, entries, passes, tokens and evictions."""
    caches = [(model.name, model.prefix_cache) for model in model_registry.loaded()]
    max_mb = config.current().tree_mb
    return pa.table(
        {
            t("settings.model"): [name for name, _ in caches],
            t("host.tree"): [f"{cache.nbytes / 2**20:,.1f} / {max_mb:,} MB" for _, cache in caches],
            t("host.nodes"): [f"{len(cache):,}" for _, cache in caches],
            t("host.passes"): [f"{cache.counters.passes:,}" for _, cache in caches],
            t("host.tokens"): [f"{cache.counters.tokens:,}" for _, cache in caches],
            t("host.evicted"): [f"{cache.counters.evicted:,}" for _, cache in caches],
        }
    )


def refusals(t: Translator) -> pa.Table:
    """One row for each limit: number of refusals since the start of the process."""
    return pa.table(
        {
            t("host.limit"): [t(f"host.{code}") for code in LIMITS],
            t("host.times"): [f"{METRICS.refused(code):,}" for code in LIMITS],
        }
    )
