"""Goodreads: ratings of books with authors, tags and lists of books to read (goodbooks-10k).

The folder contains books.csv and ratings.csv, and optionally to_read.csv, and book_tags.csv with tags.csv; plain or
gzip-compressed. A user's book to read is a SHELVED edge. Tags refer to the book ids of Goodreads, which books.csv maps
to its ids; tags of other books and with counts below 1 are rejected, and the larger of two counts is kept. Leading
zeros that ISBNs have lost in the file are restored; ISBNs of 13 digits written as 9.78e+12 have lost their last digits
and are set to missing.
"""

from pathlib import Path

import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import Kind, find, has, read_table
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

BOOK = NodeType(
    ITEM, ("title", "original_title", "year", "isbn", "isbn13", "language", "average_rating", "goodreads_id")
)
#: Shared: authors with the same name are one node.
AUTHOR = NodeType("Author", shared=True)
TAG = NodeType("Tag", shared=True)
RATED = EdgeType(USER, "RATED", ITEM, ("rating",))
SHELVED = EdgeType(USER, "SHELVED", ITEM)
BY_AUTHOR = EdgeType(ITEM, "BY_AUTHOR", AUTHOR.label)
HAS_TAG = EdgeType(ITEM, "HAS_TAG", TAG.label, ("count",))
SOURCE = Source(
    "goodreads",
    "goodbooks-10k",
    "https://github.com/zygmuntz/goodbooks-10k",
    "goodbooks-10k: CC BY-SA 4.0",
)

_BOOKS: dict[str, Kind] = {
    "book_id": "str",
    "goodreads_book_id": "str",
    "isbn": "str?",
    "isbn13": "str?",
    "authors": "str",
    "original_publication_year": "float?",  # 2008.0; negative before the common era
    "original_title": "str?",
    "title": "str",
    "language_code": "str?",
    "average_rating": "float?",
}
_RULES = {
    ITEM: CleaningRules(text=("title", "original_title")),
    "RATED": CleaningRules(ranges={"rating": (1, 5)}, repeated="last"),
    "SHELVED": CleaningRules(repeated="first"),
    "BY_AUTHOR": CleaningRules(repeated="first"),
    "HAS_TAG": CleaningRules(ranges={"count": (1, None)}, repeated="max", by="count", dangling="drop"),
}


def load(folder: Path | None = None) -> GraphTables:
    """Users, books (Item), authors and tags with RATED, SHELVED, BY_AUTHOR and HAS_TAG edges.

    Raises:
        DataError: books.csv or ratings.csv is missing, a file is defective, or a rated book is not in books.csv.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source goodreads needs a folder: download goodbooks-10k.zip from {SOURCE.url}, unpack it and give the "
            "folder with books.csv and ratings.csv"
        )
    rows = read_table(find(folder, "books.csv"), _BOOKS)
    pair: dict[str, Kind] = {"user_id": "str", "book_id": "str"}
    rated = read_table(find(folder, "ratings.csv"), {**pair, "rating": "float"}).set_axis([*ENDS, "rating"], axis=1)
    authors = pd.DataFrame({"source_id": rows["book_id"], "target_id": rows["authors"].str.split(", ")})
    authors = authors.explode("target_id").astype("str").reset_index(drop=True)
    nodes = [(BOOK, _build_books(rows)), (AUTHOR, _build_nodes(authors["target_id"]))]
    edges = [(RATED, rated), (BY_AUTHOR, authors)]
    if has(folder, "to_read.csv"):
        edges.append((SHELVED, read_table(find(folder, "to_read.csv"), pair).set_axis(ENDS, axis=1)))
    if has(folder, "book_tags.csv"):
        tagged = _read_tags(folder, rows)
        nodes.append((TAG, _build_nodes(tagged["target_id"])))
        edges.append((HAS_TAG, tagged))
    present = {ITEM} | {kind.relation for kind, _ in edges}
    return clean(nodes, edges, [SOURCE], {name: rules for name, rules in _RULES.items() if name in present})


def _build_books(rows: pd.DataFrame) -> pd.DataFrame:
    names = {"book_id": "id", "language_code": "language", "goodreads_book_id": "goodreads_id"}
    return rows.rename(columns=names).assign(
        year=rows["original_publication_year"].astype("Int64"),
        isbn=rows["isbn"].str.zfill(10),  # "439023483" is 0439023483
        isbn13=rows["isbn13"].where(rows["isbn13"].str.fullmatch(r"\d{13}").fillna(False).astype("bool")),
    )


def _read_tags(folder: Path, books: pd.DataFrame) -> pd.DataFrame:
    """Columns source_id, target_id and count; the id of a book that is not in books.csv is goodreads-1234."""
    path = find(folder, "book_tags.csv")
    rows = read_table(path, {"goodreads_book_id": "str", "tag_id": "str", "count": "int"})
    tags = read_table(find(folder, "tags.csv"), {"tag_id": "str", "tag_name": "str"})
    if not tags["tag_id"].is_unique:
        twice = first_few(tags["tag_id"][tags["tag_id"].duplicated()].unique())
        raise DataError(f"{find(folder, 'tags.csv')}: tag_id {twice} occurs twice; keep one line for each")
    unknown = rows.loc[~rows["tag_id"].isin(tags["tag_id"]), "tag_id"]
    if len(unknown):
        raise DataError(
            f"{path}: {len(unknown):,} lines have a tag_id that tags.csv lacks ({first_few(unknown.unique())}); take "
            "both files from one download"
        )
    ids = books.drop_duplicates("goodreads_book_id").set_index("goodreads_book_id")["book_id"]
    return pd.DataFrame(
        {
            "source_id": rows["goodreads_book_id"].map(ids).fillna("goodreads-" + rows["goodreads_book_id"]),
            "target_id": rows["tag_id"].map(tags.set_index("tag_id")["tag_name"]),
            "count": rows["count"],
        }
    ).astype({"source_id": "str", "target_id": "str"})


def _build_nodes(names: "pd.Series[str]") -> pd.DataFrame:
    return pd.DataFrame({"id": names.unique()}, dtype="str")
