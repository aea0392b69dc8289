"""Values of attributes that an answer may have: those of a list, or words of the text."""

from typing import Any

import pytest

from graphrec.errors import DataError
from graphrec.llm.attributes import ATTRIBUTES, choose_attributes, parse_attributes, unify_spelling


def test_an_answer_is_checked_against_the_list_and_the_text() -> None:
    attributes = choose_attributes(["genre", "brand"], {}, {"genre": ["Sci-Fi", "Drama"], "brand": ["Old"]})
    texts = {"title": "Strings by Ernie Ball, set of 3"}

    def values(answer: dict[str, Any]) -> list[tuple[str, str, float]]:
        return [(each.attribute, each.value, each.confidence) for each in parse_attributes(answer, texts, attributes)]

    given = [
        {"value": "sci-fi", "confidence": 0.4},
        {"value": "SCI-FI ", "confidence": 1},
        {"value": "x", "confidence": 1},
    ]
    assert values({"genre": given}) == [("genre", "Sci-Fi", 1.0)]
    brands = [
        {"value": "ernie ball", "confidence": 0.8},
        {"value": "Old", "confidence": 1},
        {"value": "Ball set", "confidence": 1},
    ]
    assert values({"brand": brands}) == [("brand", "Ernie Ball", 0.8)]
    defects: tuple[dict[str, Any], ...] = (
        {"colour": []},
        {"genre": "Drama"},
        {"genre": ["Drama"]},
        {"genre": [{"value": "Drama"}]},
        {"genre": [{"value": "Drama", "confidence": 2}]},
        {"genre": [{"value": "Drama", "confidence": True}]},
        {"genre": [{"value": ["Drama"], "confidence": 1}]},
    )
    for bad in defects:
        with pytest.raises((ValueError, TypeError, KeyError)):
            values(bad)
    with pytest.raises(DataError, match="not among the attributes"):
        choose_attributes(["genre"], {"mood": ["x"]}, {})
    assert all(attribute.values or name == "brand" for name, attribute in ATTRIBUTES.items())


def test_words_of_texts_that_differ_in_case_have_one_spelling() -> None:
    found = ["ACME", "acme", "Acme", "Acme", "Ernie Ball", "STRASSE", "Straße"]
    one = unify_spelling(found, ["Ernie ball"])
    assert one == {
        **dict.fromkeys(("ACME", "acme", "Acme"), "Acme"),
        "Ernie Ball": "Ernie ball",
        **dict.fromkeys(("STRASSE", "Straße"), "STRASSE"),
    }
