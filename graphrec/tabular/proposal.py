"""Proposes a TOML specification for undescribed files, with evidence and open questions (`graphrec sniff`)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graphrec.errors import DataError
from graphrec.schema import ITEM, USER
from graphrec.tabular.column_roles import infer_roles
from graphrec.tabular.inference import (
    foreign_keys,
    joins,
    lexicon,
    name_semantics,
    rating_matrices,
    shared_ids,
    split_times,
    table_discovery,
    table_queries,
    table_unions,
    titles,
    toml_writer,
)
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.table_roles import ColumnFinding, TableRoles
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput

#: Maximum number of questions shown.
_MAX_QUESTIONS = 20


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


@dataclass(frozen=True)
class Proposal:
    """The proposed TOML text, a report on each table, open questions, and files that could not be read."""

    toml: str
    tables: tuple[TableReport, ...]
    questions: tuple[str, ...]
    unread: tuple[str, ...] = ()


def propose(paths: Sequence[Path | str], folder: Path) -> str:
    """The proposed text of a TOML file in `folder` that describes the files.

    Raises:
        DataError: there is no file, or none can be read.
    """
    return examine(paths, folder).toml


def examine(paths: Sequence[Path | str], folder: Path) -> Proposal:
    """The proposal for files, folders, patterns or database URLs; paths in its TOML text are relative to `folder`.

    Raises:
        DataError: there is no file, or none can be read.
    """
    if not paths:
        raise DataError("no file to look at; give at least one")
    found, unread = table_discovery.find_tables(paths, folder)
    tables = table_unions.union_files(found)
    tables = joins.join_order_lines(tables, foreign_keys.infer_from_keys(tables))
    hints = foreign_keys.infer_from_keys(tables)
    seen = [
        (table, rating_matrices.infer_matrix_roles(table) or infer_roles(table, hint))
        for table, hint in zip(tables, hints, strict=True)
    ]
    seen = [_timed(table, role, hint) for (table, role), hint in zip(seen, hints, strict=True)]
    seen = _labelled(seen)
    plan = _TomlBuilder(folder, seen, shared_ids.find_shared_labels(seen, folder))
    blocks = list(plan.blocks())
    asks = [(table.shown, ask) for table, role in seen for ask in role.questions]
    questions = [f"{name}: {ask}" for name, ask in dict.fromkeys(asks)]
    questions += [f"{name}: {ask}" for name, ask in plan.questions]
    head = [
        "# Proposed by `graphrec sniff` from the first rows of each file; review and correct it.",
        f"name = {toml_writer.format_text(_source_name(paths))}  # name of the source in the graph",
        'licence = ""  # fill in: the licence of the data',
    ]
    head += [f"# Not read: {toml_writer.format_comment(reason)}" for reason in unread]
    shown = questions[:_MAX_QUESTIONS]
    head += [f"# Question {number}: {toml_writer.format_comment(ask)}" for number, ask in enumerate(shown, 1)]
    text = "\n".join(head + [line for block in blocks for line in ["", *block]]) + "\n"
    return Proposal(text, tuple(plan.described), tuple(shown), tuple(unread))


ProfiledTable = tuple[TableProfile, TableRoles]


def _timed(table: TableProfile, role: TableRoles, hint: Mapping[str, name_semantics.NameMeaning]) -> ProfiledTable:
    """The table with date and time columns combined into one, if there are several."""
    if role.kind != "behaviour":
        return table, role
    made = split_times.combine_time_columns(table, role.time.column if role.time else None)
    return (table, role) if made is None else (made, infer_roles(made, hint))


def _labelled(seen: Sequence[ProfiledTable]) -> list[ProfiledTable]:
    """The tables with a label for each node table, from ids shared with other tables or the name of its key."""
    made = []
    for table, role in seen:
        if role.kind == "nodes" and not role.ends[0][0]:
            label = _label(table, role, seen)
            role = replace(role, ends=((label, role.ends[0][1]),)) if label else replace(role, kind="unknown")
            if label != ITEM:
                role = replace(role, groups={}, rest=(*role.rest, *role.groups))
        made.append((table, role))
    return made


def _label(table: TableProfile, role: TableRoles, seen: Sequence[ProfiledTable]) -> str:
    column = role.ends[0][1]
    meaning = name_semantics.interpret_name(column)
    entity, called = name_semantics.interpret_file_name(table.name)
    if entity == "group" and name_semantics.fold(column) in ("id", "key", "code"):
        meaning = name_semantics.NameMeaning("group", called, "id", 2)  # the id of tags.csv is that of a tag
    if entity in ("user", "item") and not name_semantics.find_relation(table.name):
        return USER if entity == "user" else ITEM
    if meaning.entity == "group":
        label = name_semantics.find_group_type(meaning.word)[0]
        led = {group.label for _, its in seen for group in its.groups.values()} | {
            end for _, its in seen for end, _ in its.ends
        }
        return label if label in led else ""
    own = set(table.columns[column].values.dropna())
    shared = {USER: 0, ITEM: 0}
    groups: dict[str, int] = {}
    for other, its in seen:
        if its.kind in ("behaviour", "social"):
            for label, end in its.ends:
                shared[label] = max(shared[label], len(own.intersection(other.columns[end].values.dropna())))
        for name, group in its.groups.items():
            same = len(own.intersection(other.columns[name].values.dropna())) if not group.split else 0
            groups[group.label] = max(groups.get(group.label, 0), same)
    best = max(shared, key=lambda label: shared[label])
    if shared[best] and not any(count >= shared[best] for count in groups.values()):
        return best
    if groups and max(groups.values()):
        return max(groups, key=lambda label: groups[label])
    if any(
        "price" in name_semantics.tokenize(name) or "preis" in name_semantics.tokenize(name) for name in table.columns
    ):
        return ITEM
    return ""


class _TomlBuilder:
    """Builds the tables of the proposed TOML text, and collects reports and questions."""

    def __init__(
        self, folder: Path, seen: Sequence[ProfiledTable], shared: Mapping[str, shared_ids.SharedLabel]
    ) -> None:
        self.folder, self.seen, self.shared = folder, seen, shared
        self.done: set[str] = set()
        self.first: dict[str, str] = {}
        self.described: list[TableReport] = []
        self.questions = [(found.source, found.question) for found in shared.values()]
        self.labels = {label for _, role in seen if role.kind == "nodes" for label, _ in role.ends}

    def blocks(self) -> Iterator[list[str]]:
        """The lines of each TOML table, node tables first."""
        node_tables = [pair for pair in self.seen if pair[1].kind == "nodes"]
        for label in dict.fromkeys(role.ends[0][0] for _, role in node_tables):
            yield from self._nodes(label, [pair for pair in node_tables if pair[1].ends[0][0] == label])
        edges = [pair for pair in self.seen if pair[1].kind in ("behaviour", "social", "pairs")]
        for end, label in enumerate((USER, ITEM)):
            if label not in self.labels:
                yield from self._nodes_of_edges(label, end, [pair for pair in edges if pair[1].kind == "behaviour"])
        for table, role in edges:
            yield from self._edges(table, role)
        for table, role in self.seen:
            if role.kind == "unknown":
                yield list(_unknown(table, self.folder))
                self._say(table, role, "unknown: its columns were not recognised", 0.0)

    # -- nodes

    def _nodes(self, label: str, found: list[ProfiledTable]) -> Iterator[list[str]]:
        """The table of a label; columns of further files about the same nodes are joined to the first file."""
        found = sorted(found, key=lambda pair: (not _is_titled(pair[0]), -len(pair[0].columns)))
        table, role = found[0]
        for other, its in found[1:]:
            column = role.ends[0][1]
            made = joins.join_node_tables(table, column, [(other, its.ends[0][1])])
            if made is None or not set(other.columns) - {its.ends[0][1]} - set(table.columns):
                shown = toml_writer.format_comment(f"{other.shown} ({', '.join(other.columns)})")
                yield [
                    f"# {shown} has rows of {label} too, but a label has one table:",
                    "# join the two first if you want its columns.",
                ]
                self._say(other, its, f"rows of {label}, which has a table already", 0.6)
                continue
            new = [name for name in made.columns if name not in table.columns]
            groups = {
                name: group
                for name, group in its.groups.items()
                if name in new and group.relation not in {g.relation for g in role.groups.values()}
            }
            role = replace(
                role, rest=(*role.rest, *(n for n in new if n not in groups)), groups={**role.groups, **groups}
            )
            table = made
            self._say(other, its, f"more columns of {label}, joined by {its.ends[0][1]}", 0.9)
        first, its = found[0]
        self._say(first, its, f"nodes: {label}", 0.95)
        yield self._node_block(table, label, role.ends[0][1], role.rest)
        for name, group in role.groups.items():
            yield from self._group_block(table, label, role.ends[0][1], name, group.label, group.relation, group.split)

    def _node_block(self, table: TableProfile, label: str, column: str, rest: Sequence[str]) -> list[str]:
        self.done.add(f"nodes.{label}")
        columns = [table.columns[name] for name in rest if name in table.columns]
        used = [table.columns[column], *columns]
        block = [f"[nodes.{label}]", *toml_writer.format_input(table.input, used, self.folder, table.headerless)]
        block.append(f"id = {toml_writer.format_text(column)}")
        title = titles.find_title_column(columns, table.columns[column].num_distinct) if label == ITEM else None
        line, _ = toml_writer.format_properties(columns, None, toml_writer.find_notation(used), title=title)
        block += [line] if line else []
        if (found := self.shared.get(label)) and found.certain:
            other = toml_writer.format_comment(found.source)
            block.append(f"shared = true  # ids are the same as in {other}, which must declare it, too")
        block.append('repeated = "first"  # of several rows with the same id: the first value of each property')
        return block

    def _group_block(
        self, table: TableProfile, label: str, column: str, name: str, group: str, relation: str, split: str
    ) -> Iterator[list[str]]:
        if f"edges.{relation}" in self.done or name not in table.columns:
            return
        self.done.add(f"edges.{relation}")
        used = [table.columns[column], table.columns[name]]
        block = [f"[edges.{relation}]", *toml_writer.format_input(table.input, used, self.folder, table.headerless)]
        block.append(f"from = {toml_writer.format_text(f'{label}:{column}')}")
        block.append(f"to = {toml_writer.format_text(f'{group}:{name}')}")
        if split:
            block.append(f"split = {toml_writer.format_text(split)}")
        block.append('repeated = "first"')
        block.append('dangling = "add"' if group in self.labels or label not in self.labels else 'dangling = "drop"')
        yield block

    def _nodes_of_edges(self, label: str, end: int, edges: Sequence[ProfiledTable]) -> Iterator[list[str]]:
        """The node table of users or items whose properties are columns of a behaviour table (the one with most)."""
        mine = [(t, r, r.of_user if end == 0 else r.of_item) for t, r in edges]
        best = max(mine, key=lambda part: len(part[2]), default=None)
        shared = label in self.shared and self.shared[label].certain
        if best and (best[2] or shared):
            table, role, names = best
            self.labels.add(label)
            yield self._node_block(table, label, role.ends[end][1], names)
        if end == 1:
            for table, role in edges:
                for name, group in role.groups.items():
                    yield from self._group_block(
                        table, label, role.ends[1][1], name, group.label, group.relation, group.split
                    )

    # -- edges

    def _edges(self, table: TableProfile, role: TableRoles) -> Iterator[list[str]]:
        """One edge table, or one per event, or one for rated and one for unrated rows."""
        (source, _), (target, _) = role.ends
        name = role.relation or "VIEWED"
        self._say(table, role, f"{name}: {source} → {target}", role.confidence)
        if role.events and role.event and len(role.events) == 1 and table.columns[role.event].num_distinct == 1:
            yield self._edge_block(table, replace(role, relation=next(iter(role.events)), event=None), None)
        elif role.events and role.event:
            for relation, values in role.events.items():
                mine = table.columns[role.event].values.isin(values)
                rest = tuple(name for name in role.rest if table.columns[name].values[mine].notna().any())
                single = replace(role, relation=relation, rest=rest)
                yield self._edge_block(table, single, (role.event, values, ""))
        elif role.unrated and role.rating and 0 < len(role.unrated.rated) <= 21:
            remark = f"  # not rated: {role.unrated.value}"
            yield self._edge_block(table, role, (role.rating, role.unrated.rated, remark))
            others = replace(
                role,
                relation="INTERACTED",
                rating=None,
                rest=tuple(n for n in role.rest if n != role.rating),
                confidence=1.0,
            )
            yield self._edge_block(table, others, (role.rating, [role.unrated.value], "  # not rated"))
        else:
            yield self._edge_block(table, role, None)

    def _edge_block(
        self, table: TableProfile, role: TableRoles, where: tuple[str, Sequence[str], str] | None
    ) -> list[str]:
        """The lines of one edge table; `where` has the column, values and comment of its row filter."""
        relation, heading = self._relation(role, table.shown)
        rest = [name for name in role.rest if name in table.columns and not self._is_taken(name, role)]
        columns = [table.columns[name] for name in rest]
        weight = [table.columns[role.weight]] if role.weight else []
        timed = [table.columns[role.time.column]] if role.time else []
        ends_ = [table.columns[column] for _, column in role.ends]
        used = [*ends_, *columns, *weight, *timed]
        signs = toml_writer.find_notation(used)
        evidence = f"# {table.shown}: {role.reason} ({role.confidence:.0%})" if role.reason and role.relation else ""
        block = [toml_writer.format_comment(evidence)] if evidence else []
        source = table.input
        if where and not isinstance(source, FileInput):
            source = replace(source, sql=table_queries.filter_query(source, where[0], where[1]))
        block += [heading, *toml_writer.format_input(source, used, self.folder, table.headerless)]
        if where and isinstance(source, FileInput):
            block.append(f"where = {{ {toml_writer.format_key(where[0])} = {_list(where[1])} }}{where[2]}")
        for key, (label, column) in zip(("from", "to"), role.ends, strict=True):
            block.append(f"{key} = {toml_writer.format_text(f'{label}:{column}')}")
        if ends_[1].split and role.kind == "behaviour":
            block.append(f"split = {toml_writer.format_text(ends_[1].split)}")
        weight_name = toml_writer.make_property_name(role.weight) if role.weight else ""
        line, names = toml_writer.format_properties(columns, role.rating, signs, [weight_name] if role.weight else [])
        block += [line] if line else []
        tags = [name for name in rest if name_semantics.fold(name) in lexicon.TAGS]
        if tags and relation == "TAGGED":
            block.append(f"key = [{toml_writer.format_text(names[tags[0]])}]  # a user may give an item several tags")
        if role.time:
            block.append(f"time = {toml_writer.format_time(role.time, role.zoned)}")
        if role.weight:
            block.append(f"weight = {_weight(weight[0], weight_name)}")
        block += _ranges(role, names, weight_name)
        if role.weight:
            block.append('repeated = "sum"  # rows of the same user and item are summed')
        elif role.time:
            block += ['repeated = "last"  # of rows of the same user and item the latest is kept', 'by = "timestamp"']
        else:
            block.append('repeated = "first"  # of rows of the same user and item the first is kept')
        if self.labels & {label for label, _ in role.ends}:
            block.append('dangling = "add"  # ids missing in the other files become nodes without properties')
        return block

    def _relation(self, role: TableRoles, shown: str) -> tuple[str, str]:
        """The relationship type and heading of an edge table; asks a question if an earlier table has the same type."""
        relation = role.relation or "VIEWED"
        if not role.relation:
            remark = "  # fill in: PURCHASED, RATED, LISTENED …; the file does not indicate what users did"
        elif role.confidence < 0.7:
            remark = f"  # is it {relation}? {role.reason}"
        else:
            remark = ""
        base, number = relation, 2
        while f"edges.{relation}" in self.done:
            relation, number = f"{base}_{number}", number + 1
        self.done.add(f"edges.{relation}")
        if relation == base:
            self.first[base] = shown
        elif role.relation:
            ask = (
                f"{base} is in {self.first[base]}, too: if these are the same events, leave one table out; otherwise "
                f"rename {relation}"
            )
            self.questions.append((shown, ask))
        return relation, f"[edges.{relation}]{toml_writer.format_comment(remark)}"

    def _is_taken(self, name: str, role: TableRoles) -> bool:
        """Whether a column is a property of the user or item, and not of the edge."""
        return name in role.of_item or name in role.of_user

    def _say(self, table: TableProfile, role: TableRoles, what: str, sure: float) -> None:
        left = {**(table.left_out or {}), **role.left_out}
        self.described.append(
            TableReport(table.shown, what, sure, role.reason, role.findings, tuple(left.items()), table.notes)
        )


def _weight(column: ColumnProfile, name: str) -> str:
    if name == column.name:
        return toml_writer.format_text(name)
    return f"{{ name = {toml_writer.format_text(name)}, column = {toml_writer.format_text(column.name)} }}"


def _ranges(role: TableRoles, names: dict[str, str], weight: str) -> list[str]:
    """The key `ranges`, if some numbers are known to be invalid."""
    if role.unrated and role.rating and not 0 < len(role.unrated.rated) <= 21:
        low, high = role.unrated.low, role.unrated.high
        return [f"ranges = {{ {names[role.rating]} = [{low:g}, {high:g}] }}  # not rated: {role.unrated.value}"]
    if role.negative:
        return [f"ranges = {{ {weight} = [0, inf] }}  # negative counts are returns"]
    return []


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(toml_writer.format_text, values))}]"


def _unknown(table: TableProfile, folder: Path) -> Iterator[str]:
    """Comments for a table that was not recognised."""
    name, shown = toml_writer.format_comment(table.shown), toml_writer.format_comment(", ".join(table.columns))
    yield f"# {name}: its columns ({shown}) were not recognised."
    yield "# Fill in a table such as:"
    yield "# [nodes.Item]"
    for line in toml_writer.format_input(table.input, [], folder, False):
        yield f"# {toml_writer.format_comment(line)}"
    yield f"# id = {toml_writer.format_comment(toml_writer.format_text(next(iter(table.columns))))}"


def _is_titled(file: TableProfile) -> bool:
    """Whether a table has titles of its nodes: movies.csv does, links.csv does not."""
    return any(re.search("title|name", column.casefold()) for column in file.columns)


def _source_name(paths: Sequence[Path | str]) -> str:
    first = str(paths[0])
    if "://" in first:
        stem = re.sub(r"[?#].*", "", first).rstrip("/").rpartition("/")[2].split(".")[0]
        return re.sub(r"[^\w-]+", "-", stem).strip("-") or "mine"
    path = Path(first).absolute()
    stem = path.name.split(".")[0] if len(paths) == 1 and not re.search(r"[*?\[]", path.name) else path.parent.name
    return re.sub(r"[^\w-]+", "-", stem).strip("-") or "mine"
