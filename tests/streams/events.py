"""Records for the tests, and the edges that they are to become."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.schema import ITEM, USER
from graphrec.store import Store
from graphrec.store.nodes import ensure_constraint

START = 1_700_000_000

NUM_USERS, NUM_ITEMS = 40, 60

#: The edges of `make_bodies`; `id`s are unique, as applications make them.
EDGES = {
    "VIEWED": {"from": "User:user", "to": "Item:item", "id": "id", "time": "at", "where": {"type": "view"}},
    "RATED": {"from": "User:user", "to": "Item:item", "id": "id", "time": "at", "where": {"type": "rate"}}
    | {"weight": {"name": "rating", "column": "stars"}},
}


def describe(source: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A description of a stream with the edges above."""
    return {"name": "shop", "input": dict(source), "edges": EDGES, **more}


def make_bodies(number: int, seed: int = 0, repeated: float = 0.02, malformed: float = 0.01) -> list[bytes]:
    """Records shuffled in blocks, some of them twice, some malformed."""
    rng = np.random.default_rng(seed)
    bodies = []
    for place in range(number):
        record = {
            "id": f"e{place}",
            "type": "rate" if place % 5 == 0 else "view",
            "user": f"u{rng.integers(NUM_USERS)}",
            "item": f"i{rng.integers(NUM_ITEMS)}",
            "at": START + place,
            "stars": int(rng.integers(1, 6)),
        }
        bodies.append(json.dumps(record).encode())
    for place in rng.choice(number, round(number * repeated), replace=False):
        bodies.append(bodies[place])
    bodies += [b'{"half": ' + str(place).encode() for place in range(round(number * malformed))]
    order = np.concatenate(
        [begin + rng.permutation(min(50, len(bodies) - begin)) for begin in range(0, len(bodies), 50)]
    )
    return [bodies[place] for place in order]


def expect_edges(bodies: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """The edges of the valid records, computed without the library: all views, and of ratings the latest of a pair."""
    views: set[tuple[Any, ...]] = set()
    ratings: dict[tuple[str, str], tuple[Any, ...]] = {}
    for body in bodies:
        try:
            record = json.loads(body)
        except ValueError:
            continue
        user, item, at, name = record["user"], record["item"], record["at"], record["id"]
        if record["type"] == "view":
            views.add((user, "VIEWED", item, name, at, None))
        elif (user, item) not in ratings or (at, name) > (ratings[user, item][4], ratings[user, item][3]):
            ratings[user, item] = (user, "RATED", item, name, at, float(record["stars"]))
    return sorted([*views, *ratings.values()], key=repr)


def read_edges(store: Store) -> list[tuple[Any, ...]]:
    """All edges from users to items."""
    rows = store.read(
        "MATCH (u:User)-[e]->(i:Item) RETURN u.id AS user, type(e) AS type, i.id AS item, e.event AS event, "
        "e.timestamp AS at, e.rating AS rating, e.source AS source"
    )
    assert {row["source"] for row in rows} <= {"events"}
    return sorted((tuple(list(row.values())[:6]) for row in rows), key=repr)


def make_items(store: Store, number: int = NUM_ITEMS) -> None:
    """Create the items, which the streams of the tests do not."""
    for label in (USER, ITEM):
        ensure_constraint(store, label)
    store.write("UNWIND range(0, $number - 1) AS n CREATE (:Item {id: 'i' + n})", {"number": number})


def write_lines(path: Path, bodies: Sequence[bytes]) -> None:
    """Append lines to a file."""
    with path.open("ab") as file:
        file.write(b"".join(body + b"\n" for body in bodies))
