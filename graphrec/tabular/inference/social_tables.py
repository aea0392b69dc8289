"""Infers the roles of social tables (relations between users), group hierarchies and lists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import id_columns, lexicon, name_semantics
from graphrec.tabular.inference.edge_tables import infer_edge_roles
from graphrec.tabular.inference.functional_dependencies import measure_dependency
from graphrec.tabular.inference.id_columns import IdColumn
from graphrec.tabular.inference.name_semantics import NameMeaning
from graphrec.tabular.inference.table_roles import ColumnFinding, TableRoles
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput


def infer_social_roles(
    table: TableProfile, meanings: Mapping[str, NameMeaning], users: Sequence[IdColumn], items: Sequence[IdColumn]
) -> TableRoles | None:
    """The roles of a table of relations between users; None for other tables."""
    names = list(table.columns)
    friends = {n: r for n in names if (r := find_friend_relation(n)) and id_columns.is_id(table.columns[n])}
    stem = table.name.casefold()
    usual = "TRUSTS" if "trust" in stem else "FOLLOWS" if "follow" in stem else "FRIEND"
    named = any(word in stem for word in ("trust", "follow", "friend", "social", "contact"))
    strong = [end for end in users if meanings[end.column].part == "id" and end.column not in friends]
    if items and not (friends and strong and named):
        return None
    if strong and table.columns[strong[0].column].unique and any(table.columns[name].split for name in friends):
        return None  # a user table with a list of friends
    if (
        strong
        and not friends
        and not named
        and len(names) > 2
        and table.rows > 3
        and table.columns[strong[0].column].unique
    ):
        return None  # a user table with a second id
    pair: tuple[str, str] | None = None
    if strong and friends:
        pair = strong[0].column, next(iter(friends))
    elif len(strong) > 1 and not friends and {meanings[e.column].word for e in strong[:2]} != {"user", "rater"}:
        ordered = sorted((end.column for end in strong[:2]), key=names.index)
        apart = not determines(table, ordered[0], ordered[1]) and not determines(table, ordered[1], ordered[0])
        pair = (ordered[0], ordered[1]) if apart or len(names) == 2 else None
    elif not users:
        folded = {name_semantics.fold(name): name for name in names}
        first = next((w for w in lexicon.EDGE_LIST_ENDS if w in folded and lexicon.EDGE_LIST_ENDS[w] in folded), None)
        if first and (named or measure_overlap(table, folded[first], folded[lexicon.EDGE_LIST_ENDS[first]]) >= 0.2):
            pair = folded[first], folded[lexicon.EDGE_LIST_ENDS[first]]
    if pair is None:
        return None
    relation = usual if table.headerless or (named and usual != "FRIEND") else friends.get(pair[1]) or usual
    why = f"the file is called {table.name}" if named else f"{pair[1]} is a second user"
    made = infer_edge_roles(table, "social", ((USER, pair[0]), (USER, pair[1])), pair)
    findings = [
        ColumnFinding(pair[0], "user id", "first of two users", 0.9),
        ColumnFinding(pair[1], "user id", why, 0.9),
    ]
    return replace(
        made,
        relation=relation,
        reason=why,
        confidence=0.9 if named or friends else 0.6,
        findings=(*findings, *made.findings),
    )


def find_friend_relation(name: str) -> str | None:
    """The relationship type by the name of the second user column; None if the name does not mean a relation."""
    parts = name_semantics.tokenize(name)
    called = name_semantics.fold(name)
    for word, relation in lexicon.SOCIAL_RELATIONS.items():
        if word in parts or called in (f"{word}id", f"{word}userid", f"{word}s", f"{word}user"):
            return relation
    return None


def measure_overlap(table: TableProfile, first: str, second: str) -> float:
    """The overlap coefficient of the values of two columns."""
    one, two = (set(table.columns[name].values.dropna()) for name in (first, second))
    return len(one & two) / max(1, min(len(one), len(two)))


def determines(table: TableProfile, key: str, other: str) -> bool:
    """Whether `other` functionally depends on `key`."""
    return measure_dependency(table.columns[key], table.columns[other]).holds


def infer_group_tree(table: TableProfile, meanings: Mapping[str, NameMeaning]) -> TableRoles | None:
    """The roles of a group hierarchy (a category and its parent); None for other tables."""
    groups = [name for name, meaning in meanings.items() if meaning.entity == "group" and meaning.part == "id"]
    parents = [name for name in table.columns if "parent" in name_semantics.fold(name)]
    own = [name for name in groups if name not in parents]
    if len(own) != 1 or len(parents) != 1 or len(table.columns) > 3:
        return None
    label = name_semantics.find_group_type(meanings[own[0]].word)[0]
    findings = (
        ColumnFinding(own[0], f"{label} id", f"'{meanings[own[0]].word}'", 0.9),
        ColumnFinding(parents[0], f"{label} id", "its parent", 0.9),
    )
    rest = tuple(name for name in table.columns if name not in (own[0], parents[0]))
    ends_ = ((label, own[0]), (label, parents[0]))
    return TableRoles("pairs", ends_, "CHILD_OF", 0.9, "a group and its parent", rest=rest, findings=findings)


def infer_list_roles(table: TableProfile) -> TableRoles | None:
    """The roles of lines with a user and friends, or an item and its groups, by the file name; else None."""
    if not isinstance(table.input, FileInput) or table.input.shape != "basket":
        return None
    stem = table.name.casefold()
    relation = "TRUSTS" if "trust" in stem else "FOLLOWS" if "follow" in stem else "FRIEND"
    named = any(word in stem for word in ("trust", "follow", "friend", "social", "contact"))
    entity, word = name_semantics.interpret_file_name(table.name)
    if entity == "group" and any(
        name_semantics.classify_word(name_semantics.singularize(part)) == "item"
        for part in name_semantics.tokenize(table.name)
    ):
        label, relation = name_semantics.find_group_type(word)
        findings = (
            ColumnFinding("basket", "item id", "first of the line", 0.8),
            ColumnFinding("item", f"{label} id", "the others", 0.8),
        )
        why = f"the file is called {table.name}"
        return TableRoles("pairs", ((ITEM, "basket"), (label, "item")), relation, 0.8, why, findings=findings)
    if not named:
        return None
    findings = (
        ColumnFinding("basket", "user id", "first of the line", 0.8),
        ColumnFinding("item", "user id", "the others", 0.8),
    )
    why = f"the file is called {table.name}"
    return TableRoles("social", ((USER, "basket"), (USER, "item")), relation, 0.8, why, findings=findings)
