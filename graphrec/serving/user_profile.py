"""What the graph knows about a user: properties, the newest interactions, friends and attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphrec.schema import ITEM, SYSTEM_PROPERTIES
from graphrec.serving.user_context import UserContext, UserEdge, read_user_context
from graphrec.store import Store


@dataclass(frozen=True)
class UserProfile:
    """A user; `history` has the newest interactions first, `num_interactions` is the number of all of them."""

    context: UserContext
    properties: Mapping[str, Any]
    history: tuple[UserEdge, ...]
    num_interactions: int


def read_profile(store: Store, user_id: str, k: int) -> UserProfile | None:
    """A user with the k newest interactions; None if the graph does not have the user."""
    context = read_user_context(store, user_id)
    if not context.properties:
        return None
    edges = [edge for edge in context.edges if edge.label == ITEM and edge.outgoing]
    edges.sort(key=lambda edge: (-int(edge.properties.get("timestamp") or 0), edge.relation, edge.id))
    hidden = SYSTEM_PROPERTIES | {"id"}
    properties = {name: value for name, value in context.properties.items() if name not in hidden}
    return UserProfile(context, properties, tuple(edges[:k]), len(edges))
