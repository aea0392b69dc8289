"""The search for settings: near the best, without repeating itself, sharing costly fits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphrec.evaluation.protocol import validation_measure
from graphrec.models.base import Model, Range, Space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.models.sequence_filter.config import SequenceFilterConfig
from graphrec.testing import checkerboard
from graphrec.tuning import TuningBudget, Validation, choose, workers
from graphrec.tuning.search import Trials, _is_inside, config_of, search, settings_of
from graphrec.tuning.trial import Quality
from graphrec.tuning.workers import ExecutionConfig


def hill(model: Model[Any]) -> Quality:
    """Best at path_weight 8, rank 256 and a plateau of 1.5, worse in the logarithm of the first and in the others."""
    c = model.config
    value = 1.0 - abs(np.log(c.path_weight / 8)) / 10 - abs(c.rank - 256) / 10_000 - abs(c.plateau - 1.5) / 10
    return Quality(float(value))


@pytest.fixture
def trials() -> Trials:
    graph, train, _ = checkerboard()
    return Trials(GraphFilter, [Validation(graph, train, {"hill": hill})], ExecutionConfig(0), GraphFilter.space(graph))


def ran(trials: Trials, number: int, accepts: Callable[[int], bool] = lambda _: True) -> list[float]:
    space: Space = {"path_weight": Range(0.5, 20.0, log=True), "rank": (64, 128, 256, 512), "plateau": Range(0.9, 1.8)}
    start = GraphFilterConfig(rank=64)
    trials.evaluate(start)
    search(trials, start, space, accepts, number, lambda: None)
    return [quality.ndcg for quality in trials.qualities()]


def test_a_search_climbs_from_where_it_starts(trials: Trials) -> None:
    found = ran(trials, 40)
    assert max(found) > 0.97
    assert found[0] < 0.85


def test_nothing_is_tried_twice_and_all_lies_in_the_space(trials: Trials) -> None:
    ran(trials, 30)
    assert len(set(trials.configs)) == len(trials.configs) == 31
    for config in trials.configs:
        assert 0.5 <= config.path_weight <= 20
        assert config.rank in (64, 128, 256, 512)
        assert 0.9 <= config.plateau <= 1.8


def test_the_seed_decides_what_is_tried() -> None:
    graph, train, _ = checkerboard()
    first, again, other = (
        Trials(GraphFilter, [Validation(graph, train, {"hill": hill})], ExecutionConfig(seed), GraphFilter.space(graph))
        for seed in (1, 1, 2)
    )
    for each in (first, again, other):
        ran(each, 8)
    assert first.configs == again.configs
    assert first.configs != other.configs


def test_one_decomposition_serves_all_trials_of_a_normalisation(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[GraphFilterConfig] = []
    fit = GraphFilter.fit_for_variants

    def counted(self: GraphFilter, *arguments: Any) -> None:  # those of fit_for_variants
        fits.append(self.config)
        fit(self, *arguments)

    monkeypatch.setattr(GraphFilter, "fit_for_variants", counted)
    ran(trials, 10)
    assert len(fits) == 1
    trials.evaluate(GraphFilterConfig(user_exponent=0.5))
    assert len(fits) == 2


@pytest.mark.parametrize("kept_bytes", [1 << 40, 0])
def test_which_fits_are_kept_changes_nothing_that_is_found(kept_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for all fits and with room for none, where each is made again: the same qualities to the last bit."""
    graph, train, withheld = checkerboard()
    measure = validation_measure(train, withheld, np.random.default_rng(0))
    configs = [
        GraphFilterConfig(rank=4),
        GraphFilterConfig(user_exponent=0.5, rank=4),
        GraphFilterConfig(rank=3, neighbours=5, sharpening=2.0),
        GraphFilterConfig(user_exponent=0.5, rank=2, sharpening=1.0),
    ]
    alone = []
    for config in configs:
        model = GraphFilter(config)
        model.fit(graph, train, np.random.default_rng(3))
        alone.append(measure(model).values)
    monkeypatch.setattr(workers, "MAX_CACHED_BYTES", kept_bytes)
    examiner = workers.TrialRunner(
        workers.Task(GraphFilter, (Validation(graph, train, {"tenth": measure}),), ExecutionConfig(3))
    )
    for config, expected in zip(configs, alone, strict=True):
        found = examiner.run(config, []).quality.values
        assert found is not None
        assert expected is not None
        np.testing.assert_array_equal(found, expected)
    assert len(examiner._fitted) == (1 if kept_bytes == 0 else 2)


def test_a_start_outside_of_the_space_is_moved_into_it(trials: Trials) -> None:
    search(trials, GraphFilterConfig(), {"rank": (1, 2), "plateau": Range(1.5, 2.0)}, lambda _: True, 3, lambda: None)
    assert {config.rank for config in trials.configs} <= {1, 2}
    assert all(config.plateau >= 1.5 for config in trials.configs)


def test_relations_have_an_entry_each() -> None:
    """`weights.NAME` of a space becomes a word of the text `weights`."""
    space: Space = {"weights.VIEWED": (0.1, 0.3, 1.0), "weights.CARTED": (0.3, 1.0)}
    assert settings_of(GraphFilterConfig(weights="CARTED=1.0"), space) == {"weights.VIEWED": 0.3, "weights.CARTED": 1.0}
    found = config_of(GraphFilterConfig(), {"weights.VIEWED": 0.1, "weights.CARTED": 1.0, "rank": 64})
    assert found == GraphFilterConfig(rank=64, weights="VIEWED=0.1 CARTED=1.0")


def test_a_relation_without_an_entry_has_the_weight_of_its_kind() -> None:
    """Attributes that a candidate of sequence_filter weighs by 0.8 keep this weight when the search begins at it."""
    space: Space = {"attribute_weights.HAS_BRAND": (0.4, 0.8), "item_relation_weights.ALIKE": (0.0, 0.4)}
    config = SequenceFilterConfig(attribute_weight=0.8, item_relation_weight=0.0)
    found = settings_of(config, space)
    assert found == {"attribute_weights.HAS_BRAND": 0.8, "item_relation_weights.ALIKE": 0.0}
    assert config_of(config, found).weights == "HAS_BRAND=0.8 ALIKE=0.0"


def test_a_config_that_leaves_weights_to_their_kind_is_inside_a_space_with_an_entry_each() -> None:
    """Else the search would go on from its first draw instead of the better candidate that it began at."""
    start, space = GraphFilterConfig(), {"weights.VIEWED": (0.1, 0.3)}
    assert _is_inside(start, start, space)
    assert _is_inside(GraphFilterConfig(weights="VIEWED=0.1"), start, space)
    assert not _is_inside(GraphFilterConfig(weights="CARTED=0.1"), start, space)
    assert not _is_inside(GraphFilterConfig(behaviour_weight=0.1), start, space)
    assert not _is_inside(GraphFilterConfig(weights="VIEWED=0.2"), start, space)


def test_no_trials_beyond_the_candidates_where_none_are_wanted() -> None:
    graph, train, _ = checkerboard()
    tuning = choose(
        "graph_filter",
        [Validation(graph, train, {"hill": hill})],
        np.random.default_rng(0),
        effort=TuningBudget(num_trials=0),
    )
    assert len(tuning.trials) == len(GraphFilter.candidates(graph))
