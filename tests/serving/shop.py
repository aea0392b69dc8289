"""A test graph of a shop with two groups of users, a run trained on it, and its published lists."""

from pathlib import Path

import numpy as np
import pandas as pd

from graphrec import TrainConfig, publishing, runs
from graphrec.pipeline import training
from graphrec.pipeline.reading import read_graph
from graphrec.progress import silent
from graphrec.ranking.topk import Recommendations, recommend
from graphrec.runs import TrainedRun
from graphrec.store import Store

SIZE = 20
DAY = 86_400

#: Even users bought the even items and odd users the odd ones, but for the one of their own number; item 19 is oldest.
SHOP = """
UNWIND range(0, $size - 1) AS n
CREATE (:User {id: 'u' + toString(n), town: CASE n % 2 WHEN 0 THEN 'Evora' ELSE 'Odense' END})
CREATE (:Item {id: 'i' + toString(n), title: 'Item ' + toString(n), price: n, stock: n % 5})
WITH collect(n) AS numbers
CREATE (even:Genre {id: 'even'}), (odd:Genre {id: 'odd'})
WITH numbers
UNWIND numbers AS n
MATCH (item:Item {id: 'i' + toString(n)}), (genre:Genre {id: CASE n % 2 WHEN 0 THEN 'even' ELSE 'odd' END})
CREATE (item)-[:IN_GENRE]->(genre)
"""
BOUGHT = """
UNWIND range(0, $size - 1) AS u UNWIND range(0, $size - 1) AS i
WITH u, i WHERE (u + i) % 2 = 0 AND u <> i
MATCH (user:User {id: 'u' + toString(u)}), (item:Item {id: 'i' + toString(i)})
CREATE (user)-[:PURCHASED {timestamp: $day * (100 - i)}]->(item)
"""
FRIENDS = """
UNWIND range(0, $size - 3) AS n
MATCH (a:User {id: 'u' + toString(n)}), (b:User {id: 'u' + toString(n + 2)})
CREATE (a)-[:FRIEND]->(b)
"""


def build(store: Store) -> None:
    """Write the shop into an empty store."""
    for statement in (SHOP, BOUGHT, FRIENDS):
        store.write(statement, {"size": SIZE, "day": DAY})


def trained(store: Store, runs_folder: Path, model: str = "graph_filter", **settings: object) -> TrainedRun:
    """A run fitted to the live graph and saved."""
    graph = read_graph(store, None, silent)
    config = TrainConfig(settings=settings, measured=False)
    found = training.train(graph, model, np.random.default_rng(0), config)
    runs.save(runs_folder, found)
    return found


def publish(store: Store, run: TrainedRun, k: int, lists: pd.DataFrame | None = None) -> None:
    """Publish the k best items of every user, or `lists` with user_id, item_id, score and rank."""
    found = recommend(run, k=k) if lists is None else Recommendations(lists, run.run.model, run.run.id)
    publishing.publish(store, publishing.Publication(run.run, found, run.users, run.items))
