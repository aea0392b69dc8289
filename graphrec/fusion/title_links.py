"""Title links: records with the same title and year, matched one to one in steps of descending confidence."""

from collections.abc import Sequence

import pandas as pd

from graphrec.fusion.candidate_pairs import (
    JOINED_KEYS,
    SIDES,
    MatchedPairs,
    concat_pairs,
    join,
    split_clear_and_ambiguous,
)
from graphrec.fusion.fuzzy_titles import match_similar_titles
from graphrec.fusion.normalisation import as_text, normalise_code
from graphrec.fusion.records import KEY
from graphrec.fusion.titles import (
    compact,
    extract_aliases,
    extract_numbers,
    normalise_title,
    split_title,
    strip_article,
)
from graphrec.schema import LinkRule

#: The confidence of a link by the step that finds it; docs/linking.md has the measured precision.
SAME_TITLE = 0.99
ALIAS = 0.97
OTHER_SPELLING = 0.95
NEIGHBOURING_YEAR = 0.93
ALIAS_NEIGHBOURING_YEAR = 0.91
SHORT_TITLE = 0.88
SUBTITLE = 0.86
REMAKE_OR_SHORT_ALIAS = 0.85
#: Reduction of all confidences if the rule has no year.
WITHOUT_YEAR = 0.04
#: Minimum letters of a title that is rare enough without its article ("Bats" and "The Bats" are two films), in a
#: neighbouring year ("Spiral" of 1999 and 2000), and as an alias in a neighbouring year ("Riget").
_MIN_BARE, _MIN_NEIGHBOUR, _MIN_ALIAS_NEIGHBOUR = 6, 8, 12

_ON = ["name", "year", "extra"]


def match_titles(rule: LinkRule, left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """The pairs of the same work. The rule's properties are title, year, and further ones that must be equal.

    Each step compares the records that the steps before left open: whole titles, aliases in parentheses
    (`titles.extract_aliases`), spellings without spaces and article, whole titles of neighbouring years, aliases of
    neighbouring years, parts of titles, and similar spellings. A record with several candidates in a step is ambiguous
    and skipped by the later steps. Without a year the steps that need one are skipped, and confidences are lower.
    """
    if not set(rule.on) <= set(left.columns) & set(right.columns):
        return MatchedPairs(concat_pairs([]), concat_pairs([]))
    sides = [_list_names(rule, left), _list_names(rule, right)]
    clear_pairs, ambiguous_pairs = [], []
    with_year = len(rule.on) > 1
    for step in (*_STEPS, *(_STEPS_WITH_YEAR if with_year else ())):
        if not all(side["open"].any() for side in sides):
            break
        clear, ambiguous = step(*sides)
        clear_pairs.append(clear)
        ambiguous_pairs.append(ambiguous)
        settled = [{*clear[side], *ambiguous[side]} for side in SIDES]
        sides = [
            side.assign(open=side["open"] & ~side[KEY].isin(keys)) for side, keys in zip(sides, settled, strict=True)
        ]
    reduction = 0.0 if with_year else WITHOUT_YEAR
    labels = [_describe_records(rule, side) for side in (left, right)]
    return MatchedPairs(
        *(_add_evidence(concat_pairs(frames), labels, reduction) for frames in (clear_pairs, ambiguous_pairs))
    )


def _list_names(rule: LinkRule, records: pd.DataFrame) -> pd.DataFrame:
    """One row for the whole title of each record and one for each alias.

    Columns `KEY`, title, year, extra (the further properties as one text), name (normalised), whole (whether the name
    is the whole title) and open (whether no step has settled the record).
    """
    title, *others = rule.on
    works = pd.DataFrame({KEY: records[KEY], "title": as_text(records[title])})
    works["year"] = pd.to_numeric(records[others[0]], errors="coerce").astype("float64") if others else 0.0
    works["extra"] = ""
    for name in others[1:]:
        works["extra"] += as_text(records[name]).map(normalise_code, na_action="ignore").astype("str") + " "
    works = works.dropna()
    whole = works.assign(name=works["title"].map(normalise_title), whole=True)
    bracketed = works[works["title"].str.contains("(", regex=False)]
    aliases = bracketed.assign(name=bracketed["title"].map(extract_aliases), whole=False)
    aliases = aliases.explode("name").dropna(subset="name")
    return pd.concat([whole, aliases], ignore_index=True).astype({"name": "str", "whole": "bool"}).assign(open=True)


def _describe_records(rule: LinkRule, records: pd.DataFrame) -> "pd.Series[str]":
    """The text of each record in evidence, by key: "Godfather, The (1972)"."""
    title, *others = (as_text(records[name]) for name in rule.on)
    text = title + " (" + others[0] + ")" if others else title
    return pd.Series(text.to_numpy(), index=records[KEY], dtype="str")


def _add_evidence(pairs: pd.DataFrame, labels: Sequence["pd.Series[str]"], reduction: float) -> pd.DataFrame:
    left, right = (pairs[side].map(names).astype("str") for side, names in zip(SIDES, labels, strict=True))
    confidence = (pairs["confidence"] - reduction).round(3)
    return pairs[SIDES].assign(confidence=confidence, evidence=left + " = " + right)


def _join_open(left: pd.DataFrame, right: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The pairs of open records with equal name, year and extra properties."""
    left, right = (side[side["open"]].drop(columns="open") for side in (left, right))
    pairs = join(left, right, _ON).rename(columns=dict(zip(JOINED_KEYS, SIDES, strict=True)))
    return pairs.drop_duplicates(SIDES).assign(confidence=confidence)


def _match_whole_titles(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    return split_clear_and_ambiguous(_join_open(left[left["whole"]], right[right["whole"]], SAME_TITLE))


def _match_aliases(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    return split_clear_and_ambiguous(_join_open(left, right, ALIAS))


def _match_neighbouring_years(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """The same whole title in neighbouring years, if each source has that title only once.

    Sources date a film by its production or by its release. A title of several films ("Carmen" of 1983 and of 1984)
    is not specific enough.
    """
    left, right = (side[side["whole"]].drop_duplicates("name", keep=False) for side in (left, right))
    pairs = _join_open(left, _shift_years(right), NEIGHBOURING_YEAR)
    short = pairs["name"].map(strip_article).map(compact).str.len() < _MIN_NEIGHBOUR
    return split_clear_and_ambiguous(pairs.assign(confidence=pairs["confidence"].mask(short, SHORT_TITLE)))


def _match_aliases_of_neighbouring_years(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """Any name in any spelling, with its article, in neighbouring years: certain if it is long and of one record."""
    names = [side.assign(name=side["name"].map(compact)).drop_duplicates([KEY, "name"]) for side in (left, right)]
    repeated = {name for side in names for name in side.loc[side["name"].duplicated(), "name"]}
    left, right = (side[side["open"]] for side in names)
    pairs = _join_open(left, _shift_years(right), ALIAS_NEIGHBOURING_YEAR)
    uncertain = pairs["name"].isin(repeated) | (pairs["name"].str.len() < _MIN_ALIAS_NEIGHBOUR)
    confidence = pairs["confidence"].mask(uncertain, REMAKE_OR_SHORT_ALIAS)
    return split_clear_and_ambiguous(pairs.assign(confidence=confidence))


def _shift_years(works: pd.DataFrame) -> pd.DataFrame:
    """The rows twice, dated a year earlier and a year later."""
    return pd.concat([works.assign(year=works["year"] + step) for step in (-1, 1)], ignore_index=True)


def _match_spellings(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """Names that are equal without spaces, with numbers in digits, and without an article that only one of them has."""
    left, right = (_list_spellings(side[side["open"]]) for side in (left, right))
    pairs = _join_open(left, right, OTHER_SPELLING)
    pairs = pairs[~(pairs["bare_x"] & pairs["bare_y"])]
    # Short bare names wait for a later step: "The Dish" of 2000, dated 2001, must match itself and not "Dish" of 2001.
    is_specific = ~(pairs["bare_x"] | pairs["bare_y"]) | (pairs["name"].str.len() >= _MIN_BARE)
    return split_clear_and_ambiguous(pairs[is_specific])


def _list_spellings(works: pd.DataFrame) -> pd.DataFrame:
    """One row for each name without spaces, and for names with an article another without it (`bare`)."""
    without_article = works["name"].map(strip_article).astype("str")
    bare = works.assign(name=without_article.map(compact), bare=True)[without_article != works["name"]]
    spellings = pd.concat([works.assign(name=works["name"].map(compact), bare=False), bare], ignore_index=True)
    return spellings.astype({"name": "str", "bare": "bool"}).sort_values([KEY, "bare"], ignore_index=True)


def _match_parts(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """Names that are a whole part of the other title: "Star Wars" and "Star Wars: Episode IV - A New Hope"."""
    sides = [side[side["open"]] for side in (left, right)]
    names = [side.assign(name=side["name"].map(strip_article).map(compact)) for side in sides]
    parts = [_list_parts(side[side["whole"]]) for side in sides]
    pairs = concat_pairs([_join_open(parts[0], names[1], SUBTITLE), _join_open(names[0], parts[1], SUBTITLE)])
    return split_clear_and_ambiguous(pairs.drop_duplicates(SIDES))


def _list_parts(works: pd.DataFrame) -> pd.DataFrame:
    """One row for each part of a title with a colon or a dash."""
    rows = works.assign(name=works["title"].map(split_title)).explode("name").dropna(subset="name")
    return rows.assign(name=rows["name"].map(strip_article).map(compact)).astype({"name": "str"})


def _match_similar_spellings(left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """Names with a similar spelling, in neighbouring years."""
    sides = []
    for works in (left[left["open"]], right[right["open"]]):
        spelling = works["name"].map(strip_article).map(compact)
        sides.append(works.assign(spelling=spelling, numbers=works["name"].map(extract_numbers)))
    return match_similar_titles(*sides)


_STEPS = (_match_whole_titles, _match_aliases, _match_spellings)
#: In this order a title matches its own film of the year before, and not a film whose name is a part of it.
_STEPS_WITH_YEAR = (
    _match_neighbouring_years,
    _match_aliases_of_neighbouring_years,
    _match_parts,
    _match_similar_spellings,
)
