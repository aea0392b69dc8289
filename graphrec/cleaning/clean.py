"""From frames with any defect to checked tables, with a report of all that was done on the way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import pandas as pd
import pyarrow.compute as pc

from graphrec.cleaning import duplicates, values
from graphrec.cleaning.casting import arrow
from graphrec.cleaning.float_ids import whole_ids
from graphrec.cleaning.load_context import current_load
from graphrec.cleaning.rejected_rows import rejected_rows, require_rows_of_each_file
from graphrec.cleaning.rules import CleaningRules
from graphrec.cleaning.text import repair_text
from graphrec.cleaning.working_table import WorkingTable, shortened
from graphrec.cleaning_report import CleaningReport
from graphrec.errors import DataError, UnknownNameError, first_few
from graphrec.schema import EdgeType, LinkRule, NodeType, Triple
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Repeats, Source

#: Types without a place for missing values, and those that have one.
_NULLABLE = {"int64": "Int64", "bool": "boolean"}


def clean(
    nodes: Sequence[tuple[NodeType, pd.DataFrame]],
    edges: Sequence[tuple[EdgeType, pd.DataFrame]],
    sources: Sequence[Source],
    rules: Mapping[str, CleaningRules] | None = None,
    links: Sequence[LinkRule] = (),
) -> GraphTables:
    """Checked tables of the rows that the rules accept, with what was done to the others in `.cleaning`.

    `rules` are keyed by label or relationship type; without a rule a table gets those of `CleaningRules()`. Ids may be
    numbers, and become text. A label that no node frame has is made from the ends of the edges that are left. The
    tables have the columns of their types and no others.

    Raises:
        UnknownNameError: a rule is for a label or relationship type that no frame has.
        DataError: a column is missing, or something is left that the tables refuse.
    """
    drafts = [*(_begun(kind, frame) for kind, frame in nodes), *(_begun(kind, frame) for kind, frame in edges)]
    given = rules or {}
    names = [working.name for working in drafts]
    for name in given:
        if name not in names:
            raise UnknownNameError("table", name, names, "rules are keyed by label or relationship type")
    ruled = [(working, given.get(working.name, CleaningRules())) for working in drafts]
    return clean_drafts(ruled[: len(nodes)], ruled[len(nodes) :], sources, links)


def clean_drafts(
    nodes: Iterable[tuple[WorkingTable, CleaningRules]],
    edges: Iterable[tuple[WorkingTable, CleaningRules]],
    sources: Sequence[Source],
    links: Sequence[LinkRule] = (),
) -> GraphTables:
    """As `clean`, of drafts to which something was done before, each with its own rules."""
    ruled = [(_with_texts(working, rules), rules) for working, rules in chain(nodes, edges)]
    # What ids are is a matter of all tables: an edge must name its node as the node's table does.
    left = list(zip(whole_ids([working for working, _ in ruled], links), [rules for _, rules in ruled], strict=True))
    del ruled
    node_drafts: dict[str, WorkingTable] = {}
    repeated: dict[str | Triple, Repeats] = {}
    edge_drafts: list[WorkingTable] = []
    while left:  # each is let go once it is done: together they are as large as the source
        working, rules = left.pop(0)
        working = _ruled(working, rules)
        if isinstance(working.type, NodeType):
            if working.name in node_drafts:
                raise DataError(f"label {working.name} has two tables; put its rows into one")
            node_drafts[working.name] = working
            repeated[working.name] = Repeats(rules.repeated, rules.by, rules.combined)
            continue
        node_drafts = _with_known_ends(node_drafts, working, sources)
        node_drafts, ended = _joined(node_drafts, working, rules)
        edge_drafts.append(ended)
        assert isinstance(working.type, EdgeType)
        repeated[working.type.triple] = Repeats(rules.repeated, rules.by, rules.combined)
    every = [*node_drafts.values(), *edge_drafts]
    return GraphTables(
        (*(_node_table(working) for working in node_drafts.values()), *_derived(node_drafts, edge_drafts)),
        tuple(_edge_table(working) for working in edge_drafts),
        tuple(sources),
        tuple(links),
        CleaningReport(tuple(working.count for working in every), rejected_rows(every)),
        repeated,
    )


def require_nothing_rejected(report: CleaningReport) -> None:
    """Raise DataError naming table, rule, number and examples where the report has rejected rows."""
    parts = [
        f"{table.name} lost {rule.rows:,} of {table.rows:,} rows by rule '{rule.rule}' ({first_few(rule.examples)})"
        for table in report.tables
        for rule in table.rules
        if rule.action == "dropped"
    ]
    if parts:
        raise DataError(f"{'; '.join(parts)}; correct these rows, or load without --strict to leave them out")


def _begun(kind: NodeType | EdgeType, frame: pd.DataFrame) -> WorkingTable:
    working = WorkingTable(kind, frame.reset_index(drop=True), len(frame))
    wanted = [*working.ids, *kind.properties, *((kind.key or ()) if isinstance(kind, EdgeType) else ())]
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        raise DataError(
            f"{working.name}: the table has no column {first_few(missing)}; it has {first_few(frame.columns, 20)}"
        )
    return working


def _with_texts(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table with ids as text and repaired texts; DataError if a rule names a missing column."""
    missing = sorted(rules.columns() - set(working.frame.columns))
    if missing:
        raise DataError(
            f"{working.name}: the rules name column {first_few(missing)}, but the table has "
            f"{first_few(working.frame.columns, 20)}"
        )
    return repair_text(values.ids_as_text(working), rules.text)


def _ruled(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table after the other rules that look at its own rows only."""
    working = values.require_types(values.require_values(working, rules), rules)
    working = values.require_possible_times(values.require_ranges(working, rules), rules)
    if not current_load().allow_removal:
        require_rows_of_each_file(working)
    return duplicates.merge_repeated(values.require_others(working, rules), rules)


def _with_known_ends(
    nodes: dict[str, WorkingTable], edges: WorkingTable, sources: Sequence[Source]
) -> dict[str, WorkingTable]:
    """The node drafts with a row for each end that is no row of theirs, but a node that the graph has of the source.

    Nothing but the id is known in these rows, so nothing of the node changes; without them its edges would dangle.
    """
    kind, in_graph = edges.type, current_load().in_graph
    assert isinstance(kind, EdgeType)
    if in_graph is None:
        return nodes
    for end, label in zip(ENDS, (kind.source, kind.target), strict=True):
        if label not in nodes:
            continue
        known = pc.is_in(arrow(edges.frame[end]), value_set=arrow(nodes[label].frame["id"])).to_numpy()
        missing = edges.frame.loc[~known, end].drop_duplicates().reset_index(drop=True)
        found = missing[in_graph(sources[0].name, label, missing).to_numpy()] if len(missing) else missing
        if len(found):
            nodes = {**nodes, label: _with_ids(nodes[label], found.rename("id").to_frame())}
    return nodes


def _joined(
    nodes: dict[str, WorkingTable], edges: WorkingTable, rules: CleaningRules
) -> tuple[dict[str, WorkingTable], WorkingTable]:
    """The node tables, and the edge table without dangling edges, unless the rules forbid dropping them."""
    kind = edges.type
    assert isinstance(kind, EdgeType)
    if rules.dangling == "refuse":
        return nodes, edges
    for end, label in zip(ENDS, (kind.source, kind.target), strict=True):
        if label not in nodes:
            continue
        known = pc.is_in(arrow(edges.frame[end]), value_set=arrow(nodes[label].frame["id"]))
        dangling = pd.Series(~known.to_numpy())
        if rules.dangling == "drop":
            edges = edges.reject(dangling, "dangling", f"no {label} has this {end}", end)
        elif dangling.any():
            missing = edges.frame.loc[dangling, [end]].drop_duplicates().set_axis(["id"], axis=1)
            nodes = {**nodes, label: _with_nodes(nodes[label], missing, edges.name)}
    return nodes, edges


def _with_nodes(working: WorkingTable, missing: pd.DataFrame, relation: str) -> WorkingTable:
    """The working table with a row for each missing id, in which nothing else is known."""
    shown = [f"{shortened(name)}: added for {relation}" for name in missing["id"].head()]
    return _with_ids(working, missing).log("dangling", "repaired", len(missing), shown)


def _with_ids(working: WorkingTable, missing: pd.DataFrame) -> WorkingTable:
    gaps = {name: _NULLABLE[str(dtype)] for name, dtype in working.frame.dtypes.items() if str(dtype) in _NULLABLE}
    return replace(working, frame=pd.concat([working.frame.astype(gaps), missing], ignore_index=True))


def _derived(nodes: Mapping[str, WorkingTable], edges: Sequence[WorkingTable]) -> list[NodeTable]:
    """A table of ids for each label that edges end at and no frame was given for."""
    ends: dict[str, list[pd.Series[str]]] = {}
    for working in edges:
        assert isinstance(working.type, EdgeType)
        for end, label in zip(ENDS, (working.type.source, working.type.target), strict=True):
            if label not in nodes:
                ends.setdefault(label, []).append(working.frame[end])
    return [NodeTable(NodeType(label), _distinct(parts)) for label, parts in ends.items()]


def _distinct(ids: "Sequence[pd.Series[str]]") -> pd.DataFrame:
    """A column `id` with each id once."""
    every = pd.concat([part.drop_duplicates() for part in ids], ignore_index=True)
    return every.drop_duplicates().rename("id").to_frame().reset_index(drop=True)


def _node_table(working: WorkingTable) -> NodeTable:
    assert isinstance(working.type, NodeType)
    return NodeTable(working.type, working.frame[["id", *working.type.properties]])


def _edge_table(working: WorkingTable) -> EdgeTable:
    assert isinstance(working.type, EdgeType)
    columns = dict.fromkeys([*ENDS, *working.type.properties, *(working.type.key or ())])
    return EdgeTable(working.type, working.frame[list(columns)])
