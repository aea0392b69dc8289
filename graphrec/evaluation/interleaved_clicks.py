"""Which of two runs users prefer, from clicks on team-draft interleaved lists.

Each user sees items of both runs in one list and is compared with themselves, so differences between users cancel.
Chapelle, Joachims, Radlinski and Yue, "Large-scale validation and analysis of interleaved search evaluation", ACM TOIS
2012; the unit here is the user instead of the query, and the intervals are those of `evaluation.sequential`.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from graphrec.evaluation.result import Estimate
from graphrec.evaluation.sequential import DEFAULT, RunClicks, SequentialConfig, half_width


@dataclass(frozen=True)
class InterleavedComparison:
    """The preference of users for `second` over `first`.

    wins, losses, ties: users with more, fewer and equally many clicks on items of the second run, of those with clicks.
    preference: mean over users with clicks of (c₂ − c₁) / (c₂ + c₁), from −1 to 1, with the 95 % interval of one look.
    always: the same with the interval that holds at all looks, 1 − alpha.
    """

    first: RunClicks
    second: RunClicks
    wins: int
    losses: int
    ties: int
    preference: Estimate
    always: Estimate
    alpha: float


def compare_interleaved(
    first: str, second: str, shown: pd.DataFrame, config: SequentialConfig = DEFAULT
) -> InterleavedComparison:
    """The preference of the users of interleaved lists; `shown` has the columns user_id, run and clicked (bool).

    There is no interval for fewer than `config.min_users` users with clicks.
    """
    sides, clicks = [], []
    users = pd.Index(pd.unique(shown["user_id"]))
    for name in (first, second):
        rows = shown[shown["run"] == name]
        by_user = rows.groupby("user_id")["clicked"].sum().reindex(users, fill_value=0).to_numpy(dtype=np.float64)
        sides.append(RunClicks(name, len(rows), int(rows["user_id"].nunique()), int(by_user.sum())))
        clicks.append(by_user)
    total = clicks[0] + clicks[1]
    difference = (clicks[1] - clicks[0])[total > 0]
    preference = difference / total[total > 0]
    num_users = len(preference)
    wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
    ties = num_users - wins - losses
    value = float(preference.mean()) if num_users else 0.0
    variance = float(preference.var(ddof=1)) / num_users if num_users > 1 else 0.0
    if num_users < max(config.min_users, 2) or not variance > 0:
        unknown = Estimate(value)
        return InterleavedComparison(sides[0], sides[1], wins, losses, ties, unknown, unknown, config.alpha)
    once, always = 1.959964 * math.sqrt(variance), half_width(variance, config.effect, config.alpha)
    fixed, anytime = (Estimate(value, value - width, value + width) for width in (once, always))
    return InterleavedComparison(sides[0], sides[1], wins, losses, ties, fixed, anytime, config.alpha)
