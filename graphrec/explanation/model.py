"""The parts of an explanation: nodes, paths between them, reasons, and what no path accounts for."""

from dataclasses import dataclass
from enum import StrEnum


class ReasonKind(StrEnum):
    """How the node of a reason is related to the user."""

    HISTORY = "history"  #: an item of the history
    SOCIAL = "social"  #: another user to whom a social relation leads
    ATTRIBUTE = "attribute"  #: an attribute value of the user
    INPUT = "input"  #: inputs of a second stage that ranks candidates; the node is a text, such as `place 3 of ials`
    OTHER = "other"  #: the part of the score that no reason accounts for; in the picture only


class RouteKind(StrEnum):
    """How a reason leads to the item."""

    PEOPLE = "people"  #: `count` users have both items
    NEXT = "next"  #: `count` users went from the item of the reason to the item
    VALUE = "value"  #: both items share the attribute value `node`
    VALUES = "values"  #: both items share `count` more values of a `relation`
    LINK = "link"  #: an item-item `relation` connects both
    DIRECT = "direct"  #: `count` users have the item; if 0, the user has it, or it is the history item
    ONWARD = "onward"  #: other behaviour of these users leads to the item
    LONGER = "longer"  #: walks through further users or values
    INPUT = "input"  #: an input of a second stage; `relation` has its name and value
    ALIKE = "alike"  #: the model finds both items similar
    MODEL = "model"  #: the part of the score that no reason accounts for; in the picture only


class RemainderKind(StrEnum):
    """Why a part of a score is in no listed path; the value is its name in tables and JSON."""

    UNLISTED = "paths not listed"  #: weaker than the listed paths
    LONGER = "longer walks"
    POPULARITY = "popularity"  #: of a model that gives all users the same scores
    UNATTRIBUTED = "not attributed by the model"
    BEYOND_HISTORY = "not attributed to the history"
    OTHER_INPUTS = "inputs other than the history"  #: of a second stage, whose reasons list them


@dataclass(frozen=True)
class Node:
    """A node of the graph by label and id, with its title if the graph has one.

    If `is_text`, it is the text of a relationship property such as TAGGED {tag}, and `label` is the property's name.
    """

    label: str
    id: str
    title: str | None = None
    is_text: bool = False

    @property
    def name(self) -> str:
        """The title, or the id if there is no title."""
        return self.title or self.id


@dataclass(frozen=True)
class Step:
    """A step from one node of a path to the next.

    relations: the relationship types between the two; empty if the model finds them similar without a relationship.
    forward: whether they lead on (True), back (False), or either way (None).
    gone: whether the graph had the relationship in training and no longer has it.
    """

    relations: tuple[str, ...] = ()
    forward: bool | None = None
    gone: bool = False

    @property
    def relation(self) -> str | None:
        """The types as Cypher writes several, such as `LISTENED|TAGGED`; None without types."""
        return "|".join(self.relations) or None


@dataclass(frozen=True)
class Path:
    """A walk from the user to the item with its contribution to the score; one step between consecutive nodes."""

    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    contribution: float


@dataclass(frozen=True)
class Route:
    """How one reason leads to the item, and the contribution of this route; RouteKind says which fields it has."""

    kind: RouteKind
    amount: float
    count: int = 0
    node: Node | None = None
    relation: str | None = None


@dataclass(frozen=True)
class Reason:
    """The total contribution of one item, person or attribute value near the user.

    node: the item, person or value.
    relations: the relationship types between the user and the node.
    amount: the contribution to the score.
    through: the routes to the item, whose amounts add up to `amount`.
    steps: number of events back in the user's history, 1 for the last; 0 if the model does not read the order.
    """

    kind: ReasonKind
    node: Node
    relations: tuple[str, ...]
    amount: float
    through: tuple[Route, ...] = ()
    steps: int = 0


@dataclass(frozen=True)
class Remainder:
    """A part of a score that is in no listed path; `count` is the number of paths in it if they were counted."""

    kind: RemainderKind
    amount: float
    count: int | None = None


@dataclass(frozen=True)
class Attribution:
    """A score divided into the contributions of `paths` and the amounts of `rest`, which add up to it.

    reasons: the same score by history item, person and attribute value; their amounts add up to it if `exact`.
    exact: whether the parts are terms of the model's own sum.
    """

    paths: tuple[Path, ...]
    rest: tuple[Remainder, ...]
    reasons: tuple[Reason, ...]
    exact: bool = True


@dataclass(frozen=True)
class Explanation:
    """Why a model gives an item its score for a user.

    score: Σ contribution over `paths` + Σ amount over the remainders; the same as `Model.score`.
    relation: the behaviour that the model predicts.
    num_holders: number of users who have the item.
    seen: whether the user has it.
    folded_in: whether the score is that of the user's edges in the live graph, which the model folded in, instead of
        that of the training.
    """

    user: Node
    item: Node
    score: float
    attribution: Attribution
    model: str
    run: str
    relation: str
    num_holders: int
    seen: bool
    folded_in: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """The listed paths, the largest contribution first."""
        return self.attribution.paths

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All reasons for and against the item, the largest amount first."""
        return self.attribution.reasons

    @property
    def exact(self) -> bool:
        """Whether the parts are terms of the model's own sum."""
        return self.attribution.exact

    @property
    def rest(self) -> float:
        """The part of the score that no listed path accounts for."""
        return sum(part.amount for part in self.attribution.rest)

    def remainder(self, kind: RemainderKind) -> float:
        """The amount of one kind of remainder; 0 if the explanation has none of it."""
        return sum(part.amount for part in self.attribution.rest if part.kind is kind)

    def share(self, amount: float) -> float:
        """An amount divided by the score; 0 if the score is not positive."""
        return amount / self.score if self.score > 0 else 0.0
