"""The cards and links of an explanation's picture: user, reasons, routes, item, and the amounts between them."""

from dataclasses import dataclass

from graphrec.explanation.model import Explanation, Node, Reason, ReasonKind, RemainderKind, Route, RouteKind
from graphrec.explanation.text import LEAST_SHARE, name, percent, users

#: Maximum number of reasons and of routes with a separate card; the remaining ones share one card.
REASONS, ROUTES = 7, 6


@dataclass(frozen=True)
class Card:
    """A card with a line, a small line below it, and the amount through it; the kind gives the colour.

    node: the node of the graph that the card represents, if it is one.
    """

    text: str
    small: str
    amount: float
    kind: str
    node: Node | None = None


@dataclass(frozen=True)
class Link:
    """The amount between a card of one column and a card of the next, given by their positions in the columns."""

    source: int
    target: int
    amount: float
    kind: str


@dataclass(frozen=True)
class Flow:
    """The columns of cards (user, reasons, routes, item), and the links between neighbouring columns."""

    columns: tuple[tuple[Card, ...], ...]
    links: tuple[tuple[Link, ...], ...]

    @property
    def reasons(self) -> tuple[Card, ...]:
        """The cards of the second column."""
        return self.columns[1]


def build_flow(explanation: Explanation) -> Flow:
    """The Flow of all reasons and routes with a positive amount; negative ones are left out."""
    positive = [each for each in (*explanation.reasons, *_collect_unattributed(explanation)) if each.amount > 0]
    num_single = len(positive) if len(positive) <= REASONS + 1 else REASONS
    rest = positive[num_single:]
    groups = [[each] for each in positive[:num_single]] + ([rest] if rest else [])
    routes = _group_routes(explanation, positive)
    reasons = tuple(_build_reason_card(explanation, group) for group in groups)
    onward = [
        Link(place, column, amount, reasons[place].kind)
        for place, group in enumerate(groups)
        for column, (_, pairs) in enumerate(routes)
        if (amount := sum(_scale_amount(*pair) for pair in pairs if pair[0] in group)) > 0
    ]
    through = tuple(
        Card(text, _small_line(explanation, below, total), total, _choose_colour(pairs), _find_node(pairs))
        for (text, below), pairs in routes
        if (total := sum(_scale_amount(*pair) for pair in pairs)) > 0
    )
    whole = sum(card.amount for card in reasons)
    user = Card(name(explanation.user), explanation.user.label, whole, ReasonKind.OTHER, explanation.user)
    item = Card(name(explanation.item), f"score {explanation.score:.4g}", whole, ReasonKind.OTHER, explanation.item)
    first = tuple(Link(0, place, card.amount, card.kind) for place, card in enumerate(reasons))
    last = tuple(Link(place, 0, card.amount, ReasonKind.OTHER) for place, card in enumerate(through))
    return Flow(((user,), reasons, through, (item,)), (first, tuple(onward), last))


def _collect_unattributed(explanation: Explanation) -> list[Reason]:
    """The part of the score that no reason accounts for, as a list of one reason; empty if it is below LEAST_SHARE.

    It is the whole score of popularity, and a part of the score of learned vectors.
    """
    amount = explanation.score - sum(reason.amount for reason in explanation.reasons)
    if explanation.share(amount) < LEAST_SHARE:
        return []
    part = max(explanation.attribution.rest, key=lambda part: part.amount)
    text = f"{users(explanation.num_holders)} have it" if part.kind is RemainderKind.POPULARITY else part.kind.value
    node = Node("", text, is_text=True)
    return [Reason(ReasonKind.OTHER, node, (), amount, (Route(RouteKind.MODEL, amount),))]


def _build_reason_card(explanation: Explanation, group: list[Reason]) -> Card:
    amount = sum(each.amount for each in group)
    if len(group) > 1:
        return Card(f"{len(group):,} others", _small_line(explanation, "", amount), amount, ReasonKind.OTHER)
    one = group[0]
    is_node = one.kind not in (ReasonKind.OTHER, ReasonKind.INPUT)
    kind, node = (one.kind, one.node) if is_node else (ReasonKind.OTHER, None)
    return Card(name(one.node), _small_line(explanation, "|".join(one.relations), amount), amount, kind, node)


def _small_line(explanation: Explanation, text: str, amount: float) -> str:
    """The lower line of a card, with the share of the score if the score is positive."""
    return " · ".join(filter(None, [text, percent(explanation.share(amount)) if explanation.score > 0 else ""]))


#: The line of a card with the small line below it; and the routes through a card, each with its reason.
Lines = tuple[str, str]
Pairs = list[tuple[Reason, Route]]


def _group_routes(explanation: Explanation, positive: list[Reason]) -> list[tuple[Lines, Pairs]]:
    """The routes by the lines of their card, the largest amount first; those beyond ROUTES share the last card."""
    by_lines: dict[Lines, Pairs] = {}
    for reason in positive:
        for route in reason.through:
            if route.amount > 0:
                by_lines.setdefault(_describe_route(explanation, route), []).append((reason, route))
    order = sorted(by_lines.items(), key=lambda entry: -sum(_scale_amount(*pair) for pair in entry[1]))
    if len(order) <= ROUTES + 1:
        return order
    others = [pair for _, pairs in order[ROUTES:] for pair in pairs]
    return [*order[:ROUTES], ((f"{len(order) - ROUTES:,} others", ""), others)]


def _scale_amount(reason: Reason, route: Route) -> float:
    """The width of a route: its positive amount, scaled so that the routes of a reason add up to the reason."""
    positive = sum(each.amount for each in reason.through if each.amount > 0)
    return max(route.amount, 0.0) * (reason.amount / positive if positive else 0.0)


def _describe_route(explanation: Explanation, route: Route) -> Lines:
    """The two lines of a route's card, without its share."""
    if route.kind is RouteKind.VALUE and route.node is not None:
        return route.node.name, route.node.label
    if route.kind in (RouteKind.VALUES, RouteKind.LINK):
        return ("others" if route.kind is RouteKind.VALUES else "linked items"), str(route.relation)
    if route.kind is RouteKind.INPUT:
        return str(route.relation), ""
    words = {
        RouteKind.PEOPLE: "users with both",
        RouteKind.NEXT: "users who went on",
        RouteKind.DIRECT: "directly",
        RouteKind.ONWARD: "their other choices",
        RouteKind.LONGER: "longer walks",
        RouteKind.ALIKE: "similar to the model",
        RouteKind.MODEL: explanation.model,
    }
    return words[route.kind], ""


def _find_node(pairs: Pairs) -> Node | None:
    """The attribute value that all routes of a card go through, or None."""
    nodes = {route.node for _, route in pairs}
    return next(iter(nodes)) if len(nodes) == 1 else None


def _choose_colour(pairs: Pairs) -> str:
    """The kind of reason whose colour a route's card has."""
    kinds = {route.kind for _, route in pairs}
    if kinds <= {RouteKind.VALUE, RouteKind.VALUES}:
        return ReasonKind.ATTRIBUTE
    return ReasonKind.SOCIAL if kinds <= {RouteKind.DIRECT, RouteKind.ONWARD} else ReasonKind.OTHER
