"""How good a model is on validation, and the record of a trial."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.models.base import Model


@dataclass(frozen=True)
class Quality:
    """NDCG@20 on validation, plain and with pairs weighted towards popular items; `values` of each user [n], plain."""

    plain: float
    shifted: float
    values: npt.NDArray[np.float64] | None = field(default=None, repr=False, compare=False)


#: Gives the quality of a fitted model on a validation part that it has not seen.
Measure = Callable[[Model[Any]], Quality]


@dataclass(frozen=True)
class Trial:
    """One config that was tried, its quality, and the seconds that fitting and measuring took.

    `steps` holds the plain quality after each quarter of a training in epochs, empty for other models; a training that
    was `pruned` has the quality of its last step.
    """

    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    quality: Quality
    seconds: float
    steps: Mapping[int, float] = field(default_factory=dict)
    pruned: bool = False
