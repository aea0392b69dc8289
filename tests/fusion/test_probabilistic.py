"""Probabilistic links between people of two sources by several fields."""

import random
import sys
import time

import pandas as pd
import pytest

from graphrec.errors import GraphrecError
from graphrec.fusion.link import Links, find_links
from graphrec.fusion.records import KEY, SOURCE_NAME
from graphrec.schema import LinkRule

FIELDS = ("first_name", "surname", "birth_date", "city")
RULE = LinkRule("User", "fields", FIELDS)
FIRST = ["anna", "bernd", "carla", "david", "emma", "felix", "greta", "hans", "ida", "jakob", "klara", "lukas"]
FIRST += ["marie", "noah", "olga", "paul", "rosa", "simon", "thea"]
PARTS = [
    "ber",
    "gar",
    "han",
    "lin",
    "mar",
    "nor",
    "ost",
    "pel",
    "ren",
    "sil",
    "tor",
    "ul",
    "ven",
    "wal",
    "zim",
    "dor",
    "fel",
    "kan",
    "mo",
    "ri",
]
CITIES = ["berlin", "hamburg", "munich", "cologne", "frankfurt", "stuttgart", "leipzig", "dresden", "bremen", "hanover"]


def misspelt(text: str, rng: random.Random) -> str:
    """The text with one letter missing, two swapped, or one other inside."""
    at = rng.randrange(1, len(text) - 1)
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return rng.choice([text[:at] + text[at + 1 :], swapped, text[:at] + rng.choice("aeiou") + text[at + 1 :]])


def people(count: int, shared: float = 0.6, errors: float = 0.15) -> pd.DataFrame:
    """Two sources of people, the first of whom, a share, are the same; the second source has typing errors and gaps."""
    rng = random.Random(count)

    def person() -> list[str | None]:
        surname = "".join(rng.choice(PARTS) for _ in range(rng.choice((2, 3))))
        birth = f"{rng.randrange(1940, 2008)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        return [rng.choice(FIRST), surname, birth, rng.choice(CITIES)]

    ours = [person() for _ in range(count)]
    rows: list[list[str | None]] = [[f"a:{number}", "a", *row] for number, row in enumerate(ours)]
    for number, row in enumerate(ours):
        other = list(row) if number < count * shared else person()
        for place in range(3):
            text = other[place]
            if text is not None and rng.random() < errors:
                other[place] = misspelt(text, rng)
        if rng.random() < errors:
            other[rng.randrange(4)] = None
        rows.append([f"b:{number}", "b", *other])
    return pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, *FIELDS])


def quality(links: Links, count: int, shared: float = 0.6) -> tuple[float, float]:
    """Precision and recall of the links that are made."""
    made = links.pairs[links.pairs["confidence"] >= 0.9]
    number = made["left_key"].str[2:].astype(int)
    right = (number == made["right_key"].str[2:].astype(int)) & (number < count * shared)
    return float(right.mean()), float(right.sum() / (count * shared))


@pytest.fixture(autouse=True)
def _splink(request: pytest.FixtureRequest) -> None:
    if "without" not in request.node.name:
        pytest.importorskip("splink", reason="people are linked by the extra graphrec[people]")


@pytest.mark.parametrize("count", [300, pytest.param(600, marks=pytest.mark.slow)])
def test_people_with_typing_errors(count: int) -> None:
    precision, recall = quality(find_links("User", people(count), [RULE]), count)
    assert precision >= 0.99
    assert recall >= 0.93


def test_ten_people_are_enough() -> None:
    links = find_links("User", people(10), [RULE])
    assert quality(links, 10) == (1.0, 1.0)


def test_two_people_with_nothing_in_common() -> None:
    rows = [
        ("a:1", "a", "anna", "berger", "1990-01-02", "berlin"),
        ("b:1", "b", "hans", "zimmer", "1950-11-30", "bonn"),
    ]
    assert find_links("User", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, *FIELDS]), [RULE]).pairs.empty


def test_evidence_lists_each_field() -> None:
    rows = [
        ("a:1", "a", "Anna", "Bergmann", "1990-01-02", "Berlin"),
        ("a:2", "a", "Hans", "Zimmer", "1950-11-30", "Bonn"),
        ("b:1", "b", "ANNA", "Bergman", "1990-01-02", None),
        ("b:2", "b", "Otto", None, None, "Ulm"),
    ]
    links = find_links("User", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, *FIELDS]), [RULE])
    assert links.pairs[["left_key", "right_key", "rule", "evidence"]].to_numpy().tolist() == [
        [
            "a:1",
            "b:1",
            "first_name and surname and birth_date and city, similar",
            "first_name Anna, surname Bergmann ~ Bergman, birth_date 1990-01-02, city missing",
        ]
    ]


def test_twins_are_ambiguous_unless_several_are_allowed() -> None:
    twin = ("anna", "bergmann", "1990-01-02", "berlin")
    rows = [("a:1", "a", *twin), ("b:1", "b", *twin), ("b:2", "b", *twin)]
    frame = pd.concat(
        [pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, *FIELDS]), people(20).replace("[ab]:", r"\g<0>9", regex=True)]
    )
    both = {("a:1", "b:1"), ("a:1", "b:2")}
    links = find_links("User", frame, [RULE])
    assert both <= set(links.ambiguous[["left_key", "right_key"]].itertuples(index=False, name=None))
    assert "a:1" not in set(links.pairs["left_key"])
    several = find_links("User", frame, [LinkRule("User", "fields", FIELDS, one_to_one=False)])
    assert both <= set(several.pairs[["left_key", "right_key"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("count", [10, pytest.param(250, marks=pytest.mark.slow)])
def test_the_order_of_the_records_does_not_matter(count: int, capfd: pytest.CaptureFixture[str]) -> None:
    frame = people(count)
    links = find_links("User", frame, [RULE])
    again = find_links("User", frame.sample(frac=1, random_state=3), [RULE])
    pd.testing.assert_frame_equal(links.pairs, again.pairs)
    assert capfd.readouterr() == ("", "")  # splink has nothing to say to the user


def test_without_splink_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(
        GraphrecError, match=r"package splink, which is not installed; run pip install 'graphrec\[people\]'"
    ):
        find_links("User", people(10), [RULE])


@pytest.mark.slow
def test_ten_thousand_people_with_ten_thousand() -> None:
    frame = people(10_000)
    start = time.perf_counter()
    links = find_links("User", frame, [RULE])
    assert time.perf_counter() - start < 60
    precision, recall = quality(links, 10_000)
    assert precision >= 0.99
    assert recall >= 0.93
