"""What a run knows of names: the nodes behind its positions, and the relationship types behind its relations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from graphrec.explanation.model import Node, Step
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.relations import Origin
from graphrec.runs import TrainedRun
from graphrec.schema import UNDIRECTED


@dataclass(frozen=True, eq=False)
class Labels:
    """The names of a run: `known` has the relations by kind and name as in Relations, `behaviours` the types of those
    behaviours that count for the model, its target first."""

    trained: TrainedRun
    known: Mapping[tuple[str, str], Origin]
    behaviours: tuple[str, ...]

    @classmethod
    def of(cls, trained: TrainedRun) -> Self:
        """The names of a run."""
        return cls(trained, {(each.kind, each.name): each for each in trained.origins}, behaviours(trained))

    def user(self, index: int) -> Node:
        """The node of a user."""
        return Node(self.trained.run.target[0], str(self.trained.users.ids[index]))

    def item(self, index: int) -> Node:
        """The node of an item."""
        return Node(self.trained.run.target[2], str(self.trained.items.ids[index]))

    def has(self, kind: str, name: str) -> bool:
        """Whether the run kept the names of a relation; runs of before did not."""
        return (kind, name) in self.known

    def kind(self, relation: str) -> str:
        """The kind of a relation that walks begin with."""
        return "social" if ("social", relation) in self.known else "user_attributes"

    def value(self, kind: str, name: str, index: int) -> Node:
        """The node or the text of an attribute's value."""
        origin = self.known[kind, name]
        assert origin.values is not None  # an attribute has them
        return Node(origin.text or origin.values.label, str(origin.values.ids[index]), is_text=bool(origin.text))

    def hop(self, kind: str, name: str) -> Step:
        """A hop over a relation other than behaviour; a social one leads from whom it comes."""
        relation = self.known[kind, name].triple[1]
        return Step((relation,), True if kind == "social" and relation not in UNDIRECTED else None)

    def did(self, user: int, item: int, forward: bool) -> Step:
        """The hop from a user to an item or back: as far as the model knows, without a look into the graph."""
        model = self.trained.model
        beside = False
        if isinstance(model, GraphFilter) and self.behaviours[1:]:
            found = model.signal.beside
            beside = item in found.indices[found.indptr[user] : found.indptr[user + 1]]
        return Step(self.behaviours[1:] if beside else self.behaviours[:1], forward)


def behaviours(trained: TrainedRun) -> tuple[str, ...]:
    """The relationship types of the behaviours that count for a run's model, its target first."""
    config, target = trained.model.config, trained.run.relation
    if not isinstance(config, GraphFilterConfig):
        return (target,)
    given = dict(part.split("=") for part in config.weights.replace(",", " ").split())
    others = [each for each in trained.origins if each.kind == "behaviours"]
    count = [each.triple[1] for each in others if float(given.get(each.name, config.behaviour_weight)) > 0]
    return tuple(dict.fromkeys([target, *count]))
