"""What goes wrong between a command and a database is one sentence that says what to do."""

import socket
from dataclasses import replace

import pytest

from graphrec.errors import StoreError
from graphrec.store import Address, Store, connect


def test_wrong_password(address: Address) -> None:
    with pytest.raises(StoreError, match="refuses the login of user .*NEO4J_PASSWORD"):
        connect(replace(address, password="wrong"))


def test_wrong_database(address: Address) -> None:
    with pytest.raises(StoreError, match="has no database 'nowhere'"):
        connect(replace(address, database="nowhere"))


def test_nothing_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(StoreError, match="no graph database answers at .*unset NEO4J_URI"):
        connect(Address(f"bolt://127.0.0.1:{port}", "neo4j", "x"))


def test_address_of_another_kind() -> None:
    with pytest.raises(StoreError, match="is no database address"):
        connect(Address("http://localhost", "neo4j", "x"))


def test_a_statement_that_is_no_cypher(address: Address) -> None:
    with connect(address) as store, pytest.raises(StoreError, match="refuses: "):
        store.read("MATCH (n")


def test_the_password_does_not_show(address: Address) -> None:
    assert address.password not in repr(address)


def test_the_server_says_what_it_is(address: Address) -> None:
    with connect(address) as store:
        assert store.version().startswith("Neo4j Kernel 5.26")


@pytest.mark.parametrize(
    "statement",
    ["CREATE (:Item {id: 'x'})", "match (n) set n.a = 1", "MATCH (n) DETACH DELETE n", "MATCH (n)\nREMOVE n.id"],
)
def test_a_read_that_writes_is_refused(store: Store, statement: str) -> None:
    store.write("CREATE (:Item {id: 'kept'})")
    with pytest.raises(StoreError, match="writes, and this statement may only read; run it with Store.write"):
        store.read(statement)
    with pytest.raises(StoreError, match="may only read"):
        list(store.stream(statement))
    assert store.read("MATCH (n) RETURN properties(n) AS properties") == [{"properties": {"id": "kept"}}]


def test_names_and_texts_of_a_read_may_equal_clauses(store: Store) -> None:
    store.write("CREATE (:Item {id: 'x', set: 1, `create`: 2})")
    statement = (
        "// don't SET\nMATCH (n:Item {set: 1}) WHERE n.`create` = 2 AND n.id <> 'DELETE it' AND NOT n:Merge "
        "RETURN n.set AS number"
    )
    assert store.read(statement) == [{"number": 1}]
