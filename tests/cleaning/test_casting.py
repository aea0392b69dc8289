"""Columns of any type as text, numbers and booleans: exactly, or missing."""

import numpy as np
import pandas as pd
import pytest

from graphrec.cleaning.casting import as_text, convert
from graphrec.cleaning.rules import Kind


def test_numbers_as_text() -> None:
    assert as_text(pd.Series([1, 2])).tolist() == ["1", "2"]
    mixed = as_text(pd.Series([7.0, 2.5, np.nan]))
    assert mixed.tolist()[:2] == ["7", "2.5"]
    assert mixed.isna().tolist() == [False, False, True]
    assert as_text(pd.Series([7.0, "x", 3, None], dtype=object)).fillna("-").tolist() == ["7", "x", "3", "-"]
    assert as_text(pd.Series([2**62 + 1], dtype="Int64")).tolist() == [str(2**62 + 1)]
    assert str(as_text(pd.Series([1])).dtype) == "str"


@pytest.mark.parametrize(
    ("kind", "good", "values", "bad"),
    [
        (
            "int",
            ["1", " -2 ", "+3", "7.0", "007"],
            [1, -2, 3, 7, 7],
            ["1.5", "x", "1e3", "９９", "9223372036854775808"],
        ),
        (
            "float",
            ["1", "-.5", "1e3", "+2.", "-0"],
            [1, -0.5, 1000, 2, 0],
            ["1,5", "nan", "inf", "1e999", "0x1", "1_0"],
        ),
        ("bool", ["true", "No", "1", "f"], [True, False, True, False], ["2", "perhaps", "-"]),
    ],
)
def test_text_as_values(kind: Kind, good: list[str], values: list[object], bad: list[str]) -> None:
    found, wrong = convert(pd.Series(good, dtype="str"), kind)
    assert found.tolist() == values
    assert not wrong.any()
    assert str(found.dtype) == {"int": "int64", "float": "float64", "bool": "bool"}[kind]
    found, wrong = convert(pd.Series([*bad, "", None], dtype="str"), kind)
    assert found.isna().all()
    assert wrong.tolist() == [True] * len(bad) + [False, False]


def test_the_largest_whole_numbers_are_exact() -> None:
    found, wrong = convert(pd.Series(["9223372036854775807", "-9223372036854775808"]), "int")
    assert found.tolist() == [2**63 - 1, -(2**63)]
    assert not wrong.any()


def test_numbers_as_whole_numbers() -> None:
    found, wrong = convert(pd.Series([1.0, 1.5, np.nan, np.inf]), "int")
    assert found.isna().tolist() == [False, True, True, True]
    assert wrong.tolist() == [False, True, False, True]
    assert str(found.dtype) == "Int64"
    assert str(convert(pd.Series([True, False]), "int")[0].dtype) == "int64"
    assert convert(pd.Series([1, 2], dtype="int32"), "float")[0].tolist() == [1.0, 2.0]
