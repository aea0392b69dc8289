"""Significance of differences between models: the paired bootstrap over users, p-values, effect sizes, Holm correction.

The unit is the user: a user's values on several splits or with several seeds are averaged first, so that repeated
trials do not count as additional users. NaN leaves a user out of that column, and out of a difference if either value
is NaN.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError, first_few
from graphrec.evaluation.metrics import PerUser
from graphrec.evaluation.result import Difference, Estimate
from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Bootstrap samples of an interval.
INTERVAL_REPEATS = 1000

#: Bootstrap samples of p-values. A p-value is at least 2 / (1 + repeats): with 1,000 samples, Holm's correction of more
#: than 25 pairs could not find any of them significant.
REPEATS = 10_000

#: Coverage of an interval, and the significance level of corrected p-values.
CONFIDENCE, LEVEL = 0.95, 0.05

#: Verdict of a difference whose corrected p-value is above LEVEL.
NOT_SIGNIFICANT = "not significant"

#: Batch size of resampling, in drawn users (4 to 16 bytes each).
DRAWN_AT_ONCE = 1_000_000


class UserValues(Protocol):
    """Values of metrics per user, such as an Evaluation."""

    @property
    def user_index(self) -> IndexArray:
        """The users [n], without repeats."""

    @property
    def per_user(self) -> PerUser:
        """Values [n] by `metric@k`."""


@dataclass(frozen=True, eq=False)
class PooledValues:
    """Values by `metric@k` per user [n], averaged over trials; `user_index` [n] in ascending order."""

    user_index: IndexArray
    per_user: PerUser


def pool_trials(trials: Sequence[UserValues]) -> PooledValues:
    """Each user's mean over the trials (a split with a seed) that include the user, for the metrics of all trials.

    NaN is left out of a mean.
    """
    users = np.unique(np.concatenate([trial.user_index for trial in trials]))
    names = [name for name in trials[0].per_user if all(name in trial.per_user for trial in trials)]
    total, count = np.zeros((2, len(users), len(names)))
    for trial in trials:
        row = np.searchsorted(users, trial.user_index)
        values = _stack_columns(trial.per_user, names)
        total[row] += np.nan_to_num(values)
        count[row] += ~np.isnan(values)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return PooledValues(users, {name: means[:, column] for column, name in enumerate(names)})


def estimate_means(values: PerUser, rng: np.random.Generator, repeats: int = INTERVAL_REPEATS) -> dict[str, Estimate]:
    """The mean over users of each metric with its 95 % percentile bootstrap interval, all on the same samples.

    A sample is n of the n users, drawn with replacement. A metric without any value is NaN without an interval.
    """
    columns = _stack_columns(values, list(values))
    low, high = _percentile_bounds(bootstrap_means(columns, rng, repeats))
    found = zip(values, column_means(columns), low, high, strict=True)
    return {name: _estimate(*numbers) for name, *numbers in found}


def compare_pairs(
    values: Mapping[str, UserValues],
    pairs: Mapping[str, Sequence[tuple[str, str]]],
    rng: np.random.Generator,
    repeats: int = REPEATS,
) -> tuple[Difference, ...]:
    """The first minus the second of each pair of models, by metric (`ndcg@10` → its pairs), over the same users.

    The interval covers 95 % of the means of resampled paired differences. p is two-sided, by inverting that interval:
    twice the share of samples whose mean is at most 0, or at least 0, whichever is smaller, as
    2 (1 + count) / (1 + repeats) and at most 1 (Davison and Hinkley, "Bootstrap Methods and their Application", 1997,
    chapter 4: the sample itself counts, so p is never 0). p is 1 if no user differs. p_holm is corrected over all pairs
    of the metric, so that one metric's verdict does not depend on how many others are reported.
    The effect size is Cohen's d for pairs, mean / standard deviation (n − 1): 0 if no user differs, infinite if all
    users differ by the same amount.

    Raises DataError if two models were measured on different users.
    """
    names = [(*pair, metric) for metric, some in pairs.items() for pair in some]
    if not names:
        return ()
    first, *others = {name: None for *pair, _ in names for name in pair}
    wrong = [name for name in others if not np.array_equal(values[first].user_index, values[name].user_index)]
    if wrong:
        raise DataError(
            f"{first_few(wrong)}: {len(wrong)} of {1 + len(others)} models were measured on other users than {first}, "
            "so they cannot be compared user by user; measure all of them on one split"
        )

    columns = np.stack([values[a].per_user[m] - values[b].per_user[m] for a, b, m in names], axis=1)
    means = bootstrap_means(columns, rng, repeats)
    low, high = _percentile_bounds(means)
    value, effect, p = column_means(columns), _effect_sizes(columns), _p_values(means)
    ends = np.cumsum([len(some) for some in pairs.values()])
    p_holm = np.concatenate([holm_correction(part) for part in np.split(p, ends[:-1])])
    return tuple(
        Difference(
            *names[i],
            estimate=_estimate(value[i], low[i], high[i]),
            effect=float(effect[i]),
            p=float(p[i]),
            p_holm=float(p_holm[i]),
            verdict=NOT_SIGNIFICANT if not p_holm[i] <= LEVEL else "better" if value[i] > 0 else "worse",
        )
        for i in range(len(names))
    )


def holm_correction(p: Floats) -> Floats:
    """p-values [m] corrected for m comparisons, in the given order; NaN is no comparison and stays NaN.

    The i-th smallest, from 0, is multiplied by m − i; the result is made non-decreasing and at most 1. Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
    """
    corrected = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: np.count_nonzero(~np.isnan(p))]
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return corrected


def bootstrap_means(columns: Floats, rng: np.random.Generator, repeats: int) -> Floats:
    """The means [repeats, m] of columns [n, m] over n rows drawn with replacement, the same rows for all columns.

    Computed as a matrix product of draw counts and columns, so additional columns are cheap. The mean of a sample
    without any value is NaN.
    """
    missing = np.isnan(columns)
    partly = missing.any(axis=0)
    filled = np.where(missing, 0.0, columns)
    present = (~missing[:, partly]).astype(np.float64)
    means = np.full((repeats, columns.shape[1]), np.nan)
    for rows, counts in _draw_counts(len(columns), rng, repeats):
        sums = counts @ filled
        number = np.full(sums.shape, float(len(columns)))
        number[:, partly] = counts @ present
        np.divide(sums, number, out=means[rows], where=number > 0)
    return means


def add_interval(value: float, samples: Floats) -> Estimate:
    """A value with the 95 % percentile interval of its bootstrap samples [repeats]."""
    low, high = _percentile_bounds(samples[:, None])
    return _estimate(value, low[0], high[0])


def column_means(columns: Floats) -> Floats:
    """The means [m] of columns [n, m] without NaN; NaN for a column without values."""
    present = ~np.isnan(columns)
    number = present.sum(axis=0)
    return np.where(number > 0, np.where(present, columns, 0).sum(axis=0) / np.maximum(number, 1), np.nan)


def _draw_counts(num_rows: int, rng: np.random.Generator, repeats: int) -> Iterator[tuple[slice, Floats]]:
    """How often each row is in a sample [batch, num_rows], with the slice of the batch; empty without rows."""
    size = max(1, DRAWN_AT_ONCE // max(num_rows, 1))
    for start in range(0, repeats if num_rows else 0, size):
        number = min(size, repeats - start)
        drawn = rng.integers(num_rows, size=(number, num_rows)) + np.arange(number)[:, None] * num_rows
        counts = np.bincount(drawn.ravel(), minlength=number * num_rows)
        yield slice(start, start + number), counts.reshape(number, num_rows).astype(np.float64)


def _stack_columns(values: PerUser, names: Sequence[str]) -> Floats:
    if not names:
        return np.empty((0, 0))
    return np.stack([values[name] for name in names], axis=1)


def _percentile_bounds(means: Floats) -> Floats:
    """The lower and upper bounds [2, m] of the 95 % interval of resampled means [repeats, m]."""
    outside = (1 - CONFIDENCE) / 2
    defined = ~np.isnan(means).all(axis=0)
    bounds = np.full((2, means.shape[1]), np.nan)
    bounds[:, defined] = np.nanquantile(means[:, defined], [outside, 1 - outside], axis=0)
    return bounds


def _effect_sizes(columns: Floats) -> Floats:
    centre = column_means(columns)
    number = (~np.isnan(columns)).sum(axis=0)
    squares = np.where(np.isnan(columns), 0, (columns - centre) ** 2).sum(axis=0)
    deviation = np.sqrt(squares / np.maximum(number - 1, 1))
    constant = deviation <= 1e-12 * np.abs(centre)  # a deviation of rounding errors counts as 0
    effect = np.divide(centre, deviation, out=np.zeros_like(centre), where=~constant)
    return np.where(constant & (centre != 0), np.copysign(np.inf, centre), effect)


def _p_values(means: Floats) -> Floats:
    count = np.minimum((means <= 0).sum(axis=0), (means >= 0).sum(axis=0))
    p = np.minimum(2 * (1 + count) / (1 + (~np.isnan(means)).sum(axis=0)), 1)
    return np.where(np.isnan(means).all(axis=0), np.nan, p)


def _estimate(value: float, low: float, high: float) -> Estimate:
    defined = not np.isnan(low)
    return Estimate(float(value), float(low) if defined else None, float(high) if defined else None)
