"""The words of the graph: which labels and relationship types there are and what they mean."""

from dataclasses import dataclass
from typing import Literal

from graphrec.behaviours import BEHAVIOURS
from graphrec.schema_names import require_name

USER = "User"
ITEM = "Item"

#: Relations between users that say who knows or trusts whom.
SOCIAL = ("FRIEND", "FOLLOWS", "TRUSTS")

#: Stored once, read both ways.
UNDIRECTED = frozenset({"FRIEND"})

#: What graphrec itself writes; never part of an export or of what a model sees.
RUN = "Run"
SOURCE = "Source"
RECOMMENDED = "RECOMMENDED"
SIMILAR = "SIMILAR"
WITHDRAWN = "WITHDRAWN"
WRITE_LEASE = "WriteLease"
SYSTEM_LABELS = frozenset({RUN, SOURCE, WRITE_LEASE})
SYSTEM_RELATIONS = frozenset({RECOMMENDED, SIMILAR, WITHDRAWN})

#: What publishing writes on users and items: the model's vector, and the id of the run that produced it.
EMBEDDING = "embedding"
EMBEDDING_RUN = "embedding_run"
SYSTEM_PROPERTIES = frozenset({EMBEDDING, EMBEDDING_RUN})

#: What users were shown: a log that sources may bring and `graphrec feedback` reads. It is the work of earlier models,
#: not behaviour, so no model sees it.
SHOWN = "SHOWN"

#: Relationship types from User to Item that are not behaviour. Every other type is, known to graphrec or not.
NO_BEHAVIOUR = frozenset({RECOMMENDED, SHOWN})

#: A relation triple as PyG names an edge type: (source label, relationship type, target label).
Triple = tuple[str, str, str]


@dataclass(frozen=True)
class NodeType:
    """A node label with the names of its properties besides `id` and `keys`.

    `shared` says that an id means the same thing in every source (a genre's name), so nodes of several
    sources with one id are one node. Nodes of other types are fused only where fusion finds a link.

    Raises:
        DataError: the label or a property has a name that cannot be used in a statement (see
            `graphrec.schema_names`).
    """

    label: str
    properties: tuple[str, ...] = ()
    shared: bool = False

    def __post_init__(self) -> None:
        require_name(self.label, "label")
        for name in self.properties:
            require_name(name, "property")


@dataclass(frozen=True)
class EdgeType:
    """A relationship type between two labels, with the names of its properties besides `source`.

    `key` names the properties that distinguish several edges between the same two nodes: a user may tag an
    item with many tags, so TAGGED has the key ("tag",), while RATED has the key () and occurs once per pair.
    A key of None says nothing of the kind: there may be several equal edges, as in a graph that others wrote.

    Raises:
        DataError: a label, the type or a property has a name that cannot be used in a statement (see `schema_names`).
    """

    source: str
    relation: str
    target: str
    properties: tuple[str, ...] = ()
    key: tuple[str, ...] | None = ()

    def __post_init__(self) -> None:
        require_name(self.relation, "relationship type")
        for label in (self.source, self.target):
            require_name(label, "label")
        for name in self.properties:
            require_name(name, "property")

    @property
    def triple(self) -> Triple:
        """(source label, relationship type, target label), PyG's name of an edge type."""
        return (self.source, self.relation, self.target)

    @property
    def undirected(self) -> bool:
        """Whether one stored edge represents both directions."""
        return self.relation in UNDIRECTED


@dataclass(frozen=True)
class LinkRule:
    """What makes records of two sources the same thing: they agree in the properties `on` of a label.

    `by` says how they are compared: "exact" (equal values), "normalised" (equal without case, spaces and
    punctuation: an ISBN, a telephone number), "title" (a title and a year, spelt almost alike) or "fields" (people by
    several fields, each of which may differ a little). A link whose confidence is below `threshold` is proposed and not
    made. `one_to_one` holds that two records of one source never become one node by this rule.
    """

    label: str
    by: Literal["exact", "normalised", "title", "fields"]
    on: tuple[str, ...]
    threshold: float = 0.9
    one_to_one: bool = True


@dataclass(frozen=True)
class GraphSchema:
    """All node and edge types of a graph."""

    nodes: tuple[NodeType, ...]
    edges: tuple[EdgeType, ...]

    def behaviours(self) -> tuple[EdgeType, ...]:
        """The edge types from users to items, the strongest sign of a preference first, unknown ones last."""
        rank = {name: position for position, name in enumerate(BEHAVIOURS)}
        found = [edge for edge in self.edges if (edge.source, edge.target) == (USER, ITEM)]
        return tuple(sorted(found, key=lambda edge: (rank.get(edge.relation, len(rank)), edge.relation)))


def reverse_name(relation: str) -> str:
    """The name of a relation read backwards in a HeteroData, PyG's way: `RATED` gives `rev_RATED`."""
    return f"rev_{relation}"
