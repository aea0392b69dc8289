"""Functional dependencies: what depends on what, within the rows that were looked at."""

from dataclasses import dataclass

import numpy as np

from graphrec.tabular.inference.column_profile import ColumnProfile


@dataclass(frozen=True)
class FunctionalDependency:
    """How well a key says the value of another column.

    `repeated` counts the rows of a key beyond its first one, in which the dependency could have failed; `broken` those
    whose value is not the most common one of their key. `chance` is how likely it is that so many rows agree though
    nothing depends on anything.
    """

    repeated: int
    violations: int
    chance: float = 1.0

    @property
    def holds(self) -> bool:
        """Whether at most one in fifty of the repeated rows breaks it, and there is one."""
        return self.repeated > 0 and self.violations * 50 <= self.repeated

    @property
    def fails(self) -> bool:
        """Whether more than one in eight of the repeated rows breaks it."""
        return self.violations * 8 > self.repeated


def measure_dependency(key: ColumnProfile, other: ColumnProfile) -> FunctionalDependency:
    """How `other` depends on `key`, over the rows that have both."""
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
    """Whether a dependency holds, and hardly by chance: also because it holds the other way round."""
    if not found.holds:
        return False
    back = measure_dependency(other, key)
    return found.chance * (back.chance if back.holds else 1.0) < 0.05
