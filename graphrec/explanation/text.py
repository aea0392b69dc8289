"""An explanation as a sentence for the user, whatever the relationships are called."""

from collections.abc import Sequence

from graphrec.behaviours import behaviour_type
from graphrec.explanation.history import BEYOND
from graphrec.explanation.model import Explanation, Node, Reason, Route
from graphrec.explanation.walk_paths import LONGER

#: Who a friend is to the user.
SOCIAL = {"FRIEND": "your friend {}", "FOLLOWS": "{}, whom you follow,", "TRUSTS": "{}, whom you trust,"}

#: So many reasons of a kind are said, and only those with at least this share.
SAID, LEAST = 3, 0.005

#: Characters of a title before it is cut short.
LONGEST = 60


def as_sentence(explanation: Explanation) -> str:
    """Two or three sentences that tell the user why, the strongest reasons first, with their shares of the score."""
    item = name(explanation.item)
    did = verb((explanation.relation,))
    start = f"You {did} {item} already. " if explanation.seen else ""
    if explanation.model == "popularity":
        return f"{start}{item} is popular: {people(explanation.num_holders)} {did} it."
    speaking = [each for each in explanation.reasons if each.amount > 0 and _share(explanation, each) >= LEAST]
    if not speaking:
        none = "say which of your doings the score comes from" if explanation.score else "connect it with you"
        return f"{start}Nothing more can be said of {item}: the model {explanation.model} cannot {none}."
    parts = [_history(explanation, speaking), *_social(explanation, speaking), *_values(explanation, speaking)]
    said = "; ".join(part for part in parts if part)
    if not explanation.exact:
        said = f"approximately, {said}"
    return f"{start}{said[0].upper()}{said[1:]}.{_rest(explanation)}"


def verb(relations: Sequence[str]) -> str:
    """What somebody did, in words that fit before the name of an item: `listened to`, `rated and reviewed`."""
    words = [behaviour_type(relation).verb or _plain(relation) for relation in relations]
    return listed(words)


def _plain(relation: str) -> str:
    words = relation.replace("_", " ").lower()
    if words.split()[0].endswith("ed"):
        return words
    return f"had the relation {relation} to"


def people(count: int) -> str:
    """`1 person`, `34 people`."""
    return f"{count:,} {'person' if count == 1 else 'people'}"


def name(node: Node) -> str:
    """The title of a node, cut short, or its label and id where it has none."""
    if node.title is None and not node.is_text:
        return f"{node.label} {_short(node.id)}"
    return _short(node.name)


def percent(share: float) -> str:
    """A share of 1: a whole number of percent from 10 % on, one decimal below."""
    return f"{share * 100:.0f} %" if abs(share) >= 0.0995 else f"{share * 100:.1f} %"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _share(explanation: Explanation, reason: Reason) -> float:
    return explanation.share(reason.amount) if explanation.score > 0 else 1.0


def _shown(explanation: Explanation, reason: Reason) -> str:
    """The share of a reason in brackets; nothing where the score has no sense of shares."""
    return f" ({percent(explanation.share(reason.amount))})" if explanation.score > 0 else ""


def _history(explanation: Explanation, speaking: Sequence[Reason]) -> str:
    """`because you listened to A (41 %) and B (22 %): 34 people who listened to A … listened to X too`."""
    found = [each for each in speaking if each.kind == "history" and each.node.id != explanation.item.id][:SAID]
    if not found:
        return ""
    groups: dict[tuple[str, ...], list[Reason]] = {}
    for reason in found:
        groups.setdefault(reason.relations, []).append(reason)
    done = [
        f"{verb(relations)} {listed([name(each.node) + _shown(explanation, each) for each in some])}"
        for relations, some in groups.items()
    ]
    said = f"because you {listed(done)}"
    shared = [(each, part) for each in found for part in each.through if part.kind == "people" and part.count]
    if shared:
        did = verb((explanation.relation,))
        counts = [
            f"{people(part.count) if not place else f'{part.count:,}'} who {did} {name(each.node)}"
            for place, (each, part) in enumerate(shared)
        ]
        said += f", and {listed(counts)} {did} {name(explanation.item)} too"
    return "; ".join([said, *_common(explanation, found)])


def _common(explanation: Explanation, found: Sequence[Reason]) -> list[str]:
    """What the items have in common: `A and B share the genre ‘Rock’ with X`, `ALSO_BOUGHT connects A with X`."""
    item = name(explanation.item)
    shared: dict[tuple[str, ...], dict[Node, None]] = {}
    linked: dict[str, list[str]] = {}
    for node in [part.node for reason in found for part in reason.through if _is_said(explanation, part) and part.node]:
        owners = [
            each for each in found if any(part.node == node and _is_said(explanation, part) for part in each.through)
        ]
        shared.setdefault((node.label, *(name(each.node) for each in owners)), {})[node] = None
    for reason in found:
        for part in reason.through:
            if part.kind == "link" and part.relation and _is_said(explanation, part):
                linked.setdefault(part.relation, []).append(name(reason.node))
    said = [
        f"{listed(owners)} {'share' if len(owners) > 1 else 'shares'} the {_noun(label, len(values))} "
        f"{listed([f'‘{_short(value.name)}’' for value in values])} with {item}"
        for (label, *owners), values in shared.items()
    ]
    return said + [f"{relation} connects {listed(owners)} with {item}" for relation, owners in linked.items()]


def _is_said(explanation: Explanation, part: Route) -> bool:
    """Whether a way is worth a word."""
    return explanation.score <= 0 or explanation.share(part.amount) >= LEAST


def _noun(label: str, count: int) -> str:
    """A label as a noun: `genre`, `genres`, `categories`."""
    words = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in label).strip().replace("_", " ")
    if count == 1:
        return words
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(("s", "x", "ch", "sh")) else f"{words}s"


def _social(explanation: Explanation, speaking: Sequence[Reason]) -> list[str]:
    """`your friend 17 listened to X (2 %)`, or what friends did that leads to it."""
    said, did = [], verb((explanation.relation,))
    for reason in [each for each in speaking if each.kind == "social"][:SAID]:
        who = SOCIAL.get(reason.relations[0], f"{{}}, to whom {reason.relations[0]} leads,").format(name(reason.node))
        has = any(part.kind == "direct" for part in reason.through)
        done = f"{did} {name(explanation.item)}" if has else "likes what leads to it"
        said.append(f"{who} {done}{_shown(explanation, reason)}")
    return said


def _values(explanation: Explanation, speaking: Sequence[Reason]) -> list[str]:
    """`people with your town Paris like what leads to it (3 %)`."""
    return [
        f"people with your {_noun(reason.node.label, 1)} ‘{_short(reason.node.name)}’ "
        f"like what leads to it{_shown(explanation, reason)}"
        for reason in [each for each in speaking if each.kind == "attribute"][:SAID]
    ]


def _rest(explanation: Explanation) -> str:
    """What no reason says: longer walks of an exact model, or what an approximate one does not divide."""
    amounts = {part.name: explanation.share(part.amount) for part in explanation.split.rest}
    if amounts.get(LONGER, 0) >= LEAST:
        return f" {percent(amounts[LONGER])} of the score came on longer ways through people like you."
    if not explanation.exact and abs(amounts.get(BEYOND, 0)) >= LEAST:
        return (
            f" The model {explanation.model} learns vectors, so these shares are estimates; "
            f"{percent(amounts[BEYOND])} of the score comes from nothing that you did alone."
        )
    return "" if explanation.exact else f" The model {explanation.model} learns, so these shares are estimates."


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
