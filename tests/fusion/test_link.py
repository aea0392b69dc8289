"""Which items are the same work."""

import pandas as pd
import pytest

from graphrec.fusion.link import link_titles

Film = tuple[str, str | None, int | None]


def frame(*films: Film) -> pd.DataFrame:
    table = pd.DataFrame(films, columns=["id", "title", "year"])
    return table.astype({"id": "str", "title": "str", "year": "Int64"})


def linked(existing: list[Film], incoming: list[Film]) -> tuple[set[tuple[str, str]], set[str]]:
    """The pairs and the ambiguous incoming ids."""
    links = link_titles(frame(*existing), frame(*incoming))
    pairs = set(links.pairs[["existing_id", "incoming_id"]].itertuples(index=False, name=None))
    return pairs, set(links.ambiguous["incoming_id"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "Godfather, The", 1972), ("b", "The Godfather", 1972)),
        (("a", "Kingdom, The (Riget)", 1994), ("b", "Riget", 1994)),
        (("a", "Three Colours (Trois couleurs)", 1993), ("b", "Trois couleurs (Three Colors)", 1993)),
        (("a", "Jason X", 2002), ("b", "Jason X", 2001)),
        (("a", "Jason X", 2000), ("b", "Jason X", 2001)),
    ],
)
def test_one_work(one: Film, other: Film) -> None:
    assert linked([one], [other]) == ({("a", "b")}, set())
    assert linked([other], [one]) == ({("b", "a")}, set())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "Hamlet", 1948), ("b", "Hamlet", 1996)),
        (("a", "Heat", 1995), ("b", "Heat", 1997)),
        (("a", "Kingdom, The (Riget)", 1994), ("b", "Riget", 1995)),  # another name and another year is too little
        (("a", None, 1995), ("b", None, 1995)),
        (("a", "Heat", None), ("b", "Heat", None)),
    ],
)
def test_two_works(one: Film, other: Film) -> None:
    assert linked([one], [other]) == (set(), set())


def test_several_candidates_on_either_side_are_ambiguous() -> None:
    two: list[Film] = [("a", "Hamlet", 2000), ("b", "Hamlet", 2000)]
    assert linked([("x", "Hamlet", 2000)], two) == (set(), {"a", "b"})
    assert linked(two, [("x", "Hamlet", 2000)]) == (set(), {"x"})


def test_the_whole_title_goes_before_another_name() -> None:
    existing: list[Film] = [("a", "Gojira", 1984), ("b", "Godzilla 1985 (Gojira)", 1984)]
    assert linked(existing, [("x", "Gojira", 1984)]) == ({("a", "x")}, set())


def test_other_names_that_fit_two_films_are_ambiguous() -> None:
    incoming: list[Film] = [("x", "Tunnel, The", 2001), ("y", "Tunnel, Der", 2001)]
    assert linked([("a", "Tunnel, The (Tunnel, Der)", 2001)], incoming) == (set(), {"x", "y"})


def test_the_same_year_goes_before_a_neighbour() -> None:
    existing: list[Film] = [("a", "Carmen", 1983), ("b", "Carmen", 1984)]
    assert linked(existing, [("x", "Carmen", 1984)]) == ({("b", "x")}, set())


def test_a_title_filmed_again_needs_its_year() -> None:
    existing: list[Film] = [("a", "Carmen", 1983), ("b", "Carmen", 1948)]
    assert linked(existing, [("x", "Carmen", 1984)]) == (set(), set())


def test_nothing_meets_nothing() -> None:
    assert linked([], []) == (set(), set())
    assert linked([], [("x", "Heat", 1995)]) == (set(), set())
