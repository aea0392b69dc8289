"""Builds the tables of a proposed TOML text from the inferred roles of files, with a report on each table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import (
    joins,
    lexicon,
    name_semantics,
    shared_ids,
    table_queries,
    titles,
    toml_writer,
)
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.table_roles import ColumnFinding, TableRoles
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput


@dataclass(frozen=True)
class TableReport:
    """Report on one table: its name, what it was recognised as, and the evidence for each column."""

    name: str
    what: str
    confidence: float
    reason: str
    findings: tuple[ColumnFinding, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


#: A table with the roles of its columns.
ProfiledTable = tuple[TableProfile, TableRoles]


class TomlBuilder:
    """Builds the tables of the proposed TOML text, and collects `reports` and `questions` (table, question)."""

    def __init__(
        self, folder: Path, profiled: Sequence[ProfiledTable], shared: Mapping[str, shared_ids.SharedLabel]
    ) -> None:
        self.folder, self.profiled, self.shared = folder, profiled, shared
        self.reports: list[TableReport] = []
        self.questions = [(each.source, each.question) for each in shared.values()]
        self.written: set[str] = set()  # tables of the TOML text so far, such as `nodes.User`
        self.first: dict[str, str] = {}  # the file of the first table of each relationship type
        self.labels = {label for _, role in profiled if role.kind == "nodes" for label, _ in role.ends}

    def blocks(self) -> Iterator[list[str]]:
        """The lines of each TOML table, node tables first."""
        node_tables = [pair for pair in self.profiled if pair[1].kind == "nodes"]
        for label in dict.fromkeys(role.ends[0][0] for _, role in node_tables):
            yield from self._build_node_tables(label, [pair for pair in node_tables if pair[1].ends[0][0] == label])
        edges = [pair for pair in self.profiled if pair[1].kind in ("behaviour", "social", "pairs")]
        for end, label in enumerate((USER, ITEM)):
            if label not in self.labels:
                yield from self._build_nodes_of_edges(
                    label, end, [pair for pair in edges if pair[1].kind == "behaviour"]
                )
        for table, role in edges:
            yield from self._build_edge_tables(table, role)
        for table, role in self.profiled:
            if role.kind == "unknown":
                yield list(_comment_unknown(table, self.folder))
                self._add_report(table, role, "unknown: its columns were not recognised", 0.0)

    # -- nodes

    def _build_node_tables(self, label: str, tables: list[ProfiledTable]) -> Iterator[list[str]]:
        """The table of a label; columns of further files about the same nodes are joined to the first file."""
        tables = sorted(tables, key=lambda pair: (not _has_titles(pair[0]), -len(pair[0].columns)))
        table, role = tables[0]
        for other, other_role in tables[1:]:
            column, other_column = role.ends[0][1], other_role.ends[0][1]
            joined = joins.join_node_tables(table, column, [(other, other_column)])
            if joined is None or not set(other.columns) - {other_column} - set(table.columns):
                shown = toml_writer.format_comment(f"{other.shown} ({', '.join(other.columns)})")
                yield [
                    f"# {shown} has rows of {label} too, but a label has one table:",
                    "# join the two first if you want its columns.",
                ]
                self._add_report(other, other_role, f"rows of {label}, which has a table already", 0.6)
                continue
            new = [name for name in joined.columns if name not in table.columns]
            groups = {
                name: group
                for name, group in other_role.groups.items()
                if name in new and group.relation not in {g.relation for g in role.groups.values()}
            }
            role = replace(
                role, rest=(*role.rest, *(n for n in new if n not in groups)), groups={**role.groups, **groups}
            )
            table = joined
            self._add_report(other, other_role, f"more columns of {label}, joined by {other_column}", 0.9)
        self._add_report(*tables[0], f"nodes: {label}", 0.95)
        yield self._build_node_table(table, label, role.ends[0][1], role.rest)
        for name, group in role.groups.items():
            yield from self._build_group_edges(
                table, label, role.ends[0][1], name, group.label, group.relation, group.split
            )

    def _build_node_table(self, table: TableProfile, label: str, column: str, rest: Sequence[str]) -> list[str]:
        self.written.add(f"nodes.{label}")
        columns = [table.columns[name] for name in rest if name in table.columns]
        used = [table.columns[column], *columns]
        block = [f"[nodes.{label}]", *toml_writer.format_input(table.input, used, self.folder, table.headerless)]
        block.append(f"id = {toml_writer.format_text(column)}")
        title = titles.find_title_column(columns, table.columns[column].num_distinct) if label == ITEM else None
        line, _ = toml_writer.format_properties(columns, None, toml_writer.find_notation(used), title=title)
        block += [line] if line else []
        if (shared := self.shared.get(label)) and shared.certain:
            other = toml_writer.format_comment(shared.source)
            block.append(f"shared = true  # ids are the same as in {other}, which must declare it, too")
        block.append('repeated = "first"  # of several rows with the same id: the first value of each property')
        return block

    def _build_group_edges(
        self, table: TableProfile, label: str, column: str, name: str, group: str, relation: str, split: str
    ) -> Iterator[list[str]]:
        if f"edges.{relation}" in self.written or name not in table.columns:
            return
        self.written.add(f"edges.{relation}")
        used = [table.columns[column], table.columns[name]]
        block = [f"[edges.{relation}]", *toml_writer.format_input(table.input, used, self.folder, table.headerless)]
        block.append(f"from = {toml_writer.format_text(f'{label}:{column}')}")
        block.append(f"to = {toml_writer.format_text(f'{group}:{name}')}")
        if split:
            block.append(f"split = {toml_writer.format_text(split)}")
        block.append('repeated = "first"')
        block.append('dangling = "add"' if group in self.labels or label not in self.labels else 'dangling = "drop"')
        yield block

    def _build_nodes_of_edges(self, label: str, end: int, edges: Sequence[ProfiledTable]) -> Iterator[list[str]]:
        """The node table of users or items, with properties from the behaviour table that has most of them."""
        candidates = [(t, r, r.of_user if end == 0 else r.of_item) for t, r in edges]
        best = max(candidates, key=lambda candidate: len(candidate[2]), default=None)
        shared = label in self.shared and self.shared[label].certain
        if best and (best[2] or shared):
            table, role, names = best
            self.labels.add(label)
            yield self._build_node_table(table, label, role.ends[end][1], names)
        if end == 1:
            for table, role in edges:
                for name, group in role.groups.items():
                    yield from self._build_group_edges(
                        table, label, role.ends[1][1], name, group.label, group.relation, group.split
                    )

    # -- edges

    def _build_edge_tables(self, table: TableProfile, role: TableRoles) -> Iterator[list[str]]:
        """One edge table, or one per event, or one for rated and one for unrated rows."""
        (source, _), (target, _) = role.ends
        name = role.relation or "VIEWED"
        self._add_report(table, role, f"{name}: {source} → {target}", role.confidence)
        if role.events and role.event and len(role.events) == 1 and table.columns[role.event].num_distinct == 1:
            yield self._build_edge_table(table, replace(role, relation=next(iter(role.events)), event=None), None)
        elif role.events and role.event:
            for relation, values in role.events.items():
                is_event = table.columns[role.event].values.isin(values)
                rest = tuple(name for name in role.rest if table.columns[name].values[is_event].notna().any())
                single = replace(role, relation=relation, rest=rest)
                yield self._build_edge_table(table, single, (role.event, values, ""))
        elif role.unrated and role.rating and 0 < len(role.unrated.rated) <= 21:
            remark = f"  # not rated: {role.unrated.value}"
            yield self._build_edge_table(table, role, (role.rating, role.unrated.rated, remark))
            unrated = replace(
                role,
                relation="INTERACTED",
                rating=None,
                rest=tuple(n for n in role.rest if n != role.rating),
                confidence=1.0,
            )
            yield self._build_edge_table(table, unrated, (role.rating, [role.unrated.value], "  # not rated"))
        else:
            yield self._build_edge_table(table, role, None)

    def _build_edge_table(
        self, table: TableProfile, role: TableRoles, where: tuple[str, Sequence[str], str] | None
    ) -> list[str]:
        """The lines of one edge table; `where` has the column, values and comment of its row filter."""
        relation, heading = self._choose_relation(role, table.shown)
        rest = [name for name in role.rest if name in table.columns and not self._is_taken(name, role)]
        columns = [table.columns[name] for name in rest]
        weight = [table.columns[role.weight]] if role.weight else []
        time = [table.columns[role.time.column]] if role.time else []
        ends = [table.columns[column] for _, column in role.ends]
        used = [*ends, *columns, *weight, *time]
        notation = toml_writer.find_notation(used)
        evidence = f"# {table.shown}: {role.reason} ({role.confidence:.0%})" if role.reason and role.relation else ""
        block = [toml_writer.format_comment(evidence)] if evidence else []
        source = table.input
        if where and not isinstance(source, FileInput):
            source = replace(source, sql=table_queries.filter_query(source, where[0], where[1]))
        block += [heading, *toml_writer.format_input(source, used, self.folder, table.headerless)]
        if where and isinstance(source, FileInput):
            block.append(f"where = {{ {toml_writer.format_key(where[0])} = {_format_list(where[1])} }}{where[2]}")
        for key, (label, column) in zip(("from", "to"), role.ends, strict=True):
            block.append(f"{key} = {toml_writer.format_text(f'{label}:{column}')}")
        if ends[1].split and role.kind == "behaviour":
            block.append(f"split = {toml_writer.format_text(ends[1].split)}")
        weight_name = toml_writer.make_property_name(role.weight) if role.weight else ""
        line, names = toml_writer.format_properties(
            columns, role.rating, notation, [weight_name] if role.weight else []
        )
        block += [line] if line else []
        tags = [name for name in rest if name_semantics.fold(name) in lexicon.TAGS]
        if tags and relation == "TAGGED":
            block.append(f"key = [{toml_writer.format_text(names[tags[0]])}]  # a user may give an item several tags")
        if role.time:
            block.append(f"time = {toml_writer.format_time(role.time, role.zoned)}")
        if role.weight:
            block.append(f"weight = {_format_weight(weight[0], weight_name)}")
        block += _format_ranges(role, names, weight_name)
        if role.weight:
            block.append('repeated = "sum"  # rows of the same user and item are summed')
        elif role.time:
            block += ['repeated = "last"  # of rows of the same user and item the latest is kept', 'by = "timestamp"']
        else:
            block.append('repeated = "first"  # of rows of the same user and item the first is kept')
        if self.labels & {label for label, _ in role.ends}:
            block.append('dangling = "add"  # ids missing in the other files become nodes without properties')
        return block

    def _choose_relation(self, role: TableRoles, shown: str) -> tuple[str, str]:
        """The relationship type and heading of an edge table; asks a question if an earlier table has the same type."""
        relation = role.relation or "VIEWED"
        if not role.relation:
            remark = "  # fill in: PURCHASED, RATED, LISTENED …; the file does not indicate what users did"
        elif role.confidence < 0.7:
            remark = f"  # is it {relation}? {role.reason}"
        else:
            remark = ""
        base, number = relation, 2
        while f"edges.{relation}" in self.written:
            relation, number = f"{base}_{number}", number + 1
        self.written.add(f"edges.{relation}")
        if relation == base:
            self.first[base] = shown
        elif role.relation:
            question = (
                f"{base} is in {self.first[base]}, too: if these are the same events, leave one table out; otherwise "
                f"rename {relation}"
            )
            self.questions.append((shown, question))
        return relation, f"[edges.{relation}]{toml_writer.format_comment(remark)}"

    def _is_taken(self, name: str, role: TableRoles) -> bool:
        """Whether a column is a property of the user or item, and not of the edge."""
        return name in role.of_item or name in role.of_user

    def _add_report(self, table: TableProfile, role: TableRoles, what: str, confidence: float) -> None:
        left_out = {**(table.left_out or {}), **role.left_out}
        self.reports.append(
            TableReport(table.shown, what, confidence, role.reason, role.findings, tuple(left_out.items()), table.notes)
        )


def _format_weight(column: ColumnProfile, name: str) -> str:
    if name == column.name:
        return toml_writer.format_text(name)
    return f"{{ name = {toml_writer.format_text(name)}, column = {toml_writer.format_text(column.name)} }}"


def _format_ranges(role: TableRoles, names: dict[str, str], weight: str) -> list[str]:
    """The key `ranges`, if some numbers are known to be invalid."""
    if role.unrated and role.rating and not 0 < len(role.unrated.rated) <= 21:
        low, high = role.unrated.low, role.unrated.high
        return [f"ranges = {{ {names[role.rating]} = [{low:g}, {high:g}] }}  # not rated: {role.unrated.value}"]
    if role.negative:
        return [f"ranges = {{ {weight} = [0, inf] }}  # negative counts are returns"]
    return []


def _format_list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(toml_writer.format_text, values))}]"


def _comment_unknown(table: TableProfile, folder: Path) -> Iterator[str]:
    """Comments for a table that was not recognised."""
    name, shown = toml_writer.format_comment(table.shown), toml_writer.format_comment(", ".join(table.columns))
    yield f"# {name}: its columns ({shown}) were not recognised."
    yield "# Fill in a table such as:"
    yield "# [nodes.Item]"
    for line in toml_writer.format_input(table.input, [], folder, False):
        yield f"# {toml_writer.format_comment(line)}"
    yield f"# id = {toml_writer.format_comment(toml_writer.format_text(next(iter(table.columns))))}"


def _has_titles(file: TableProfile) -> bool:
    """Whether a table has titles of its nodes: movies.csv does, links.csv does not."""
    return any(re.search("title|name", column.casefold()) for column in file.columns)
