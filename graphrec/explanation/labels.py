"""Ids and relationship types behind a run's positions and relation names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from graphrec.explanation.model import Node, Step
from graphrec.relations import Origin
from graphrec.runs import TrainedRun
from graphrec.schema import UNDIRECTED


@dataclass(frozen=True, eq=False)
class Labels:
    """Nodes and steps of a run.

    origins: the relations that the run kept, by kind and name as in Relations.
    behaviours: relationship types of the behaviours that the model counts, the target first.
    folded_in: id of a user who is not in the run's vocabulary, at the position after its users (`Model.with_user`).
    """

    trained: TrainedRun
    origins: Mapping[tuple[str, str], Origin]
    behaviours: tuple[str, ...]
    folded_in: str = ""

    @classmethod
    def of(cls, trained: TrainedRun, folded_in: str = "") -> Self:
        """The labels of a run."""
        origins = {(each.kind, each.name): each for each in trained.origins}
        return cls(trained, origins, counted_behaviours(trained), folded_in)

    def user(self, index: int) -> Node:
        """The node of a user."""
        ids = self.trained.users.ids
        return Node(self.trained.run.target[0], str(ids[index]) if index < len(ids) else self.folded_in)

    def item(self, index: int) -> Node:
        """The node of an item."""
        return Node(self.trained.run.target[2], str(self.trained.items.ids[index]))

    def has_names(self, kind: str, name: str) -> bool:
        """Whether the run kept the names of a relation; runs saved by versions before 0.1 have none."""
        return (kind, name) in self.origins

    def kind(self, relation: str) -> str:
        """The kind of a relation between the user and a friend or attribute value."""
        return "social" if ("social", relation) in self.origins else "user_attributes"

    def value(self, kind: str, name: str, index: int) -> Node:
        """The node, or the text, of an attribute value."""
        origin = self.origins[kind, name]
        assert origin.values is not None  # every attribute relation has values
        return Node(origin.text or origin.values.label, str(origin.values.ids[index]), is_text=bool(origin.text))

    def relation_step(self, kind: str, name: str) -> Step:
        """The step over a relation other than behaviour; a directed social relation leads on from the user."""
        relation = self.origins[kind, name].triple[1]
        return Step((relation,), True if kind == "social" and relation not in UNDIRECTED else None)

    def behaviour_step(self, user: int, item: int, forward: bool) -> Step:
        """The step between a user and an item, from what the model knows; `add_titles` looks into the graph."""
        others = self.behaviours[1:]
        if others and self.trained.model.has_other_behaviour(user, item):
            return Step(others, forward)
        return Step(self.behaviours[:1], forward)


def counted_behaviours(trained: TrainedRun) -> tuple[str, ...]:
    """The relationship types of the behaviours that a run's model counts, the target first."""
    others = [each for each in trained.origins if each.kind == "behaviours"]
    counted = [each.triple[1] for each in others if trained.model.counts_behaviour(each.name)]
    return tuple(dict.fromkeys([trained.run.relation, *counted]))
