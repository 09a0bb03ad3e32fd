"""Prometheus exporter of this process's metrics on a separate address: `http://HOST:PORT/metrics`.

The metrics are aggregates without personal data. Access is controlled by the address alone: a setting of only a port
binds to 127.0.0.1.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.serving import admission, config, model_registry
from engine.serving.metrics import METRICS, PREFIX, memory_bytes


class _MetricsCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(PREFIX + "sessions", "Active sessions.", value=admission.session_count())
        yield from METRICS.registry.collect()
        yield GaugeMetricFamily(PREFIX + "memory_bytes", "Resident memory of this process.", value=memory_bytes())
        yield from _model_metrics()


def _model_metrics() -> Iterable[Metric]:
    families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {
        "nodes": GaugeMetricFamily(PREFIX + "tree_nodes", "Tokens in a model's prefix cache.", labels=["model"]),
        "nbytes": GaugeMetricFamily(PREFIX + "tree_bytes", "Bytes of a model's prefix cache.", labels=["model"]),
        "passes": CounterMetricFamily(PREFIX + "passes", "Forward passes of a model.", labels=["model"]),
        "tokens": CounterMetricFamily(PREFIX + "tokens", "Tokens computed by a model.", labels=["model"]),
        "evicted": CounterMetricFamily(PREFIX + "evicted", "Tokens evicted from a prefix cache.", labels=["model"]),
    }
    for model in model_registry.loaded():
        cache = model.prefix_cache
        values = {"nodes": len(cache), "nbytes": cache.nbytes}
        values |= {name: getattr(cache.counters, name) for name in ("passes", "tokens", "evicted")}
        for name, value in values.items():
            families[name].add_metric([model.name], value)
    yield from families.values()


def start_server() -> None:
    """Serve the metrics at the configured address, if there is one. Raises ConfigError if it cannot be bound."""
    address = config.current().metrics
    if not address:
        return
    host, _, port = address.rpartition(":")
    registry = CollectorRegistry()
    registry.register(_MetricsCollector())
    try:
        start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        origin = config.load_config().origins["metrics"]
        raise config.ConfigError("metrics", origin, f"cannot be served at {address}: {error}") from None
