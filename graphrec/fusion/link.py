"""Which items of two sources are the same work: same year and same title, one to one, never a guess."""

from dataclasses import dataclass

import pandas as pd

from graphrec.fusion.titles import aliases, normalise

_SIDES = ["existing_id", "incoming_id"]


@dataclass(frozen=True)
class Links:
    """Pairs of one work: columns existing_id and incoming_id; and the incoming ids with several candidates."""

    pairs: pd.DataFrame
    ambiguous: pd.DataFrame


def link_titles(existing: pd.DataFrame, incoming: pd.DataFrame) -> Links:
    """Links between two frames with columns id, title and year; a row without title or year is never linked.

    The whole titles are compared first; what they leave open is compared by the titles' other names
    (`titles.aliases`), and last by the whole titles of neighbouring years. A title that has several candidates on
    either side is ambiguous in that step, and not looked at again.
    """
    left, right = _names(existing), _names(incoming)
    whole_left, whole_right = left[left["whole"]], right[right["whole"]]
    steps = (
        whole_left.merge(whole_right, on=["name", "year"]),
        left.merge(right, on=["name", "year"]),
        _neighbours(whole_left, whole_right),
    )
    pairs, ambiguous = [], []
    settled: tuple[set[str], set[str]] = set(), set()
    for found in steps:
        candidates = found.rename(columns={"id_x": "existing_id", "id_y": "incoming_id"})[_SIDES].drop_duplicates()
        for side, ids in zip(_SIDES, settled, strict=True):
            candidates = candidates[~candidates[side].isin(ids)]
        several = candidates["existing_id"].duplicated(keep=False) | candidates["incoming_id"].duplicated(keep=False)
        pairs.append(candidates[~several])
        ambiguous.append(candidates[several])
        for side, ids in zip(_SIDES, settled, strict=True):
            ids.update(candidates[side])
    return Links(pd.concat(pairs, ignore_index=True), pd.concat(ambiguous, ignore_index=True))


def _names(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns id, year, name and whole: a row for the whole title of each work and one for each other name."""
    year = pd.to_numeric(frame["year"], errors="coerce").astype("Float64")
    known = frame["title"].notna() & year.notna()
    works = pd.DataFrame({"id": frame["id"], "year": year, "title": frame["title"]})[known.to_numpy()]
    whole = works.assign(name=works["title"].map(normalise), whole=True)
    bracketed = works[works["title"].astype("str").str.contains("(", regex=False)]
    other = bracketed.assign(name=bracketed["title"].map(aliases), whole=False).explode("name").dropna(subset="name")
    rows = pd.concat([whole, other], ignore_index=True)
    return rows.astype({"name": "str", "whole": "bool"})[["id", "year", "name", "whole"]]


def _neighbours(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Pairs with the same whole title whose years differ by one, where each side has that title only once.

    Sources date a film by its making or by its release. A title that was filmed again and again ("Carmen" of 1983
    and of 1984) says too little for that.
    """
    left, right = (side.drop_duplicates("name", keep=False) for side in (left, right))
    shifted = pd.concat([right.assign(year=right["year"] + step) for step in (-1, 1)])
    return left.merge(shifted, on=["name", "year"])
