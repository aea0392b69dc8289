"""Normalisation of identifiers, names and other values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.fusion.normalisation import as_text, is_identifier, normalise_isbn, normalise_values, normalise_words


def normalised(name: str, text: str) -> str | None:
    """One normalised value; None if it is not valid."""
    value = normalise_values(name, pd.Series([text], dtype="str")).iloc[0]
    return None if pd.isna(value) else str(value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("isbn", "0-306-40615-2", "9780306406157"),
        ("isbn", "ISBN 978-0-306-40615-7", "9780306406157"),
        ("isbn", "306406152", "9780306406157"),  # a table of numbers lost the zero in front
        ("isbn13", "9780306406157", "9780306406157"),
        ("isbn", "979-10-90636-07-1", "9791090636071"),  # of the second prefix, without a form of ten
        ("isbn", "080442957x", "9780804429573"),
        ("isbn", "0306406153", None),  # the check digit is wrong
        ("isbn", "9780306406158", None),
        ("isbn", "9990306406157", None),
        ("isbn", "0000000000", None),
        ("isbn", "", None),
        ("imdb_id", "tt0111161", "tt111161"),
        ("imdb_id", "0111161", "tt111161"),
        ("imdb_id", "111161", "tt111161"),
        ("imdb_id", "https://www.imdb.com/title/tt0111161/", "tt111161"),
        ("imdb_id", "nm0000151", "nm151"),
        ("imdb_id", "tt0000000", None),
        ("imdb_id", "unknown", None),
        ("gtin", "4006381333931", "04006381333931"),
        ("upc", "0-36000-29145-2", "00036000291452"),
        ("upc", "36000291452", "00036000291452"),  # a table of numbers lost the zero in front
        ("ean", "4006381333932", None),  # the check digit is wrong
        ("ean", "2001234567893", None),  # a number that a shop gave itself
        ("ean", "96385074", "00000096385074"),
        ("issn", "0378-5955", "03785955"),
        ("issn", "2434-561x", "2434561X"),
        ("issn", "0378-5956", None),
        ("orcid", "https://orcid.org/0000-0002-1825-0097", "0000000218250097"),
        ("orcid", "0000-0002-1825-0098", None),
        ("ean", "0000000000000", None),
        ("ean", "123", None),
        ("email", " Ann@Example.ORG ", "ann@example.org"),
        ("email_hash", "ABCDEF0123", "abcdef0123"),
        ("e_mail", "A@b.c", "a@b.c"),
        ("telephone", "+49 (0)30 / 12 34-56", "4930123456"),
        ("phone_number", "0049 30 123456", "4930123456"),
        ("phone", "n/a 12", None),
        ("asin", " b00-X 1é ", "b00x1e"),
        ("asin", "—", None),
    ],
)
def test_normalised_values(name: str, text: str, value: str | None) -> None:
    assert normalised(name, text) == value


@given(st.text("0123456789", min_size=9, max_size=9).filter(lambda digits: set(digits) != {"0"}))
def test_both_forms_of_an_isbn_are_equal(digits: str) -> None:
    check = [last for last in "0123456789X" if normalise_isbn(digits + last)]
    assert len(check) == 1
    long = normalise_isbn(digits + check[0])
    assert long is not None
    assert long.startswith(f"978{digits}")
    assert normalise_isbn(long) == long


def test_values_as_text() -> None:
    mixed = pd.Series([862, 862.0, " 862 ", "", None, np.nan, 1.5, True], dtype=object)
    there = as_text(mixed)
    assert there[there.notna()].tolist() == ["862", "862", "862", "1.5", "true"]
    assert as_text(pd.Series([862.0, np.nan])).tolist()[:1] == ["862"]
    assert as_text(pd.Series([862, None], dtype="Int64")).tolist()[:1] == ["862"]


def test_names_of_people_and_places() -> None:
    assert normalise_words("  José-María O'Neil ") == "jose maria o neil"
    assert normalise_words("?!") is None
    assert is_identifier("isbn")
    assert not is_identifier("surname")
