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
    """-1 if lower values of a metric are better, else 1."""
    known = METRICS.get(family(metric))
    return -1 if known is not None and known.higher_is_better is False else 1


def value(result: ModelResult, metric: str) -> float:
    """The value of a metric, NaN if the model does not have it."""
    estimate = result.metrics.get(metric)
    return math.nan if estimate is None else estimate.value


def rank_models(comparison: Comparison, metric: str | None = None) -> tuple[ModelResult, ...]:
    """The results from best to worst in a metric (by default the headline), those without a value last."""
    metric = metric or comparison.headline

    def key(result: ModelResult) -> float:
        number = value(result, metric)
        return math.inf if math.isnan(number) else -sign(metric) * number

    return tuple(sorted(comparison.results, key=key))


def find_leader(comparison: Comparison) -> ModelResult:
    """The model that is best in the headline metric."""
    return rank_models(comparison)[0]


def find_difference(comparison: Comparison, first: str, second: str, metric: str) -> Difference | None:
    """The difference `first` minus `second` in a metric, reversed if it was computed the other way; None if unknown."""
    for found in comparison.differences:
        if found.metric == metric and (found.first, found.second) == (first, second):
            return found
        if found.metric == metric and (found.first, found.second) == (second, first):
            return _swap_models(found)
    return None


def _swap_models(found: Difference) -> Difference:
    low, high = found.estimate.low, found.estimate.high
    estimate = Estimate(-found.estimate.value, None if high is None else -high, None if low is None else -low)
    verdict = {"better": "worse", "worse": "better"}.get(found.verdict, found.verdict)
    return Difference(found.second, found.first, found.metric, estimate, -found.effect, found.p, found.p_holm, verdict)


def has_no_hits(comparison: Comparison, metric: str | None = None) -> bool:
    """Whether every model has 0 in a metric of accuracy (by default the headline), so that no test item is a hit."""
    metric = metric or comparison.headline
    return sign(metric) > 0 and all(value(result, metric) == 0 for result in comparison.results)


def find_best(comparison: Comparison, metric: str) -> str | None:
    """The name of the best model in a metric; None if no model has the metric, or all have no hits."""
    first = rank_models(comparison, metric)[0]
    return None if math.isnan(value(first, metric)) or has_no_hits(comparison, metric) else first.name


def find_tied(comparison: Comparison, metric: str) -> frozenset[str]:
    """Names of the models not distinguishable from the best one by the paired difference, without the best one.

    (Overlap of intervals is no evidence: users differ more than models do.)
    """
    top = find_best(comparison, metric)
    pairs = {r.name: find_difference(comparison, top, r.name, metric) for r in comparison.results} if top else {}
    return frozenset(name for name, found in pairs.items() if found and found.verdict not in ("better", "worse"))


def passed_audit(comparison: Comparison) -> bool:
    """Whether the audit of every split found no leak."""
    return all(summary.audit.passed for summary in comparison.splits)


def name_split(comparison: Comparison, summary: SplitSummary) -> str:
    """`split 2`, with its seed if there are splits of several seeds; "" if there is one split."""
    if len(comparison.splits) < 2:
        return ""
    several = len({other.seed for other in comparison.splits}) > 1
    return f"split {summary.num + 1}" + (f", seed {summary.seed}" if several else "")


def list_metrics(comparison: Comparison) -> tuple[str, ...]:
    """All metrics that any model has, in the order of the tables."""
    names = dict.fromkeys(name for result in comparison.results for name in result.metrics)
    known = [metric.name for kind in ("accuracy", "rating") for metric in metrics_of(kind)]
    last = [metric.name for metric in metrics_of("beyond_accuracy")]
    order = {name: index for index, name in enumerate((*known, "", *last))}
    return tuple(sorted(names, key=lambda name: (order.get(family(name), order[""]), cutoff(name) or 0)))


def list_accuracy(comparison: Comparison) -> tuple[str, ...]:
    """The metrics of accuracy and of ratings, and unregistered ones."""
    return tuple(name for name in list_metrics(comparison) if not _is_beyond_accuracy(name))


def list_beyond_accuracy(comparison: Comparison) -> tuple[str, ...]:
    """The metrics beyond accuracy."""
    return tuple(name for name in list_metrics(comparison) if _is_beyond_accuracy(name))


def _is_beyond_accuracy(metric: str) -> bool:
    known = METRICS.get(family(metric))
    return known is not None and known.kind == "beyond_accuracy"


def list_cutoffs(names: Iterable[str]) -> tuple[int | None, ...]:
    """The distinct values of k of some metrics in ascending order, None (metrics without k) last."""
    return tuple(sorted({cutoff(name) for name in names}, key=lambda k: (k is None, k or 0)))


def mean_cost(result: ModelResult, part: str) -> float:
    """The mean seconds of `tune`, `fit` or `recommend` over rounds; 0 without rounds."""
    return fmean([getattr(round_.cost, part) for round_ in result.rounds] or [0.0])
