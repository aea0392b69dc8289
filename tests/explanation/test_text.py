"""Sentences, rows and pictures of explanations: correct for any relationship type, number and title."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from graphrec.characters import remove_controls
from graphrec.explanation import as_frame, as_record, as_sentence, as_svg, reasons_frame
from graphrec.explanation.model import (
    Attribution,
    Explanation,
    Node,
    Path,
    Reason,
    ReasonKind,
    Remainder,
    RemainderKind,
    Route,
    RouteKind,
    Step,
)
from graphrec.explanation.svg import CARD_WIDTH, WIDTH, fit_text, width, wrap_text
from graphrec.explanation.text import verb

USER, ITEM = Node("User", "7"), Node("Item", "9", "Muse")
GENRE = Node("Genre", "rock", "Rock")


def explanation(*reasons: Reason, longer: float = 0.0, exact: bool = True, seen: bool = False) -> Explanation:
    path = Path((USER, Node("Item", "1", "Abba"), ITEM), (Step(("LISTENED",), True), Step()), 0.25)
    rest = Remainder(RemainderKind.UNLISTED, 0.75 - longer, 12), Remainder(RemainderKind.LONGER, longer)
    attribution = Attribution((path,), rest, reasons, exact)
    return Explanation(USER, ITEM, 1.0, attribution, "graph_filter", "run-1", "LISTENED", 34, seen)


def history(title: str, amount: float, *through: Route, relation: str = "LISTENED") -> Reason:
    return Reason(ReasonKind.HISTORY, Node("Item", title, title), (relation,), amount, through)


def test_a_sentence_counts_users_in_the_singular_and_in_the_plural() -> None:
    one, many = (Route(RouteKind.PEOPLE, 0.1, count) for count in (1, 1234))
    assert as_sentence(explanation(history("Abba", 0.41, many))) == (
        "Because you listened to Abba (41 %), and 1,234 users who listened to Abba listened to Muse too."
    )
    assert as_sentence(explanation(history("Abba", 0.2, one), history("Queen", 0.041, many), longer=0.11)) == (
        "Because you listened to Abba (20 %) and Queen (4.1 %), and 1 user who listened to Abba and 1,234 who "
        "listened to Queen listened to Muse too. 11 % of the score comes from longer walks through similar users."
    )


def test_what_items_share_is_said_once() -> None:
    rock = Route(RouteKind.VALUE, 0.1, node=GENRE)
    links = Route(RouteKind.LINK, 0.1, relation="ALSO_BOUGHT")
    assert as_sentence(explanation(history("Abba", 0.3, rock), history("Queen", 0.2, rock, links))) == (
        "Because you listened to Abba (30 %) and Queen (20 %); Abba and Queen share the genre ‘Rock’ with Muse; "
        "ALSO_BOUGHT connects Queen with Muse."
    )
    two = Route(RouteKind.VALUE, 0.1, node=Node("Category", "x", "Pop"))
    other = Route(RouteKind.VALUE, 0.1, node=Node("Category", "y", "Folk"))
    assert "Abba shares the categories ‘Pop’ and ‘Folk’ with Muse." in as_sentence(
        explanation(history("Abba", 0.3, two, other))
    )


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        ("FRIEND", "Your friend User 3 listened to Muse (30 %)."),
        ("FOLLOWS", "User 3, whom you follow, listened to Muse (30 %)."),
        ("TRUSTS", "User 3, whom you trust, listened to Muse (30 %)."),
        ("KNOWS", "User 3, to whom KNOWS leads, listened to Muse (30 %)."),
    ],
)
def test_people_are_named_by_what_they_are_to_the_user(relation: str, said: str) -> None:
    direct = Reason(ReasonKind.SOCIAL, Node("User", "3"), (relation,), 0.3, (Route(RouteKind.DIRECT, 0.3, 1),))
    assert as_sentence(explanation(direct)) == said
    onward = replace(direct, through=(Route(RouteKind.ONWARD, 0.3),))
    assert as_sentence(explanation(onward)) == said.replace("listened to Muse", "chose similar items")


def test_values_approximations_and_what_is_seen_are_said() -> None:
    town = Reason(ReasonKind.ATTRIBUTE, Node("HomeTown", "z", "Zürich"), ("LIVES_IN",), 0.3)
    assert as_sentence(explanation(town, seen=True)) == (
        "You listened to Muse already. Users who share your home town (Zürich) chose similar items (30 %)."
    )
    assert as_sentence(explanation(history("Abba", 0.3), exact=False)) == (
        "Approximately, because you listened to Abba (30 %). The model graph_filter learns, so these shares are "
        "estimates."
    )
    assert "cannot attribute the score to your past interactions" in as_sentence(explanation())


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        ("LISTENED", "listened to"),
        ("PURCHASED", "bought"),
        ("RATED", "rated"),
        ("ADDED_TO_LIST", "added to list"),
        ("LIKES", "had the relation LIKES to"),
    ],
)
def test_a_relationship_type_becomes_a_verb(relation: str, said: str) -> None:
    assert verb((relation,)) == said
    assert verb(("RATED", relation)) == f"rated and {said}"


def test_rows_add_up_to_the_score() -> None:
    found = explanation(history("Abba", 0.3, Route(RouteKind.PEOPLE, 0.2, 3), Route(RouteKind.LONGER, 0.1)), longer=0.1)
    frame = as_frame(found)
    assert frame["contribution"].sum() == pytest.approx(found.score)
    assert frame["path"][0] == "User 7 -LISTENED→ Abba -alike- Muse"
    assert reasons_frame(found)["through"][0] == "3 users 67 %, longer walks 33 %"
    assert frame["path"].tolist()[1:] == ["paths not listed (12)", "longer walks"]
    parts = Remainder(RemainderKind.UNLISTED, 0.0, 0), Remainder(RemainderKind.UNATTRIBUTED, -2.24e-07)
    rounded = replace(found, attribution=replace(found.attribution, rest=parts))
    assert len(as_frame(rounded)) == 1
    assert len(as_record(rounded)["rest_parts"]) == 2
    record = as_record(found)
    assert record["paths"][0]["relations"] == ["LISTENED", None]
    assert record["score"] == pytest.approx(sum(path["contribution"] for path in record["paths"]) + record["rest"])


CONTROLS = "a\x00\x08\x1b[31m\x7f\x85\u2028\u202e\u2066\ud800\ufffe\uffff]]>b"


@pytest.mark.parametrize("title", ["<b>&\"'", "W" * 300, "漢字" * 80, "two\nlines", "🎸" * 50, CONTROLS], ids=range(6))
def test_a_picture_holds_every_title(title: str) -> None:
    reasons = [
        history(f"{title}{k}", 0.1, Route(RouteKind.PEOPLE, 0.05, 2), Route(RouteKind.LONGER, 0.05)) for k in range(12)
    ]
    found = replace(explanation(*reasons), item=Node("Item", "9", title))
    drawn = as_svg(found)
    assert remove_controls(drawn) == drawn
    root = ET.fromstring(drawn)
    texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert sum(text.get("class") == "name" for text in texts) == 1 + 8 + 2 + 1
    for element in texts:
        shown = "".join([element.text or "", *(child.tail or "" for child in element)])
        size, room = (13, CARD_WIDTH - 25) if element.get("class") == "name" else (11, WIDTH)
        assert width(shown, size) <= room
    high = float((root.get("viewBox") or "").split()[3])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(box.get("y", 0)) + float(box.get("height", 0)) <= high


def test_texts_are_fitted_and_wrapped() -> None:
    assert fit_text("short", 10, 100) == "short"
    assert fit_text("far too long for it", 10, 60).endswith("…")
    assert width(fit_text("漢字" * 30, 12, 100), 12) <= 100
    lines = wrap_text("one two three four five six seven", 10, 60, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
