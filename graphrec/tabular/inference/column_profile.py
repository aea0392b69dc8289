"""Profiles a column: kind of values (numbers, times, booleans, lists, text), notation and missing-value words."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.cleaning.rules import Kind
from graphrec.tabular.inference import lexicon, name_semantics
from graphrec.tabular.inference.time_formats import TimeFormat, infer_time_format

#: Words that mean a missing value in any column.
_MISSING = frozenset(
    {
        "null",
        "\\n",
        "nan",
        "<na>",
        "#n/a",
        "n/a",
        "(null)",
        "nat",
        "none",
        "[null]",
        "#null!",
        "<null>",
        "n.a.",
        "undefined",
    }
)
#: Words that mean a missing value among numbers and times, but may be a value among texts.
_MISSING_AMONG_NUMBERS = frozenset(
    {"na", "-", "--", "?", ".", "nil", "missing", "unknown", "k.a.", "s/d", "-nan", "inf", "tbd", "*"}
)
_WHOLE = re.compile(r"[+-]?\d{1,19}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
#: Patterns of numbers by (decimal separator, thousands separator).
_NOTATIONS = {
    (",", None): re.compile(r"[+-]?\d+(,\d+)?"),
    (",", "."): re.compile(r"[+-]?\d{1,3}(\.\d{3})*(,\d+)?"),
    (".", ","): re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?"),
    (",", " "): re.compile(r"[+-]?\d{1,3}( \d{3})*(,\d+)?"),
    (",", "\u00a0"): re.compile(r"[+-]?\d{1,3}(\u00a0\d{3})*(,\d+)?"),
    (",", "\u202f"): re.compile(r"[+-]?\d{1,3}(\u202f\d{3})*(,\d+)?"),
    (".", " "): re.compile(r"[+-]?\d{1,3}( \d{3})*(\.\d+)?"),
    (".", "'"): re.compile(r"[+-]?\d{1,3}('\d{3})*(\.\d+)?"),
    (".", "\u2019"): re.compile(r"[+-]?\d{1,3}(\u2019\d{3})*(\.\d+)?"),
}
_DATED = re.compile(r"\d[-/.: ]\d|\d[-/ ][A-Za-z]{3}|[A-Za-z]{3} \d")
_CODE = re.compile(r"[A-Za-z]{0,5}[-_]?\d{2,}")
_SPLITS = ("|", ";", ", ", ",", "/", " / ")
Notation = tuple[str, str | None]


@dataclass(frozen=True)
class ColumnProfile:
    """The profile of one column.

    values: its texts in row order, missing values null.
    missing: words that represent a missing value; `uncertain` are those that may be a value.
    notation: decimal and thousands separator of numbers; `ambiguity` describes another notation that also fits.
    split: separator of several values in a field, or "[]" for JSON lists; "" for single values.
    """

    name: str
    values: "pd.Series[Any]"
    kind: Kind
    missing: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    notation: Notation = (".", None)
    ambiguity: str = ""
    time_format: TimeFormat | None = None
    split: str = ""

    @cached_property
    def codes(self) -> npt.NDArray[np.int64]:
        """Integer code of each row's value, −1 if missing."""
        return np.asarray(pd.factorize(self.values)[0], dtype=np.int64)

    @property
    def num_distinct(self) -> int:
        """Number of distinct values."""
        return int(self.codes.max(initial=-1)) + 1

    @property
    def num_filled(self) -> int:
        """Number of rows with a value."""
        return int((self.codes >= 0).sum())

    @property
    def unique(self) -> bool:
        """Whether no value is repeated."""
        return self.num_filled > 0 and self.num_distinct == self.num_filled

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in ("int", "float")

    @cached_property
    def numbers(self) -> "pd.Series[float]":
        """The numbers of the rows that have a value; empty for other kinds of columns."""
        if not self.numeric:
            return pd.Series(np.array([], dtype="float64"))
        decimal, thousands = self.notation
        texts: pd.Series[Any] = self.values.dropna()
        if thousands:
            texts = texts.str.replace(thousands, "", regex=False)
        if decimal != ".":
            texts = texts.str.replace(decimal, ".", regex=False)
        return texts.astype("float64")

    @property
    def whole(self) -> bool:
        """Whether all numbers are integers, such as 17850.0."""
        return self.numeric and bool((self.numbers % 1 == 0).all())


def profile_column(
    name: str, texts: Sequence[str | None], kind: Kind | None = None, is_time: bool = False
) -> ColumnProfile:
    """The profile of a column of texts; `kind` and `is_time` are known from typed files."""
    series = pd.Series(list(texts), dtype="object")
    series = series.mask(series.map(lambda value: value is None or not value.strip()))
    counts = Counter(value.strip() for value in series.dropna())
    if set(counts) <= {"[]", "{}"}:
        return ColumnProfile(name, pd.Series([None] * len(series), dtype="object"), "str")
    named = name_semantics.is_time(name)
    if kind is not None or is_time:
        found = TimeFormat(None, None, False, "a column of times") if is_time else None
        if found is None and kind in ("int", "float"):
            found = _infer_time(list(counts), named)
        return ColumnProfile(
            name, series, kind or "str", time_format=found, split=_split(name, counts) if kind == "str" else ""
        )
    suspects = [value for value in counts if value.casefold() in _MISSING | _MISSING_AMONG_NUMBERS]
    rest = [value for value in counts if value not in suspects]
    guessed, notation, either = _kind(rest)
    strays: list[str] = []
    if guessed == "str" and len(counts) > 3:
        strays = _strays(counts, suspects)
        if strays:
            rest = [value for value in rest if value not in strays]
            guessed, notation, either = _kind(rest)
    found = _infer_time(rest, named) if rest else None
    if guessed != "str" or found:
        missing = tuple(value for value in counts if value in suspects or value in strays)
        doubtful = tuple(strays)
    else:
        missing = tuple(value for value in suspects if value.casefold() in _MISSING)
        doubtful = ()
        # "none" and "undefined" may be values among texts
        missing = tuple(v for v in missing if v.casefold() not in ("none", "undefined") or _is_absent(v, name, rest))
    if missing:
        series = series.mask(series.str.strip().isin(missing))
    if guessed in ("int", "float") and found and found.format:
        guessed = "int"
    split = _split(name, counts) if guessed == "str" and not found else ""
    return ColumnProfile(name, series, guessed, missing, doubtful, notation, either, found, split)


def _is_absent(word: str, name: str, rest: Sequence[str]) -> bool:
    """Whether a word such as "None" among texts is a missing value: Python's None, or a word in an id column."""
    return word == "None" or (name_semantics.interpret_name(name).part == "id" and bool(rest))


def _strays(counts: Counter[str], suspects: Sequence[str]) -> list[str]:
    """One or two words in a column with at least 90 % numbers, else nothing."""
    other = [v for v in counts if v not in suspects and not re.fullmatch(r"[+-]?[\d.,'  \u2019\u202f]+", v)]
    rows = sum(counts.values())
    odd = sum(counts[value] for value in other)
    wordlike = all(re.fullmatch(r"[^\W\d]{2,12}", value) for value in other)
    return other if 0 < len(other) <= 2 and wordlike and odd * 10 <= rows and rows >= 10 else []


def _kind(values: Sequence[str]) -> tuple[Kind, Notation, str]:
    """The kind of the values, the notation of numbers, and a text if another notation also fits."""
    plain: Notation = (".", None)
    if not values:
        return "str", plain, ""
    if all(map(_WHOLE.fullmatch, values)) and all(-(2**63) <= int(value) < 2**63 for value in values):
        return ("str" if any(map(_LEADING_ZERO.match, values)) else "int"), plain, ""
    if all(map(_NUMBER.fullmatch, values)):
        zeros = any(_LEADING_ZERO.match(value) and value.isdigit() for value in values)
        long = any(len(value) > 25 or (len(value) > 16 and value.isdigit()) for value in values)
        return ("str" if zeros or long else "float"), plain, ""
    if {value.casefold() for value in values} <= {"true", "false"}:
        return "bool", plain, ""
    if not any(
        "," in v or "." in v or " " in v or "'" in v or "\u2019" in v or "\u00a0" in v or "\u202f" in v
        for v in values[:50]
    ):
        return "str", plain, ""
    fitting = [notation for notation, pattern in _NOTATIONS.items() if all(map(pattern.fullmatch, values))]
    if not fitting or any(map(_LEADING_ZERO.match, (v for v in values if not re.match(r"[+-]?0[,.]", v)))):
        return "str", plain, ""
    chosen, either = fitting[0], ""
    if chosen == (",", None) and (".", ",") in fitting:
        # 1,234 and 12,500: a comma always followed by three digits separates thousands, unless there are leading zeros
        chosen, either = (".", ","), f"'{next(v for v in values if ',' in v)}' may have a decimal comma"
    whole = chosen[0] == "." and not any("." in value for value in values)
    whole = whole or (chosen[0] == "," and not any("," in value for value in values))
    return ("int" if whole else "float"), chosen, either


def _infer_time(values: Sequence[str], named: bool) -> TimeFormat | None:
    """The time format of the values; None if neither their shape nor the column's name suggests times."""
    first = values[0]
    if not any(letter.isdigit() for letter in first) or len(first) > 48:
        return None
    digits = re.fullmatch(r"[+-]?(\d+)(\.\d*)?(e\+?\d+)?", first)
    if digits and not named and len(digits[1]) != 8 and len(digits[1]) < 12:
        return None
    if not digits and not _DATED.search(first):
        return None
    texts = pd.Series(list(dict.fromkeys(value for value in values))[:3000], dtype="str")
    return infer_time_format(texts, named)


def _split(name: str, counts: Counter[str]) -> str:
    """The separator of several repeated values within the texts of a column; "" for single values."""
    if name.endswith(":token_seq"):
        return " "
    texts = list(counts)[:2000]
    if not texts:
        return ""
    friends = any(
        name_semantics.singularize(part) in lexicon.SOCIAL_RELATIONS for part in name_semantics.tokenize(name)
    )
    if friends and any(", " in text or "," in text for text in texts):
        return ", " if all(", " in text for text in texts if "," in text) else ","
    if all(text.startswith("[") and text.endswith("]") for text in texts):
        return "[]" if all(map(_is_list, texts[:200])) else ""
    grouped = name_semantics.interpret_name(name).entity == "group" or any(
        name_semantics.singularize(t) in lexicon.GROUPS for t in name_semantics.tokenize(name)
    )
    if _are_codes(texts):
        return " "
    for sign in _SPLITS:
        several = [text for text in texts if sign in text]
        if not several or (len(several) * 10 < len(texts) and not grouped):
            continue
        parts = [part.strip() for text in texts for part in text.split(sign)]
        short = sum(map(len, parts)) <= 20 * len(parts) and all(len(part.split()) <= 4 for part in parts[:500])
        again = len(set(parts)) < 0.7 * len(parts) and len(parts) > 6
        clean = all(parts) or sign == "|"
        if not short or not clean or len(parts) < 2:
            continue
        if (grouped and (sign in "|;" or sign == ", " or again)) or (
            sign == "|" and (again or 4 * len(several) >= len(texts))
        ):
            return sign
    return ""


def _are_codes(texts: Sequence[str]) -> bool:
    """Whether most texts are several repeated codes separated by spaces, such as N1234 N1235."""
    several = [text for text in texts if " " in text.strip()]
    if len(several) * 2 < len(texts) or len(several) < 3:
        return False
    parts = [part for text in texts for part in text.split()]
    return all(map(_CODE.fullmatch, parts)) and len(set(parts)) < 0.7 * len(parts)


def _is_list(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, list) and not any(isinstance(part, dict | list) for part in value)
