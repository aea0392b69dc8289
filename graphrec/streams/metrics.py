"""Metrics of a consumer for Prometheus, if its package is installed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from graphrec.errors import GraphrecError

#: Bounds of the histogram of batch times, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class StreamMetrics:
    """The metrics of one stream; without the package prometheus_client they are not kept."""

    def __init__(self, stream: str) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        except ImportError:
            self._registry: Any = None  # a CollectorRegistry
            return
        registry = self._registry = CollectorRegistry()
        self._stream = stream
        self._events = Counter(
            "graphrec_stream_events", "Records by outcome.", ("stream", "outcome"), registry=registry
        )
        self._seconds = Histogram(
            "graphrec_stream_batch_seconds",
            "Time of a batch from decoding to commit.",
            ("stream",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._size = Gauge(
            "graphrec_stream_batch_records", "Records of the last batch.", ("stream",), registry=registry
        )
        self._age = Gauge(
            "graphrec_stream_age_seconds",
            "Time from the broker's receipt of the newest record of the last batch to its commit.",
            ("stream",),
            registry=registry,
        )
        self._lag = Gauge(
            "graphrec_stream_lag", "Records (of files: bytes) not read yet.", ("stream", "partition"), registry=registry
        )
        self._rejected = Gauge(
            "graphrec_stream_rejected", "Rejected events that are kept.", ("stream",), registry=registry
        )

    def count(self, outcome: str, number: int) -> None:
        """Add records of an outcome."""
        if self._registry is not None:
            self._events.labels(self._stream, outcome).inc(number)

    def observe_batch(self, size: int, seconds: float, age: float | None) -> None:
        """Note a batch: its size, its time, and the age of its newest record if known."""
        if self._registry is not None:
            self._seconds.labels(self._stream).observe(seconds)
            self._size.labels(self._stream).set(size)
            if age is not None:
                self._age.labels(self._stream).set(age)

    def set_lag(self, lag: Mapping[str, int]) -> None:
        """Note the lag by partition."""
        if self._registry is not None:
            for partition, number in lag.items():
                self._lag.labels(self._stream, partition).set(number)

    def set_rejected(self, number: int) -> None:
        """Note the number of rejected events that are kept."""
        if self._registry is not None:
            self._rejected.labels(self._stream).set(number)

    def render(self) -> str:
        """All metrics as text; empty without the package."""
        if self._registry is None:
            return ""
        from prometheus_client import generate_latest

        return generate_latest(self._registry).decode()

    @contextmanager
    def serve(self, port: int | None) -> Iterator[None]:
        """A context in which the metrics are at http://127.0.0.1:PORT/metrics, unless `port` is None.

        Raises GraphrecError if the package is not installed, or the port is in use.
        """
        if port is None:
            yield
            return
        if self._registry is None:
            raise GraphrecError("metrics need `pip install 'graphrec[serve]'` (prometheus_client is missing)")
        from prometheus_client import start_http_server

        try:
            server, thread = start_http_server(port, "127.0.0.1", self._registry)
        except OSError as error:
            raise GraphrecError(f"port {port} cannot be used for metrics: {error.strerror}; choose another") from error
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
