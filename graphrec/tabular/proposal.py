"""Proposes a TOML specification for undescribed files, with evidence and open questions (`graphrec sniff`)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graphrec.errors import DataError
from graphrec.schema import ITEM, USER
from graphrec.tabular.column_roles import infer_roles
from graphrec.tabular.inference import (
    foreign_keys,
    joins,
    name_semantics,
    rating_matrices,
    shared_ids,
    split_times,
    table_discovery,
    table_unions,
    toml_writer,
)
from graphrec.tabular.inference.table_roles import TableRoles
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.toml_builder import ProfiledTable, TableReport, TomlBuilder

#: Maximum number of questions shown.
_MAX_QUESTIONS = 20


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
    profiles, unread = table_discovery.find_tables(paths, folder)
    tables = table_unions.union_files(profiles)
    tables = joins.join_order_lines(tables, foreign_keys.infer_from_keys(tables))
    hints = foreign_keys.infer_from_keys(tables)
    profiled = [
        (table, rating_matrices.infer_matrix_roles(table) or infer_roles(table, hint))
        for table, hint in zip(tables, hints, strict=True)
    ]
    profiled = [_combine_times(table, role, hint) for (table, role), hint in zip(profiled, hints, strict=True)]
    profiled = _add_labels(profiled)
    builder = TomlBuilder(folder, profiled, shared_ids.find_shared_labels(profiled, folder))
    blocks = list(builder.blocks())
    pairs = dict.fromkeys((table.shown, question) for table, role in profiled for question in role.questions)
    questions = [f"{name}: {question}" for name, question in (*pairs, *builder.questions)]
    head = [
        "# Proposed by `graphrec sniff` from the first rows of each file; review and correct it.",
        f"name = {toml_writer.format_text(_derive_source_name(paths))}  # name of the source in the graph",
        'licence = ""  # fill in: the licence of the data',
    ]
    head += [f"# Not read: {toml_writer.format_comment(reason)}" for reason in unread]
    questions = questions[:_MAX_QUESTIONS]
    head += [
        f"# Question {number}: {toml_writer.format_comment(question)}" for number, question in enumerate(questions, 1)
    ]
    text = "\n".join(head + [line for block in blocks for line in ["", *block]]) + "\n"
    return Proposal(text, tuple(builder.reports), tuple(questions), tuple(unread))


def _combine_times(
    table: TableProfile, role: TableRoles, hint: Mapping[str, name_semantics.NameMeaning]
) -> ProfiledTable:
    """The table with date and time columns combined into one, if there are several."""
    if role.kind != "behaviour":
        return table, role
    combined = split_times.combine_time_columns(table, role.time.column if role.time else None)
    return (table, role) if combined is None else (combined, infer_roles(combined, hint))


def _add_labels(profiled: Sequence[ProfiledTable]) -> list[ProfiledTable]:
    """The tables with a label for each node table, from ids shared with other tables or the name of its key."""
    labelled = []
    for table, role in profiled:
        if role.kind == "nodes" and not role.ends[0][0]:
            label = _infer_label(table, role, profiled)
            role = replace(role, ends=((label, role.ends[0][1]),)) if label else replace(role, kind="unknown")
            if label != ITEM:
                role = replace(role, groups={}, rest=(*role.rest, *role.groups))
        labelled.append((table, role))
    return labelled


def _infer_label(table: TableProfile, role: TableRoles, profiled: Sequence[ProfiledTable]) -> str:
    """The label of a node table, "" if it is unknown: by file name, by the key's name, or by ids in other tables."""
    column = role.ends[0][1]
    meaning = name_semantics.interpret_name(column)
    entity, word = name_semantics.interpret_file_name(table.name)
    if entity == "group" and name_semantics.fold(column) in ("id", "key", "code"):
        meaning = name_semantics.NameMeaning("group", word, "id", 2)  # the id of tags.csv is that of a tag
    if entity in ("user", "item") and not name_semantics.find_relation(table.name):
        return USER if entity == "user" else ITEM
    if meaning.entity == "group":
        label = name_semantics.find_group_type(meaning.word)[0]
        referenced = {group.label for _, other in profiled for group in other.groups.values()}
        referenced |= {end for _, other in profiled for end, _ in other.ends}
        return label if label in referenced else ""
    ids = set(table.columns[column].values.dropna())
    shared = {USER: 0, ITEM: 0}
    groups: dict[str, int] = {}
    for other, other_role in profiled:
        if other_role.kind in ("behaviour", "social"):
            for label, end in other_role.ends:
                shared[label] = max(shared[label], len(ids.intersection(other.columns[end].values.dropna())))
        for name, group in other_role.groups.items():
            same = len(ids.intersection(other.columns[name].values.dropna())) if not group.split else 0
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


def _derive_source_name(paths: Sequence[Path | str]) -> str:
    first = str(paths[0])
    if "://" in first:
        stem = re.sub(r"[?#].*", "", first).rstrip("/").rpartition("/")[2].split(".")[0]
        return re.sub(r"[^\w-]+", "-", stem).strip("-") or "mine"
    path = Path(first).absolute()
    stem = path.name.split(".")[0] if len(paths) == 1 and not re.search(r"[*?\[]", path.name) else path.parent.name
    return re.sub(r"[^\w-]+", "-", stem).strip("-") or "mine"
