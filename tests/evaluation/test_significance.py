"""Intervals, p-values and corrections: by hand, by simulation, and against scipy."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import stats

from graphrec.errors import DataError
from graphrec.evaluation.metrics import PerUser
from graphrec.evaluation.result import Estimate
from graphrec.evaluation.significance import (
    PooledValues,
    bootstrap_means,
    column_means,
    compare_pairs,
    estimate_means,
    holm_correction,
    pool_trials,
)
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class Round:
    """What an Evaluation has of users."""

    user_index: IndexArray
    per_user: PerUser = field(default_factory=dict)


def models(**values: np.ndarray) -> Mapping[str, Round]:
    return {name: Round(np.arange(len(of_users)), {"ndcg@10": of_users}) for name, of_users in values.items()}


def bounds(estimate: Estimate) -> list[float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return [estimate.low, estimate.high]


def test_holm_by_hand() -> None:
    """Four comparisons: 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04, which is not below the one before it."""
    np.testing.assert_allclose(holm_correction(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm_correction(np.array([0.7, np.nan, 0.6])), [1, np.nan, 1])
    np.testing.assert_allclose(holm_correction(np.array([0.2])), [0.2])
    assert len(holm_correction(np.empty(0))) == 0


def test_the_interval_holds_the_mean_in_95_of_100_cases() -> None:
    """800 samples of 100 normal values with mean 2."""
    rng = np.random.default_rng(0)
    values = {str(k): column for k, column in enumerate(rng.normal(2, 3, (800, 100)))}
    found = estimate_means(values, rng)
    inside = [low < 2 < high for low, high in map(bounds, found.values())]
    assert 0.92 < np.mean(inside) < 0.97
    assert found["7"].value == pytest.approx(values["7"].mean())


def test_the_interval_of_a_mean_contains_it_and_shrinks() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.normal(0.3, 1, 100), rng.normal(0.3, 1, 10_000)
    low, high = bounds(estimate_means({"ndcg@10": few}, rng)["ndcg@10"])
    assert low < few.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * few.std() / 10, rel=0.15)
    narrow = bounds(estimate_means({"ndcg@10": many}, rng)["ndcg@10"])
    assert narrow[1] - narrow[0] < (high - low) / 5
    assert bounds(estimate_means({"ndcg@10": np.full(5, 0.25)}, rng)["ndcg@10"]) == [0.25, 0.25]


def test_the_interval_equals_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    values = rng.exponential(1, 200)
    found = estimate_means({"ndcg@10": values}, rng, 20_000)["ndcg@10"]
    peer = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=rng).confidence_interval
    assert bounds(found) == pytest.approx([peer.low, peer.high], abs=0.004)


def test_every_column_is_resampled_with_the_same_users() -> None:
    """So a difference of two columns is the column of differences, sample by sample, and pairs stay pairs."""
    a, b = np.random.default_rng(0).random((2, 50))
    means = bootstrap_means(np.stack([a, b, a - b], axis=1), np.random.default_rng(1), 2500)
    np.testing.assert_allclose(means[:, 0] - means[:, 1], means[:, 2], atol=1e-12)
    assert means[:, 0].std() == pytest.approx(a.std() / math.sqrt(50), rel=0.05)


def test_chunks_give_other_draws_of_the_same_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.evaluation.significance.DRAWN_AT_ONCE", 130)
    values = np.random.default_rng(0).random((50, 1))
    means = bootstrap_means(values, np.random.default_rng(1), 2501)
    assert not np.isnan(means).any()
    assert means.std() == pytest.approx(values.std() / math.sqrt(50), rel=0.05)


def test_a_missing_value_leaves_a_user_out_of_its_column() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(400)
    half = np.where(np.arange(400) % 2 == 0, values, np.nan)
    found = estimate_means({"all": values, "half": half, "none": np.full(400, np.nan)}, rng)
    alone = estimate_means({"half": half[::2]}, rng)["half"]
    assert found["half"].value == pytest.approx(values[::2].mean())
    assert bounds(found["half"]) == pytest.approx(bounds(alone), abs=0.01)
    assert math.isnan(found["none"].value)
    assert (found["none"].low, found["none"].high) == (None, None)
    nobody = estimate_means({"ndcg@10": np.empty(0)}, rng)["ndcg@10"]
    assert math.isnan(nobody.value)
    assert nobody.low is None
    assert estimate_means({}, rng) == {}


def test_without_a_difference_p_is_uniform() -> None:
    """800 comparisons of models that differ by chance alone."""
    rng = np.random.default_rng(0)
    values = {f"m{k}": rng.normal(0, 1, 100) for k in range(800)}
    found = compare_pairs(
        models(base=np.zeros(100), **values), {"ndcg@10": [(name, "base") for name in values]}, rng, 1000
    )
    p = np.array([difference.p for difference in found])
    assert 0.03 < (p <= 0.05).mean() < 0.08
    assert stats.kstest(p, "uniform").statistic < 0.06
    assert {difference.verdict for difference in found} == {"not significant"}  # Holm sees that there are 800


def test_p_and_effect_agree_with_the_paired_t_test() -> None:
    rng = np.random.default_rng(3)
    a, noise = rng.normal(0, 1, (2, 2000))
    b = a + 0.05 + noise
    found = compare_pairs(models(a=a, b=b), {"ndcg@10": [("b", "a")]}, rng, 20_000)[0]
    peer = stats.ttest_rel(b, a)
    assert found.p == pytest.approx(peer.pvalue, abs=0.01)
    assert found.effect == pytest.approx(peer.statistic / math.sqrt(2000))
    assert found.estimate.value == pytest.approx((b - a).mean())


def test_differences_stand_in_order_with_verdicts_and_one_correction() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(500)
    found = compare_pairs(
        models(base=base, better=base + rng.random(500), worse=base - rng.random(500), same=base),
        {"ndcg@10": [("better", "base"), ("worse", "base"), ("same", "base")]},
        rng,
        999,
    )
    assert [(d.first, d.second, d.metric, d.verdict) for d in found] == [
        ("better", "base", "ndcg@10", "better"),
        ("worse", "base", "ndcg@10", "worse"),
        ("same", "base", "ndcg@10", "not significant"),
    ]
    assert [d.p for d in found] == pytest.approx([2 / 1000, 2 / 1000, 1])  # never 0
    assert [d.p_holm for d in found] == pytest.approx([6 / 1000, 6 / 1000, 1])
    assert (found[2].effect, found[2].estimate) == (0, Estimate(0, 0, 0))
    assert bounds(found[0].estimate)[0] > 0


def test_the_same_seed_gives_the_same_differences() -> None:
    values = np.random.default_rng(0).random((2, 30))
    first, second = (
        compare_pairs(models(a=values[0], b=values[1]), {"ndcg@10": [("a", "b")]}, np.random.default_rng(5))
        for _ in range(2)
    )
    assert first == second


def test_a_difference_that_never_varies_has_no_finite_effect() -> None:
    base = np.full(40, 0.3)
    found = compare_pairs(models(a=base - 0.1, b=base), {"ndcg@10": [("a", "b")]}, np.random.default_rng(0), 99)[0]
    assert found.effect == -math.inf
    assert found.verdict == "worse"


def test_other_users_cannot_be_compared() -> None:
    measured = {"a": Round(np.array([1, 2])), "b": Round(np.array([1, 3])), "c": Round(np.array([1, 2]))}
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="b: 1 of 3 models were measured on other users than a.*one split"):
        compare_pairs(measured, {"ndcg@10": [("a", "b"), ("c", "a")]}, rng)
    assert compare_pairs(measured, {"ndcg@10": []}, rng) == ()


def test_each_metric_is_corrected_for_its_own_pairs() -> None:
    """A second metric changes nothing of what is told of the first."""
    rng = np.random.default_rng(0)
    ndcg, recall = rng.random((2, 3, 60))
    measured = {
        name: Round(np.arange(60), {"ndcg@10": ndcg[row], "recall@10": recall[row]}) for row, name in enumerate("abc")
    }
    pairs = [("a", "b"), ("a", "c")]
    both = compare_pairs(measured, {"ndcg@10": pairs, "recall@10": pairs[:1]}, np.random.default_rng(1))
    assert [(d.first, d.second, d.metric) for d in both] == [
        ("a", "b", "ndcg@10"), ("a", "c", "ndcg@10"), ("a", "b", "recall@10")
    ]  # fmt: skip
    assert both[:2] == compare_pairs(measured, {"ndcg@10": pairs}, np.random.default_rng(1))
    assert both[2].p_holm == both[2].p
    assert [d.p_holm for d in both[:2]] == holm_correction(np.array([d.p for d in both[:2]])).tolist()


def test_pooling_takes_a_users_mean_over_rounds() -> None:
    first = Round(np.array([1, 2, 5]), {"ndcg@10": np.array([0.2, 0.4, np.nan]), "recall@10": np.zeros(3)})
    second = Round(np.array([5, 2]), {"ndcg@10": np.array([0.5, 1.0])})
    third = Round(np.array([2, 7]), {"ndcg@10": np.array([0.1, np.nan])})
    found = pool_trials([first, second, third])
    assert isinstance(found, PooledValues)
    assert found.user_index.tolist() == [1, 2, 5, 7]
    assert list(found.per_user) == ["ndcg@10"]
    np.testing.assert_allclose(found.per_user["ndcg@10"], [0.2, 0.5, 0.5, np.nan])


def test_repeated_rounds_do_not_look_like_more_users() -> None:
    rng = np.random.default_rng(0)
    one = Round(np.arange(100), {"ndcg@10": rng.random(100)})
    found = [
        estimate_means(pool_trials([one] * number).per_user, np.random.default_rng(1))["ndcg@10"] for number in (1, 10)
    ]
    assert bounds(found[0]) == pytest.approx(bounds(found[1]))


def test_means_leave_out_what_is_missing() -> None:
    np.testing.assert_allclose(column_means(np.array([[1, np.nan, np.nan], [3, 5, np.nan]])), [2, 5, np.nan])
