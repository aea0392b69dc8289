"""Values as they are compared across sources: identifiers, e-mail addresses and telephone numbers in one spelling."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pandas as pd

#: The columns that a rule on the first name reads, the first with a value winning.
_COLUMNS = {"isbn": ("isbn", "isbn13", "isbn_13", "isbn10", "isbn_10")}

_NOT_CODE = re.compile(r"[^0-9A-Za-z]+")
_IMDB = re.compile(r"(?:.*/)?(?P<kind>tt|nm|co)?0*(?P<number>[1-9]\d*)/?", re.IGNORECASE)
_TRUNK = re.compile(r"\(0\)")
_NOT_DIGIT = re.compile(r"\D+")
_FEWEST_DIGITS = 5


def as_text(values: "pd.Series[Any]") -> "pd.Series[str]":
    """The values as text without spaces around, missing where there is none: 862, 862.0 and "862 " are one."""
    # A column of a source may have any type.
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        text = values.map(_plain, na_action="ignore").astype("str").str.strip()
    else:
        text = values.astype(object).map(_plain, na_action="ignore").astype("str")
    return text.mask(text == "")


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def columns_of(name: str) -> tuple[str, ...]:
    """The columns that hold a property: an ISBN may stand as isbn, isbn13 or isbn10."""
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
    return _spelling(name) is not code


def code(text: str) -> str | None:
    """The letters and digits alone, without case and accents: "Ab-12 é" is "ab12e"; None where there is none."""
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
    """The fourteen digits of an EAN, UPC or GTIN; None for anything else and for zero."""
    digits = _NOT_CODE.sub("", text)
    usable = 8 <= len(digits) <= 14 and digits.isascii() and digits.isdigit() and int(digits) > 0
    return digits.zfill(14) if usable else None


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
    "telephone": telephone,
    "phone": telephone,
    "mobile": telephone,
    "email": email,
    "mail": email,
}
