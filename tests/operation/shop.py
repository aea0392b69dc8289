"""A test graph of users in four towns, with weeks of purchases, and clicks on runs."""

from collections.abc import Sequence

import numpy as np

from graphrec.schema import SHOWN
from graphrec.store import Store

DAY = 86_400
#: Begin of the purchases, in Unix seconds.
START = 1_700_000_000
NUM_USERS, NUM_ITEMS, TOWNS = 120, 60, 4

_NODES = """
UNWIND range(0, $users - 1) AS n CREATE (:User {id: 'u' + toString(n)})
WITH count(*) AS done UNWIND range(0, $items - 1) AS n CREATE (:Item {id: 'i' + toString(n)})
"""
_EDGES = """
UNWIND $rows AS row
MATCH (user:User {id: row.user}) MATCH (item:Item {id: row.item})
CREATE (user)-[:PURCHASED {timestamp: row.timestamp}]->(item)
"""
_SHOWN = f"""
UNWIND $rows AS row
MATCH (user:User {{id: row.user}}) MATCH (item:Item {{id: row.item}})
CREATE (user)-[:{SHOWN} {{run: row.run, rank: 1, timestamp: row.timestamp}}]->(item)
"""


def build(store: Store, num_users: int = NUM_USERS) -> None:
    """Write users, items and four weeks of purchases, 12 of each user."""
    store.write(_NODES, {"users": num_users, "items": NUM_ITEMS})
    buy(store, range(28), range(num_users), range(12))


def buy(store: Store, days: range, users: range, choices: range) -> int:
    """Write the purchases of users with the numbers `choices`, spread over days; return their number.

    A user chooses items one after the other, the first ones of each town more often, and those of the own town eight
    times as often as those of other towns.
    """
    rows = []
    for user in users:
        rng = np.random.default_rng(user)
        item = np.arange(NUM_ITEMS)
        weight = np.where(item % TOWNS == user % TOWNS, 8.0, 1.0) / (1 + item // TOWNS)
        order = np.argsort(rng.exponential(1 / weight))
        rows += [
            {
                "user": f"u{user}",
                "item": f"i{order[choice]}",
                "timestamp": START + int(rng.choice(days)) * DAY + int(rng.integers(DAY)),
            }
            for choice in choices
        ]
    store.write(_EDGES, {"rows": rows})
    return len(rows)


def show(store: Store, run: str, begin: int, days: int, rate: float, users: Sequence[int], seed: int = 0) -> int:
    """Write impressions of a run, two a day and user from `begin` on, and clicks on a share `rate` of them."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "user": f"u{user}",
            "item": f"i{item}",
            "timestamp": begin + day * DAY + int(rng.integers(DAY // 2)),
            "run": run,
        }
        for day in range(days)
        for user in users
        for item in rng.permutation(NUM_ITEMS)[:2]
    ]
    store.write(_SHOWN, {"rows": rows})
    clicked = [{**row, "timestamp": int(str(row["timestamp"])) + 60} for row in rows if rng.random() < rate]
    store.write(_EDGES.replace("PURCHASED", "CLICKED"), {"rows": clicked})
    return len(clicked)
