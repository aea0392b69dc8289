"""Files of relations between users, and trees of groups."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import id_columns, lexicon, words
from graphrec.tabular.inference.dependencies import dependency
from graphrec.tabular.inference.edges import edge_roles
from graphrec.tabular.inference.evidence import Finding, Roles
from graphrec.tabular.inference.id_columns import End
from graphrec.tabular.inference.words import Meaning
from graphrec.tabular.sniffing import Sniffed
from graphrec.tabular.spec import Files


def social(file: Sniffed, said: Mapping[str, Meaning], users: Sequence[End], items: Sequence[End]) -> Roles | None:
    """The roles of a file of relations between users, None if it is none."""
    names = list(file.columns)
    friends = {n: r for n in names if (r := friend_relation(n)) and id_columns.is_id(file.columns[n])}
    stem = file.name.casefold()
    usual = "TRUSTS" if "trust" in stem else "FOLLOWS" if "follow" in stem else "FRIEND"
    named = any(word in stem for word in ("trust", "follow", "friend", "social", "contact"))
    strong = [end for end in users if said[end.column].part == "id" and end.column not in friends]
    if items and not (friends and strong and named):
        return None
    if strong and file.columns[strong[0].column].unique and any(file.columns[name].split for name in friends):
        return None  # users with a list of friends each
    if (
        strong
        and not friends
        and not named
        and len(names) > 2
        and file.rows > 3
        and file.columns[strong[0].column].unique
    ):
        return None  # a row for each user, with another id
    pair: tuple[str, str] | None = None
    if strong and friends:
        pair = strong[0].column, next(iter(friends))
    elif len(strong) > 1 and not friends and {said[e.column].word for e in strong[:2]} != {"user", "rater"}:
        ordered = sorted((end.column for end in strong[:2]), key=names.index)
        apart = not says(file, ordered[0], ordered[1]) and not says(file, ordered[1], ordered[0])
        pair = (ordered[0], ordered[1]) if apart or len(names) == 2 else None
    elif not users:
        folded = {words.folded(name): name for name in names}
        first = next((w for w in lexicon.ENDS if w in folded and lexicon.ENDS[w] in folded), None)
        if first and (named or overlap(file, folded[first], folded[lexicon.ENDS[first]]) >= 0.2):
            pair = folded[first], folded[lexicon.ENDS[first]]
    if pair is None:
        return None
    relation = usual if file.headerless or (named and usual != "FRIEND") else friends.get(pair[1]) or usual
    why = f"the file is called {file.name}" if named else f"{pair[1]} is a second user"
    made = edge_roles(file, "social", ((USER, pair[0]), (USER, pair[1])), pair)
    findings = [Finding(pair[0], "user id", "first of two users", 0.9), Finding(pair[1], "user id", why, 0.9)]
    return replace(
        made, relation=relation, why=why, sure=0.9 if named or friends else 0.6, findings=(*findings, *made.findings)
    )


def friend_relation(name: str) -> str | None:
    """The relation that the name of a second user says."""
    parts = words.tokens(name)
    called = words.folded(name)
    for word, relation in lexicon.FRIENDS.items():
        if word in parts or called in (f"{word}id", f"{word}userid", f"{word}s", f"{word}user"):
            return relation
    return None


def overlap(file: Sniffed, first: str, second: str) -> float:
    one, two = (set(file.columns[name].values.dropna()) for name in (first, second))
    return len(one & two) / max(1, min(len(one), len(two)))


def says(file: Sniffed, key: str, other: str) -> bool:
    return dependency(file.columns[key], file.columns[other]).holds


def group_tree(file: Sniffed, said: Mapping[str, Meaning]) -> Roles | None:
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


def lists(file: Sniffed) -> Roles | None:
    """The roles of lines of a user and other users, or of an item and its groups, by the file's name; else None."""
    if not isinstance(file.origin, Files) or file.origin.shape != "basket":
        return None
    stem = file.name.casefold()
    relation = "TRUSTS" if "trust" in stem else "FOLLOWS" if "follow" in stem else "FRIEND"
    named = any(word in stem for word in ("trust", "follow", "friend", "social", "contact"))
    entity, word = words.entity_of_file(file.name)
    if entity == "group" and any(
        words.kind_of_word(words.singular(part)) == "item" for part in words.tokens(file.name)
    ):
        label, relation = words.group(word)
        findings = (
            Finding("basket", "item id", "first of the line", 0.8),
            Finding("item", f"{label} id", "the others", 0.8),
        )
        why = f"the file is called {file.name}"
        return Roles("pairs", ((ITEM, "basket"), (label, "item")), relation, 0.8, why, findings=findings)
    if not named:
        return None
    findings = (Finding("basket", "user id", "first of the line", 0.8), Finding("item", "user id", "the others", 0.8))
    why = f"the file is called {file.name}"
    return Roles("social", ((USER, "basket"), (USER, "item")), relation, 0.8, why, findings=findings)
