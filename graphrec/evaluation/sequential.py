"""Compare the click rates of two runs at any time, as often as one likes, with one error probability for all looks.

A 95 % interval that is looked at every day excludes the true difference on some day far more often than 5 %. The bounds
here hold for all looks at once: a normal-mixture confidence sequence (Robbins, 1970: Statistical methods related to the
law of the iterated logarithm; Howard et al., 2021: Time-uniform, nonparametric, nonasymptotic confidence sequences,
equation 14), which is also the mixture sequential probability ratio test (Johari et al., 2017: Peeking at A/B tests).
Users are the units: impressions of one user are not independent, and users who saw both runs are compared with
themselves. With the estimate D of a difference and its variance V, the score D / V is a Brownian motion in the
information 1 / V for many users (Scharfstein et al., 1997), so the guarantee is asymptotic in users.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.evaluation.result import Estimate

Floats = npt.NDArray[np.float64]

#: Threshold: clicks that the run with fewer impressions would have at the common click rate, below which their number
#: is too skewed for a normal approximation.
MIN_CLICKS = 20


@dataclass(frozen=True)
class SequentialConfig:
    """How two runs are compared at any time.

    alpha: the probability that the interval ever excludes the true difference.
    effect: the relative change of the click rate that the test finds soonest; others are found later, not less surely.
    min_users: number of users of each run below which there is no interval.
    """

    alpha: float = 0.05
    effect: float = 0.2
    min_users: int = 100


DEFAULT = SequentialConfig()


@dataclass(frozen=True)
class RunClicks:
    """The impressions of a run: their number, that of the users who saw them, and that of the clicks."""

    run: str
    num_shown: int
    num_users: int
    num_clicks: int

    @property
    def click_rate(self) -> float:
        """Clicks per impression; 0 without impressions."""
        return self.num_clicks / self.num_shown if self.num_shown else 0.0


@dataclass(frozen=True)
class ClickComparison:
    """The click rate of `second` minus that of `first`.

    difference: with the interval for one look at a time that was fixed beforehand, 95 %; None without enough data.
    always: the same difference with the interval that holds at all looks, 1 − alpha.
    """

    first: RunClicks
    second: RunClicks
    difference: Estimate
    always: Estimate
    alpha: float

    @property
    def is_worse(self) -> bool:
        """Whether the second run has fewer clicks, at all looks so far and to come with probability 1 − alpha."""
        return self.always.high is not None and self.always.high < 0

    @property
    def is_better(self) -> bool:
        """Whether the second run has more clicks, as `is_worse`."""
        return self.always.low is not None and self.always.low > 0


def compare_click_rates(
    first: str, second: str, shown: pd.DataFrame, config: SequentialConfig = DEFAULT
) -> ClickComparison:
    """The difference of the click rates (clicks / impressions) of two runs; `shown` has the columns user_id, run and
    clicked (bool)."""
    user = pd.factorize(shown["user_id"])[0]
    num_users = int(user.max()) + 1 if len(user) else 0
    clicked, run = shown["clicked"].to_numpy(dtype=np.float64), shown["run"].to_numpy()
    sums = [
        np.stack([np.bincount(user[rows], minlength=num_users), np.bincount(user[rows], clicked[rows], num_users)])
        for rows in (run == first, run == second)
    ]
    return compare_sums((first, second), np.stack(sums), config)


def compare_sums(runs: tuple[str, str], sums: Floats, config: SequentialConfig) -> ClickComparison:
    """The difference of the click rates of two runs from the impressions and clicks of users [2 runs, 2, num_users].

    The variance is that of the sum of the users' influences φ_u (delta method), (c_u − R n_u) / N of the second run
    minus that of the first one, times m / (m − 1) for m users.
    """
    sums = sums[:, :, sums[:, 0].sum(axis=0) > 0]
    influence = np.zeros(sums.shape[2])
    sides = []
    for run, (num_shown, num_clicks), sign in zip(runs, sums, (-1.0, 1.0), strict=True):
        side = RunClicks(run, int(num_shown.sum()), int((num_shown > 0).sum()), int(num_clicks.sum()))
        influence += sign * (num_clicks - side.click_rate * num_shown) / max(side.num_shown, 1)
        sides.append(side)
    old, new = sides
    value, clicks = new.click_rate - old.click_rate, old.num_clicks + new.num_clicks
    variance = float((influence**2).sum()) * len(influence) / max(len(influence) - 1, 1)
    rate = clicks / max(old.num_shown + new.num_shown, 1)
    has_few = min(old.num_shown, new.num_shown) * rate < MIN_CLICKS
    if min(old.num_users, new.num_users) < max(config.min_users, 2) or has_few or not variance > 0:
        return ClickComparison(old, new, Estimate(value), Estimate(value), config.alpha)
    scale = config.effect * rate
    once, always = 1.959964 * math.sqrt(variance), half_width(variance, scale, config.alpha)
    fixed, anytime = (Estimate(value, value - width, value + width) for width in (once, always))
    return ClickComparison(old, new, fixed, anytime, config.alpha)


def half_width(variance: float, scale: float, alpha: float) -> float:
    """Half the width of the interval that holds at all looks, for an estimate with a variance.

    V √((1/V + ρ) log((1/V + ρ) / (ρ α²))) with ρ = 1 / scale²: differences are expected to be about as large as
    `scale`, the standard deviation of the mixture.
    """
    information, prior = 1 / variance, 1 / scale**2
    total = information + prior
    return variance * math.sqrt(total * math.log(total / (prior * alpha**2)))
