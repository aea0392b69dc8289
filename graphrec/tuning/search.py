"""A search for good settings, warm from a model's starting points, with every trial in an Optuna study."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import optuna

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.base import Model, Range, Space
from graphrec.tuning.study import StudyFile
from graphrec.tuning.trial import Measure, Quality, Trial
from graphrec.tuning.workers import Config, ExecutionConfig, Task, Workers

#: Attempts to draw a config that was not tried yet.
DRAWS = 20

#: Prefix of a setting of the space that stands for one entry `NAME=VALUE` of the setting `weights`.
ENTRY = "weights."


class Trials:
    """The configs of one model that were tried on one training part, each once, in the order of trying.

    `workers` examine them; what a `study` already has is not examined again.
    """

    def __init__(
        self,
        kind: type[Model[Any]],
        graph: HeteroGraph,
        train: Interactions,
        measure: Measure,
        place: ExecutionConfig,
        study: StudyFile | None = None,
    ) -> None:
        self.kind, self.graph, self.place, self.study = kind, graph, place, study
        self.task = Task(kind, graph, train, measure, place)
        self.workers = Workers(self.task)
        self.configs: list[Config] = []
        self.trials: list[Trial] = []
        self._space = kind.space(graph)
        self._distributions = {name: _distribution(values) for name, values in self._space.items()}

    def of(self, config: Config) -> Quality:
        """The quality of a config on validation, from an earlier trial where there was one."""
        return self.of_all([config])[0]

    def of_all(self, configs: Sequence[Config]) -> list[Quality]:
        """The quality of each of some configs; those that are new are examined side by side."""
        new = [c for c in dict.fromkeys(configs) if c not in self.configs]
        kept = {c: self.study.find(c) for c in new} if self.study is not None else {}
        missing = [c for c in new if kept.get(c) is None]
        # what was kept of this round is no yardstick for the rest of it, so a search that goes on finds the same
        others = [trial.steps for trial in self.trials if not trial.pruned]
        # one by one where one worker has them, so that each is kept as soon as it is there
        for start in range(0, len(missing), self.workers.number):
            batch = missing[start : start + self.workers.number]
            for config, trial in zip(batch, self.workers.examine(batch, others), strict=True):
                kept[config] = trial
                self._keep(config, trial)
        for config in new:
            found = kept[config]
            assert found is not None
            self.configs.append(config)
            self.trials.append(found)
        return [self.trials[self.configs.index(config)].quality for config in configs]

    @contextmanager
    def working(self, number: int) -> Iterator[None]:
        """So many processes examine configs in a `with` block."""
        alone = self.workers
        with Workers(self.task, number) as self.workers:
            yield
        self.workers = alone

    def qualities(self) -> list[Quality]:
        """The quality of each trial."""
        return [trial.quality for trial in self.trials]

    def _keep(self, config: Config, trial: Trial) -> None:
        if self.study is not None:
            params = settings_of(config, self._space)
            inside = all(_lies_in(self._space[name], value) for name, value in params.items())
            self.study.add(trial, params if inside else {}, self._distributions)


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
    than where they started). With several workers as many are drawn next to the same best one.
    """
    rng = np.random.default_rng(trials.place.seed)
    tried = 0
    while tried < num_trials:
        place = _place_of_best(trials, start, space, worth)
        drawn: list[Config] = []
        for _ in range(min(trials.workers.number, num_trials - tried)):
            taken = [*trials.configs, *drawn]
            drawn.append(config_of(start, _near(place, start, space, taken, rng)))
        trials.of_all(drawn)
        tried += len(drawn)
        progress()


def _place_of_best(trials: Trials, start: Config, space: Space, worth: Callable[[Quality], float]) -> Mapping[str, Any]:
    """The settings of the best trial that lies in a space, or those of `start` moved into it."""
    found = zip(trials.configs, trials.qualities(), strict=True)
    inside = [(config, worth(quality)) for config, quality in found if _within(config, start, space)]
    if not inside:
        return _nearest(settings_of(start, space), space)
    return settings_of(max(inside, key=lambda pair: pair[1])[0], space)


def _within(config: Config, start: Config, space: Space) -> bool:
    """Whether a config differs from `start` in settings of a space alone, and these lie in it."""
    told = settings_of(config, space)
    return all(_lies_in(space[name], value) for name, value in told.items()) and config_of(start, told) == config


def _near(
    best: Mapping[str, Any], start: Config, space: Space, taken: Sequence[Config], rng: np.random.Generator
) -> dict[str, Any]:
    """The best settings with one or two of them moved a step; another draw where these were tried before."""
    found = dict(best)
    for _ in range(DRAWS):
        moving = rng.choice(sorted(space), size=min(len(space), int(rng.integers(1, 3))), replace=False)
        found = {**best, **{name: _moved(space[name], best[name], rng) for name in moving.tolist()}}
        if config_of(start, found) not in taken:
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
