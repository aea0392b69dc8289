"""Rejects configs that lose to the default on held-out parts of other kinds than those that a search maximises."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphrec.models.base import Model
from graphrec.tuning.study import StudyFile
from graphrec.tuning.trial import Quality, Validation
from graphrec.tuning.workers import Config, ExecutionConfig, Task, TrialRunner


class Guard:
    """Compares configs with the default on further held-out parts, each config at most once.

    The search asks only for a config that would otherwise be the best, because each answer needs a fit for each
    validation. Without validations every config is accepted. Measurements already in the `study` are read from it.
    """

    def __init__(
        self,
        kind: type[Model[Any]],
        validations: Sequence[Validation],
        execution: ExecutionConfig,
        study: StudyFile | None = None,
    ) -> None:
        self._runner, self._study = TrialRunner(Task(kind, tuple(validations), execution)), study
        self._parts: dict[Config, Mapping[str, Quality]] = {}

    def accepts(self, config: Config, default: Config) -> bool:
        """Whether a config is on no part worse than the default by more than one standard error over users."""
        if not self._runner.task.validations or config == default:
            return True
        mine, theirs = self._measure(config), self._measure(default)
        gains = [relative_gain(mine[name], theirs[name]) for name in theirs]
        return all(gain >= -error for gain, error in gains)

    def _measure(self, config: Config) -> Mapping[str, Quality]:
        if config not in self._parts:
            names = {name for validation in self._runner.task.validations for name in validation.measures}
            parts = None if self._study is None else self._study.find_guard(config)
            if parts is None or set(parts) != names:
                parts = self._runner.run(config, []).parts
                if self._study is not None:
                    self._study.add_guard(config, parts)
            self._parts[config] = parts
        return self._parts[config]


def relative_gain(quality: Quality, default: Quality) -> tuple[float, float]:
    """The relative gain in NDCG over the default, and its standard error over users; 0 without values per user."""
    scale = max(default.ndcg, 1e-12)
    if quality.values is None or default.values is None:
        return (quality.ndcg - default.ndcg) / scale, 0.0
    difference = quality.values - default.values
    error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.inf
    return float(difference.mean()) / scale, float(error) / scale
