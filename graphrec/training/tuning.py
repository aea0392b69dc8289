"""The choice of a config on validation, among the few candidates of a model."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.training.loop import Progress

if TYPE_CHECKING:
    from graphrec.models.base import Model

#: A config that validation is known to misjudge must win by this share under both measures (METHODS E-F).
MARGIN = 0.03


@dataclass(frozen=True)
class Quality:
    """NDCG@10 on validation, plain and with pairs weighted towards popular items."""

    plain: float
    shifted: float


#: Gives the quality of a fitted model on a validation part that it has not seen.
Measure: TypeAlias = "Callable[[Model[Any]], Quality]"


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
) -> Tuning:
    """The best config of a model on validation; a model with one candidate gets it untried.

    Raises UnknownNameError where there is no such model. `graph` must hold nothing later than `train`.
    """
    from graphrec.models import model_class  # models import the training loop, so their registry is looked up late

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
    best = select([trial.quality for trial in trials], [kind.trusts(config) for config in candidates])
    return Tuning(asdict(candidates[best]), tuple(trials), time.perf_counter() - started)


def select(qualities: list[Quality], trusted: list[bool]) -> int:
    """The position of the best candidate: the best plain quality among the trusted, unless another one is better by
    MARGIN under both measures. Equal ones in the order given."""
    best = max(
        (position for position, trust in enumerate(trusted) if trust), key=lambda i: (qualities[i].plain, -i), default=0
    )
    for position, quality in enumerate(qualities):
        bar = 1.0 if trusted[best] == trusted[position] else 1.0 + MARGIN
        if quality.plain > bar * qualities[best].plain and quality.shifted > bar * qualities[best].shifted:
            best = position
    return best
