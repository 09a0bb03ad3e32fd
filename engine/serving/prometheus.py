"""The figures of this process for Prometheus, on an address of their own: `http://HOST:PORT/metrics`.

They are about no one person. Who may read them is decided by the address: of this machine only, by default.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.serving import admission, config, model_registry
from engine.serving.metrics import METRICS, memory_bytes

_PREFIX = "next_token_"


class _Figures(Collector):
    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(_PREFIX + "sessions", "Visitors who are in.", value=admission.session_count())
        yield CounterMetricFamily(_PREFIX + "steps", "Steps that visitors asked for and got.", value=METRICS.steps)
        yield CounterMetricFamily(_PREFIX + "errors", "Errors that nobody had foreseen.", value=METRICS.failures)
        refused = CounterMetricFamily(_PREFIX + "refused", "How often a limit was met.", labels=["limit"])
        for code, count in dict(METRICS.refused).items():
            refused.add_metric([code], count)
        yield refused
        buckets, count, seconds = METRICS.histogram()
        yield HistogramMetricFamily(
            _PREFIX + "answer_seconds",
            "From a move to the last thing drawn for it.",
            buckets=[*((str(bound), below) for bound, below in buckets), ("+Inf", count)],
            sum_value=seconds,
        )
        yield GaugeMetricFamily(_PREFIX + "memory_bytes", "Resident memory of this process.", value=memory_bytes())
        yield from _of_models()


def _of_models() -> Iterable[Metric]:
    families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {
        "nodes": GaugeMetricFamily(_PREFIX + "tree_nodes", "Tokens in a model's prefix tree.", labels=["model"]),
        "nbytes": GaugeMetricFamily(_PREFIX + "tree_bytes", "Bytes of a model's prefix tree.", labels=["model"]),
        "passes": CounterMetricFamily(_PREFIX + "passes", "Passes of a model.", labels=["model"]),
        "tokens": CounterMetricFamily(_PREFIX + "tokens", "Tokens that went through a model.", labels=["model"]),
        "evicted": CounterMetricFamily(_PREFIX + "evicted", "Tokens that a tree dropped.", labels=["model"]),
    }
    for model in model_registry.loaded():
        tree = model.prefix_cache
        values = {"nodes": len(tree), "nbytes": tree.nbytes}
        values |= {name: getattr(tree.counters, name) for name in ("passes", "tokens", "evicted")}
        for name, value in values.items():
            families[name].add_metric([model.name], value)
    yield from families.values()


def begin() -> None:
    """Serve the figures where the configuration says. Raises ConfigError where that address cannot be had."""
    where = config.current().metrics
    if not where:
        return
    host, _, port = where.rpartition(":")
    registry = CollectorRegistry()
    registry.register(_Figures())
    try:
        start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        origin = config.load_config().origins["metrics"]
        raise config.ConfigError("metrics", origin, f"cannot be served at {where}: {error}") from None
