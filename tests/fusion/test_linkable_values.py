"""Placeholders, numbers with a wrong check digit, and values that many records share link no records."""

import hashlib

import pandas as pd
import pytest

from graphrec.fusion.link import find_links
from graphrec.fusion.linkable_values import MAX_RECORDS, explain_unusable
from graphrec.fusion.records import KEY, SOURCE_NAME
from graphrec.schema import LinkRule


def linked(name: str, value: str, by: str = "normalised", records: int = 1, one_to_one: bool = True) -> bool:
    rows = [(f"{source}:{row}", source, value) for source in "ab" for row in range(records)]
    rule = LinkRule("User", by, (name,), one_to_one=one_to_one)  # type: ignore[arg-type]  # one of the four
    links = find_links("User", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, name]), [rule])
    assert links.ambiguous.empty or len(links.unused) == 0
    return len(links.pairs) > 0


@pytest.mark.parametrize("by", ["exact", "normalised"])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("email", "n/a|N.A.|none|NULL|nan|unknown|-|(none)|?|0|unbekannt|test@test.com|x@x.com|noreply@shop.de"),
        ("email", "No-Reply@shop.de|ann@example.org|bob@mail.example.com|a@b.invalid|test12@gmail.com|none@none.com"),
        ("email_hash", hashlib.md5(b"", usedforsecurity=False).hexdigest()),
        ("email_hash", hashlib.sha256(b"n/a").hexdigest()),
        ("phone", "000000000|1234567890|+49 123456789|1111111|0123456789|9876543210|+1 800 000 0000|none"),
        ("isbn", "9780306406158|0306406153|0000000000|1111111111|123456789X|9780000000002"),
        ("ean", "4006381333932|0000000000000|1234567890128|2001234567893"),
        ("issn", "0378-5956|0000-0000"),
        ("customer_number", "0|000-000|-1|0.0|n/a|TBD|00000000-0000-0000-0000-000000000000"),
    ],
)
def test_values_of_no_person_link_no_records(name: str, values: str, by: str) -> None:
    texts = values.split("|")
    rows = [(f"{source}:{row}", source, text) for source in "ab" for row, text in enumerate(texts)]
    links = find_links("User", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, name]), [LinkRule("User", by, (name,))])  # type: ignore[arg-type]
    assert links.pairs.empty
    assert links.ambiguous.empty
    assert set(links.unused["value"]) == set(texts)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("email", "ann@shop.de|info@shop.de|testa@shop.de|nona@mail.com|u@x|5d41402abc4b2a76b9719d911017c592"),
        ("phone", "+49 30 901820|030 123 45 68|5551234"),
        ("isbn", "9780306406157|080442957X"),
        ("ean", "4006381333931|036000291452|96385074"),
        ("issn", "0378-5955"),
        ("customer_number", "1|10|A-0|007|100"),
        ("surname", "Müller|Nullmeier|Na'im"),
    ],
)
def test_values_of_a_person_link_records(name: str, values: str) -> None:
    texts = values.split("|")
    rows = [(f"{source}:{row}", source, text) for source in "ab" for row, text in enumerate(texts)]
    rule = LinkRule("User", "normalised", (name,))
    links = find_links("User", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, name]), [rule])
    assert len(links.pairs) == len(texts)
    assert links.unused.empty


def test_placeholder_titles_link_no_records() -> None:
    rule = LinkRule("Item", "title", ("title", "year"))
    for title in ("Untitled", "unknown", "N/A", "-", "(no title)"):
        assert explain_unusable(rule, "title", title) == "a placeholder"
    for title in ("Missing", "Nobody", "$", "Test", "!", "Heat", "不明な男"):
        assert explain_unusable(rule, "title", title) is None
    rows = [("a:1", "a", "Untitled", 2001), ("b:1", "b", "Untitled", 2001), ("a:2", "a", "Heat", 1995)]
    frame = pd.DataFrame([*rows, ("b:2", "b", "Heat", 1995)], columns=[KEY, SOURCE_NAME, "title", "year"])
    assert find_links("Item", frame, [rule]).pairs["left_key"].tolist() == ["a:2"]


def test_a_value_that_many_records_share_is_reported_and_links_no_records() -> None:
    for records in (3, MAX_RECORDS):
        assert linked("phone", "030901820", records=records, one_to_one=False)
    assert not linked("phone", "030901820", records=MAX_RECORDS + 1, one_to_one=False)
    rows = [(f"a:{row}", "a", "030 901820") for row in range(30)] + [("b:1", "b", "030901820")]
    links = find_links(
        "User", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "phone"]), [LinkRule("User", "normalised", ("phone",))]
    )
    assert links.pairs.empty
    assert links.unused.to_dict("records") == [
        {"source": "a", "property": "phone", "value": "030 901820", "records": 30, "reason": "shared by 30 records"}
    ]


def test_unused_values_are_reported_with_the_reason() -> None:
    rows = [("a:1", "a", "n/a"), ("a:2", "a", "n/a"), ("b:1", "b", "n/a"), ("b:2", "b", "ann@shop.de")]
    rule = LinkRule("User", "normalised", ("email",))
    links = find_links("User", pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "email"]), [rule])
    assert links.unused[["source", "value", "records", "reason"]].to_numpy().tolist() == [
        ["a", "n/a", 2, "a placeholder"],
        ["b", "n/a", 1, "a placeholder"],
    ]
    reason = explain_unusable(LinkRule("Item", "exact", ("isbn",)), "isbn", "9780306406158")
    assert reason == "no such number: its check digit is wrong"


def test_texts_that_are_floats_link_with_the_numbers() -> None:
    rows = [("a:1", "a", "100.0"), ("a:2", "a", "101.0"), ("b:1", "b", "100"), ("b:2", "b", "1000")]
    frame = pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "number"])
    for by in ("exact", "normalised"):
        links = find_links("User", frame, [LinkRule("User", by, ("number",))])
        assert links.pairs[["left_key", "right_key"]].to_numpy().tolist() == [["a:1", "b:1"]]


def test_people_are_not_compared_by_placeholders() -> None:
    rule = LinkRule("User", "fields", ("name", "city"))
    assert explain_unusable(rule, "city", "n/a") == "a placeholder"
    assert explain_unusable(rule, "city", "Bonn") is None
    assert explain_unusable(LinkRule("User", "fields", ("name", "birth_date")), "birth_date", "1900-01-01") is not None
