"""What an explanation consists of: nodes, paths between them, reasons, and what no path names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """A node of the graph by label and id, with its title where the graph has one.

    Where `is_text`, it is no node but the text of a property of relationships, such as TAGGED {tag}: then `label` is
    the name of the property.
    """

    label: str
    id: str
    title: str | None = None
    is_text: bool = False

    @property
    def name(self) -> str:
        """The title, or else the id."""
        return self.title or self.id


@dataclass(frozen=True)
class Step:
    """A step from one node of a path to the next: the relationship types that there are between the two.

    forward: whether they lead on (True), back (False), or may do either (None). Without types it is no relationship of
    the graph but what a model finds alike. `gone` says that the graph had it in training and has it no more.
    """

    relations: tuple[str, ...] = ()
    forward: bool | None = None
    gone: bool = False

    @property
    def relation(self) -> str | None:
        """The types as Cypher writes several: `LISTENED|TAGGED`; None where there is none."""
        return "|".join(self.relations) or None


@dataclass(frozen=True)
class Path:
    """A walk from the user to the item, and what it adds to the score; one hop between any two nodes."""

    nodes: tuple[Node, ...]
    hops: tuple[Step, ...]
    contribution: float


@dataclass(frozen=True)
class Route:
    """How one reason leads on to the item, and what that adds.

    kind: `people` (count of them have both), `value` (both share the `node`), `values` (count more of a `relation`),
    `link` (a `relation` leads from one to the other), `direct` (the person, or count of people, has the item; for an
    item of the history: it is the item), `onward` (what these people did leads there) or `longer` (longer walks).
    """

    kind: str
    amount: float
    count: int = 0
    node: Node | None = None
    relation: str | None = None


@dataclass(frozen=True)
class Reason:
    """What one thing near the user adds to the score in all: `through` says how, and adds up to `amount`.

    kind: `history`, `social` or `attribute`; node: the item, person or value; relations: between it and the user.
    """

    kind: str
    node: Node
    relations: tuple[str, ...]
    amount: float
    through: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Remainder:
    """A part of a score that no path of an explanation names; `count` paths are in it where they could be counted."""

    name: str
    amount: float
    count: int | None = None


@dataclass(frozen=True)
class Attribution:
    """A score in parts: contributions of `paths` and amounts of `rest` add up to it, and so do those of all `reasons`
    where the split is exact."""

    paths: tuple[Path, ...]
    rest: tuple[Remainder, ...]
    reasons: tuple[Reason, ...]
    exact: bool = True


@dataclass(frozen=True)
class Explanation:
    """Why a model gives an item its score for a user.

    score = Σ contribution over `paths` + Σ amount over `rest`, where score is what the model's `score` gives. relation:
    the behaviour that is predicted; num_holders: how many users have the item; seen: whether the user does.
    """

    user: Node
    item: Node
    score: float
    split: Attribution
    model: str
    run: str
    relation: str
    num_holders: int
    seen: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        """The named paths, the strongest first."""
        return self.split.paths

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All that speaks for and against the item, the strongest first."""
        return self.split.reasons

    @property
    def exact(self) -> bool:
        """Whether the parts are those of the model's own sum."""
        return self.split.exact

    @property
    def rest(self) -> float:
        """What no named path accounts for."""
        return sum(part.amount for part in self.split.rest)

    def share(self, amount: float) -> float:
        """An amount as a share of the score; of 0 where the score has no sense of more and less than nothing."""
        return amount / self.score if self.score > 0 else 0.0
