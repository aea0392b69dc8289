r"""Book-Crossing: ratings of books from 1 to 10 and reading without a rating, with authors, publishers and ages.

The folder contains BX-Users.csv, BX-Books.csv and BX-Book-Ratings.csv (semicolons, latin-1), plain or gzip-compressed.
A rating of 0 means that a user read a book without rating it, and gives an INTERACTED edge. The files have backslashes
before quotes, so that a title that ends with a backslash hides the start of the author, and values over several lines;
both are repaired. Years after 2004, when the books were collected, and before 1450 are set to missing, as are ages
below 5 and above 110. Rated ISBNs that are not in BX-Books.csv are items with only an id.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import find
from graphrec.reading.files import Tally, read_lines
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

BOOK = NodeType(ITEM, ("isbn", "title", "year"))
READER = NodeType(USER, ("location", "age"))
#: Shared: authors with the same name are one node; so are publishers.
AUTHOR = NodeType("Author", shared=True)
PUBLISHER = NodeType("Publisher", shared=True)
RATED = EdgeType(USER, "RATED", ITEM, ("rating",))
INTERACTED = EdgeType(USER, "INTERACTED", ITEM)
BY_AUTHOR = EdgeType(ITEM, "BY_AUTHOR", AUTHOR.label)
PUBLISHED_BY = EdgeType(ITEM, "PUBLISHED_BY", PUBLISHER.label)
SOURCE = Source(
    "bookcrossing",
    "BX-CSV-Dump 2004",
    "http://www2.informatik.uni-freiburg.de/~cziegler/BX/",
    "Book-Crossing: research use with citation (Ziegler et al. 2005)",
)

_FILES = ("BX-Users.csv", "BX-Books.csv", "BX-Book-Ratings.csv")
_USERS = ["User-ID", "Location", "Age"]
_BOOKS = ["ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher"]
_IMAGES = ["Image-URL-S", "Image-URL-M", "Image-URL-L"]
_RATINGS = ["User-ID", "ISBN", "Book-Rating"]
_ISBN = r"[0-9]{9}[0-9Xx]|[0-9]{13}"
#: Maximum characters of a row, in case a quote is never closed.
_MAX_LENGTH = 10_000
_NULL = re.compile(r";NULL(?=;|$)")
_RULES = {
    USER: CleaningRules(text=("location",), repeated="first"),
    ITEM: CleaningRules(text=("title",), repeated="first"),
    AUTHOR.label: CleaningRules(text=("id",), repeated="first"),
    PUBLISHER.label: CleaningRules(text=("id",), repeated="first"),
    "BY_AUTHOR": CleaningRules(text=("target_id",), repeated="first"),
    "PUBLISHED_BY": CleaningRules(text=("target_id",), repeated="first"),
    "RATED": CleaningRules(ranges={"rating": (1, 10)}, repeated="last", dangling="add"),
    "INTERACTED": CleaningRules(repeated="first", dangling="add"),
}


def load(folder: Path | None = None) -> GraphTables:
    """Users, books (Item), authors and publishers with RATED, INTERACTED, BY_AUTHOR and PUBLISHED_BY edges.

    Raises:
        DataError: a file is missing or has another header, or a line does not have the fields of the header.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source bookcrossing needs a folder: download BX-CSV-Dump.zip from {SOURCE.url}, unpack it and give the "
            "folder with BX-Users.csv, BX-Books.csv and BX-Book-Ratings.csv"
        )
    users = _read(folder, _FILES[0], _USERS).set_axis(["id", "location", "age"], axis=1)
    rows = _read(folder, _FILES[1], [*_BOOKS, *_IMAGES])[_BOOKS].set_axis(
        ["id", "title", "author", "year", "publisher"], axis=1
    )
    marks = _read(folder, _FILES[2], _RATINGS).set_axis([*ENDS, "rating"], axis=1)
    marks = marks.assign(rating=_parse_numbers(marks["rating"], f"{_FILES[2]}: column Book-Rating").astype("float64"))
    books = rows.assign(
        isbn=rows["id"].where(rows["id"].str.fullmatch(_ISBN)),
        year=_mask_outside(_parse_numbers(rows["year"], f"{_FILES[1]}: column Year-Of-Publication"), 1450, 2004),
    )
    authors, publishers = (_build_edges(rows, column) for column in ("author", "publisher"))
    nodes = [
        (READER, users.assign(age=_mask_outside(_parse_numbers(users["age"], f"{_FILES[0]}: column Age"), 5, 110))),
        (BOOK, books),
        (AUTHOR, authors[["target_id"]].set_axis(["id"], axis=1)),
        (PUBLISHER, publishers[["target_id"]].set_axis(["id"], axis=1)),
    ]
    rated = marks["rating"] > 0
    edges = [
        (RATED, marks[rated]),
        (INTERACTED, marks[~rated]),
        (BY_AUTHOR, authors),
        (PUBLISHED_BY, publishers),
    ]
    return clean(nodes, edges, [SOURCE], _RULES)


def _read(folder: Path, name: str, columns: list[str]) -> pd.DataFrame:
    """The columns of a file as text; NULL is missing."""
    path = find(folder, name)
    rows: list[list[str]] = []
    wrong = Tally()
    for number, text in _iter_records(path):
        fields = _split_fields(text, len(columns))
        if number == 1 and fields != columns:
            break
        rows.append(fields)
        if text[0] != '"':
            wrong.add(f"line {number} begins without a quote")
        elif len(fields) != len(columns):
            wrong.add(f"line {number} has {len(fields)}")
    if not rows:
        raise DataError(
            f"{path} does not begin with the header {';'.join(columns)}; give it as it is in BX-CSV-Dump.zip"
        )
    if wrong.count:
        raise DataError(
            f"{path}: {wrong.count:,} of the rows do not have the {len(columns)} fields of the header "
            f"({first_few(wrong.places)}); correct or remove these lines"
        )
    if len(rows) == 1:
        raise DataError(f"{path} holds a header and no rows; copy or download it again")
    frame = pd.DataFrame(rows[1:], columns=columns, dtype="str")
    return frame.mask(frame == "NULL")


def _iter_records(path: Path) -> Iterator[tuple[int, str]]:
    """The first line number and the text of each row; a value may continue on the next lines."""
    text, first = "", 1
    for number, line in read_lines(path):
        part = line.decode("latin-1").strip()
        text, first = (f"{text} {part}", first) if text else (part, number)
        if text.endswith(('"', "NULL")) or len(text) > _MAX_LENGTH:
            yield first, text
            text = ""
    if text:
        yield first, text


def _split_fields(text: str, num_fields: int) -> list[str]:
    r"""The values of a line `"1";"one";NULL`, split again if a backslash hid the end of a value."""
    if ";NULL" in text:
        text = _NULL.sub(';"NULL"', text)
    fields = text.removeprefix('"').removesuffix('"').split('";"')
    if "\\" not in text:
        return fields
    if len(fields) < num_fields and '\\";' in text:
        return _split_fields(text.replace('\\";', '";"'), num_fields)
    return [field.replace('\\"', '"') for field in fields]


def _build_edges(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    return rows[["id", column]].dropna().set_axis(ENDS, axis=1)


def _parse_numbers(values: "pd.Series[str]", name: str) -> "pd.Series[int]":
    """The values as whole numbers (Int64); missing values stay missing."""
    wrong = values[values.notna() & ~values.str.fullmatch(r"\d{1,9}").fillna(False).astype("bool")]
    if len(wrong):
        raise DataError(
            f"{name} is not a whole number in {len(wrong):,} of the rows ({first_few(wrong.unique())}); "
            "correct or remove these lines"
        )
    return pd.to_numeric(values).astype("Int64")


def _mask_outside(values: "pd.Series[int]", low: int, high: int) -> "pd.Series[int]":
    """The values, set to missing outside the range."""
    return values.where(values.between(low, high).fillna(False).astype("bool"))
