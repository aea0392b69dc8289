"""Titles in one spelling."""

import pytest

from graphrec.fusion.titles import aliases, normalise


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
