"""Read properties of nodes as texts, for encoders and language models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from graphrec.errors import UnknownNameError
from graphrec.schema import TEXT_PROPERTIES, NodeType
from graphrec.store.connection import Store, quote
from graphrec.store.read import read_nodes
from graphrec.tables import replace_columns


def read_properties(store: Store, label: str, properties: Sequence[str], others: Sequence[str] = ()) -> pd.DataFrame:
    """The nodes of a label: columns id, `properties` as texts ("" if missing, lists joined by commas), and `others`.

    Raises UnknownNameError if the graph has no such label, or no node of it has one of the `properties`.
    """
    found = store.read(f"MATCH (n:{quote(label)}) UNWIND keys(n) AS name RETURN DISTINCT name")
    known = sorted(row["name"] for row in found)
    if not known:
        labels = store.read("MATCH (n) UNWIND labels(n) AS name RETURN DISTINCT name ORDER BY name")
        raise UnknownNameError("label", label, [row["name"] for row in labels])
    for name in properties:
        if name not in known:
            shown = [name for name in known if name not in TEXT_PROPERTIES and ":" not in name]
            raise UnknownNameError("property", name, shown, owner=f"no node of {label}" if not shown else label)
    frame = read_nodes(store, NodeType(label, (*properties, *others)))
    texts = {name: [_format_text(value) for value in frame[name]] for name in dict.fromkeys(properties)}
    return replace_columns(frame, {name: pd.Series(cells, dtype=object) for name, cells in texts.items()})


def _format_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value).strip()
