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
    inferred = _infer_from_columns(table, id_columns.interpret_columns(table.columns, hints or {}), hints or {})
    columns = [table.columns[name] for name in table.columns]
    questions = [
        f'{c.name}: {c.ambiguity}; write decimal = "," if it has' for c in columns if c.ambiguity and c.numeric
    ]
    for column in columns:
        if column.uncertain:
            shown = " and ".join(f"'{word}'" for word in column.uncertain)
            questions.append(f"does {shown} among the numbers of {column.name} mean a missing value? It is read as one")
        if _is_python(column):
            questions.append(
                f"{column.name} has Python lists, which split cannot read: convert them to JSON with "
                'json.dumps(ast.literal_eval(text)); then split = "[]" makes nodes of their values'
            )
    if inferred.kind == "unknown":
        questions.append(
            f"what are the rows, and which columns are ids of users and items? ({', '.join(table.columns)})"[:300]
        )
    return replace(inferred, questions=(*inferred.questions, *questions))


def _is_python(column: ColumnProfile) -> bool:
    """Whether the values are Python lists or dictionaries."""
    texts = column.values.dropna()
    return column.kind == "str" and len(texts) > 0 and bool(texts.str.match(r"[\[{]+\s*'").mean() > 0.5)


def _infer_from_columns(
    table: TableProfile, meanings: Mapping[str, NameMeaning], hints: Mapping[str, NameMeaning]
) -> TableRoles:
    """The roles of a table by the user and item ids among its columns."""
    columns = table.columns
    if roles := infer_list_roles(table):
        return roles
    users, items = id_columns.find_user_columns(columns, meanings), id_columns.find_item_columns(columns, meanings)
    if relation := infer_social_roles(table, meanings, users, items):
        return relation
    if users and not items and (own := find_own_id(table, meanings, users, "user")):
        return infer_node_roles(table, meanings, USER, own)
    if not users and (own := find_own_id(table, meanings, items, "item")):
        return infer_item_roles(table, meanings, items, own)
    if users and not items:
        candidate = id_columns.find_unnamed_item(columns, meanings, [end.column for end in users])
        is_doubtful = candidate is not None and candidate.confidence <= 0.5 and is_plain_key(table, users[0].column)
        if (
            candidate
            and (users[0].confidence > 0.6 or candidate.confidence > 0.6)
            and not is_doubtful
            and not has_row_for_each(table, users[0].column)
        ):
            items = [candidate]
    if not users and items:
        substitute = id_columns.find_user_substitute(columns, meanings, [end.column for end in items])
        if substitute and not has_row_for_each(table, items[0].column):
            users = [substitute]
    if users and items and not has_creator(table, users[0], items[0]):
        return _infer_behaviour_roles(table, meanings, _choose_best(users, hints), _choose_best(items, hints))
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


def _choose_best(candidates: Sequence[IdColumn], hints: Mapping[str, NameMeaning]) -> IdColumn:
    """The first candidate, or the first one that other tables confirm."""
    confirmed = [end for end in candidates if end.column in hints]
    return confirmed[0] if confirmed else candidates[0]


def _infer_behaviour_roles(
    table: TableProfile, meanings: Mapping[str, NameMeaning], user: IdColumn, item: IdColumn
) -> TableRoles:
    """The roles of a behaviour table with a user and an item column."""
    columns = table.columns
    other_columns = [name for name in columns if name not in (user.column, item.column)]
    event = behaviours.find_event_column(columns, other_columns)
    roles = infer_edge_roles(table, "behaviour", ((USER, user.column), (ITEM, item.column)), (user.column, item.column))
    rest = [name for name in roles.rest if name != event]
    behaviour = behaviours.infer_behaviour(
        table.name,
        _find_folder_name(table),
        columns,
        [*rest, *([roles.weight] if roles.weight else []), *([roles.time.column] if roles.time else [])],
        item.column,
    )
    questions = [question for question in (user.question, item.question) if question]
    findings = [
        ColumnFinding(user.column, "user id", user.reason, user.confidence),
        ColumnFinding(item.column, "item id", item.reason, item.confidence),
    ]
    if event and columns[event].num_distinct == 1 and columns[event].kind != "str":
        roles = replace(roles, left_out={**roles.left_out, event: "it is the same in every row"})
        event = None
    elif event:
        behaviour = behaviours.infer_from_events(columns[event])
        findings.append(ColumnFinding(event, "event", f"{columns[event].num_distinct} kinds", 0.9))
    rating = next((name for name in rest if name_semantics.is_rating(name) and columns[name].numeric), None)
    if rating is None and event is None and roles.weight is None and behaviour.relation in ("RATED", ""):
        rating = behaviours.find_rating_by_values(columns, rest)
        if rating is not None and behaviour.relation == "":
            behaviour = behaviours.InferredBehaviour(
                "RATED",
                f"{rating} is a scale",
                0.6,
                question=f"is {rating} a rating? Its values look like a rating scale",
            )
    if behaviour.question:
        questions.append(behaviour.question)
    if not behaviour.relation:
        questions.append(
            "what did users do? The file does not indicate whether they bought, rated, listened or only viewed"
        )
    unrated = behaviours.find_unrated_value(columns[rating]) if rating and event is None else None
    if unrated:
        questions.append(_ask_about_unrated(rating or "", unrated))
    if rating:
        findings.append(ColumnFinding(rating, "rating", "a rating scale", 0.9))
    roles = replace(
        roles,
        relation=behaviour.relation,
        reason=behaviour.reason,
        confidence=behaviour.confidence,
        event=event,
        events=behaviour.events or {},
        rating=rating,
        unrated=unrated,
        rest=tuple(rest),
    )
    roles = assign_owners(table, meanings, roles)
    share = 1 - columns[user.column].num_filled / max(1, table.rows)
    if share > 0.01:
        questions.append(
            f"{share:.0%} of the rows have no {user.column}, and are rejected: are they anonymous visitors?"
        )
    return replace(roles, findings=(*findings, *roles.findings), questions=(*questions, *roles.questions))


def _ask_about_unrated(rating: str, unrated: UnratedValue) -> str:
    return (
        f"{unrated.share:.0%} of {rating} is {unrated.value}, the others are from {unrated.low:g} to {unrated.high:g}: "
        f"does {unrated.value} mean 'not rated'? It is read so"
    )


def _find_folder_name(table: TableProfile) -> str:
    paths = getattr(table.input, "paths", ())
    return paths[0].absolute().parent.name if paths else ""
