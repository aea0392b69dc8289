"""A Vocabulary maps ids to positions and back, and reports ids that it does not know or that are none."""

import numpy as np
import pandas as pd
import pytest

from graphrec.errors import DataError, UnknownNameError
from graphrec.vocabulary import Ids, Vocabulary

LABEL = "Item"


@pytest.fixture
def items() -> Vocabulary:
    """Three items, not in alphabetical order."""
    return Vocabulary.of(LABEL, ["c", "a", "15"])


def test_positions_are_those_of_the_order_given(items: Vocabulary) -> None:
    assert len(items) == 3
    index = items.index(["15", "c", "c"])
    assert index.tolist() == [2, 0, 0]
    assert index.dtype == np.int64
    assert items.id(np.array([1, 1, 0])).tolist() == ["a", "a", "c"]
    assert items.find("a") == 1


def test_ids_and_positions_are_inverse_to_each_other() -> None:
    vocabulary = Vocabulary.of(LABEL, [f"i{n}" for n in range(50)])
    positions = np.random.default_rng(0).permutation(50)
    np.testing.assert_array_equal(vocabulary.index(vocabulary.id(positions)), positions)


@pytest.mark.parametrize(
    "ids",
    [[15], np.array([15]), pd.Series([15]), pd.Series([15.0]), (np.int32(15),), pd.Index(["15"])],
    ids=["int", "array", "Series", "float Series", "int32", "Index"],
)
def test_integers_are_ids_too(items: Vocabulary, ids: Ids) -> None:
    assert items.index(ids).tolist() == [2]
    assert items.find_positions(ids).tolist() == [2]
    assert Vocabulary.of(LABEL, ids).ids.tolist() == ["15"]


def test_unknown_ids_are_reported(items: Vocabulary) -> None:
    with pytest.raises(DataError, match=r"^2 Item ids are not known: x, y$"):
        items.index(["x", "a", "y", "x"])
    with pytest.raises(UnknownNameError, match="no item '16'; did you mean 15"):
        items.find(16)
    assert items.find_positions(["x", "a"]).tolist() == [-1, 1]


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(DataError, match=r"^Item: .*twice: a$"):
        Vocabulary.of(LABEL, ["a", "b", "a"])
    with pytest.raises(DataError, match="twice"):
        Vocabulary.of(LABEL, ["15", "16", 15])


@pytest.mark.parametrize("ids", ["abc", [None], [1.5], [True], [b"a"]], ids=["text", "None", "float", "bool", "bytes"])
def test_other_values_are_no_ids(ids: Ids) -> None:
    with pytest.raises(DataError):
        Vocabulary.of(LABEL, ids)


def test_vocabularies_are_equal_if_label_ids_and_order_are() -> None:
    assert Vocabulary.of(LABEL, ["a", "b"]) == Vocabulary.of(LABEL, pd.Index(["a", "b"]))
    assert Vocabulary.of(LABEL, ["a", "b"]) != Vocabulary.of(LABEL, ["b", "a"])
    assert Vocabulary.of(LABEL, ["a", "b"]) != Vocabulary.of("User", ["a", "b"])
    assert len(Vocabulary.of(LABEL, [])) == 0
