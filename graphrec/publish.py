"""Scores become recommendation edges, versioned by run, without a moment in which a user has none."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphrec.errors import DataError
from graphrec.recommend.topk import Recommendations
from graphrec.runs import Run
from graphrec.schema import ITEM, RECOMMENDED, RUN, USER, EdgeType
from graphrec.store import Store
from graphrec.store.edges import Edges
from graphrec.store.nodes import ensure_constraint
from graphrec.store.read import Progress, silent
from graphrec.store.write import whole_nodes
from graphrec.tables import EdgeTable

_NOTE_RUN = f"""
MERGE (run:{RUN} {{id: $id}})
SET run.model = $model, run.config = $config, run.metrics = $metrics, run.created_at = $created_at,
    run.relation = $relation, run.published_at = $published_at, run.status = 'publishing',
    run.verdict = $verdict, run.split = $split
"""

_MERGE_EDGES = f"""
UNWIND $rows AS row
MATCH (user:{USER} {{id: row.s}})
UNWIND range(0, size(row.t) - 1) AS k
MATCH (item:{ITEM} {{id: row.t[k]}})
MERGE (user)-[edge:{RECOMMENDED} {{run: $run}}]->(item)
SET edge.score = row.c0[k], edge.rank = row.c1[k]
"""

_DELETE_OLD_EDGES = f"""
UNWIND $rows AS row
MATCH (user:{USER} {{id: row.s}})-[edge:{RECOMMENDED}]->(item:{ITEM})
WHERE edge.run <> $run OR NOT item.id IN row.t
DELETE edge
"""

_FINISH_RUN = f"""
MATCH (run:{RUN})
SET run.status = CASE WHEN run.id = $run THEN 'published' ELSE 'replaced' END
"""


@dataclass(frozen=True)
class Published:
    """How many users got how many recommendation edges, and from which run."""

    run: str
    users: int
    edges: int


def publish(store: Store, run: Run, recommendations: Recommendations, progress: Progress = silent) -> Published:
    """Write the recommendations of a run as edges and take away those of earlier ones.

    Of each batch of users the new edges are committed first and the old ones deleted after, so a reader sees
    the old list, for a moment both, then the new one; `recommend_for_user` reads only the newest run of the
    two. If it is cut off, publishing again finishes it. `config` and `metrics` of the run are JSON texts;
    `verdict` is `passed`, or `forced: …` with what stood against it.

    Raises:
        DataError: users or items of the run are no longer in the graph.
        StoreError: the database refuses or goes away.
    """
    frame = recommendations.frame.rename(columns={"user_id": "source_id", "item_id": "target_id"})
    _need_nodes(store, USER, set(frame["source_id"]))
    _need_nodes(store, ITEM, set(frame["target_id"]))
    ensure_constraint(store, RUN)
    store.write(_NOTE_RUN, _properties(run))
    done = 0
    kind = EdgeType(USER, RECOMMENDED, ITEM, ("score", "rank"))
    for rows in whole_nodes(Edges.of(EdgeTable(kind, frame))):
        store.write(_MERGE_EDGES, {"rows": rows, "run": run.id})
        store.write(_DELETE_OLD_EDGES, {"rows": rows, "run": run.id})
        done += sum(len(row["t"]) for row in rows)
        progress("publishing", done, len(frame))
    store.write(_FINISH_RUN, {"run": run.id})
    return Published(run.id, int(frame["source_id"].nunique()), len(frame))


def _properties(run: Run) -> Mapping[str, Any]:
    return {
        "id": run.id,
        "model": run.model,
        "config": json.dumps(dict(run.config)),
        "metrics": json.dumps(dict(run.metrics)),
        "created_at": run.created_at,
        "relation": run.relation,
        "verdict": _verdict(run),
        "split": None if run.split is None else run.split.spec,
        "published_at": time.time_ns() // 1_000_000,  # milliseconds: two runs may be published in one second
    }


def _verdict(run: Run) -> str:
    """`passed`, or why the run should not have been published but was."""
    objections = ("it was not measured",) if run.verdict is None else run.verdict.objections
    return f"forced: {'; '.join(objections)}" if objections else "passed"


def _need_nodes(store: Store, label: str, wanted: set[str]) -> None:
    parts = store.read(f"MATCH (n:{label}) RETURN right(n.id, 2) AS part, collect(n.id) AS ids")
    missing = wanted.difference(*(part["ids"] for part in parts)) if parts else wanted
    if missing:
        raise DataError(
            f"{len(missing):,} of the run's {len(wanted):,} {label.lower()}s are not in this graph "
            f"({', '.join(sorted(missing)[:5])}{', …' if len(missing) > 5 else ''}); "
            "train again on this graph, or open the store that the run was trained on"
        )
