"""What users did with what they were shown: by hand, and by a simulation in which the truth is known."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from graphrec.errors import DataError
from graphrec.evaluation.off_policy import (
    AttributionWindow,
    RunFeedback,
    as_frame,
    estimate_examination,
    find_clicks,
    measure,
    parse_window,
)
from graphrec.evaluation.result import Estimate

DAY = 86_400

#: How often users look at a place, by rank from 1.
LOOKED = 1 / np.arange(1, 11)


def impressions(*rows: tuple[str, str, str, int, int], propensity: float = np.nan) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "run", "rank", "timestamp"])
    return frame.assign(propensity=propensity)


def behaviour(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])


def simulated(
    rng: np.random.Generator, ranks: range, relevance: float, run: str, num_users: int = 3000
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Impressions of items at random ranks among some, clicked where they are looked at and relevant, the propensity
    logged, and the clicks as behaviour an hour later."""
    size = num_users * 5
    rank = rng.choice(np.array(ranks), size)
    clicked = (rng.random(size) < LOOKED[rank - 1]) & (rng.random(size) < relevance)
    user = np.repeat(np.arange(num_users), 5)
    shown = pd.DataFrame(
        {
            "user_id": [f"{run}{k}" for k in user],
            "item_id": np.tile([f"i{k}" for k in range(5)], num_users),
            "run": run,
            "rank": rank,
            "timestamp": rng.integers(0, DAY, size),
            "propensity": LOOKED[rank - 1],
        }
    )
    done = shown.loc[clicked, ["user_id", "item_id", "timestamp"]]
    return shown, done.assign(timestamp=done["timestamp"] + 3600)


def holds(estimate: Estimate, value: float) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low < value < estimate.high


def width(estimate: Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


def test_a_click_is_within_the_window_and_after() -> None:
    shown = impressions(
        ("a", "x", "r", 1, 1000), ("a", "y", "r", 2, 1000), ("b", "x", "r", 1, 1000), ("a", "z", "r", 3, 5)
    )
    done = behaviour(("a", "x", 1100), ("a", "y", 1101), ("b", "x", 999), ("c", "z", 6))
    assert find_clicks(shown, done, 100).tolist() == [True, False, False, False]
    assert find_clicks(shown, done, 101).tolist() == [True, True, False, False]
    assert find_clicks(shown, behaviour(("b", "x", 1000)), 1).tolist() == [False, False, True, False]  # at its second
    assert find_clicks(shown, behaviour(), 100).tolist() == [False] * 4


def test_each_behaviour_counts_once_for_the_latest_showing() -> None:
    shown = impressions(("a", "x", "old", 1, 100), ("a", "x", "new", 3, 200), ("a", "x", "late", 1, 300))
    assert find_clicks(shown, behaviour(("a", "x", 250), ("a", "x", 260)), DAY).tolist() == [False, True, False]
    same = impressions(("a", "x", "p", 4, 100), ("a", "x", "q", 2, 100), ("a", "x", "r", 3, 100))
    assert find_clicks(same, behaviour(("a", "x", 100)), DAY).tolist() == [False, True, False]


def test_estimates_by_hand() -> None:
    """Three impressions with propensities 1, 0.05 and 0.5, of which the last two are clicked."""
    shown = impressions(("a", "x", "r", 1, 0), ("a", "y", "r", 9, 0), ("b", "x", "r", 2, 0))
    shown["propensity"] = [1, 0.05, 0.5]
    done = behaviour(("a", "y", 5), ("b", "x", 5))
    (found,) = measure(shown, done, AttributionWindow(window=10, cap=8), np.random.default_rng(0))
    assert isinstance(found, RunFeedback)
    assert (found.run, found.num_shown, found.num_users, found.num_clicks, found.propensity) == ("r", 3, 2, 2, "logged")
    assert found.click_rate.value == pytest.approx(2 / 3)
    assert found.ips.value == pytest.approx((20 + 2) / 3)
    assert found.capped_ips.value == pytest.approx((8 + 2) / 3)
    assert found.self_normalised.value == pytest.approx(2 / 1.55)
    # a sample has user a twice, b twice or both: of 1,000 more than 2.5 % are of each kind
    assert (found.click_rate.low, found.click_rate.high) == (0.5, 1)
    assert (found.ips.low, found.ips.high) == (2, 10)


def test_without_clicks_or_with_all_the_click_rate_has_the_exact_interval() -> None:
    shown = impressions(
        *((f"u{k}", "x", "none", 1, 0) for k in range(100)), *((f"u{k}", "y", "all", 1, 0) for k in range(10))
    )
    done = behaviour(*((f"u{k}", "y", 5) for k in range(10)))
    every, none = measure(shown, done, AttributionWindow(), np.random.default_rng(0))
    assert astuple(none.click_rate) == pytest.approx((0, 0, stats.binomtest(0, 100).proportion_ci().high))
    assert astuple(every.click_rate) == pytest.approx((1, stats.binomtest(10, 10).proportion_ci().low, 1))
    assert none.ips == none.capped_ips == none.self_normalised == Estimate(0.0)
    assert as_frame([none])["high"].isna().tolist() == [False, True, True, True]


def test_ips_finds_the_relevance_where_the_click_rate_does_not() -> None:
    """Both runs show items of relevance 0.3, one at the top and one further down."""
    rng = np.random.default_rng(0)
    parts = [simulated(rng, range(1, 4), 0.3, "top"), simulated(rng, range(4, 11), 0.3, "low")]
    shown, done = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    found = measure(shown, done, AttributionWindow(), rng)
    assert [run.run for run in found] == ["low", "top"]
    for run in found:
        assert run.propensity == "logged"
        assert holds(run.ips, 0.3)
        assert holds(run.self_normalised, 0.3)
        assert not holds(run.click_rate, 0.3)
    low, top = found
    assert low.click_rate.value < top.click_rate.value / 3


def test_the_cap_takes_variance_and_some_of_the_value() -> None:
    rng = np.random.default_rng(1)
    shown, done = simulated(rng, range(1, 11), 0.3, "r")
    (found,) = measure(shown, done, AttributionWindow(cap=3), rng)
    assert width(found.capped_ips) < width(found.ips) * 0.8
    assert width(found.self_normalised) < width(found.ips) * 0.8
    assert found.capped_ips.value < found.ips.value
    (uncapped,) = measure(shown, done, AttributionWindow(cap=10), rng)
    assert uncapped.capped_ips.value == pytest.approx(uncapped.ips.value)


def test_the_interval_holds_the_relevance_in_95_of_100_cases() -> None:
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        (found,) = measure(*simulated(rng, range(1, 11), 0.3, "r", 100), AttributionWindow(), rng)
        inside.append(holds(found.ips, 0.3))
    assert np.mean(inside) > 0.88


def test_propensities_are_estimated_from_clicks_where_none_are_logged() -> None:
    """Items are as good at all ranks, so the click rate of a rank is relevance times looking; the first is looked at
    always. One run shows at all ranks and one further down, which its click rate suffers from and its estimate not."""
    rng = np.random.default_rng(0)
    parts = [simulated(rng, range(1, 11), 0.3, "all"), simulated(rng, range(6, 11), 0.3, "low")]
    shown, done = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    found = measure(shown.assign(propensity=np.nan), done, AttributionWindow(), rng)
    assert [run.propensity for run in found] == ["estimated", "estimated"]
    assert found[0].ips.value == pytest.approx(0.3, abs=0.03)
    assert found[1].ips.value == pytest.approx(0.3, abs=0.03)
    assert found[1].click_rate.value < 0.05


def test_examination_falls_with_the_rank_and_starts_at_1() -> None:
    rng = np.random.default_rng(0)
    rank = rng.integers(1, 11, 40_000)
    clicked = (rng.random(40_000) < LOOKED[rank - 1]) & (rng.random(40_000) < 0.5)
    of_showing = estimate_examination(rank, clicked)
    found = np.array([of_showing[rank == r][0] for r in range(1, 11)])
    np.testing.assert_allclose(found, LOOKED, atol=0.03)
    assert found[0] == 1
    assert (np.diff(found) <= 0).all()


def test_examination_by_hand() -> None:
    """40 impressions at rank 1 with 8 clicks, 20 at rank 3 with 1 and 20 at rank 7 with 3, clicked at 0.15 in all: with
    20 more at that rate 11/60, 4/40 and 6/40, of which the last two, out of order, become 5/40."""
    rank = np.repeat([1, 3, 7], [40, 20, 20])
    clicked = np.concatenate([np.arange(40) < 8, np.arange(20) < 1, np.arange(20) < 3])
    found = estimate_examination(rank, clicked)
    assert found[[0, 40, 60]] == pytest.approx([1, (5 / 40) / (11 / 60), (5 / 40) / (11 / 60)])
    assert (estimate_examination(rank, np.zeros(80, dtype=bool)) == 1).all()


def test_a_run_with_a_gap_in_its_log_is_estimated_and_others_are_not() -> None:
    shown = impressions(("a", "x", "gap", 1, 0), ("a", "y", "gap", 2, 0), ("a", "z", "whole", 1, 0), propensity=0.5)
    shown.loc[1, "propensity"] = np.nan
    found = measure(shown, behaviour(("a", "z", 1)), AttributionWindow(), np.random.default_rng(0))
    assert [(run.run, run.propensity, run.ips.value) for run in found] == [
        ("gap", "estimated", 0),
        ("whole", "logged", 2),
    ]


def test_the_same_seed_gives_the_same_estimates() -> None:
    shown, done = simulated(np.random.default_rng(0), range(1, 11), 0.3, "r", 50)
    first, second = (measure(shown, done, AttributionWindow(), np.random.default_rng(1)) for _ in range(2))
    assert list(map(astuple, first)) == list(map(astuple, second))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("run", None, "without a run: a → y"),
        ("rank", "first", "without a number as rank: a → y"),
        ("timestamp", None, "without Unix seconds as timestamp: a → y"),
        ("rank", 0, "with a rank that is not a whole number from 1"),
        ("rank", 1.5, "with a rank that is not a whole number from 1"),
        ("propensity", 0.0, r"with a propensity outside \(0, 1\]"),
        ("propensity", 1.01, r"with a propensity outside \(0, 1\].*correct or delete"),
    ],
)
def test_a_showing_that_cannot_be_is_named(column: str, value: object, message: str) -> None:
    shown = impressions(("a", "x", "r", 1, 0), ("a", "y", "r", 2, 0)).astype({column: object})
    shown[column] = [shown[column][0], value]
    with pytest.raises(DataError, match=f"1 of 2 impressions .*{message}"):
        measure(shown, behaviour(("a", "x", 1)), AttributionWindow(), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", DAY), ("7d", 7 * DAY), (" 2 w", 14 * DAY)]
)
def test_a_window_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    assert parse_window(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "0h", "-1d", "1.5h", "7 days"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="is not a duration; write a number with s, m, h, d or w"):
        parse_window(text)
