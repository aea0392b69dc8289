"""Book-Crossing: backslashes, semicolons and line breaks in values, NULL, impossible ages and years."""

import gzip
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("bookcrossing").load

HEADER = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";"Image-URL-M";"Image-URL-L"\n'
)
FILES = {
    "BX-Users.csv": r""""User-ID";"Location";"Age"
"1";"nyc, new york, usa";NULL
"2";"köln, nordrhein-westfalen, germany";"18"
"3";"cernusco s
, milan, italy";"244"
"4";"&#20013;&#22269;, \"n/a\"; ,";"0"
""",
    "BX-Books.csv": HEADER
    + r""""0195153448";"Classical Mythology";"Mark P. O. Morford";"2002";"Oxford University Press";"http://s";"http://m";"http://l"
"078946697X";"DK Readers: Creating the X-Men (Level 4)\";Michael Teitelbaum";"2000";"DK Publishing Inc";"http://s";"http://m";"http://l"
"0440234743";"The \"Testament\"";"John &amp; Grisham";"0";"Dell";"http://s";"http://m";"http://l"
"B0000T6KHI";"Slow; Food";NULL;"2030";"Dell";"http://s";"http://m";"http://l"
""",
    "BX-Book-Ratings.csv": r""""User-ID";"ISBN";"Book-Rating"
"1";"0195153448";"0"
"2";"0195153448";"10"
"2";"034545104X";"1"
"3";" 0440234743";"5"
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content.replace("\n", "\r\n").encode("latin-1"))
    return tmp_path


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return sorted(tables.edge(relation).frame.itertuples(index=False, name=None))


def test_nodes_and_edges(folder: Path) -> None:
    tables = load(folder)
    assert rows(tables, "RATED") == [("2", "0195153448", 10.0), ("2", "034545104X", 1.0), ("3", "0440234743", 5.0)]
    assert rows(tables, "INTERACTED") == [("1", "0195153448")]
    assert rows(tables, "BY_AUTHOR") == [
        ("0195153448", "Mark P. O. Morford"),
        ("0440234743", "John & Grisham"),
        ("078946697X", "Michael Teitelbaum"),
    ]
    assert rows(tables, "PUBLISHED_BY")[-1] == ("B0000T6KHI", "Dell")
    assert sorted(tables.node("Publisher").frame["id"]) == ["DK Publishing Inc", "Dell", "Oxford University Press"]


def test_books(folder: Path) -> None:
    books = load(folder).node("Item").frame.set_index("id")
    assert books["title"].dropna().to_dict() == {
        "0195153448": "Classical Mythology",
        "078946697X": "DK Readers: Creating the X-Men (Level 4)",
        "0440234743": 'The "Testament"',
        "B0000T6KHI": "Slow; Food",
    }
    assert books["year"].dropna().to_dict() == {"0195153448": 2002, "078946697X": 2000}
    assert books["isbn"].dropna().tolist() == ["0195153448", "078946697X", "0440234743"]
    assert "034545104X" in books.index  # rated, and not in BX-Books.csv


def test_users(folder: Path) -> None:
    users = load(folder).node("User").frame.set_index("id")
    assert users["age"].dropna().to_dict() == {"2": 18}
    assert users["location"].tolist() == [
        "nyc, new york, usa",
        "köln, nordrhein-westfalen, germany",
        "cernusco s , milan, italy",
        '中国, "n/a"; ,',
    ]


def test_files_may_be_compressed(folder: Path) -> None:
    path = folder / "BX-Users.csv"
    (folder / "BX-Users.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert len(load(folder).node("User").frame) == 4


BAD = {
    "a field too many": (
        "BX-Book-Ratings.csv",
        '"1";"2";"3";"4"\n',
        r"1 of the rows do not have the 3 .*\(line 6 has 4\)",
    ),
    "a line that ends too soon": ("BX-Book-Ratings.csv", '"1";"2"\n', r"do not have the 3 fields .*\(line 6 has 2\)"),
    "a line that is none": (
        "BX-Book-Ratings.csv",
        'foo\n"1";"2";"3"\n',
        r"do not have the 3 .*\(line 6 begins without a quote\)",
    ),
    "a quote left open": ("BX-Book-Ratings.csv", '"1";"2\n' + "3\n" * 9000, r"do not have the 3 .*\(line 6 has 2"),
    "a rating of text": (
        "BX-Book-Ratings.csv",
        '"1";"2";"good"\n',
        r"Ratings\.csv: column Book-Rating is not .* in 1 .*\(good\)",
    ),
    "an age of text": (
        "BX-Users.csv",
        '"9";"x";"old"\n',
        r"Users\.csv: column Age is not a whole number in 1 .*\(old\)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(folder: Path, name: str) -> None:
    file, line, message = BAD[name]
    with (folder / file).open("a") as stream:
        stream.write(line)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_a_folder_is_needed_and_each_file(folder: Path) -> None:
    with pytest.raises(GraphrecError, match=r"bookcrossing needs a folder: download BX-CSV-Dump\.zip from http://www2"):
        load(None)
    (folder / "BX-Users.csv").write_text('"User-ID","Location","Age"\n"1","x","2"\n')
    with pytest.raises(DataError, match=r"BX-Users\.csv does not begin with the header User-ID;Location;Age"):
        load(folder)
    (folder / "BX-Books.csv").unlink()
    (folder / "BX-Users.csv").write_text(FILES["BX-Users.csv"])
    with pytest.raises(DataError, match=r"has no file BX-Books\.csv and no BX-Books\.csv\.gz"):
        load(folder)
