"""What a table is (behaviour, relations of users, users or items) and what each of its columns means."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import behaviours, id_columns, words
from graphrec.tabular.inference.behaviours import Unrated
from graphrec.tabular.inference.columns import Column
from graphrec.tabular.inference.edges import edge_roles
from graphrec.tabular.inference.evidence import Finding, Roles
from graphrec.tabular.inference.id_columns import End
from graphrec.tabular.inference.node_tables import (
    any_key,
    has_creator,
    has_row_for_each,
    is_plain_key,
    item_roles,
    node_roles,
    own_id,
)
from graphrec.tabular.inference.property_owners import with_owners
from graphrec.tabular.inference.relations import group_tree, lists, social
from graphrec.tabular.inference.words import Meaning
from graphrec.tabular.sniffing import Sniffed


def roles(file: Sniffed, hints: Mapping[str, Meaning] | None = None) -> Roles:
    """What the table and its columns seem to be; `hints` say of columns what keys shared with other files say."""
    made = _roles(file, id_columns.meanings(file.columns, hints or {}), hints or {})
    columns = [file.columns[name] for name in file.columns]
    asks = [f'{c.name}: {c.either}; write decimal = "," if it has' for c in columns if c.either and c.numeric]
    for column in columns:
        if column.doubtful:
            shown = " and ".join(f"'{word}'" for word in column.doubtful)
            asks.append(f"does {shown} among the numbers of {column.name} mean that there is none? It is taken so")
        if _is_python(column):
            asks.append(
                f"{column.name} has lists as Python writes them, which split cannot divide: write them as JSON, "
                'json.dumps(ast.literal_eval(text)), and split = "[]" makes nodes of them'
            )
    if made.what == "unknown":
        asks.append(
            f"what are the rows, and which columns are ids of users and items? ({', '.join(file.columns)})"[:300]
        )
    return replace(made, asks=(*made.asks, *asks))


def _is_python(column: Column) -> bool:
    """Whether the values are lists or dictionaries that Python has written."""
    texts = column.values.dropna()
    return column.kind == "str" and len(texts) > 0 and bool(texts.str.match(r"[\[{]+\s*'").mean() > 0.5)


def _roles(file: Sniffed, said: Mapping[str, Meaning], hints: Mapping[str, Meaning]) -> Roles:
    columns = file.columns
    if made := lists(file):
        return made
    users, items = id_columns.users(columns, said), id_columns.items(columns, said)
    if relation := social(file, said, users, items):
        return relation
    if users and not items and (own := own_id(file, said, users, "user")):
        return node_roles(file, said, USER, own)
    if not users and (own := own_id(file, said, items, "item")):
        return item_roles(file, said, items, own)
    if users and not items:
        found = id_columns.unnamed_item(columns, said, [end.column for end in users])
        plain = found is not None and found.sure <= 0.5 and is_plain_key(file, users[0].column)
        if (
            found
            and (users[0].sure > 0.6 or found.sure > 0.6)
            and not plain
            and not has_row_for_each(file, users[0].column)
        ):
            items = [found]
    if not users and items:
        stand_in = id_columns.stand_in_user(columns, said, [end.column for end in items])
        if stand_in and not has_row_for_each(file, items[0].column):
            users = [stand_in]
    if users and items and not has_creator(file, users[0], items[0]):
        return _behaviour(file, said, _best(users, hints), _best(items, hints))
    if items and not users:
        return item_roles(file, said, items, items[0])
    if users and not items:
        return node_roles(file, said, USER, users[0])
    if users and items:
        return node_roles(file, said, ITEM, items[0])
    if pair := group_tree(file, said):
        return pair
    if own := any_key(file, said):
        return node_roles(file, said, "", own)
    return Roles("unknown", rest=tuple(columns))


def _best(found: Sequence[End], hints: Mapping[str, Meaning]) -> End:
    """The first end, or the one that other files confirm."""
    confirmed = [end for end in found if end.column in hints]
    return confirmed[0] if confirmed else found[0]


def _behaviour(file: Sniffed, said: Mapping[str, Meaning], user: End, item: End) -> Roles:
    columns = file.columns
    left = [name for name in columns if name not in (user.column, item.column)]
    event = behaviours.event_column(columns, left)
    made = edge_roles(file, "behaviour", ((USER, user.column), (ITEM, item.column)), (user.column, item.column))
    rest = [name for name in made.rest if name != event]
    done = behaviours.behaviour(
        file.name,
        _folder(file),
        columns,
        [*rest, *([made.weight] if made.weight else []), *([made.time.column] if made.time else [])],
        item.column,
    )
    asks = [ask for ask in (user.ask, item.ask) if ask]
    findings = [
        Finding(user.column, "user id", user.why, user.sure), Finding(item.column, "item id", item.why, item.sure),
    ]  # fmt: skip
    if event and columns[event].distinct == 1 and columns[event].kind != "str":
        made = replace(made, left_out={**made.left_out, event: "it is the same in every row"})
        event = None
    elif event:
        done = behaviours.by_events(columns[event])
        findings.append(Finding(event, "event", f"{columns[event].distinct} kinds", 0.9))
    rating = next((name for name in rest if words.is_rating(name) and columns[name].numeric), None)
    if rating is None and event is None and made.weight is None and done.relation in ("RATED", ""):
        rating = behaviours.rating_by_values(columns, rest)
        if rating is not None and done.relation == "":
            done = behaviours.Behaviour(
                "RATED", f"{rating} is a scale", 0.6, ask=f"is {rating} a rating? Its values are steps of a scale"
            )
    if done.ask:
        asks.append(done.ask)
    if not done.relation:
        asks.append("what did users do? Nothing in the file says whether they bought, rated, listened or only looked")
    unrated = behaviours.unrated(columns[rating]) if rating and event is None else None
    if unrated:
        asks.append(_unrated_ask(rating or "", unrated))
    if rating:
        findings.append(Finding(rating, "rating", "a scale of numbers", 0.9))
    made = replace(
        made,
        relation=done.relation,
        why=done.why,
        sure=done.sure,
        event=event,
        events=done.events or {},
        rating=rating,
        unrated=unrated,
        rest=tuple(rest),
    )
    made = with_owners(file, said, made)
    share = 1 - columns[user.column].filled / max(1, file.rows)
    if share > 0.01:
        asks.append(
            f"{share:.0%} of the rows have no {user.column}, and are rejected: were they visitors without a name?"
        )
    return replace(made, findings=(*findings, *made.findings), asks=(*asks, *made.asks))


def _unrated_ask(rating: str, found: Unrated) -> str:
    return (
        f"{found.share:.0%} of {rating} is {found.value}, and the others go from {found.low:g} to {found.high:g}: does "
        f"{found.value} mean 'not rated'? It is taken so"
    )


def _folder(file: Sniffed) -> str:
    paths = getattr(file.origin, "paths", ())
    return paths[0].absolute().parent.name if paths else ""
