"""Held-out parts, the quality of a model on them, and the record of a trial."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.base import Model


@dataclass(frozen=True)
class Quality:
    """Ranking quality on validation.

    ndcg: mean NDCG@20 over users.
    ndcg_popularity_weighted: the same with each pair weighted by the popularity of its item.
    values: NDCG@20 of each user [n], unweighted.
    """

    ndcg: float
    ndcg_popularity_weighted: float
    values: npt.NDArray[np.float64] | None = field(default=None, repr=False, compare=False)


#: Returns the quality of a fitted model on a held-out part that it was not fitted to.
Measure = Callable[[Model[Any]], Quality]


@dataclass(frozen=True, eq=False)
class Validation:
    """Interactions to fit to, and parts of the rest to measure on; one fit is measured on all of them.

    graph: the graph that a model may see: nothing of the held-out parts, nothing later than `train`.
    train: interactions to fit to.
    measures: the measure of each held-out part by its name.
    """

    graph: HeteroGraph
    train: Interactions
    measures: Mapping[str, Measure]

    def measure(self, model: Model[Any]) -> dict[str, Quality]:
        """The quality of a model fitted to `train` on each held-out part."""
        return {name: measure(model) for name, measure in self.measures.items()}


@dataclass(frozen=True)
class Trial:
    """One config, its quality on each held-out part, and the seconds of fitting and measuring it.

    steps: overall NDCG after each quarter of the epochs, empty for models that are not trained in epochs.
    pruned: whether training was stopped early; `quality` is then that of the last step.
    stop_epoch: number of epochs after which the quality was best and was taken; 0 if training in epochs was best at its
        end, and for other models.
    """

    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    parts: Mapping[str, Quality]
    seconds: float
    steps: Mapping[int, float] = field(default_factory=dict)
    pruned: bool = False
    stop_epoch: int = 0

    @property
    def settings(self) -> Mapping[str, Any]:
        """The config, with the number of epochs that was best."""
        return {**self.config, "stop_epoch": self.stop_epoch} if self.stop_epoch else self.config

    @property
    def quality(self) -> Quality:
        """The quality over all parts."""
        return combine(self.parts)


def combine(parts: Mapping[str, Quality]) -> Quality:
    """The geometric mean of the qualities on several parts, so that a relative gain counts the same on each; values per
    user only if there is one part."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    ndcg, weighted = (
        float(np.exp(np.mean(np.log(np.maximum(values, 1e-12)))))
        for values in zip(*((part.ndcg, part.ndcg_popularity_weighted) for part in parts.values()), strict=True)
    )
    return Quality(ndcg, weighted)
