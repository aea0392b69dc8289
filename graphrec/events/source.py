"""The Source node of the events, which declares their relationship types: loads keep them, and `unlink` finds them."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from graphrec.errors import DataError
from graphrec.events.event import PROPERTIES, SOURCE_NAME
from graphrec.fusion.provenance import SourceManifest
from graphrec.schema import ITEM, SOURCE, USER, EdgeType
from graphrec.store.connection import RunStatement
from graphrec.store.sources import source_properties
from graphrec.tables import REPORTED_URL, Source

#: SET locks the node before its schema is read.
_LOCK = f"""
MERGE (source:{SOURCE} {{id: '{SOURCE_NAME}'}}) SET source.lock = $lock
RETURN properties(source) AS properties
"""

_SAVE = f"MATCH (source:{SOURCE} {{id: '{SOURCE_NAME}'}}) SET source += $properties REMOVE source.lock"


def declare(run: RunStatement, relations: Iterable[str] = (), touch: bool = False) -> None:
    """Add relationship types from users to items to the node, which is created if it does not exist.

    With `touch` the time of the last load becomes now, so that servers read titles and items again.

    Raises DataError if a load wrote a source of this name.
    """
    (row,) = run(_LOCK, {"lock": secrets.token_hex(8)})
    properties = row["properties"]
    manifest = SourceManifest.from_properties(properties) if "schema" in properties else None
    if manifest is not None and manifest.source.url != REPORTED_URL:
        raise DataError(
            f"the graph has a loaded source '{SOURCE_NAME}', which is the name of what applications report: unlink it, "
            "and load it with another name"
        )
    edges = manifest.edges if manifest is not None else ()
    new = sorted({*relations} - {edge.relation for edge in edges})
    changed = {}
    if new or manifest is None:
        types = (*edges, *(EdgeType(USER, name, ITEM, PROPERTIES, key=("event",)) for name in new))
        source = Source(SOURCE_NAME, url=REPORTED_URL, licence="your own")
        changed = source_properties(SourceManifest(source, edges=types), "loaded")
    if touch:
        changed["loaded_at"] = datetime.now(UTC).isoformat(timespec="microseconds")
    run(_SAVE, {"properties": changed})
