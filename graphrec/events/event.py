"""An event: what one user did with one item at one time, as an application reports it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphrec.behaviours import BEHAVIOUR_TYPES, WEIGHT_PROPERTIES
from graphrec.schema import SHOWN

#: The name of the source that events are from; `graphrec unlink events` removes all of them.
SOURCE_NAME = "events"

#: Properties of an edge that an event becomes, as its Source node declares them.
PROPERTIES = ("event", "timestamp", "received", *WEIGHT_PROPERTIES, "run", "rank", "recommendation_id", "propensity")

#: Behaviours of which a user and an item have one edge, that of the latest event.
ONE_PER_PAIR = frozenset({"RATED"})

#: Relationship types that events may have in every graph, besides the behaviours that the graph has.
KNOWN = frozenset({each.relation for each in BEHAVIOUR_TYPES} | {SHOWN})


@dataclass(frozen=True)
class EventPolicy:
    """What becomes of events with unknown ids: whether their users and items are created, or the events rejected."""

    create_users: bool = True
    create_items: bool = False


@dataclass(frozen=True)
class Event:
    """An event of a user with an item.

    id: from the application: an event sent again with the same id, behaviour, user and item is written once.
    behaviour: the relationship type, such as PURCHASED; SHOWN is an impression.
    timestamp: Unix seconds.
    values: `rating`, `count`, `hours` or `value`, the strength of the interaction.
    run, rank: of an impression: the run that recommended the item, and its rank.
    recommendation_id: the answer that the item was shown in.
    propensity: of an impression: the probability with which the item was shown at this rank, above 0 and at most 1.
    """

    id: str
    behaviour: str
    user: str
    item: str
    timestamp: int
    values: Mapping[str, float] = field(default_factory=dict)
    run: str | None = None
    rank: int | None = None
    recommendation_id: str | None = None
    propensity: float | None = None

    def properties(self, received: int) -> dict[str, Any]:
        """The properties of the edge, without those that are missing; `received` is in milliseconds since 1970."""
        found = {
            "event": self.id,
            "source": SOURCE_NAME,
            "timestamp": self.timestamp,
            "received": received,
            **self.values,
            "run": self.run,
            "rank": self.rank,
            "recommendation_id": self.recommendation_id,
            "propensity": self.propensity,
        }
        return {name: value for name, value in found.items() if value is not None}
