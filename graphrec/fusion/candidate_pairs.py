"""Candidate pairs: records with equal values, split into clear and ambiguous pairs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.fusion.records import KEY

SIDES = ["left_key", "right_key"]
#: The columns of `join` with the two keys; the NUL distinguishes them from properties.
JOINED_KEYS = ["\0left_key", "\0right_key"]
COLUMNS = [*SIDES, "rule", "confidence", "evidence"]

#: Maximum pairs of a group of equal values that are all listed; a larger group lists one pair for each record.
_MAX_LISTED_PAIRS = 100
#: Maximum pairs of a rule that is not one to one: more come from a value such as "unknown", and would fill the memory.
_MAX_PAIRS = 20_000_000


class MatchedPairs(NamedTuple):
    """`clear`: pairs whose records are in no other pair. `ambiguous`: pairs of records with several candidates."""

    clear: pd.DataFrame
    ambiguous: pd.DataFrame


def join(left: pd.DataFrame, right: pd.DataFrame, on: Sequence[str], one_to_one: bool = True) -> pd.DataFrame:
    """The pairs that are equal in the columns `on`: columns `JOINED_KEYS`, `on`, other columns with _x and _y.

    Both frames have a column `KEY` and are sorted by it. With one_to_one, a large group of equal values, which is
    ambiguous in any case, gives one pair for each record instead of all combinations.

    Raises:
        DataError: without one_to_one there are more than twenty million pairs.
    """
    keys = list(on)
    left, right = (side.rename(columns={KEY: key}) for side, key in zip((left, right), JOINED_KEYS, strict=True))
    if len(left) * len(right) <= _MAX_LISTED_PAIRS:  # no group is large
        return left.merge(right, on=keys)
    sizes = left.groupby(keys, sort=False).size().rename("lefts").to_frame()
    sizes = sizes.join(right.groupby(keys, sort=False).size().rename("rights"), how="inner")
    large = sizes[sizes["lefts"] * sizes["rights"] > _MAX_LISTED_PAIRS]
    if not one_to_one:
        total = int((sizes["lefts"] * sizes["rights"]).sum())
        if total > _MAX_PAIRS:
            largest = (sizes["lefts"] * sizes["rights"]).nlargest(5).index
            raise DataError(
                f"equal values of {', '.join(keys)} give {total:,} pairs ({first_few(largest)}); empty the values that "
                "mean unknown, or add a property to the rule"
            )
    if not one_to_one or large.empty:
        return left.merge(right, on=keys)
    is_large = [pd.MultiIndex.from_frame(side[keys]).isin(_to_multi_index(large.index)) for side in (left, right)]
    large_left, large_right = left[is_large[0]], right[is_large[1]]
    parts = (
        left[~is_large[0]].merge(right[~is_large[1]], on=keys),
        large_left.merge(large_right.drop_duplicates(keys), on=keys),
        large_left.drop_duplicates(keys).merge(large_right, on=keys),
    )
    return pd.concat(parts, ignore_index=True).drop_duplicates(JOINED_KEYS, ignore_index=True)


def _to_multi_index(index: "pd.Index[str] | pd.MultiIndex") -> pd.MultiIndex:
    """The index with levels; the index of a single column has none."""
    return index if isinstance(index, pd.MultiIndex) else pd.MultiIndex.from_arrays([index])


def split_clear_and_ambiguous(pairs: pd.DataFrame) -> MatchedPairs:
    """The pairs whose two records are in no other pair, and the remaining pairs."""
    repeated = pairs["left_key"].duplicated(keep=False) | pairs["right_key"].duplicated(keep=False)
    return MatchedPairs(pairs[~repeated], pairs[repeated])


def select_link_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of `Links` in their order and with their dtypes."""
    text = dict.fromkeys([*SIDES, "rule", "evidence"], "str")
    return frame.reindex(columns=COLUMNS).astype({**text, "confidence": "float64"})


def concat_pairs(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All pairs in one frame; if there are no pairs, an empty frame with the columns of `Links` and `made`."""
    filled = [frame for frame in frames if len(frame)]
    if filled:
        return pd.concat(filled, ignore_index=True)
    empty = {name: np.array([], dtype="float64" if name == "confidence" else object) for name in COLUMNS}
    return pd.DataFrame({**empty, "made": np.array([], dtype=bool)})
