"""Times of any notation: units, formats, zones, the two hours of the year that clocks confuse, and nonsense."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from graphrec.tabular.spec import Time
from graphrec.tabular.times import unix_seconds

NOON = int(datetime(2023, 7, 1, 12, tzinfo=UTC).timestamp())


def one(value: object, time: Time) -> int | None:
    seconds, bad = unix_seconds(pd.Series([value, None], dtype="str" if isinstance(value, str) else None), time)
    assert str(seconds.dtype) == "Int64"
    assert (seconds.isna()[1], bad[1]) == (True, False)  # what is missing is no error
    assert bad[0] == seconds.isna()[0]
    return None if bad[0] else int(seconds[0])


@pytest.mark.parametrize(
    ("value", "time", "expected"),
    [
        ("1688212800", Time("t"), NOON),
        ("2023-07-01T12:00:00Z", Time("t"), NOON),
        ("2023-07-01 14:00:00+02:00", Time("t"), NOON),
        ("2023-07-01 12:00", Time("t"), NOON),
        ("2023-07-01 14:00", Time("t", zone="Europe/Berlin"), NOON),
        ("2023-07-01T12:00:00Z", Time("t", zone="Europe/Berlin"), NOON),
        ("2023-07-01", Time("t"), NOON - 43_200),
        ("2023-07-01T12:00:00.999999", Time("t"), NOON),
        ("1956-01-01", Time("t"), -441_849_600),
        ("01.07.2023 14:00", Time("t", "%d.%m.%Y %H:%M", zone="Europe/Berlin"), NOON),
        ("Sat Jul 01 14:00:00 +0200 2023", Time("t", "%a %b %d %H:%M:%S %z %Y"), NOON),
        ("29.10.2023 02:30", Time("t", "%d.%m.%Y %H:%M", zone="Europe/Berlin"), 1_698_539_400),  # 00:30 UTC, not 01:30
        ("26.03.2023 02:30", Time("t", "%d.%m.%Y %H:%M", zone="Europe/Berlin"), 1_679_792_400),  # 03:00 is 01:00 UTC
        (NOON, Time("t", unit="s"), NOON),
        (NOON * 1000 + 999, Time("t", unit="ms"), NOON),
        (str(NOON * 10**6), Time("t", unit="us"), NOON),
        (str(NOON * 10**9 + 1), Time("t", unit="ns"), NOON),
        ("1688212800.75", Time("t", unit="s"), NOON),
        ("1.6882128e9", Time("t", unit="s"), NOON),
        (1688212800.75, Time("t"), NOON),
        ("yesterday", Time("t"), None),
        ("2023-02-30", Time("t"), None),
        ("99999999-01-01", Time("t"), None),
        ("31.02.2023 12:00", Time("t", "%d.%m.%Y %H:%M"), None),
        ("1e300", Time("t", unit="s"), None),
        ("2023-07-01", Time("t", unit="s"), None),
    ],
)
def test_one_time(value: object, time: Time, expected: int | None) -> None:
    assert one(value, time) == expected


def test_moments_of_a_typed_source() -> None:
    naive = pd.Series(pd.to_datetime(pd.Series(["2023-07-01 14:00", None])))
    seconds, bad = unix_seconds(naive, Time("t", zone="Europe/Berlin"))
    assert seconds.tolist()[0] == NOON
    assert seconds.isna()[1]
    assert not bad.any()
    aware = naive.dt.tz_localize("America/New_York")
    assert unix_seconds(aware, Time("t", zone="Europe/Berlin"))[0][0] == NOON + 6 * 3600


def test_notations_may_be_mixed() -> None:
    values = pd.Series(["2023-07-01T12:00Z", "1688212800", "2023-07-01 12:00:00.5", "no"], dtype="str")
    seconds, bad = unix_seconds(values, Time("t"))
    assert seconds.tolist()[:3] == [NOON] * 3
    assert bad.tolist() == [False, False, False, True]
