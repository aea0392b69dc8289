"""Several sources become one graph: what a load, or taking a source out, must write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from graphrec.errors import DataError
from graphrec.fusion.follow import follow
from graphrec.fusion.plan import NodePlan, Stored, plan
from graphrec.fusion.records import IDENTITY, incoming_records, objects, properties, stored_records
from graphrec.fusion.report import FusionReport, LabelReport, label_report
from graphrec.fusion.resolve import resolve
from graphrec.provenance import Brought
from graphrec.schema import NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable


@dataclass(frozen=True)
class Known:
    """What the graph has: its sources, and for each label the nodes, with columns id, keys and `stored_names`."""

    sources: tuple[Brought, ...] = ()
    nodes: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Fused:
    """What is to be written: per label a plan, the source's edges with final ends, and what happened to the nodes."""

    source: str
    nodes: tuple[NodePlan, ...]
    edges: tuple[EdgeTable, ...]
    report: FusionReport


def fuse(known: Known, incoming: GraphTables, append: bool = False) -> Fused:
    """The writes that make the graph hold what these tables of one source say, beside what the others say.

    The graph that results depends on what its sources say alone, not on the order in which they came.

    Args:
        known: the graph's sources and the nodes of the incoming labels (and of labels that the source no longer has).
        incoming: what a loader returned; of exactly one source.
        append: keep what the source said before and is not in `incoming`.

    Raises:
        DataError: incoming has no source or several, or two nodes of the graph carry the same key.
    """
    if len(incoming.sources) != 1:
        raise DataError(
            f"fusion takes the tables of one source, but these have {len(incoming.sources)}; fuse each alone"
        )
    brought = Brought.of(incoming)
    name = brought.source.name
    earlier = next((each for each in known.sources if each.source.name == name), None)
    sources = [*(each for each in known.sources if each.source.name != name), brought.united(earlier)]
    tables = {table.type.label: table for table in incoming.nodes}
    gone = [kind.label for kind in earlier.nodes if kind.label not in tables] if earlier and not append else []
    plans, reports, finals = [], [], {}
    for label in (*tables, *gone):
        change = _Change(name, label, tables.get(label), append)
        node_plan, report, final = _fuse_label(known, sources, change)
        plans.append(node_plan)
        if label in tables:
            reports.append(report)
            finals[label] = final
    edges = tuple(follow(table, finals) for table in incoming.edges)
    return Fused(name, tuple(plans), edges, FusionReport(name, tuple(reports)))


def unlink(known: Known, source: str) -> Fused:
    """The writes that take a source's nodes and values out of the graph and leave what the others brought."""
    (earlier,) = (each for each in known.sources if each.source.name == source)
    plans, reports = [], []
    for kind in earlier.nodes:
        node_plan, report, _ = _fuse_label(known, list(known.sources), _Change(source, kind.label, None))
        plans.append(node_plan)
        reports.append(report)
    return Fused(source, tuple(plans), (), FusionReport(source, tuple(reports)))


@dataclass(frozen=True)
class _Change:
    """A source's new table of a label; None where it no longer has one."""

    source: str
    label: str
    table: NodeTable | None
    append: bool = False

    def apply(self, records: pd.DataFrame) -> pd.DataFrame:
        """The records of all sources, those of this source replaced (or, where it appends, completed) by the new."""
        own = (records["source"] == self.source).to_numpy()
        if self.table is None:
            return records[~own].reset_index(drop=True)
        new = incoming_records(self.table, self.source)
        if self.append:
            own &= records["key"].isin(new["key"]).to_numpy()
            new = _completed(new, records[own])
        kept = records[~own]
        return pd.concat([new, kept], ignore_index=True) if len(kept) else new


def _completed(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """The new records, with the old value wherever the new has none."""
    there = old.set_index("key").reindex(new["key"])
    names = [name for name in old.columns if name not in IDENTITY]
    columns = {name: new[name] if name in new else pd.Series(None, index=new.index, dtype=object) for name in names}
    filled = {name: column.where(column.notna(), there[name].to_numpy()) for name, column in columns.items()}
    return new.assign(**filled)


def _fuse_label(
    known: Known, sources: Sequence[Brought], change: _Change
) -> tuple[NodePlan, LabelReport, "pd.Series[str]"]:
    """The plan of one label, its report, and the final id of each incoming node by its native id."""
    label = change.label
    names = properties(label, sources)
    empty = pd.DataFrame({"id": pd.Series(dtype=object), "keys": pd.Series(dtype=object)})
    nodes = known.nodes.get(label, empty)
    before = stored_records(label, nodes, known.sources)
    after = change.apply(before.drop(columns="node")).reindex(columns=[*IDENTITY, *names])
    after = after.astype({"shared": bool}).assign(**{name: objects(after[name]) for name in names})
    resolved = resolve(label, after, sources, names)
    node_plan = plan(NodeType(label, names), sources, Stored(nodes, before), after, resolved)
    report = label_report(label, change.source, before["key"], after, resolved)
    own = (after["source"] == change.source).to_numpy()
    ids = resolved.nodes["id"].to_numpy()[resolved.node[own]]
    return node_plan, report, pd.Series(ids, index=pd.Index(after["native"][own], dtype="str"), dtype="str")
