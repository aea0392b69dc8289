"""One small graph for all query files, of which every answer can be counted by hand."""

import pytest

from graphrec.store import Store

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

#: Lists of each run by its version, best first. 2 is the active one, over 1; bob has no list in it. 3 is not whole yet.
LISTS = {
    1: {"ann": "cde", "bob": "dx", "cid": "bd"},
    2: {"ann": "dcn", "ed": "a"},
    3: {"ann": "h"},
}

NODES = """
UNWIND ['ann', 'bob', 'cid', 'dora', 'ed', 'flo', 'gus', 'hal'] AS name
CREATE (user:User {id: name, keys: ['mine:' + name]})
SET user.occupation = CASE WHEN name IN ['ann', 'bob', 'flo'] THEN 'student' END,
    user.age = CASE name WHEN 'ann' THEN 30 END,
    user.hobbies = CASE name WHEN 'cid' THEN ['chess', 'go'] END
WITH count(*) AS users
UNWIND ['a', 'b', 'c', 'd', 'e', 'h', 'n', 'x'] AS name
CREATE (:Item {id: name, title: toUpper(name), keys: ['mine:' + name]})
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

RUNS = """
CREATE (:Run {id: 'r1', model: 'one', status: 'replaced', published_at: 1, activated_at: 1, version: 1, layers: [1]}),
       (two:Run {id: 'r2', model: 'two', status: 'published', published_at: 2, activated_at: 2, version: 2,
                 layers: [2, 1]}),
       (:Run {id: 'r3', model: 'three', status: 'publishing', published_at: 3, version: 3, layers: [3]})
WITH two
MATCH (bob:User {id: 'bob'}), (a:Item {id: 'a'}), (b:Item {id: 'b'}), (c:Item {id: 'c'})
CREATE (bob)-[:WITHDRAWN]->(two), (a)-[:SIMILAR {score: 0.9, rank: 1, version: 1}]->(b),
       (a)-[:SIMILAR {score: 0.8, rank: 2, version: 1}]->(c), (a)-[:SIMILAR {score: 0.7, rank: 1, version: 2}]->(c),
       (b)-[:SIMILAR {score: 0.6, rank: 1, version: 1}]->(a), (c)-[:SIMILAR {score: 0.5, rank: 1, version: 3}]->(a)
"""


@pytest.fixture
def graph(store: Store) -> Store:
    """The store with the graph above."""
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
    store.write(RUNS)
    lists = [
        {"version": version, "user": user, "item": item, "rank": rank}
        for version, users in LISTS.items()
        for user, items in users.items()
        for rank, item in enumerate(items, start=1)
    ]
    store.write(
        "UNWIND $lists AS row MATCH (u:User {id: row.user}), (i:Item {id: row.item}) "
        "CREATE (u)-[:RECOMMENDED {version: row.version, rank: row.rank, score: 1.0 / row.rank}]->(i)",
        {"lists": lists},
    )
    return store
