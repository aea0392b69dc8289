"""The bijection between ids (strings) and positions (0 … n − 1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.arguments import Id, id_text, id_texts
from graphrec.errors import DataError, UnknownNameError, first_few

IndexArray = npt.NDArray[np.int64]
Ids: TypeAlias = (
    "pd.Index[Any] | pd.Series[Any] | Sequence[str] | Sequence[Id] | npt.NDArray[Any]"  # Any: texts, integers
)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The ids of one label in the order of their positions; saved with every export and every model."""

    label: str
    ids: "pd.Index[str]"

    @classmethod
    def of(cls, label: str, ids: Ids) -> "Vocabulary":
        """A vocabulary of ids in the given order. Raises DataError if an id is repeated or invalid."""
        index = _to_texts(ids)
        if not index.is_unique:
            raise DataError(f"{label}: ids occur twice: {first_few(index[index.duplicated()].unique())}")
        return cls(label, index)

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.label == other.label and self.ids.equals(other.ids)

    def index(self, ids: Ids) -> IndexArray:
        """Positions [n] int64 of ids. Raises DataError, with the unknown ids, if there are any."""
        texts = _to_texts(ids)
        index = np.asarray(self.ids.get_indexer(texts), dtype=np.int64)
        if (index < 0).any():
            unknown = texts[index < 0].unique()
            raise DataError(f"{len(unknown):,} {self.label} ids are not known: {first_few(unknown)}")
        return index

    def find_positions(self, ids: Ids) -> IndexArray:
        """Positions [n] int64 of ids, -1 for unknown ids."""
        return np.asarray(self.ids.get_indexer(_to_texts(ids)), dtype=np.int64)

    def find_few(self, ids: Iterable[str]) -> IndexArray:
        """As `find_positions` for a few texts, from a dict that the first call builds; pandas needs 0.1 ms a call."""
        position = self._position_of
        return np.array([position.get(id_, -1) for id_ in ids], dtype=np.int64)

    def find(self, identifier: Id) -> int:
        """The position of one id. Raises UnknownNameError, with the nearest ids, if it is unknown."""
        identifier = id_text(identifier, f"{self.label.lower()} id")
        position = int(self.ids.get_indexer(pd.Index([identifier], dtype="str"))[0])
        if position < 0:
            raise UnknownNameError(self.label.lower(), identifier, self.ids)
        return position

    def id(self, index: IndexArray) -> npt.NDArray[np.object_]:
        """Ids [n] of positions."""
        return self._texts[index]

    @cached_property
    def _texts(self) -> npt.NDArray[np.object_]:
        """The ids as Python texts [n]."""
        return np.asarray(self.ids, dtype=object)

    @cached_property
    def _position_of(self) -> dict[str, int]:
        """The position of each id."""
        return {id_: position for position, id_ in enumerate(self._texts.tolist())}


def _to_texts(ids: Ids) -> "pd.Index[str]":
    """Ids as an index of texts: the integer 15 and the float 15.0, which pandas would write as "15.0", become "15".

    Raises DataError if one is not an id, or if `ids` is a single text.
    """
    if isinstance(ids, str) or pd.api.types.infer_dtype(ids, skipna=False) not in ("string", "empty"):
        ids = id_texts(ids)
    texts: pd.Index[str] = pd.Index(ids, dtype="str")  # type: ignore[arg-type]  # the stubs lack this dtype
    return texts
