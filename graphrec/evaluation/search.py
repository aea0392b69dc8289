"""A search for good settings by Optuna, warm from a model's starting points, with costly fits shared."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import optuna

from graphrec.evaluation.quality import Measure, Quality, Trial
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.base import Model, Range, Space

#: So many fits are kept to make variants from.
KEPT = 3

#: Attempts to draw a config that was not tried yet.
DRAWS = 20

#: Prefix of a setting of the space that stands for one entry `NAME=VALUE` of the setting `weights`.
ENTRY = "weights."

Config = Any  # a frozen dataclass; each model has one of its own


@dataclass(frozen=True)
class Place:
    """Where trials run: on a device, and each from the same seed."""

    seed: int
    device: str = "cpu"


class Trials:
    """The configs of one model that were tried on one training part, each once, in the order of trying."""

    def __init__(
        self, kind: type[Model[Any]], graph: HeteroGraph, train: Interactions, measure: Measure, place: Place
    ) -> None:
        self.kind, self.graph, self.train, self.measure, self.place = kind, graph, train, measure, place
        self.configs: list[Config] = []
        self.trials: list[Trial] = []
        self._fitted: list[Model[Any]] = []

    def of(self, config: Config) -> Quality:
        """The quality of a config on validation, from an earlier trial where there was one."""
        if config in self.configs:
            return self.trials[self.configs.index(config)].quality
        began = time.perf_counter()
        quality = self.measure(self._model(config))
        self.configs.append(config)
        self.trials.append(Trial(asdict(config), quality, time.perf_counter() - began))
        return quality

    def qualities(self) -> list[Quality]:
        """The quality of each trial."""
        return [trial.quality for trial in self.trials]

    def _model(self, config: Config) -> Model[Any]:
        for base in self._fitted:
            variant = base.variant(config)
            if variant is not None:
                return variant
        model = self.kind(self.kind.shared(config), self.place.device)
        if len(self._fitted) >= KEPT:  # its memory is free before the next one is fitted
            self._fitted.pop(0)
        model.fit(self.graph, self.train, np.random.default_rng(self.place.seed))
        variant = model.variant(config)
        if variant is None:
            return model
        self._fitted.append(model)
        return variant


def search(
    trials: Trials,
    start: Config,
    space: Space,
    worth: Callable[[Quality], float],
    num_trials: int,
    progress: Callable[[], None],
) -> None:
    """Try `num_trials` configs next to the best one so far, varying `start` over a space, into `trials`.

    Each moves one or two settings of the best by a step: to the next value of a list, or by a normal draw of an eighth
    of a range. Good starting points are known here and few trials are affordable; there this finds more than samplers
    that first learn the whole space (on Douban-Book, forty trials of a tree of Parzen estimators found nothing better
    than where they started). Every earlier trial that lies in the space is told to the study.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rng = np.random.default_rng(trials.place.seed)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.RandomSampler(trials.place.seed % (1 << 31))
    )
    distributions = {name: _distribution(values) for name, values in space.items()}
    for config, quality in zip(trials.configs, trials.qualities(), strict=True):
        told = settings_of(config, space)
        if all(_lies_in(space[name], value) for name, value in told.items()) and config_of(start, told) == config:
            study.add_trial(optuna.trial.create_trial(params=told, distributions=distributions, value=worth(quality)))
    for _ in range(num_trials):
        best = study.best_trial.params if study.trials else _nearest(settings_of(start, space), space)
        study.enqueue_trial(_near(best, space, lambda params: config_of(start, params) in trials.configs, rng))
        trial = study.ask(distributions)
        study.tell(trial, worth(trials.of(config_of(start, trial.params))))
        progress()


def _near(
    best: Mapping[str, Any], space: Space, is_known: Callable[[Mapping[str, Any]], bool], rng: np.random.Generator
) -> dict[str, Any]:
    """The best settings with one or two of them moved a step; another draw where these were tried before."""
    found = dict(best)
    for _ in range(DRAWS):
        moving = rng.choice(sorted(space), size=min(len(space), int(rng.integers(1, 3))), replace=False)
        found = {**best, **{name: _moved(space[name], best[name], rng) for name in moving.tolist()}}
        if not is_known(found):
            break
    return found


def _nearest(params: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Settings with those that lie outside of a space moved to its nearest values."""
    found = dict(params)
    for name, values in space.items():
        if isinstance(values, Range):
            found[name] = min(max(params[name], values.low), values.high)
        elif params[name] not in values:
            numbers = [value for value in values if isinstance(value, int | float)]
            found[name] = min(numbers, key=lambda n: abs(n - params[name])) if numbers else values[0]
    return found


def _moved(values: Range | tuple[object, ...], value: Any, rng: np.random.Generator) -> Any:  # a setting
    if not isinstance(values, Range):
        at = values.index(value) if value in values else 0
        return values[int(np.clip(at + rng.choice((-1, 1)), 0, len(values) - 1))]
    into, back = (np.log, np.exp) if values.log else (float, float)
    moved = back(into(value) + rng.normal(0.0, (into(values.high) - into(values.low)) / 8))
    kept = float(np.clip(moved, values.low, values.high))
    return round(kept) if isinstance(values.low, int) and isinstance(values.high, int) else kept


def _distribution(values: Range | tuple[object, ...]) -> optuna.distributions.BaseDistribution:
    if not isinstance(values, Range):
        return optuna.distributions.CategoricalDistribution(values)  # type: ignore[arg-type]  # settings are plain values
    if isinstance(values.low, int) and isinstance(values.high, int):
        return optuna.distributions.IntDistribution(values.low, values.high, log=values.log)
    return optuna.distributions.FloatDistribution(values.low, values.high, log=values.log)


def _lies_in(values: Range | tuple[object, ...], value: Any) -> bool:
    return values.low <= value <= values.high if isinstance(values, Range) else value in values


def settings_of(config: Config, space: Space) -> dict[str, Any]:
    """The values of a config for the settings of a space; a relation that `weights` does not name has its kind's."""
    entries = dict(part.split("=") for part in getattr(config, "weights", "").split())
    return {
        name: float(entries.get(name.removeprefix(ENTRY), getattr(config, "behaviour_weight", 0.0)))
        if name.startswith(ENTRY)
        else getattr(config, name)
        for name in space
    }


def config_of(start: Config, params: Mapping[str, Any]) -> Config:
    entries = [f"{name.removeprefix(ENTRY)}={value}" for name, value in params.items() if name.startswith(ENTRY)]
    plain = {name: value for name, value in params.items() if not name.startswith(ENTRY)}
    return replace(start, **plain, **({"weights": " ".join(entries)} if entries else {}))
