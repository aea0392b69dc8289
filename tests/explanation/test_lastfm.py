"""Two hundred scores of Last.fm, explained: they add up, at once, and the Cypher returns the paths that are named."""

import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from graphrec import hetero, loader_registry
from graphrec.explanation import add_titles, as_cypher, explain
from graphrec.explanation.labels import counted_behaviours
from graphrec.ingest import write_source
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.store import EmbeddedServer, connect

from .worlds import run_of

PAIRS, SECONDS = 200, 0.2


@pytest.mark.slow
def test_two_hundred_pairs_of_lastfm(data_root: Path, embedded: EmbeddedServer) -> None:
    folder = data_root / "lastfm-hetrec"
    if not folder.exists():
        pytest.skip(f"there is no {folder} (GRAPHREC_DATA)")
    tables = loader_registry.get("lastfm").load(folder)
    trained = run_of(hetero.build(tables), GraphFilter(GraphFilterConfig()))
    rng = np.random.default_rng(0)
    users, items = (rng.choice(known.ids, PAIRS) for known in (trained.users, trained.items))
    scores = trained.model.score(trained.users.index([str(user) for user in users])).numpy()
    seconds = []
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        write_source(store, tables)
        explain(trained, users[0], items[0])
        for row, (user, item) in enumerate(zip(users, items, strict=True)):
            before = time.process_time()
            found = explain(trained, user, item)
            seconds.append(time.process_time() - before)
            score = float(scores[row, trained.items.find(item)])
            total = sum(path.contribution for path in found.paths) + found.rest
            assert total == pytest.approx(score, rel=1e-5, abs=1e-6)
            found = add_titles(found, store, counted_behaviours(trained))
            rows = store.read(as_cypher(found))
            if found.paths:
                assert {each["number"] for each in rows} == set(range(1, len(found.paths) + 1))
            for each in islice(rows, 50):
                if found.paths and not any(node.is_text for node in found.paths[each["number"] - 1].nodes):
                    assert [node["id"] for node in each["path"].nodes] == [
                        node.id for node in found.paths[each["number"] - 1].nodes
                    ]
        store.write("MATCH (n) DETACH DELETE n")
    assert max(seconds) <= SECONDS
