"""Which config is selected, and what is tried before."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from graphrec.errors import UnknownNameError
from graphrec.evaluation.protocol import validation_measure
from graphrec.hetero import HeteroGraph
from graphrec.models.item_knn import ItemKNN
from graphrec.models.lightgcn import LightGCNConfig
from graphrec.testing import checkerboard
from graphrec.tuning import Measure, Quality, Trial, TuningBudget, Validation, choose, select
from graphrec.tuning.guard import Guard, relative_gain
from graphrec.tuning.trial import combine
from graphrec.tuning.tune import LARGE_TRIALS, num_trials
from graphrec.tuning.workers import ExecutionConfig


def trial(parts: Mapping[str, float | npt.NDArray[np.float64]], pruned: bool = False) -> Trial:
    """A trial with these NDCGs, or with these NDCGs of users, on each part."""
    qualities = {
        name: Quality(value) if isinstance(value, float) else Quality(float(value.mean()), value)
        for name, value in parts.items()
    }
    return Trial({}, qualities, 0.0, pruned=pruned)


@pytest.mark.parametrize(
    ("values", "pruned", "best"),
    [
        ([0.10, 0.12, 0.11], [], 1),
        ([0.10, 0.10], [], 0),  # equal: the first
        ([0.10, 0.12, 0.12], [], 1),
        ([0.10, 0.12, 0.11], [1], 2),
        ([0.10, 0.09, 0.08], [], 0),
    ],
)
def test_the_best_on_one_part(values: list[float], pruned: list[int], best: int) -> None:
    assert select([trial({"tenth": value}, position in pruned) for position, value in enumerate(values)]) == best


def test_the_default_stays_where_the_gain_is_noise() -> None:
    default = np.full(20, 0.10)
    lucky, better = default.copy(), default + np.linspace(0.01, 0.03, 20)
    lucky[0] = 0.9  # one user of twenty
    uneven = default + np.tile([0.06, -0.02], 10)  # a gain of 0.02: half a deviation, and two standard errors
    for values, best in ((lucky, 0), (better, 1), (uneven, 1)):
        assert select([trial({"tenth": default}), trial({"tenth": values})]) == best


def test_a_loss_on_any_part_beyond_chance_is_not_accepted() -> None:
    default = {"random": np.full(50, 0.2), "newest": np.full(50, 0.1)}
    spread = np.tile([-0.02, 0.02], 25)  # a standard error of 0.0029
    gain = {"random": default["random"] + 0.05}
    within, beyond = (gain | {"newest": default["newest"] + loss + spread} for loss in (-0.002, -0.004))
    small = {name: values + 0.001 for name, values in default.items()}
    assert select([trial(default), trial(beyond)]) == 0
    assert select([trial(default), trial(within)]) == 1
    assert select([trial(default), trial(small), trial(beyond)]) == 1
    assert select([trial(default), trial(small), trial(within)]) == 2


def test_the_best_that_is_accepted_is_selected() -> None:
    asked = []

    def accepts(position: int) -> bool:
        asked.append(position)
        return position == 3

    values = (0.10, 0.14, 0.09, 0.12, 0.13, 0.11)
    assert select([trial({"tenth": value}) for value in values], accepts) == 3
    assert asked == [1, 4, 3]  # the best ones first, none worse than the default, and none after the one accepted
    assert select([trial({"tenth": value}) for value in values], lambda _: False) == 0


def test_a_guard_rejects_what_is_worse_than_the_default_beyond_chance() -> None:
    """item_knn with 1 and with 20 neighbours, on a part of 60 users that 1 neighbour does not serve."""
    graph, train, withheld = checkerboard()
    part = validation_measure(train, withheld, np.random.default_rng(0))
    guard = Guard(ItemKNN, [Validation(graph, train, {"withheld": part})], ExecutionConfig(0))
    good, poor = ItemKNN.config_class(neighbours=20), ItemKNN.config_class(neighbours=1)
    model = ItemKNN(poor)
    model.fit(graph, train, np.random.default_rng(0))
    assert part(model).ndcg < 0.9
    assert not guard.accepts(poor, good)
    assert guard.accepts(good, good)
    assert guard.accepts(good, poor)
    assert Guard(ItemKNN, [], ExecutionConfig(0)).accepts(poor, good)


def test_relative_gains_by_hand() -> None:
    """Differences 0 and 0.2 of two users: mean 0.1 and standard error 0.1, over a default of 0.1."""
    better = Quality(0.2, np.array([0.1, 0.3]))
    default = Quality(0.1, np.array([0.1, 0.1]))
    assert relative_gain(better, default) == pytest.approx((1.0, 1.0))
    assert relative_gain(default, better) == pytest.approx((-0.5, 0.5))
    assert relative_gain(Quality(0.3), Quality(0.2)) == pytest.approx((0.5, 0.0))
    one = Quality(0.1, np.array([0.1]))
    assert relative_gain(one, one) == (0.0, np.inf)


@pytest.mark.parametrize(
    ("losses", "accepted"),
    [((0.0, 0.0), True), ((0.002, 0.002), True), ((0.004, 0.0), False), ((0.0, 0.004), False), ((-0.1, 0.004), False)],
)
def test_a_guard_accepts_losses_within_a_standard_error_on_every_part(
    losses: tuple[float, float], accepted: bool
) -> None:
    """The standard error of the 50 users of a part is 0.0029."""
    graph, train, _ = checkerboard()

    def measure(loss: float) -> Measure:
        spread = np.tile([-0.02, 0.02], 25)
        default, other = np.full(50, 0.2), np.full(50, 0.2) - loss + spread
        return lambda model: Quality(0.2, other if model.config.neighbours == 7 else default)

    first, second = losses
    validations = [Validation(graph, train, {"first": measure(first), "second": measure(second)})]
    guard = Guard(ItemKNN, validations, ExecutionConfig(0))
    assert guard.accepts(ItemKNN.config_class(neighbours=7), ItemKNN.config_class()) == accepted


def test_the_mean_gain_over_all_parts_counts() -> None:
    default = {"random": np.full(50, 0.1), "newest": np.full(50, 0.1)}
    one_sided = {"random": np.full(50, 0.13), "newest": np.full(50, 0.1)}  # 30 % and 0: 15 % in the mean
    both = {"random": np.full(50, 0.12), "newest": np.full(50, 0.12)}
    assert select([trial(default), trial(one_sided), trial(both)]) == 2


def test_many_interactions_have_fewer_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, train, _ = checkerboard()
    candidates = len(ItemKNN.candidates(graph))
    for limit, more in ((len(train), 8 * len(ItemKNN.space(graph))), (len(train) - 1, LARGE_TRIALS)):
        monkeypatch.setattr("graphrec.tuning.tune.LARGE", limit)
        assert num_trials(ItemKNN, graph, TuningBudget()) == candidates + min(more, ItemKNN.trials)
        assert num_trials(ItemKNN, graph, TuningBudget(num_trials=33)) == candidates + 33


def test_a_search_asks_for_the_candidates_and_the_space_of_its_graph_once(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, train, _ = checkerboard()
    asked: list[str] = []
    for name in ("candidates", "space"):
        found = getattr(ItemKNN, name)(graph)

        def answer(_: HeteroGraph, name: str = name, found: Any = found) -> Any:  # candidates or a space
            asked.append(name)
            return found

        monkeypatch.setattr(ItemKNN, name, answer)
    measure: Measure = lambda model: Quality(1 + model.config.neighbours / 10_000)  # noqa: E731  # one line
    validation = Validation(graph, train, {"part": measure})
    choose("item_knn", [validation], np.random.default_rng(0), None, TuningBudget(num_trials=2))
    assert sorted(asked) == ["candidates", "space"]


def test_a_search_selects_nothing_that_its_guard_rejects() -> None:
    """On the first part long lists of neighbours are best, on the guard's part short ones."""
    graph, train, _ = checkerboard()

    def measure(sign: float) -> Measure:
        return lambda model: Quality(1 + sign * model.config.neighbours / 10_000)

    longer, shorter = (Validation(graph, train, {"part": measure(sign)}) for sign in (1.0, -1.0))
    default = ItemKNN.config_class().neighbours

    def selected(*guards: Validation) -> int:
        found = choose("item_knn", [longer], np.random.default_rng(0), None, TuningBudget(num_trials=8), guards)
        return int(found.config["neighbours"])

    assert selected() > default
    assert selected(longer) > default
    assert selected(shorter) == default


def test_relative_gains_on_all_parts_count_the_same() -> None:
    default = {"random": 0.4, "one": 0.05}
    first, second = {"random": 0.44, "one": 0.05}, {"random": 0.4, "one": 0.056}  # 10 % of one, 12 % of the other
    assert select([trial(default), trial(first), trial(second)]) == 2
    ndcg = [combine(trial(parts).parts).ndcg for parts in (default, first, second)]
    assert ndcg == sorted(ndcg)
    assert ndcg[0] == pytest.approx((0.4 * 0.05) ** 0.5)


def test_each_validation_has_its_own_fit_and_all_its_parts_are_measured() -> None:
    graph, train, withheld = checkerboard()
    held = np.arange(len(train)) % 6 == 0
    known = train.take(~held)
    rng = np.random.default_rng(0)
    validations = [
        Validation(graph, train, {"withheld": validation_measure(train, withheld, rng)}),
        Validation(
            graph,
            known,
            {
                name: validation_measure(known, part, rng)
                for name, part in (("sixth", train.take(held)), ("all", withheld))
            },
        ),
    ]
    tuning = choose("item_knn", validations, rng, effort=TuningBudget(num_trials=2))
    for found in tuning.trials:
        assert set(found.parts) == {"withheld", "sixth", "all"}
        model = ItemKNN(ItemKNN.config_class(**found.config))
        for validation in validations:
            model.fit(graph, validation.train, np.random.default_rng(0))
            for name, quality in validation.measure(model).items():
                np.testing.assert_array_equal(quality.values, found.parts[name].values)


def test_tuning_tries_each_candidate_and_takes_the_best() -> None:
    graph, train, withheld = checkerboard()
    measure = validation_measure(train, withheld, np.random.default_rng(0))
    told: list[tuple[int, int]] = []
    tuning = choose(
        "item_knn",
        [Validation(graph, train, {"withheld": measure})],
        np.random.default_rng(0),
        lambda done, total: told.append((done, total)),
        TuningBudget(num_trials=5),
    )
    candidates = ItemKNN.candidates(graph)
    assert [trial.config for trial in tuning.trials[: len(candidates)]] == [asdict(config) for config in candidates]
    assert len(candidates) < len(tuning.trials) <= len(candidates) + 5
    assert told[-1][1] == len(candidates) + 5
    assert tuning.config == tuning.trials[0].config
    assert tuning.trials[0].quality.ndcg == pytest.approx(1.0)


def test_a_model_with_one_candidate_is_not_tried() -> None:
    graph, train, withheld = checkerboard()
    measure = validation_measure(train, withheld, np.random.default_rng(0))
    tuning = choose("lightgcn", [Validation(graph, train, {"withheld": measure})], np.random.default_rng(0))
    assert (tuning.trials, tuning.seconds) == ((), 0.0)
    assert tuning.config == asdict(LightGCNConfig())
    with pytest.raises(UnknownNameError, match="did you mean item_knn"):
        choose("item_kn", [Validation(graph, train, {"withheld": measure})], np.random.default_rng(0))
