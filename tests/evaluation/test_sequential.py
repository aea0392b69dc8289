"""The comparison of click rates at any time: its figures by hand, its false alarms when looked at daily, its power."""

import math

import numpy as np
import pandas as pd
import pytest

from graphrec.evaluation.sequential import (
    MIN_CLICKS,
    ClickComparison,
    Floats,
    SequentialConfig,
    compare_click_rates,
    compare_sums,
    half_width,
)

DAYS, ALPHA = 28, 0.05


def count_by_user(rng: np.random.Generator, rate: float, taste: Floats) -> Floats:
    """Impressions and clicks [2, days, users] of users who come back and differ by the factor `taste` of their rate."""
    shown = rng.poisson(0.6, (DAYS, len(taste)))
    return np.stack([shown, rng.binomial(shown, np.clip(rate * taste, 0, 1))])


def look_daily(rng: np.random.Generator, old: float, new: float, num_users: int = 150) -> list[ClickComparison]:
    """What is found on each day after a change of the run; the users see the new run after the old one."""
    taste = rng.gamma(2.0, 0.5, num_users)  # mean 1
    before = count_by_user(rng, old, taste).sum(axis=1)
    after = count_by_user(rng, new, taste).cumsum(axis=1)
    config = SequentialConfig(ALPHA, 0.2, 50)
    return [compare_sums(("a", "b"), np.stack([before, after[:, day]]), config) for day in range(DAYS)]


def excludes_zero(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and (low > 0 or high < 0)


def test_the_variance_is_that_of_users_and_pairs_them() -> None:
    shown = pd.DataFrame(
        {
            "user_id": ["u", "u", "v", "v", "u", "u", "v", "w"],
            "run": ["a"] * 4 + ["b"] * 4,
            "clicked": [True, True, False, False, True, False, False, False],
        }
    )
    found = compare_click_rates("a", "b", pd.concat([shown] * 20), SequentialConfig(0.05, 0.2, 2))
    assert (found.first.num_shown, found.first.num_users, found.first.num_clicks) == (80, 2, 40)
    assert (found.second.num_shown, found.second.num_users, found.second.num_clicks) == (80, 3, 20)
    # a: u (40 − 0.5 · 40) / 80, v −0.25; b: u (20 − 0.25 · 40) / 80, v and w (0 − 0.25 · 20) / 80
    influence = np.array([0.125 - 0.25, -0.0625 + 0.25, -0.0625])
    variance = (influence**2).sum() * 3 / 2
    assert found.difference.value == pytest.approx(-0.25)
    assert found.difference.low == pytest.approx(-0.25 - 1.959964 * math.sqrt(variance))
    prior = 1 / (0.2 * 30 / 80) ** 2
    information = 1 / variance
    width = math.sqrt((information + prior) * math.log((information + prior) / prior / 0.05**2)) / information
    assert found.always.high == pytest.approx(-0.25 + width)


def test_the_interval_at_all_looks_is_wider_and_narrows() -> None:
    widths = [half_width(variance, 0.02, 0.05) for variance in (1e-3, 1e-4, 1e-5, 1e-6)]
    assert widths == sorted(widths, reverse=True)
    assert all(
        width > 1.96 * math.sqrt(variance) for width, variance in zip(widths, (1e-3, 1e-4, 1e-5, 1e-6), strict=True)
    )
    assert half_width(1e-4, 0.02, 0.01) > half_width(1e-4, 0.02, 0.05)


def test_without_enough_users_or_clicks_nothing_is_concluded() -> None:
    rows = [(f"u{number % 60}", run, run == "a" and number % 3 == 0) for run in "ab" for number in range(600)]
    shown = pd.DataFrame(rows, columns=["user_id", "run", "clicked"])
    few = compare_click_rates("a", "b", shown, SequentialConfig(min_users=61))
    assert few.difference.low is None
    assert not few.is_worse
    assert compare_click_rates("a", "b", shown, SequentialConfig(min_users=50)).is_worse
    rare = shown.assign(clicked=shown.index < 2 * MIN_CLICKS - 1)  # expected are half of these in each run
    assert compare_click_rates("a", "b", rare, SequentialConfig(min_users=50)).always.low is None
    enough = shown.assign(clicked=shown.index < 2 * MIN_CLICKS)
    assert compare_click_rates("a", "b", enough, SequentialConfig(min_users=50)).is_worse
    assert compare_click_rates("a", "c", shown).second.num_shown == 0
    assert compare_click_rates("c", "d", shown.head(0)).difference.value == 0


def test_false_alarms_of_daily_looks_stay_under_alpha_which_a_fixed_interval_exceeds() -> None:
    rng = np.random.default_rng(1)
    always = once = 0
    repeats = 200
    for _ in range(repeats):
        looks = look_daily(rng, 0.05, 0.05)
        always += any(excludes_zero(each.always.low, each.always.high) for each in looks)
        once += any(excludes_zero(each.difference.low, each.difference.high) for each in looks)
    assert always <= ALPHA * repeats
    assert once > 2 * ALPHA * repeats, "the fixed interval would be wrong; else this test shows nothing"


def test_a_drop_by_half_is_found_and_its_sign_is_right() -> None:
    rng = np.random.default_rng(2)
    looks = [look_daily(rng, 0.05, 0.025, 400) for _ in range(50)]
    assert sum(any(each.is_worse for each in found) for found in looks) >= 48
    assert not any(each.is_better for found in looks for each in found)
    assert sum(any(each.is_better for each in look_daily(rng, 0.025, 0.05, 400)) for _ in range(50)) >= 48
