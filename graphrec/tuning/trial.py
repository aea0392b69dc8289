"""The quality of a model on validation, and the record of a trial."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

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


#: Returns the quality of a fitted model on a validation part that it was not fitted to.
Measure = Callable[[Model[Any]], Quality]


@dataclass(frozen=True)
class Trial:
    """One config, its quality, and the seconds of fitting and measuring it.

    steps: NDCG after each quarter of the epochs, empty for models that are not trained in epochs.
    pruned: whether training was stopped early; `quality` is then that of the last step.
    """

    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    quality: Quality
    seconds: float
    steps: Mapping[int, float] = field(default_factory=dict)
    pruned: bool = False
