"""Metrics for Prometheus, of all workers together."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

#: The environment variable by which worker processes share their metrics in a folder.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

#: Bounds of the histogram of request times, in seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Histogram(
            "graphrec_request_seconds",
            "Time of requests by route, method and status.",
            ("route", "method", "status"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.answers = Counter(
            "graphrec_answers",
            "Answers by the strategy of their first item and by cache outcome.",
            ("strategy", "cache"),
            registry=registry,
        )
        self.events = Counter(
            "graphrec_events", "Events by behaviour and outcome.", ("behaviour", "outcome"), registry=registry
        )
        self.refused = Counter(
            "graphrec_refused", "Requests refused before they were run.", ("reason",), registry=registry
        )
        self.model_ready = Gauge(
            "graphrec_model_ready",
            "Whether the model of the active run is loaded.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.database_up = Gauge(
            "graphrec_database_up", "Whether the database answers.", multiprocess_mode="livemin", registry=registry
        )
        self.cache_up = Gauge(
            "graphrec_cache_up", "Whether the cache answers.", multiprocess_mode="livemin", registry=registry
        )

    def render(self) -> bytes:
        """All metrics as text."""
        registry = self._registry
        if os.environ.get(FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no type hints
        return generate_latest(registry)
