"""Reranking rules as dataclasses that validate themselves, and the TOML files they are read from."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from graphrec.errors import DataError, UnknownNameError, join_words
from graphrec.reranking.predicate import require_expression

R = TypeVar("R", bound="_Rule")

#: The data that the similarity of two items is computed from.
SIMILARITIES = ("attributes", "vectors")


@dataclass(frozen=True)
class _Rule:
    """Base of all rules: a name, which traces and errors use."""

    kind: ClassVar[str] = ""

    name: str

    @property
    def title(self) -> str:
        """Kind and name of the rule, as messages show them: `deny 'sold out'`."""
        return f"{self.kind} '{self.name}'" if self.name else self.kind


@dataclass(frozen=True)
class Predicate(_Rule):
    """A rule for the items for which a Cypher predicate over `item`, and optionally `user`, is true."""

    where: str

    def __post_init__(self) -> None:
        require_expression(self.title, self.where)


@dataclass(frozen=True)
class Deny(Predicate):
    """Items that are not recommended. An item for which the predicate is null is kept."""

    kind: ClassVar[str] = "deny"


@dataclass(frozen=True)
class Allow(Predicate):
    """The only items that are recommended; with several such rules all must be true, and null counts as false."""

    kind: ClassVar[str] = "allow"


@dataclass(frozen=True)
class Boost(Predicate):
    """Items whose score is multiplied by a factor: above 1 raises them, below 1 lowers them."""

    kind: ClassVar[str] = "boost"

    factor: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.factor < float("inf"):
            raise DataError(f"{self.title}: factor is a number above 0, not {self.factor}; `deny` leaves items out")


@dataclass(frozen=True)
class Cap(_Rule):
    """At most `max` items per category in a list, by nodes that a relationship leads to or by a property value."""

    kind: ClassVar[str] = "cap"

    max: int
    relation: str = ""
    label: str = ""
    property: str = ""

    def __post_init__(self) -> None:
        if bool(self.property) == bool(self.relation and self.label):
            raise DataError(f"{self.title}: give either relation and label, or property, to define the categories")
        if self.max < 1:
            raise DataError(f"{self.title}: max is at least 1, not {self.max}; `deny` leaves items out")


@dataclass(frozen=True)
class Diversity(_Rule):
    """Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): each rank goes to the item with the highest
    λ · score − (1 − λ) · similarity to the most similar item above it, with scores scaled to 0..1."""

    kind: ClassVar[str] = "diversity"

    lambda_: float
    by: str = "attributes"

    def __post_init__(self) -> None:
        if not 0 <= self.lambda_ <= 1:
            raise DataError(f"diversity: lambda is between 0 (diversity only) and 1 (score only), not {self.lambda_}")
        if self.by not in SIMILARITIES:
            raise UnknownNameError("similarity", self.by, SIMILARITIES, owner="diversity")


@dataclass(frozen=True)
class Recency(_Rule):
    """Halves an item's score for every `half_life` days that it is older than the newest item. The age comes from an
    item property (Unix seconds, a date, or a year), or from the newest `timestamp` of a behaviour."""

    kind: ClassVar[str] = "recency"

    half_life: float
    property: str = ""
    behaviour: str = ""

    def __post_init__(self) -> None:
        if bool(self.property) == bool(self.behaviour):
            raise DataError("recency: give either property (of the item) or behaviour (with its timestamp)")
        if not self.half_life > 0:
            raise DataError(f"recency: half_life is a number of days above 0, not {self.half_life}")


@dataclass(frozen=True)
class RerankingRules:
    """All rules of a file. `depth`: candidates per place of a list, so that lists stay full."""

    deny: tuple[Deny, ...] = ()
    allow: tuple[Allow, ...] = ()
    boost: tuple[Boost, ...] = ()
    cap: tuple[Cap, ...] = ()
    diversity: Diversity | None = None
    recency: Recency | None = None
    depth: int = 5

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise DataError(f"depth is the number of candidates per place, at least 1, not {self.depth}")
        names = [rule.title for rule in (*self.predicates, *self.cap)]
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(f"two rules are called {duplicates[0]}; give each rule a different name")

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        """The deny, allow and boost rules, which have predicates."""
        return (*self.deny, *self.allow, *self.boost)


def read_rules(path: Path) -> RerankingRules:
    """The rules of a TOML file. Raises DataError, with the file and the rule, if it is invalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the rules {path}: {error}") from error
    return parse_rules(text, str(path))


def parse_rules(text: str, source: str = "the rules") -> RerankingRules:
    """The rules of a TOML text. Raises DataError, with `source` and the rule, if it is invalid."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{source} is not valid TOML: {error}") from error
    try:
        return _parse_content(content)
    except (DataError, UnknownNameError) as error:
        raise DataError(f"{source}: {error}") from error


def _parse_content(content: Mapping[str, Any]) -> RerankingRules:
    known = [field.name for field in fields(RerankingRules)]
    for name in content:
        if name not in known:
            raise UnknownNameError("rule", name, known)
    depth = content.get("depth", 5)
    if not isinstance(depth, int) or isinstance(depth, bool):
        raise DataError(f"depth is a whole number, not {depth!r}")
    lists = {kind.kind: _parse_list(kind, content.get(kind.kind, [])) for kind in (Deny, Allow, Boost, Cap)}
    single = {kind.kind: _parse_rule(kind, content[kind.kind]) for kind in (Diversity, Recency) if kind.kind in content}
    return RerankingRules(**lists, **single, depth=depth)  # type: ignore[arg-type]  # each kind has its own field


def _parse_list(kind: type[R], tables: Any) -> tuple[R, ...]:  # Any: any TOML value
    if not isinstance(tables, list):
        raise DataError(f"{kind.kind} is written [[{kind.kind}]], once per rule")
    return tuple(_parse_rule(kind, table, number) for number, table in enumerate(tables, start=1))


def _parse_rule(kind: type[R], table: Any, number: int = 0) -> R:
    if not isinstance(table, Mapping):
        raise DataError(f"{kind.kind} is written [{kind.kind}], with its settings below")
    types = {field.name.rstrip("_"): field for field in fields(kind)}
    rule_name = str(table.get("name", number or ""))
    settings: dict[str, Any] = {"name": rule_name}
    for name, value in table.items():
        if name not in types:
            raise UnknownNameError("setting", name, types, owner=kind.kind)
        settings[types[name].name] = _require_type(f"{kind.kind} '{rule_name}'", name, types[name].type, value)
    missing = [name for name, field in types.items() if field.default is MISSING and field.name not in settings]
    if missing:
        raise DataError(f"{kind.kind} '{rule_name}' lacks {join_words(missing)}")
    return kind(**settings)


def _require_type(rule: str, name: str, kind: object, value: object) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):  # type: ignore[arg-type]  # a field's type is a class
        noun = {str: "a text", int: "a whole number", float: "a number"}[kind]  # type: ignore[index]
        raise DataError(f"{rule}: {name} is {noun}, not {value!r}")
    return value
