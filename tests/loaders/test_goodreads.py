"""Goodreads (goodbooks-10k): ISBNs without zeros, years before the common era, tags of books that are missing."""

from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("goodreads").load

HEADER = (
    "book_id,goodreads_book_id,best_book_id,work_id,books_count,isbn,isbn13,authors,original_publication_year,"
    "original_title,title,language_code,average_rating\n"
)
FILES = {
    "books.csv": HEADER
    + """1,2767052,2,3,4,439023483,9.78043902348e+12,Suzanne Collins,2008.0,,"Hunger (The Hunger Games, #1)",eng,4.34
2,3,3,4640799,491,043965548X,9780439655484,"J.K. Rowling, Mary GrandPré",1997.0,,Harry Potter,eng,4.44
3,1381,1381,3356006,1703,,,"Homer, Homer, Robert Fagles",-720.0,Ὀδύσσεια,The Odyssey,,3.73
""",
    "ratings.csv": "user_id,book_id,rating\n1,2,5\n2,3,4\n1,2,3\n",
    "to_read.csv": "user_id,book_id\n9,1\n9,1\n",
    "tags.csv": 'tag_id,tag_name\n0,-\n30574,to-read\n77,"sci-fi, really"\n',
    "book_tags.csv": """goodreads_book_id,tag_id,count
2767052,30574,11314
2767052,30574,7
3,77,-1
1381,77,6
999,0,5
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return sorted(tables.edge(relation).frame.itertuples(index=False, name=None))


def test_nodes_and_edges(folder: Path) -> None:
    tables = load(folder)
    assert rows(tables, "RATED") == [("1", "2", 3.0), ("2", "3", 4.0)]  # the later line
    assert rows(tables, "SHELVED") == [("9", "1")]
    assert rows(tables, "BY_AUTHOR") == [
        ("1", "Suzanne Collins"),
        ("2", "J.K. Rowling"),
        ("2", "Mary GrandPré"),
        ("3", "Homer"),
        ("3", "Robert Fagles"),
    ]
    assert rows(tables, "HAS_TAG") == [("1", "to-read", 11314), ("3", "sci-fi, really", 6)]
    assert sorted(tables.node("User").frame["id"]) == ["1", "2", "9"]
    books = tables.node("Item").frame.set_index("id")
    assert books["title"].tolist()[0] == "Hunger (The Hunger Games, #1)"
    assert books["year"].tolist() == [2008, 1997, -720]
    assert books["isbn"].dropna().to_dict() == {"1": "0439023483", "2": "043965548X"}
    assert books["isbn13"].dropna().to_dict() == {"2": "9780439655484"}  # that of 1 lost its last digits
    assert tables.node("Author").type.shared
    assert tables.node("Tag").type.shared


def test_what_was_done_is_reported(folder: Path) -> None:
    report = {(table.name, rule.rule): rule.rows for table in load(folder).cleaning.tables for rule in table.rules}
    assert report == {
        ("RATED", "repeated"): 1,
        ("SHELVED", "repeated"): 1,
        ("BY_AUTHOR", "repeated"): 1,
        ("HAS_TAG", "range"): 1,
        ("HAS_TAG", "repeated"): 1,
        ("HAS_TAG", "dangling"): 1,
    }


def test_books_and_ratings_are_enough(folder: Path) -> None:
    for name in ("to_read.csv", "tags.csv", "book_tags.csv"):
        (folder / name).unlink()
    assert [table.type.relation for table in load(folder).edges] == ["RATED", "BY_AUTHOR"]


BAD = {
    "a book nobody knows": ("ratings.csv", "1,9,5\n", r"RATED: 1 edge points at Item ids .*\(9\)"),
    "a tag nobody knows": (
        "book_tags.csv",
        "3,5,1\n",
        r"book_tags\.csv: 1 lines have a tag_id that tags\.csv lacks \(5\)",
    ),
    "a rating of text": ("ratings.csv", "1,3,good\n", r"column rating is not a number .*line 5: 'good'"),
    "a book twice": ("books.csv", "3,5,5,5,1,,,X,,,Y,,\n", r"Item: 1 id occurs more than once \(3\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(folder: Path, name: str) -> None:
    file, line, message = BAD[name]
    (folder / file).write_text(FILES[file] + line)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_a_folder_is_needed_and_each_file(folder: Path) -> None:
    with pytest.raises(GraphrecError, match=r"goodreads needs a folder: download goodbooks-10k\.zip from https://git"):
        load(None)
    (folder / "books.csv").unlink()
    with pytest.raises(DataError, match=r"has no file books\.csv and no books\.csv\.gz"):
        load(folder)
