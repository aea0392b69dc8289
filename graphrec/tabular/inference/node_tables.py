"""Files of users, of items and of what items belong to."""

from collections.abc import Mapping, Sequence

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import id_columns, lexicon, words
from graphrec.tabular.inference.columns import Column
from graphrec.tabular.inference.dependencies import dependency
from graphrec.tabular.inference.evidence import Finding, Group, Roles
from graphrec.tabular.inference.id_columns import End
from graphrec.tabular.inference.relations import friend_relation, overlap, says
from graphrec.tabular.inference.words import Meaning
from graphrec.tabular.sniffing import Sniffed


def own_id(file: Sniffed, said: Mapping[str, Meaning], found: Sequence[End], what: str) -> End | None:
    """The column `id` of a file that is called users or movies, where no column has that word's id."""
    del found
    own = next(
        (n for n in file.columns if words.folded(n) in ("id", "key", "code", "uid", "pk", "uuid", "index")), None
    )
    if own is None or not (file.columns[own].unique or own in file.keys):
        return None
    entity, word = words.entity_of_file(file.name)
    if entity != what or words.relation_of(file.name):
        return None
    others = [
        n for n, m in said.items() if n != own and m.what in ("user", "item") and m.part == "id" and m.strength == 3
    ]
    if any(said[n].what != what for n in others):
        return None
    return End(own, f"the key of {file.name}", 0.9 if word else 0.6)


def any_key(file: Sniffed, said: Mapping[str, Meaning]) -> End | None:
    """The key of a file of things that nothing else names."""
    keys = [n for n in file.keys if n in file.columns]
    if len(keys) == 1:
        return End(keys[0], "the primary key", 0.9)
    entity, word = words.entity_of_file(file.name)
    for name, meaning in said.items():
        column = file.columns[name]
        if not column.unique or column.filled < file.rows or not id_columns.is_id(column):
            continue
        if words.folded(name) in ("id", "key", "code", "name") or (
            meaning.part == "id" and meaning.what in ("other", "group")
        ):
            return End(name, "its values are unique", 0.8)
        if entity and word and words.singular(words.tokens(name)[0]) == word:
            return End(name, f"the key of {file.name}", 0.8)
    return None


def has_row_for_each(file: Sniffed, column: str) -> bool:
    """Whether a file has one row for each value of a column and is called like what they are."""
    entity, _ = words.entity_of_file(file.name)
    return (
        file.columns[column].unique
        and (bool(entity) or file.rows > 3 or column in file.keys)
        and not words.relation_of(file.name)
    )


def is_plain_key(file: Sniffed, column: str) -> bool:
    """Whether a column is the key of its rows and no other column is a time at which something was done."""
    if not file.columns[column].unique:
        return False
    timed = any(c.moment is not None and not words.is_other_time(name) for name, c in file.columns.items())
    return words.folded(column) in ("id", "key", "code") or not timed


def has_creator(file: Sniffed, user: End, item: End) -> bool:
    """Whether the user of a file of items is only who made each: items are unique, have titles, and nothing is done."""
    columns = file.columns
    if not columns[item.column].unique or file.rows < 4 or words.relation_of(file.name):
        return False
    called = {words.folded(name) for name in columns}
    entity, _ = words.entity_of_file(file.name)
    titled = any(
        words.meaning(n).part == "name" or words.folded(n) in lexicon.NAMES for n in columns if n != item.column
    )
    done = called & (lexicon.WEIGHTS | lexicon.EVENTS) or any(words.is_rating(name) for name in columns)
    return titled and not done and (entity == "item" or item.column in file.keys) and not columns[user.column].unique


def item_roles(file: Sniffed, said: Mapping[str, Meaning], items: Sequence[End], own: End) -> Roles:
    """The roles of a file about items: a row for each, or pairs of an item and a group, or of two items."""
    columns = file.columns
    if len(items) > 1 and not columns[items[0].column].unique and len(columns) <= 4:
        first, second = items[0].column, items[1].column
        same = said[first].word == said[second].word or overlap(file, first, second) >= 0.3
        if same and not says(file, first, second):
            findings = tuple(Finding(end.column, "item id", end.why, end.sure) for end in items[:2])
            relation = "CITES" if "cit" in file.name.casefold() else "RELATED_TO"
            rest = tuple(name for name in columns if name not in (first, second))
            asks = (f"how are {first} and {second} related? {relation} is a guess",)
            pair = ((ITEM, first), (ITEM, second))
            return Roles("pairs", pair, relation, 0.6, "two items", rest=rest, findings=findings, asks=asks)
    column = columns[own.column]
    groups = [n for n, m in said.items() if m.what == "group" and n != own.column and m.part in ("id", "name")]
    paired = not column.unique and len(groups) == 1 and len(columns) <= 3 and column.filled > 3
    if paired and dependency(column, columns[groups[0]]).fails:
        label, relation = words.group(said[groups[0]].word)
        findings = (
            Finding(own.column, "item id", own.why, own.sure),
            Finding(groups[0], f"{label} id", f"an item has several: '{said[groups[0]].word}'", 0.9),
        )
        rest = tuple(name for name in columns if name not in (own.column, groups[0]))
        return Roles(
            "pairs", ((ITEM, own.column), (label, groups[0])), relation, 0.9, "pairs", rest=rest, findings=findings
        )
    return node_roles(file, said, ITEM, own)


def node_roles(file: Sniffed, said: Mapping[str, Meaning], label: str, own: End) -> Roles:
    """The roles of a file with a row for each user or item; the values of groups such as genres become nodes."""
    role = f"{label.lower()} id" if label in (USER, ITEM) else "id"
    findings = [Finding(own.column, role, own.why, own.sure)]
    groups: dict[str, Group] = {}
    rest = []
    for name, column in file.columns.items():
        if name == own.column:
            continue
        group = group_of(column, said[name], groups) if label in (ITEM, "") else None
        if label == USER and (relation := friend_relation(name)) and column.split:
            group = Group(USER, relation, column.split)
        if group:
            groups[name] = group
            findings.append(group_finding(name, group))
        else:
            rest.append(name)
            findings.append(Finding(name, "property", "", 0.8))
    asks: tuple[str, ...] = (own.ask,) if own.ask else ()
    key = file.columns[own.column]
    several = [name for name in rest if dependency(key, file.columns[name]).fails] if not key.unique else []
    if several:
        named = ", ".join(several[:4])
        asks += (f"{own.column} comes again with other values of {named}, of which the first stay: what is a row?",)
    return Roles("nodes", ((label, own.column),), groups=groups, rest=tuple(rest), findings=tuple(findings), asks=asks)


def group_finding(name: str, group: Group) -> Finding:
    several = f", several in a field ({group.split})" if group.split else ""
    return Finding(name, f"{group.label} of the item", f"'{words.meaning(name).word or name}'{several}", 0.85)


def group_of(column: Column, meaning: Meaning, done: Mapping[str, Group]) -> Group | None:
    """The nodes that a column's values become: it is called like groups, and its values come again or are several."""
    word = meaning.word if meaning.word in lexicon.GROUPS or meaning.what == "group" else ""
    if not word or not column.filled or meaning.part == "attribute":
        return None
    label, relation = words.group(word)
    if any(group.relation == relation for group in done.values()) or column.kind in ("float", "bool"):
        return None
    if label not in ("Genre", "Category", "Tag") and column.unique and not column.split and column.filled > 3:
        return None
    if column.values.dropna().str.len().median() > 60 and not column.split:
        return None
    if not column.split and bool(column.values.dropna().str.startswith(("[", "{")).mean() > 0.5):
        return None  # a list as Python writes it, which no split divides
    return Group(label, relation, column.split)
