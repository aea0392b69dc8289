"""Numbers as people write them: with a decimal comma, with groups of thousands, with a currency, or as a float."""

import re
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.casting import arrow, plainly
from graphrec.cleaning.rules import Kind

#: Ways to write a number, (decimal, thousands); of those that fit as many values the first is proposed.
_NOTATIONS = ((".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_WHOLE = r"^[+-]?[0-9]+(\.0*)?$"
_NO_PART = r"[\p{Sc}%‰]|\b(?:EUR|USD|GBP|CHF|JPY)\b"
#: How floating point numbers write whole ones: 14503.0 and 1.4503e+04. "12E4" may be a code and does not count.
_FLOAT = re.compile(r"(?P<sign>[+-]?)(?P<whole>0|[1-9]\d*)\.(?P<fraction>\d*)(?:[eE](?P<exponent>[+-]?\d{1,3}))?")
LOOKS_FLOAT = r"^[+-]?\d+(?:\.\d*|\.\d*[eE][+-]?\d+|[eE]\+\d+)$"
#: A whole number as it is written elsewhere; one that begins with a zero is a code.
PLAIN_WHOLE = r"^[+-]?(0|[1-9]\d*)$"
#: Digits that a floating point number surely keeps; with an exponent there are no others.
_FLOAT_DIGITS = 15


def number_hint(values: "pd.Series[Any]", kind: Kind) -> str:  # Any: of any type
    """What would mend values that are no numbers: `write decimal = ","`; "" where nothing is known to."""
    text = values.dropna().astype("str").str.strip()
    column = pa.array(text, pa.large_string(), from_pandas=True)
    if not len(column):
        return ""
    plain = _WHOLE if kind == "int" else _NUMBER
    best, most = "", len(column) / 2
    for decimal, thousands in _NOTATIONS:
        found = plainly(column, decimal, thousands)
        fits = pc.sum(pc.fill_null(pc.match_substring_regex(found, plain), False).cast(pa.int64())).as_py()
        if fits > most:
            keys = [f'decimal = "{decimal}"'] if decimal != "." else []
            keys += [f'thousands = "{thousands}"'] if thousands else []
            best, most = f"if its numbers are written so, write {' and '.join(keys)}", fits
    if best:
        return best
    signs = pc.match_substring_regex(column, _NO_PART)
    if pc.any(signs).as_py():
        return "a currency or a per cent sign is no part of a number; take it out of the file"
    return ""


def whole_numbers(texts: "pd.Series[str]") -> "pd.Series[str] | None":
    """The texts with each float as the whole number that it is: "14503.0" is "14503"; None if nothing changes.

    Nothing changes either if one of the texts is no whole number ("1.0", "1.5", "2.0"), begins with a zero ("007"), or
    has fewer digits than its number, as 1.23457E+12 has: what a spreadsheet cut off does not come back.
    """
    column = arrow(texts)
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
    # Only the distinct floats pass through Python; the others are looked up.
    found = pc.index_in(column, value_set=old)
    whole = pc.if_else(pc.is_valid(found), pc.take(pa.array(new, pa.large_string()), found), column)
    return cast("pd.Series[str]", whole.to_pandas().set_axis(texts.index).astype("str"))


def float_as_whole(text: str) -> str | None:
    """The whole number that a float writes, exactly; None if it is no float, no whole number, or lacks digits.

    >>> float_as_whole("14503.0"), float_as_whole("1.4503e+04"), float_as_whole("1.5"), float_as_whole("1.2E+12")
    ('14503', '14503', None, None)
    """
    found = _FLOAT.fullmatch(text)
    if not found:
        return None
    fraction, exponent = found["fraction"], int(found["exponent"] or 0)
    lacking = exponent > len(fraction) and fraction.strip("0")
    if exponent < 0 or lacking or fraction[exponent:].strip("0"):
        return None
    digits = (found["whole"] + fraction[:exponent].ljust(exponent, "0")).lstrip("0") or "0"
    if exponent and len(digits) > _FLOAT_DIGITS:
        return None
    return "-" + digits if found["sign"] == "-" and digits != "0" else digits
