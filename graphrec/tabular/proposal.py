"""A TOML file for files without a description, with the evidence for it and a question wherever it is unsure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graphrec.errors import DataError
from graphrec.schema import ITEM, USER
from graphrec.tabular.column_roles import roles
from graphrec.tabular.inference import arguments, keys, lexicon, shared_ids, split_times, titles, toml_text, wide, words
from graphrec.tabular.inference.columns import Column
from graphrec.tabular.inference.evidence import Finding, Roles
from graphrec.tabular.sniffing import Sniffed
from graphrec.tabular.spec import Files

#: Of this many questions the first are shown.
_MOST_QUESTIONS = 20


@dataclass(frozen=True)
class Described:
    """What is said of one table: how it is called, what it is, and the evidence for each column."""

    name: str
    what: str
    sure: float
    why: str
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """The text of a TOML file, what each table was found to be, what is unsure, and which files could not be read."""

    toml: str
    tables: tuple[Described, ...]
    questions: tuple[str, ...]
    unread: tuple[str, ...] = ()


def propose(paths: Sequence[Path | str], folder: Path) -> str:
    """The text of a TOML file, to lie in `folder`, that describes the files.

    Raises:
        DataError: there is no file, or none can be read.
    """
    return examine(paths, folder).toml


def examine(paths: Sequence[Path | str], folder: Path) -> Proposal:
    """What files, folders, patterns or databases hold, with a TOML file, to lie in `folder`, that describes it.

    Raises:
        DataError: there is no file, or none can be read.
    """
    if not paths:
        raise DataError("no file to look at; give at least one")
    found, unread = arguments.tables(paths, folder)
    tables = keys.united(found)
    tables = keys.joined(tables, keys.hints(tables))
    hints = keys.hints(tables)
    seen = [(table, wide.roles(table) or roles(table, hint)) for table, hint in zip(tables, hints, strict=True)]
    seen = [_timed(table, role, hint) for (table, role), hint in zip(seen, hints, strict=True)]
    seen = _labelled(seen)
    plan = _Plan(folder, seen, shared_ids.labels(seen, folder))
    blocks = list(plan.blocks())
    asks = [(table.shown, ask) for table, role in seen for ask in role.asks]
    questions = [f"{name}: {ask}" for name, ask in dict.fromkeys(asks)]
    questions += [f"{name}: {ask}" for name, ask in plan.asks]
    head = [
        "# Proposed by `graphrec sniff` from the first rows of each file; read it through, and correct it.",
        f"name = {toml_text.text(_source_name(paths))}  # what the source is called in the graph",
        'licence = ""  # fill in: what may be done with these data',
    ]
    head += [f"# Not read: {toml_text.comment(reason)}" for reason in unread]
    shown = questions[:_MOST_QUESTIONS]
    head += [f"# Question {number}: {toml_text.comment(ask)}" for number, ask in enumerate(shown, 1)]
    text = "\n".join(head + [line for block in blocks for line in ["", *block]]) + "\n"
    return Proposal(text, tuple(plan.described), tuple(shown), tuple(unread))


Seen = tuple[Sniffed, Roles]


def _timed(table: Sniffed, role: Roles, hint: Mapping[str, words.Meaning]) -> Seen:
    """The table with its time in one column, if it is in several."""
    if role.what != "behaviour":
        return table, role
    made = split_times.with_whole_times(table, role.time.column if role.time else None)
    return (table, role) if made is None else (made, roles(made, hint))


def _labelled(seen: Sequence[Seen]) -> list[Seen]:
    """The roles with a label for tables of nodes that have none, by ids that others have or the word of their key."""
    made = []
    for table, role in seen:
        if role.what == "nodes" and not role.ends[0][0]:
            label = _label(table, role, seen)
            role = replace(role, ends=((label, role.ends[0][1]),)) if label else replace(role, what="unknown")
            if label != ITEM:
                role = replace(role, groups={}, rest=(*role.rest, *role.groups))
        made.append((table, role))
    return made


def _label(table: Sniffed, role: Roles, seen: Sequence[Seen]) -> str:
    column = role.ends[0][1]
    meaning = words.meaning(column)
    entity, called = words.entity_of_file(table.name)
    if entity == "group" and words.folded(column) in ("id", "key", "code"):
        meaning = words.Meaning("group", called, "id", 2)  # the id of tags.csv is that of a tag
    if entity in ("user", "item") and not words.relation_of(table.name):
        return USER if entity == "user" else ITEM
    if meaning.what == "group":
        label = words.group(meaning.word)[0]
        led = {group.label for _, its in seen for group in its.groups.values()} | {
            end for _, its in seen for end, _ in its.ends
        }
        return label if label in led else ""
    own = set(table.columns[column].values.dropna())
    shared = {USER: 0, ITEM: 0}
    groups: dict[str, int] = {}
    for other, its in seen:
        if its.what in ("behaviour", "social"):
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
    if any("price" in words.tokens(name) or "preis" in words.tokens(name) for name in table.columns):
        return ITEM
    return ""


class _Plan:
    """The tables of the proposal, one after the other; what was taken already, and what was said."""

    def __init__(self, folder: Path, seen: Sequence[Seen], shared: Mapping[str, shared_ids.Shared]) -> None:
        self.folder, self.seen, self.shared = folder, seen, shared
        self.done: set[str] = set()
        self.first: dict[str, str] = {}
        self.described: list[Described] = []
        self.asks = [(found.source, found.ask) for found in shared.values()]
        self.labels = {label for _, role in seen if role.what == "nodes" for label, _ in role.ends}

    def blocks(self) -> Iterator[list[str]]:
        """The lines of each table: those of nodes first."""
        things = [pair for pair in self.seen if pair[1].what == "nodes"]
        for label in dict.fromkeys(role.ends[0][0] for _, role in things):
            yield from self._nodes(label, [pair for pair in things if pair[1].ends[0][0] == label])
        edges = [pair for pair in self.seen if pair[1].what in ("behaviour", "social", "pairs")]
        for end, label in enumerate((USER, ITEM)):
            if label not in self.labels:
                yield from self._nodes_of_edges(label, end, [pair for pair in edges if pair[1].what == "behaviour"])
        for table, role in edges:
            yield from self._edges(table, role)
        for table, role in self.seen:
            if role.what == "unknown":
                yield list(_unknown(table, self.folder))
                self._say(table, role, "unknown: nothing says what its columns are", 0.0)

    # -- nodes

    def _nodes(self, label: str, found: list[Seen]) -> Iterator[list[str]]:
        """The table of a label; of several files about the same things the others' columns are joined to the first."""
        found = sorted(found, key=lambda pair: (not _is_titled(pair[0]), -len(pair[0].columns)))
        table, role = found[0]
        for other, its in found[1:]:
            column = role.ends[0][1]
            made = keys.side_by_side(table, column, [(other, its.ends[0][1])])
            if made is None or not set(other.columns) - {its.ends[0][1]} - set(table.columns):
                names = toml_text.comment(", ".join(other.columns))
                yield [
                    f"# {toml_text.comment(other.shown)} ({names}) has rows of {label} too, and a label has one table:",
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

    def _node_block(self, table: Sniffed, label: str, column: str, rest: Sequence[str]) -> list[str]:
        self.done.add(f"nodes.{label}")
        columns = [table.columns[name] for name in rest if name in table.columns]
        used = [table.columns[column], *columns]
        block = [f"[nodes.{label}]", *toml_text.origin(table.origin, used, self.folder, table.headerless)]
        block.append(f"id = {toml_text.text(column)}")
        title = titles.title_column(columns, table.columns[column].distinct) if label == ITEM else None
        line, _ = toml_text.properties(columns, None, toml_text.notation(used), title=title)
        block += [line] if line else []
        if (found := self.shared.get(label)) and found.sure:
            block.append(
                f"shared = true  # an id means the same as in {toml_text.comment(found.source)}, which must say so, too"
            )
        block.append('repeated = "first"  # of rows with one id: the first value of each property that is there')
        return block

    def _group_block(
        self, table: Sniffed, label: str, column: str, name: str, group: str, relation: str, split: str
    ) -> Iterator[list[str]]:
        if f"edges.{relation}" in self.done or name not in table.columns:
            return
        self.done.add(f"edges.{relation}")
        used = [table.columns[column], table.columns[name]]
        block = [f"[edges.{relation}]", *toml_text.origin(table.origin, used, self.folder, table.headerless)]
        block.append(f"from = {toml_text.text(f'{label}:{column}')}")
        block.append(f"to = {toml_text.text(f'{group}:{name}')}")
        if split:
            block.append(f"split = {toml_text.text(split)}")
        block.append('repeated = "first"')
        block.append('dangling = "add"' if group in self.labels or label not in self.labels else 'dangling = "drop"')
        yield block

    def _nodes_of_edges(self, label: str, end: int, edges: Sequence[Seen]) -> Iterator[list[str]]:
        """The nodes whose properties the rows of behaviour hold, of the table that has most of them."""
        mine = [(t, r, r.of_user if end == 0 else r.of_item) for t, r in edges]
        best = max(mine, key=lambda part: len(part[2]), default=None)
        shared = label in self.shared and self.shared[label].sure
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

    def _edges(self, table: Sniffed, role: Roles) -> Iterator[list[str]]:
        """One table, or one for each kind of event, or one for ratings and one for what is not rated."""
        (source, _), (target, _) = role.ends
        name = role.relation or "VIEWED"
        self._say(table, role, f"{name}: {source} → {target}", role.sure)
        if role.events and role.event and len(role.events) == 1 and table.columns[role.event].distinct == 1:
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
                role, relation="INTERACTED", rating=None, rest=tuple(n for n in role.rest if n != role.rating), sure=1.0
            )
            yield self._edge_block(table, others, (role.rating, [role.unrated.value], "  # not rated"))
        else:
            yield self._edge_block(table, role, None)

    def _edge_block(self, table: Sniffed, role: Roles, where: tuple[str, Sequence[str], str] | None) -> list[str]:
        """The lines of one table; `where` is a column, the values of it that are taken, and a remark."""
        relation, heading = self._relation(role, table.shown)
        rest = [name for name in role.rest if name in table.columns and not self._is_taken(name, role)]
        columns = [table.columns[name] for name in rest]
        weight = [table.columns[role.weight]] if role.weight else []
        timed = [table.columns[role.time.column]] if role.time else []
        ends_ = [table.columns[column] for _, column in role.ends]
        used = [*ends_, *columns, *weight, *timed]
        signs = toml_text.notation(used)
        evidence = f"# {table.shown}: {role.why} ({role.sure:.0%})" if role.why and role.relation else ""
        block = [toml_text.comment(evidence)] if evidence else []
        source = table.origin
        if where and not isinstance(source, Files):
            source = replace(source, sql=keys.where(source, where[0], where[1]))
        block += [heading, *toml_text.origin(source, used, self.folder, table.headerless)]
        if where and isinstance(source, Files):
            block.append(f"where = {{ {toml_text.key(where[0])} = {_list(where[1])} }}{where[2]}")
        for key, (label, column) in zip(("from", "to"), role.ends, strict=True):
            block.append(f"{key} = {toml_text.text(f'{label}:{column}')}")
        if ends_[1].split and role.what == "behaviour":
            block.append(f"split = {toml_text.text(ends_[1].split)}")
        weight_name = toml_text.property_name(role.weight) if role.weight else ""
        line, names = toml_text.properties(columns, role.rating, signs, [weight_name] if role.weight else [])
        block += [line] if line else []
        tags = [name for name in rest if words.folded(name) in lexicon.TAGS]
        if tags and relation == "TAGGED":
            block.append(f"key = [{toml_text.text(names[tags[0]])}]  # one user may give one item several")
        if role.time:
            block.append(f"time = {toml_text.time(role.time, role.zoned)}")
        if role.weight:
            block.append(f"weight = {_weight(weight[0], weight_name)}")
        block += _ranges(role, names, weight_name)
        if role.weight:
            block.append('repeated = "sum"  # rows of one user and item are added up')
        elif role.time:
            block += ['repeated = "last"  # of rows of one user and item the latest is kept', 'by = "timestamp"']
        else:
            block.append('repeated = "first"  # of rows of one user and item the first is kept')
        if self.labels & {label for label, _ in role.ends}:
            block.append('dangling = "add"  # ids that the other files lack become nodes with nothing but an id')
        return block

    def _relation(self, role: Roles, shown: str) -> tuple[str, str]:
        """The relationship type of a table, and its heading; a question if a table before it has the same type."""
        relation = role.relation or "VIEWED"
        if not role.relation:
            remark = "  # fill in: PURCHASED, RATED, LISTENED …; nothing in the file says what users did"
        elif role.sure < 0.7:
            remark = f"  # is it {relation}? {role.why}"
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
                f"{base} is in {self.first[base]}, too: if these are the same events, leave one table out; if not, "
                f"give {relation} a name of its own"
            )
            self.asks.append((shown, ask))
        return relation, f"[edges.{relation}]{toml_text.comment(remark)}"

    def _is_taken(self, name: str, role: Roles) -> bool:
        """Whether a column that depends on an end is a property of a node's own file already."""
        return name in role.of_item or name in role.of_user

    def _say(self, table: Sniffed, role: Roles, what: str, sure: float) -> None:
        left = {**(table.left_out or {}), **role.left_out}
        self.described.append(
            Described(table.shown, what, sure, role.why, role.findings, tuple(left.items()), table.notes)
        )


def _weight(column: Column, name: str) -> str:
    if name == column.name:
        return toml_text.text(name)
    return f"{{ name = {toml_text.text(name)}, column = {toml_text.text(column.name)} }}"


def _ranges(role: Roles, names: dict[str, str], weight: str) -> list[str]:
    """The key `ranges` where numbers are known that are none."""
    if role.unrated and role.rating and not 0 < len(role.unrated.rated) <= 21:
        low, high = role.unrated.low, role.unrated.high
        return [f"ranges = {{ {names[role.rating]} = [{low:g}, {high:g}] }}  # not rated: {role.unrated.value}"]
    if role.negative:
        return [f"ranges = {{ {weight} = [0, inf] }}  # less than nothing is a return"]
    return []


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(toml_text.text, values))}]"


def _unknown(table: Sniffed, folder: Path) -> Iterator[str]:
    """Comments on a table of which nothing is known."""
    name, shown = toml_text.comment(table.shown), toml_text.comment(", ".join(table.columns))
    yield f"# {name}: nothing says what its columns ({shown}) are."
    yield "# Fill in a table such as:"
    yield "# [nodes.Item]"
    for line in toml_text.origin(table.origin, [], folder, False):
        yield f"# {toml_text.comment(line)}"
    yield f"# id = {toml_text.comment(toml_text.text(next(iter(table.columns))))}"


def _is_titled(file: Sniffed) -> bool:
    """Whether a file says what its nodes are called: movies.csv does, links.csv does not."""
    return any(re.search("title|name", column.casefold()) for column in file.columns)


def _source_name(paths: Sequence[Path | str]) -> str:
    first = str(paths[0])
    if "://" in first:
        stem = re.sub(r"[?#].*", "", first).rstrip("/").rpartition("/")[2].split(".")[0]
        return re.sub(r"[^\w-]+", "-", stem).strip("-") or "mine"
    path = Path(first).absolute()
    stem = path.name.split(".")[0] if len(paths) == 1 and not re.search(r"[*?\[]", path.name) else path.parent.name
    return re.sub(r"[^\w-]+", "-", stem).strip("-") or "mine"
