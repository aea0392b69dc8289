"""Fuzzy matching of titles: candidate pairs of neighbouring years with a similar spelling, and their confidence."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from graphrec.fusion.candidate_pairs import SIDES, MatchedPairs
from graphrec.fusion.records import KEY

#: Minimum similarity (1: equal) of a candidate pair. docs/linking.md describes how both thresholds were chosen.
MIN_SIMILARITY = 0.86
#: Minimum similarity of a certain pair.
CERTAIN_SIMILARITY = 0.93
#: Minimum letters of a certain pair: "Hotel" is not "Hostel", while one letter in fifteen is a misprint.
CERTAIN_LENGTH = 12
#: Minimum letters of a candidate pair, unless the names are equal but for the article.
_MIN_LENGTH = 8
#: Minimum letters of a significant additional word, to exclude articles and "and".
_MIN_WORD_LENGTH = 4
#: Minimum lead of a record's best candidate over its second.
MARGIN = 0.05
#: Batch size: similarities in memory at one time (16 MB).
_BATCH_PAIRS = 4_000_000


def match_similar_titles(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """The pairs that are each other's best candidate: clear if no other candidate is close, else ambiguous.

    Args:
        left, right: columns `KEY`, year, name, spelling (what is compared), numbers (which must agree) and extra (which
            must be equal); several rows per record.
    """
    blocks = list(_iter_candidates(left, right))
    if not blocks:
        empty = pd.DataFrame(columns=[*SIDES, "confidence", "score"])
        return MatchedPairs(empty, empty)
    pairs = pd.concat(blocks, ignore_index=True)
    pairs = pairs.sort_values(["score", *SIDES], ascending=[False, True, True]).drop_duplicates(SIDES)
    best = [pairs.groupby(side)["score"].transform("max") for side in SIDES]
    second = [pairs[side].map(_find_second_scores(pairs, side)) for side in SIDES]
    mutual = (pairs["score"] == best[0]) & (pairs["score"] == best[1])
    rival = pd.Series(np.maximum(second[0], second[1]))
    clear = mutual & (pairs["score"] - rival >= MARGIN)
    close = (pairs["score"] > np.maximum(best[0], best[1]) - MARGIN) & ~pairs["left_key"].isin(
        pairs.loc[clear, "left_key"]
    )
    ambiguous = close & ~pairs["right_key"].isin(pairs.loc[clear, "right_key"]) & (pairs["score"] >= CERTAIN_SIMILARITY)
    return MatchedPairs(pairs[clear], pairs[ambiguous])


def _find_second_scores(pairs: pd.DataFrame, side: str) -> "pd.Series[float]":
    """The score of each record's second candidate, 0 if it has only one; `pairs` are sorted by score."""
    rank = pairs.groupby(side).cumcount()
    seconds = pairs[rank == 1].set_index(side)["score"]
    return seconds.reindex(pairs[side].unique(), fill_value=0.0)


def _iter_candidates(left: pd.DataFrame, right: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The candidate pairs of neighbouring years, in batches of a year or a part of one."""
    right = right.sort_values(["year", KEY], ignore_index=True)
    for year, block in left.groupby("year"):
        first, last = np.searchsorted(right["year"], [float(str(year)) - 1, float(str(year)) + 1 + 1e-9])
        others = right.iloc[first:last]
        batch_size = max(1, _BATCH_PAIRS // max(1, len(others)))
        for start in range(0, len(block) if len(others) else 0, batch_size):
            yield _compare_all(block.iloc[start : start + batch_size], others)


def _compare_all(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """The candidates among all pairs of two frames: columns left_key, right_key, score and confidence."""
    scores = process.cdist(
        left["spelling"].tolist(),
        right["spelling"].tolist(),
        scorer=fuzz.ratio,
        score_cutoff=100 * MIN_SIMILARITY,
        dtype=np.float32,
        workers=2,
    )
    rows, columns = np.nonzero(scores)
    left, right = left.iloc[rows].reset_index(drop=True), right.iloc[columns].reset_index(drop=True)
    pairs = pd.DataFrame({"left_key": left[KEY], "right_key": right[KEY]})
    pairs["score"] = scores[rows, columns].astype("float64") / 100
    same_numbers = left["numbers"] == right["numbers"]
    other_numbers = ~same_numbers & (left["numbers"] != "") & (right["numbers"] != "")
    length = pd.Series(np.minimum(left["spelling"].str.len(), right["spelling"].str.len()))
    almost_equal = (pairs["score"] >= CERTAIN_SIMILARITY) & (length >= CERTAIN_LENGTH) & same_numbers
    same_year = left["year"] == right["year"]
    long_enough = (length >= _MIN_LENGTH) | (pairs["score"] == 1)
    certain = almost_equal & same_year
    names = zip(left.loc[certain, "name"], right.loc[certain, "name"], strict=True)
    with_extra_word = [row for row, pair in zip(certain.index[certain], names, strict=True) if _has_extra_word(*pair)]
    certain &= ~certain.index.isin(with_extra_word)
    pairs["confidence"] = _compute_confidence(pairs["score"], certain)
    return pairs[(left["extra"] == right["extra"]) & (almost_equal | (same_year & long_enough & ~other_numbers))]


def _has_extra_word(left: str, right: str) -> bool:
    """Whether one name is the other plus a significant word, which makes it another title and not a misprint."""
    left_words, right_words = set(left.split()), set(right.split())
    if left_words > right_words or right_words > left_words:
        return len("".join(left_words ^ right_words)) >= _MIN_WORD_LENGTH
    return False


def _compute_confidence(score: "pd.Series[float]", certain: "pd.Series[bool]") -> "pd.Series[float]":
    """0.90 to 0.95 for certain pairs, which are linked; 0.70 to 0.88 for others, which are proposed."""
    proposed = 0.70 + 0.18 * ((score - MIN_SIMILARITY) / (1 - MIN_SIMILARITY)).clip(0, 1)
    made = 0.90 + 0.05 * ((score - CERTAIN_SIMILARITY) / (1 - CERTAIN_SIMILARITY)).clip(0, 1)
    return made.where(certain, proposed).round(3)
