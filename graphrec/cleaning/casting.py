"""Conversion of columns to text, whole numbers, numbers or booleans; values of another type are reported."""

import re
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.rules import Kind

#: The name of each kind in messages.
MEANING: dict[Kind, str] = {"str": "text", "int": "a whole number", "float": "a number", "bool": "yes or no"}

_WHOLE = r"^[+-]?[0-9]{1,30}$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_YES, _NO = ["true", "t", "yes", "y", "1"], ["false", "f", "no", "n", "0"]
#: Whole floating point numbers below this limit are written with all digits, others with an exponent.
_MAX_PLAIN = 1e21
_INT64 = -(2**63), 2**63 - 1
#: Separators of groups of digits that count as the same: the spaces (also no-break ones), and the apostrophes.
_EQUIVALENT = (" \u00a0\u202f\u2009", "'\u2019")


def as_text(values: "pd.Series[Any]") -> "pd.Series[str]":  # Any: a column of any type
    """The column as text with dtype str; missing values stay missing.

    Equal values have the same text whatever their type: 7, 7.0 and Decimal("7.00") are "7"; booleans are "true" and
    "false"; a time is "2024-02-13 10:11:12"; bytes are their UTF-8 text.
    """
    if isinstance(values.dtype, pd.StringDtype):
        return values.astype("str")  # no copy if it is str already
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.astype("float64")
        whole = (numbers % 1 == 0) & (numbers.abs() < 2**63)
        text = numbers.where(whole).astype("Int64").astype("str")
        large = (numbers.abs() >= 2**63) & np.isfinite(numbers)
        rest = numbers.map(to_text).astype("str") if large.any() else numbers.astype("str")
        return text.where(whole, rest).mask(numbers.isna())
    if not pd.api.types.is_integer_dtype(values.dtype):
        values = values.map(to_text, na_action="ignore")
    missing = values.isna()
    return values.astype("str").mask(missing) if missing.any() else values.astype("str")


def to_text(value: object) -> str:
    """The text of one value, as in `as_text`."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _MAX_PLAIN else str(value)
    if isinstance(value, Decimal) and value.is_finite():
        text = f"{value:f}"
        return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
    if isinstance(value, bytes | bytearray | memoryview):
        return _decode_bytes(bytes(value))
    return str(value)


def _decode_bytes(value: bytes) -> str:
    """UTF-8 as text; other bytes as \\x and hexadecimal digits, so that different bytes have different texts."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return f"\\x{value.hex()}"
    return text if text.isprintable() else f"\\x{value.hex()}"


def to_arrow(values: "pd.Series[Any]") -> Any:  # of any type, to a pyarrow.ChunkedArray
    """The column as a pyarrow array, without a copy if it already is one; text has the type large_string."""
    column = pa.array(values, from_pandas=True)
    column = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    return column.cast(pa.large_string()) if pa.types.is_string(column.type) else column


def convert(
    values: "pd.Series[Any]", kind: Kind, decimal: str = ".", thousands: str = ""
) -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    """The column converted to a kind, and a mask of the values that cannot be converted (they are missing in it).

    Whole numbers have dtype int64, or Int64 if some are missing; numbers float64 or Float64; booleans bool or boolean.
    An empty text is missing; "7.0" is a whole number; "1e3" is a number but not a whole one; infinity is neither.
    `decimal` and `thousands` are the separators of numbers in text: "," and "." for "1.234,5".
    """
    if kind == "str":
        return as_text(values), pd.Series(False, index=values.index)
    if pd.api.types.is_numeric_dtype(values.dtype) and kind != "bool":
        column = to_arrow(values)
        result, valid = _convert_numbers(column, kind)
    else:
        text = as_text(values).str.strip()
        column = to_arrow(text)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.large_string()), column)
        numbers = column if kind == "bool" else to_plain_notation(column, decimal, thousands)
        result, valid = _convert_texts(numbers, kind)
    bad = pc.and_(pc.is_valid(column), pc.invert(pc.fill_null(valid, False)))
    return _to_series(result, kind, values.index), pd.Series(bad.to_numpy(), index=values.index)


def to_plain_notation(column: Any, decimal: str, thousands: str) -> Any:  # a pyarrow.ChunkedArray of text, twice
    """The numbers in Python's notation, with a decimal point and without groups; missing if a value is not a number.

    Groups have three digits (or two, as in 12,34,567, except the last); "1.23" is not a number if "." separates groups.
    """
    if (decimal, thousands) == (".", ""):
        return column
    point, separator = re.escape(decimal), _build_separator_class(thousands)
    grouped = rf"[0-9]{{1,3}}(?:(?:{separator}[0-9]{{2,3}})*{separator}[0-9]{{3}})" if thousands else "[0-9]+"
    whole = rf"^[+-]?(?:(?:{grouped}|[0-9]+)(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?$"
    fits = pc.match_substring_regex(column, whole)
    column = pc.if_else(fits, column, pa.scalar(None, pa.large_string()))
    if thousands:
        column = pc.replace_substring_regex(column, separator, "")
    return pc.replace_substring(column, decimal, ".")


def _build_separator_class(thousands: str) -> str:
    """A character class of the separator and its equivalents."""
    characters = next((group for group in _EQUIVALENT if thousands and thousands in group), thousands)
    return "[" + re.escape(characters) + "]"


def _convert_numbers(column: Any, kind: Kind) -> tuple[Any, Any]:  # a pyarrow.ChunkedArray, twice
    """The converted column (missing if a value cannot be converted) and the mask of converted values."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    if not pa.types.is_floating(column.type):
        return column.cast(pa.int64() if kind == "int" else pa.float64()), pc.is_valid(column)
    valid = pc.is_finite(column)
    if kind == "int":
        whole = pc.and_(pc.equal(pc.trunc(column), column), pc.less(pc.abs(column), float(2**63)))
        valid = pc.and_(valid, whole)
    kept = pc.if_else(valid, column, pa.scalar(None, column.type))
    return kept.cast(pa.int64() if kind == "int" else pa.float64()), valid


def _convert_texts(column: Any, kind: Kind) -> tuple[Any, Any]:  # a pyarrow.ChunkedArray, twice
    none = pa.scalar(None, pa.large_string())
    if kind == "bool":
        lower = pc.utf8_lower(column)
        yes = pc.is_in(lower, pa.array(_YES, pa.large_string()))
        valid = pc.or_(yes, pc.is_in(lower, pa.array(_NO, pa.large_string())))
        return pc.if_else(valid, yes, pa.scalar(None, pa.bool_())), valid
    if kind == "int":
        column = pc.replace_substring_regex(column, r"\.0*$", "")  # pandas writes 7.0 if a column has missing values
    valid = pc.match_substring_regex(column, _WHOLE if kind == "int" else _NUMBER)
    # Arrow does not parse a plus sign; the cast skips missing values.
    unsigned = pc.replace_substring_regex(pc.if_else(valid, column, none), r"^\+", "")
    if kind == "int":
        numbers = unsigned.cast(pa.decimal128(38, 0))
        low, high = (pa.scalar(bound, pa.int64()).cast(pa.decimal128(38, 0)) for bound in _INT64)
        valid = pc.and_(valid, pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high)))
        kept = pc.if_else(pc.fill_null(valid, False), numbers, pa.scalar(None, numbers.type))
        return kept.cast(pa.int64()), valid
    floats = unsigned.cast(pa.float64())
    valid = pc.and_(valid, pc.is_finite(floats))
    return pc.if_else(pc.fill_null(valid, False), floats, pa.scalar(None, pa.float64())), valid


def _to_series(column: Any, kind: Kind, index: "pd.Index[Any]") -> "pd.Series[Any]":  # a pyarrow.ChunkedArray
    if column.null_count:
        nullable = {"int": pd.Int64Dtype(), "float": pd.Float64Dtype(), "bool": pd.BooleanDtype()}[kind]
        return cast("pd.Series[Any]", column.to_pandas(types_mapper=lambda _: nullable).set_axis(index))
    return pd.Series(np.asarray(column.to_numpy()), index=index)


def to_plain_dtype(values: "pd.Series[Any]") -> "pd.Series[Any]":  # Any: a column of any type
    """The column as int64, float64 or bool if its dtype is the nullable one and no value is missing."""
    dtype = {"Int64": "int64", "Float64": "float64", "boolean": "bool"}.get(str(values.dtype))
    return values if dtype is None or values.isna().any() else values.astype(np.dtype(dtype))
