"""What users did with what they were shown: click-through and inverse-propensity estimates for each run.

A showing is an item put before a user by a run at a rank (from 1) and a time. It is clicked where the user did
something with the item within a window after it; each behaviour counts once, for the latest showing before it. Users
look at first places more than at last ones, so the click rate depends on the ranks of items as well as on how good they
are. The propensity of a showing is the probability that the user looked at it; a click divided by it counts for those
who did not look. Joachims, Swaminathan and Schnabel, "Unbiased learning-to-rank with biased feedback", WSDM 2017.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize

from graphrec.errors import DataError, first_few
from graphrec.evaluation.result import Estimate
from graphrec.evaluation.significance import INTERVAL_REPEATS, add_interval, bootstrap_means
from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Seconds of a unit of time.
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

#: Prior: impressions at the overall click rate added to each rank, so that a rare rank has little weight.
PRIOR_IMPRESSIONS = 20.0


@dataclass(frozen=True)
class AttributionWindow:
    """How clicks are counted: seconds that a behaviour may come after a showing, and the most that a click counts in
    the capped estimate."""

    window: int = 86_400
    cap: float = 10.0


@dataclass(frozen=True)
class RunFeedback:
    """Clicks on the impressions of a run; each Estimate with the 95 % interval of the bootstrap over users.

    N impressions s have the click c_s (1 or 0) and the propensity p_s.
    click_rate: Σ c / N, clicks per showing.
    ips: Σ (c / p) / N, the mean relevance of what was shown: the click rate if users had looked at every place.
    capped_ips: Σ c · min(1 / p, cap) / N: too low where p < 1 / cap, and with less variance.
    self_normalised: Σ c / Σ p, the same as `ips` where items are as good at all ranks, else the mean relevance with
        places weighted by how much they are looked at; the least variance. (The usual Σ (c / p) / Σ (1 / p) is over
        the impressions that were examined, which is unknown.)
    propensity: `logged` if all impressions of the run have one, else `estimated` by rank (`examination`). Intervals
        take propensities as known.
    """

    run: str
    num_shown: int
    num_users: int
    num_clicks: int
    propensity: Literal["logged", "estimated"]
    click_rate: Estimate
    ips: Estimate
    capped_ips: Estimate
    self_normalised: Estimate


def measure(
    shown: pd.DataFrame, behaviour: pd.DataFrame, rules: AttributionWindow, rng: np.random.Generator
) -> tuple[RunFeedback, ...]:
    """Clicks on the impressions of each run, by id of the run.

    `shown` has the columns user_id, item_id, run, rank, timestamp (Unix seconds) and propensity, NaN if
    unknown; `behaviour` user_id, item_id and timestamp. Propensities by rank are estimated from the impressions of all
    runs.
    Raises DataError if impressions lack run, rank or timestamp, or have a rank below 1 or a propensity outside (0, 1].
    """
    shown = shown.assign(
        **{name: pd.to_numeric(shown[name], errors="coerce") for name in ("rank", "timestamp", "propensity")}
    )
    _check(shown)
    clicked = clicks(shown, behaviour, rules.window)
    estimated = examination(shown["rank"].to_numpy(dtype=np.int64), clicked)
    logged = shown["propensity"].to_numpy(dtype=np.float64)
    run = shown["run"].astype("str").to_numpy()
    user = pd.factorize(shown["user_id"])[0]
    found = []
    for name in sorted(set(run)):
        rows = run == name
        known = not np.isnan(logged[rows]).any()
        propensity = (logged if known else estimated)[rows]
        sums = _sums(user[rows], clicked[rows], propensity, rules.cap)
        values = _ratios(sums, rng)
        counts = (int(rows.sum()), len(sums), int(clicked[rows].sum()))
        found.append(RunFeedback(name, *counts, "logged" if known else "estimated", *values))
    return tuple(found)


def as_frame(runs: Sequence[RunFeedback]) -> pd.DataFrame:
    """A row for each run and estimate: run, shown, users, clicks, propensity, estimate, value, low, high."""
    rows = []
    for run in runs:
        counts = (run.run, run.num_shown, run.num_users, run.num_clicks, run.propensity)
        for name in ("click_rate", "ips", "capped_ips", "self_normalised"):
            found: Estimate = getattr(run, name)
            rows.append((*counts, name, found.value, found.low, found.high))
    columns = ["run", "shown", "users", "clicks", "propensity", "estimate", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def clicks(shown: pd.DataFrame, behaviour: pd.DataFrame, window: int) -> npt.NDArray[np.bool_]:
    """Which impressions [num_shown] were followed by behaviour at most `window` seconds later.

    Each behaviour counts once, for the latest showing before it or at its second, whichever run made it, and of several
    at one time for the one with the best rank. More of them after one showing are one click.
    """
    found = np.zeros(len(shown), dtype=bool)
    if not len(shown) or not len(behaviour):
        return found
    keys = ["user_id", "item_id"]
    left = behaviour[[*keys, "timestamp"]].astype({"timestamp": "int64"}).sort_values("timestamp")
    right = shown[[*keys, "timestamp", "rank"]].astype({"timestamp": "int64"})
    right = right.assign(place=np.arange(len(shown))).sort_values(["timestamp", "rank"], ascending=[True, False])
    joined = pd.merge_asof(left, right, on="timestamp", by=keys, tolerance=window)
    found[joined["place"].dropna().to_numpy(dtype=np.int64)] = True
    return found


def examination(rank: IndexArray, clicked: npt.NDArray[np.bool_]) -> Floats:
    """The estimated probability that each showing [num_shown] was looked at, relative to the best rank, by its rank.

    The click rate of a rank, shrunk towards that of all ranks by a prior of 20 impressions, made non-increasing
    (isotonic regression, weighted by impressions) and divided by that of the first rank; 1 without any click. It
    assumes equally good items at all ranks: if good ones come first, later ranks look less examined than they are, and
    `ips` is too high and differs less between runs than it should. Ranks shuffled for a small share of users, or logged
    propensities, avoid this.
    """
    ranks, place = np.unique(rank, return_inverse=True)
    number = np.bincount(place, minlength=len(ranks)).astype(np.float64)
    hit = np.bincount(place, clicked, minlength=len(ranks))
    if not hit.any():
        return np.ones(len(rank))
    rate = (hit + PRIOR_IMPRESSIONS * hit.sum() / number.sum()) / (number + PRIOR_IMPRESSIONS)
    falling = optimize.isotonic_regression(rate, weights=number, increasing=False).x
    return np.asarray((falling / falling[0])[place], dtype=np.float64)


def parse_window(text: str) -> int:
    """The seconds of a time such as `90s`, `30m`, `24h`, `7d` or `2w`; DataError if it is not one."""
    match = re.fullmatch(rf"\s*(\d+)\s*([{''.join(UNITS)}])\s*", text)
    if match is None or not int(match[1]):
        raise DataError(f"'{text}' is no time; write a number with s, m, h, d or w, such as 24h or 7d")
    return int(match[1]) * UNITS[match[2]]


def _check(shown: pd.DataFrame) -> None:
    """Raise DataError where a showing lacks something or has what cannot be."""
    rank, propensity = (shown[name].to_numpy(dtype=np.float64) for name in ("rank", "propensity"))
    names = {"run": "a run", "rank": "a number as rank", "timestamp": "Unix seconds as timestamp"}
    wrong = {f"without {what}": shown[name].isna().to_numpy() for name, what in names.items()}
    wrong["with a rank that is no whole number from 1"] = (rank < 1) | (rank % 1 > 0)
    wrong["with a propensity outside (0, 1]"] = (propensity <= 0) | (propensity > 1)
    for what, rows in wrong.items():
        if rows.any():
            pairs = shown.loc[rows, ["user_id", "item_id"]].head(6).itertuples(index=False)
            raise DataError(
                f"{int(rows.sum()):,} of {len(shown):,} impressions (user → item) are {what}: "
                f"{first_few(f'{user} → {item}' for user, item in pairs)}; set it right in the graph, or delete them"
            )


def _sums(user: IndexArray, clicked: npt.NDArray[np.bool_], propensity: Floats, cap: float) -> Floats:
    """For each user of a run [num_users, 5]: impressions, Σ p, clicks, Σ c / p, Σ c · min(1 / p, cap)."""
    place = np.unique(user, return_inverse=True)[1]
    weight = 1 / propensity
    parts = (np.ones(len(place)), propensity, clicked, clicked * weight, clicked * np.minimum(weight, cap))
    return np.stack([np.bincount(place, part) for part in parts], axis=1)


def _ratios(sums: Floats, rng: np.random.Generator) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """The four estimates of a run: a sum over users divided by another, in each sample of users."""
    means = np.concatenate([sums.mean(axis=0, keepdims=True), bootstrap_means(sums, rng, INTERVAL_REPEATS)])
    shown, looked, number, weighted, capped = means.T
    click_rate, ips, capped_ips, normalised = (
        add_interval(ratio[0], ratio[1:])
        for ratio in (number / shown, weighted / shown, capped / shown, number / looked)
    )
    return click_rate, ips, capped_ips, normalised
