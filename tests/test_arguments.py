"""Ids, numbers of results and names of runs as callers in Python write them."""

import uuid

import numpy as np
import pandas as pd
import pytest

from graphrec.arguments import MAX_K, count, id_text, id_texts, is_one_id, name_of_run
from graphrec.errors import DataError, UnknownNameError
from graphrec.vocabulary import Vocabulary


@pytest.mark.parametrize(
    "value", ["15", np.str_("15"), 15, np.int8(15), np.uint64(15), 15.0, np.float32(15), np.array(15)]
)
def test_an_id_is_the_text_that_the_graph_has(value: object) -> None:
    found = id_text(value)
    assert (found, type(found)) == ("15", str)


def test_other_ids() -> None:
    one = uuid.uuid4()
    assert [id_text(value) for value in (-5, 10**30, "", "15.0", one)] == ["-5", "1" + "0" * 30, "", "15.0", str(one)]
    assert id_text(float(2**53 - 1)) == "9007199254740991"


NO_IDS = [True, np.True_, None, 15.5, np.nan, np.inf, float(2**53), np.float32(2**24), pd.NA, pd.NaT, b"15", [15], {}]


@pytest.mark.parametrize("value", [*NO_IDS, np.array([1, 2]), np.array([1.0]), 10**5000, object()], ids=lambda _: "")
def test_what_is_no_id_is_refused_in_one_sentence(value: object) -> None:
    with pytest.raises(DataError, match="^user: .* is no id; an id is a text or an integer$") as refused:
        id_text(value, "user")
    assert len(str(refused.value)) < 200


def test_lists_of_ids() -> None:
    assert id_texts(pd.Series([1, None, 3]).dropna()) == ["1", "3"]  # floats, as pandas has them
    assert id_texts(np.array([1, 2])) == id_texts(range(1, 3)) == id_texts({"1": 0, "2": 0}) == ["1", "2"]
    with pytest.raises(DataError, match=r"ids: '15' is no list of ids; put it into a list: \['15'\]"):
        id_texts("15")
    with pytest.raises(DataError, match="15 is no list of ids"):
        id_texts(15)  # type: ignore[arg-type]  # what a caller may do
    assert [is_one_id(value) for value in ("a", 5, None, np.int64(5), np.array(5), [5], np.array([5]))] == [
        *[True] * 5,
        False,
        False,
    ]


def test_a_number_of_results() -> None:
    assert (count(np.int64(5)), count(MAX_K), count(0, least=0)) == (5, MAX_K, 0)
    for value in (0, -1, MAX_K + 1, 10**5000):
        with pytest.raises(DataError, match="k is an integer from 1 to 1,000,000,000, not "):
            count(value)
    for wrong in (True, np.False_, 2.0, "5", None, [5]):
        with pytest.raises(DataError, match="top is an integer, not "):
            count(wrong, "top")


def test_a_run_by_its_first_letters_or_as_the_latest() -> None:
    runs = ["ease-2", "ease-1", "item_knn-1", "latest-1"]
    assert name_of_run("ease-1", runs) == "ease-1"
    assert name_of_run("item", runs) == "item_knn-1"
    assert name_of_run("latest", runs) == "ease-2"
    assert name_of_run("ease", ["ease", "ease.2"]) == "ease"  # the whole name counts first
    with pytest.raises(DataError, match="2 runs begin with 'ease': ease-2, ease-1; write more letters"):
        name_of_run("ease", runs)
    for name in ("knn", "", None, 5):
        with pytest.raises(UnknownNameError, match="there is no run"):
            name_of_run(name, runs)
    with pytest.raises(UnknownNameError, match="there is no run yet; train one"):
        name_of_run("latest", [], hint="train one")


def test_a_vocabulary_takes_integers() -> None:
    known = Vocabulary.of("User", [15, 16])
    assert known == Vocabulary.of("User", ["15", "16"])
    assert (known.find(16), known.find(np.int64(15)), known.find("15")) == (1, 0, 0)
    for ids in ([16, 15], np.array([16, 15]), pd.Series([16.0, 15.0]), pd.Index([16, 15]), ("16", 15)):
        assert known.index(ids).tolist() == known.find_positions(ids).tolist() == [1, 0]
    assert known.find_positions([]).tolist() == []
    assert known.find_positions([17, 15]).tolist() == [-1, 0]
    for wrong in ([True], [1.5], [None]):
        with pytest.raises(DataError, match="is no id"):
            known.find_positions(wrong)  # type: ignore[arg-type]  # what a caller may do
    with pytest.raises(DataError, match="'15' is no list of ids"):
        known.index("15")
    with pytest.raises(UnknownNameError, match="there is no user '17'"):
        known.find(17)
