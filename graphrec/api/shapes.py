"""Requests and answers of the API, from which OpenAPI describes them."""

import math
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from graphrec.api.limits import MAX_EVENTS, MAX_ID, MAX_ITEMS, MAX_K, MAX_USERS


def _decode(text: str) -> str:
    """The text of a percent-encoded part of a path. Raises ValueError if it is no text or too long."""
    decoded = unquote(text, errors="strict")
    if len(decoded) > MAX_ID:
        raise ValueError(f"an id has at most {MAX_ID} characters")
    return decoded


def _require_text(text: str) -> str:
    text.encode()  # raises a ValueError for half a character (a lone surrogate)
    return text


def parse_path_text(text: str) -> str:
    """The text of a part of a path, as PathText checks it. Raises ValueError as it does."""
    return _require_text(_decode(text))


#: A user, item, relationship type or name in a path, percent-encoded; a slash in it is `%2F`.
PathText = Annotated[str, Path(min_length=1), AfterValidator(_decode), AfterValidator(_require_text)]

#: An id in a body or a query.
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID), AfterValidator(_require_text)]

K = Annotated[int, Query(ge=1, le=MAX_K, description="Number of items.")]
Rules = Annotated[str | None, Query(max_length=MAX_ID, description="Name of reranking rules of the server.")]
Anyone = Annotated[bool, Query(description="Answer an unknown user as an anonymous visitor instead of with 404.")]
Exclude = Annotated[list[Id], Query(max_length=MAX_ITEMS, description="Items that are not recommended.")]
Context = Annotated[
    list[Id], Query(max_length=MAX_ITEMS, description="Items of the current visit; they count for this answer only.")
]
Explain = Annotated[bool, Query(description="Add the strongest reason of each item that the model scored.")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProblemDetails(BaseModel):
    """An error (RFC 9457); `detail` says what happened and what to do."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[dict[str, str]] | None = None


class Because(BaseModel):
    """The node that contributes most to a score."""

    id: str
    label: str
    title: str | None = None


class RecommendedItem(BaseModel):
    """An item with the strategy that found it; scores are comparable within one strategy."""

    item: str
    title: str | None
    score: float
    rank: int
    strategy: str
    detail: str | None
    run: str | None
    because: Because | None = None


class Recommendations(BaseModel):
    """An answer. `recommendation_id` names it in later events; `strategy` is that of its first item."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "recommendation_id": "r_4Zb0bJ7cQm1nVw2x",
                "user": "2",
                "run": "graph_filter-20261129-101500-ab12",
                "strategy": "published",
                "items": [
                    {
                        "item": "733",
                        "title": "Rock, The",
                        "score": 0.4569,
                        "rank": 1,
                        "strategy": "published",
                        "detail": "graph_filter",
                        "run": "graph_filter-20261129-101500-ab12",
                    }
                ],
                "notes": ["published by graph_filter, run graph_filter-20261129-101500-ab12"],
            }
        }
    )

    recommendation_id: str
    user: str | None
    run: str | None
    strategy: str
    items: list[RecommendedItem]
    notes: list[str]
    trace: list[dict[str, Any]] | None = None  # a row of a rule's effects


class RecommendationRequest(_Request):
    """Exactly one of `users`, `session` (items of an anonymous visitor) and `group` (users who choose together)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"session": ["1", "260"], "k": 5}})

    users: Annotated[list[Id], Field(min_length=1, max_length=MAX_USERS)] | None = None
    session: Annotated[list[Id], Field(min_length=1, max_length=MAX_ITEMS)] | None = None
    group: Annotated[list[Id], Field(min_length=2, max_length=MAX_USERS)] | None = None
    k: int = Field(10, ge=1, le=MAX_K)
    rules: str | None = Field(None, max_length=MAX_ID)
    exclude: list[Id] = Field([], max_length=MAX_ITEMS)
    anyone: bool = False
    explain: bool = False


class ManyRecommendations(BaseModel):
    """The answers in the order of the users; one answer for a session or a group."""

    answers: list[Recommendations]


class SimilarItem(BaseModel):
    """An item that is similar to another."""

    item: str
    title: str | None
    score: float
    rank: int


class SimilarItems(BaseModel):
    """Similar items, best first. `strategy`: published, model, or common_users."""

    recommendation_id: str
    item: str
    run: str | None
    strategy: str
    items: list[SimilarItem]


class Audience(BaseModel):
    """Users who may like an item: those with it in their list first, then those who liked similar items."""

    item: str
    run: str | None
    users: list[dict[str, Any]]  # rows of the query find_audience


class EventIn(_Request):
    """What a user did with an item. One sent again, with the same id, behaviour, user and item, is written once."""

    event: Id = Field(description="Unique for the events of a behaviour, a user and an item.")
    behaviour: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")] = Field(
        description="A relationship type, such as PURCHASED; SHOWN is an impression."
    )
    user: Id
    item: Id
    timestamp: int | None = Field(None, ge=0, le=253_402_300_799, description="Unix seconds; by default now.")
    rating: float | None = Field(None, allow_inf_nan=False)
    count: float | None = Field(None, allow_inf_nan=False)
    hours: float | None = Field(None, allow_inf_nan=False)
    value: float | None = Field(None, allow_inf_nan=False)
    run: Id | None = Field(None, description="Of an impression: the run of the answer.")
    rank: int | None = Field(None, ge=1, le=1_000_000, description="Of an impression: the rank of the item.")
    recommendation_id: Id | None = Field(None, description="The answer that the item was shown in.")
    propensity: float | None = Field(
        None, gt=0, le=1, description="Of an impression: the probability with which the item was shown at this rank."
    )


class EventsIn(_Request):
    """A batch of events."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"events": [{"event": "order-17-1", "behaviour": "PURCHASED", "user": "2", "item": "733"}]}
        },
    )

    events: Annotated[list[EventIn], Field(min_length=1, max_length=MAX_EVENTS)]


class Rejected(BaseModel):
    """An event that was not written."""

    event: str
    reason: str


class EventsOut(BaseModel):
    """Numbers of events by outcome. Accepted events are committed: the next answer of their users knows them."""

    accepted: int
    repeated: int
    rejected: list[Rejected]


def _require_storable(value: object) -> object:
    """The value of a property. Raises ValueError if no database can store it."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer has at most 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is finite")
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str):
            _require_text(text)
    return value


PropertyIn = Annotated[str | int | float | bool | list[str] | None, AfterValidator(_require_storable)]


class NodeIn(_Request):
    """Properties to set (null removes one), and ids of attribute nodes by relationship type, which are replaced."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"properties": {"title": "A new film"}, "attributes": {"IN_GENRE": ["Drama"]}}},
    )

    properties: Annotated[dict[str, PropertyIn], Field(max_length=100)] = {}
    attributes: Annotated[dict[str, Annotated[list[Id], Field(max_length=100)]], Field(max_length=20)] = {}


class NodeOut(BaseModel):
    """What was written."""

    id: str
    created: bool
    properties: int
    attributes: int


class Interaction(BaseModel):
    """An edge of a user to an item."""

    item: str
    title: str | None
    behaviour: str
    timestamp: int | None
    properties: dict[str, Any]  # of the edge


class UserOut(BaseModel):
    """What the graph knows about a user; `history` has the newest interactions."""

    user: str
    properties: dict[str, Any]  # of the node
    history: list[Interaction]
    num_interactions: int
    friends: list[str]
    attributes: dict[str, list[str]]


class DeletedUserOut(BaseModel):
    """What was deleted."""

    user: str
    nodes: int
    edges: int


class RunOut(BaseModel):
    """A run; `state`: active, kept, removed, cut off or not published."""

    run: str
    model: str | None
    state: str
    saved: bool
    created_at: str | None
    published_at: int | None
    activated_at: int | None
    verdict: str | None
    metrics: dict[str, float]


class RunsOut(BaseModel):
    """All runs, the active one first."""

    runs: list[RunOut]


class Activated(BaseModel):
    """The run that is active now, and the one it replaces."""

    run: str
    instead_of: str


class QueryOut(BaseModel):
    """A query that the API runs: its sentence, its parameters with their defaults, and its columns."""

    name: str
    sentence: str
    parameters: list[dict[str, Any]]  # name, type, default, text
    columns: list[str]


class QueriesOut(BaseModel):
    """All queries that the API runs."""

    queries: list[QueryOut]


class RowsOut(BaseModel):
    """The records of a query."""

    query: str
    columns: list[str]
    rows: list[dict[str, Any]]  # values of Cypher


class TypeOut(BaseModel):
    """A label (`from` and `to` are null), or a relationship type between two labels, with its properties."""

    type: str
    from_: str | None = Field(alias="from")
    to: str | None
    count: int
    properties: list[str]


class SchemaOut(BaseModel):
    """The labels and relationship types of the graph."""

    types: list[TypeOut]


class Health(BaseModel):
    """Whether the parts of the server answer."""

    status: Literal["ok", "unavailable"]
    parts: dict[str, str]
