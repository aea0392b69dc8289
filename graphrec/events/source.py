"""The Source node of the events, which declares their relationship types: loads keep them, and `unlink` finds them."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from graphrec.events.event import PROPERTIES, SOURCE_NAME
from graphrec.fusion.provenance import SourceManifest
from graphrec.schema import ITEM, SOURCE, USER, EdgeType
from graphrec.store.connection import RunStatement
from graphrec.store.sources import source_properties
from graphrec.tables import Source

#: SET locks the node before its schema is read.
_LOCK = f"""
MERGE (source:{SOURCE} {{id: '{SOURCE_NAME}'}}) SET source.lock = $lock
RETURN properties(source) AS properties
"""

_SAVE = f"MATCH (source:{SOURCE} {{id: '{SOURCE_NAME}'}}) SET source += $properties REMOVE source.lock"


def declare(run: RunStatement, relations: Iterable[str] = (), touch: bool = False) -> None:
    """Add relationship types from users to items to the node, which is created if it does not exist.

    With `touch` the time of the last load becomes now, so that servers read titles and items again.
    """
    (row,) = run(_LOCK, {"lock": secrets.token_hex(8)})
    properties = row["properties"]
    edges = SourceManifest.from_properties(properties).edges if "schema" in properties else ()
    new = sorted({*relations} - {edge.relation for edge in edges})
    changed = {}
    if new or "schema" not in properties:
        types = (*edges, *(EdgeType(USER, name, ITEM, PROPERTIES, key=("event",)) for name in new))
        source = Source(SOURCE_NAME, url="POST /v1/events", licence="your own")
        changed = source_properties(SourceManifest(source, edges=types), "loaded")
    if touch:
        changed["loaded_at"] = datetime.now(UTC).isoformat(timespec="microseconds")
    run(_SAVE, {"properties": changed})
