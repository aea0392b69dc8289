"""Links between records of several sources."""

from collections.abc import Iterable
from random import Random
from typing import Literal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.fusion.link import DEFAULT_LINKS, Links, find_links, rule_name
from graphrec.fusion.records import KEY, SOURCE_NAME
from graphrec.schema import LinkRule
from tests.sizes import EVERYTHING

IMDB = LinkRule("Item", "normalised", ("imdb_id",))
TITLE = LinkRule("Item", "title", ("title", "year"))


def records(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """A frame of records, with the part of the key before the colon as source."""
    frame = pd.DataFrame(list(rows))
    return frame.assign(**{SOURCE_NAME: frame[KEY].str.partition(":")[0]})


def pairs(links: Links) -> dict[tuple[str, str], float]:
    """Confidence by pair."""
    rows = links.pairs[["left_key", "right_key", "confidence"]].itertuples(index=False, name=None)
    return {(left, right): confidence for left, right, confidence in rows}


def candidates(links: Links) -> set[tuple[str, str]]:
    """The ambiguous pairs."""
    return set(links.ambiguous[["left_key", "right_key"]].itertuples(index=False, name=None))


def test_an_exact_key_links_equal_values_of_any_type() -> None:
    rows: list[dict[str, object]] = [
        {KEY: "a:1", "tmdb_id": 862.0},
        {KEY: "a:2", "tmdb_id": None},
        {KEY: "b:x", "tmdb_id": "862"},
        {KEY: "b:y", "tmdb_id": None},
        {KEY: "c:z", "tmdb_id": 863},
    ]
    links = find_links("Item", records(rows), [LinkRule("Item", "exact", ("tmdb_id",))])
    assert links.pairs.to_dict("records") == [
        {"left_key": "a:1", "right_key": "b:x", "rule": "tmdb_id, exact", "confidence": 1.0, "evidence": "tmdb_id 862"}
    ]
    assert links.ambiguous.empty


@pytest.mark.parametrize("by", ["exact", "normalised", "title"])
def test_a_rule_may_compare_properties_called_like_the_columns_of_links(by: Literal["exact", "normalised"]) -> None:
    names = ("key", "source", "left_key", "right_key", "lefts", "rights", "raw key", "key_x", "rule", "name", "self")
    values: dict[str, object] = {name: str(number) for number, name in enumerate(names, 1980)}
    other = {**values, "self": "1"}
    rows = [{KEY: "a:1", **values}, {KEY: "a:2", **other}, {KEY: "b:7", **values}, {KEY: "b:8", **other}]
    links = find_links("Item", records(rows), [LinkRule("Item", by, names)])
    assert list(pairs(links)) == [("a:1", "b:7"), ("a:2", "b:8")]


def test_evidence_of_a_normalised_key_has_the_stored_value() -> None:
    rows: list[dict[str, object]] = [
        {KEY: "a:1", "isbn10": "0-306-40615-2", "isbn": None},
        {KEY: "b:2", "isbn13": "978 0306406157"},
    ]
    links = find_links("Item", records(rows), DEFAULT_LINKS)
    assert pairs(links) == {("a:1", "b:2"): 0.995}
    assert links.pairs["evidence"].tolist() == ["isbn 0-306-40615-2 (9780306406157)"]


def test_every_pair_of_sources_is_linked() -> None:
    links = find_links("Item", records({KEY: f"{source}:1", "imdb_id": "tt7"} for source in "cab"), [IMDB])
    assert list(pairs(links)) == [("a:1", "b:1"), ("a:1", "c:1"), ("b:1", "c:1")]


def test_several_properties_must_all_agree() -> None:
    rule = LinkRule("Item", "normalised", ("title", "brand"))
    rows: list[dict[str, object]] = [
        {KEY: "a:1", "title": "Kettle", "brand": "ACME"},
        {KEY: "b:1", "title": "kettle!", "brand": "Acme"},
        {KEY: "b:2", "title": "Kettle", "brand": "Other"},
        {KEY: "b:3", "title": "Kettle", "brand": None},
    ]
    links = find_links("Item", records(rows), [rule])
    assert links.pairs[["left_key", "right_key", "rule", "evidence"]].to_numpy().tolist() == [
        ["a:1", "b:1", "title and brand, normalised", "title Kettle (kettle), brand ACME (acme)"]
    ]


def test_a_value_of_several_records_is_ambiguous_only_if_the_rule_is_one_to_one() -> None:
    rows: list[dict[str, object]] = [{KEY: key, "email": "A@x.org "} for key in ("a:1", "a:2")]
    rows.append({KEY: "b:1", "email": "a@X.org"})
    both = {("a:1", "b:1"), ("a:2", "b:1")}
    links = find_links("User", records(rows), [LinkRule("User", "normalised", ("email",))])
    assert (pairs(links), candidates(links)) == ({}, both)
    links = find_links("User", records(rows), [LinkRule("User", "normalised", ("email",), one_to_one=False)])
    assert (set(pairs(links)), candidates(links)) == (both, set())


def test_a_value_of_several_records_gives_one_ambiguous_pair_for_each_record() -> None:
    rows: list[dict[str, object]] = [{KEY: f"{side}:{row}", "asin": "B00"} for side in "ab" for row in range(15)]
    links = find_links("Item", records(rows), DEFAULT_LINKS)
    assert links.pairs.empty
    assert len(links.ambiguous) == 29
    assert links.ambiguous["left_key"].nunique() == links.ambiguous["right_key"].nunique() == 15


def test_too_many_pairs_are_refused() -> None:
    rows: list[dict[str, object]] = [
        {KEY: f"{s}:{row}", "city": "Bonn", "zip": 53} for s in "ab" for row in range(4500)
    ]
    rule = LinkRule("User", "exact", ("city", "zip"), one_to_one=False)
    with pytest.raises(DataError, match=r"equal values of city, zip give 20,250,000 pairs .*; empty the values"):
        find_links("User", records(rows), [rule])


def test_a_pair_of_several_rules_is_listed_once_with_the_highest_confidence() -> None:
    row: dict[str, object] = {"title": "Heat", "year": 1995}
    rows = [{**row, KEY: "a:1", "imdb_id": "tt0113277"}, {**row, KEY: "b:1", "imdb_id": 113277}]
    links = find_links("Item", records(rows), DEFAULT_LINKS)
    assert links.pairs[["rule", "confidence", "evidence"]].to_numpy().tolist() == [
        ["imdb_id, normalised", 0.995, "imdb_id tt0113277 (tt113277); Heat (1995) = Heat (1995)"]
    ]


def test_the_identifier_decides_between_equal_titles() -> None:
    row: dict[str, object] = {"title": "Emma", "year": 1996}
    rows = [
        {**row, KEY: "a:1", "imdb_id": "tt1"},
        {**row, KEY: "b:1", "imdb_id": "tt1"},
        {**row, KEY: "b:2", "imdb_id": "tt2"},
    ]
    links = find_links("Item", records(rows), [TITLE, IMDB])
    assert pairs(links) == {("a:1", "b:1"): 0.995}
    assert candidates(links) == set()


def test_a_title_never_links_records_with_different_identifiers() -> None:
    row: dict[str, object] = {"title": "Emma", "year": 1996}
    rows = [{**row, KEY: "a:1", "imdb_id": "tt1"}, {**row, KEY: "b:2", "imdb_id": "tt2"}]
    links = find_links("Item", records(rows), [TITLE, IMDB])
    assert pairs(links) == {}
    assert links.ambiguous["evidence"].tolist() == ["Emma (1996) = Emma (1996); but imdb_id tt1 is not tt2"]


def test_a_contradiction_between_rules_is_reported() -> None:
    rows: list[dict[str, object]] = [
        {KEY: "a:1", "title": "Emma", "year": 1996, "imdb_id": "tt1"},
        {KEY: "b:1", "title": "Heat", "year": 1995, "imdb_id": "tt1"},
        {KEY: "b:2", "title": "Emma", "year": 1996, "imdb_id": None},
    ]
    links = find_links("Item", records(rows), [TITLE, IMDB])
    assert pairs(links) == {("a:1", "b:1"): 0.995}
    assert links.ambiguous[["left_key", "right_key", "evidence"]].to_numpy().tolist() == [
        ["a:1", "b:2", "Emma (1996) = Emma (1996); but a:1 is linked with b:1"]
    ]


def test_two_rules_of_one_confidence_that_disagree_decide_nothing() -> None:
    rules = [LinkRule("Item", "exact", (name,)) for name in ("ean", "sku")]
    rows: list[dict[str, object]] = [
        {KEY: "a:1", "ean": "1", "sku": "9"},
        {KEY: "b:1", "ean": "1", "sku": None},
        {KEY: "b:2", "ean": None, "sku": "9"},
    ]
    links = find_links("Item", records(rows), rules)
    assert (pairs(links), candidates(links)) == ({}, {("a:1", "b:1"), ("a:1", "b:2")})


def test_a_made_link_goes_before_a_proposed_one() -> None:
    strict = LinkRule("Item", "exact", ("x",), threshold=1.1)
    loose = LinkRule("Item", "normalised", ("y",))
    rows: list[dict[str, object]] = [
        {KEY: "a:1", "x": "1", "y": "9"},
        {KEY: "b:1", "x": "1", "y": None},
        {KEY: "b:2", "x": None, "y": "9"},
    ]
    assert pairs(find_links("Item", records(rows), [strict, loose])) == {("a:1", "b:2"): 0.995}


def test_rules_of_other_labels_and_missing_columns_find_nothing() -> None:
    rows: list[dict[str, object]] = [{KEY: "a:1", "imdb_id": "tt1"}, {KEY: "b:1", "imdb_id": "tt1"}]
    assert find_links("User", records(rows), DEFAULT_LINKS).pairs.empty
    for rule in (TITLE, LinkRule("Item", "fields", ("name", "city")), LinkRule("Item", "exact", ("ean",))):
        links = find_links("Item", records(rows), [rule])
        assert links.pairs.empty
        assert list(links.pairs.columns) == ["left_key", "right_key", "rule", "confidence", "evidence"]


def test_the_name_of_a_rule() -> None:
    assert rule_name(TITLE) == "title and year"
    assert rule_name(IMDB) == "imdb_id, normalised"
    assert rule_name(LinkRule("Item", "exact", ("ean",))) == "ean, exact"
    assert rule_name(LinkRule("User", "fields", ("name", "city"))) == "name and city, similar"


VALUES = st.sampled_from(["tt1", "tt2", "tt3", "1", None])
TITLES = st.sampled_from(
    [
        "Heat",
        "The Heat",
        "Heat, The",
        "Heat 2",
        "Heat II",
        "Heat (Alien)",
        "Alien",
        "Alien: The Heat",
        None,
        "The Long Way Home Again",
        "The Long Way Home Agian",
        "Long Way Home Again, The (Heat)",
    ]
)


@st.composite
def some_records(draw: st.DrawFn) -> pd.DataFrame:
    """Records of two or three sources with many conflicts."""
    rows: list[dict[str, object]] = []
    for source in ("a", "b", "c")[: draw(st.integers(2, 3))]:
        for number in range(draw(st.integers(0, 5))):
            year = draw(st.sampled_from([1995, 1996, None]))
            row = {KEY: f"{source}:{number}", "title": draw(TITLES), "year": year, "imdb_id": draw(VALUES)}
            rows.append({**row, "asin": draw(VALUES)})
    frame = pd.DataFrame(rows, columns=[KEY, "title", "year", "imdb_id", "asin"])
    return frame.assign(**{SOURCE_NAME: [str(row[KEY])[0] for row in rows]})


def unordered(frame: pd.DataFrame) -> set[tuple[frozenset[str], float]]:
    """The pairs with confidence, without left and right."""
    rows = zip(frame["left_key"], frame["right_key"], frame["confidence"], strict=True)
    return {(frozenset((left, right)), float(confidence)) for left, right, confidence in rows}


@settings(deadline=None, max_examples=12 if EVERYTHING else 2)
@given(some_records(), st.randoms(use_true_random=False))
def test_links_depend_on_the_set_of_records_alone(frame: pd.DataFrame, random: Random) -> None:
    links = find_links("Item", frame, DEFAULT_LINKS)
    order = list(range(len(frame)))
    random.shuffle(order)
    again = find_links("Item", frame.iloc[order], [*reversed(DEFAULT_LINKS)])
    pd.testing.assert_frame_equal(links.pairs, again.pairs)
    pd.testing.assert_frame_equal(links.ambiguous, again.ambiguous)


@settings(deadline=None, max_examples=12 if EVERYTHING else 2)
@given(some_records(), st.permutations("abc"))
def test_links_do_not_depend_on_the_names_of_the_sources(frame: pd.DataFrame, names: list[str]) -> None:
    links = find_links("Item", frame, DEFAULT_LINKS)
    new = dict(zip("abc", names, strict=True))
    renamed = frame.assign(
        **{KEY: [new[key[0]] + key[1:] for key in frame[KEY]], SOURCE_NAME: [new[each] for each in frame[SOURCE_NAME]]}
    )
    other = find_links("Item", renamed, DEFAULT_LINKS)
    for ours, theirs in ((links.pairs, other.pairs), (links.ambiguous, other.ambiguous)):
        ends = ours.assign(
            left_key=[new[key[0]] + key[1:] for key in ours["left_key"]],
            right_key=[new[key[0]] + key[1:] for key in ours["right_key"]],
        )
        assert unordered(ends) == unordered(theirs)


@settings(deadline=None, max_examples=12 if EVERYTHING else 2)
@given(some_records())
def test_links_join_different_sources_one_to_one(frame: pd.DataFrame) -> None:
    links = find_links("Item", frame, DEFAULT_LINKS)
    for found in (links.pairs, links.ambiguous):
        assert (found["left_key"].str[0] < found["right_key"].str[0]).all()
        assert not found.duplicated(["left_key", "right_key"]).any()
        assert found["confidence"].between(0.7, 1).all()
        assert set(found["left_key"]) | set(found["right_key"]) <= set(frame[KEY])
    sides = links.pairs["left_key"].str[0], links.pairs["right_key"].str[0]
    for key in ("left_key", "right_key"):
        assert not pd.concat([links.pairs[key], *sides], axis=1, keys=["key", "left", "right"]).duplicated().any()
    assert not set(unordered_pairs(links.pairs)) & set(unordered_pairs(links.ambiguous))


def unordered_pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs without rule, confidence and evidence."""
    return list(frame[["left_key", "right_key"]].itertuples(index=False, name=None))
