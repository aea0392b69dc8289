"""Typed form of the TOML file of a stream: the input, and which records become which edges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from graphrec.tabular.spec import TimeColumn

#: What becomes of an event whose user or item the graph does not have.
UnknownPolicy: TypeAlias = Literal["create", "hold", "reject"]


@dataclass(frozen=True)
class FolderInputSpec:
    """JSON-lines files that grow; `pattern` has wildcards in the last part of the path."""

    folder: Path
    pattern: str


@dataclass(frozen=True)
class RedisInputSpec:
    """Streams of a Redis or Valkey. `json` is the field with the record as JSON; "": the fields are the record.

    trim: whether records are deleted from the stream after they were written.
    """

    url: str = field(repr=False)  # may contain a password
    streams: tuple[str, ...]
    json: str = ""
    trim: bool = False


@dataclass(frozen=True)
class KafkaInputSpec:
    """Topics of a Kafka cluster; `options` are those of librdkafka, such as security.protocol."""

    servers: str
    topics: tuple[str, ...]
    group: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)  # may contain a password


InputSpec: TypeAlias = FolderInputSpec | RedisInputSpec | KafkaInputSpec


@dataclass(frozen=True)
class WeightField:
    """The property of the edge that is its weight, and the field of the record."""

    name: str
    column: str


@dataclass(frozen=True)
class EdgeSpec:
    """Which records become edges of a relationship type, and their fields.

    A field is a key of the record, or a JSON pointer such as /user/id. `streams` and `where` choose the records; the
    first edge specification that fits a record is used. `id` None: the event id is the record's place in the stream.
    """

    relation: str
    user: str
    item: str
    id: str | None = None
    time: TimeColumn | None = None
    weight: WeightField | None = None
    streams: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    run: str | None = None
    rank: str | None = None
    propensity: str | None = None
    recommendation_id: str | None = None


@dataclass(frozen=True)
class StreamSpec:
    """The parsed TOML file.

    ignore_others: whether records that fit no edge specification are skipped instead of rejected.
    late, future: seconds before and after now; events outside are rejected. late None: any age.
    """

    path: Path
    name: str
    input: InputSpec
    edges: tuple[EdgeSpec, ...]
    users: UnknownPolicy = "create"
    items: UnknownPolicy = "reject"
    ignore_others: bool = False
    late: int | None = None
    future: int = 86_400
