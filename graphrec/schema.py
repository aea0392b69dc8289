"""Labels and relationship types with a meaning for graphrec, and the types of nodes, edges and link rules."""

from dataclasses import dataclass
from typing import Literal

from graphrec.behaviours import BEHAVIOURS, NEGATIVE_BEHAVIOURS
from graphrec.schema_names import require_name

USER = "User"
ITEM = "Item"

#: Relationship types between users.
SOCIAL = ("FRIEND", "FOLLOWS", "TRUSTS")

#: Relationship types that are stored once and read in both directions.
UNDIRECTED = frozenset({"FRIEND"})

#: Labels and relationship types that graphrec itself writes; they are in no export, and no model sees them.
RUN = "Run"
SOURCE = "Source"
RECOMMENDED = "RECOMMENDED"
SIMILAR = "SIMILAR"
WITHDRAWN = "WITHDRAWN"
WRITE_LEASE = "WriteLease"
STREAM_POSITION = "StreamPosition"
REJECTED_EVENT = "RejectedEvent"
OPERATOR = "Operator"
DECISION = "Decision"
EXPERIMENT = "Experiment"
SYSTEM_LABELS = frozenset({RUN, SOURCE, WRITE_LEASE, STREAM_POSITION, REJECTED_EVENT, OPERATOR, DECISION, EXPERIMENT})
SYSTEM_RELATIONS = frozenset({RECOMMENDED, SIMILAR, WITHDRAWN})

#: Properties that publishing writes on users and items: the model's vector, and the id of the run that produced it.
EMBEDDING = "embedding"
EMBEDDING_RUN = "embedding_run"

#: Properties that `graphrec embed` writes on nodes: the vector of their text, the encoder's name, and a digest of both.
TEXT_EMBEDDING = "text_embedding"
TEXT_EMBEDDING_MODEL = "text_embedding_model"
TEXT_EMBEDDING_DIGEST = "text_embedding_digest"
TEXT_PROPERTIES = frozenset({TEXT_EMBEDDING, TEXT_EMBEDDING_MODEL, TEXT_EMBEDDING_DIGEST})

SYSTEM_PROPERTIES = frozenset({EMBEDDING, EMBEDDING_RUN}) | TEXT_PROPERTIES

#: The log of impressions, which sources may provide and `graphrec feedback` reads. Earlier models caused it, so it is
#: not behaviour, and no model sees it.
SHOWN = "SHOWN"

#: Relationship types from User to Item that are not behaviour. Every other type is, known to graphrec or not.
NO_BEHAVIOUR = frozenset({RECOMMENDED, SHOWN})

#: Edges between nodes of similar texts, which `graphrec embed --similar` writes with their cosine `similarity`; models
#: see them as a relation between items.
SIMILAR_TEXT = "SIMILAR_TEXT"

#: An edge type as in PyG: (source label, relationship type, target label).
Triple = tuple[str, str, str]


@dataclass(frozen=True)
class NodeType:
    """A node label with the names of its properties besides `id` and `keys`.

    If `shared`, an id has the same meaning in every source (a genre's name), so nodes of several sources with one id
    are one node. Nodes of other types are fused only if fusion finds a link.

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

    `key` names the properties that distinguish several edges between the same two nodes: a user may tag an item with
    many tags, so TAGGED has the key ("tag",), while RATED has the key () and occurs once per pair. If it is None, there
    may be several equal edges, as in a graph that another program wrote.

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
    """A rule that links records of two sources which agree in the properties `on` of a label.

    `by` is the comparison: "exact" (equal values), "normalised" (equal without case, spaces and punctuation: an ISBN, a
    telephone number), "title" (a title and a year, spelt almost alike) or "fields" (people by several fields, each of
    which may differ a little). A link with a confidence below `threshold` is proposed and not made. If `one_to_one`,
    the rule never makes one node of two records of one source.
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
        """The edge types from users to items, the strongest sign of a preference first, negative ones last."""
        rank = {name: position for position, name in enumerate(BEHAVIOURS)}
        behaviours = [edge for edge in self.edges if (edge.source, edge.target) == (USER, ITEM)]
        return tuple(
            sorted(
                behaviours,
                key=lambda edge: (
                    edge.relation in NEGATIVE_BEHAVIOURS,
                    rank.get(edge.relation, len(rank)),
                    edge.relation,
                ),
            )
        )


def reverse_name(relation: str) -> str:
    """The name of a reverse type in a HeteroData, as in PyG: `RATED` gives `rev_RATED`."""
    return f"rev_{relation}"
