"""The records that nodes were made from: every node of the graph taken apart again into what each source said of it.

A node of one source has that source's values as its properties. A node of several has the winners as its properties and
each source's own values beside them, as `source:property`. So the records come back exactly, and the graph is at any
time a function of them: that makes a load independent of the order of the sources, and undoing it possible.
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

#: What a frame of records has besides the properties.
IDENTITY = ["key", "source", "native", "shared"]


def own_name(source: str, name: str) -> str:
    """The property that holds what one source says of a node of several: "imdb:title"."""
    return f"{source}:{name}"


def properties(label: str, sources: Sequence[SourceManifest]) -> tuple[str, ...]:
    """The property names that any of the sources gives a label, sorted."""
    kinds = [kind for kind in (each.node(label) for each in sources) if kind]
    return tuple(sorted({name for kind in kinds for name in kind.properties}))


def stored_names(label: str, sources: Sequence[SourceManifest]) -> tuple[str, ...]:
    """The properties to read of a label's nodes: `keys`, each property, and each source's own values."""
    names = properties(label, sources)
    own = [own_name(BY_HAND, name) for name in names]
    own += [
        own_name(each.source.name, name)
        for each in sources
        for kind in [each.node(label)]
        if kind
        for name in kind.properties
    ]
    return ("keys", *names, *own)


def incoming_records(table: NodeTable, source: str) -> pd.DataFrame:
    """The records of a source's table: columns key, source, native, shared, then its properties as objects."""
    native = table.frame["id"].astype("str").reset_index(drop=True)
    frame = pd.DataFrame({"key": source + ":" + native, "source": source, "native": native})
    frame["shared"] = table.type.shared
    return widened(frame, {name: objects(table.frame[name]) for name in table.type.properties})


def stored_records(label: str, nodes: pd.DataFrame, sources: Sequence[SourceManifest]) -> pd.DataFrame:
    """The records that the nodes of a label were made from: as `incoming_records`, and the position `node` of each.

    A node without keys is a record made by hand. `nodes` has the columns `id` and `stored_names`, as objects.

    Raises DataError where two nodes have the same key, or a key is of a source that the graph does not know.
    """
    names = properties(label, sources)
    keys = [list(cell) if hasattr(cell, "__len__") else [] for cell in nodes["keys"]]
    sizes = np.array([len(cell) or 1 for cell in keys], dtype=np.int64)
    node = np.arange(len(nodes)).repeat(sizes)
    ids = nodes["id"].tolist()
    flat = [key for cell, id_ in zip(keys, ids, strict=True) for key in (cell or [f"{BY_HAND}:{id_}"])]
    parts = pd.Series(flat, dtype="str").str.partition(":")
    frame = pd.DataFrame({"key": pd.Series(flat, dtype="str"), "source": parts.get(0), "native": parts.get(2)})
    frame = frame.astype({"source": "str", "native": "str"}) if len(frame) else _empty()
    _require_single_keys(label, frame["key"])
    _require_known(label, frame, sources)
    kinds = ((each.source.name, each.node(label)) for each in sources)
    frame["shared"] = frame["source"].isin([source for source, kind in kinds if kind and kind.shared])
    several = _of_several_sources(frame["source"], node, len(nodes))
    rows = {source: (frame["source"] == source).to_numpy() for source in frame["source"].unique()}
    declares = declaring(label, sources)
    columns: dict[str, Column] = {}
    for name in names:
        values = np.full(len(node), None, dtype=object)
        for source, own in rows.items():
            if declares(source, name):
                for at, column in ((own & ~several, name), (own & several, own_name(source, name))):
                    values[at] = nodes[column].to_numpy()[node[at]] if column in nodes else None
        if BY_HAND in rows and name in nodes:
            # Where no source of the node says anything of it, the property is the one that was made by hand.
            said = rows[BY_HAND] & several & ~np.isin(node, node[_saying(declares, sources, name, frame["source"])])
            values[said] = nodes[name].to_numpy()[node[said]]
        columns[name] = pd.Series(values, dtype=object)
    return widened(frame, columns).assign(node=node)


def declaring(label: str, sources: Sequence[SourceManifest]) -> Callable[[str, str], bool]:
    """A function that returns whether a source (first) has values of a property (second) of a label.

    A node made by hand may have every property.
    """
    said: dict[str, set[str]] = {}
    for each in sources:
        kind = each.node(label)
        said.setdefault(each.source.name, set()).update(kind.properties if kind else ())
    return lambda source, name: source == BY_HAND or name in said.get(source, ())


def _saying(
    declares: Callable[[str, str], bool], sources: Sequence[SourceManifest], name: str, source: "pd.Series[str]"
) -> npt.NDArray[np.bool_]:
    """For each record whether its source, which is not the hand, says something of a property."""
    saying = [each.source.name for each in sources if declares(each.source.name, name)]
    said: npt.NDArray[np.bool_] = source.isin(saying).to_numpy()
    return said


def widened(frame: pd.DataFrame, columns: Mapping[str, Column]) -> pd.DataFrame:
    """The frame with more columns behind its own, all put in at once: one by one, each would copy the ones before."""
    if not columns:
        return frame
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def objects(column: Column) -> Column:
    """The column as plain Python values with a new index, None where one is missing."""
    cells = column.to_numpy(dtype=object, copy=True)
    cells[column.isna().to_numpy()] = None
    return pd.Series(cells, dtype=object)


def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="str") for name in IDENTITY[:3]})


def _of_several_sources(source: "pd.Series[str]", node: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.bool_]:
    """For each record whether its node has records of other sources too."""
    pairs = pd.DataFrame({"node": node, "source": source.to_numpy()}).drop_duplicates()
    several: npt.NDArray[np.bool_] = np.bincount(pairs["node"], minlength=count) > 1
    return several[node]


def _require_single_keys(label: str, keys: "pd.Series[str]") -> None:
    twice = keys[keys.duplicated()]
    if len(twice):
        raise DataError(
            f"{label}: {len(twice):,} keys are on two nodes of the graph ({first_few(twice)}); "
            "take each from the node it does not belong to"
        )


def _require_known(label: str, records: pd.DataFrame, sources: Sequence[SourceManifest]) -> None:
    unknown = records[~records["source"].isin([BY_HAND, *(each.source.name for each in sources)])]
    if len(unknown):
        raise DataError(
            f"{label}: {len(unknown):,} keys in the graph are of sources without a Source node "
            f"({first_few(unknown['source'].unique())}; first: {unknown['key'].iloc[0]}); the graph was loaded by an "
            "older version, or the node was deleted: empty the database and load the sources again"
        )
