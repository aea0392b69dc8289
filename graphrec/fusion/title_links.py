"""Which records of two sources are the same work: same title and year, step by step, one to one, never a guess."""

from collections.abc import Sequence

import pandas as pd

from graphrec.fusion.candidate_pairs import SIDES, Divided, divide, gathered, join
from graphrec.fusion.fuzzy_titles import similar_titles
from graphrec.fusion.normalisation import as_text, code
from graphrec.fusion.titles import aliases, compact, divisions, normalise, numbers, without_article
from graphrec.schema import LinkRule

#: How sure a link is by the step that finds it; docs/linking.md has the precision that was measured.
SAME_TITLE = 0.99
OTHER_TITLE = 0.97
OTHER_SPELLING = 0.95
NEIGHBOURING_YEAR = 0.93
OTHER_TITLE_NEIGHBOURING_YEAR = 0.91
SHORT_TITLE = 0.88
SUBTITLE = 0.86
FILMED_AGAIN = 0.85
#: How much less sure each step is where the rule names no year.
WITHOUT_YEAR = 0.04
#: Letters from which a title is rare enough: without its article ("Bats" and "The Bats" are two films), in a
#: neighbouring year ("Spiral" of 1999 and 2000), and as another name in a neighbouring year ("Riget").
_RARE, _RARE_NEIGHBOUR, _RARE_OTHER_NEIGHBOUR = 6, 8, 12

_ON = ["name", "year", "more"]


def match_titles(rule: LinkRule, left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """The pairs of one work: the first property of the rule is a title, the second a year, further ones must be equal.

    The whole titles are compared first; what they leave open is compared by the titles' other names
    (`titles.aliases`), by the spellings without spaces and article, by the whole titles of neighbouring years, by
    parts of titles, and last by similarity. A record that has several candidates in a step is ambiguous there, and
    not looked at again. Without a year only the steps that need none are taken, and the links are less sure.
    """
    if not set(rule.on) <= set(left.columns) & set(right.columns):
        return Divided(gathered([]), gathered([]))
    sides = [_works(rule, left), _works(rule, right)]
    found, ambiguous = [], []
    dated = len(rule.on) > 1
    for step in (*_STEPS, *(_STEPS_OF_YEARS if dated else ())):
        if not all(side["open"].any() for side in sides):
            break
        clear, doubtful = step(*sides)
        found.append(clear)
        ambiguous.append(doubtful)
        done = [{*clear[side], *doubtful[side]} for side in SIDES]
        sides = [
            side.assign(open=side["open"] & ~side["key"].isin(keys)) for side, keys in zip(sides, done, strict=True)
        ]
    less = 0.0 if dated else WITHOUT_YEAR
    called = [_called(rule, side) for side in (left, right)]
    return Divided(*(_with_evidence(gathered(frames), called, less) for frames in (found, ambiguous)))


def _works(rule: LinkRule, records: pd.DataFrame) -> pd.DataFrame:
    """Columns key, title, year, more, and name, whole: a row for the whole title and one for each other name.

    The column `open` says of which works no step has said anything yet.
    """
    title, *others = rule.on
    works = pd.DataFrame({"key": records["key"], "title": as_text(records[title])})
    works["year"] = pd.to_numeric(records[others[0]], errors="coerce").astype("float64") if others else 0.0
    works["more"] = ""
    for name in others[1:]:
        works["more"] += as_text(records[name]).map(code, na_action="ignore").astype("str") + " "
    works = works.dropna()
    whole = works.assign(name=works["title"].map(normalise), whole=True)
    bracketed = works[works["title"].str.contains("(", regex=False)]
    other = bracketed.assign(name=bracketed["title"].map(aliases), whole=False).explode("name").dropna(subset="name")
    return pd.concat([whole, other], ignore_index=True).astype({"name": "str", "whole": "bool"}).assign(open=True)


def _called(rule: LinkRule, records: pd.DataFrame) -> "pd.Series[str]":
    """What a record is called in evidence, by key: "Godfather, The (1972)"."""
    title, *others = (as_text(records[name]) for name in rule.on)
    text = title + " (" + others[0] + ")" if others else title
    return pd.Series(text.to_numpy(), index=records["key"], dtype="str")


def _with_evidence(pairs: pd.DataFrame, called: Sequence["pd.Series[str]"], less: float) -> pd.DataFrame:
    ours, theirs = (pairs[side].map(names).astype("str") for side, names in zip(SIDES, called, strict=True))
    confidence = (pairs["confidence"] - less).round(3)
    return pairs[SIDES].assign(confidence=confidence, evidence=ours + " = " + theirs)


def _paired(left: pd.DataFrame, right: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The pairs of open records that agree in name, year and what else must agree."""
    ours, theirs = (side[side["open"]].drop(columns="open") for side in (left, right))
    return join(ours, theirs, _ON).drop_duplicates(SIDES).assign(confidence=confidence)


def _same(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    return divide(_paired(left[left["whole"]], right[right["whole"]], SAME_TITLE))


def _other(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    return divide(_paired(left, right, OTHER_TITLE))


def _neighbours(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """The same whole title in neighbouring years, where each side has that title only once.

    Sources date a film by its making or by its release. A title that was filmed again and again ("Carmen" of 1983
    and of 1984) says too little for that.
    """
    ours, theirs = (side[side["whole"]].drop_duplicates("name", keep=False) for side in (left, right))
    pairs = _paired(ours, _shifted(theirs), NEIGHBOURING_YEAR)
    short = pairs["name"].map(without_article).map(compact).str.len() < _RARE_NEIGHBOUR
    return divide(pairs.assign(confidence=pairs["confidence"].mask(short, SHORT_TITLE)))


def _other_neighbours(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """Any name in any spelling, with its article, in neighbouring years: sure if it is long and of one record only."""
    names = [side.assign(name=side["name"].map(compact)).drop_duplicates(["key", "name"]) for side in (left, right)]
    again = {name for side in names for name in side.loc[side["name"].duplicated(), "name"]}
    ours, theirs = (side[side["open"]] for side in names)
    pairs = _paired(ours, _shifted(theirs), OTHER_TITLE_NEIGHBOURING_YEAR)
    doubtful = pairs["name"].isin(again) | (pairs["name"].str.len() < _RARE_OTHER_NEIGHBOUR)
    return divide(pairs.assign(confidence=pairs["confidence"].mask(doubtful, FILMED_AGAIN)))


def _shifted(works: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([works.assign(year=works["year"] + step) for step in (-1, 1)], ignore_index=True)


def _spelt(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """Names that are equal without spaces, in digits, and without an article if only one of them has it."""
    ours, theirs = (_spellings(side[side["open"]]) for side in (left, right))
    pairs = _paired(ours, theirs, OTHER_SPELLING)
    pairs = pairs[~(pairs["bare_x"] & pairs["bare_y"])]
    # "The Dish" of 2000 dated 2001 must find itself before a film "Dish" of 2001: short ones wait for the last step.
    return divide(pairs[~(pairs["bare_x"] | pairs["bare_y"]) | (pairs["name"].str.len() >= _RARE)])


def _spellings(works: pd.DataFrame) -> pd.DataFrame:
    """A row for each name in one spelling, and another, `bare`, without its article for each that has one."""
    bare = works["name"].map(without_article).astype("str")
    shorter = works.assign(name=bare.map(compact), bare=True)[bare != works["name"]]
    spelt = pd.concat([works.assign(name=works["name"].map(compact), bare=False), shorter], ignore_index=True)
    return spelt.astype({"name": "str", "bare": "bool"}).sort_values(["key", "bare"], ignore_index=True)


def _parts(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """A name that is a whole part of the other title: "Star Wars" and "Star Wars: Episode IV - A New Hope"."""
    sides = [side[side["open"]] for side in (left, right)]
    names = [side.assign(name=side["name"].map(without_article).map(compact)) for side in sides]
    parts = [_divided(side[side["whole"]]) for side in sides]
    pairs = gathered([_paired(parts[0], names[1], SUBTITLE), _paired(names[0], parts[1], SUBTITLE)])
    return divide(pairs.drop_duplicates(SIDES))


def _divided(works: pd.DataFrame) -> pd.DataFrame:
    rows = works.assign(name=works["title"].map(divisions)).explode("name").dropna(subset="name")
    return rows.assign(name=rows["name"].map(without_article).map(compact)).astype({"name": "str"})


def _similar(left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """Names that are spelt almost alike, of neighbouring years."""
    sides = []
    for works in (left[left["open"]], right[right["open"]]):
        spelling = works["name"].map(without_article).map(compact)
        sides.append(works.assign(spelling=spelling, numbers=works["name"].map(numbers)))
    return similar_titles(*sides)


#: In this order, so that a title finds its own film of the year before ahead of a film whose name is a part of it.
_STEPS = (_same, _other, _spelt)
_STEPS_OF_YEARS = (_neighbours, _other_neighbours, _parts, _similar)
