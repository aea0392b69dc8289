"""An explanation as sentences for the user, for any relationship types."""

from collections.abc import Sequence

from graphrec.behaviours import behaviour_type
from graphrec.errors import join_words
from graphrec.explanation.model import Explanation, Node, Reason, ReasonKind, RemainderKind, Route, RouteKind

#: How a sentence names the user at the other end of a social relation.
SOCIAL = {"FRIEND": "your friend {}", "FOLLOWS": "{}, whom you follow,", "TRUSTS": "{}, whom you trust,"}

#: Maximum number of reasons of each kind in a sentence, and the minimum share of a reason that is mentioned.
MOST_REASONS, LEAST_SHARE = 3, 0.005

#: Maximum number of characters of a title; longer ones are cut.
LONGEST = 60


def as_sentence(explanation: Explanation) -> str:
    """Two or three sentences for the user: the strongest reasons first, with their shares of the score."""
    item = name(explanation.item)
    did = verb((explanation.relation,))
    start = f"You {did} {item} already. " if explanation.seen else ""
    if any(part.kind is RemainderKind.POPULARITY for part in explanation.attribution.rest):
        return f"{start}{item} is popular: {users(explanation.num_holders)} {did} it."
    mentioned = [each for each in explanation.reasons if each.amount > 0 and _share(explanation, each) >= LEAST_SHARE]
    if not mentioned:
        missing = "attribute the score to your past interactions" if explanation.score else "connect it with you"
        return f"{start}{item} has no further explanation: the model {explanation.model} cannot {missing}."
    inputs = [each for each in explanation.reasons if each.kind is ReasonKind.INPUT]
    if inputs:
        return f"{start}{_input_sentences(explanation, inputs)}"
    clauses = [
        _history_clause(explanation, mentioned),
        *_social_clauses(explanation, mentioned),
        *_attribute_clauses(explanation, mentioned),
    ]
    text = "; ".join(clause for clause in clauses if clause)
    if not explanation.exact:
        text = f"approximately, {text}"
    return f"{start}{text[0].upper()}{text[1:]}.{_last_sentence(explanation)}"


def verb(relations: Sequence[str]) -> str:
    """Relationship types as verbs that fit before the name of an item: `listened to`, `rated and reviewed`."""
    words = [behaviour_type(relation).verb or _verb_from_name(relation) for relation in relations]
    return join_words(words)


def _verb_from_name(relation: str) -> str:
    words = relation.replace("_", " ").lower()
    if words.split()[0].endswith("ed"):
        return words
    return f"had the relation {relation} to"


def users(count: int) -> str:
    """`1 user`, `34 users`."""
    return f"{count:,} {'user' if count == 1 else 'users'}"


def name(node: Node) -> str:
    """The title of a node, cut to LONGEST characters; its label and id if it has no title."""
    if node.title is None and not node.is_text:
        return f"{node.label} {shorten(node.id)}"
    return shorten(node.name)


def percent(share: float) -> str:
    """A share of 1 as a percentage: without decimals from 10 % on, with one decimal below."""
    return f"{share * 100:.0f} %" if abs(share) >= 0.0995 else f"{share * 100:.1f} %"


def _share(explanation: Explanation, reason: Reason) -> float:
    return explanation.share(reason.amount) if explanation.score > 0 else 1.0


def _percent_in_brackets(explanation: Explanation, reason: Reason) -> str:
    """The share of a reason in brackets; empty if the score is not positive."""
    return f" ({percent(explanation.share(reason.amount))})" if explanation.score > 0 else ""


def _share_and_steps(explanation: Explanation, reason: Reason) -> str:
    """The share of a history item and its place in the history in brackets: ` (41 %, 2 steps ago)`."""
    place = {0: "", 1: "your last step"}.get(reason.steps, f"{reason.steps} steps ago")
    share = percent(explanation.share(reason.amount)) if explanation.score > 0 else ""
    inside = ", ".join(part for part in (share, place) if part)
    return f" ({inside})" if inside else ""


def _history_clause(explanation: Explanation, mentioned: Sequence[Reason]) -> str:
    """`because you listened to A (41 %) and B (22 %), and 34 users who listened to A … listened to X too`."""
    history = [each for each in mentioned if each.kind is ReasonKind.HISTORY and each.node.id != explanation.item.id]
    strongest = history[:MOST_REASONS]
    if not strongest:
        return ""
    groups: dict[tuple[str, ...], list[Reason]] = {}
    for reason in strongest:
        groups.setdefault(reason.relations, []).append(reason)
    verb_phrases = [
        f"{verb(relations)} {join_words([name(each.node) + _share_and_steps(explanation, each) for each in some])}"
        for relations, some in groups.items()
    ]
    text = f"because you {join_words(verb_phrases)}"
    shared = [(each, route) for each in strongest for route in each.through if route.kind is RouteKind.PEOPLE]
    shared = [(each, route) for each, route in shared if route.count]
    if shared:
        did = verb((explanation.relation,))
        counts = [
            f"{users(route.count) if not place else f'{route.count:,}'} who {did} {name(each.node)}"
            for place, (each, route) in enumerate(shared)
        ]
        text += f", and {join_words(counts)} {did} {name(explanation.item)} too"
    followed = [(each, route) for each in strongest for route in each.through if route.kind is RouteKind.NEXT]
    if followed:
        counts = [
            f"{users(route.count) if not place else f'{route.count:,}'} went from {name(each.node)}"
            for place, (each, route) in enumerate(followed)
        ]
        text += f", and {join_words(counts)} to {name(explanation.item)}"
    return "; ".join([text, *_describe_values_and_links(explanation, strongest)])


def _describe_values_and_links(explanation: Explanation, reasons: Sequence[Reason]) -> list[str]:
    """`A and B share the genre ‘Rock’ with X`, `ALSO_BOUGHT connects A with X`."""
    item = name(explanation.item)
    shared: dict[tuple[str, ...], dict[Node, None]] = {}
    linked: dict[str, list[str]] = {}
    mentioned = {
        id(reason): [route for route in reason.through if _is_mentioned(explanation, route)] for reason in reasons
    }
    for node in [route.node for reason in reasons for route in mentioned[id(reason)] if route.node]:
        owners = [each for each in reasons if any(route.node == node for route in mentioned[id(each)])]
        shared.setdefault((node.label, *(name(each.node) for each in owners)), {})[node] = None
    for reason in reasons:
        for route in mentioned[id(reason)]:
            if route.kind is RouteKind.LINK and route.relation:
                linked.setdefault(route.relation, []).append(name(reason.node))
    clauses = [
        f"{join_words(owners)} {'share' if len(owners) > 1 else 'shares'} the {_noun(label, len(values))} "
        f"{join_words([f'‘{shorten(value.name)}’' for value in values])} with {item}"
        for (label, *owners), values in shared.items()
    ]
    return clauses + [f"{relation} connects {join_words(owners)} with {item}" for relation, owners in linked.items()]


def _is_mentioned(explanation: Explanation, route: Route) -> bool:
    """Whether the share of a route is large enough to mention it."""
    return explanation.score <= 0 or explanation.share(route.amount) >= LEAST_SHARE


def _noun(label: str, count: int) -> str:
    """A label as a noun: `genre`, `genres`, `categories`."""
    words = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in label).strip().replace("_", " ")
    if count == 1:
        return words
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(("s", "x", "ch", "sh")) else f"{words}s"


def _social_clauses(explanation: Explanation, mentioned: Sequence[Reason]) -> list[str]:
    """`your friend 17 listened to X (2 %)`; `… chose similar items` if the friend does not have the item."""
    clauses, did = [], verb((explanation.relation,))
    for reason in [each for each in mentioned if each.kind is ReasonKind.SOCIAL][:MOST_REASONS]:
        who = SOCIAL.get(reason.relations[0], f"{{}}, to whom {reason.relations[0]} leads,").format(name(reason.node))
        has_item = any(route.kind is RouteKind.DIRECT for route in reason.through)
        choice = f"{did} {name(explanation.item)}" if has_item else "chose similar items"
        clauses.append(f"{who} {choice}{_percent_in_brackets(explanation, reason)}")
    return clauses


def _attribute_clauses(explanation: Explanation, mentioned: Sequence[Reason]) -> list[str]:
    """`users who share your town (Paris) chose similar items (3 %)`."""
    return [
        f"users who share your {_noun(reason.node.label, 1)} ({shorten(reason.node.name)}) chose similar items"
        f"{_percent_in_brackets(explanation, reason)}"
        for reason in [each for each in mentioned if each.kind is ReasonKind.ATTRIBUTE][:MOST_REASONS]
    ]


def _input_sentences(explanation: Explanation, reasons: Sequence[Reason]) -> str:
    """`Place 3 of ials (54 %) and its popularity (10 %) speak for X. The models rank X by A (31 %) and B (20 %).`"""
    item, parts = name(explanation.item), []
    for sign, side in ((1, "for"), (-1, "against")):
        some = [each for each in reasons if sign * each.amount > 0 and abs(_share(explanation, each)) >= LEAST_SHARE]
        strongest = sorted(some, key=lambda each: -abs(each.amount))[:MOST_REASONS]
        if strongest:
            words = [f"{each.node.id}{_percent_in_brackets(explanation, each)}" for each in strongest]
            parts.append(f"{join_words(words)} {'speak' if len(words) > 1 else 'speaks'} {side} {item}")
    text = "; ".join(parts)
    paths = [path for path in explanation.paths if path.contribution > 0][:MOST_REASONS]
    by_history = ""
    if paths:
        did = verb(paths[0].steps[0].relations)
        by_history = f" The models find it because you {did} {join_words([name(path.nodes[1]) for path in paths])}."
    return f"{text[0].upper()}{text[1:]}.{by_history}"


def _last_sentence(explanation: Explanation) -> str:
    """The share of the longer walks of an exact model, or of what an approximate model does not attribute."""
    longer = explanation.share(explanation.remainder(RemainderKind.LONGER))
    if longer >= LEAST_SHARE:
        return f" {percent(longer)} of the score comes from longer walks through similar users."
    beyond = explanation.share(explanation.remainder(RemainderKind.BEYOND_HISTORY))
    if not explanation.exact and abs(beyond) >= LEAST_SHARE:
        return (
            f" The model {explanation.model} learns vectors, so these shares are estimates; "
            f"{percent(beyond)} of the score cannot be attributed to your past interactions."
        )
    return "" if explanation.exact else f" The model {explanation.model} learns, so these shares are estimates."


def shorten(text: str) -> str:
    """The text on one line, cut to LONGEST characters."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
