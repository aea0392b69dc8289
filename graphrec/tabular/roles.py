"""What the columns of a file seem to mean, by their names and by what stands in them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from graphrec.schema import ITEM, USER
from graphrec.tabular.sniffing import Sniffed
from graphrec.tabular.spec import Time

_USERS = "user|customer|visitor|member|reviewer|account|person|client|reader|listener|viewer|uid|trustor|follower|buyer"
_ITEMS = (
    "item|movie|film|sku|asin|isbn|book|artist|song|track|album|game|app|article|business|venue|location|poi|"
    "product|recipe|restaurant|show|video|news|course|iid"
)
#: Whole names or endings of the second end of a relation between users.
_FRIENDS = {
    "friend": "FRIEND",
    "followee": "FOLLOWS",
    "followed": "FOLLOWS",
    "trustee": "TRUSTS",
    "trusted": "TRUSTS",
    "trusts": "TRUSTS",
}
RATINGS = ("rating", "stars", "score", "overall", "rate", "ratings")
_WEIGHTS = ("weight", "count", "plays", "playcount", "listens", "quantity", "qty", "hours", "playtime", "amount")
_EVENTS = ("event", "eventtype", "action", "behaviour", "behavior", "behaviortype", "activity", "type")
TAGS = ("tag", "tagname", "tagid", "tagvalue")
_TEXTS = ("text", "reviewtext", "review", "comment", "summary", "body")
_GROUPS = {"genre": ("Genre", "IN_GENRE"), "categor": ("Category", "IN_CATEGORY"), "tag": ("Tag", "HAS_TAG")}
_TIME = re.compile(r"(time|timestamp|date|datetime|ts|created|at|day)$")
#: The relationship type that a word in the name of a file, or an event, stands for.
RELATIONS = {
    "rat": "RATED",
    "review": "REVIEWED",
    "purchas": "PURCHASED",
    "order": "PURCHASED",
    "transaction": "PURCHASED",
    "buy": "PURCHASED",
    "bought": "PURCHASED",
    "sale": "PURCHASED",
    "cart": "CARTED",
    "basket": "CARTED",
    "click": "CLICKED",
    "listen": "LISTENED",
    "scrobble": "LISTENED",
    "play": "PLAYED",
    "tag": "TAGGED",
    "view": "VIEWED",
}


@dataclass(frozen=True)
class Roles:
    """What a file is (behaviour, social relations, users or items, or unknown) and which column means what."""

    what: Literal["behaviour", "social", "nodes", "unknown"]
    ends: tuple[tuple[str, str], ...] = ()
    relation: str = ""
    time: Time | None = None
    weight: str | None = None
    event: str | None = None
    groups: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    rest: tuple[str, ...] = ()


def roles(file: Sniffed) -> Roles:
    """What the file and its columns seem to be; `ends` holds label and column of each id."""
    names = {column: folded(column) for column in file.columns}
    users = [column for column, name in names.items() if _is_id(name, _USERS)]
    items = [column for column, name in names.items() if _is_id(name, _ITEMS)]
    friends = [c for c, n in names.items() if _second(n) and c not in users[:1]]
    if users and (friends or len(users) > 1) and not items:
        second = friends[0] if friends else users[1]
        said = file.path.name.casefold()
        usual = "TRUSTS" if "trust" in said else "FOLLOWS" if "follow" in said else "FRIEND"
        relation = usual if file.files.header else _second(names[second]) or usual
        return _edges(file, names, Roles("social", ((USER, users[0]), (USER, second)), relation))
    if users and items:
        return _edges(file, names, Roles("behaviour", ((USER, users[0]), (ITEM, items[0]))))
    found = [(USER, users), (ITEM, items)]
    for label, columns in found:
        if columns:
            return _nodes(file, names, label, columns[0])
    own = next((column for column, name in names.items() if name in ("id", "key", "code")), None)
    if own is not None:
        stem = file.path.name.casefold()
        label = USER if re.search(_USERS, stem) else ITEM if re.search(_ITEMS, stem) else ""
        return _nodes(file, names, label, own)
    return Roles("unknown", rest=tuple(file.columns))


def folded(name: str) -> str:
    """The name of a column as it is compared: user_id and userID are userid."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def relation_of(word: str) -> str | None:
    """The relationship type that a word ("buy", "page_view", the name of a file) stands for, None if none."""
    folded = word.casefold()
    return next((relation for part, relation in RELATIONS.items() if part in folded), None)


def _is_id(name: str, words: str) -> bool:
    """Whether a column is called like an id of these things: user, userId, user_id, uid, reviewerID, parent_asin."""
    return (
        re.fullmatch(rf"(parent|src|source)?({words})s?(id|key|code|number|no|name|uuid|13|10|1|2|a|b)?", name)
        is not None
    )


def _second(name: str) -> str | None:
    return next(
        (relation for word, relation in _FRIENDS.items() if re.fullmatch(rf"{word}s?(id|user|userid)?", name)), None
    )


def _edges(file: Sniffed, names: Mapping[str, str], made: Roles) -> Roles:
    """The roles of a file of edges, whose other columns are the time, a weight, an event and properties."""
    left = [column for column in file.columns if column not in {column for _, column in made.ends}]
    time = _time(file, names, left)
    left = [column for column in left if time is None or column != time.column]
    weight = next((c for c in left if names[c] in _WEIGHTS and file.kind(c) in ("int", "float")), None)
    event = next((c for c in left if names[c] in _EVENTS and file.rows[c].nunique() <= 12), None)
    rest = tuple(column for column in left if column not in (weight, event))
    relation = made.relation
    if made.what == "behaviour":
        called = {names[column] for column in rest}
        if called & set(_TEXTS):
            relation = "REVIEWED"
        elif called & set(RATINGS):
            relation = "RATED"
        elif called & set(TAGS):
            relation = "TAGGED"
        else:
            relation = relation_of(file.path.name) or ""
    return replace(made, relation=relation, time=time, weight=weight, event=event, rest=rest)


def _nodes(file: Sniffed, names: Mapping[str, str], label: str, column: str) -> Roles:
    """The roles of a file with a row for each user or item; lists such as "Comedy|Drama" lead to nodes of their own."""
    left = [other for other in file.columns if other != column]
    groups = {}
    for other in left:
        kind = next((pair for word, pair in _GROUPS.items() if names[other].startswith(word)), None)
        values = file.rows[other].dropna()
        if kind and len(values):
            split = (
                "[]" if values.str.startswith("[").all() else "|" if values.str.contains("|", regex=False).any() else ""
            )
            groups[other] = (*kind, split)
    rest = tuple(other for other in left if other not in groups)
    return Roles("nodes", ((label, column),), groups=groups, rest=rest)


def _time(file: Sniffed, names: Mapping[str, str], columns: list[str]) -> Time | None:
    typed = [column for column in columns if column in file.times]
    called = sorted((c for c in columns if _TIME.search(names[c])), key=lambda c: file.kind(c) == "str")
    for column in [*typed, *called]:
        if time := file.time(column):
            return time
    return None
