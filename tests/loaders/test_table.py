"""A user's own data: the example of docs/table.md on files of every form, and errors about its argument."""

import gzip
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from graphrec import loader_registry
from graphrec.cleaning_report import TableCount
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables
from graphrec.tabular.parsing import KEYS

load = loader_registry.get("table").load
PAGE = (Path(__file__).parents[2] / "docs/table.md").read_text(encoding="utf-8")
DAY = 1_700_000_000_000  # milliseconds, in November 2023


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> GraphTables:
    folder = tmp_path_factory.mktemp("shop")
    (example,) = re.findall(r"<!-- example -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
    (folder / "shop.toml").write_text(example, encoding="utf-8")
    (folder / "customers.csv").write_bytes(
        "customer_id;name;email;birth_year\n007;Zoë;zoe@x.de;1980\n8;Ann  Lee;;\n8;Ann Lee;ann@x.de;1990\n"
        "9;Old;old@x.de;1800\n10;Odd;odd@x.de;unknown\n".encode("latin-1")
    )
    (folder / "items.csv").write_text(
        "title,categories,price,sku\n"
        "Lamp,Light| Home ,9.50,A1\n=cmd|' /C calc'!A0,,3,A2\n,Home,1,A3\nDesk,Office,-1,A4\n"
    )
    (folder / "categories.tsv").write_text("Light\tlamp, bulb\nHome\t\n")
    (folder / "orders").mkdir()
    (folder / "orders/1.csv").write_text(
        "customer,sku,quantity,bought_at\n"
        "007,A1,2,01.07.2023 12:00\n007,A1,3,'02.07.2023 12:00'\n8,A2,NULL,01.01.2023 00:30\n"
    )
    (folder / "orders/2.csv").write_text(
        "bought_at,quantity,customer,sku\n01.07.2023 12:00,1,8,A1\n1.7.23,1,8,A1\n01.07.2000 12:00,1,8,A1\n"
        "01.07.2023 12:00,1,99,A1\n01.07.2023 12:00,1,8\n"
    )
    events = [
        f'{{"type": "view", "user": "007", "item": "A1", "at": {DAY}}}',
        f'{{"type": "detail", "user": 8, "item": "A1", "at": {DAY + 999}}}',
        f'{{"type": "view", "user": 8, "item": "A1", "at": {DAY + 1000}}}',
        '{"type": "follow", "user": "007", "other": "8"}',
        '{"type": "follow", "user": "8", "other": "8"}',
        f'{{"type": "follow_category", "user": 8, "other": "Home", "at": {DAY}}}',
        f'{{"type": "follow_category", "user": 8, "other": "Home", "at": {DAY + 5000}}}',
        "no json at all",
    ]
    (folder / "events.jsonl").write_text("\n".join(events) + "\n")
    return load(folder)


def count(tables: GraphTables, name: str) -> TableCount:
    return next(table for table in tables.cleaning.tables if table.name == name)


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return list(tables.edge(relation).frame.itertuples(index=False, name=None))


def test_the_source_and_the_links(tables: GraphTables) -> None:
    (source,) = tables.sources
    assert (source.name, source.version, source.licence, source.precedence) == ("shop", "2024-05", "ours", 10)
    (link,) = tables.links
    assert (link.label, link.by, link.on, link.threshold) == ("User", "normalised", ("email",), 0.95)


def test_users_are_repaired_merged_and_rejected(tables: GraphTables) -> None:
    users = tables.node("User").frame
    assert users["id"].tolist() == ["007", "8"]  # leading zeros stay
    assert users["name"].tolist() == ["Zoë", "Ann Lee"]
    assert users["born"].tolist() == [1980, 1990]
    assert pd.api.types.is_integer_dtype(users["born"])
    found = count(tables, "User")
    assert (found.rows, found.kept, found.repaired, found.dropped) == (5, 2, 1, 2)
    assert {rule.rule: rule.examples for rule in found.rules} == {
        "type": ("10: born unknown",),
        "text": ("name: 'Ann  Lee' → 'Ann Lee'",),
        "range": ("9: born 1800",),
        "repeated": ("8: 2 rows",),
    }


def test_items_need_a_title_and_formulas_stay_text(tables: GraphTables) -> None:
    items = tables.node("Item").frame
    assert items.dropna().to_dict("records") == [
        {"id": "A1", "title": "Lamp", "price": 9.5},
        {"id": "A2", "title": "=cmd|' /C calc'!A0", "price": 3.0},
    ]
    found = {(rule.rule, rule.action): rule.examples for rule in count(tables, "Item").rules}
    assert found["missing", "dropped"] == ("A3: title ∅",)
    assert found["range", "dropped"] == ("A4: price -1.0",)
    # dangling = "add": what an edge of IN_CATEGORY still names comes back with nothing but an id
    assert found["dangling", "repaired"] == ("A3: added for IN_CATEGORY", "A4: added for IN_CATEGORY")


def test_a_split_column_gives_an_edge_for_each_value(tables: GraphTables) -> None:
    table = tables.edge("IN_CATEGORY").frame
    assert table[["source_id", "target_id"]].to_numpy().tolist() == [
        ["A1", "Light"],
        ["A1", "Home"],
        ["A3", "Home"],
        ["A4", "Office"],
    ]
    assert tables.node("Category").frame["id"].tolist() == ["Light", "Home", "Office"]
    assert tables.node("Category").type.shared


def test_orders_of_several_files_are_summed(tables: GraphTables) -> None:
    table = tables.edge("PURCHASED").frame
    assert table.columns.tolist() == ["source_id", "target_id", "quantity", "timestamp"]
    noon = 1688205600  # 2023-07-01 12:00 in Berlin is 10:00 in UTC
    assert table.fillna(-1).to_numpy().tolist() == [
        ["007", "A1", 5, noon + 86400],  # the sum, and the time of the last
        ["8", "A2", -1, 1672529400],  # 2022-12-31 23:30 in UTC
        ["8", "A1", 1, noon],
    ]
    found = count(tables, "PURCHASED")
    assert (found.rows, found.kept, found.dropped) == (8, 3, 4)
    assert {rule.rule: rule.examples for rule in found.rules} == {
        "time": ("8 → A1: timestamp 1.7.23", "8 → A1: timestamp 2000-07-01 10:00:00 (962445600)"),
        "fields": ("2.csv line 6: '01.07.2023 12:00,1,8'",),
        "repeated": ("007 → A1: 2 rows",),
        "dangling": ("99 → A1",),
    }


def test_events_are_distinguished_by_where(tables: GraphTables) -> None:
    second = DAY // 1000
    assert rows(tables, "VIEWED") == [("007", "A1", second), ("8", "A1", second), ("8", "A1", second + 1)]
    found = [table for table in tables.edges if table.type.relation == "FOLLOWS"]
    assert [table.type.target for table in found] == ["User", "Category"]
    assert found[0].frame.to_numpy().tolist() == [["007", "8"]]
    assert found[1].frame.to_numpy().tolist() == [["8", "Home", second + 5]]


def test_rejected_rows_are_kept_with_the_reason(tables: GraphTables) -> None:
    rejected = tables.cleaning.rejected
    assert rejected is not None
    assert len(rejected) == tables.cleaning.dropped
    row = rejected[rejected["rule"] == "fields"].iloc[0]
    assert (row["file"], row["line"], row["reason"]) == ("2.csv", 6, "it has too few fields")
    assert row["row"] == '"01.07.2023 12:00,1,8"'
    odd = rejected[(rejected["table"] == "User") & (rejected["rule"] == "type")].iloc[0]
    assert odd["reason"] == "born is not a whole number"
    assert (odd["file"], odd["line"]) == ("customers.csv", 6)
    assert json.loads(odd["row"]) == {"customer_id": "10", "name": "Odd", "email": "odd@x.de", "birth_year": "unknown"}
    broken = rejected[rejected["rule"] == "json"]  # a line of the file that three tables are made of
    assert broken["table"].tolist() == ["VIEWED; FOLLOWS"]
    assert found_together(rejected) == len(rejected)


def found_together(rejected: pd.DataFrame) -> int:
    """The number of different places of the rejected rows."""
    return len(rejected[["file", "line", "row"]].drop_duplicates())


@pytest.mark.parametrize("table", KEYS)
def test_every_key_is_in_the_reference(table: str) -> None:
    missing = [key for key in KEYS[table] if f"`{key}`" not in PAGE]
    assert missing == []


def test_every_key_of_the_page_is_known() -> None:
    known = {key for keys in KEYS.values() for key in keys}
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} <= known


def test_a_folder_with_one_toml_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"u,i\n1,2\n"))
    toml = 'name = "a"\n[edges.VIEWED]\nfile = "a.csv.gz"\nfrom = "User:u"\nto = "Item:i"\n'
    (tmp_path / "a.toml").write_text(toml)
    tables = load(tmp_path)
    assert rows(tables, "VIEWED") == [("1", "2")]
    (tmp_path / "b.toml").write_text(toml)
    with pytest.raises(DataError, match=r"has 2 TOML files \(a.toml, b.toml\)"):
        load(tmp_path)


def test_without_a_description_there_is_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match="graphrec sniff"):
        load()
    with pytest.raises(DataError, match="no TOML file, but it needs one; `graphrec sniff"):
        load(tmp_path)
    with pytest.raises(DataError, match="there is no .*none.toml"):
        load(tmp_path / "none.toml")
