"""The format or unit of a column of times."""

from pathlib import Path

import pytest

from graphrec.tabular.inference.column_profile import profile_column

from ..proposals import propose_spec


@pytest.mark.parametrize(
    ("name", "texts", "form", "unit"),
    [
        ("t", ["2019-10-01 00:00:00 UTC"], "%Y-%m-%d %H:%M:%S UTC", None),
        ("date", ["20240213", "20240301"], "%Y%m%d", None),
        ("t", ["Feb 1, 2007", "Mar 3, 2008"], "%b %d, %Y", None),
        ("t", ["February 1, 2007", "March 3, 2008"], "%B %d, %Y", None),
        ("t", ["13/02/2021"], "%d/%m/%Y", None),
        ("t", ["02/13/2021"], "%m/%d/%Y", None),
        ("t", ["02/13/21 1:05 PM"], "%m/%d/%y %I:%M %p", None),
        ("t", ["14-07-2017", "15-07-2017"], "%d-%m-%Y", None),
        ("t", ["Tue Apr 03 18:00:09 +0000 2012"], "%a %b %d %H:%M:%S %z %Y", None),
        ("t", ["Mon, 03 Jan 2022 10:00:00 GMT"], "%a, %d %b %Y %H:%M:%S GMT", None),
        ("t", ["2021/02/13 10:11"], "%Y/%m/%d %H:%M", None),
        ("t", ["20210213101112"], "%Y%m%d%H%M%S", None),
        ("t", ["10:15 13.02.2021"], "%H:%M %d.%m.%Y", None),
        ("timestamp", ["1500000000"], None, "s"),
        ("x", ["1500000000000"], None, "ms"),
        ("x", ["1500000000000000"], None, "us"),
        ("x", ["1500000000000000000"], None, "ns"),
        ("t", ["2019-10-01T10:00:00.123+02:00", "2019-10-01T10:00:00Z"], None, None),
    ],
)
def test_times_in_any_notation(name: str, texts: list[str], form: str | None, unit: str | None) -> None:
    found = profile_column(name, texts).time_format
    assert found is not None
    assert (found.format, found.unit) == (form, unit)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("x", ["1500000000"]),
        ("pages", ["320", "412"]),
        ("isbn", ["0345451000"]),
        ("t", ["today", "never"]),
        ("v", ["1.2.3", "10.0.1"]),
    ],
)
def test_what_is_no_time(name: str, texts: list[str]) -> None:
    assert profile_column(name, texts).time_format is None


def test_a_day_that_may_be_a_month_is_asked(tmp_path: Path) -> None:
    _, asks = propose_spec(tmp_path, views__csv="user,item,date\na,x,03/04/2021\nb,x,05/06/2021\n")
    assert any("'03/04/2021' can be read as %d/%m/%Y and as %m/%d/%Y: which of them is the day?" in ask for ask in asks)
    _, asks = propose_spec(tmp_path, views__csv="user,item,date\na,x,03/04/2021\nb,x,25/06/2021\n")
    assert not any("which of them is the day" in ask for ask in asks)
