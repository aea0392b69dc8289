"""Joins of tables: order lines with their order headers, and several tables about the same nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from graphrec.tabular.inference import id_columns, name_semantics
from graphrec.tabular.inference.name_semantics import NameMeaning
from graphrec.tabular.inference.table_queries import make_query_names, query_tables, quote_column
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileQueryInput, QueryInput


def join_order_lines(
    tables: Sequence[TableProfile], said_by_keys: Sequence[Mapping[str, NameMeaning]]
) -> list[TableProfile]:
    """The tables, with order lines joined to order headers if neither has both users and items."""
    made = list(tables)
    headers: list[TableProfile] = []
    for lines, hint in zip(tables, said_by_keys, strict=True):
        meanings = id_columns.interpret_columns(lines.columns, hint)
        if id_columns.find_user_columns(lines.columns, meanings) or not _has_items(lines, meanings):
            continue
        for header, its in zip(tables, said_by_keys, strict=True):
            if header is lines or any(lines is one for one in headers) or type(header.input) is not type(lines.input):
                continue
            link = _find_join_columns(lines, header)
            own = id_columns.interpret_columns(header.columns, its)
            users = [end for end in id_columns.find_user_columns(header.columns, own) if end.confidence > 0.6]
            if link and users and not id_columns.find_item_columns(header.columns, own):
                made[next(n for n, one in enumerate(made) if one is lines)] = _join(lines, header, *link)
                headers.append(header)
                break
    return [table for table in made if not any(table is header for header in headers)]


def _has_items(table: TableProfile, meanings: Mapping[str, NameMeaning]) -> bool:
    if id_columns.find_item_columns(table.columns, meanings):
        return True
    return (
        id_columns.find_unnamed_item(table.columns, meanings, [n for n, m in meanings.items() if m.entity == "context"])
        is not None
    )


def _find_join_columns(lines: TableProfile, header: TableProfile) -> tuple[str, str] | None:
    """The join columns of order lines and headers: a foreign key, equal names, or `order_id` and `id` of orders."""
    for name, (other, key) in (lines.references or {}).items():
        if other.casefold() == header.name.casefold() and name in lines.columns and key in header.columns:
            return name, key
    for name, values in lines.columns.items():
        for key, own in header.columns.items():
            if (
                not own.unique
                or own.num_filled < 0.99 * header.rows
                or not id_columns.is_id(own)
                or not id_columns.is_id(values)
            ):
                continue
            called = name_semantics.fold(name) == name_semantics.fold(key) and name_semantics.fold(name) not in (
                "id",
                "name",
            )
            stem = name_semantics.singularize(name_semantics.fold(header.name))
            led = name_semantics.fold(key) in ("id", "nr", "no", "number") and name_semantics.fold(name) in (
                f"{stem}{e}" for e in ("id", "nr", "no", "number", "")
            )
            context = (
                name_semantics.interpret_name(name).entity == "context"
                and name_semantics.interpret_name(name).word == name_semantics.interpret_name(key).word
            )
            if called or led or (context and name_semantics.interpret_name(key).entity == "context"):
                mine = set(values.values.dropna())
                if mine & set(own.values.dropna()) or not header.whole:
                    return name, key
    return None


def _join(lines: TableProfile, header: TableProfile, link: str, key: str) -> TableProfile:
    """Order lines joined with their headers."""
    names = make_query_names([lines, header])
    one, two = names
    exact = isinstance(lines.input, QueryInput)
    places = {value: place for place, value in enumerate(header.columns[key].values) if isinstance(value, str)}
    matched = lines.columns[link].values.map(lambda value: places.get(value, -1)).tolist()
    columns = dict(lines.columns)
    chosen = []
    for name, values in header.columns.items():
        if name == key:
            continue
        called = name if name not in columns else f"{two}_{name}"
        chosen.append(
            f"{two}.{quote_column(name, exact)}" + ("" if called == name else f" as {quote_column(called, exact)}")
        )
        texts = values.values.tolist()
        aligned = pd.Series([texts[place] if place >= 0 else None for place in matched], dtype="object")
        columns[called] = replace(values, name=called, values=aligned)
    on = f"{two}.{quote_column(key, exact)} = {one}.{quote_column(link, exact)}"
    sql = f"select {one}.*, {', '.join(chosen)} from {one} join {two} on {on}"
    made = TableProfile(query_tables([lines, header], names, sql), lines.name, columns, lines.rows)
    notes = (f"joined with {header.shown} by {link}, which has the users",)
    led = {**(header.references or {}), **(lines.references or {})}
    whole = lines.whole and header.whole
    return replace(made, notes=(*lines.notes, *header.notes, *notes), whole=whole, references=led)


def join_node_tables(first: TableProfile, key: str, others: Sequence[tuple[TableProfile, str]]) -> TableProfile | None:
    """A node table joined with other tables about the same nodes; None if they cannot be joined."""
    if any(
        type(other.input) is not type(first.input) or isinstance(other.input, FileQueryInput) for other, _ in others
    ):
        return None
    names = make_query_names([first, *(other for other, _ in others)])
    columns, chosen, links = dict(first.columns), [f"{names[0]}.*"], []
    exact = isinstance(first.input, QueryInput)
    for (other, own), name in zip(others, names[1:], strict=True):
        if not other.columns[own].unique or _has_other_nodes(first, key, other, own):
            return None
        links.append(f"left join {name} on {name}.{quote_column(own, exact)} = {names[0]}.{quote_column(key, exact)}")
        for column_name, values in other.columns.items():
            if column_name != own and column_name not in columns:
                chosen.append(f"{name}.{quote_column(column_name, exact)}")
                columns[column_name] = values
    sql = f"select {', '.join(chosen)} from {names[0]} {' '.join(links)}"
    tables = [first, *(other for other, _ in others)]
    return replace(first, input=query_tables(tables, names, sql), columns=columns, headerless=False)


def _has_other_nodes(first: TableProfile, key: str, other: TableProfile, own: str) -> bool:
    """Whether two keys named only `id` identify different nodes, by the names of the files (tags and books)."""
    if {name_semantics.fold(key), name_semantics.fold(own)} - {"id", "key", "code", "index", "pk"}:
        return False
    one, two = (
        {name_semantics.singularize(word) for word in name_semantics.tokenize(table.name)} for table in (first, other)
    )
    return not one & two
