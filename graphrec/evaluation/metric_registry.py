"""Every metric by name, with the label, description and direction that tables, reports and `--help` print.

A new metric is one function and one entry here. Importing this module loads neither numpy nor torch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

#: accuracy: hits of a ranked list; beyond_accuracy: properties of the lists themselves; rating: errors of predicted
#: ratings.
Kind = Literal["accuracy", "beyond_accuracy", "rating"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    name: key without the cut-off, such as `ndcg` of `ndcg@10`.
    label: column heading.
    description: one clause, printed after the label in reports and in `graphrec evaluate --help`.
    function: `module:function`, imported on first use. Its signature depends on `kind`: `graphrec.evaluation.metrics`
        describes that of accuracy and rating, `graphrec.evaluation.beyond_accuracy` the other.
    kind: what is measured.
    higher_is_better: True or False orders models by the metric and marks the best one; None marks none.
    """

    name: str
    label: str
    description: str
    function: str
    kind: Kind = "accuracy"
    higher_is_better: bool | None = True

    def load(self) -> Callable[..., Any]:  # the signature depends on the kind
        """The function that computes the metric."""
        module, _, name = self.function.partition(":")
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found


_ACCURACY, _BEYOND = "graphrec.evaluation.metrics", "graphrec.evaluation.beyond_accuracy"

#: Name -> metric, in the order of the tables.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("recall", "Recall", "share of a user's test items that are among the first k", f"{_ACCURACY}:recall"),
        Metric("ndcg", "NDCG", "hits weighted by 1 / log₂(rank + 1), as a share of the maximum", f"{_ACCURACY}:ndcg"),
        Metric("precision", "Precision", "share of the first k that are test items", f"{_ACCURACY}:precision"),
        Metric("map", "MAP", "mean precision at the ranks of the hits", f"{_ACCURACY}:average_precision"),
        Metric("mrr", "MRR", "1 / rank of the first hit", f"{_ACCURACY}:reciprocal_rank"),
        Metric("hit_rate", "Hit rate", "share of users with a hit among the first k", f"{_ACCURACY}:hit_rate"),
        Metric("rmse", "RMSE", "root of the mean squared error of ratings", f"{_ACCURACY}:rmse", "rating", False),
        Metric("mae", "MAE", "mean absolute error of ratings", f"{_ACCURACY}:mae", "rating", False),
        *(
            Metric(name, label, description, f"{_BEYOND}:compute_{name}", "beyond_accuracy", None)
            for name, label, description in (
                ("coverage", "Coverage", "share of the catalogue that is recommended to any user"),
                ("gini", "Gini", "how unevenly items are recommended, 0 is even"),
                ("novelty", "Novelty", "bits of surprise of an item, by how few users had it"),
                ("diversity", "Diversity", "how different the items of one list are"),
                ("personalisation", "Personalisation", "how different the lists of two users are"),
                ("tail_share", "Tail share", "share of items outside the head, which has 80 % of interactions"),
                ("calibration", "Calibration", "distance from the user's mix of attributes, 0 is the same mix"),
            )
        ),
    )
}  # fmt: skip


def metrics_of(kind: Kind) -> tuple[Metric, ...]:
    """The metrics of a kind in the order of the tables."""
    return tuple(metric for metric in METRICS.values() if metric.kind == kind)
