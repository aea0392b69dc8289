"""Normalisation of titles."""

import pytest

from graphrec.fusion.titles import (
    compact,
    extract_aliases,
    extract_numbers,
    normalise_title,
    split_title,
    strip_article,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Godfather, The", "The Godfather"),
        ("Fabuleux destin d'Amélie Poulain, Le", "Le Fabuleux Destin d'Amelie Poulain"),
        ("Avventura, L'", "L'avventura"),
        ("Lock, Stock & Two Smoking Barrels", "Lock, Stock and Two Smoking Barrels"),
        ("Blind  Side, The ", "the blind side"),
        ("Spider-Man", "Spider Man"),
        ("Straße", "STRASSE"),
        ("Smørrebrød", "Smorrebrod"),
        ("Alien³", "Alien3"),
        ("Valachi Papers,The", "The Valachi Papers"),
    ],
)
def test_spellings_of_one_title(one: str, other: str) -> None:
    assert normalise_title(one) == normalise_title(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$", "!"),
        ("Alien", "Aliens"),
        ("Rocky", "Rocky II"),
        ("Good, Bad", "Bad Good"),
        ("七人の侍", "生きる"),
        ("X", "The X"),
    ],
)
def test_different_titles_stay_different(one: str, other: str) -> None:
    assert normalise_title(one) != normalise_title(other)


def test_normalisation_is_idempotent() -> None:
    for title in ("Godfather, The", "8½ (8 1/2)", "$", "Up, Up and Away, A"):
        assert normalise_title(normalise_title(title)) == normalise_title(title)


def test_aliases() -> None:
    assert extract_aliases("Heat") == []
    assert extract_aliases("Kingdom, The (Riget)") == ["the kingdom", "riget"]
    assert extract_aliases("Way of the Dragon, The (a.k.a. Return of the Dragon) (Meng long guo jiang)") == [
        "the way of the dragon",
        "return of the dragon",
        "meng long guo jiang",
    ]
    assert extract_aliases("Amants de Montparnasse (Montparnasse 19), Les") == [
        "les amants de montparnasse",
        "montparnasse 19",
    ]
    assert extract_aliases("() (A)") == ["a"]
    assert extract_aliases("Dinner with the Devil(s)") == []
    assert extract_aliases("(A)Torzija") == []


def test_parts_of_a_title() -> None:
    assert split_title("Star Wars: Episode IV - A New Hope (1977)") == ["star wars", "episode iv a new hope"]
    assert split_title("Mein liebster Feind - Klaus Kinski") == ["mein liebster feind", "klaus kinski"]
    assert split_title("Spider-Man") == split_title("2:37") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jeepers Creepers II", "Jeepers Creepers 2"),
        ("Piranha Part Two: The Spawning", "Piranha II: The Spawning"),
        ("Around the World in Eighty Days", "Around the World in 80 Days"),
        ("Love Potion No. 9", "Love Potion #9"),
        ("Doctor Dolittle", "Dr. Dolittle"),
        ("20,000 Leagues", "20000 Leagues"),
        ("Karate Kid, Part One", "Karate Kid 1"),
    ],
)
def test_compact_spellings(one: str, other: str) -> None:
    assert compact(normalise_title(one)) == compact(normalise_title(other))
    assert compact(normalise_title(one)) != compact(normalise_title("Aliens"))


def test_numbers_of_a_title() -> None:
    titles = ["Rocky", "Rocky II", "Part 3 of 4", "Friday the 13th Part V", "One Day", "I, Robot", "Malcolm X"]
    assert [extract_numbers(normalise_title(title)) for title in titles] == ["", "2", "3 4", "13 5", "", "", "10"]


def test_a_leading_article_is_stripped() -> None:
    names = ["the underneath", "l avventura", "the", "theatre of blood", "a a"]
    assert [strip_article(name) for name in names] == ["underneath", "avventura", "the", "theatre of blood", "a"]
