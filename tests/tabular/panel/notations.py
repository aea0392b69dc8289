"""Notations of times, numbers, missing values, headers and separators."""

import bz2
import gzip
import io
import lzma
import zipfile

from . import Case


def zipped(**files: str) -> bytes:
    """A zip archive of these files, whose names have a double underscore for the full stop."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


_RATED = """
        [edges.RATED]
        file = "{file}"
        {more}
        from = "User:user_id"
        to = "Item:item_id"
        properties = [{{ name = "rating", type = "float" }}]
        """
_ROWS = [("u1", "i1", "4"), ("u1", "i2", "5"), ("u2", "i1", "1"), ("u3", "i2", "2"), ("u3", "i3", "4")]


def _table(separator: str = ",", quote: str = "", header: str = "user_id,item_id,rating", end: str = "\n") -> str:
    lines = [tuple(header.split(",")), *_ROWS]
    return "".join(separator.join(f"{quote}{field}{quote}" for field in line) + end for line in lines)


def _viewed(file: str, time: str, more: str = "") -> str:
    return f"""
        [edges.VIEWED]
        file = "{file}"
        {more}
        from = "User:user"
        to = "Item:item"
        time = {time}
        """


def _times(name: str, *times: str, separator: str = ",") -> dict[str, str | bytes]:
    lines = [separator.join((f"u{n % 3}", f"i{n % 2}", time)) for n, time in enumerate(times)]
    return {name: "\n".join([separator.join(("user", "item", "seen_at")), *lines]) + "\n"}


CASES = [
    Case(
        "a title line",
        {"p.csv": "Extract of 2025-01-06\n" + _table(";")},
        _RATED.format(file="p.csv", more='separator = ";"\nskip = 1'),
    ),
    Case(
        "a header with one name twice",
        {"r.csv": "user_id,item_id,rating,rating\n1,2,3,4\n2,3,4,5\n1,3,5,5\n"},
        """
        [edges.RATED]
        file = "r.csv"
        from = "User:user_id"
        to = "Item:item_id"
        properties = [{ name = "rating", type = "float" }, { column = "rating_2", type = "int" }]
        """,
    ),
    Case(
        "a comma at the end of each line",
        {"r.csv": "user_id,item_id,rating,\n1,2,3,\n2,3,4,\n1,3,5,\n"},
        _RATED.format(file="r.csv", more=""),
    ),
    Case(
        "an index without a name",
        {"r.csv": ",user_id,item_id,rating\n0,7,2,3\n1,8,3,4\n2,7,3,5\n3,9,2,1\n"},
        _RATED.format(file="r.csv", more=""),
    ),
    Case("pipes", {"r.psv": _table("|")}, _RATED.format(file="r.psv", more='separator = "|"')),
    Case("single quotes", {"r.csv": _table(",", "'")}, _RATED.format(file="r.csv", more='quote = "\'"')),
    Case(
        "UTF-16 with tabs, as a spreadsheet saves text",
        {"r.txt": _table("\t").encode("utf-16")},
        _RATED.format(file="r.txt", more='separator = "\\t"\nencoding = "utf-16"'),
    ),
    Case(
        "a byte order mark and Windows line ends",
        {"r.csv": b"\xef\xbb\xbf" + _table(end="\r\n").encode()},
        _RATED.format(file="r.csv", more=""),
    ),
    Case(
        "comments before and among the rows",
        {"r.csv": "# exported by tool 3.1\n# 5 rows\n" + _table() + "# end\n"},
        _RATED.format(file="r.csv", more='comment = "#"'),
    ),
    Case("gzip", {"r.csv.gz": gzip.compress(_table().encode())}, _RATED.format(file="r.csv.gz", more="")),
    Case("bzip2", {"r.csv.bz2": bz2.compress(_table().encode())}, _RATED.format(file="r.csv.bz2", more="")),
    Case(
        "xz",
        {"r.tsv.xz": lzma.compress(_table("\t").encode())},
        _RATED.format(file="r.tsv.xz", more='separator = "\\t"'),
    ),
    Case(
        "a zip archive of months of one form",
        {"r.zip": zipped(ratings_01__csv=_table(), ratings_02__csv=_table(), README__md="# Ratings")},
        _RATED.format(file="r.zip", more=""),
    ),
    Case(
        "a JSON array",
        {
            "r.json": '[{"user_id": "a", "item_id": 7, "rating": 4.5}, {"user_id": "b", "item_id": 7, "rating": 2}, {"user_id": "a", "item_id": 8, "rating": null}]'
        },
        _RATED.format(file="r.json", more='format = "json"'),
    ),
    Case(
        "a matrix of users by films",
        {
            "matrix.csv": "user,"
            + ",".join(f"Film {n}" for n in range(1, 9))
            + "\n"
            + "".join(
                f"u{u}," + ",".join(str(1 + (u * n) % 5) if (u + n) % 3 == 0 else "" for n in range(8)) + "\n"
                for u in range(1, 7)
            )
        },
        """
        [edges.RATED]
        file = "matrix.csv"
        shape = "wide"
        from = "User:row"
        to = "Item:column"
        properties = [{ name = "rating", column = "value", type = "float" }]
        """,
    ),
    Case(
        "a time zone after a T",
        _times(
            "t.csv", "2019-10-01T00:00:00.123+02:00", "2019-10-02T11:30:00.000+02:00", "2019-12-02T11:30:00.5+01:00"
        ),
        _viewed("t.csv", '{ column = "seen_at" }'),
    ),
    Case(
        "a twelve-hour clock with American dates",
        _times("t.csv", "7/4/2021 1:05:09 PM", "12/24/2021 11:00:00 AM", "1/2/2022 12:00:00 AM"),
        _viewed("t.csv", '{ column = "seen_at", format = "%m/%d/%Y %I:%M:%S %p" }'),
    ),
    Case(
        "months as words",
        _times("t.tsv", "Feb 1, 2007", "Mar 3, 2008", "Dec 24, 2008", separator="\t"),
        _viewed("t.tsv", '{ column = "seen_at", format = "%b %d, %Y" }', 'separator = "\\t"'),
    ),
    Case(
        "days without separators",
        _times("t.csv", "20240213", "20240301", "20231231"),
        _viewed("t.csv", '{ column = "seen_at", format = "%Y%m%d" }'),
    ),
    Case(
        "milliseconds",
        _times("t.csv", "1577836800123", "1577836900456", "1580000000000"),
        _viewed("t.csv", '{ column = "seen_at", unit = "ms" }'),
    ),
    Case(
        "microseconds",
        _times("t.csv", "1577836800123000", "1577836900456000", "1580000000000000"),
        _viewed("t.csv", '{ column = "seen_at", unit = "us" }'),
    ),
    Case(
        "nanoseconds",
        _times("t.csv", "1577836800123000000", "1577836900456000000", "1580000000000000000"),
        _viewed("t.csv", '{ column = "seen_at", unit = "ns" }'),
    ),
    Case(
        "seconds with fractions",
        _times("t.csv", "1577836800.25", "1577836900.5", "1580000000.0"),
        _viewed("t.csv", '{ column = "seen_at", unit = "s" }'),
    ),
    Case(
        "day, abbreviated month, year",
        _times("t.csv", "03-Jan-2021 14:00", "17-Feb-2021 09:30", "28-Dec-2021 23:59"),
        _viewed("t.csv", '{ column = "seen_at", format = "%d-%b-%Y %H:%M" }'),
    ),
    Case(
        "a log's time in brackets",
        _times("t.csv", "[10/Oct/2020:13:55:36 -0700]", "[11/Oct/2020:03:05:06 -0700]", "[01/Nov/2020:00:00:00 -0800]"),
        _viewed("t.csv", '{ column = "seen_at", format = "[%d/%b/%Y:%H:%M:%S %z]" }'),
    ),
    Case(
        "slashes with the year first",
        _times("t.csv", "2021/01/03 14:00:00", "2021/02/17 09:30:00", "2021/12/28 23:59:59"),
        _viewed("t.csv", '{ column = "seen_at", format = "%Y/%m/%d %H:%M:%S" }'),
    ),
    Case(
        "numbers with thousands",
        {
            "plays.csv": 'user,artist,plays,spend\na,x,"1,204","1,204.50"\na,y,35,12.00\nb,x,"12,500","300.25"\nb,z,7,"1,000.00"\n'
        },
        """
        [edges.PLAYED]
        file = "plays.csv"
        thousands = ","
        from = "User:user"
        to = "Item:artist"
        weight = "plays"
        properties = [{ name = "spend", type = "float" }]
        """,
    ),
    Case(
        "several words for missing",
        {"r.csv": "user_id,item_id,rating,age\nu1,i1,4,n/a\nu2,i1,-,31\nu1,i2,5,\\N\nu3,i2,2,45\nu3,i1,NA,45\n"},
        """
        [nodes.User]
        file = "r.csv"
        missing = ["", "n/a", "\\\\N"]
        id = "user_id"
        properties = [{ name = "age", type = "int" }]
        [edges.RATED]
        file = "r.csv"
        missing = ["", "-", "NA"]
        from = "User:user_id"
        to = "Item:item_id"
        properties = [{ name = "rating", type = "float" }]
        """,
    ),
    Case(
        "Cyrillic letters of Windows",
        {
            "prodazhi.csv": "customer;product;count\nИван;Чай чёрный;2\nОльга;Кофе;1\nИван;Кофе;3\nПётр;Чай чёрный;1\n".encode(
                "cp1251"
            )
        },
        """
        [edges.VIEWED]
        file = "prodazhi.csv"
        separator = ";"
        encoding = "cp1251"
        from = "User:customer"
        to = "Item:product"
        weight = "count"
        """,
    ),
    Case(
        "two colons with quotes inside",
        {"r.dat": 'u1::i1::4::he said "so"\nu2::i1::5::fine\nu1::i2::3::12" disc\n'},
        """
        [edges.RATED]
        file = "r.dat"
        separator = "::"
        from = "User:#1"
        to = "Item:#2"
        properties = [{ column = "#3", name = "rating", type = "float" }, "#4"]
        """,
    ),
    Case(
        "a folder of parts",
        {"parts/part-0001.csv": _table(), "parts/part-0002.csv": _table(), "parts/_SUCCESS": ""},
        _RATED.format(file="parts/part-*.csv", more=""),
        ("parts",),
    ),
    Case(
        "days and months that cannot be told apart",
        _times("t.csv", "03/04/2021", "05/06/2021", "01/02/2022"),
        _viewed("t.csv", '{ column = "seen_at", format = "%d/%m/%Y" }'),
    ),
]
