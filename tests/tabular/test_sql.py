"""Rows of databases: a SQLite file, and a real PostgreSQL."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy

from graphrec.errors import DataError, GraphrecError

from .conftest import Reader

TABLE = """
[edges.RATED]
sql = "select u, i, r, t, 'a:b 10%' as note from ratings order by u"
url = "URL"
from = "User:u"
to = "Item:i"
properties = [{ name = "rating", column = "r" }, "note"]
time = { column = "t", zone = "Europe/Berlin" }
dangling = "add"
[nodes.Item]
sql = "select * from items"
url = "URL"
id = "id"
properties = ["title", "price", "sold"]
"""
NOON = 1_688_212_800


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executescript(
            "create table ratings (u integer, i text, r real, t text);"
            "insert into ratings values (1, '007', 4.5, '2023-07-01 14:00'), (2, 'x', null, null), "
            "(null, 'x', 1, null);"
            "create table items (id text, title text, price numeric, sold boolean);"
            "insert into items values ('007', 'Zoë', 9.5, 1);"
        )
    return tmp_path


def test_sqlite(shop: Path, reader: Reader) -> None:
    tables = reader(TABLE.replace("URL", f"sqlite:///{(shop / 'shop.db').name}"))
    frame = tables.edge("RATED").frame
    assert frame["source_id"].tolist() == ["1", "2"]
    assert frame["target_id"].tolist() == ["007", "x"]
    assert frame["rating"].fillna(-1).tolist() == [4.5, -1]
    assert frame["timestamp"].fillna(0).tolist() == [NOON, 0]
    assert frame["note"].tolist() == ["a:b 10%"] * 2
    assert tables.node("Item").frame["id"].tolist() == ["007", "x"]
    assert tables.cleaning.tables[1].rules[0].examples == ("∅ → x",)


def test_postgresql(postgres: str, reader: Reader) -> None:
    engine = sqlalchemy.create_engine(postgres)
    with engine.begin() as connection:
        for statement in (
            "create table ratings (u bigint, i text, r numeric(9, 2), t timestamptz)",
            "insert into ratings values (1, '007', 4.5, '2023-07-01 12:00Z'), (2, 'x', null, null), "
            "(null, 'x', 1, null)",
            "create table items (id text, title text, price double precision, sold boolean)",
            "insert into items values ('007', 'Zoë', 9.5, true)",
            "create table many as select mod(n, 1000) as u, n as i from generate_series(1, 120000) as n",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    tables = reader(TABLE.replace("URL", postgres))
    frame = tables.edge("RATED").frame
    assert frame[["source_id", "target_id"]].to_numpy().tolist() == [["1", "007"], ["2", "x"]]
    assert frame["rating"].fillna(-1).tolist() == [4.5, -1]
    assert frame["timestamp"].fillna(0).tolist() == [NOON, 0]
    assert frame["note"].tolist() == ["a:b 10%"] * 2
    item = tables.node("Item").frame.iloc[0]
    assert (item["title"], item["price"], item["sold"]) == ("Zoë", 9.5, True)
    many = (
        f'[edges.VIEWED]\nsql = "select *, u % 10 as v from many"\nurl = "{postgres}"\nfrom = "User:u"\nto = "Item:i"\n'
    )
    assert len(reader(many).edge("VIEWED").frame) == 120_000  # in three chunks
    with pytest.raises(DataError, match="rejects the query 'select \\* from none': relation \"none\" does not exist"):
        reader(many.replace(", u % 10 as v from many", " from none"))


WRONG = {
    "no such file": ("sqlite:///none.db", "select 1", "there is no SQLite file .*none.db"),
    "no address": ("shop.db", "select 1", "the url of a sql table is not a database URL"),
    "no driver": ("oracle://a:secret@b/c", "select 1", r"no driver for oracle://\*\*\*@b/c is installed"),
    "no such dialect": ("nosql://a:secret@b/c", "select 1", r"no driver for nosql://\*\*\*@b/c is installed"),
    "a query that is none": ("sqlite:///shop.db", "selct 1", "rejects the query 'selct 1': near"),
    "no rows": ("sqlite:///shop.db", "create table x (y)", "gives no rows; write a query such as select"),
    "no such column": ("sqlite:///shop.db", "select 1 as U, 2 as i", r"gives no column 'u', but U, i; is U meant\?"),
    "nothing found": ("sqlite:///shop.db", "select u, i from ratings where u = 9", "it has no rows"),
    "no server": (
        "postgresql+psycopg://me:secret@127.0.0.1:1/x",
        "select 1",
        r"postgresql\+psycopg://\*\*\*@127.0.0.1:1/x rejects the query 'select 1': .*onnection",
    ),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.usefixtures("shop")
def test_what_a_database_cannot_do_is_told_without_the_password(case: str, reader: Reader) -> None:
    url, sql, message = WRONG[case]
    toml = f'[edges.RATED]\nsql = "{sql}"\nurl = "{url}"\nfrom = "User:u"\nto = "Item:i"\n'
    with pytest.raises(GraphrecError, match=message) as caught:
        reader(toml)
    assert "secret" not in str(caught.value)
