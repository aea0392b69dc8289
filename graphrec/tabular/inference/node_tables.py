"""Infers the roles of node tables: users, items, and groups of items."""

from collections.abc import Mapping, Sequence

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import id_columns, lexicon, name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.functional_dependencies import measure_dependency
from graphrec.tabular.inference.id_columns import IdColumn
from graphrec.tabular.inference.name_semantics import NameMeaning
from graphrec.tabular.inference.social_tables import determines, find_friend_relation, measure_overlap
from graphrec.tabular.inference.table_roles import AttributeNodes, ColumnFinding, TableRoles
from graphrec.tabular.sniffing import TableProfile


def find_own_id(
    table: TableProfile, meanings: Mapping[str, NameMeaning], found: Sequence[IdColumn], what: str
) -> IdColumn | None:
    """The column `id` of a file named users or movies, if no column has an id of that word."""
    del found
    own = next(
        (n for n in table.columns if name_semantics.fold(n) in ("id", "key", "code", "uid", "pk", "uuid", "index")),
        None,
    )
    if own is None or not (table.columns[own].unique or own in table.keys):
        return None
    entity, word = name_semantics.interpret_file_name(table.name)
    if entity != what or name_semantics.find_relation(table.name):
        return None
    others = [
        n
        for n, m in meanings.items()
        if n != own and m.entity in ("user", "item") and m.part == "id" and m.strength == 3
    ]
    if any(meanings[n].entity != what for n in others):
        return None
    return IdColumn(own, f"the key of {table.name}", 0.9 if word else 0.6)


def find_key(table: TableProfile, meanings: Mapping[str, NameMeaning]) -> IdColumn | None:
    """The key column of a node table of unknown type."""
    keys = [n for n in table.keys if n in table.columns]
    if len(keys) == 1:
        return IdColumn(keys[0], "the primary key", 0.9)
    entity, word = name_semantics.interpret_file_name(table.name)
    for name, meaning in meanings.items():
        column = table.columns[name]
        if not column.unique or column.num_filled < table.rows or not id_columns.is_id(column):
            continue
        if name_semantics.fold(name) in ("id", "key", "code", "name") or (
            meaning.part == "id" and meaning.entity in ("other", "group")
        ):
            return IdColumn(name, "its values are unique", 0.8)
        if entity and word and name_semantics.singularize(name_semantics.tokenize(name)[0]) == word:
            return IdColumn(name, f"the key of {table.name}", 0.8)
    return None


def has_row_for_each(table: TableProfile, column: str) -> bool:
    """Whether a table has one row per value of a column, and is not named after a behaviour."""
    entity, _ = name_semantics.interpret_file_name(table.name)
    return (
        table.columns[column].unique
        and (bool(entity) or table.rows > 3 or column in table.keys)
        and not name_semantics.find_relation(table.name)
    )


def is_plain_key(table: TableProfile, column: str) -> bool:
    """Whether a column is the key of its table and no column has the time of an action."""
    if not table.columns[column].unique:
        return False
    timed = any(
        c.time_format is not None and not name_semantics.is_other_time(name) for name, c in table.columns.items()
    )
    return name_semantics.fold(column) in ("id", "key", "code") or not timed


def has_creator(table: TableProfile, user: IdColumn, item: IdColumn) -> bool:
    """Whether the users in an item table are creators: items are unique and have titles, and there is no action."""
    columns = table.columns
    if not columns[item.column].unique or table.rows < 4 or name_semantics.find_relation(table.name):
        return False
    called = {name_semantics.fold(name) for name in columns}
    entity, _ = name_semantics.interpret_file_name(table.name)
    titled = any(
        name_semantics.interpret_name(n).part == "name" or name_semantics.fold(n) in lexicon.TITLES
        for n in columns
        if n != item.column
    )
    done = called & (lexicon.WEIGHTS | lexicon.EVENTS) or any(name_semantics.is_rating(name) for name in columns)
    return titled and not done and (entity == "item" or item.column in table.keys) and not columns[user.column].unique


def infer_item_roles(
    table: TableProfile, meanings: Mapping[str, NameMeaning], items: Sequence[IdColumn], own: IdColumn
) -> TableRoles:
    """The roles of a table of items: one row per item, or pairs of item and group, or pairs of two items."""
    columns = table.columns
    if len(items) > 1 and not columns[items[0].column].unique and len(columns) <= 4:
        first, second = items[0].column, items[1].column
        same = meanings[first].word == meanings[second].word or measure_overlap(table, first, second) >= 0.3
        if same and not determines(table, first, second):
            findings = tuple(ColumnFinding(end.column, "item id", end.reason, end.confidence) for end in items[:2])
            relation = "CITES" if "cit" in table.name.casefold() else "RELATED_TO"
            rest = tuple(name for name in columns if name not in (first, second))
            asks = (f"how are {first} and {second} related? {relation} is a guess",)
            pair = ((ITEM, first), (ITEM, second))
            return TableRoles("pairs", pair, relation, 0.6, "two items", rest=rest, findings=findings, questions=asks)
    column = columns[own.column]
    groups = [n for n, m in meanings.items() if m.entity == "group" and n != own.column and m.part in ("id", "name")]
    paired = not column.unique and len(groups) == 1 and len(columns) <= 3 and column.num_filled > 3
    if paired and measure_dependency(column, columns[groups[0]]).fails:
        label, relation = name_semantics.find_group_type(meanings[groups[0]].word)
        findings = (
            ColumnFinding(own.column, "item id", own.reason, own.confidence),
            ColumnFinding(groups[0], f"{label} id", f"an item has several: '{meanings[groups[0]].word}'", 0.9),
        )
        rest = tuple(name for name in columns if name not in (own.column, groups[0]))
        return TableRoles(
            "pairs", ((ITEM, own.column), (label, groups[0])), relation, 0.9, "pairs", rest=rest, findings=findings
        )
    return infer_node_roles(table, meanings, ITEM, own)


def infer_node_roles(table: TableProfile, meanings: Mapping[str, NameMeaning], label: str, own: IdColumn) -> TableRoles:
    """The roles of a table with one row per node; the values of groups such as genres become nodes."""
    role = f"{label.lower()} id" if label in (USER, ITEM) else "id"
    findings = [ColumnFinding(own.column, role, own.reason, own.confidence)]
    groups: dict[str, AttributeNodes] = {}
    rest = []
    for name, column in table.columns.items():
        if name == own.column:
            continue
        group = find_group(column, meanings[name], groups) if label in (ITEM, "") else None
        if label == USER and (relation := find_friend_relation(name)) and column.split:
            group = AttributeNodes(USER, relation, column.split)
        if group:
            groups[name] = group
            findings.append(report_group(name, group))
        else:
            rest.append(name)
            findings.append(ColumnFinding(name, "property", "", 0.8))
    questions: tuple[str, ...] = (own.question,) if own.question else ()
    key = table.columns[own.column]
    several = [name for name in rest if measure_dependency(key, table.columns[name]).fails] if not key.unique else []
    if several:
        named = ", ".join(several[:4])
        questions += (
            f"{own.column} is repeated with different values of {named}, of which the first are kept: what is a row?",
        )
    return TableRoles(
        "nodes", ((label, own.column),), groups=groups, rest=tuple(rest), findings=tuple(findings), questions=questions
    )


def report_group(name: str, group: AttributeNodes) -> ColumnFinding:
    several = f", several in a field ({group.split})" if group.split else ""
    return ColumnFinding(
        name, f"{group.label} of the item", f"'{name_semantics.interpret_name(name).word or name}'{several}", 0.85
    )


def find_group(
    column: ColumnProfile, meaning: NameMeaning, done: Mapping[str, AttributeNodes]
) -> AttributeNodes | None:
    """The nodes made of a column's values, if its name means a group and its values are plausible; else None."""
    word = meaning.word if meaning.word in lexicon.GROUPS or meaning.entity == "group" else ""
    if not word or not column.num_filled or meaning.part == "attribute":
        return None
    label, relation = name_semantics.find_group_type(word)
    if any(group.relation == relation for group in done.values()) or column.kind in ("float", "bool"):
        return None
    if label not in ("Genre", "Category", "Tag") and column.unique and not column.split and column.num_filled > 3:
        return None
    if column.values.dropna().str.len().median() > 60 and not column.split:
        return None
    if not column.split and bool(column.values.dropna().str.startswith(("[", "{")).mean() > 0.5):
        return None  # a Python list, which no separator can split
    return AttributeNodes(label, relation, column.split)
