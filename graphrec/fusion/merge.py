"""The tables of one source brought into the graph that is there: final ids, united keys, completed properties."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from graphrec.errors import DataError, examples
from graphrec.fusion.link import Links, link_titles
from graphrec.fusion.report import SHOWN, FusionReport, LabelReport
from graphrec.schema import ITEM
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable


@dataclass(frozen=True)
class Fused:
    """The incoming tables as they are to be written, and what happened to them.

    Node frames have `id` (final), `keys` (sorted "source:key" of the node, those it had included) and the properties
    of the type: a node of this source alone takes the source's newest values; where others brought it or wrote it,
    what the graph has wins and this source fills what is missing. Edge frames have final ends and
    `source`.
    """

    tables: GraphTables
    report: FusionReport


def fuse(existing: GraphTables | None, incoming: GraphTables) -> Fused:
    """The tables of one source with the ids that they have, or get, in the graph.

    A node whose key a node of the graph carries is that node. Nodes of a shared type are one where their ids are;
    items with a title and a year are linked as `link.link_titles` says, but never to an item that has a key of the
    same source. Any other node is new: it keeps its id, or becomes "source:id" where the id is taken.

    Args:
        existing: node tables as read from the graph, whose frames have `id`, `keys` (lists, or missing) and whatever
            properties; their edges are not looked at. None for an empty graph.
        incoming: what a loader returned; of exactly one source.

    Raises:
        DataError: incoming has no source or several, or two nodes of the graph carry the same key.
    """
    if len(incoming.sources) != 1:
        raise DataError(
            f"fusion takes the tables of one source, but these have {len(incoming.sources)}; fuse each alone"
        )
    source = incoming.sources[0].name
    there = {table.type.label: table.frame for table in existing.nodes} if existing else {}
    nodes, reports, ids = [], [], {}
    for table in incoming.nodes:
        label = table.type.label
        known = _with_keys(there.get(label, pd.DataFrame({"id": pd.Series(dtype="str")})))
        node, report, ids[label] = _fuse_nodes(known, table, source)
        nodes.append(node)
        reports.append(report)
    edges = tuple(_follow(table, ids, source) for table in incoming.edges)
    return Fused(GraphTables(tuple(nodes), edges, incoming.sources), FusionReport(source, tuple(reports)))


def _fuse_nodes(
    existing: pd.DataFrame, incoming: NodeTable, source: str
) -> tuple[NodeTable, LabelReport, "pd.Series[str]"]:
    """The final table of one label, its report, and the final id by native id."""
    frame = incoming.frame.reset_index(drop=True)
    native = frame["id"].astype("str")
    owners = _owners(existing, incoming.type.label)
    final = (source + ":" + native).map(owners["id"]).astype("str")
    links = Links(pd.DataFrame(columns=["existing_id", "incoming_id"]), pd.DataFrame(columns=["incoming_id"]))
    if incoming.type.shared:
        final = final.fillna(native)
    else:
        if incoming.type.label == ITEM:
            own = existing["id"].isin(owners.loc[owners.index.str.startswith(f"{source}:"), "id"])
            links = _link(existing[~own], frame[final.isna()])
        final = final.fillna(native.map(links.pairs.set_index("incoming_id")["existing_id"]).astype("str"))
        final = final.fillna(_free_ids(native[final.isna()], existing["id"], source))
    final = final.astype("str")
    old = existing.set_index("id").reindex(final).reset_index(drop=True)
    own = old["keys"].map(lambda keys: isinstance(keys, list) and {key.partition(":")[0] for key in keys} == {source})
    completed = _complete(old, frame, incoming.type.properties, ~own.astype(bool))
    keys = _united(old["keys"], source + ":" + native)
    table = NodeTable(incoming.type, pd.DataFrame({"id": final, "keys": keys, **completed}))
    return table, _report(table, links, existing["id"], native, source), pd.Series(final.to_numpy(), index=native)


def _with_keys(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a list in every cell of `keys`; nodes that graphrec did not write have none."""
    cells: list[Any] = frame["keys"].tolist() if "keys" in frame else [None] * len(frame)
    # A list read from a database may come as an array; what is no sequence is a missing value.
    keys = [list(cell) if hasattr(cell, "__len__") else [] for cell in cells]
    return frame.assign(keys=pd.Series(keys, index=frame.index, dtype=object))


def _owners(existing: pd.DataFrame, label: str) -> pd.DataFrame:
    """Column id of the node that carries a key, by key."""
    owners = existing[["id", "keys"]].explode("keys").dropna(subset="keys").set_index("keys")
    owners.index = owners.index.astype("str")
    twice = owners.index.duplicated()
    if twice.any():
        raise DataError(
            f"{label}: {int(twice.sum()):,} keys stand on two nodes of the graph ({examples(owners.index[twice])}); "
            "take each from the node it does not belong to"
        )
    return owners


def _link(existing: pd.DataFrame, incoming: pd.DataFrame) -> Links:
    """Links of the rows by title and year; none where a side does not have these properties."""
    wanted = ["id", "title", "year"]
    sides = [frame.reindex(columns=wanted) for frame in (existing, incoming)]
    return link_titles(*sides)


def _free_ids(native: "pd.Series[str]", taken: "pd.Series[str]", source: str) -> "pd.Series[str]":
    """Ids for new nodes: the native one, with the source's name before it where another node has it."""
    final = native.copy()
    while True:
        renamed = final != native
        clash = final.isin(taken) | (renamed & (final.isin(native[~renamed]) | final.where(renamed).duplicated()))
        if not clash.any():
            return final
        final = final.mask(clash, source + ":" + final)


def _complete(
    old: pd.DataFrame, new: pd.DataFrame, properties: tuple[str, ...], kept: "pd.Series[bool]"
) -> dict[str, "pd.Series[Any]"]:
    """The property columns: of `kept` nodes the value of the graph where it has one, of others the source's."""
    completed = {}
    for name in properties:
        column = new[name]
        if name in old and old[name].notna().any():
            keeps = old[name].notna() & (kept | column.isna())
            mixed = column.astype(object).mask(keeps, old[name].astype(object))
            column = _as_type(mixed, column)
        completed[name] = column
    return completed


def _as_type(mixed: "pd.Series[Any]", like: "pd.Series[Any]") -> "pd.Series[Any]":
    """The values in the source's dtype if none changes by that, else as they are."""
    there = mixed.notna()
    try:
        typed = mixed.astype(like.dtype)
    except (TypeError, ValueError):
        return mixed
    return typed if (typed[there].astype(object) == mixed[there]).all() else mixed


def _united(old: "pd.Series[Any]", new: "pd.Series[str]") -> list[list[str]]:
    return [sorted({*had, key}) if isinstance(had, list) and had else [key] for had, key in zip(old, new, strict=True)]


def _report(
    table: NodeTable, links: Links, there: "pd.Series[str]", native: "pd.Series[str]", source: str
) -> LabelReport:
    prefix = f"{source}:"
    keys = table.frame["keys"]
    matched = pd.Series([any(not key.startswith(prefix) for key in each) for each in keys], index=native.index)
    ambiguous = native.isin(links.ambiguous["incoming_id"])
    unmatched = ~matched & ~ambiguous
    final = table.frame["id"]
    shown = links.ambiguous.head(SHOWN).itertuples(index=False)
    return LabelReport(
        label=table.type.label,
        matched=int(matched.sum()),
        ambiguous=int(ambiguous.sum()),
        unmatched=int(unmatched.sum()),
        new=int((~final.isin(there)).sum()),
        matched_examples=tuple((prefix + native + " → " + final)[matched].head(SHOWN)),
        ambiguous_examples=tuple(f"{prefix}{row.incoming_id} ? {row.existing_id}" for row in shown),
        unmatched_examples=tuple((prefix + native)[unmatched].head(SHOWN)),
    )


def _follow(table: EdgeTable, ids: dict[str, "pd.Series[str]"], source: str) -> EdgeTable:
    """The edges between the final ids of their ends, with the source's name."""
    frame = table.frame.assign(source=source)
    for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
        frame[end] = frame[end].map(ids[label]).astype("str")
    return EdgeTable(table.type, frame)
