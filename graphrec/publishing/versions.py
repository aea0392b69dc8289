"""The publications that a graph holds: its `Run` nodes, which of them is read, and which can be gone back to.

A version is active from the instant in which its `activated_at` becomes the greatest: one small write to one node,
which a reader sees done or not done. Its lists stand in layers, each under the number of the version that wrote it:
a number fits, with score and rank, into the one record that Neo4j keeps of an edge's properties; an id took a second.
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
from graphrec.store.connection import ConstraintError, quote
from graphrec.store.nodes import ensure_constraint

PUBLISHING, PUBLISHED, REPLACED = "publishing", "published", "replaced"

_READ = f"""
MATCH (run:{RUN})
RETURN run.id AS id, coalesce(run.version, 0) AS number, coalesce(run.trained, run.id) AS trained, run.model AS model,
       run.status AS status, run.verdict AS verdict, run.created_at AS created_at, run.published_at AS published_at,
       run.activated_at AS activated_at,
       CASE WHEN run.version IS NULL THEN null ELSE run.layers END AS layers
"""

_ACTIVATE = f"MATCH (run:{RUN} {{id: $id}}) SET run.activated_at = $moment, run.status = '{PUBLISHED}'"

_REPLACE = f"""
MATCH (run:{RUN}) WHERE run.activated_at IS NOT NULL AND run.id <> $active AND run.status <> '{REPLACED}'
SET run.status = '{REPLACED}'
"""

_GIVE_UP = f"""
MATCH (run:{RUN}) WHERE run.layers IS NOT NULL AND run.activated_at IS NOT NULL AND NOT run.id IN $kept
REMOVE run.layers
"""


@dataclass(frozen=True)
class Version:
    """A publication of a run.

    Attributes:
        id: its own id: the run's, or `RUN.2` where a run is published once more.
        number: that of the layer it wrote, greater than those of all versions before it.
        trained: the id of the run.
        status: publishing, published (the active one) or replaced.
        published_at, activated_at: milliseconds since 1970; `activated_at` is None where it was never whole.
        layers: the numbers of the layers that its lists are read from, the newest first; empty where it was removed.
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
    def whole(self) -> bool:
        """Whether its lists are all there, so that readers may be sent to it."""
        return self.activated_at is not None and bool(self.layers)


@dataclass(frozen=True)
class Versions:
    """All versions of a graph: those that are whole, the active one first, then the others by id."""

    all: tuple[Version, ...]

    @property
    def whole(self) -> tuple[Version, ...]:
        """The versions that can be read, the one activated last first."""
        return tuple(version for version in self.all if version.whole)

    @property
    def active(self) -> Version | None:
        """The version that is read, if any."""
        return self.whole[0] if self.whole else None

    def free_number(self, layers: Collection[int]) -> int:
        """The number for a new publication: greater than those of all versions and all layers in the graph.

        Also of those that were cut off: the server may still be busy with a last batch, which must not get into ours.
        """
        return max((*layers, *(version.number for version in self.all)), default=0) + 1

    def free_id(self, run: str) -> str:
        """The id for a new publication of a run: its own, or the first of RUN.2, RUN.3 … that no version has."""
        taken = {version.id for version in self.all}
        number, name = 1, run
        while name in taken:
            number += 1
            name = f"{run}.{number}"
        return name


def read_versions(store: Store) -> Versions:
    """The versions of a store."""
    ensure_constraint(store, RUN)
    ensure_constraint(store, RUN, "version")
    found = [Version(**{**row, "layers": tuple(row["layers"] or ())}) for row in store.read(_READ)]
    return Versions(tuple(sorted(found, key=lambda v: (not v.whole, *sort_key(v.activated_at, v.id)))))


def create_version(store: Store, id_: str, number: int, properties: Mapping[str, Any]) -> None:
    """Write the node of a version that is about to be written; nobody reads it yet.

    Raises StoreError where somebody else began to publish under the same id or number in the same moment.
    """
    own = {"id": id_, "version": number, "status": PUBLISHING, "published_at": now_milliseconds()}
    try:
        store.write(f"CREATE (run:{RUN}) SET run = $properties", {"properties": {**properties, **own}})
    except ConstraintError as error:
        raise StoreError(
            f"somebody else began to publish in the same moment as {id_} (publication {number}); publish again"
        ) from error


def activate(store: Store, id_: str, versions: Versions) -> None:
    """Send readers to a version, in one write to its node."""
    latest = max((version.activated_at or 0 for version in versions.all), default=0)
    store.write(_ACTIVATE, {"id": id_, "moment": max(now_milliseconds(), latest + 1)})  # clocks may go back


def mark_replaced(store: Store, kept: Sequence[Version]) -> None:
    """Mark all versions but the first of `kept` as replaced; those that are not kept cannot be read any more, and their
    nodes stay as history."""
    store.write(_REPLACE, {"active": kept[0].id})
    store.write(_GIVE_UP, {"kept": [version.id for version in kept]})


def has_old_format(store: Store) -> bool:
    """Whether the graph has publications of an earlier version of graphrec: `Run` nodes with `number`, without
    `version`."""
    return bool(store.read(f"MATCH (run:{RUN}) WHERE run.number IS NOT NULL RETURN run.id AS id LIMIT 1"))


def clear_old_format(store: Store) -> None:
    """Turn the publications of an earlier version of graphrec into history, once their lists are removed."""
    store.write(f"MATCH (run:{RUN}) WHERE run.number IS NOT NULL REMOVE run.number, run.layers")


def delete_unfinished(store: Store) -> None:
    """Delete the nodes of publications that ended before they were whole, once their lists are removed."""
    store.write(f"MATCH (run:{RUN}) WHERE run.status = '{PUBLISHING}' AND run.activated_at IS NULL DETACH DELETE run")


def read_withdrawn(store: Store, version: str, label: str) -> frozenset[str]:
    """The ids of the nodes of a label that have no list in a version although an older layer has one."""
    rows = store.read(
        f"MATCH (:{RUN} {{id: $id}})<-[:{WITHDRAWN}]-(n:{quote(label)}) RETURN collect(n.id) AS ids", {"id": version}
    )
    return frozenset(rows[0]["ids"]) if rows else frozenset()


def roll_back(store: Store, name: str | None = None) -> tuple[Version, Version]:
    """Make an earlier version the active one, by default the one that was active before; (left, taken up).

    `name` is the id of a version, or its first letters.

    Raises:
        UnknownNameError: there is no whole version of this id.
        DataError: nothing is published, there is no other, or the named one is active already.
    """
    versions = read_versions(store)
    active, earlier = versions.active, versions.whole[1:]
    if active is None:
        raise DataError("nothing is published, so there is nothing to go back to; `graphrec publish RUN` publishes")
    if name == active.id:
        raise DataError(f"{name} is the active run already; `graphrec runs` shows which others there are")
    if not earlier:
        raise DataError(
            f"{active.id} is the only run whose recommendations are in the graph, so there is none to go back to; "
            "publish another, with --keep for how many earlier ones stay"
        )
    chosen = {version.id: version for version in earlier}
    hint = "the recommendations of others are no longer in the graph; `graphrec publish` writes them again"
    target = earlier[0] if name is None else chosen[name_of_run(name, list(chosen), "run to go back to", hint)]
    activate(store, target.id, versions)
    mark_replaced(store, read_versions(store).whole)
    return active, target


def now_milliseconds() -> int:
    """The time now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
