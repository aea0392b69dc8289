"""Approximate functional dependencies between columns, measured on the sampled rows."""

from dataclasses import dataclass

import numpy as np

from graphrec.tabular.inference.column_profile import ColumnProfile


@dataclass(frozen=True)
class FunctionalDependency:
    """How well a key column determines another column.

    repeated: number of rows beyond the first of each key, in which the dependency could be violated.
    violations: number of rows whose value is not the most frequent one of their key.
    chance: probability of as many agreements between independent columns.
    """

    repeated: int
    violations: int
    chance: float = 1.0

    @property
    def holds(self) -> bool:
        """Whether there are repeated rows and at most one in 50 is a violation."""
        return self.repeated > 0 and self.violations * 50 <= self.repeated

    @property
    def fails(self) -> bool:
        """Whether more than one in 8 of the repeated rows is a violation."""
        return self.violations * 8 > self.repeated


def measure_dependency(key: ColumnProfile, other: ColumnProfile) -> FunctionalDependency:
    """The dependency of `other` on `key`, over rows with both values."""
    both = (key.codes >= 0) & (other.codes >= 0)
    keys, values = key.codes[both], other.codes[both]
    if not len(keys):
        return FunctionalDependency(0, 0)
    pairs, counts = np.unique(keys * (other.num_distinct + 1) + values, return_counts=True)
    owners = pairs // (other.num_distinct + 1)
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    most = np.maximum.reduceat(counts, starts)
    repeated, broken = len(keys) - len(starts), len(keys) - int(most.sum())
    shares = np.bincount(values) / len(values)
    return FunctionalDependency(repeated, broken, float((shares**2).sum()) ** (repeated - broken))


def is_significant(key: ColumnProfile, other: ColumnProfile, found: FunctionalDependency) -> bool:
    """Whether a dependency holds and is not due to chance (5 %), considering also the inverse dependency."""
    if not found.holds:
        return False
    back = measure_dependency(other, key)
    return found.chance * (back.chance if back.holds else 1.0) < 0.05
