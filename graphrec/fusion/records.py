"""Records: the data of one source on one node, restored from the nodes of the graph.

A node of one source has that source's values as its properties. A node of several sources has the values of highest
precedence as its properties, and besides them all values of each source as `source:property`. So records are restored
exactly, and the graph is always a function of them: the order of loads does not matter, and a load can be undone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.errors import DataError, first_few
from graphrec.fusion.provenance import BY_HAND, SourceManifest
from graphrec.tables import NodeTable

Column: TypeAlias = "pd.Series[Any]"  # a column of any type

#: Columns of a frame of records besides the properties: its unique "source:id", the name of its source, its id in that
#: source, whether the ids of its label are shared, and the row of its node. The NUL distinguishes them from properties.
KEY, SOURCE_NAME, NATIVE_ID, SHARED, NODE = "\0key", "\0source", "\0native", "\0shared", "\0node"
IDENTITY = [KEY, SOURCE_NAME, NATIVE_ID, SHARED]


def source_property(source: str, name: str) -> str:
    """The property with the value of one source on a node of several sources: "imdb:title"."""
    return f"{source}:{name}"


def list_properties(label: str, sources: Sequence[SourceManifest]) -> tuple[str, ...]:
    """The names of the properties that any of the sources has for a label, sorted."""
    kinds = [kind for kind in (each.node(label) for each in sources) if kind]
    return tuple(sorted({name for kind in kinds for name in kind.properties}))


def stored_names(label: str, sources: Sequence[SourceManifest]) -> tuple[str, ...]:
    """The properties to read from a label's nodes: `keys`, each property, and the values of each source."""
    names = list_properties(label, sources)
    by_source = [source_property(BY_HAND, name) for name in names]
    by_source += [
        source_property(each.source.name, name)
        for each in sources
        for kind in [each.node(label)]
        if kind
        for name in kind.properties
    ]
    return ("keys", *names, *by_source)


def build_records(table: NodeTable, source: str) -> pd.DataFrame:
    """The records of a source's table: the columns `IDENTITY`, then its properties as objects."""
    native = table.frame["id"].astype("str").reset_index(drop=True)
    frame = pd.DataFrame({KEY: source + ":" + native, SOURCE_NAME: source, NATIVE_ID: native})
    frame[SHARED] = table.type.shared
    return add_columns(frame, {name: to_objects(table.frame[name]) for name in table.type.properties})


def restore_records(label: str, nodes: pd.DataFrame, sources: Sequence[SourceManifest]) -> pd.DataFrame:
    """The records of a label's nodes: columns as in `build_records`, and `NODE`, the row of each record's node.

    A node without keys is a record made by hand. `nodes` has the columns id and `stored_names`, as objects.

    Raises DataError if two nodes have the same key, or a key belongs to a source without a Source node.
    """
    names = list_properties(label, sources)
    keys = [list(cell) if hasattr(cell, "__len__") else [] for cell in nodes["keys"]]
    sizes = np.array([len(cell) or 1 for cell in keys], dtype=np.int64)
    node = np.arange(len(nodes)).repeat(sizes)
    ids = nodes["id"].tolist()
    flat = [key for cell, id_ in zip(keys, ids, strict=True) for key in (cell or [f"{BY_HAND}:{id_}"])]
    parts = pd.Series(flat, dtype="str").str.partition(":")
    frame = pd.DataFrame({KEY: pd.Series(flat, dtype="str"), SOURCE_NAME: parts.get(0), NATIVE_ID: parts.get(2)})
    frame = frame.astype({SOURCE_NAME: "str", NATIVE_ID: "str"}) if len(frame) else _make_empty()
    _require_unique_keys(label, frame[KEY])
    _require_known_sources(label, frame, sources)
    kinds = ((each.source.name, each.node(label)) for each in sources)
    frame[SHARED] = frame[SOURCE_NAME].isin([source for source, kind in kinds if kind and kind.shared])
    several = _has_several_sources(frame[SOURCE_NAME], node, len(nodes))
    rows = {source: (frame[SOURCE_NAME] == source).to_numpy() for source in frame[SOURCE_NAME].unique()}
    declares = make_declares(label, sources)
    columns: dict[str, Column] = {}
    for name in names:
        values = np.full(len(node), None, dtype=object)
        for source, own in rows.items():
            if declares(source, name):
                for at, column in ((own & ~several, name), (own & several, source_property(source, name))):
                    values[at] = nodes[column].to_numpy()[node[at]] if column in nodes else None
        if BY_HAND in rows and name in nodes:
            # If no source of a node declares the property, its value was made by hand.
            declaring = [each.source.name for each in sources if declares(each.source.name, name)]
            declared_nodes = node[frame[SOURCE_NAME].isin(declaring).to_numpy()]
            by_hand = rows[BY_HAND] & several & ~np.isin(node, declared_nodes)
            values[by_hand] = nodes[name].to_numpy()[node[by_hand]]
        columns[name] = pd.Series(values, dtype=object)
    return add_columns(frame, columns).assign(**{NODE: node})


def make_declares(label: str, sources: Sequence[SourceManifest]) -> Callable[[str, str], bool]:
    """A function that returns whether a source (first) declares a property (second) of a label.

    BY_HAND declares every property.
    """
    declared: dict[str, set[str]] = {}
    for each in sources:
        kind = each.node(label)
        declared.setdefault(each.source.name, set()).update(kind.properties if kind else ())
    return lambda source, name: source == BY_HAND or name in declared.get(source, ())


def add_columns(frame: pd.DataFrame, columns: Mapping[str, Column]) -> pd.DataFrame:
    """The frame with more columns at its end, added at once: one by one, each would copy the previous ones."""
    if not columns:
        return frame
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def to_objects(column: Column) -> Column:
    """The column as plain Python objects with a new index, None for missing values."""
    cells = column.to_numpy(dtype=object, copy=True)
    cells[column.isna().to_numpy()] = None
    return pd.Series(cells, dtype=object)


def _make_empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="str") for name in IDENTITY[:3]})


def _has_several_sources(source: "pd.Series[str]", node: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.bool_]:
    """For each record whether its node also has records of other sources."""
    pairs = pd.DataFrame({"node": node, "source": source.to_numpy()}).drop_duplicates()
    several: npt.NDArray[np.bool_] = np.bincount(pairs["node"], minlength=count) > 1
    return several[node]


def _require_unique_keys(label: str, keys: "pd.Series[str]") -> None:
    duplicates = keys[keys.duplicated()]
    if len(duplicates):
        raise DataError(
            f"{label}: {len(duplicates):,} keys are on two nodes of the graph ({first_few(duplicates)}); "
            "remove each from the node that it does not belong to"
        )


def _require_known_sources(label: str, records: pd.DataFrame, sources: Sequence[SourceManifest]) -> None:
    unknown = records[~records[SOURCE_NAME].isin([BY_HAND, *(each.source.name for each in sources)])]
    if len(unknown):
        raise DataError(
            f"{label}: {len(unknown):,} keys in the graph are of sources without a Source node "
            f"({first_few(unknown[SOURCE_NAME].unique())}; first: {unknown[KEY].iloc[0]}); the graph was loaded by an "
            "older version, or the node was deleted: empty the database and load the sources again"
        )
