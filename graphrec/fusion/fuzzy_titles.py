"""Titles that are spelt almost alike: candidates within neighbouring years, and how sure each of them is."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from graphrec.fusion.candidate_pairs import SIDES, Divided

#: The similarity (1: equal) from which a pair is looked at, and from which it is sure if nothing speaks against it.
#: docs/linking.md has the pairs that were looked at to set them.
LOWEST = 0.86
SURE = 0.93
#: Shorter names must not differ at all to be sure: "Hotel" is not "Hostel", while one letter in fifteen is a misprint.
LONG_NAME = 12
#: Shorter names are looked at only where they are equal but for the article.
_SHORTEST = 8
#: Letters of a word that is no article or "and".
_REAL_WORD = 4
#: What a record's best candidate must have before its second.
MARGIN = 0.05
#: The most comparisons whose results are in memory at one time (16 MB).
_AT_ONCE = 4_000_000


def similar_titles(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """The pairs that are each other's best candidate: clear where no other comes near, else ambiguous.

    Args:
        left, right: columns key, year, name, spelling (what is compared), numbers (that must agree) and more (that must
            be equal); several rows a record.
    """
    found = list(_blocks(left, right))
    if not found:
        empty = pd.DataFrame(columns=[*SIDES, "confidence", "score"])
        return Divided(empty, empty)
    pairs = pd.concat(found, ignore_index=True)
    pairs = pairs.sort_values(["score", *SIDES], ascending=[False, True, True]).drop_duplicates(SIDES)
    best = [pairs.groupby(side)["score"].transform("max") for side in SIDES]
    second = [pairs[side].map(_second(pairs, side)) for side in SIDES]
    mutual = (pairs["score"] == best[0]) & (pairs["score"] == best[1])
    rival = pd.Series(np.maximum(second[0], second[1]))
    clear = mutual & (pairs["score"] - rival >= MARGIN)
    near = (pairs["score"] > np.maximum(best[0], best[1]) - MARGIN) & ~pairs["left_key"].isin(
        pairs.loc[clear, "left_key"]
    )
    doubtful = near & ~pairs["right_key"].isin(pairs.loc[clear, "right_key"]) & (pairs["score"] >= SURE)
    return Divided(pairs[clear], pairs[doubtful])


def _second(pairs: pd.DataFrame, side: str) -> "pd.Series[float]":
    """The score of the second candidate of each record, 0 where it has only one; `pairs` are sorted by score."""
    place = pairs.groupby(side).cumcount()
    seconds = pairs[place == 1].set_index(side)["score"]
    return seconds.reindex(pairs[side].unique(), fill_value=0.0)


def _blocks(left: pd.DataFrame, right: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The pairs of neighbouring years whose similarity is not below the lowest, a year and a part of it at a time."""
    right = right.sort_values(["year", "key"], ignore_index=True)
    for year, block in left.groupby("year"):
        first, last = np.searchsorted(right["year"], [float(str(year)) - 1, float(str(year)) + 1 + 1e-9])
        others = right.iloc[first:last]
        step = max(1, _AT_ONCE // max(1, len(others)))
        for start in range(0, len(block) if len(others) else 0, step):
            yield _compared(block.iloc[start : start + step], others)


def _compared(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    scores = process.cdist(
        left["spelling"].tolist(),
        right["spelling"].tolist(),
        scorer=fuzz.ratio,
        score_cutoff=100 * LOWEST,
        dtype=np.float32,
        workers=2,
    )
    rows, columns = np.nonzero(scores)
    ours, theirs = left.iloc[rows].reset_index(drop=True), right.iloc[columns].reset_index(drop=True)
    pairs = pd.DataFrame({"left_key": ours["key"], "right_key": theirs["key"]})
    pairs["score"] = scores[rows, columns].astype("float64") / 100
    numbers = ours["numbers"], theirs["numbers"]
    length = pd.Series(np.minimum(ours["spelling"].str.len(), theirs["spelling"].str.len()))
    alike = (pairs["score"] >= SURE) & (length >= LONG_NAME) & (numbers[0] == numbers[1])
    same_year = ours["year"] == theirs["year"]
    contradiction = (numbers[0] != numbers[1]) & (numbers[0] != "") & (numbers[1] != "")
    long_enough = (length >= _SHORTEST) | (pairs["score"] == 1)
    sure = alike & same_year
    names = zip(ours.loc[sure, "name"], theirs.loc[sure, "name"], strict=True)
    more = [place for place, pair in zip(sure.index[sure], names, strict=True) if _has_more(*pair)]
    sure &= ~sure.index.isin(more)
    pairs["confidence"] = _confidence(pairs["score"], sure)
    return pairs[(ours["more"] == theirs["more"]) & (alike | (same_year & long_enough & ~contradiction))]


def _has_more(one: str, other: str) -> bool:
    """Whether one name is the other and a real word more, which says another thing, and is no misprint."""
    mine, theirs = set(one.split()), set(other.split())
    if mine > theirs or theirs > mine:
        return len("".join(mine ^ theirs)) >= _REAL_WORD
    return False


def _confidence(score: "pd.Series[float]", sure: "pd.Series[bool]") -> "pd.Series[float]":
    """0.90 to 0.95 for what is sure, 0.70 to 0.88 else."""
    proposed = 0.70 + 0.18 * ((score - LOWEST) / (1 - LOWEST)).clip(0, 1)
    made = 0.90 + 0.05 * ((score - SURE) / (1 - SURE)).clip(0, 1)
    return made.where(sure, proposed).round(3)
