"""What a picture of an explanation shows: cards in four columns, and how much flows between them."""

from dataclasses import dataclass

from graphrec.explanation.history import POPULAR
from graphrec.explanation.model import Explanation, Node, Reason, Route
from graphrec.explanation.text import LEAST, name, people, percent

#: So many reasons and ways have a card of their own; the others share one.
REASONS, WAYS = 7, 6


@dataclass(frozen=True)
class Card:
    """A card with a line, a small line below it, and what flows through it; the kind gives the colour."""

    text: str
    small: str
    amount: float
    kind: str


@dataclass(frozen=True)
class Link:
    """What flows from a card of one column to a card of the next, by their places."""

    source: int
    target: int
    amount: float
    kind: str


@dataclass(frozen=True)
class Flow:
    """The columns of cards (user, reasons, ways, item) and the links between each two."""

    columns: tuple[tuple[Card, ...], ...]
    links: tuple[tuple[Link, ...], ...]

    @property
    def reasons(self) -> tuple[Card, ...]:
        """The cards of the second column."""
        return self.columns[1]


def flow(explanation: Explanation) -> Flow:
    """The flow of what speaks for the item; what speaks against it, as a whole or as a way, is left out."""
    speaking = [each for each in (*explanation.reasons, *_beyond(explanation)) if each.amount > 0]
    alone = len(speaking) if len(speaking) <= REASONS + 1 else REASONS
    groups = [[each] for each in speaking[:alone]] + ([speaking[alone:]] if speaking[alone:] else [])
    ways = _ways(explanation, speaking)
    reasons = tuple(_reason(explanation, group) for group in groups)
    onward = [
        Link(place, column, amount, reasons[place].kind)
        for place, group in enumerate(groups)
        for column, (_, parts) in enumerate(ways)
        if (amount := sum(_amount(each, part) for each, part in parts if each in group)) > 0
    ]
    through = tuple(
        Card(text, _small(explanation, below, total), total, _kind(parts))
        for (text, below), parts in ways
        if (total := sum(_amount(each, part) for each, part in parts)) > 0
    )
    whole = sum(card.amount for card in reasons)
    user = Card(name(explanation.user), explanation.user.label, whole, "other")
    item = Card(name(explanation.item), f"score {explanation.score:.4g}", whole, "other")
    first = tuple(Link(0, place, card.amount, card.kind) for place, card in enumerate(reasons))
    last = tuple(Link(place, 0, card.amount, "other") for place, card in enumerate(through))
    return Flow(((user,), reasons, through, (item,)), (first, tuple(onward), last))


def _beyond(explanation: Explanation) -> list[Reason]:
    """What no reason accounts for, in the place of one: all of a score of popularity, a part of one that is learned."""
    amount = explanation.score - sum(reason.amount for reason in explanation.reasons)
    if explanation.share(amount) < LEAST:
        return []
    part = max(explanation.split.rest, key=lambda part: part.amount)
    count = f"{people(explanation.num_holders)} have it" if part.name == POPULAR else part.name
    return [Reason("other", Node("", count, is_text=True), (), amount, (Route("model", amount),))]


def _reason(explanation: Explanation, group: list[Reason]) -> Card:
    amount = sum(each.amount for each in group)
    if len(group) > 1:
        return Card(f"{len(group):,} others", _small(explanation, "", amount), amount, "other")
    one = group[0]
    return Card(name(one.node), _small(explanation, "|".join(one.relations), amount), amount, one.kind)


def _small(explanation: Explanation, text: str, amount: float) -> str:
    """The lower line of a card, with its share where the score has a sense of shares."""
    return " · ".join(filter(None, [text, percent(explanation.share(amount)) if explanation.score > 0 else ""]))


#: A line of a card and what stands below it, and what leads over a way.
Words = tuple[str, str]
Parts = list[tuple[Reason, Route]]


def _ways(explanation: Explanation, speaking: list[Reason]) -> list[tuple[Words, Parts]]:
    """The ways by name, the widest first, and what leads over each; those beyond WAYS in one."""
    found: dict[Words, Parts] = {}
    for reason in speaking:
        for part in reason.through:
            if part.amount > 0:
                found.setdefault(_way(explanation, part), []).append((reason, part))
    order = sorted(found.items(), key=lambda entry: -sum(_amount(*pair) for pair in entry[1]))
    if len(order) <= WAYS + 1:
        return order
    others = [pair for _, parts in order[WAYS:] for pair in parts]
    return [*order[:WAYS], ((f"{len(order) - WAYS:,} others", ""), others)]


def _amount(reason: Reason, part: Route) -> float:
    """What a way is wide: what speaks for the item, scaled so that the ways of a reason are as wide as the reason."""
    positive = sum(each.amount for each in reason.through if each.amount > 0)
    return max(part.amount, 0.0) * (reason.amount / positive if positive else 0.0)


def _way(explanation: Explanation, part: Route) -> Words:
    """The two lines of a way, without its share."""
    if part.kind == "value" and part.node is not None:
        return part.node.name, part.node.label
    if part.kind in ("values", "link"):
        return ("others" if part.kind == "values" else "leads from one to the other"), str(part.relation)
    words = {
        "people": "people with both",
        "direct": "directly",
        "onward": "what they did",
        "longer": "longer walks",
        "alike": "found alike",
        "model": explanation.model,
    }
    return words[part.kind], ""


def _kind(parts: Parts) -> str:
    kinds = {part.kind for _, part in parts}
    return "attribute" if kinds <= {"value", "values"} else "social" if kinds <= {"direct", "onward"} else "other"
