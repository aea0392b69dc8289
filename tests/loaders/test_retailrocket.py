"""RetailRocket: Kaggle's events with properties and categories, SSLRec's training files with links of items."""

from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("retailrocket").load

KAGGLE = {
    "events.csv": """timestamp,visitorid,event,itemid,transactionid
1433221332117,257597,view,355908,
1433221999827,257597,view,355908,
1433221000000,257597,view,355908,
1433224214164,992329,view,248676,
1433223236124,287857,addtocart,5206,
1433222276276,599528,transaction,356475,4000
""",
    "item_properties_part1.csv": """timestamp,itemid,property,value
1435460400000,355908,categoryid,1338
1441508400000,248676,888,1116713 960601 n277.200
1433646000000,248676,available,0
""",
    "item_properties_part2.csv": """timestamp,itemid,property,value
1431226800000,355908,categoryid,1114
1431226800000,355908,888,1116713 960601 n277.200
1434250800000,248676,available,1
1434250800000,77,available,1
1434250800000,77,790,n8760.000
""",
    "category_tree.csv": "categoryid,parentid\n1338,213\n213,\n809,169\n",
}
SSLREC = {
    "train_view.csv": "user,item,value\n0,6,1433222501\n0,285,1433222323\n",
    "train_cart.csv": "user,item,value\n0,6,1433222132\n",
    "train_buy.csv": "user,item,value\n1,70,1433223390\n",
    "test.csv": "user,item,value\n0,99,1.0\n",
    "kg.txt": "6 0 6\n6 0 285\n285 0 6\n285 0 285\n6 2 285\n285 2 6\n70 1 70\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return sorted(tables.edge(relation).frame.itertuples(index=False, name=None))


def ids(tables: GraphTables, label: str) -> list[str]:
    return sorted(tables.node(label).frame["id"])


def test_the_events_of_kaggle(tmp_path: Path) -> None:
    tables = load(write(tmp_path, {"events.csv": KAGGLE["events.csv"]}))
    assert rows(tables, "VIEWED") == [("257597", "355908", 1433221999), ("992329", "248676", 1433224214)]
    assert rows(tables, "CARTED") == [("287857", "5206", 1433223236)]
    assert rows(tables, "PURCHASED") == [("599528", "356475", 1433222276)]
    assert [table.type.label for table in tables.nodes] == ["User", "Item"]
    report = {(table.name, rule.rule): rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report == {("VIEWED", "repeated"): 2}


def test_the_properties_and_categories_of_kaggle(tmp_path: Path) -> None:
    tables = load(write(tmp_path, KAGGLE))
    text = "1116713 960601 n277.200"
    assert rows(tables, "HAS_PROPERTY") == [
        ("248676", f"888={text}", "888"),
        ("248676", "available=1", "available"),  # the newest
        ("355908", f"888={text}", "888"),
        ("77", "available=1", "available"),
    ]
    properties = sorted(tables.node("Property").frame.itertuples(index=False, name=None))
    assert properties == [(f"888={text}", "888", text), ("available=1", "available", "1")]  # 790 is of one item only
    assert rows(tables, "IN_CATEGORY") == [("355908", "1338")]  # not 1114, which was before
    assert rows(tables, "CHILD_OF") == [("1338", "213"), ("809", "169")]
    assert ids(tables, "Category") == ["1338", "169", "213", "809"]
    assert ids(tables, "Item") == ["248676", "355908", "356475", "5206", "77"]
    assert not tables.cleaning.dropped  # a category without a parent is no defect
    assert not tables.node("Property").type.shared
    assert not tables.node("Category").type.shared


def test_the_files_of_sslrec(tmp_path: Path) -> None:
    tables = load(write(tmp_path, SSLREC))
    assert rows(tables, "VIEWED") == [("0", "285", 1433222323), ("0", "6", 1433222501)]
    assert rows(tables, "CARTED") == [("0", "6", 1433222132)]
    assert rows(tables, "PURCHASED") == [("1", "70", 1433223390)]
    assert rows(tables, "SHARES_PROPERTY") == [
        ("285", "6", "0"),
        ("285", "6", "2"),
        ("6", "285", "0"),
        ("6", "285", "2"),
    ]
    assert ids(tables, "Item") == ["285", "6", "70"]  # 99 is held out
    (tmp_path / "kg.txt").unlink()
    assert [table.type.relation for table in load(tmp_path).edges] == ["VIEWED", "CARTED", "PURCHASED"]


BAD = {
    "another event": (KAGGLE, "events.csv", "1,2,wish,3,\n", r"events\.csv: 1 events are not one of view.*\(wish\)"),
    "no time": (KAGGLE, "events.csv", "today,2,view,3,\n", r"timestamp is not a whole number .*line 8: 'today'"),
    "a value with a comma": (KAGGLE, "item_properties_part2.csv", "1,2,3,4,5\n", r"line 7 has 5"),
    "a triple of four": (SSLREC, "kg.txt", "1 2 3 4\n", r"kg\.txt: 1 of the rows .*line 8 has 4"),
    "a value that is no time": (SSLREC, "train_buy.csv", "1,2,1.5\n", r"value is not a whole number .*line 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(tmp_path: Path, name: str) -> None:
    files, file, line, message = BAD[name]
    write(tmp_path, files | {file: files[file] + line})
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_a_folder_is_needed_and_each_file(tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match=r"retailrocket needs a folder: download events\.csv, .* from https://www"):
        load(None)
    with pytest.raises(DataError, match=r"holds no RetailRocket data: it needs events\.csv, or train_view\.csv"):
        load(tmp_path)
    write(tmp_path, SSLREC)
    (tmp_path / "train_cart.csv").unlink()
    with pytest.raises(DataError, match=r"has no file train_cart\.csv and no train_cart\.csv\.gz"):
        load(tmp_path)
    write(tmp_path, KAGGLE)
    (tmp_path / "item_properties_part2.csv").unlink()
    with pytest.raises(DataError, match=r"has no file item_properties_part2\.csv"):
        load(tmp_path)


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("retailrocket-sslrec"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 2174, "Item": 29_905}
    counts = {table.type.relation: len(table.frame) for table in tables.edges}
    assert counts == {"VIEWED": 75_374, "CARTED": 12_456, "PURCHASED": 9_551, "SHARES_PROPERTY": 298_304}
    times = tables.edge("VIEWED").frame["timestamp"]
    assert (times.min(), times.max(), str(times.dtype)) == (1_430_623_510, 1_442_544_701, "int64")
    links = tables.edge("SHARES_PROPERTY").frame
    assert sorted(links["property"].unique()) == ["0", "1", "2"]
    reverse = links.rename(columns={"source_id": "target_id", "target_id": "source_id"})
    assert len(links.merge(reverse)) == len(links)
    assert {rule.rule: rule.rows for table in tables.cleaning.tables for rule in table.rules} == {"itself": 6233}
