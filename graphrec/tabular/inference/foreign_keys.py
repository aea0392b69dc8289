"""Infers foreign keys between tables, and from them the meaning of columns."""

from collections.abc import Sequence

from graphrec.tabular.inference import id_columns, lexicon, name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.name_semantics import NameMeaning
from graphrec.tabular.sniffing import TableProfile


def infer_from_keys(tables: Sequence[TableProfile]) -> list[dict[str, NameMeaning]]:
    """For each table: the meanings of columns that reference the key of another table."""
    found: list[dict[str, NameMeaning]] = [{} for _ in tables]
    keys = [key for table in tables for key in _find_keys(table)]
    by_name = {table.name.casefold(): table for table in tables}
    for number, table in enumerate(tables):
        for name, (other, _) in (table.references or {}).items():
            what, word = name_semantics.interpret_file_name(other)
            if name in table.columns and other.casefold() in by_name:
                meaning = name_semantics.interpret_name(name)
                if what in ("user", "item") and name_semantics.find_relation(other) is None:
                    found[number][name] = NameMeaning(what, word, "id", 3)  # type: ignore[arg-type]  # one of the two
                elif meaning.entity == "other" and _has_names(by_name[other.casefold()]):
                    found[number][name] = NameMeaning("group", name_semantics.singularize(other.casefold()), "id", 3)
        for name, values in table.columns.items():
            meaning = name_semantics.interpret_name(name)
            if (
                name in found[number]
                or meaning.entity not in ("other", "item", "user", "")
                or meaning.part == "attribute"
            ):
                continue
            for owner, key, what, word in keys:
                if owner is table or not _references(name, values, owner, key):
                    continue
                if meaning.entity in ("other", "") and what in ("user", "item", "group"):
                    found[number][name] = NameMeaning(what, word, "id", 3)  # type: ignore[arg-type]  # one of these
                elif meaning.entity == what and meaning.part == "id":
                    found[number][name] = NameMeaning(meaning.entity, meaning.word, "id", 3)
    return found


def _has_names(table: TableProfile) -> bool:
    return any(
        name_semantics.fold(name) in lexicon.TITLES or name_semantics.interpret_name(name).part == "name"
        for name in table.columns
    )


def _find_keys(table: TableProfile) -> list[tuple[TableProfile, str, str, str]]:
    """Key columns of a table of users, items or groups: (table, column, entity, word)."""
    entity, word = name_semantics.interpret_file_name(table.name)
    if {"user", "item"} <= {
        m.entity for n in table.columns if (m := name_semantics.interpret_name(n)).part == "id" and m.strength == 3
    }:
        return []
    made = []
    first = next(iter(table.columns))
    for name, values in table.columns.items():
        meaning = name_semantics.interpret_name(name)
        own = (
            name == first
            and entity in ("user", "item")
            and meaning.entity == ""
            and not name_semantics.find_relation(table.name)
        )
        if meaning.entity == "" and name_semantics.fold(name) not in ("id", "key", "code") and not own:
            continue
        if not (values.unique and values.num_filled == table.rows) or not id_columns.is_id(values):
            continue
        if meaning.part == "id" and meaning.entity in ("user", "item"):
            made.append((table, name, str(meaning.entity), meaning.word))
        elif own or (
            name_semantics.fold(name) in ("id", "key", "code")
            and entity in ("user", "item")
            and not name_semantics.find_relation(table.name)
        ):
            made.append((table, name, entity, word))
        elif meaning.entity == "other" and meaning.word and _has_names(table):
            made.append((table, name, "group", meaning.word))
    return made


def _references(name: str, values: ColumnProfile, owner: TableProfile, key: str) -> bool:
    """Whether a column references the key of another table: by equal names, or by distinctive common values."""
    other = owner.columns[key]
    same = name_semantics.fold(name) == name_semantics.fold(key) and name_semantics.fold(name) not in (
        "id",
        "key",
        "code",
        "name",
    )
    if not same and name_semantics.interpret_name(name).entity == "" and values.kind != "str":
        return False
    mine = set(values.values.dropna())
    if not mine:
        return False
    shared = len(mine & set(other.values.dropna())) / len(mine)
    if same:
        return shared >= 0.2 or not owner.whole
    dense = values.numeric and float(values.numbers.max() - values.numbers.min()) <= 3 * values.num_distinct
    return shared >= 0.8 and values.num_distinct >= 2 and not dense
