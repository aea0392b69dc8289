"""What a table is (behaviour, relations of users, users or items) and what each of its columns means."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import behaviours, ends, words
from graphrec.tabular.inference.behaviours import Unrated
from graphrec.tabular.inference.edges import edge_roles
from graphrec.tabular.inference.ends import End
from graphrec.tabular.inference.evidence import Finding, Roles
from graphrec.tabular.inference.owners import with_owners
from graphrec.tabular.inference.relations import group_tree, social
from graphrec.tabular.inference.things import (
    any_key,
    has_creator,
    has_row_for_each,
    is_plain_key,
    item_roles,
    node_roles,
    own_id,
)
from graphrec.tabular.inference.words import Meaning
from graphrec.tabular.sniffing import Sniffed


def roles(file: Sniffed, hints: Mapping[str, Meaning] | None = None) -> Roles:
    """What the table and its columns seem to be; `hints` say of columns what keys shared with other files say."""
    made = _roles(file, ends.meanings(file.columns, hints or {}), hints or {})
    columns = [file.columns[name] for name in file.columns]
    asks = [f'{c.name}: {c.either}; write decimal = "," if it has' for c in columns if c.either and c.numeric]
    for column in columns:
        if column.doubtful:
            shown = " and ".join(f"'{word}'" for word in column.doubtful)
            asks.append(f"does {shown} among the numbers of {column.name} mean that there is none? It is taken so")
    return replace(made, asks=(*made.asks, *asks))


def _roles(file: Sniffed, said: Mapping[str, Meaning], hints: Mapping[str, Meaning]) -> Roles:
    columns = file.columns
    users, items = ends.users(columns, said), ends.items(columns, said)
    if relation := social(file, said, users, items):
        return relation
    if users and not items and (own := own_id(file, said, users, "user")):
        return node_roles(file, said, USER, own)
    if not users and (own := own_id(file, said, items, "item")):
        return item_roles(file, said, items, own)
    if users and not items:
        found = ends.unnamed_item(columns, said, [end.column for end in users])
        plain = found is not None and found.sure <= 0.5 and is_plain_key(file, users[0].column)
        if (
            found
            and (users[0].sure > 0.6 or found.sure > 0.6)
            and not plain
            and not has_row_for_each(file, users[0].column)
        ):
            items = [found]
    if not users and items:
        stand_in = ends.stand_in_user(columns, said, [end.column for end in items])
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


<<<<<<< HEAD
# -- relations between users, items and groups


def _social(file: Sniffed, said: Mapping[str, Meaning], users: Sequence[End], items: Sequence[End]) -> Roles | None:
    """The roles of a file of relations between users, None if it is none."""
    names = list(file.columns)
    friends = {n: r for n in names if (r := _friend(n)) and ends.is_id(file.columns[n])}
    stem = file.name.casefold()
    usual = "TRUSTS" if "trust" in stem else "FOLLOWS" if "follow" in stem else "FRIEND"
    named = any(word in stem for word in ("trust", "follow", "friend", "social", "contact"))
    strong = [end for end in users if said[end.column].part == "id" and end.column not in friends]
    if items and not (friends and strong and named):
        return None
    if strong and file.columns[strong[0].column].unique and any(file.columns[name].split for name in friends):
        return None  # users with a list of friends each
    pair: tuple[str, str] | None = None
    if strong and friends:
        pair = strong[0].column, next(iter(friends))
    elif len(strong) > 1 and not friends and {said[e.column].word for e in strong[:2]} != {"user", "rater"}:
        ordered = sorted((end.column for end in strong[:2]), key=names.index)
        apart = not _says(file, ordered[0], ordered[1]) and not _says(file, ordered[1], ordered[0])
        pair = (ordered[0], ordered[1]) if apart or len(names) == 2 else None
    elif not users:
        folded = {words.folded(name): name for name in names}
        first = next((w for w in words.ENDS if w in folded and words.ENDS[w] in folded), None)
        if first and (named or _overlap(file, folded[first], folded[words.ENDS[first]]) >= 0.2):
            pair = folded[first], folded[words.ENDS[first]]
    if pair is None:
        return None
    relation = usual if file.headerless or (named and usual != "FRIEND") else friends.get(pair[1]) or usual
    why = f"the file is called {file.name}" if named else f"{pair[1]} is a second user"
    made = _edges(file, said, "social", ((USER, pair[0]), (USER, pair[1])), pair)
    findings = [Finding(pair[0], "user id", "first of two users", 0.9), Finding(pair[1], "user id", why, 0.9)]
    return replace(
        made, relation=relation, why=why, sure=0.9 if named or friends else 0.6, findings=(*findings, *made.findings)
    )


def _friend(name: str) -> str | None:
    """The relation that the name of a second user says."""
    parts = words.tokens(name)
    called = words.folded(name)
    for word, relation in words.FRIENDS.items():
        if word in parts or called in (f"{word}id", f"{word}userid", f"{word}s", f"{word}user"):
            return relation
    return None


def _overlap(file: Sniffed, first: str, second: str) -> float:
    one, two = (set(file.columns[name].values.dropna()) for name in (first, second))
    return len(one & two) / max(1, min(len(one), len(two)))


def _says(file: Sniffed, key: str, other: str) -> bool:
    return dependency(file.columns[key], file.columns[other]).holds


def _group_pair(file: Sniffed, said: Mapping[str, Meaning]) -> Roles | None:
    """A tree of groups: a category and its parent."""
    groups = [name for name, meaning in said.items() if meaning.what == "group" and meaning.part == "id"]
    parents = [name for name in file.columns if "parent" in words.folded(name)]
    own = [name for name in groups if name not in parents]
    if len(own) != 1 or len(parents) != 1 or len(file.columns) > 3:
        return None
    label = words.group(said[own[0]].word)[0]
    findings = (
        Finding(own[0], f"{label} id", f"'{said[own[0]].word}'", 0.9),
        Finding(parents[0], f"{label} id", "its parent", 0.9),
    )
    rest = tuple(name for name in file.columns if name not in (own[0], parents[0]))
    ends_ = ((label, own[0]), (label, parents[0]))
    return Roles("pairs", ends_, "CHILD_OF", 0.9, "a group and its parent", rest=rest, findings=findings)


# -- users and items


def _own_id(file: Sniffed, said: Mapping[str, Meaning], found: Sequence[End], what: str) -> End | None:
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


def _any_key(file: Sniffed, said: Mapping[str, Meaning]) -> End | None:
    """The key of a file of things that nothing else names."""
    keys = [n for n in file.keys if n in file.columns]
    if len(keys) == 1:
        return End(keys[0], "the primary key", 0.9)
    entity, word = words.entity_of_file(file.name)
    for name, meaning in said.items():
        column = file.columns[name]
        if not column.unique or column.filled < file.rows or not ends.is_id(column):
            continue
        if words.folded(name) in ("id", "key", "code", "name") or (
            meaning.part == "id" and meaning.what in ("other", "group")
        ):
            return End(name, "its values are unique", 0.8)
        if entity and word and words.singular(words.tokens(name)[0]) == word:
            return End(name, f"the key of {file.name}", 0.8)
    return None


def _is_nodes(file: Sniffed, column: str) -> bool:
    """Whether a file has one row for each value of a column and is called like what they are."""
    entity, _ = words.entity_of_file(file.name)
    return (
        file.columns[column].unique
        and (bool(entity) or file.rows > 3 or column in file.keys)
        and not words.relation_of(file.name)
    )


def _is_plain_key(file: Sniffed, column: str) -> bool:
    """Whether a column is the key of its rows and no other column is a time at which something was done."""
    if not file.columns[column].unique:
        return False
    timed = any(c.moment is not None and not words.is_other_time(name) for name, c in file.columns.items())
    return words.folded(column) in ("id", "key", "code") or not timed


def _has_creator(file: Sniffed, user: End, item: End) -> bool:
    """Whether the user of a file of items is only who made each: items are unique, have titles, and nothing is done."""
    columns = file.columns
    if not columns[item.column].unique or file.rows < 4 or words.relation_of(file.name):
        return False
    called = {words.folded(name) for name in columns}
    entity, _ = words.entity_of_file(file.name)
    titled = any(words.meaning(n).part == "name" or words.folded(n) in words.NAMES for n in columns if n != item.column)
    done = called & (words.WEIGHTS | words.EVENTS) or any(words.is_rating(name) for name in columns)
    return titled and not done and (entity == "item" or item.column in file.keys) and not columns[user.column].unique


def _of_things(file: Sniffed, said: Mapping[str, Meaning], items: Sequence[End], own: End) -> Roles:
    """The roles of a file about items: a row for each, or pairs of an item and a group, or of two items."""
    columns = file.columns
    if len(items) > 1 and not columns[items[0].column].unique and len(columns) <= 4:
        first, second = items[0].column, items[1].column
        same = said[first].word == said[second].word or _overlap(file, first, second) >= 0.3
        if same and not _says(file, first, second):
            findings = tuple(Finding(end.column, "item id", end.why, end.sure) for end in items[:2])
            relation = "CITES" if "cit" in file.name.casefold() else "RELATED_TO"
            rest = tuple(name for name in columns if name not in (first, second))
            return Roles(
                "pairs", ((ITEM, first), (ITEM, second)), relation, 0.6, "two items on each row", rest=rest, findings=findings,
                asks=(f"how are {first} and {second} related? {relation} is a guess",),
            )  # fmt: skip
    column = columns[own.column]
    groups = [n for n, m in said.items() if m.what == "group" and n != own.column and m.part in ("id", "name")]
    if not column.unique and len(groups) == 1 and len(columns) <= 3 and column.filled > 3:
        if dependency(column, columns[groups[0]]).fails:
            label, relation = words.group(said[groups[0]].word)
            findings = (
                Finding(own.column, "item id", own.why, own.sure),
                Finding(groups[0], f"{label} id", f"an item has several: '{said[groups[0]].word}'", 0.9),
            )
            rest = tuple(name for name in columns if name not in (own.column, groups[0]))
            return Roles(
                "pairs", ((ITEM, own.column), (label, groups[0])), relation, 0.9, "pairs", rest=rest, findings=findings
            )
    return _nodes(file, said, ITEM, own)


def _nodes(file: Sniffed, said: Mapping[str, Meaning], label: str, own: End) -> Roles:
    """The roles of a file with a row for each user or item; the values of groups such as genres become nodes."""
    role = f"{label.lower()} id" if label in (USER, ITEM) else "id"
    findings = [Finding(own.column, role, own.why, own.sure)]
    groups: dict[str, Group] = {}
    rest = []
    for name, column in file.columns.items():
        if name == own.column:
            continue
        group = _group(name, column, said[name], groups) if label in (ITEM, "") else None
        if label == USER and (relation := _friend(name)) and column.split:
            group = Group(USER, relation, column.split)
        if group:
            groups[name] = group
            findings.append(_group_finding(name, group))
        else:
            rest.append(name)
            findings.append(Finding(name, "property", "", 0.8))
    asks = (own.ask,) if own.ask else ()
    return Roles("nodes", ((label, own.column),), groups=groups, rest=tuple(rest), findings=tuple(findings), asks=asks)


def _group_finding(name: str, group: Group) -> Finding:
    several = f", several in a field ({group.split})" if group.split else ""
    return Finding(name, f"{group.label} of the item", f"'{words.meaning(name).word or name}'{several}", 0.85)


def _group(name: str, column: Column, meaning: Meaning, done: Mapping[str, Group]) -> Group | None:
    """The nodes that a column's values become: it is called like groups, and its values come again or are several."""
    word = meaning.word if meaning.word in words.GROUPS or meaning.what == "group" else ""
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


# -- behaviour


=======
>>>>>>> sniff
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
<<<<<<< HEAD


def _edges(
    file: Sniffed, said: Mapping[str, Meaning], what: What, pair: tuple[tuple[str, str], ...], taken: Iterable[str]
) -> Roles:
    """The roles of a file of edges, but for what users did: a time, a weight, and the others."""
    columns, taken = file.columns, set(taken)
    left = [name for name in columns if name not in taken]
    time, asks = _time(file, left, [columns[column] for _, column in pair])
    findings: list[Finding] = []
    if time is not None and (moment := columns[time].moment):
        findings.append(Finding(time, "time", moment.shown, 0.95 if words.is_time(time) else 0.8))
        left.remove(time)
    weights = [name for name in left if words.is_weight(name) and columns[name].numeric]
    weights = [name for name in weights if columns[name].moment is None and columns[name].distinct > 0]
    weight = next((n for n in weights if words.folded(n) not in ("views", "times")), next(iter(weights), None))
    if what == "social":
        weight = None
    negative = None
    if weight:
        left.remove(weight)
        findings.append(Finding(weight, "weight", "a number of times, added up", 0.9))
        if bool((columns[weight].numbers < 0).any()):
            negative = weight
            asks = [*asks, f"{weight} is negative in some rows: are these returns? They are rejected by ranges"]
    moment = columns[time].moment if time else None
    return Roles(
        what, pair, time=moment.time(time) if moment and time else None, zoned=moment.zoned if moment else True,
        weight=weight, negative=negative, rest=tuple(left), findings=tuple(findings), asks=tuple(asks),
    )  # fmt: skip


def _time(file: Sniffed, names: Sequence[str], pair: Sequence[Column]) -> tuple[str | None, list[str]]:
    """The column of the time at which something was done, and what is unsure of it."""
    scored: list[tuple[int, int, str]] = []
    for place, name in enumerate(names):
        column = file.columns[name]
        if column.moment is None:
            if words.is_time(name) and column.numeric and _is_excel(column):
                return None, [f"{name} seems to count days as Excel does; save it as a date, such as 2024-02-13"]
            continue
        parts = set(words.tokens(name))
        score = 4 * words.is_time(name) + 2 * (not words.is_other_time(name)) + (column.kind == "str")
        score += (column.moment.unit is not None) + ("%H" in (column.moment.format or "%H"))
        score += bool(
            parts & {"event", "order", "invoice", "purchase", "timestamp", "created", "transaction", "rated", "time"}
        )
        score -= 5 * any(_belongs(dependency(key, column), column) for key in pair)
        if score >= 2:
            scored.append((-score, place, name))
    if not scored:
        return None, []
    chosen = min(scored)[2]
    moment = file.columns[chosen].moment
    return chosen, [f"{chosen}: {moment.ask} The first is proposed"] if moment and moment.ask else []


def _belongs(found: Dependency, column: Column) -> bool:
    return found.holds and found.repeated >= 3 and column.distinct > 1


def _is_excel(column: Column) -> bool:
    return bool(column.numbers.between(20_000, 60_000).all())


def _with_owners(file: Sniffed, said: Mapping[str, Meaning], made: Roles) -> Roles:
    """The roles with each other column given to the user, the item or the edge, by its name and what it depends on."""
    columns = file.columns
    user, item = (columns[column] for _, column in made.ends)
    of_user, of_item, rest = [], [], []
    groups: dict[str, Group] = {}
    left_out, findings = dict(made.left_out), []
    summed = made.weight is not None
    for name in made.rest:
        column = file.columns[name]
        if name == made.rating or name in left_out:
            rest += [name] if name == made.rating else []
            continue
        an_id = said[name].part == "id" and ends.is_id(column) and not _is_price(name)
        bundles = an_id and said[name].what == "context"
        numbers = an_id and said[name].what in ("context", "other") and column.filled == file.rows
        named_id = words.folded(name) in ("id", "rowid", "index", "uuid")
        if (summed and bundles) or (numbers and column.unique and (file.rows > 3 or named_id)):
            left_out[name] = "it tells rows apart" if column.unique else "rows of one user and item are added up"
            continue
        if column.distinct <= 1 and file.rows >= 10 and words.prior(name) not in ("user", "item"):
            left_out[name] = "it is the same in every row"
            continue
        owner, why, sure = _owner(name, column, user, item, summed)
        if (
            owner == "edge"
            and said[name].what == "other"
            and dependency(item, column).holds
            and _has_sibling(name, said, columns)
        ):
            owner, why, sure = "item", _shown(dependency(item, column), item.name), 0.7
        if owner == "item" and (group := _group(name, column, said[name], groups)):
            groups[name] = group
            findings.append(_group_finding(name, group))
        elif owner == "item":
            of_item.append(name)
            findings.append(Finding(name, "property of the item", why, sure))
        elif owner == "user":
            of_user.append(name)
            findings.append(Finding(name, "property of the user", why, sure))
        else:
            rest.append(name)
            findings.append(Finding(name, "property of the edge", why, sure))
    return replace(
        made, groups=groups, of_user=tuple(of_user), of_item=tuple(of_item), rest=tuple(rest), left_out=left_out,
        findings=(*made.findings, *findings),
    )  # fmt: skip


def _owner(name: str, column: Column, user: Column, item: Column, summed: bool) -> tuple[str, str, float]:
    """Whose property a column is ("user", "item" or "edge"), why, and how sure."""
    prior = words.prior(name)
    by_user, by_item = dependency(user, column), dependency(item, column)
    price = _is_price(name)
    if prior == "edge" or name in ("event",):
        return "edge", "by its name", 0.9
    if price and (summed or by_item.fails) and not (by_item.holds and by_item.repeated >= _MANY_REPEATED):
        return "edge", "a price of the sale", 0.7
    if prior == "user" and not by_user.fails:
        return "user", _shown(by_user, user.name) or "by its name", _sure(by_user)
    if prior in ("item", "user") and not by_item.fails and (prior == "item" or by_item.holds):
        return "item", _shown(by_item, item.name) or "by its name", _sure(by_item)
    if column.distinct > 1 and not prior:
        user_says = not column.unique and proven(user, column, by_user)
        item_says = not column.unique and proven(item, column, by_item)
        if item_says and (not user_says or by_item.repeated >= by_user.repeated):
            return "item", _shown(by_item, item.name), 0.8 if not user_says else 0.5
        if user_says:
            return "user", _shown(by_user, user.name), 0.8 if not item_says else 0.5
    return "edge", "depends on neither" if column.distinct > 1 else "", 0.7


def _has_sibling(name: str, said: Mapping[str, Meaning], columns: Iterable[str]) -> bool:
    """Whether a column of the same word is the item's by its name: brewery_name beside brewery_id."""
    word = said[name].word
    return any(
        other != name and words.tokens(other)[:1] == [word] and words.prior(other) == "item" for other in columns
    )


def _is_price(name: str) -> bool:
    return bool(set(words.tokens(name)) & words.LINE_PRICES) or words.folded(name) in words.LINE_PRICES


def _sure(found: Dependency) -> float:
    """How sure a name is as evidence, with a dependency besides."""
    return 0.7 + (0.28 * (1 - found.chance) if found.holds else 0)


def _shown(found: Dependency, key: str) -> str:
    if not found.holds:
        return ""
    exact = "" if not found.broken else f", but for {found.broken:,}"
    rows = "row that repeats" if found.repeated == 1 else "rows that repeat"
    return f"depends on {key} ({found.repeated:,} {rows} one{exact})"
=======
>>>>>>> sniff
