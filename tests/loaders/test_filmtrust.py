"""FilmTrust: half stars, three films rated twice, users who only trust, Windows line ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError

load = loader_registry.get("filmtrust").load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ratings.txt").write_bytes(b"1 1 2\n1 3 3.5\n308 235 4\n308 12 0.5\n308 235 1.5\n")
    (tmp_path / "trust.txt").write_bytes(b"1 308 1\r\n308 1 1\r\n5 1509 1\r\n")
    return tmp_path


def test_nodes_and_edges(folder: Path) -> None:
    tables = load(folder)
    assert sorted(tables.edge("RATED").frame.itertuples(index=False, name=None)) == [
        ("1", "1", 2.0),
        ("1", "3", 3.5),
        ("308", "12", 0.5),
        ("308", "235", 1.5),  # the later line
    ]
    trust = tables.edge("TRUSTS").frame
    assert list(trust.itertuples(index=False, name=None)) == [("1", "308", 1.0), ("308", "1", 1.0), ("5", "1509", 1.0)]
    assert sorted(tables.node("User").frame["id"]) == ["1", "1509", "308", "5"]
    assert sorted(tables.node("Item").frame["id"]) == ["1", "12", "235", "3"]
    (count,) = [table for table in tables.cleaning.tables if table.name == "RATED"]
    assert [(rule.rule, rule.rows) for rule in count.rules] == [("repeated", 1)]


BAD = {
    "tabs": ("ratings.txt", "1\t4\t2\n", r"ratings\.txt: 1 of the rows do not have the 3 fields .*line 6 has 1"),
    "a word": ("ratings.txt", "1 4 good\n", r"column rating is not a number .*line 6: 'good'"),
    "trust twice": ("trust.txt", "1 308 1\n", r"TRUSTS: 1 edge occurs more than once"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(folder: Path, name: str) -> None:
    file, line, message = BAD[name]
    with (folder / file).open("a") as stream:
        stream.write(line)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_a_folder_is_needed_and_each_file(folder: Path) -> None:
    with pytest.raises(GraphrecError, match=r"filmtrust needs a folder: download FilmTrust from https://guoguibing"):
        load(None)
    (folder / "ratings.txt").unlink()
    with pytest.raises(DataError, match=r"has no file ratings\.txt and no ratings\.txt\.gz; it has trust\.txt"):
        load(folder)


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("filmtrust"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 1642, "Item": 2071}
    rated, trust = tables.edge("RATED").frame, tables.edge("TRUSTS").frame
    assert (len(rated), len(trust)) == (35_494, 1853)
    assert sorted(rated["rating"].unique()) == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert trust["value"].unique().tolist() == [1.0]
    assert len(set(trust["source_id"]) | set(trust["target_id"])) == 874
    assert sum(rule.rows for table in tables.cleaning.tables for rule in table.rules) == 3
