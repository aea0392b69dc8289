"""Databases: primary and foreign keys as evidence; passwords are never shown."""

import sqlite3
import tomllib
from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.tabular import read
from graphrec.tabular.proposal import examine


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A SQLite shop with customers, products, orders and their lines, and foreign keys."""
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.executescript(
            """
            create table customers (id integer primary key, name text);
            create table products (id integer primary key, title text, price real);
            create table orders (id integer primary key, who integer references customers (id), ordered_at text);
            create table order_items (order_id integer references orders (id),
                product_id integer references products (id), quantity integer);
            insert into customers values (1, 'Ann'), (2, 'Bo');
            insert into products values (7, 'Mug', 8.5), (8, 'Tea', 3);
            insert into orders values (1, 1, '2024-01-02 10:00:00'), (2, 2, '2024-01-03 10:00:00');
            insert into order_items values (1, 7, 2), (1, 8, 1), (2, 7, 1);
            """
        )
    database.close()
    return tmp_path / "shop.db"


def test_a_database_is_described_by_its_keys(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = examine(["sqlite:///shop.db"], tmp_path)
    spec = tomllib.loads(found.toml)
    assert spec["nodes"]["User"]["id"] == "id"
    assert spec["nodes"]["Item"]["properties"] == ["title", {"name": "price", "type": "float"}]
    (tmp_path / "spec.toml").write_text(found.toml)
    frame = read(tmp_path / "spec.toml").edge("PURCHASED").frame
    assert list(frame[["source_id", "target_id", "quantity"]].itertuples(index=False, name=None)) == [
        ("1", "7", 2),
        ("1", "8", 1),
        ("2", "7", 1),
    ]
    assert tomllib.loads(examine([shop], tmp_path).toml)["edges"] == spec["edges"]


def test_no_password_is_shown(postgres: str, tmp_path: Path) -> None:
    from sqlalchemy import create_engine, make_url

    engine = create_engine(postgres)
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table if exists sniffed_ratings")
        connection.exec_driver_sql("create table sniffed_ratings (user_id int, item_id int, rating numeric)")
        connection.exec_driver_sql("insert into sniffed_ratings values (1, 2, 4.5), (2, 2, 3)")
    url = make_url(postgres).set(password="hunter2")
    found = examine([url.render_as_string(hide_password=False)], tmp_path)
    assert "hunter2" not in str(found)
    assert "${DATABASE_PASSWORD}" in found.toml
    assert 'sql = "select * from sniffed_ratings"' in found.toml
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table sniffed_ratings")
    engine.dispose()
    with pytest.raises(DataError) as caught:
        examine([f"{url.set(database='no_such').render_as_string(hide_password=False)}"], tmp_path)
    assert "hunter2" not in str(caught.value)
