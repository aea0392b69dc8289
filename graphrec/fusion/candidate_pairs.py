"""Pairs of records that may be the same thing: found by equal values, and divided into clear and ambiguous ones."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from graphrec.errors import DataError, first_few

SIDES = ["left_key", "right_key"]
COLUMNS = [*SIDES, "rule", "confidence", "evidence"]

#: Groups of equal values that give more pairs than this are shown by one pair for each record.
_SHOWN_WHOLE = 100
#: More pairs than this come from a value that identifies nothing ("unknown"), and would fill the memory.
_MOST_PAIRS = 20_000_000


class Divided(NamedTuple):
    """Pairs of which both records have no other candidate, and the pairs of the other records."""

    clear: pd.DataFrame
    ambiguous: pd.DataFrame


def join(left: pd.DataFrame, right: pd.DataFrame, on: Sequence[str], one_to_one: bool = True) -> pd.DataFrame:
    """The pairs that are equal in the columns `on`: left_key, right_key, `on`, other columns with _x and _y.

    Both frames have a column key and are sorted by it. With one_to_one, large groups of equal values, which are
    ambiguous anyway, give one pair for each record instead of each with each.

    Raises:
        DataError: without one_to_one there are more than twenty million pairs.
    """
    keys = list(on)
    left, right = left.rename(columns={"key": "left_key"}), right.rename(columns={"key": "right_key"})
    sizes = left.groupby(keys, sort=False).size().rename("lefts").to_frame()
    sizes = sizes.join(right.groupby(keys, sort=False).size().rename("rights"), how="inner")
    large = sizes[sizes["lefts"] * sizes["rights"] > _SHOWN_WHOLE]
    if not one_to_one:
        total = int((sizes["lefts"] * sizes["rights"]).sum())
        if total > _MOST_PAIRS:
            most = (sizes["lefts"] * sizes["rights"]).nlargest(5).index
            raise DataError(
                f"equal values of {', '.join(keys)} give {total:,} pairs ({first_few(most)}); empty the values that "
                "mean unknown, or add a property to the rule"
            )
    if not one_to_one or large.empty:
        return left.merge(right, on=keys)
    is_large = [pd.MultiIndex.from_frame(side[keys]).isin(_tuples(large.index)) for side in (left, right)]
    big_left, big_right = left[is_large[0]], right[is_large[1]]
    parts = (
        left[~is_large[0]].merge(right[~is_large[1]], on=keys),
        big_left.merge(big_right.drop_duplicates(keys), on=keys),
        big_left.drop_duplicates(keys).merge(big_right, on=keys),
    )
    return pd.concat(parts, ignore_index=True).drop_duplicates(SIDES, ignore_index=True)


def _tuples(index: "pd.Index[str] | pd.MultiIndex") -> pd.MultiIndex:
    """The index with levels, as one of a single column has none."""
    return index if isinstance(index, pd.MultiIndex) else pd.MultiIndex.from_arrays([index])


def divide(pairs: pd.DataFrame) -> Divided:
    """The pairs whose two records are in no other pair, and the other pairs."""
    several = pairs["left_key"].duplicated(keep=False) | pairs["right_key"].duplicated(keep=False)
    return Divided(pairs[~several], pairs[several])


def as_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of `Links` in their order and with their dtypes."""
    text = dict.fromkeys([*SIDES, "rule", "evidence"], "str")
    return frame.reindex(columns=COLUMNS).astype({**text, "confidence": "float64"})


def gathered(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All pairs in one frame; without any the columns of `Links` and `made`."""
    filled = [frame for frame in frames if len(frame)]
    if filled:
        return pd.concat(filled, ignore_index=True)
    empty = {name: np.array([], dtype="float64" if name == "confidence" else object) for name in COLUMNS}
    return pd.DataFrame({**empty, "made": np.array([], dtype=bool)})
