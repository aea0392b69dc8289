"""Last.fm of HetRec 2011: friendships stored once, old dates, unlisted artists."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("lastfm").load

FILES: dict[str, bytes] = {
    "artists.dat": 'id\tname\turl\tpictureURL\n1\t"Weird Al\thttp://a\thttp://p\n2\tSigur Rós\thttp://b\t\n'.encode(),
    "tags.dat": "tagID\ttagValue\n1\tmetal\n2\ttropicália\n".encode("latin-1"),
    "user_artists.dat": b"userID\tartistID\tweight\n2\t1\t13883\n3\t2\t1\n",
    "user_friends.dat": b"userID\tfriendID\n2\t3\n3\t2\n10\t9\n",
    "user_taggedartists.dat": b"userID\tartistID\ttagID\tday\tmonth\tyear\n"
    b"2\t1\t2\t1\t4\t2009\n2\t1\t1\t1\t1\t1956\n11\t77\t1\t1\t9\t1970\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def rows(tables: GraphTables, position: int) -> list[tuple[object, ...]]:
    return list(tables.edges[position].frame.itertuples(index=False, name=None))


def test_nodes_and_edges(folder: Path) -> None:
    tables = load(folder)
    assert sorted(tables.node("User").frame["id"]) == ["10", "11", "2", "3", "9"]
    assert tables.node("Item").frame["title"].tolist() == ['"Weird Al', "Sigur Rós"]
    assert rows(tables, 0) == [("2", "1", 13883), ("3", "2", 1)]
    assert rows(tables, 1) == [("2", "3"), ("10", "9")]  # in both directions and in one: once each
    assert rows(tables, 2) == [("2", "1", "tropicália", 1238544000), ("2", "1", "metal", -441849600)]
    assert tables.edges[3].type.triple == ("User", "TAGGED", "UnlistedItem")
    assert rows(tables, 3) == [("11", "77", "metal", 20995200)]
    assert tables.node("UnlistedItem").frame["id"].tolist() == ["77"]


def test_without_unlisted_artists_there_is_no_such_label(folder: Path) -> None:
    (folder / "user_taggedartists.dat").write_bytes(FILES["user_taggedartists.dat"].replace(b"\t77\t", b"\t1\t"))
    assert [table.type.label for table in load(folder).nodes] == ["User", "Item"]


BAD = {
    "an artist nobody knows": ("user_artists.dat", b"3\t99\t5\n", r"LISTENED: 1 edge points at Item ids .*\(99\)"),
    "a count of no number": (
        "user_artists.dat",
        b"3\t1\tmany\n",
        r"column weight is not a whole number .*line 4: 'many'",
    ),
    "a friend of oneself": ("user_friends.dat", b"4\t4\n", r"1 users are friends of themselves \(4\)"),
    "an unknown tag": (
        "user_taggedartists.dat",
        b"2\t2\t9\t1\t1\t2009\n",
        r"1 lines have a tagID that tags\.dat lacks \(9\)",
    ),
    "no such day": ("user_taggedartists.dat", b"2\t2\t1\t30\t2\t2009\n", r"an impossible date \(2009-2-30\)"),
    "a short line": ("artists.dat", b"3\tNobody\n", r"artists\.dat: 1 of the rows .*line 4 has 2"),
    "an artist twice": ("artists.dat", b"1\tX\thttp://x\t\n", r"Item: 1 id occurs more than once \(1\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(folder: Path, name: str) -> None:
    file, line, message = BAD[name]
    (folder / file).write_bytes(FILES[file] + line)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_a_folder_is_needed_and_each_file(folder: Path) -> None:
    with pytest.raises(
        GraphrecError, match=r"needs a folder: download hetrec2011-lastfm-2k\.zip from https://grouplens"
    ):
        load(None)
    (folder / "tags.dat").unlink()
    with pytest.raises(DataError, match=r"has no file tags\.dat and no tags\.dat\.gz; it has artists\.dat"):
        load(folder)
    (folder / "tags.dat.gz").write_bytes(gzip.compress(FILES["tags.dat"]))
    assert len(load(folder).node("User").frame) == 5


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("lastfm-hetrec"))
    counts = {table.type.label: len(table.frame) for table in tables.nodes}
    assert counts == {"User": 1892, "Item": 17_632, "UnlistedItem": 390}
    edges = {table.type.triple: table.frame for table in tables.edges}
    assert len(edges["User", "LISTENED", "Item"]) == 92_834
    assert len(edges["User", "FRIEND", "User"]) == 12_717
    listed, unlisted = edges["User", "TAGGED", "Item"], edges["User", "TAGGED", "UnlistedItem"]
    assert (len(listed) + len(unlisted), len(unlisted)) == (186_479, 1_538)
    assert edges["User", "LISTENED", "Item"]["count"].agg(["min", "max"]).tolist() == [1, 352_698]
    assert str(listed["timestamp"].dtype) == "int64"
    # 1956-06-01 and 2011-05-09
    assert (listed["timestamp"].min(), listed["timestamp"].max()) == (-428716800, 1304899200)
    assert "tropicália" in set(listed["tag"])
