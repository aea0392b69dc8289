"""The choice of a config on validation, among the few candidates of a model."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models import model_class
from graphrec.models.base import Model, Progress

#: A config that validation is known to misjudge must win by this share under both measures (METHODS E-F).
MARGIN = 0.03


@dataclass(frozen=True)
class Quality:
    """NDCG@10 on validation, plain and with pairs weighted towards popular items; `values` of each user [n], plain."""

    plain: float
    shifted: float
    values: npt.NDArray[np.float64] | None = field(default=None, repr=False, compare=False)


#: Gives the quality of a fitted model on a validation part that it has not seen.
Measure = Callable[[Model[Any]], Quality]


@dataclass(frozen=True)
class Trial:
    """One config that was tried, its quality, and the seconds that fitting and measuring took."""

    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    quality: Quality
    seconds: float


@dataclass(frozen=True)
class Tuning:
    """The config chosen, every trial in the order of trying, and the seconds in all."""

    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    trials: tuple[Trial, ...]
    seconds: float


def choose(
    name: str,
    graph: HeteroGraph,
    train: Interactions,
    measure: Measure,
    rng: np.random.Generator,
    progress: Progress | None = None,
    wary: bool = False,
) -> Tuning:
    """The best config of a model on validation; a model with one candidate gets it untried.

    `wary` is for a test part that was not made as validation was, such as a published one: configs that a hold-out of
    another kind is known to misjudge must then win by a clear margin. `graph` must hold nothing later than `train`.

    Raises UnknownNameError where there is no such model.
    """
    kind = model_class(name)
    candidates = kind.candidates()
    if len(candidates) == 1:
        return Tuning(asdict(candidates[0]), (), 0.0)
    started = time.perf_counter()
    seed = int(rng.integers(1 << 62))  # every candidate gets the same chance
    fitted: Model[Any] | None = None
    trials = []
    for position, config in enumerate(candidates):
        began = time.perf_counter()
        model = fitted.variant(config) if fitted is not None else None
        if model is None:
            model = kind(config)
            fitted = None  # its memory is free before the next one is fitted
            model.fit(graph, train, np.random.default_rng(seed))
            fitted = model
        trials.append(Trial(asdict(config), measure(model), time.perf_counter() - began))
        if progress is not None:
            progress(position + 1, len(candidates))
    best = select([trial.quality for trial in trials], [not wary or kind.trusts(config) for config in candidates])
    return Tuning(asdict(candidates[best]), tuple(trials), time.perf_counter() - started)


def select(qualities: list[Quality], trusted: list[bool]) -> int:
    """The position of the best candidate: the best plain quality among the trusted, unless another one is better by
    MARGIN under both measures. Equal ones in the order given; the first candidate, the default, where the best is
    not better than it by one standard error over the users, as on a validation part with few of them."""
    best = max(
        (position for position, trust in enumerate(trusted) if trust), key=lambda i: (qualities[i].plain, -i), default=0
    )
    for position, quality in enumerate(qualities):
        bar = 1.0 if trusted[best] == trusted[position] else 1.0 + MARGIN
        if quality.plain > bar * qualities[best].plain and quality.shifted > bar * qualities[best].shifted:
            best = position
    return best if _is_clear(qualities[best], qualities[0]) else 0


def _is_clear(quality: Quality, default: Quality) -> bool:
    if quality.values is None or default.values is None:
        return True
    difference = quality.values - default.values
    return bool(difference.mean() > difference.std(ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else False
