"""A TOML file for files that nobody described yet, with a comment wherever it cannot know."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from graphrec.errors import DataError
from graphrec.schema import ITEM, SYSTEM_PROPERTIES, USER
from graphrec.tabular.roles import RATINGS, TAGS, Roles, folded, relation_of, roles
from graphrec.tabular.sniffing import Sniffed, sniff
from graphrec.tabular.spec import Time

_KINDS = {"int": "int", "float": "float", "bool": "bool", "str": "text"}
_RESERVED = SYSTEM_PROPERTIES | {"id", "keys", "source", "source_id", "target_id", "timestamp"}


def propose(paths: Sequence[Path], folder: Path) -> str:
    """The text of a TOML file, to lie in `folder`, that describes the files.

    Raises:
        DataError: there is no file, or one cannot be read.
    """
    if not paths:
        raise DataError("no file to look at; give at least one")
    found = [(file, roles(file)) for file in map(sniff, paths)]
    found = [(file, _labelled(file, role, found)) for file, role in found]
    nodes = {label for _, role in found if role.what == "nodes" for label, _ in role.ends}
    lines = [
        "# Proposed by `graphrec sniff` from the first rows of each file; read it through, and correct it.",
        f"name = {_text(_source_name(paths))}  # what the source is called in the graph",
        'licence = ""  # fill in: what may be done with these data',
    ]
    done: set[str] = set()
    fullest = sorted(found, key=lambda pair: (not _is_titled(pair[0]), -len(pair[0].columns)))
    for file, role in [*(p for p in fullest if p[1].what == "nodes"), *(p for p in found if p[1].what != "nodes")]:
        lines += ["", *_table(file, role, folder, nodes, done)]
    return "\n".join(lines) + "\n"


def _labelled(file: Sniffed, role: Roles, found: Sequence[tuple[Sniffed, Roles]]) -> Roles:
    """The roles with a label for a file of nodes that has none yet: that of the column that has the most of its ids."""
    if role.what != "nodes" or role.ends[0][0]:
        return role
    own = set(file.rows[role.ends[0][1]].dropna())
    shared = {USER: 0, ITEM: 0}
    for other, its in found:
        if its.what in ("behaviour", "social"):
            for label, column in its.ends:
                shared[label] = max(shared[label], len(own.intersection(other.rows[column].dropna())))
    label = max(shared, key=lambda name: shared[name])
    return Roles("nodes", ((label if shared[label] else "", role.ends[0][1]),), groups=role.groups, rest=role.rest)


def _table(file: Sniffed, role: Roles, folder: Path, nodes: set[str], done: set[str]) -> Iterator[str]:
    if role.what == "nodes" and role.ends[0][0] and f"nodes.{role.ends[0][0]}" not in done:
        yield from _node_table(file, role, folder, done)
    elif role.what in ("behaviour", "social"):
        yield from _edge_tables(file, role, folder, nodes, done)
    else:
        yield from _unknown(file, role, folder)


def _unknown(file: Sniffed, role: Roles, folder: Path) -> Iterator[str]:
    """Comments on a file that got no table."""
    name, shown = _comment(file.path.name), _comment(", ".join(file.columns))
    if role.what == "nodes" and role.ends[0][0]:
        yield f"# {name} ({shown}) has rows of {role.ends[0][0]} too, and a label has one table:"
        yield "# join the two files first if you want its columns."
        return
    yield f"# {name}: nothing says what its columns ({shown}) are."
    yield "# Fill in a table such as:"
    yield "# [nodes.Item]"
    yield f"# file = {_comment(_text(_relative(file.path, folder)))}"
    yield f"# id = {_comment(_text(file.columns[0]))}"


def _node_table(file: Sniffed, role: Roles, folder: Path, done: set[str]) -> Iterator[str]:
    label, column = role.ends[0]
    done.add(f"nodes.{label}")
    yield f"[nodes.{label}]"
    yield from _form(file, folder)
    yield f"id = {_text(column)}"
    yield from _properties(file, role.rest)
    yield 'repeated = "first"  # of rows with one id the first is kept'
    for other, (group, relation, split) in role.groups.items():
        if f"edges.{relation}" not in done:
            done.add(f"edges.{relation}")
            yield f"\n[edges.{relation}]"
            yield from _form(file, folder)
            yield f"from = {_text(f'{label}:{column}')}"
            yield f"to = {_text(f'{group}:{other}')}"
            if split:
                yield f"split = {_text(split)}"
            yield 'repeated = "first"\ndangling = "drop"'


def _edge_tables(file: Sniffed, role: Roles, folder: Path, nodes: set[str], done: set[str]) -> Iterator[str]:
    """One table, or one for each kind of event."""
    if role.event is None:
        yield from _edge_table(file, role, folder, nodes, done)
        return
    by_relation: dict[str, list[str]] = {}
    for value in sorted(file.rows[role.event].dropna().unique()):
        by_relation.setdefault(relation_of(value) or _upper(value), []).append(value)
    for number, (relation, values) in enumerate(by_relation.items()):
        if number:
            yield ""
        single = Roles("behaviour", role.ends, relation, role.time, role.weight, None, {}, role.rest)
        yield from _edge_table(file, single, folder, nodes, done)
        yield f"where = {{ {_key(role.event)} = [{', '.join(map(_text, values))}] }}"


def _edge_table(file: Sniffed, role: Roles, folder: Path, nodes: set[str], done: set[str]) -> Iterator[str]:
    relation = role.relation or "VIEWED"
    number = 2
    while f"edges.{relation}" in done:
        relation, number = f"{role.relation or 'VIEWED'}_{number}", number + 1
    done.add(f"edges.{relation}")
    unsure = (
        "" if role.relation else "  # fill in: PURCHASED, RATED, LISTENED …; nothing in the file says what users did"
    )
    yield f"[edges.{relation}]{unsure}"
    yield from _form(file, folder)
    for key, (label, column) in zip(("from", "to"), role.ends, strict=True):
        yield f"{key} = {_text(f'{label}:{column}')}"
    yield from _properties(file, role.rest)
    tags = [column for column in role.rest if folded(column) in TAGS]
    if tags and relation == "TAGGED":
        yield f"key = [{_text(_property_name(tags[0]))}]  # one user may give one item several"
    if role.time:
        yield f"time = {_time(role.time)}"
    if role.weight:
        yield f"weight = {_text(role.weight)}"
    if role.weight:
        yield 'repeated = "sum"  # rows of one user and item are added up'
    elif role.time:
        yield 'repeated = "last"  # of rows of one user and item the latest is kept\nby = "timestamp"'
    else:
        yield 'repeated = "first"  # of rows of one user and item the first is kept'
    if nodes & {label for label, _ in role.ends}:
        yield 'dangling = "add"  # ids that the other files lack become nodes with nothing but an id'


def _form(file: Sniffed, folder: Path) -> Iterator[str]:
    """The file and what its name does not say of its form."""
    form = file.files
    yield f"file = {_text(_relative(file.path, folder))}"
    name = form.paths[0].name.lower().removesuffix(".gz")
    if form.format != "csv":
        if not name.endswith((".jsonl", ".ndjson", ".json", ".parquet", ".pq")):
            yield f"format = {_text(form.format)}"
    else:
        tabs = name.endswith((".tsv", ".tab"))
        if form.separator != ("\t" if tabs else ","):
            yield f"separator = {_text(form.separator)}"
        if not form.quote and not tabs:
            yield 'quote = ""'
        elif form.quote and tabs:
            yield "quote = '\"'"
    if form.encoding != "utf-8":
        yield f"encoding = {_text(form.encoding)}"
    if form.header:
        yield f"header = [{', '.join(map(_text, form.header))}]  # fill in: the file has no header line"


def _is_titled(file: Sniffed) -> bool:
    """Whether a file says what its nodes are called: movies.csv does, links.csv does not."""
    return any(re.search("title|name", column.casefold()) for column in file.columns)


def _property_name(column: str) -> str:
    return re.sub(r"\W+", "_", column).strip("_") or "value"


def _properties(file: Sniffed, columns: Sequence[str]) -> Iterator[str]:
    """A line with all properties; a rating is called so, and a number even where the first ones are whole."""
    made, names = [], set(_RESERVED)
    for column in columns:
        rated = folded(column) in RATINGS and file.kind(column) in ("int", "float") and "rating" not in names
        name = "rating" if rated else _property_name(column)
        while name in names:
            name += "_"
        names.add(name)
        kind = "float" if rated else _KINDS[file.kind(column)]
        if name == column and kind == "text":
            made.append(_text(name))
        else:
            parts = {"name": name} | ({} if name == column else {"column": column})
            parts |= {} if kind == "text" else {"type": kind}
            made.append(f"{{ {', '.join(f'{key} = {_text(value)}' for key, value in parts.items())} }}")
    if made:
        yield f"properties = [{', '.join(made)}]"


def _time(time: Time) -> str:
    parts: Mapping[str, str | None] = {"column": time.column, "format": time.format, "unit": time.unit}
    written = ", ".join(f"{key} = {_text(value)}" for key, value in parts.items() if value)
    if time.unit:
        return f"{{ {written} }}"
    unsure = " and whether the day stands first" if time.format and "%d/%m" in time.format else ""
    return f'{{ {written}, zone = "UTC" }}  # fill in: the time zone{unsure}'


def _source_name(paths: Sequence[Path]) -> str:
    path = paths[0].absolute()
    stem = path.name.split(".")[0] if len(paths) == 1 else path.parent.name
    return re.sub(r"[^\w-]+", "-", stem).strip("-") or "mine"


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # on another drive
        return path.absolute().as_posix()


def _upper(word: str) -> str:
    made = re.sub(r"[^A-Za-z0-9]+", "_", word).strip("_").upper().lstrip("0123456789_")
    return made if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", made) else "VIEWED"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", text)
