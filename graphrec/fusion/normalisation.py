"""Normalisation of values before comparison: identifiers, e-mail addresses, telephone numbers, names and other text."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pandas as pd

from graphrec.cleaning.casting import to_text
from graphrec.cleaning.numbers import whole_numbers

#: Columns that a rule on a property reads; the first one with a value counts.
_COLUMNS = {"isbn": ("isbn", "isbn13", "isbn_13", "isbn10", "isbn_10")}

_NOT_CODE = re.compile(r"[^0-9A-Za-z]+")
_IMDB = re.compile(r"(?:.*/)?(?P<kind>tt|nm|co)?0*(?P<number>[1-9]\d*)/?", re.IGNORECASE)
_TRUNK_PREFIX = re.compile(r"\(0\)")
_NOT_DIGIT = re.compile(r"\D+")
_MIN_DIGITS = 5


def as_text(values: "pd.Series[Any]") -> "pd.Series[str]":
    """The values as text without surrounding spaces; 862, 862.0 and "862 " are equal, and empty text is missing.

    The text "862.0" equals them too if all values of the column are whole numbers.
    """
    # A column of a source may have any type.
    text = values.astype(object).map(to_text, na_action="ignore").astype("str").str.strip()
    text = text.mask(text == "")
    whole = whole_numbers(text)
    return text if whole is None else whole


def list_columns(name: str) -> tuple[str, ...]:
    """The columns that may contain a property: an ISBN can be in isbn, isbn13 or isbn10."""
    return _COLUMNS.get(name, (name,))


def get_text(records: pd.DataFrame, name: str) -> "pd.Series[str] | None":
    """A property of all records as text, before normalisation; None if no column contains it."""
    columns = [as_text(records[column]) for column in list_columns(name) if column in records]
    if not columns:
        return None
    first, *others = columns
    for other in others:
        first = first.fillna(other)
    return first


def normalise_values(name: str, text: "pd.Series[str]") -> "pd.Series[str]":
    """The normalised text of a property; the name determines how. Missing if the text is no value of that kind.

    An ISBN is thirteen digits, an IMDb id "tt" and digits, a GTIN fourteen digits, a telephone number its digits, an
    e-mail address or its hash lower case; other properties lose case, accents, spaces and punctuation.
    """
    normaliser = find_normaliser(name) or normalise_code
    distinct = pd.Series(text.dropna().unique(), dtype="str")
    normalised = dict(zip(distinct, distinct.map(normaliser), strict=True))
    return text.map(normalised, na_action="ignore").astype("str")


def find_normaliser(name: str) -> "Callable[[str], str | None] | None":
    """The function that normalises the values of an identifier, by the property's name; None for other properties."""
    for word, normaliser in _NORMALISERS.items():
        if word in name.casefold().split("_") or (len(word) > 3 and name.casefold().startswith(word)):
            return normaliser
    return None


def is_identifier(name: str) -> bool:
    """Whether a property is a known kind of identifier, by its name: "isbn", "email_hash"."""
    return find_normaliser(name) is not None


def normalise_code(text: str) -> str | None:
    """Letters and digits only, without case and accents: "Ab-12 é" is "ab12e"; None if no letter or digit is left."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum()) or None


def normalise_isbn(text: str) -> str | None:
    """The thirteen digits of an ISBN of ten or thirteen; None if its check digit is wrong.

    Leading zeros that a numeric column has lost are restored.

    >>> normalise_isbn("0-306-40615-2")
    '9780306406157'
    >>> normalise_isbn("306406152")
    '9780306406157'
    """
    digits = _NOT_CODE.sub("", text).upper().removeprefix("ISBN")
    if len(digits) == 13 and digits.isascii() and digits.isdigit():
        is_valid = digits[-1] == _compute_isbn13_check(digits[:12]) and digits.startswith(("978", "979"))
        return digits if is_valid else None
    if not 7 <= len(digits) <= 10:
        return None
    digits = digits.zfill(10)
    if not (digits[:9].isascii() and digits[:9].isdigit()) or set(digits) == {"0"}:
        return None
    if digits[9] != _compute_isbn10_check(digits):
        return None
    return f"978{digits[:9]}{_compute_isbn13_check('978' + digits[:9])}"


def _compute_isbn10_check(digits: str) -> str:
    remainder = -sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits[:9], strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def _compute_isbn13_check(digits: str) -> str:
    return str(-sum((3 if index % 2 else 1) * int(digit) for index, digit in enumerate(digits)) % 10)


def normalise_imdb_id(text: str) -> str | None:
    """The kind ("tt", a title, if there is no prefix) and number: "tt0111161" and 111161 are "tt111161"."""
    match = _IMDB.fullmatch(text)
    return f"{(match['kind'] or 'tt').lower()}{match['number']}" if match else None


def normalise_gtin(text: str) -> str | None:
    """The fourteen digits of an EAN, UPC or GTIN; None for anything else, for zero and for a wrong check digit.

    Numbers for internal use of a shop (13 digits that begin with 2, 02 or 04) are None too.

    >>> normalise_gtin("4006381333931"), normalise_gtin("4006381333932"), normalise_gtin("2001234567893")
    ('04006381333931', None, None)
    """
    digits = _NOT_CODE.sub("", text)
    if not (8 <= len(digits) <= 14 and digits.isascii() and digits.isdigit() and int(digits) > 0):
        return None
    digits = digits.zfill(14)
    is_internal = len(digits.lstrip("0")) > 8 and digits[1:].startswith(("2", "02", "04"))
    return None if is_internal or digits[-1] != _compute_gtin_check(digits) else digits


def _compute_gtin_check(digits: str) -> str:
    return str(-sum((1 if index % 2 else 3) * int(digit) for index, digit in enumerate(digits[:13])) % 10)


def normalise_issn(text: str) -> str | None:
    """The eight characters of an ISSN; None if its check digit is wrong.

    >>> normalise_issn("0378-5955"), normalise_issn("0378-5956")
    ('03785955', None)
    """
    digits = _NOT_CODE.sub("", text).upper().removeprefix("ISSN")
    if len(digits) != 8 or not (digits[:7].isascii() and digits[:7].isdigit()) or set(digits) == {"0"}:
        return None
    remainder = -sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), digits[:7], strict=True)) % 11
    return digits if digits[7] == ("X" if remainder == 10 else str(remainder)) else None


def normalise_iso7064(text: str) -> str | None:
    """The sixteen characters of an ORCID or ISNI; None if the check digit (ISO 7064, MOD 11-2) is wrong.

    >>> normalise_iso7064("https://orcid.org/0000-0002-1825-0097")
    '0000000218250097'
    """
    digits = _NOT_CODE.sub("", text.rstrip("/").rpartition("/")[2]).upper().removeprefix("ISNI").removeprefix("ORCID")
    if len(digits) != 16 or not (digits[:15].isascii() and digits[:15].isdigit()) or not digits[:15].strip("0"):
        return None
    total = 0
    for digit in digits[:15]:
        total = (total + int(digit)) * 2
    remainder = (12 - total % 11) % 11
    return digits if digits[15] == ("X" if remainder == 10 else str(remainder)) else None


def normalise_telephone(text: str) -> str | None:
    """The digits of a telephone number, without "(0)" and the 00 or + before the country; None if fewer than five."""
    digits = _NOT_DIGIT.sub("", _TRUNK_PREFIX.sub("", text)).removeprefix("00")
    return digits if len(digits) >= _MIN_DIGITS else None


def normalise_email(text: str) -> str | None:
    """An e-mail address, or the hash of one, in lower case and without surrounding spaces."""
    return text.strip().casefold() or None


def normalise_words(text: str) -> str | None:
    """The words of a name of a person or place, in lower case without accents and punctuation; None if empty."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = (letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split()) or None


_NORMALISERS: dict[str, Callable[[str], str | None]] = {
    "isbn": normalise_isbn,
    "imdb": normalise_imdb_id,
    "ean": normalise_gtin,
    "upc": normalise_gtin,
    "gtin": normalise_gtin,
    "issn": normalise_issn,
    "eissn": normalise_issn,
    "orcid": normalise_iso7064,
    "isni": normalise_iso7064,
    "telephone": normalise_telephone,
    "phone": normalise_telephone,
    "mobile": normalise_telephone,
    "email": normalise_email,
    "mail": normalise_email,
}
