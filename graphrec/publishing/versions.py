"""The published versions of a graph: its `Run` nodes, which of them is active, and which can be rolled back to.

A version becomes active when its `activated_at` becomes the greatest (`store.active_run`): one small write to one node,
which is atomic for readers. Its lists are stored in layers: the edges of a layer have as `version` the number of the
version that wrote them. It is a number because Neo4j stores it in the same record as score and rank; an id needs a
second record.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.arguments import name_of_run
from graphrec.errors import DataError, StoreError
from graphrec.schema import RUN, WITHDRAWN
from graphrec.store import Store
from graphrec.store.active_run import sort_key
from graphrec.store.connection import ConstraintError, Fence, quote
from graphrec.store.nodes import ensure_constraint

PUBLISHING, PUBLISHED, REPLACED = "publishing", "published", "replaced"

_READ = f"""
MATCH (run:{RUN})
RETURN run.id AS id, coalesce(run.version, 0) AS number, coalesce(run.trained, run.id) AS trained, run.model AS model,
       run.status AS status, run.verdict AS verdict, run.created_at AS created_at, run.published_at AS published_at,
       run.activated_at AS activated_at,
       CASE WHEN run.version IS NULL THEN null ELSE run.layers END AS layers
"""

#: `activations` has all times at which the version became active, for questions about the past.
_ACTIVATE = f"""
MATCH (run:{RUN} {{id: $id}})
SET run.activations = coalesce(run.activations, CASE WHEN run.activated_at IS NULL THEN [] ELSE [run.activated_at] END)
    + [$moment], run.activated_at = $moment, run.status = '{PUBLISHED}'
"""

_REPLACE = f"""
MATCH (run:{RUN}) WHERE run.activated_at IS NOT NULL AND run.id <> $active AND run.status <> '{REPLACED}'
SET run.status = '{REPLACED}'
"""

_REMOVE_LAYERS = f"""
MATCH (run:{RUN}) WHERE run.layers IS NOT NULL AND run.activated_at IS NOT NULL AND NOT run.id IN $kept
REMOVE run.layers
"""


@dataclass(frozen=True)
class Version:
    """A publication of a run.

    Attributes:
        id: the id of the run, or `RUN.2` if the run is published a second time.
        number: its number, greater than those of all earlier versions; the `version` of its node and of its edges.
        trained: the id of the run.
        status: publishing, published (the active one) or replaced.
        published_at, activated_at: milliseconds since 1970; `activated_at` is None if it was never complete.
        layers: the numbers of the layers that its lists are read from, the newest first; empty if they were removed.
    """

    id: str
    number: int
    trained: str
    model: str | None
    status: str | None
    verdict: str | None
    created_at: str | None
    published_at: int | None
    activated_at: int | None
    layers: tuple[int, ...]

    @property
    def complete(self) -> bool:
        """Whether all its lists are in the graph, so that it can be active."""
        return self.activated_at is not None and bool(self.layers)


@dataclass(frozen=True)
class Versions:
    """All versions of a graph: the complete ones, the active one first, then the others by id."""

    all: tuple[Version, ...]

    @property
    def complete(self) -> tuple[Version, ...]:
        """The complete versions, the active one first, then by the time of activation."""
        return tuple(version for version in self.all if version.complete)

    @property
    def active(self) -> Version | None:
        """The active version; None if no version is complete."""
        return self.complete[0] if self.complete else None

    def free_number(self, layers: Collection[int]) -> int:
        """The number for a new publication: greater than those of all versions and of all layers in the graph.

        Unfinished versions count, too: the server may still be writing a last batch of one, under its number.
        """
        return max((*layers, *(version.number for version in self.all)), default=0) + 1

    def free_id(self, run: str) -> str:
        """The id for a new publication of a run: RUN, or the first of RUN.2, RUN.3 … that no version has."""
        ids = {version.id for version in self.all}
        number, name = 1, run
        while name in ids:
            number += 1
            name = f"{run}.{number}"
        return name


def read_versions(store: Store) -> Versions:
    """All versions of a store."""
    ensure_constraint(store, RUN)
    ensure_constraint(store, RUN, "version")
    versions = [Version(**{**row, "layers": tuple(row["layers"] or ())}) for row in store.read(_READ)]
    return Versions(tuple(sorted(versions, key=lambda v: (not v.complete, *sort_key(v.activated_at, v.id)))))


def create_version(store: Store, id_: str, number: int, properties: Mapping[str, Any]) -> None:
    """Create the node of a version before its lists are written; readers do not see it yet.

    Raises StoreError if another process began to publish under the same id or number at the same time.
    """
    state = {"id": id_, "version": number, "status": PUBLISHING, "published_at": now_milliseconds()}
    try:
        store.write(f"CREATE (run:{RUN}) SET run = $properties", {"properties": {**properties, **state}})
    except ConstraintError as error:
        raise StoreError(
            f"another process began to publish at the same time as {id_} (version {number}); publish again"
        ) from error


def activate(store: Store, id_: str, versions: Versions, fence: Fence | None = None) -> None:
    """Make a version the active one, in one write to its node, which a fence guards if given."""
    latest = max((version.activated_at or 0 for version in versions.all), default=0)
    store = store if fence is None else store.fenced(fence)
    store.write(_ACTIVATE, {"id": id_, "moment": max(now_milliseconds(), latest + 1)})  # a clock may be set back


def mark_replaced(store: Store, kept: Sequence[Version]) -> None:
    """Mark all versions except the first of `kept` as replaced, and remove the layers of those that are not kept.

    The nodes of these versions remain as history.
    """
    store.write(_REPLACE, {"active": kept[0].id})
    store.write(_REMOVE_LAYERS, {"kept": [version.id for version in kept]})


def has_old_format(store: Store) -> bool:
    """Whether the graph has publications of an earlier version of graphrec: `Run` nodes with `number`, without
    `version`."""
    return bool(store.read(f"MATCH (run:{RUN}) WHERE run.number IS NOT NULL RETURN run.id AS id LIMIT 1"))


def clear_old_format(store: Store) -> None:
    """Mark the publications of an earlier version of graphrec as history, after their lists are removed."""
    store.write(f"MATCH (run:{RUN}) WHERE run.number IS NOT NULL REMOVE run.number, run.layers")


def delete_unfinished(store: Store) -> None:
    """Delete the nodes of unfinished publications, after their lists are removed."""
    store.write(f"MATCH (run:{RUN}) WHERE run.status = '{PUBLISHING}' AND run.activated_at IS NULL DETACH DELETE run")


def read_withdrawn(store: Store, version: str, label: str) -> frozenset[str]:
    """The ids of the nodes of a label that have no list in a version, although an older layer has one."""
    rows = store.read(
        f"MATCH (:{RUN} {{id: $id}})<-[:{WITHDRAWN}]-(n:{quote(label)}) RETURN collect(n.id) AS ids", {"id": version}
    )
    return frozenset(rows[0]["ids"]) if rows else frozenset()


def roll_back(store: Store, name: str | None = None, fence: Fence | None = None) -> tuple[Version, Version]:
    """Make an earlier version active, by default the previous one; return the version left and the new active one.

    `name` is the id of a version, or its first letters; a fence guards the write that makes it active.

    Raises:
        UnknownNameError: no complete version has this id.
        DataError: no run is published, no other version is complete, or the named one is active already.
    """
    versions = read_versions(store)
    active, earlier = versions.active, versions.complete[1:]
    if active is None:
        raise DataError("nothing is published, so no earlier run can be restored; `graphrec publish RUN` publishes one")
    if name == active.id:
        raise DataError(f"{name} is the active run already; `graphrec runs` lists the others")
    if not earlier:
        raise DataError(
            f"{active.id} is the only run whose recommendations are in the graph, so no earlier one can be restored; "
            "publish another; the option keep of the publication is the number of earlier runs that are kept"
        )
    chosen = {version.id: version for version in earlier}
    hint = "recommendations of other runs are no longer in the graph; `graphrec publish` writes them again"
    target = earlier[0] if name is None else chosen[name_of_run(name, list(chosen), "kept run", hint)]
    activate(store, target.id, versions, fence)
    mark_replaced(store, read_versions(store).complete)
    return active, target


def now_milliseconds() -> int:
    """The current time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
