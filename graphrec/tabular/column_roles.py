"""Infers the kind of a table (behaviour, social relations, users, items) and the role of each column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import behaviours, id_columns, name_semantics
from graphrec.tabular.inference.behaviours import UnratedValue
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.edge_tables import infer_edge_roles
from graphrec.tabular.inference.id_columns import IdColumn
from graphrec.tabular.inference.name_semantics import NameMeaning
from graphrec.tabular.inference.node_tables import (
    find_key,
    find_own_id,
    has_creator,
    has_row_for_each,
    infer_item_roles,
    infer_node_roles,
    is_plain_key,
)
from graphrec.tabular.inference.property_owners import assign_owners
from graphrec.tabular.inference.social_tables import infer_group_tree, infer_list_roles, infer_social_roles
from graphrec.tabular.inference.table_roles import ColumnFinding, TableRoles
from graphrec.tabular.sniffing import TableProfile


def infer_roles(table: TableProfile, hints: Mapping[str, NameMeaning] | None = None) -> TableRoles:
    """The inferred roles of a table and its columns, with open questions.

    `hints` are the meanings of columns inferred from the keys of other tables.
    """
    made = _roles(table, id_columns.interpret_columns(table.columns, hints or {}), hints or {})
    columns = [table.columns[name] for name in table.columns]
    asks = [f'{c.name}: {c.ambiguity}; write decimal = "," if it has' for c in columns if c.ambiguity and c.numeric]
    for column in columns:
        if column.uncertain:
            shown = " and ".join(f"'{word}'" for word in column.uncertain)
            asks.append(f"does {shown} among the numbers of {column.name} mean a missing value? It is read as one")
        if _is_python(column):
            asks.append(
                f"{column.name} has Python lists, which split cannot read: convert them to JSON with "
                'json.dumps(ast.literal_eval(text)); then split = "[]" makes nodes of their values'
            )
    if made.kind == "unknown":
        asks.append(
            f"what are the rows, and which columns are ids of users and items? ({', '.join(table.columns)})"[:300]
        )
    return replace(made, questions=(*made.questions, *asks))


def _is_python(column: ColumnProfile) -> bool:
    """Whether the values are Python lists or dictionaries."""
    texts = column.values.dropna()
    return column.kind == "str" and len(texts) > 0 and bool(texts.str.match(r"[\[{]+\s*'").mean() > 0.5)


def _roles(table: TableProfile, meanings: Mapping[str, NameMeaning], hints: Mapping[str, NameMeaning]) -> TableRoles:
    columns = table.columns
    if made := infer_list_roles(table):
        return made
    users, items = id_columns.find_user_columns(columns, meanings), id_columns.find_item_columns(columns, meanings)
    if relation := infer_social_roles(table, meanings, users, items):
        return relation
    if users and not items and (own := find_own_id(table, meanings, users, "user")):
        return infer_node_roles(table, meanings, USER, own)
    if not users and (own := find_own_id(table, meanings, items, "item")):
        return infer_item_roles(table, meanings, items, own)
    if users and not items:
        found = id_columns.find_unnamed_item(columns, meanings, [end.column for end in users])
        plain = found is not None and found.confidence <= 0.5 and is_plain_key(table, users[0].column)
        if (
            found
            and (users[0].confidence > 0.6 or found.confidence > 0.6)
            and not plain
            and not has_row_for_each(table, users[0].column)
        ):
            items = [found]
    if not users and items:
        stand_in = id_columns.find_user_substitute(columns, meanings, [end.column for end in items])
        if stand_in and not has_row_for_each(table, items[0].column):
            users = [stand_in]
    if users and items and not has_creator(table, users[0], items[0]):
        return _behaviour(table, meanings, _best(users, hints), _best(items, hints))
    if items and not users:
        return infer_item_roles(table, meanings, items, items[0])
    if users and not items:
        return infer_node_roles(table, meanings, USER, users[0])
    if users and items:
        return infer_node_roles(table, meanings, ITEM, items[0])
    if pair := infer_group_tree(table, meanings):
        return pair
    if own := find_key(table, meanings):
        return infer_node_roles(table, meanings, "", own)
    return TableRoles("unknown", rest=tuple(columns))


def _best(found: Sequence[IdColumn], hints: Mapping[str, NameMeaning]) -> IdColumn:
    """The first candidate, or the first one that other tables confirm."""
    confirmed = [end for end in found if end.column in hints]
    return confirmed[0] if confirmed else found[0]


def _behaviour(table: TableProfile, meanings: Mapping[str, NameMeaning], user: IdColumn, item: IdColumn) -> TableRoles:
    columns = table.columns
    left = [name for name in columns if name not in (user.column, item.column)]
    event = behaviours.find_event_column(columns, left)
    made = infer_edge_roles(table, "behaviour", ((USER, user.column), (ITEM, item.column)), (user.column, item.column))
    rest = [name for name in made.rest if name != event]
    done = behaviours.infer_behaviour(
        table.name,
        _folder(table),
        columns,
        [*rest, *([made.weight] if made.weight else []), *([made.time.column] if made.time else [])],
        item.column,
    )
    asks = [ask for ask in (user.question, item.question) if ask]
    findings = [
        ColumnFinding(user.column, "user id", user.reason, user.confidence),
        ColumnFinding(item.column, "item id", item.reason, item.confidence),
    ]
    if event and columns[event].num_distinct == 1 and columns[event].kind != "str":
        made = replace(made, left_out={**made.left_out, event: "it is the same in every row"})
        event = None
    elif event:
        done = behaviours.infer_from_events(columns[event])
        findings.append(ColumnFinding(event, "event", f"{columns[event].num_distinct} kinds", 0.9))
    rating = next((name for name in rest if name_semantics.is_rating(name) and columns[name].numeric), None)
    if rating is None and event is None and made.weight is None and done.relation in ("RATED", ""):
        rating = behaviours.find_rating_by_values(columns, rest)
        if rating is not None and done.relation == "":
            done = behaviours.InferredBehaviour(
                "RATED",
                f"{rating} is a scale",
                0.6,
                question=f"is {rating} a rating? Its values look like a rating scale",
            )
    if done.question:
        asks.append(done.question)
    if not done.relation:
        asks.append("what did users do? The file does not indicate whether they bought, rated, listened or only viewed")
    unrated = behaviours.find_unrated_value(columns[rating]) if rating and event is None else None
    if unrated:
        asks.append(_unrated_ask(rating or "", unrated))
    if rating:
        findings.append(ColumnFinding(rating, "rating", "a rating scale", 0.9))
    made = replace(
        made,
        relation=done.relation,
        reason=done.reason,
        confidence=done.confidence,
        event=event,
        events=done.events or {},
        rating=rating,
        unrated=unrated,
        rest=tuple(rest),
    )
    made = assign_owners(table, meanings, made)
    share = 1 - columns[user.column].num_filled / max(1, table.rows)
    if share > 0.01:
        asks.append(f"{share:.0%} of the rows have no {user.column}, and are rejected: are they anonymous visitors?")
    return replace(made, findings=(*findings, *made.findings), questions=(*asks, *made.questions))


def _unrated_ask(rating: str, found: UnratedValue) -> str:
    return (
        f"{found.share:.0%} of {rating} is {found.value}, the others are from {found.low:g} to {found.high:g}: does "
        f"{found.value} mean 'not rated'? It is read so"
    )


def _folder(table: TableProfile) -> str:
    paths = getattr(table.input, "paths", ())
    return paths[0].absolute().parent.name if paths else ""
