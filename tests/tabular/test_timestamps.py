"""Times of any notation: units, formats, zones, the two hours of the year that clocks confuse, and nonsense."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.tabular.spec import TimeColumn
from graphrec.tabular.timestamps import read_times, suggest_format, to_unix_seconds

NOON = int(datetime(2023, 7, 1, 12, tzinfo=UTC).timestamp())


def one(value: object, time: TimeColumn) -> int | None:
    seconds, bad = to_unix_seconds(pd.Series([value, None], dtype="str" if isinstance(value, str) else None), time)
    assert str(seconds.dtype) == "Int64"
    assert (seconds.isna()[1], bad[1]) == (True, False)  # what is missing is no error
    assert bad[0] == seconds.isna()[0]
    return None if bad[0] else int(seconds[0])


@pytest.mark.parametrize(
    ("value", "time", "expected"),
    [
        ("1688212800", TimeColumn("t"), NOON),
        ("2023-07-01T12:00:00Z", TimeColumn("t"), NOON),
        ("2023-07-01 14:00:00+02:00", TimeColumn("t"), NOON),
        ("2023-07-01 12:00", TimeColumn("t"), NOON),
        ("2023-07-01 14:00", TimeColumn("t", zone="Europe/Berlin"), NOON),
        ("2023-07-01T12:00:00Z", TimeColumn("t", zone="Europe/Berlin"), NOON),
        ("2023-07-01", TimeColumn("t"), NOON - 43_200),
        ("2023-07-01T12:00:00.999999", TimeColumn("t"), NOON),
        ("1956-01-01", TimeColumn("t"), -441_849_600),
        ("01.07.2023 14:00", TimeColumn("t", "%d.%m.%Y %H:%M", zone="Europe/Berlin"), NOON),
        ("Sat Jul 01 14:00:00 +0200 2023", TimeColumn("t", "%a %b %d %H:%M:%S %z %Y"), NOON),
        (
            "29.10.2023 02:30",
            TimeColumn("t", "%d.%m.%Y %H:%M", zone="Europe/Berlin"),
            1_698_539_400,
        ),  # 00:30 UTC, not 01:30
        (
            "26.03.2023 02:30",
            TimeColumn("t", "%d.%m.%Y %H:%M", zone="Europe/Berlin"),
            1_679_792_400,
        ),  # 03:00 is 01:00 UTC
        (NOON, TimeColumn("t", unit="s"), NOON),
        (NOON * 1000 + 999, TimeColumn("t", unit="ms"), NOON),
        (str(NOON * 10**6), TimeColumn("t", unit="us"), NOON),
        (str(NOON * 10**9 + 1), TimeColumn("t", unit="ns"), NOON),
        ("1688212800.75", TimeColumn("t", unit="s"), NOON),
        ("1.6882128e9", TimeColumn("t", unit="s"), NOON),
        (1688212800.75, TimeColumn("t"), NOON),
        ("yesterday", TimeColumn("t"), None),
        ("2023-02-30", TimeColumn("t"), None),
        ("99999999-01-01", TimeColumn("t"), None),
        ("31.02.2023 12:00", TimeColumn("t", "%d.%m.%Y %H:%M"), None),
        ("1e300", TimeColumn("t", unit="s"), None),
        ("2023-07-01", TimeColumn("t", unit="s"), None),
    ],
)
def test_one_time(value: object, time: TimeColumn, expected: int | None) -> None:
    assert one(value, time) == expected


def test_moments_of_a_typed_source() -> None:
    naive = pd.Series(pd.to_datetime(pd.Series(["2023-07-01 14:00", None])))
    seconds, bad = to_unix_seconds(naive, TimeColumn("t", zone="Europe/Berlin"))
    assert seconds.tolist()[0] == NOON
    assert seconds.isna()[1]
    assert not bad.any()
    aware = naive.dt.tz_localize("America/New_York")
    assert to_unix_seconds(aware, TimeColumn("t", zone="Europe/Berlin"))[0][0] == NOON + 6 * 3600


def test_notations_may_be_mixed() -> None:
    values = pd.Series(["2023-07-01T12:00Z", "1688212800", "2023-07-01 12:00:00.5", "no"], dtype="str")
    seconds, bad = to_unix_seconds(values, TimeColumn("t"))
    assert seconds.tolist()[:3] == [NOON] * 3
    assert bad.tolist() == [False, False, False, True]


BERLIN = "Europe/Berlin"
NINE = int(datetime(2024, 2, 13, 9, 11, 12, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("14-07-2017", "%d-%m-%Y"),
        ("14.07.2017", "%d.%m.%Y"),
        ("00:00 14-07-2017", "%H:%M %d-%m-%Y"),
        ("2017-07-14-00:00", "%Y-%m-%d-%H:%M"),
        ("20170714", "%Y%m%d"),
        ("20170714.0", "%Y%m%d"),  # pandas' float
        ("13.07.2017 22:00 UTC", "%d.%m.%Y %H:%M UTC"),
        ("2017-07-13T22:00:00Z", "%Y-%m-%dT%H:%M:%SZ"),
        ("14.07.2017 00:00+0200", "%d.%m.%Y %H:%M+0200"),
        ("13.07.2017 22:00 Z", "%d.%m.%Y %H:%M %z"),
        ("14.07.2017 00:00 +02", "%d.%m.%Y %H:%M %z"),
        ("14.07.2017 00:00 CEST", "%d.%m.%Y %H:%M %Z"),
        ("Fri Jul 14 00:00:00 CEST 2017", "%a %b %d %H:%M:%S %Z %Y"),
    ],
)
def test_the_format_alone_says_what_is_an_offset(value: str, form: str) -> None:
    assert one(value, TimeColumn("t", form, zone=BERLIN)) == 1_499_983_200


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-13T09:11:12Z",
        "2024-02-13t09:11:12z",
        "20240213T091112Z",
        "20240213T101112+01",
        "20240213 101112",
        "2024-02-13T10:11:12,999999999",
        "2024-02-13 10:11:12.5+01:00",
        "2024-02-13 09:11:12 UTC",
        "2024-02-13 09:11:12 GMT",
        "2024-02-13 10:11:12 CET",
        "2024-02-13 04:11:12 EST",
        "2024-02-13 09:11:12+00",
        "2024-02-13 11:11:12 +0200",
        "2024-02-13 04:11:12\u22125:00".replace("5", "05"),
        "2024-W07-2T10:11:12",
        "2024W072T101112",
        "2024-044T10:11:12",
        "2024044T101112",
        "2024/02/13 10:11:12",
        "2024.02.13 10:11:12",
        "2024-02-13T10:11.2",
        "2024-02-13T10:11:12+01:00[Europe/Berlin]",
        "2024-02-13 10:11:12 Europe/Berlin",
    ],
)
def test_iso_8601_in_its_forms(value: str) -> None:
    assert one(value, TimeColumn("t", zone=BERLIN)) == NINE


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-02", "2024-02-01"),
        ("2024", "2024-01-01"),
        ("20240213", "2024-02-13"),
        ("2024-W07", "2024-02-12"),
        ("2024-044", "2024-02-13"),
        ("2024044", "2024-02-13"),
        ("2024-02-13T10", "2024-02-13 10:00"),
        ("20240213T10.5", "2024-02-13 10:30"),
        ("20240213101112", "2024-02-13 10:11:12"),
        ("202402131011", "2024-02-13 10:11"),
        ("2024-02-13T24:00", "2024-02-14"),
        ("2016-12-31T23:59:60Z", "2017-01-01"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31T23:59:59", "9999-12-31 23:59:59"),
        ("1677-01-01 00:00:00.123456789", "1677-01-01"),
    ],
)
def test_what_a_form_leaves_out_is_the_first(value: str, moment: str) -> None:
    written = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert one(value, TimeColumn("t")) == int((written - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


@pytest.mark.parametrize(
    "value",
    [
        *("now", "today", "NaT", "nan", "tomorrow", "10:11", "2024-0213", "2024-13-01", "2024-02-13 25:00", "1.1.1.1"),
        *(
            "2024-02-13 24:01",
            "2024-02-13 10:11 IST",
            "2024-W54",
            "2023-366",
            "20240230",
            "2024-02-13T10:11:60",
            "Feb 2",
        ),
    ],
)
def test_words_and_nonsense_are_no_times(value: str) -> None:
    if value == "20240230":
        assert to_unix_seconds(pd.Series([value, "20240213"]), TimeColumn("t"))[1].tolist() == [True, False]
    else:
        assert one(value, TimeColumn("t")) is None
    assert one(value, TimeColumn("t", "%Y-%m-%d")) is None


def test_one_odd_value_spoils_no_other() -> None:
    odd = [
        "2024-02-13T10:11:12Z",
        "0000-00-00",
        "now",
        "99999999999999999999999",
        "9999-99-99",
        "2024-02-13 10:11 XYZ",
        "",
    ]
    seconds, bad = to_unix_seconds(pd.Series([*odd, "2024-02-13 10:11:12", "1707819072"], dtype="str"), TimeColumn("t"))
    assert seconds.tolist()[0] == seconds.tolist()[-2] == seconds.tolist()[-1] == NINE + 3600
    assert bad.tolist() == [False, True, True, True, True, True, False, False, False]
    forms = pd.Series(["13.02.2024 10:11 +0100", "99.99.9999 10:11 +0100", "now", "13.02.2024 09:11 Z"], dtype="str")
    seconds, bad = to_unix_seconds(forms, TimeColumn("t", "%d.%m.%Y %H:%M %z"))
    assert bad.tolist() == [False, True, True, False]
    assert seconds[0] == seconds[3] == NINE - 12


def test_units_are_told_apart_and_said() -> None:
    numbers = [NOON, NOON * 1000, NOON * 10**6, NOON * 10**9]
    for values in (pd.Series(numbers), pd.Series(numbers).astype("str")):
        found = read_times(values, TimeColumn("t"))
        assert found.seconds.tolist() == [NOON] * 4
        assert [note.reading for note in found.notes] == [
            f"read as {unit}seconds" for unit in ("milli", "micro", "nano")
        ]
        assert found.notes[0].example == "1688212800000 is 2023-07-01 12:00:00 UTC"
        assert 'unit = "ms"' in found.notes[0].hint
    assert read_times(pd.Series(numbers[1:2]), TimeColumn("t", unit="ms")).notes == ()
    far = read_times(pd.Series([1 - 10**14, 10**11 - 1, 10**30]), TimeColumn("t"))  # before the year 1, and after 9999
    assert far.bad.tolist() == [False, False, True]
    assert far.notes[0].example.startswith("-99999999999999")


def test_dates_written_as_numbers_are_told_from_seconds() -> None:
    for values in (
        pd.Series([20240213, 20240301]),
        pd.Series([20240213.0, 20240301.0]),
        pd.Series(["20240213", "20240301"]),
    ):
        found = read_times(values, TimeColumn("t", zone=BERLIN))
        assert found.seconds[0] == datetime(2024, 2, 12, 23, tzinfo=UTC).timestamp()
        assert [(note.reading, note.rows) for note in found.notes] == [("read as dates", 2)]
        assert 'format = "%Y%m%d"' in found.notes[0].hint
    counter = read_times(pd.Series([5, 60, 3600, 20240213]), TimeColumn("t"))  # seconds from a start of their own
    assert (counter.seconds[3], counter.notes) == (20240213, ())
    days = read_times(pd.Series([45336, 45337]), TimeColumn("t"))
    assert "day numbers of a spreadsheet" in days.notes[0].hint


def test_a_hint_names_the_format() -> None:
    assert suggest_format(pd.Series(["Feb 1, 2007", "Mar 2, 2008"]), TimeColumn("t")) == 'write format = "%b %d, %Y"'
    both = 'write format = "%d/%m/%Y" or format = "%m/%d/%Y"'
    assert suggest_format(pd.Series(["01/02/2024"]), TimeColumn("t")) == both
    assert suggest_format(pd.Series(["perhaps"]), TimeColumn("t")) == ""
    with pytest.raises(DataError, match=r"time format '%Q' is invalid: .* write one such as"):
        to_unix_seconds(pd.Series(["1"]), TimeColumn("t", "%Q"))


FORMS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S.%f%z", "%Y%m%dT%H%M%S%z", "%G-W%V-%uT%H:%M:%S%z", "%Y-%jT%H:%M:%S%z"]
FORMS += ["%Y/%m/%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S,%f %z"]
LOCAL = ["%Y-%m-%dT%H:%M:%S", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y-%m-%d %H:%M:%S", "%G-W%V-%u %H:%M:%S"]
ZONES = ["UTC", BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.datetimes(datetime(1905, 1, 1), datetime(2095, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(FORMS + LOCAL),
    st.sampled_from(ZONES),
)
def test_what_is_printed_is_read_exactly(moments: list[datetime], form: str, zone: str) -> None:
    here = [moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)) for moment in moments]
    clear = [m for m in here if m.replace(fold=0).utcoffset() == m.utcoffset() or "%z" in form]
    clear = [m for m in clear if m.utcoffset() % timedelta(minutes=1) == timedelta() or "%z" not in form]  # type: ignore[operator]
    if not clear:
        return
    texts = pd.Series([moment.strftime(form) for moment in clear], dtype="str")
    seconds, bad = to_unix_seconds(texts, TimeColumn("t", zone=zone))
    assert not bad.any()
    assert seconds.tolist() == [int((m - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) for m in clear]
