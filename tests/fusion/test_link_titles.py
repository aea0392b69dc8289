"""Title links between two sources, and their confidence."""

from collections.abc import Sequence

import pandas as pd
import pytest

from graphrec.fusion.link import find_links
from graphrec.fusion.records import KEY, SOURCE_NAME
from graphrec.schema import LinkRule

Film = tuple[str, str | None, int | None]
#: Title and year.
Work = tuple[str, int]
RULE = LinkRule("Item", "title", ("title", "year"))


def linked(ours: list[Film], theirs: list[Film]) -> tuple[dict[tuple[str, str], float], set[tuple[str, str]]]:
    """The confidence of each pair of native ids, and the ambiguous pairs."""
    rows = [(f"a:{id_}", "a", title, year) for id_, title, year in ours]
    rows += [(f"b:{id_}", "b", title, year) for id_, title, year in theirs]
    links = find_links("Item", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "title", "year"]), [RULE])
    found = zip(links.pairs["left_key"].str[2:], links.pairs["right_key"].str[2:], strict=True)
    doubtful = zip(links.ambiguous["left_key"].str[2:], links.ambiguous["right_key"].str[2:], strict=True)
    return dict(zip(found, links.pairs["confidence"], strict=True)), set(doubtful)


#: Two films of one work, and the confidence of their link.
MADE: tuple[tuple[Work, Work, float], ...] = (
    (("Godfather, The", 1972), ("The Godfather", 1972), 0.99),
    (("Kingdom, The (Riget)", 1994), ("Riget", 1994), 0.97),
    (("Three Colours (Trois couleurs)", 1993), ("Trois couleurs (Three Colors)", 1993), 0.97),
    (("Blood Sucking Freaks", 1976), ("Bloodsucking Freaks", 1976), 0.95),
    (("Friday the 13th, Part Five", 1985), ("Friday the 13th V", 1985), 0.95),
    (("School of Rock, The", 2003), ("School of Rock", 2003), 0.95),
    (("Oldboy", 2003), ("Old Boy", 2003), 0.95),
    (("Major Payne", 1994), ("Major Payne", 1995), 0.93),
    (("Blood & Wine", 1997), ("Wine of Blood (Blood and Wine)", 1996), 0.91),
    (("Mia aioniotita kai mia mera", 1998), ("Mia aoniotita kai mia mera", 1998), 0.934),
    (("Spy Cats 2: Island of Lost Dreams", 2002), ("Spy Cats 2: The Island of Lost Dreams", 2002), 0.911),
)
PROPOSED: tuple[tuple[Work, Work, float], ...] = (
    (("Jason X", 2002), ("Jason X", 2001), 0.88),  # short titles are filmed every year
    (("Bats, The", 1999), ("Bats", 1999), 0.88),
    (("Star Wars", 1977), ("Star Wars: Episode IV - A New Hope", 1977), 0.86),
    (("Kingdom, The (Riget)", 1994), ("Riget", 1995), 0.85),
    (("Star Trek: The Wrath of Khan", 1982), ("Star Trek II: The Wrath of Khan", 1982), 0.851),
    (
        ("The Very Long and Winding Road to My Home", 1999),
        ("The Very Long and Winding Road to My Home Town", 1999),
        0.8,
    ),
    (("Whiteboys", 1999), ("Whiteboyz", 1999), 0.737),
)
TWO_WORKS: tuple[tuple[Work, Work], ...] = (
    (("Hamlet", 1948), ("Hamlet", 1996)),
    (("Heat", 1995), ("Heat", 1997)),
    (("Rocky II", 1982), ("Rocky III", 1982)),
    (("The Adventures of Somebody Part 2", 1990), ("The Adventures of Somebody Part 3", 1990)),
    (("Ocean's Eleven of the World", 2001), ("Ocean's Twelve of the World", 2001)),
    (("Hotel", 2004), ("Hostel", 2004)),
    (("Beauty and the Bandit", 1946), ("Beauty and the Beast", 1946)),
    (("Boys, Les", 1997), ("Boys, The", 1998)),
    (("Star Wars", 1977), ("Star Wars: Episode V - The Empire Strikes Back", 1978)),
    (("Dinner with the Devil(s)", 2001), ("S", 2001)),
)


def linked_pairs(pairs: Sequence[tuple[Work, Work]]) -> dict[tuple[str, str], float]:
    """The confidence of the links of pairs of films, by their titles; the pairs are kept apart by a third property."""
    rows: list[tuple[str, str, str, int, str]] = []
    for number, ((one, year), (other, other_year)) in enumerate(pairs):
        rows += [
            (f"a:{number}", "a", one, year, f"pair{number}"),
            (f"b:{number}", "b", other, other_year, f"pair{number}"),
        ]
    rule = LinkRule("Item", "title", ("title", "year", "pair"))
    links = find_links("Item", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "title", "year", "pair"]), [rule])
    assert links.ambiguous.empty
    title = {row[0]: row[2] for row in rows}
    found = zip(links.pairs["left_key"].map(title), links.pairs["right_key"].map(title), strict=True)
    return dict(zip(found, links.pairs["confidence"], strict=True))


@pytest.mark.parametrize("expected", [MADE, PROPOSED], ids=["made", "proposed"])
def test_titles_of_one_work(expected: Sequence[tuple[Work, Work, float]]) -> None:
    assert linked_pairs([(one, other) for one, other, _ in expected]) == {
        (one[0], other[0]): confidence for one, other, confidence in expected
    }
    assert linked_pairs([(other, one) for one, other, _ in expected]) == {
        (other[0], one[0]): confidence for one, other, confidence in expected
    }


def test_titles_of_two_works() -> None:
    assert linked_pairs(TWO_WORKS) == {}
    assert linked_pairs([(other, one) for one, other in TWO_WORKS]) == {}


@pytest.mark.parametrize("film", [(None, 1995), ("Heat", None)])
def test_films_without_a_title_or_a_year_are_not_linked(film: tuple[str | None, int | None]) -> None:
    assert linked([("x", *film)], [("y", *film)]) == ({}, set())


def test_a_pair_of_films_alone_is_linked_too() -> None:
    one, other, confidence = MADE[0]
    assert linked([("x", *one)], [("y", *other)]) == ({("x", "y"): confidence}, set())


def test_several_candidates_on_either_side_are_ambiguous() -> None:
    two: list[Film] = [("a", "Hamlet", 2000), ("b", "Hamlet", 2000)]
    assert linked([("x", "Hamlet", 2000)], two) == ({}, {("x", "a"), ("x", "b")})
    assert linked(two, [("x", "Hamlet", 2000)]) == ({}, {("a", "x"), ("b", "x")})


def test_the_whole_title_is_preferred_to_an_alias() -> None:
    ours: list[Film] = [("a", "Gojira", 1984), ("b", "Godzilla 1985 (Gojira)", 1984)]
    assert linked(ours, [("x", "Gojira", 1984)]) == ({("a", "x"): 0.99}, set())


def test_aliases_of_two_films_are_ambiguous() -> None:
    theirs: list[Film] = [("x", "Tunnel, The", 2001), ("y", "Tunnel, Der", 2001)]
    assert linked([("a", "Tunnel, The (Tunnel, Der)", 2001)], theirs) == ({}, {("a", "x"), ("a", "y")})


def test_the_same_year_is_preferred_to_a_neighbouring_one() -> None:
    ours: list[Film] = [("a", "Carmen", 1983), ("b", "Carmen", 1984)]
    assert linked(ours, [("x", "Carmen", 1984)]) == ({("b", "x"): 0.99}, set())


def test_a_title_filmed_again_needs_its_year() -> None:
    ours: list[Film] = [("a", "Conan the Barbarian", 1981), ("b", "Conan the Barbarian", 2011)]
    assert linked(ours, [("x", "Conan the Barbarian", 1982)]) == ({("a", "x"): 0.85}, set())  # proposed, not made


def test_an_equal_title_of_the_year_before_is_preferred_to_a_shorter_one() -> None:
    ours: list[Film] = [("a", "Dish, The", 2000), ("b", "Dish", 2001)]
    assert linked(ours, [("x", "The Dish", 2001)]) == ({("a", "x"): 0.88}, set())


def test_a_similar_title_needs_a_distance_to_the_second() -> None:
    theirs: list[Film] = [("x", "The Long Way Home Agian", 1995), ("y", "The Long Way Home Agaim", 1995)]
    assert linked([("a", "The Long Way Home Again", 1995)], theirs[:1])[0].keys() == {("a", "x")}
    assert linked([("a", "The Long Way Home Again", 1995)], theirs) == ({}, {("a", "x"), ("a", "y")})


def test_further_properties_must_be_equal() -> None:
    rule = LinkRule("Item", "title", ("title", "year", "creator"))
    rows = [
        ("a:1", "a", "Greatest Hits", 1995, "Ann"),
        ("b:1", "b", "Greatest Hits", 1995, "Bob"),
        ("b:2", "b", "Greatest Hits", 1995, "ANN"),
        ("b:3", "b", "Greatest Hitz of All", 1995, "Ann"),
    ]
    frame = pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "title", "year", "creator"])
    links = find_links("Item", frame, [rule])
    assert links.pairs[["right_key", "confidence"]].to_numpy().tolist() == [["b:2", 0.99]]
    assert find_links("Item", frame[frame[KEY] != "b:2"], [rule]).pairs.empty


def test_without_a_year_confidence_is_lower() -> None:
    rows = [("a:1", "a", "The Beatles"), ("b:1", "b", "Beatles, The"), ("a:2", "a", "Queen"), ("b:2", "b", "Queens")]
    frame = pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "name"])
    links = find_links("Item", frame, [LinkRule("Item", "title", ("name",))])
    assert links.pairs[["left_key", "right_key", "confidence", "evidence"]].to_numpy().tolist() == [
        ["a:1", "b:1", 0.95, "The Beatles = Beatles, The"]
    ]


def test_sources_without_titles_have_no_links() -> None:
    assert linked([], []) == ({}, set())
    assert linked([], [("x", "Heat", 1995)]) == ({}, set())
