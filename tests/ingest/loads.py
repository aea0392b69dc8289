"""Two sources that share a film and a user, and a load that its dry run must foretell."""

from typing import Any

from graphrec.ingest import LoadConfig, Loaded, write_source
from graphrec.store import Store
from graphrec.tables import GraphTables
from tests.sizes import EVERYTHING

from .films import source
from .snapshot import graph_of

A = source(
    "a",
    [("1", "Heat", 1995, None), ("2", "Alien", 1979, 117), ("3", "Brazil", 1985, 132)],
    [("u", "1", 4.0, 10), ("u", "2", 5.0, None), ("v", "3", None, 12)],
    tags=[("u", "1", "slow"), ("u", "1", "Slow")],
    friends=[("u", "v")],
    users=[("u", "u@x"), ("v", None)],
)
#: Shares Heat with A, and its user 1 is A's u; its own ids are taken by others there.
B = source(
    "b",
    [("1", "Alien", 1979, 116), ("9", "Heat", 1995, 170)],
    [("1", "9", 2.0, 11), ("1", "1", 3.0, 12)],
    users=[("1", "u@x")],
)


def written(loaded: Loaded) -> dict[tuple[str, str | None], tuple[int, int, int]]:
    """Created, changed and deleted, where there is any, by name and target."""
    counts = {(each.name, each.target): (each.created, each.changed, each.deleted) for each in loaded.written}
    return {name: numbers for name, numbers in counts.items() if any(numbers)}


def load(store: Store, tables: GraphTables, **options: Any) -> Loaded:  # Any: of LoadConfig
    """Load; whatever the source no longer has may go. In `make test-all` a dry run foretells each load."""
    if EVERYTHING:
        return load_as_foretold(store, tables, **options)
    return write_source(store, tables, LoadConfig(**{"allow_removal": True, **options}))


def load_as_foretold(store: Store, tables: GraphTables, **options: Any) -> Loaded:  # Any: of LoadConfig
    """As `load`, after a dry run that must write nothing and count the same."""
    options.setdefault("allow_removal", True)
    before = graph_of(store)
    foretold = write_source(store, tables, LoadConfig(**options, dry_run=True))
    assert graph_of(store) == before
    loaded = write_source(store, tables, LoadConfig(**options))
    assert written(foretold) == written(loaded)
    assert (foretold.dry_run, loaded.dry_run) == (True, False)
    assert foretold.fusion == loaded.fusion
    return loaded


def one(store: Store, label: str, id_: str) -> dict[str, Any]:
    """The properties of a node."""
    (row,) = store.read(f"MATCH (n:{label} {{id: $id}}) RETURN properties(n) AS properties", {"id": id_})
    properties: dict[str, Any] = row["properties"]
    return properties


def rated(store: Store) -> set[tuple[Any, ...]]:
    rows = store.read(
        "MATCH (u:User)-[r:RATED]->(i:Item) "
        "RETURN u.id AS u, i.id AS i, r.rating AS rating, r.timestamp AS time, r.source AS source"
    )
    return {tuple(row.values()) for row in rows}
