"""Small sources of films for tests: users rate, tag and trust, films have genres."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Source

#: User, item, rating and time.
Rating = tuple[str, str, float | None, int | None]
#: Id, title, year and length.
Film = tuple[str, str | None, int | None, int | None]

RATED = EdgeType("User", "RATED", "Item", ("rating", "timestamp"))
TAGGED = EdgeType("User", "TAGGED", "Item", ("tag",), key=("tag",))
FRIEND = EdgeType("User", "FRIEND", "User")
IN_GENRE = EdgeType("Item", "IN_GENRE", "Genre")
ITEM = NodeType("Item", ("title", "year", "length"))
EMAIL = LinkRule("User", "exact", ("email",))


def source(
    name: str,
    films: Sequence[Film] = (),
    ratings: Sequence[Rating] = (),
    *,
    tags: Sequence[tuple[str, str, str]] = (),
    friends: Sequence[tuple[str, str]] = (),
    users: Sequence[tuple[str, str | None]] = (),
) -> GraphTables:
    """A source of films, ratings, tags (user, item, tag), friends, and users with their email."""
    named = dict(users)
    everyone = [
        *named,
        *(row[0] for row in ratings),
        *(row[0] for row in tags),
        *(user for pair in friends for user in pair),
    ]
    people = pd.DataFrame({"id": pd.Series(list(dict.fromkeys(everyone)), dtype="str")})
    people["email"] = people["id"].map(named).astype("str") if len(people) else pd.Series(dtype="str")
    return GraphTables(
        (
            NodeTable(NodeType("User", ("email",)), people),
            NodeTable(ITEM, columns(["id", "title", "year", "length"], films)),
        ),
        (
            EdgeTable(RATED, columns([*ENDS, "rating", "timestamp"], ratings)),
            EdgeTable(TAGGED, columns([*ENDS, "tag"], tags)),
            EdgeTable(FRIEND, columns(ENDS, friends)),
        ),
        (Source(name),),
        (EMAIL,),
    )


_TYPES = {"year": "Int64", "length": "Int64", "timestamp": "Int64", "rating": "float64"}


def columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """A frame of these columns in their types."""
    types = {name: _TYPES.get(name, "str") for name in names}
    return pd.DataFrame([list(row) for row in rows], columns=[*names]).astype(types)
