"""Interactions: lists of items, friendships or following, original ids, the folder's name as the source's."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("interactions").load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "Douban Book: Social_2"
    path.mkdir()
    (path / "train.txt").write_text("0 5 007 5\n1\n2\t5\n")
    (path / "test.txt").write_text("0 99\n")
    return path


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return sorted(tables.edge(relation).frame.itertuples(index=False, name=None))


def ids(tables: GraphTables, label: str) -> list[str]:
    return sorted(tables.node(label).frame["id"])


def test_users_and_items(folder: Path) -> None:
    tables = load(folder)
    assert rows(tables, "INTERACTED") == [("0", "007"), ("0", "5"), ("2", "5")]
    assert ids(tables, "User") == ["0", "1", "2"]  # 1 has no items
    assert ids(tables, "Item") == ["007", "5"]  # 99 is held out
    assert [node.type.properties for node in tables.nodes] == [(), ()]
    assert tables.sources[0].name == "douban-book-social-2"


def test_links_with_their_reverse_are_friendships(folder: Path) -> None:
    (folder / "social.txt.gz").write_bytes(gzip.compress(b"0 2 3\n2 0\n3 0 3\n"))
    tables = load(folder)
    assert rows(tables, "FRIEND") == [("0", "2"), ("0", "3")]
    assert ids(tables, "User") == ["0", "1", "2", "3"]
    report = {(table.name, rule.rule): rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report == {("INTERACTED", "repeated"): 1, ("FRIEND", "repeated"): 2, ("FRIEND", "itself"): 1}


def test_a_link_without_its_reverse_makes_all_links_following(folder: Path) -> None:
    (folder / "social.txt").write_text("0 2 3\n2 0\n4\n")
    tables = load(folder)
    assert rows(tables, "FOLLOWS") == [("0", "2"), ("0", "3"), ("2", "0")]
    assert ids(tables, "User") == ["0", "1", "2", "3", "4"]


def test_lists_give_original_ids(folder: Path) -> None:
    (folder / "user_list.txt").write_text("org_id remap_id\n343 0\n5258 1\n")
    (folder / "item_list.txt").write_text("org_id remap_id freebase_id\n8975 5 m.1\n9190 8 m.2\n")
    tables = load(folder)
    known = tables.node("Item").frame.set_index("id")["original_id"]
    assert known.dropna().to_dict() == {"5": "8975", "8": "9190"}  # nothing refers to 8
    assert known.isna().sum() == 1
    assert tables.node("User").frame.set_index("id")["original_id"].dropna().to_dict() == {"0": "343", "1": "5258"}
    assert ids(tables, "User") == ["0", "1", "2"]


def test_errors(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match=r"interactions needs a folder: give one with train\.txt"):
        load(None)
    (folder / "item_list.txt").write_text("org_id remap_id\n1 5\n2 5\n")
    with pytest.raises(DataError, match=r"Item: 1 id occurs more than once \(5\)"):
        load(folder)
    (folder / "train.txt").unlink()
    with pytest.raises(DataError, match=r"has no file train\.txt and no train\.txt\.gz; it has item_list\.txt, test"):
        load(folder)
    (tmp_path / "___").mkdir()
    (tmp_path / "___" / "train.txt").write_text("0 1\n")
    with pytest.raises(DataError, match="cannot name a source, as its name has no letter or digit"):
        load(tmp_path / "___")


def test_gowalla(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("gowalla"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 29_858, "Item": 40_981}
    assert len(tables.edge("INTERACTED").frame) == 810_128
    items = tables.node("Item").frame
    assert items.set_index("id")["original_id"].loc[["0", "40980"]].tolist() == ["8975", "5391493"]
    assert not items["original_id"].isna().any()
    assert tables.sources[0].name == "gowalla"


def test_douban(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("douban-book-social"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 13_008, "Item": 22_222}
    counts = {table.type.relation: len(table.frame) for table in tables.edges}
    assert counts == {"INTERACTED": 478_730, "FRIEND": 84_571}
    report = {rule.rule: rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report == {"itself": 8, "repeated": 84_571}  # each friendship in both directions
