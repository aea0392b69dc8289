"""Which differences are more than chance: the paired bootstrap over users, p-values, effect sizes, Holm's correction.

A user is the unit: what they got on several splits or with several seeds is one value, its mean, so that rounds do not
look like more users. NaN leaves a user out of that column, and of a difference where either value is NaN.
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

#: Samples for an interval.
INTERVAL_REPEATS = 1000

#: Samples for p-values. A p-value is at least 2 / (1 + repeats): from a thousand, Holm's correction of more than 25
#: pairs would call none of them significant.
REPEATS = 10_000

#: The share of an interval, and the p-value from which on a difference may be chance.
CONFIDENCE, LEVEL = 0.95, 0.05

#: Drawn users of which it is counted at one time how often each was drawn (4 to 16 bytes each).
DRAWN_AT_ONCE = 1_000_000


class Measured(Protocol):
    """Values of metrics for each of some users, such as an Evaluation."""

    @property
    def user_index(self) -> IndexArray:
        """The users [n], none twice."""

    @property
    def per_user(self) -> PerUser:
        """Values [n] by `metric@k`."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """Values by `metric@k` of each user [n], averaged over rounds; `user_index` [n] in ascending order."""

    user_index: IndexArray
    per_user: PerUser


def pool(rounds: Sequence[Measured]) -> Pooled:
    """The mean of each user's values over the rounds that have them, for the metrics that all rounds have.

    A round is a split with a seed; a user who is in one round only has the values of that one, and NaN is left out.
    """
    users = np.unique(np.concatenate([measured.user_index for measured in rounds]))
    names = [name for name in rounds[0].per_user if all(name in measured.per_user for measured in rounds)]
    total, count = np.zeros((2, len(users), len(names)))
    for measured in rounds:
        row = np.searchsorted(users, measured.user_index)
        values = _columns(measured.per_user, names)
        total[row] += np.nan_to_num(values)
        count[row] += ~np.isnan(values)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Pooled(users, {name: means[:, column] for column, name in enumerate(names)})


def estimates(values: PerUser, rng: np.random.Generator, repeats: int = INTERVAL_REPEATS) -> dict[str, Estimate]:
    """The mean of each metric over users with its 95 % percentile interval by the bootstrap, all on the same samples.

    Users [n] are drawn with replacement, n at a time. A metric that no user has is NaN without an interval.
    """
    columns = _columns(values, list(values))
    low, high = _bounds(resampled(columns, rng, repeats))
    found = zip(values, mean(columns), low, high, strict=True)
    return {name: _estimate(*numbers) for name, *numbers in found}


def differences(
    measured: Mapping[str, Measured],
    pairs: Mapping[str, Sequence[tuple[str, str]]],
    rng: np.random.Generator,
    repeats: int = REPEATS,
) -> tuple[Difference, ...]:
    """The first minus the second of each pair of names, metric by metric (`ndcg@10` → its pairs), over the same users.

    The interval holds 95 % of the means of resampled paired differences. p is two-sided, by inverting that interval:
    twice the share of samples whose mean is at most 0, or at least 0, whichever is less, as 2 (1 + count) /
    (1 + repeats) and at most 1 (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, chapter 4: the
    sample itself counts, so p is never 0). Where nobody differs p is 1. p_holm corrects for all pairs of the metric, so
    that what is told of one metric does not hang on how many others are shown.
    The effect is Cohen's d for pairs, mean / standard deviation (n − 1): 0 where nobody differs, infinite where all
    differ by the same.

    Raises DataError where the users of two models differ.
    """
    names = [(*pair, metric) for metric, some in pairs.items() for pair in some]
    if not names:
        return ()
    _check_users({name: measured[name] for *pair, _ in names for name in pair})
    columns = np.stack([measured[a].per_user[m] - measured[b].per_user[m] for a, b, m in names], axis=1)
    means = resampled(columns, rng, repeats)
    low, high = _bounds(means)
    value, effect, p = mean(columns), _effects(columns), _p_values(means)
    ends = np.cumsum([len(some) for some in pairs.values()])
    corrected = np.concatenate([holm(part) for part in np.split(p, ends[:-1])])
    return tuple(
        Difference(
            *names[i],
            estimate=_estimate(value[i], low[i], high[i]),
            effect=float(effect[i]),
            p=float(p[i]),
            p_holm=float(corrected[i]),
            verdict=_verdict(value[i], corrected[i]),
        )
        for i in range(len(names))
    )


def holm(p: Floats) -> Floats:
    """p-values [m] corrected for m comparisons, in their order; NaN, no comparison, stays and counts for none.

    The i-th least, from 0, is multiplied by m − i; none is less than one before it or more than 1. Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
    """
    found = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: np.count_nonzero(~np.isnan(p))]
    found[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return found


def resampled(columns: Floats, rng: np.random.Generator, repeats: int) -> Floats:
    """The means [repeats, m] of columns [n, m] over n rows drawn with replacement, the same rows for all columns.

    How often each row is drawn, times the columns: a product of matrices, so a column more costs little. A mean over
    rows of which none has a value is NaN.
    """
    missing = np.isnan(columns)
    partly = missing.any(axis=0)
    filled = np.where(missing, 0.0, columns)
    there = (~missing[:, partly]).astype(np.float64)
    means = np.full((repeats, columns.shape[1]), np.nan)
    for rows, counts in _drawn(len(columns), rng, repeats):
        sums = counts @ filled
        number = np.full(sums.shape, float(len(columns)))
        number[:, partly] = counts @ there
        np.divide(sums, number, out=means[rows], where=number > 0)
    return means


def interval(value: float, samples: Floats) -> Estimate:
    """A value with the interval that holds 95 % of its resampled ones [repeats]."""
    low, high = _bounds(samples[:, None])
    return _estimate(value, low[0], high[0])


def mean(columns: Floats) -> Floats:
    """The means [m] of columns [n, m] over rows with a value; NaN where there are none."""
    there = ~np.isnan(columns)
    number = there.sum(axis=0)
    return np.where(number > 0, np.where(there, columns, 0).sum(axis=0) / np.maximum(number, 1), np.nan)


def _drawn(num_rows: int, rng: np.random.Generator, repeats: int) -> Iterator[tuple[slice, Floats]]:
    """How often each row [some repeats, num_rows] is in a sample of as many rows; nothing where there are no rows."""
    size = max(1, DRAWN_AT_ONCE // max(num_rows, 1))
    for start in range(0, repeats if num_rows else 0, size):
        number = min(size, repeats - start)
        drawn = rng.integers(num_rows, size=(number, num_rows)) + np.arange(number)[:, None] * num_rows
        counts = np.bincount(drawn.ravel(), minlength=number * num_rows)
        yield slice(start, start + number), counts.reshape(number, num_rows).astype(np.float64)


def _columns(values: PerUser, names: Sequence[str]) -> Floats:
    if not names:
        return np.empty((0, 0))
    return np.stack([values[name] for name in names], axis=1)


def _check_users(measured: Mapping[str, Measured]) -> None:
    first, *others = measured
    users = measured[first].user_index
    wrong = [name for name in others if not np.array_equal(users, measured[name].user_index)]
    if wrong:
        raise DataError(
            f"{first_few(wrong)}: {len(wrong)} of {len(measured)} models were measured on other users than {first}, so "
            "they cannot be compared user by user; measure all of them on one split"
        )


def _bounds(means: Floats) -> Floats:
    """The lower and the upper bounds [2, m] of the interval that holds 95 % of resampled means [repeats, m]."""
    outside = (1 - CONFIDENCE) / 2
    known = ~np.isnan(means).all(axis=0)
    bounds = np.full((2, means.shape[1]), np.nan)
    bounds[:, known] = np.nanquantile(means[:, known], [outside, 1 - outside], axis=0)
    return bounds


def _effects(columns: Floats) -> Floats:
    centre = mean(columns)
    number = (~np.isnan(columns)).sum(axis=0)
    squares = np.where(np.isnan(columns), 0, (columns - centre) ** 2).sum(axis=0)
    deviation = np.sqrt(squares / np.maximum(number - 1, 1))
    # a deviation of rounding errors is none
    constant = deviation <= 1e-12 * np.abs(centre)
    effect = np.divide(centre, deviation, out=np.zeros_like(centre), where=~constant)
    return np.where(constant & (centre != 0), np.copysign(np.inf, centre), effect)


def _p_values(means: Floats) -> Floats:
    count = np.minimum((means <= 0).sum(axis=0), (means >= 0).sum(axis=0))
    p = np.minimum(2 * (1 + count) / (1 + (~np.isnan(means)).sum(axis=0)), 1)
    return np.where(np.isnan(means).all(axis=0), np.nan, p)


def _verdict(value: float, p: float) -> str:
    if not p <= LEVEL:
        return "not told apart"
    return "better" if value > 0 else "worse"


def _estimate(value: float, low: float, high: float) -> Estimate:
    known = not np.isnan(low)
    return Estimate(float(value), float(low) if known else None, float(high) if known else None)
