"""What several tables have in common: one form, ids that lead from one to another, and rows that belong together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from graphrec.tabular.inference import behaviours, id_columns, lexicon, words
from graphrec.tabular.inference.columns import Column, column
from graphrec.tabular.inference.words import Meaning
from graphrec.tabular.sniffing import Sniffed, table_of
from graphrec.tabular.spec import FileQuery, Files, Query

_PARTS = re.compile(
    r"\b(train|test|prior|valid|validation|val|dev|holdout|part|chunk|all|full|small|sample|new|old|jan|feb|mar|apr|may|jun|jul|"
    r"aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december|base|"
    r"export|dump|backup|final|copy|[a-z])\b"
)


def united(tables: Sequence[Sniffed]) -> list[Sniffed]:
    """The tables, those files of one form that hold the same kind of rows as one."""
    groups: dict[object, list[Sniffed]] = {}
    for number, table in enumerate(tables):
        groups.setdefault(_form(table) or number, []).append(table)
    return [_one(group) for group in groups.values()]


def _form(table: Sniffed) -> object:
    """What files that are one table have in common; None for what is no file."""
    origin = table.origin
    if not isinstance(origin, Files):
        return None
    names = (
        tuple(sorted(table.columns)) if not table.headerless else tuple(c.kind == "str" for c in table.columns.values())
    )
    what = {m.what for name in table.columns if (m := words.meaning(name)).part == "id"}
    stem = _PARTS.sub(" ", re.sub(r"[\d_\W]+", " ", table.name.casefold()))
    stem = " ".join(stem.split())
    event = behaviours.event_column(table.columns, list(table.columns))
    told = event is not None and table.columns[event].distinct > 1
    relation = None if told else words.relation_of(table.name)
    called: object = relation if {"user", "item"} <= what else (words.entity_of_file(table.name), stem, relation)
    if table.headerless:
        called = (stem, relation)
    form = (origin.format, origin.separator, origin.quote, origin.escape, origin.comment, origin.shape, origin.records)
    return (form, origin.encoding, origin.skip, len(table.columns), names, called)


def _one(group: Sequence[Sniffed]) -> Sniffed:
    """Several files as one table."""
    first = group[0]
    if len(group) == 1 or not isinstance(first.origin, Files):
        return first
    paths = tuple(path for table in group if isinstance(table.origin, Files) for path in table.origin.paths)
    columns = {}
    for place, name in enumerate(first.columns):
        parts = [table.columns.get(name) or list(table.columns.values())[place] for table in group]
        texts = pd.concat([part.values for part in parts]).tolist()
        texts = [None if value is None or value != value else str(value) for value in texts]
        made = column(name, texts)
        missing = tuple(dict.fromkeys(word for part in parts for word in (*part.missing, *made.missing)))
        columns[name] = replace(made, missing=missing)
    if any(
        table.origin != replace(first.origin, paths=table.origin.paths)
        for table in group
        if isinstance(table.origin, Files)
    ):
        names = _query_names(group)
        sql = " union all by name ".join(f"select * from {name}" for name in names)
        whole_form = table_of(_query(group, names, sql), first.name, columns, sum(table.rows for table in group))
        return replace(whole_form, notes=(*first.notes, f"{len(group)} sheets of one form"), left_out=first.left_out)
    rows = sum(table.rows for table in group)
    notes = tuple(dict.fromkeys(note for table in group for note in table.notes))
    whole = all(table.whole for table in group)
    origin = replace(first.origin, paths=paths)
    return replace(first, origin=origin, columns=columns, rows=rows, notes=notes, whole=whole)


def hints(tables: Sequence[Sniffed]) -> list[dict[str, Meaning]]:
    """For each table: what its columns are, as far as keys that other tables have say it."""
    found: list[dict[str, Meaning]] = [{} for _ in tables]
    keys = [key for table in tables for key in _keys(table)]
    by_name = {table.name.casefold(): table for table in tables}
    for number, table in enumerate(tables):
        for name, (other, _) in (table.references or {}).items():
            what, word = words.entity_of_file(other)
            if name in table.columns and other.casefold() in by_name:
                meaning = words.meaning(name)
                if what in ("user", "item") and words.relation_of(other) is None:
                    found[number][name] = Meaning(what, word, "id", 3)  # type: ignore[arg-type]  # one of the two
                elif meaning.what == "other" and _is_thing(by_name[other.casefold()]):
                    found[number][name] = Meaning("group", words.singular(other.casefold()), "id", 3)
        for name, values in table.columns.items():
            meaning = words.meaning(name)
            if (
                name in found[number]
                or meaning.what not in ("other", "item", "user", "")
                or meaning.part == "attribute"
            ):
                continue
            for owner, key, what, word in keys:
                if owner is table or not _leads(name, values, owner, key):
                    continue
                if meaning.what in ("other", "") and what in ("user", "item", "group"):
                    found[number][name] = Meaning(what, word, "id", 3)  # type: ignore[arg-type]  # one of these
                elif meaning.what == what and meaning.part == "id":
                    found[number][name] = Meaning(meaning.what, meaning.word, "id", 3)
    return found


def _is_thing(table: Sniffed) -> bool:
    return any(words.folded(name) in lexicon.NAMES or words.meaning(name).part == "name" for name in table.columns)


def _keys(table: Sniffed) -> list[tuple[Sniffed, str, str, str]]:
    """The columns whose values tell the rows of a table apart, and what these are: (table, column, what, word)."""
    entity, word = words.entity_of_file(table.name)
    if {"user", "item"} <= {m.what for n in table.columns if (m := words.meaning(n)).part == "id" and m.strength == 3}:
        return []
    made = []
    first = next(iter(table.columns))
    for name, values in table.columns.items():
        meaning = words.meaning(name)
        own = name == first and entity in ("user", "item") and meaning.what == "" and not words.relation_of(table.name)
        if meaning.what == "" and words.folded(name) not in ("id", "key", "code") and not own:
            continue
        if not (values.unique and values.filled == table.rows) or not id_columns.is_id(values):
            continue
        if meaning.part == "id" and meaning.what in ("user", "item"):
            made.append((table, name, str(meaning.what), meaning.word))
        elif own or (
            words.folded(name) in ("id", "key", "code")
            and entity in ("user", "item")
            and not words.relation_of(table.name)
        ):
            made.append((table, name, entity, word))
        elif meaning.what == "other" and meaning.word and _is_thing(table):
            made.append((table, name, "group", meaning.word))
    return made


def _leads(name: str, values: Column, owner: Sniffed, key: str) -> bool:
    """Whether a column's values are ids of another table: it is called like the key, or holds values that tell."""
    other = owner.columns[key]
    same = words.folded(name) == words.folded(key) and words.folded(name) not in ("id", "key", "code", "name")
    if not same and words.meaning(name).what == "" and values.kind != "str":
        return False
    mine = set(values.values.dropna())
    if not mine:
        return False
    shared = len(mine & set(other.values.dropna())) / len(mine)
    if same:
        return shared >= 0.2 or not owner.whole
    dense = values.numeric and float(values.numbers.max() - values.numbers.min()) <= 3 * values.distinct
    return shared >= 0.8 and values.distinct >= 2 and not dense


# -- rows of two tables that belong together: the lines of an order and the order


def joined(tables: Sequence[Sniffed], said_by_keys: Sequence[Mapping[str, Meaning]]) -> list[Sniffed]:
    """The tables, with order lines and order headers as one where only both say who bought what."""
    made = list(tables)
    headers: list[Sniffed] = []
    for lines, hint in zip(tables, said_by_keys, strict=True):
        said = id_columns.meanings(lines.columns, hint)
        if id_columns.users(lines.columns, said) or not _has_items(lines, said):
            continue
        for header, its in zip(tables, said_by_keys, strict=True):
            if header is lines or any(lines is one for one in headers) or type(header.origin) is not type(lines.origin):
                continue
            link = _link(lines, header)
            own = id_columns.meanings(header.columns, its)
            users = [end for end in id_columns.users(header.columns, own) if end.sure > 0.6]
            if link and users and not id_columns.items(header.columns, own):
                made[next(n for n, one in enumerate(made) if one is lines)] = _join(lines, header, *link)
                headers.append(header)
                break
    return [table for table in made if not any(table is header for header in headers)]


def _has_items(table: Sniffed, said: Mapping[str, Meaning]) -> bool:
    if id_columns.items(table.columns, said):
        return True
    return id_columns.unnamed_item(table.columns, said, [n for n, m in said.items() if m.what == "context"]) is not None


def _link(lines: Sniffed, header: Sniffed) -> tuple[str, str] | None:
    """The columns by which lines belong to headers: a foreign key, one name, or `order_id` and the `id` of orders."""
    for name, (other, key) in (lines.references or {}).items():
        if other.casefold() == header.name.casefold() and name in lines.columns and key in header.columns:
            return name, key
    for name, values in lines.columns.items():
        for key, own in header.columns.items():
            if (
                not own.unique
                or own.filled < 0.99 * header.rows
                or not id_columns.is_id(own)
                or not id_columns.is_id(values)
            ):
                continue
            called = words.folded(name) == words.folded(key) and words.folded(name) not in ("id", "name")
            stem = words.singular(words.folded(header.name))
            led = words.folded(key) in ("id", "nr", "no", "number") and words.folded(name) in (
                f"{stem}{e}" for e in ("id", "nr", "no", "number", "")
            )
            context = words.meaning(name).what == "context" and words.meaning(name).word == words.meaning(key).word
            if called or led or (context and words.meaning(key).what == "context"):
                mine = set(values.values.dropna())
                if mine & set(own.values.dropna()) or not header.whole:
                    return name, key
    return None


def _join(lines: Sniffed, header: Sniffed, link: str, key: str) -> Sniffed:
    """Lines with the columns of their headers."""
    names = _query_names([lines, header])
    one, two = names
    exact = isinstance(lines.origin, Query)
    places = {value: place for place, value in enumerate(header.columns[key].values) if isinstance(value, str)}
    matched = lines.columns[link].values.map(lambda value: places.get(value, -1)).tolist()
    columns = dict(lines.columns)
    chosen = []
    for name, values in header.columns.items():
        if name == key:
            continue
        called = name if name not in columns else f"{two}_{name}"
        chosen.append(f"{two}.{quoted(name, exact)}" + ("" if called == name else f" as {quoted(called, exact)}"))
        texts = values.values.tolist()
        aligned = pd.Series([texts[place] if place >= 0 else None for place in matched], dtype="object")
        columns[called] = replace(values, name=called, values=aligned)
    on = f"{two}.{quoted(key, exact)} = {one}.{quoted(link, exact)}"
    sql = f"select {one}.*, {', '.join(chosen)} from {one} join {two} on {on}"
    made = table_of(_query([lines, header], names, sql), lines.name, columns, lines.rows)
    notes = (f"{header.shown} says whose rows they are: joined by {link}",)
    led = {**(header.references or {}), **(lines.references or {})}
    whole = lines.whole and header.whole
    return replace(made, notes=(*lines.notes, *header.notes, *notes), whole=whole, references=led)


def side_by_side(first: Sniffed, key: str, others: Sequence[tuple[Sniffed, str]]) -> Sniffed | None:
    """A table of things with the columns of other tables about the same things; None where they cannot be joined."""
    if any(type(other.origin) is not type(first.origin) or isinstance(other.origin, FileQuery) for other, _ in others):
        return None
    names = _query_names([first, *(other for other, _ in others)])
    columns, chosen, links = dict(first.columns), [f"{names[0]}.*"], []
    exact = isinstance(first.origin, Query)
    for (other, own), name in zip(others, names[1:], strict=True):
        if not other.columns[own].unique or _is_of_its_own(first, key, other, own):
            return None
        links.append(f"left join {name} on {name}.{quoted(own, exact)} = {names[0]}.{quoted(key, exact)}")
        for column_name, values in other.columns.items():
            if column_name != own and column_name not in columns:
                chosen.append(f"{name}.{quoted(column_name, exact)}")
                columns[column_name] = values
    sql = f"select {', '.join(chosen)} from {names[0]} {' '.join(links)}"
    tables = [first, *(other for other, _ in others)]
    return replace(first, origin=_query(tables, names, sql), columns=columns, headerless=False)


def _is_of_its_own(first: Sniffed, key: str, other: Sniffed, own: str) -> bool:
    """Whether two keys called only `id` number different things, by the names of the files: tags are no books."""
    if {words.folded(key), words.folded(own)} - {"id", "key", "code", "index", "pk"}:
        return False
    one, two = ({words.singular(word) for word in words.tokens(table.name)} for table in (first, other))
    return not one & two


def _query(tables: Sequence[Sniffed], names: Sequence[str], sql: str) -> FileQuery | Query:
    first = tables[0].origin
    if isinstance(first, Query):
        return replace(first, sql=sql)
    files = {name: table.origin for name, table in zip(names, tables, strict=True) if isinstance(table.origin, Files)}
    return FileQuery(sql, files)


def where(source: Query | FileQuery, name: str, values: Sequence[str]) -> str:
    """The SQL of a query for the rows that have one of the values in a column."""
    texts = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    called = quoted(name, isinstance(source, Query))
    return f"select * from ({source.sql}) as chosen where cast({called} as varchar(1000)) in ({texts})"


def query_name(table: Sniffed) -> str:
    """A name for a file in a query."""
    return _query_names([table])[0]


def _query_names(tables: Sequence[Sniffed]) -> list[str]:
    """A name for each table in a query; that of a database table is its own."""
    made: list[str] = []
    for table in tables:
        if isinstance(table.origin, Query):
            made.append(table.name if re.fullmatch(r"[a-z_][a-z0-9_]*", table.name) else quoted(table.name))
            continue
        base = re.sub(r"\W+", "_", table.name.casefold()).strip("_")
        base = base if re.match(r"[a-z]", base) and base not in _KEYWORDS else f"t_{base}"
        made.append(base if base not in made else f"{base}_{len(made) + 1}")
    return made


_KEYWORDS = frozenset(
    [
        "order",
        "group",
        "select",
        "from",
        "where",
        "table",
        "join",
        "user",
        "values",
        "all",
        "column",
        "default",
        "end",
        "in",
        "is",
        "on",
        "or",
        "and",
    ]
)


def quoted(name: str, exact: bool = True) -> str:
    """A column's name as SQL has it; unless it must be `exact`, capitals need no quotes."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*" if exact else r"[A-Za-z_][A-Za-z0-9_]*", name)
    return name if plain and name.casefold() not in _KEYWORDS else '"' + name.replace('"', '""') + '"'
