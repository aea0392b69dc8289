"""Times on the terminal."""

from importlib import import_module

import pytest

times = import_module("graphrec.scripts._times")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_469_330_735, "2016-07-24 03:25:35"),
        (1_469_330_735_101, "2016-07-24 03:25:35"),  # milliseconds
        (1_469_318_400, "2016-07-24"),
        (0, "1970-01-01"),
        (-86_400, "1969-12-31"),
        ("2026-11-24T18:15:00Z", "2026-11-24 18:15:00"),
        ("2026-11-24T18:15:00+02:00", "2026-11-24 16:15:00"),
        ("2026-11-24", "2026-11-24"),
        (None, None),
        (True, True),
        ("soon", "soon"),
        (10**30, 10**30),
        (float("nan"), None),
    ],
)
def test_a_time_is_shown_as_one(value: object, expected: object) -> None:
    found = times.format_time(value)
    assert found == expected or found != found


def test_columns_of_times() -> None:
    assert [times.is_time(name) for name in ("timestamp", "created_at", "at", "rating", "item")] == [
        True,
        True,
        *[False] * 3,
    ]
    rows = [{"item": "5", "timestamp": 60, "count": 1_469_330_735}, {"item": "6", "timestamp": None, "count": None}]
    assert times.format_times(rows) == [
        {"item": "5", "timestamp (UTC)": "1970-01-01 00:01:00", "count": 1_469_330_735},
        {"item": "6", "timestamp (UTC)": None, "count": None},
    ]
    assert times.format_times([]) == []
