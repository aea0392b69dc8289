"""Conclusions of a comparison: which model leads, by how much, and which differences are not significant."""

import math
from collections.abc import Iterable
from statistics import fmean

from graphrec.evaluation.metric_registry import METRICS, metrics_of
from graphrec.evaluation.result import Comparison, Difference, Estimate, ModelResult, SplitSummary


def family(metric: str) -> str:
    """`ndcg` of `ndcg@20`."""
    return metric.partition("@")[0]


def cutoff(metric: str) -> int | None:
    """20 of `ndcg@20`, None for a metric without k."""
    k = metric.partition("@")[2]
    return int(k) if k.isdigit() else None


def label(metric: str) -> str:
    """`NDCG@20` of `ndcg@20`."""
    name, at, k = metric.partition("@")
    title = METRICS[name].label if name in METRICS else name.replace("_", " ").capitalize()
    return title + at + k


def sign(metric: str) -> int:
    """-1 for a metric of which lower values are better, else 1."""
    known = METRICS.get(family(metric))
    return -1 if known is not None and known.higher_is_better is False else 1


def value(result: ModelResult, metric: str) -> float:
    """The value of a metric, NaN where the model has none."""
    found = result.metrics.get(metric)
    return math.nan if found is None else found.value


def ranked(comparison: Comparison, metric: str | None = None) -> tuple[ModelResult, ...]:
    """The results from best to worst in a metric (the headline without one), those without a value last."""
    metric = metric or comparison.headline

    def key(result: ModelResult) -> float:
        found = value(result, metric)
        return math.inf if math.isnan(found) else -sign(metric) * found

    return tuple(sorted(comparison.results, key=key))


def leader(comparison: Comparison) -> ModelResult:
    """The model that is best in the headline metric."""
    return ranked(comparison)[0]


def difference(comparison: Comparison, first: str, second: str, metric: str) -> Difference | None:
    """The difference of two models in a metric, turned round where it was made the other way; None where unknown."""
    for found in comparison.differences:
        if found.metric == metric and (found.first, found.second) == (first, second):
            return found
        if found.metric == metric and (found.first, found.second) == (second, first):
            return _turned(found)
    return None


def _turned(found: Difference) -> Difference:
    low, high = found.estimate.low, found.estimate.high
    estimate = Estimate(-found.estimate.value, None if high is None else -high, None if low is None else -low)
    verdict = {"better": "worse", "worse": "better"}.get(found.verdict, found.verdict)
    return Difference(found.second, found.first, found.metric, estimate, -found.effect, found.p, found.p_holm, verdict)


def nothing_found(comparison: Comparison, metric: str | None = None) -> bool:
    """Whether every model has 0 in a metric of accuracy (the headline without one): none finds a single test item."""
    metric = metric or comparison.headline
    return sign(metric) > 0 and all(value(result, metric) == 0 for result in comparison.results)


def best(comparison: Comparison, metric: str) -> str | None:
    """The name of the model that is best in a metric; None if no model has it, or none finds anything."""
    first = ranked(comparison, metric)[0]
    return None if math.isnan(value(first, metric)) or nothing_found(comparison, metric) else first.name


def tied(comparison: Comparison, metric: str) -> frozenset[str]:
    """Names of the models not distinguishable from the best one, without it, by the verdict of the paired
    difference. (Whether intervals overlap says little: users differ more than models do.)
    """
    top = best(comparison, metric)
    pairs = {r.name: difference(comparison, top, r.name, metric) for r in comparison.results} if top else {}
    return frozenset(name for name, found in pairs.items() if found and found.verdict not in ("better", "worse"))


def passed(comparison: Comparison) -> bool:
    """Whether the audit of every split found no leak."""
    return all(division.audit.passed for division in comparison.splits)


def named(comparison: Comparison, division: SplitSummary) -> str:
    """`split 2`, with the seed where splits of several seeds differ; "" if there is one split."""
    if len(comparison.splits) < 2:
        return ""
    several = len({other.seed for other in comparison.splits}) > 1
    return f"split {division.num + 1}" + (f", seed {division.seed}" if several else "")


def metrics(comparison: Comparison) -> tuple[str, ...]:
    """All metrics that any model has, in the order of the tables."""
    names = dict.fromkeys(name for result in comparison.results for name in result.metrics)
    known = [metric.name for kind in ("accuracy", "rating") for metric in metrics_of(kind)]
    last = [metric.name for metric in metrics_of("beyond_accuracy")]
    order = {name: place for place, name in enumerate((*known, "", *last))}
    return tuple(sorted(names, key=lambda name: (order.get(family(name), order[""]), cutoff(name) or 0)))


def accuracy(comparison: Comparison) -> tuple[str, ...]:
    """The metrics of accuracy, of ratings, and those that are not registered."""
    return tuple(name for name in metrics(comparison) if not _is_beyond(name))


def beyond(comparison: Comparison) -> tuple[str, ...]:
    """The metrics beyond accuracy."""
    return tuple(name for name in metrics(comparison) if _is_beyond(name))


def _is_beyond(metric: str) -> bool:
    known = METRICS.get(family(metric))
    return known is not None and known.kind == "beyond_accuracy"


def cutoffs(names: Iterable[str]) -> tuple[int | None, ...]:
    """The values of k of some metrics, in rising order, None (metrics without k) last."""
    return tuple(sorted({cutoff(name) for name in names}, key=lambda k: (k is None, k or 0)))


def cost(result: ModelResult, part: str) -> float:
    """The mean over rounds of `tune`, `fit` or `recommend`, seconds; 0 without rounds."""
    return fmean([getattr(done.cost, part) for done in result.rounds] or [0.0])
