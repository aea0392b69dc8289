"""Item features that rules use: predicate values, categories, ages and similarities, read from the graph.

Predicates come from a user's file, so every query runs in a transaction that is rolled back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import DataError, GraphrecError, StoreError
from graphrec.interactions import FloatArray
from graphrec.reranking.predicate import find_names
from graphrec.reranking.spec import Cap, Predicate, Recency
from graphrec.schema import ITEM, SHOWN, SOCIAL, SYSTEM_RELATIONS, USER
from graphrec.store import Store, counts
from graphrec.store.connection import Row, quote
from graphrec.vocabulary import IndexArray, Vocabulary

BoolArray = npt.NDArray[np.bool_]

#: Returns the items that have vectors, and the vectors [num_items, dim].
ItemVectors: TypeAlias = Callable[[], tuple[Vocabulary, FloatArray]]

#: Batch size: items, or users, of one query.
BATCH_SIZE = 10_000

DAY, YEAR = 86_400.0, 365.2425 * 86_400.0

#: Threshold: a number below it is a year, not Unix seconds.
LAST_YEAR = 10_000

#: The variables of these queries begin with `graphrec_`, so that they do not clash with those of a predicate.
_ITEMS = f"UNWIND $ids AS graphrec_id MATCH (item:{ITEM} {{id: graphrec_id}})"

_OF_ITEMS = f"{_ITEMS} WHERE (\n{{where}}\n) RETURN item.id AS id"

_OF_PAIRS = f"""
UNWIND $rows AS graphrec_row
OPTIONAL MATCH (user:{USER} {{id: graphrec_row.user}})
WITH user, graphrec_row
UNWIND graphrec_row.items AS graphrec_id
MATCH (item:{ITEM} {{id: graphrec_id}}) WHERE (
{{where}}
) RETURN graphrec_row.user AS user, collect(item.id) AS items
"""


def evaluate_predicate(store: Store, rule: Predicate, frame: pd.DataFrame) -> BoolArray:
    """Whether a rule's predicate is true for each row [n] of a table with user_id and item_id; null counts as false.

    Raises DataError, with the rule's name, if the database rejects the predicate.
    """
    where = rule.where
    if find_names(where).of_user:
        matching: set[tuple[str, str]] = set()
        for part in _batches({"user": u, "items": list(rows)} for u, rows in frame.groupby("user_id")["item_id"]):
            for row in _query(store, rule, _OF_PAIRS, {"rows": part}):
                matching.update((row["user"], item) for item in row["items"])
        pairs = zip(frame["user_id"], frame["item_id"], strict=True)
        return np.fromiter((pair in matching for pair in pairs), dtype=bool, count=len(frame))
    ids: set[str] = set()
    for part in _batches(frame["item_id"].unique()):
        ids.update(row["id"] for row in _query(store, rule, _OF_ITEMS, {"ids": part}))
    return frame["item_id"].isin(ids).to_numpy(dtype=bool)


def _query(store: Store, rule: Predicate, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
    try:
        return store.read_only(statement.replace("{where}", rule.where), parameters)
    except StoreError as error:
        raise DataError(f"{rule.title}: {error.reason or error}") from error


def read_categories(store: Store, cap: Cap, ids: Sequence[str]) -> list[tuple[str, ...]]:
    """The categories of each item [n] that a cap counts."""
    if cap.property:
        statement = f"{_ITEMS} RETURN item.id AS id, item.{quote(cap.property)} AS found"
    else:
        statement = (
            f"{_ITEMS} MATCH (item)-[:{quote(cap.relation)}]-(category:{quote(cap.label)}) "
            "RETURN item.id AS id, collect(DISTINCT category.id) AS found"
        )
    categories = _read_by_id(store, statement, ids)
    return [tuple(map(str, _as_list(categories.get(item)))) for item in ids]


def recency_factors(store: Store, rule: Recency, ids: Sequence[str]) -> FloatArray:
    """The factor [n] on each item's score: ½ to the power of its age in half-lives, from the newest of the items.

    An item of unknown age gets the median age of the other items.
    """
    if rule.property:
        statement = f"{_ITEMS} RETURN item.id AS id, item.{quote(rule.property)} AS found"
    else:
        statement = (
            f"{_ITEMS} MATCH (item)<-[edge:{quote(rule.behaviour)}]-() "
            "RETURN item.id AS id, max(edge.timestamp) AS found"
        )
    values = _read_by_id(store, statement, ids)
    times = np.array([_to_seconds(values.get(item)) for item in ids])
    if not np.isfinite(times).any():
        return np.ones(len(ids), dtype=np.float32)
    times[np.isnan(times)] = np.nanmedian(times)
    factors: FloatArray = (0.5 ** ((times.max() - times) / (rule.half_life * DAY))).astype(np.float32)
    return factors


class Similarity:
    """Similarities of items from 0 to 1: cosine of their vectors, or Jaccard index of their attribute sets."""

    def __init__(self, rows: FloatArray | sparse.csr_array) -> None:
        self._rows = rows

    def among(self, positions: IndexArray) -> FloatArray:
        """The similarities [m, m] of the items at some positions [m]."""
        if isinstance(self._rows, np.ndarray):
            rows = self._rows[positions]
            cosines: FloatArray = np.clip(rows @ rows.T, 0.0, 1.0)
            return cosines
        sets = self._rows[positions]
        intersection: FloatArray = (sets @ sets.T).toarray()
        sizes = np.diff(sets.indptr)
        union = np.maximum(sizes[:, None] + sizes[None, :] - intersection, 1)
        jaccard: FloatArray = (intersection / union).astype(np.float32)
        return jaccard


def build_similarity(store: Store, by: str, ids: Sequence[str], vectors: ItemVectors | None) -> Similarity:
    """The Similarity of items [n]. Raises DataError if `by` is vectors and there are no vectors."""
    if by == "attributes":
        return Similarity(_read_attributes(store, ids))
    if vectors is None:
        raise DataError("diversity: by = 'vectors' needs a run's model, and no model is loaded; use 'attributes'")
    try:
        known, item_rows = vectors()
    except GraphrecError as error:
        raise DataError(f"diversity: {error}; use by = 'attributes'") from error
    position = known.find_positions(list(ids))
    rows = np.where(position[:, None] >= 0, item_rows[position], 0.0).astype(np.float32)  # 0: a new item
    return Similarity(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _read_attributes(store: Store, ids: Sequence[str]) -> sparse.csr_array:
    """The attribute nodes of each item [n], as ones of a matrix [n, num_values] float32."""
    types = find_attribute_relations(store)
    if not types:
        raise DataError("diversity: items have no attributes in this graph; use by = 'vectors'")
    statement = (
        f"{_ITEMS} MATCH (item)-[:{'|'.join(map(quote, types))}]-(value) WHERE NOT value:{USER} AND NOT value:{ITEM} "
        "RETURN item.id AS id, collect(DISTINCT labels(value)[0] + ' ' + value.id) AS found"
    )
    by_id = _read_by_id(store, statement, ids)
    values = [by_id.get(item, []) for item in ids]
    codes, _ = pd.factorize(np.array([value for each in values for value in each], dtype=object))
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in values])])
    shape = (len(ids), int(codes.max(initial=-1)) + 1)
    return sparse.csr_array((np.ones(len(codes), dtype=np.float32), codes, indptr), shape=shape)


def find_attribute_relations(store: Store) -> list[str]:
    """The relationship types between items and nodes that are neither users nor items."""
    others = {*BEHAVIOURS, *SOCIAL, *SYSTEM_RELATIONS, SHOWN}
    statement = (
        f"MATCH (item:{ITEM})-[:{{}}]-(value) WHERE NOT value:{USER} AND NOT value:{ITEM} RETURN 1 AS one LIMIT 1"
    )
    types = [name for name in counts.known_relations(store) if name not in others]
    return [name for name in types if store.read(statement.replace("{}", quote(name)))]


def _read_by_id(store: Store, statement: str, ids: Sequence[str]) -> dict[str, Any]:
    return {row["id"]: row["found"] for part in _batches(ids) for row in store.read_only(statement, {"ids": part})}


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while part := list(islice(rest, BATCH_SIZE)):
        yield part


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _to_seconds(value: Any) -> float:
    """Unix seconds of a property value (a number, a date or ISO 8601 text); NaN if it is no time."""
    value = value.to_native() if hasattr(value, "to_native") else value  # a date type of the driver
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return float("nan")
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) >= LAST_YEAR else (float(value) - 1970) * YEAR
    return float("nan")
