"""Values as they are compared across sources: identifiers, e-mail addresses and telephone numbers in one spelling."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pandas as pd

from graphrec.cleaning.casting import text_of
from graphrec.cleaning.numbers import whole_numbers

#: The columns that a rule on the first name reads, the first with a value winning.
_COLUMNS = {"isbn": ("isbn", "isbn13", "isbn_13", "isbn10", "isbn_10")}

_NOT_CODE = re.compile(r"[^0-9A-Za-z]+")
_IMDB = re.compile(r"(?:.*/)?(?P<kind>tt|nm|co)?0*(?P<number>[1-9]\d*)/?", re.IGNORECASE)
_TRUNK = re.compile(r"\(0\)")
_NOT_DIGIT = re.compile(r"\D+")
_FEWEST_DIGITS = 5


def as_text(values: "pd.Series[Any]") -> "pd.Series[str]":
    """The values as text without spaces around, missing if there is no value: 862, 862.0 and "862 " are one.

    So are the texts "862.0" of a column of whole numbers alone.
    """
    # A column of a source may have any type.
    text = values.astype(object).map(text_of, na_action="ignore").astype("str").str.strip()
    text = text.mask(text == "")
    whole = whole_numbers(text)
    return text if whole is None else whole


def columns_of(name: str) -> tuple[str, ...]:
    """The columns that hold a property: an ISBN may be in isbn, isbn13 or isbn10."""
    return _COLUMNS.get(name, (name,))


def raw(records: pd.DataFrame, name: str) -> "pd.Series[str] | None":
    """The text of a property of each record; None where no column has it."""
    there = [as_text(records[column]) for column in columns_of(name) if column in records]
    if not there:
        return None
    first, *others = there
    for other in others:
        first = first.fillna(other)
    return first


def canonical(name: str, text: "pd.Series[str]") -> "pd.Series[str]":
    """The text of a property in one spelling, as its name says; missing where it can be no value of that kind.

    An ISBN becomes its thirteen digits, an IMDb id "tt" and digits, a GTIN fourteen digits, a telephone number its
    digits, an e-mail address or its hash lower case; anything else loses case, accents, spaces and punctuation.
    """
    spell = _spelling(name)
    distinct = pd.Series(text.dropna().unique(), dtype="str")
    spelt = dict(zip(distinct, distinct.map(spell), strict=True))
    return text.map(spelt, na_action="ignore").astype("str")


def _spelling(name: str) -> Callable[[str], str | None]:
    for word, spell in _SPELLINGS.items():
        if word in name.casefold().split("_") or (len(word) > 3 and name.casefold().startswith(word)):
            return spell
    return code


def is_identifier(name: str) -> bool:
    """Whether a property is one of those that have a spelling of their own, by its name: "isbn", "email_hash"."""
    return spelling_of(name) is not None


def spelling_of(name: str) -> "Callable[[str], str | None] | None":
    """The function that spells the values of a property, by its name; None if it has no spelling of its own."""
    spell = _spelling(name)
    return None if spell is code else spell


def code(text: str) -> str | None:
    """The letters and digits alone, without case and accents: "Ab-12 é" is "ab12e"; None if nothing is left."""
    divided = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in divided if letter.isalnum()) or None


def isbn13(text: str) -> str | None:
    """The thirteen digits of an ISBN of ten or thirteen, None where its check digit is wrong.

    Leading zeros that a table of numbers has lost are put back.

    >>> isbn13("0-306-40615-2")
    '9780306406157'
    >>> isbn13("306406152")
    '9780306406157'
    """
    digits = _NOT_CODE.sub("", text).upper().removeprefix("ISBN")
    if len(digits) == 13 and digits.isascii() and digits.isdigit():
        return digits if digits[-1] == _check13(digits[:12]) and digits.startswith(("978", "979")) else None
    if not 7 <= len(digits) <= 10:
        return None
    digits = digits.zfill(10)
    if not (digits[:9].isascii() and digits[:9].isdigit()) or set(digits) == {"0"} or digits[9] != _check10(digits):
        return None
    return f"978{digits[:9]}{_check13('978' + digits[:9])}"


def _check10(digits: str) -> str:
    left = -sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits[:9], strict=True)) % 11
    return "X" if left == 10 else str(left)


def _check13(digits: str) -> str:
    return str(-sum((3 if place % 2 else 1) * int(digit) for place, digit in enumerate(digits)) % 10)


def imdb_id(text: str) -> str | None:
    """The kind of an IMDb id (a title's where it has none) and its number: "tt0111161" and 111161 are "tt111161"."""
    found = _IMDB.fullmatch(text)
    return f"{(found['kind'] or 'tt').lower()}{found['number']}" if found else None


def gtin(text: str) -> str | None:
    """The fourteen digits of an EAN, UPC or GTIN; None for anything else, for zero and for a wrong check digit.

    Numbers that a shop gives itself (those of 13 digits that begin with 2, 02 or 04) say nothing in another: None.

    >>> gtin("4006381333931"), gtin("4006381333932"), gtin("2001234567893")
    ('04006381333931', None, None)
    """
    digits = _NOT_CODE.sub("", text)
    if not (8 <= len(digits) <= 14 and digits.isascii() and digits.isdigit() and int(digits) > 0):
        return None
    digits = digits.zfill(14)
    own = len(digits.lstrip("0")) > 8 and digits[1:].startswith(("2", "02", "04"))
    return None if own or digits[-1] != _check14(digits) else digits


def _check14(digits: str) -> str:
    return str(-sum((1 if place % 2 else 3) * int(digit) for place, digit in enumerate(digits[:13])) % 10)


def issn(text: str) -> str | None:
    """The eight signs of an ISSN; None where its check digit is wrong.

    >>> issn("0378-5955"), issn("0378-5956")
    ('03785955', None)
    """
    digits = _NOT_CODE.sub("", text).upper().removeprefix("ISSN")
    if len(digits) != 8 or not (digits[:7].isascii() and digits[:7].isdigit()) or set(digits) == {"0"}:
        return None
    left = -sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), digits[:7], strict=True)) % 11
    return digits if digits[7] == ("X" if left == 10 else str(left)) else None


def iso7064(text: str) -> str | None:
    """The sixteen signs of an ORCID or ISNI; None where the check digit (ISO 7064, MOD 11-2) is wrong.

    >>> iso7064("https://orcid.org/0000-0002-1825-0097")
    '0000000218250097'
    """
    digits = _NOT_CODE.sub("", text.rstrip("/").rpartition("/")[2]).upper().removeprefix("ISNI").removeprefix("ORCID")
    if len(digits) != 16 or not (digits[:15].isascii() and digits[:15].isdigit()) or not digits[:15].strip("0"):
        return None
    total = 0
    for digit in digits[:15]:
        total = (total + int(digit)) * 2
    left = (12 - total % 11) % 11
    return digits if digits[15] == ("X" if left == 10 else str(left)) else None


def telephone(text: str) -> str | None:
    """The digits of a telephone number, without "(0)" and the 00 or + before a country; None for fewer than five."""
    digits = _NOT_DIGIT.sub("", _TRUNK.sub("", text)).removeprefix("00")
    return digits if len(digits) >= _FEWEST_DIGITS else None


def email(text: str) -> str | None:
    """An e-mail address, or the hash of one, in lower case and without spaces around."""
    return text.strip().casefold() or None


def plain(text: str) -> str | None:
    """The words of a text in lower case without accents and punctuation, for names of people and places."""
    divided = unicodedata.normalize("NFKD", text.casefold())
    spaced = "".join(" " if not letter.isalnum() else letter for letter in divided if not unicodedata.combining(letter))
    return " ".join(spaced.split()) or None


_SPELLINGS: dict[str, Callable[[str], str | None]] = {
    "isbn": isbn13,
    "imdb": imdb_id,
    "ean": gtin,
    "upc": gtin,
    "gtin": gtin,
    "issn": issn,
    "eissn": issn,
    "orcid": iso7064,
    "isni": iso7064,
    "telephone": telephone,
    "phone": telephone,
    "mobile": telephone,
    "email": email,
    "mail": email,
}
