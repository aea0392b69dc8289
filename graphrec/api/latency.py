"""Times of requests from the histogram of the metrics, of all workers together."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from graphrec.api.routes.common import PREFIX


@dataclass(frozen=True)
class Latency:
    """Requests of a route: their number, how many failed (status 500 and above), and quantiles of their times in
    seconds, interpolated within the buckets of the histogram."""

    route: str
    number: int
    failed: int
    median: float
    p99: float


def measure_latency(metrics: str) -> list[Latency]:
    """The latency of the routes of the API, from the metrics as text; the most frequent route first."""
    buckets: dict[str, dict[float, float]] = {}
    failed: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples if family.name == "graphrec_request_seconds" else ():
            route = sample.labels["route"]
            if not route.startswith(PREFIX):
                continue
            if sample.name.endswith("_bucket"):
                counts = buckets.setdefault(route, {})
                bound = float(sample.labels["le"])
                counts[bound] = counts.get(bound, 0) + sample.value
            elif sample.name.endswith("_count") and int(sample.labels["status"]) >= 500:
                failed[route] = failed.get(route, 0) + sample.value
    found = [
        Latency(
            route, int(max(counts.values())), int(failed.get(route, 0)), _quantile(counts, 0.5), _quantile(counts, 0.99)
        )
        for route, counts in buckets.items()
    ]
    return sorted(found, key=lambda each: (-each.number, each.route))


def sum_counter(metrics: str, name: str, label: str) -> dict[str, int]:
    """The sums of a counter by the values of a label, the greatest first; values without counts are left out."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples if family.name == name else ():
            if sample.name.endswith("_total"):
                sums[sample.labels[label]] = sums.get(sample.labels[label], 0) + sample.value
    return {value: int(count) for value, count in sorted(sums.items(), key=lambda pair: -pair[1]) if count}


def _quantile(counts: dict[float, float], share: float) -> float:
    """The time below which a share of the requests ended, from the cumulative counts by upper bound."""
    wanted = share * max(counts.values())
    low, before = 0.0, 0.0
    for bound, count in sorted(counts.items()):
        if count >= wanted:
            return low if bound == float("inf") else low + (bound - low) * (wanted - before) / (count - before)
        low, before = bound, count
    return low
