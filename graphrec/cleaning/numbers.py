"""Notations of numbers in text: decimal commas, groups of thousands, currencies, and whole numbers as floats."""

import re
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.casting import to_arrow, to_plain_notation
from graphrec.cleaning.rules import Kind

#: Notations of numbers, (decimal, thousands), in the order in which equally good ones are proposed.
_NOTATIONS = ((".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_WHOLE = r"^[+-]?[0-9]+(\.0*)?$"
_UNIT_SIGN = r"[\p{Sc}%‰]|\b(?:EUR|USD|GBP|CHF|JPY)\b"
#: Whole numbers in floating point notation: 14503.0 and 1.4503e+04. "12E4" may be a code and is excluded.
_FLOAT = re.compile(r"(?P<sign>[+-]?)(?P<whole>0|[1-9]\d*)\.(?P<fraction>\d*)(?:[eE](?P<exponent>[+-]?\d{1,3}))?")
LOOKS_FLOAT = r"^[+-]?\d+(?:\.\d*|\.\d*[eE][+-]?\d+|[eE]\+\d+)$"
#: A whole number without a leading zero; with one it is a code.
PLAIN_WHOLE = r"^[+-]?(0|[1-9]\d*)$"
#: Maximum digits that a floating point number with an exponent represents exactly.
_MAX_FLOAT_DIGITS = 15


def number_hint(values: "pd.Series[Any]", kind: Kind) -> str:  # Any: of any type
    """The remedy for values that are not numbers, such as `write decimal = ","`; "" if no remedy is known."""
    text = values.dropna().astype("str").str.strip()
    column = pa.array(text, pa.large_string(), from_pandas=True)
    if not len(column):
        return ""
    plain = _WHOLE if kind == "int" else _NUMBER
    best, most = "", len(column) / 2
    for decimal, thousands in _NOTATIONS:
        numbers = to_plain_notation(column, decimal, thousands)
        fits = pc.sum(pc.fill_null(pc.match_substring_regex(numbers, plain), False).cast(pa.int64())).as_py()
        if fits > most:
            keys = [f'decimal = "{decimal}"'] if decimal != "." else []
            keys += [f'thousands = "{thousands}"'] if thousands else []
            best, most = f"if its numbers are written so, write {' and '.join(keys)}", fits
    if best:
        return best
    signs = pc.match_substring_regex(column, _UNIT_SIGN)
    if pc.any(signs).as_py():
        return "a currency or a per cent sign is no part of a number; take it out of the file"
    return ""


def whole_numbers(texts: "pd.Series[str]") -> "pd.Series[str] | None":
    """The texts with floats as whole numbers, "14503.0" as "14503"; None if nothing changes.

    Nothing changes if one of the texts is not a whole number ("1.0", "1.5", "2.0"), begins with a zero ("007"), or has
    lost digits, such as 1.23457E+12 from a spreadsheet.
    """
    column = to_arrow(texts)
    floats = pc.fill_null(pc.match_substring_regex(column, LOOKS_FLOAT), False)
    if not pc.any(floats).as_py():
        return None
    others = pc.fill_null(pc.match_substring_regex(column, PLAIN_WHOLE), True)
    if not pc.all(pc.or_(floats, others)).as_py():
        return None
    old = pc.unique(column.filter(floats))
    new = [float_as_whole(text) for text in old.to_pylist()]
    if None in new:
        return None
    # Only the distinct floats pass through Python.
    positions = pc.index_in(column, value_set=old)
    whole = pc.if_else(pc.is_valid(positions), pc.take(pa.array(new, pa.large_string()), positions), column)
    return cast("pd.Series[str]", whole.to_pandas().set_axis(texts.index).astype("str"))


def float_as_whole(text: str) -> str | None:
    """The exact whole number of a text in float notation; None if it is no float, not whole, or has lost digits.

    >>> float_as_whole("14503.0"), float_as_whole("1.4503e+04"), float_as_whole("1.5"), float_as_whole("1.2E+12")
    ('14503', '14503', None, None)
    """
    match = _FLOAT.fullmatch(text)
    if not match:
        return None
    fraction, exponent = match["fraction"], int(match["exponent"] or 0)
    has_lost_digits = exponent > len(fraction) and fraction.strip("0")
    if exponent < 0 or has_lost_digits or fraction[exponent:].strip("0"):
        return None
    digits = (match["whole"] + fraction[:exponent].ljust(exponent, "0")).lstrip("0") or "0"
    if exponent and len(digits) > _MAX_FLOAT_DIGITS:
        return None
    return "-" + digits if match["sign"] == "-" and digits != "0" else digits
