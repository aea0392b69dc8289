"""Nodes are found by id and by text, in any case, and shown without what is not for people."""

import pytest

from graphrec.page.nodes import (
    NamedNode,
    choose_users,
    find_items,
    find_users,
    name_nodes,
    read_item,
    read_value,
    visible_properties,
)
from graphrec.store import Store
from tests.serving import shop


@pytest.fixture
def shop_store(store: Store) -> Store:
    shop.build(store)
    return store


def names(nodes: list[NamedNode]) -> list[str]:
    return [node.id for node in nodes]


def test_items_that_are_equal_come_first_then_those_that_begin_with_the_text() -> None:
    titles = {"1": "The Heat", "2": "Heat", "3": "Heat wave", "heat": None, "4": "Cold"}
    assert names(find_items(titles, " HEAT ", 10)) == ["2", "heat", "3", "1"]
    assert names(find_items(titles, "heat", 2)) == ["2", "heat"]
    assert find_items(titles, "heat", 2)[1].name == "heat"  # it has no title


def test_users_are_found_by_id_and_by_name(store: Store) -> None:
    store.write("UNWIND $rows AS row CREATE (u:User) SET u = row", {"rows": [
        {"id": "u12"}, {"id": "u1"}, {"id": "x", "name": "Bela U1 Nagy"}, {"id": "y"},
    ]})  # fmt: skip
    assert names(find_users(store, "U1", 10)) == ["x", "u1", "u12"]
    assert names(find_users(store, "u12", 10)) == ["u12"]
    assert find_users(store, "bela", 10) == [NamedNode("User", "x", "Bela U1 Nagy")]
    assert find_users(store, "' OR 1 = 1", 10) == []


def test_users_to_begin_with_have_interactions(shop_store: Store) -> None:
    shop_store.write("CREATE (:User {id: 'new'})")
    found = names(choose_users(shop_store, "PURCHASED", 30))
    assert len(found) == shop.SIZE
    assert "new" not in found
    assert len(choose_users(shop_store, "PURCHASED", 3)) == 3


def test_nodes_keep_the_order_of_their_ids(shop_store: Store) -> None:
    assert name_nodes(shop_store, "Item", ["i3", "missing", "i1"]) == [
        NamedNode("Item", "i3", "Item 3"),
        NamedNode("Item", "missing"),
        NamedNode("Item", "i1", "Item 1"),
    ]


def test_an_item_has_its_properties_values_and_interactions(shop_store: Store) -> None:
    shop_store.write("MATCH (i:Item {id: 'i4'}) SET i.`shop:price` = 5, i.keys = ['a']")
    item = read_item(shop_store, "i4", "PURCHASED")
    assert item is not None
    assert item.node == NamedNode("Item", "i4", "Item 4")
    assert dict(item.properties) == {"price": 4, "stock": 4}
    assert item.values == {"Genre": [NamedNode("Genre", "even")]}
    assert item.num_interactions == shop.SIZE // 2 - 1
    assert read_item(shop_store, "nothing", "PURCHASED") is None


def test_a_value_has_its_items_the_most_popular_first(shop_store: Store) -> None:
    shop_store.write("MATCH (u:User {id: 'u1'}), (i:Item {id: 'i8'}) CREATE (u)-[:PURCHASED]->(i)")
    found = read_value(shop_store, "Genre", "even", "PURCHASED")
    assert found is not None
    value, items = found
    assert value == NamedNode("Genre", "even")
    assert (items[0]["item"], items[0]["number"]) == ("i8", shop.SIZE // 2)
    assert len(items) == shop.SIZE // 2
    assert read_value(shop_store, "Genre", "none", "PURCHASED") is None


def test_properties_of_single_sources_and_of_the_system_are_hidden() -> None:
    properties = {"year": 1995, "id": "1", "title": "Heat", "keys": ["imdb:1"], "imdb:year": 1996, "embedding": [0.1]}
    assert visible_properties(properties) == {"year": 1995}
