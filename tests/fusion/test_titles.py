"""Titles in one spelling."""

import pytest

from graphrec.fusion.titles import aliases, compact, divisions, normalise, numbers, without_article


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
    assert normalise(one) == normalise(other)


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
    assert normalise(one) != normalise(other)


def test_a_normal_title_is_its_own() -> None:
    for title in ("Godfather, The", "8½ (8 1/2)", "$", "Up, Up and Away, A"):
        assert normalise(normalise(title)) == normalise(title)


def test_aliases() -> None:
    assert aliases("Heat") == []
    assert aliases("Kingdom, The (Riget)") == ["the kingdom", "riget"]
    assert aliases("Way of the Dragon, The (a.k.a. Return of the Dragon) (Meng long guo jiang)") == [
        "the way of the dragon",
        "return of the dragon",
        "meng long guo jiang",
    ]
    assert aliases("Amants de Montparnasse (Montparnasse 19), Les") == ["les amants de montparnasse", "montparnasse 19"]
    assert aliases("() (A)") == ["a"]
    assert aliases("Dinner with the Devil(s)") == []
    assert aliases("(A)Torzija") == []


def test_divisions() -> None:
    assert divisions("Star Wars: Episode IV - A New Hope (1977)") == ["star wars", "episode iv a new hope"]
    assert divisions("Mein liebster Feind - Klaus Kinski") == ["mein liebster feind", "klaus kinski"]
    assert divisions("Spider-Man") == divisions("2:37") == []


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
def test_spellings_that_are_equal_without_spaces(one: str, other: str) -> None:
    assert compact(normalise(one)) == compact(normalise(other))
    assert compact(normalise(one)) != compact(normalise("Aliens"))


def test_numbers_of_a_title() -> None:
    titles = ["Rocky", "Rocky II", "Part 3 of 4", "Friday the 13th Part V", "One Day", "I, Robot", "Malcolm X"]
    assert [numbers(normalise(title)) for title in titles] == ["", "2", "3 4", "13 5", "", "", "10"]


def test_the_article_in_front() -> None:
    names = ["the underneath", "l avventura", "the", "theatre of blood", "a a"]
    assert [without_article(name) for name in names] == ["underneath", "avventura", "the", "theatre of blood", "a"]
