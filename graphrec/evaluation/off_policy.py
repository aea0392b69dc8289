"""Off-policy evaluation: click-through and inverse-propensity estimates for each run from logged impressions.

An impression is an item shown to a user by a run at a rank (from 1) and a time. A behaviour of the same user and item
within a window after it is its click; each behaviour counts once, for the latest impression before it. Users examine
first ranks more often than later ones, so the click rate depends on ranks as well as on relevance. The propensity of an
impression is the probability that the user examined it; a click is divided by it to correct for users who did not.
Joachims, Swaminathan and Schnabel, "Unbiased learning-to-rank with biased feedback", WSDM 2017.
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

#: Unit of time -> its seconds.
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

#: Prior: impressions at the overall click rate added to each rank, so that a rare rank has little weight.
PRIOR_IMPRESSIONS = 20.0


@dataclass(frozen=True)
class AttributionWindow:
    """How clicks are counted: the maximum seconds between an impression and a behaviour that is its click, and the
    maximum weight of a click in the capped estimate."""

    window: int = 86_400
    cap: float = 10.0


@dataclass(frozen=True)
class RunFeedback:
    """Clicks on the impressions of a run; each Estimate with the 95 % interval of the bootstrap over users.

    If none or all of the impressions are clicked, samples do not differ. The interval of `click_rate` is then that of
    Clopper and Pearson (Biometrika, 1934) over users, and an interval without width is unknown (None).

    N impressions s have the click c_s (1 or 0) and the propensity p_s.
    click_rate: Σ c / N, clicks per impression.
    ips: Σ (c / p) / N, the mean relevance of the impressions: the click rate if users had examined all of them.
    capped_ips: Σ c · min(1 / p, cap) / N: biased downwards if p < 1 / cap, with a lower variance.
    self_normalised: Σ c / Σ p, the mean relevance with impressions weighted by their propensity; it equals `ips` if
        items are equally good at all ranks, and has the lowest variance. (The usual Σ (c / p) / Σ (1 / p) is over the
        impressions that were examined, which are not known.)
    propensity: `logged` if all impressions of the run have one, else `estimated` by rank (`estimate_examination`).
        Intervals do not include the error of propensities.
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
    shown: pd.DataFrame, behaviour: pd.DataFrame, attribution: AttributionWindow, rng: np.random.Generator
) -> tuple[RunFeedback, ...]:
    """Clicks on the impressions of each run, by id of the run.

    `shown` has the columns user_id, item_id, run, rank, timestamp (Unix seconds) and propensity, NaN if
    unknown; `behaviour` has user_id, item_id and timestamp. Propensities by rank are estimated from the impressions of
    all runs.

    Raises DataError if impressions lack run, rank or timestamp, or have a rank below 1 or a propensity outside (0, 1].
    """
    shown = shown.assign(
        **{name: pd.to_numeric(shown[name], errors="coerce") for name in ("rank", "timestamp", "propensity")}
    )
    _require_valid(shown)
    clicked = find_clicks(shown, behaviour, attribution.window)
    estimated = estimate_examination(shown["rank"].to_numpy(dtype=np.int64), clicked)
    logged = shown["propensity"].to_numpy(dtype=np.float64)
    run = shown["run"].astype("str").to_numpy()
    user = pd.factorize(shown["user_id"])[0]
    runs = []
    for name in sorted(set(run)):
        rows = run == name
        is_logged = not np.isnan(logged[rows]).any()
        propensity = (logged if is_logged else estimated)[rows]
        sums = _sum_by_user(user[rows], clicked[rows], propensity, attribution.cap)
        values = _estimate_ratios(sums, rng)
        counts = (int(rows.sum()), len(sums), int(clicked[rows].sum()))
        runs.append(RunFeedback(name, *counts, "logged" if is_logged else "estimated", *values))
    return tuple(runs)


def as_frame(runs: Sequence[RunFeedback]) -> pd.DataFrame:
    """A row for each run and estimate: run, shown, users, clicks, propensity, estimate, value, low, high."""
    rows = []
    for run in runs:
        counts = (run.run, run.num_shown, run.num_users, run.num_clicks, run.propensity)
        for name in ("click_rate", "ips", "capped_ips", "self_normalised"):
            estimate: Estimate = getattr(run, name)
            rows.append((*counts, name, estimate.value, estimate.low, estimate.high))
    columns = ["run", "shown", "users", "clicks", "propensity", "estimate", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype({"low": "float64", "high": "float64"})


def find_clicks(shown: pd.DataFrame, behaviour: pd.DataFrame, window: int) -> npt.NDArray[np.bool_]:
    """Which impressions [num_shown] were followed by behaviour at most `window` seconds later.

    Each behaviour counts once, for the latest impression of any run before it or at the same second; among impressions
    at one time, for the one with the best rank. Several behaviours after one impression are one click.
    """
    clicked = np.zeros(len(shown), dtype=bool)
    if not len(shown) or not len(behaviour):
        return clicked
    keys = ["user_id", "item_id"]
    left = behaviour[[*keys, "timestamp"]].astype({"timestamp": "int64"}).sort_values("timestamp")
    right = shown[[*keys, "timestamp", "rank"]].astype({"timestamp": "int64"})
    right = right.assign(row=np.arange(len(shown))).sort_values(["timestamp", "rank"], ascending=[True, False])
    joined = pd.merge_asof(left, right, on="timestamp", by=keys, tolerance=window)
    clicked[joined["row"].dropna().to_numpy(dtype=np.int64)] = True
    return clicked


def estimate_examination(rank: IndexArray, clicked: npt.NDArray[np.bool_]) -> Floats:
    """The estimated probability that each impression [num_shown] was examined, relative to the best rank, by its rank.

    It is the click rate of the rank, shrunk towards that of all ranks by a prior of 20 impressions, made non-increasing
    (isotonic regression, weighted by impressions) and divided by that of the first rank; 1 if there is no click. It
    assumes equally good items at all ranks. If good items come first, later ranks seem less examined than they are, so
    `ips` is too high and differs too little between runs. Shuffled ranks for a small share of users, or logged
    propensities, avoid this.
    """
    ranks, index = np.unique(rank, return_inverse=True)
    num_shown = np.bincount(index, minlength=len(ranks)).astype(np.float64)
    num_clicked = np.bincount(index, clicked, minlength=len(ranks))
    if not num_clicked.any():
        return np.ones(len(rank))
    prior_clicks = PRIOR_IMPRESSIONS * num_clicked.sum() / num_shown.sum()
    rate = (num_clicked + prior_clicks) / (num_shown + PRIOR_IMPRESSIONS)
    monotone = optimize.isotonic_regression(rate, weights=num_shown, increasing=False).x
    return np.asarray((monotone / monotone[0])[index], dtype=np.float64)


def parse_window(text: str) -> int:
    """The seconds of a duration such as `90s`, `30m`, `24h`, `7d` or `2w`; DataError if the text is not one."""
    match = re.fullmatch(rf"\s*(\d+)\s*([{''.join(UNITS)}])\s*", text)
    if match is None or not int(match[1]):
        raise DataError(f"'{text}' is not a duration; write a number with s, m, h, d or w, such as 24h or 7d")
    return int(match[1]) * UNITS[match[2]]


def _require_valid(shown: pd.DataFrame) -> None:
    """Raise DataError if an impression lacks a run, a rank or a time, or has a value out of range."""
    rank, propensity = (shown[name].to_numpy(dtype=np.float64) for name in ("rank", "propensity"))
    names = {"run": "a run", "rank": "a number as rank", "timestamp": "Unix seconds as timestamp"}
    wrong = {f"without {what}": shown[name].isna().to_numpy() for name, what in names.items()}
    wrong["with a rank that is not a whole number from 1"] = (rank < 1) | (rank % 1 > 0)
    wrong["with a propensity outside (0, 1]"] = (propensity <= 0) | (propensity > 1)
    for what, rows in wrong.items():
        if rows.any():
            pairs = shown.loc[rows, ["user_id", "item_id"]].head(6).itertuples(index=False)
            raise DataError(
                f"{int(rows.sum()):,} of {len(shown):,} impressions (user → item) are {what}: "
                f"{first_few(f'{user} → {item}' for user, item in pairs)}; correct or delete these edges in the graph"
            )


def _sum_by_user(user: IndexArray, clicked: npt.NDArray[np.bool_], propensity: Floats, cap: float) -> Floats:
    """For each user of a run [num_users, 5]: impressions, Σ p, clicks, Σ c / p, Σ c · min(1 / p, cap)."""
    row = np.unique(user, return_inverse=True)[1]
    weight = 1 / propensity
    parts = (np.ones(len(row)), propensity, clicked, clicked * weight, clicked * np.minimum(weight, cap))
    return np.stack([np.bincount(row, part) for part in parts], axis=1)


def _estimate_ratios(sums: Floats, rng: np.random.Generator) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """The four estimates of a run, each a ratio of two sums over users, with intervals from resampled users."""
    means = np.concatenate([sums.mean(axis=0, keepdims=True), bootstrap_means(sums, rng, INTERVAL_REPEATS)])
    shown, examined, clicked, weighted, capped = means.T
    click_rate, ips, capped_ips, normalised = (
        add_interval(ratio[0], ratio[1:])
        for ratio in (clicked / shown, weighted / shown, capped / shown, clicked / examined)
    )
    clicks = int(sums[:, 2].sum())
    if 0 < clicks < int(sums[:, 0].sum()):
        return click_rate, ips, capped_ips, normalised
    bound = 0.025 ** (1 / len(sums))  # a user is one trial, as the impressions of a user are not independent
    click_rate = Estimate(1.0, bound, 1.0) if clicks else Estimate(0.0, 0.0, 1 - bound)
    ips, capped_ips, normalised = (
        Estimate(each.value) if each.low == each.high else each for each in (ips, capped_ips, normalised)
    )
    return click_rate, ips, capped_ips, normalised
