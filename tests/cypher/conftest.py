"""One small graph for all query files, of which every answer can be counted by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pandas as pd
import pytest

from graphrec.publishing import Publication, publish, versions
from graphrec.ranking.topk import Recommendations
from graphrec.runs import Run
from graphrec.store import Address, EmbeddedServer, Store, connect
from graphrec.vocabulary import Vocabulary

DAY = 86_400

#: user, item, rating, day. The users' means: ann 3.33, bob 4.25, cid 4, dora 3.33, ed 4.
RATED = [
    ("ann", "a", 5.0, 1),
    ("ann", "b", 4.0, 2),
    ("ann", "x", 1.0, 3),
    ("bob", "a", 5.0, 4),
    ("bob", "b", 5.0, 5),
    ("bob", "c", 5.0, 6),
    ("bob", "e", 2.0, 7),
    ("cid", "a", 4.0, 8),
    ("cid", "c", 4.0, 9),
    ("dora", "d", 5.0, 10),
    ("dora", "a", 4.0, 11),
    ("dora", "e", 1.0, 12),
    ("ed", "d", 3.0, 13),
    ("ed", "c", 5.0, 14),
]

#: A behaviour that no list of behaviours knows, and without ratings: user, item, day.
BORROWED = [("gus", "d", 15), ("gus", "c", 16)]

#: user, item, tag, day. It is no new choice: both have rated the item as well.
TAGGED = [("bob", "a", "x", 4), ("bob", "a", "y", 4), ("cid", "c", "x", 9)]

#: type, user, user, value. A trust of -1 is distrust.
SOCIAL = [
    ("FRIEND", "dora", "ann", None),
    ("FOLLOWS", "ann", "ed", None),
    ("FOLLOWS", "cid", "ann", None),
    ("TRUSTS", "ann", "bob", -1),
    ("TRUSTS", "ann", "gus", 1),
]

#: Items h and n are new: nobody chose them.
GENRES = {
    "a": ["Drama"],
    "b": ["Drama"],
    "c": ["Comedy", "Drama"],
    "d": ["Comedy"],
    "n": ["Comedy", "Noir"],
    "h": ["Noir"],
}

#: Recommended items of each run by user, best first. r2 is active, over the layer of r1; bob has no list in it. The
#: publication of r3 was interrupted before it became active.
LISTS = {
    "r1": {"ann": "cde", "bob": "dx", "cid": "bd"},
    "r2": {"ann": "dcn", "ed": "a", "cid": "bd"},
    "r3": {"ann": "h", "ed": "a"},
}

#: Similar items of each run by item, best first, with their scores.
SIMILAR = {
    "r1": {"a": [("b", 0.9), ("c", 0.8)], "b": [("a", 0.6)]},
    "r2": {"a": [("c", 0.7)], "b": [("a", 0.6)]},
    "r3": {"a": [("c", 0.7)], "c": [("a", 0.5)]},
}

MODELS = {"r1": "one", "r2": "two", "r3": "three"}

USERS = Vocabulary.of("User", ["ann", "bob", "cid", "dora", "ed", "flo", "gus", "hal"])
ITEMS = Vocabulary.of("Item", ["a", "b", "c", "d", "e", "h", "n", "x"])

NODES = """
UNWIND ['ann', 'bob', 'cid', 'dora', 'ed', 'flo', 'gus', 'hal'] AS name
CREATE (user:User {id: name, keys: ['mine:' + name]})
SET user.occupation = CASE WHEN name IN ['ann', 'bob', 'flo'] THEN 'student' END,
    user.age = CASE name WHEN 'ann' THEN 30 END,
    user.hobbies = CASE name WHEN 'cid' THEN ['chess', 'go'] END
WITH count(*) AS users
UNWIND ['a', 'b', 'c', 'd', 'e', 'h', 'n', 'x'] AS name
CREATE (item:Item {id: name, title: toUpper(name), keys: ['mine:' + name]})
SET item.text_embedding = CASE name WHEN 'a' THEN [1.0, 0.0] WHEN 'b' THEN [0.6, 0.8] WHEN 'c' THEN [-0.6, -0.8] END
WITH count(*) AS items
UNWIND ['Comedy', 'Drama', 'Noir'] AS name
CREATE (:Genre {id: name})
"""

EDGES = """
CREATE (club:Club {id: 'chess'})
WITH club
MATCH (user:User) WHERE user.id IN ['dora', 'ed', 'hal']
CREATE (user)-[:MEMBER_OF]->(club)
WITH count(*) AS members
UNWIND $genres AS row
MATCH (item:Item {id: row[0]}), (genre:Genre {id: row[1]})
CREATE (item)-[:IN_GENRE]->(genre)
WITH count(*) AS genres
UNWIND $rated AS row
MATCH (user:User {id: row[0]}), (item:Item {id: row[1]})
CREATE (user)-[:RATED {rating: row[2], timestamp: row[3] * $day}]->(item)
WITH count(*) AS rated
UNWIND $borrowed AS row
MATCH (user:User {id: row[0]}), (item:Item {id: row[1]})
CREATE (user)-[:BORROWED {timestamp: row[2] * $day}]->(item)
WITH count(*) AS borrowed
UNWIND $tagged AS row
MATCH (user:User {id: row[0]}), (item:Item {id: row[1]})
CREATE (user)-[:TAGGED {tag: row[2], timestamp: row[3] * $day}]->(item)
WITH count(*) AS tagged
MATCH (user:User {id: 'ann'}), (item:Item) WHERE item.id IN ['c', 'd']
CREATE (user)-[:SHOWN {run: 'r2', rank: 1, timestamp: 99 * $day}]->(item)
"""


class Interrupted(Exception):
    """Ends a publication before the run becomes active."""


def publication(name: str) -> Publication:
    """The recommendations and similar items of a run."""
    lists = [
        (user, item, 1.0 / rank, rank)
        for user, items in LISTS[name].items()
        for rank, item in enumerate(items, start=1)
    ]
    frame = pd.DataFrame(lists, columns=["user_id", "item_id", "score", "rank"])
    similar = [
        (item, other, score, rank)
        for item, others in SIMILAR[name].items()
        for rank, (other, score) in enumerate(others, start=1)
    ]
    run = Run(name, MODELS[name], {}, {}, "2026-01-01T00:00:00Z", ("User", "RATED", "Item"), 0.1)
    return Publication(
        run,
        Recommendations(frame.astype({"user_id": "str", "item_id": "str"}), run.model, name),
        USERS,
        ITEMS,
        pd.DataFrame(similar, columns=["item_id", "similar_id", "score", "rank"]),
    )


def build(store: Store) -> None:
    """Write the graph above into an empty store, with its three publications."""
    store.write(NODES)
    genres = [(item, genre) for item, found in GENRES.items() for genre in found]
    rows = {"rated": RATED, "borrowed": BORROWED, "tagged": TAGGED, "genres": genres}
    store.write(EDGES, {**rows, "day": DAY})
    for relation, source, target, value in SOCIAL:
        store.write(
            "MATCH (a:User {id: $source}), (b:User {id: $target}) "
            f"CREATE (a)-[edge:{relation}]->(b) SET edge.value = $value",
            {"source": source, "target": target, "value": value},
        )
    publish(store, publication("r1"))
    publish(store, publication("r2"))
    with patch.object(versions, "activate", side_effect=Interrupted), pytest.raises(Interrupted):
        publish(store, publication("r3"))


@pytest.fixture(scope="module", params=["embedded", "neo4j"])
def graph(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store of each database with the graph above, built once for all tests of a file, which leave it as it is.

    The fixture `store` empties the database, so that a file has tests of this graph or of `store`, never of both.
    """
    if request.param == "neo4j":
        address: Address = request.getfixturevalue("neo4j_address")
    else:
        server: EmbeddedServer = request.getfixturevalue("embedded")
        address = server.start()
    with connect(address) as store:
        store.write("MATCH (n) DETACH DELETE n")
        build(store)
        yield store


@contextmanager
def changed(store: Store, change: str, undo: str) -> Iterator[None]:
    """The graph after a statement, which another one takes back."""
    store.write(change)
    try:
        yield
    finally:
        store.write(undo)
