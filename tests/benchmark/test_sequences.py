"""Sequence data sets: histories in order, attributes, NCF's negatives, the protocol, and errors."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

from graphrec.benchmark.datasets import Dataset, open_dataset, open_files
from graphrec.benchmark.run import Conditions, benchmark
from graphrec.benchmark.validation import hold_out
from graphrec.errors import DataError
from graphrec.evaluation.assembly import num_edges
from graphrec.interactions import Interactions

DATA = Path(os.environ.get("GRAPHREC_DATA", Path(__file__).parents[3] / "shared" / "data"))

NCF_ITEMS = 110


def write(folder: Path, **files: str) -> None:
    """Files in a folder, compressed; `__` stands for the dot before the ending."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.replace('__', '.')}.gz").write_bytes(gzip.compress(text.encode()))


def rows(part: Interactions) -> list[tuple[int, int, int]]:
    assert part.time is not None
    return list(zip(part.user_index.tolist(), part.item_index.tolist(), part.time.tolist(), strict=True))


def edges(found: Dataset, relation: str, label: str) -> list[tuple[int, str]]:
    first, second = found.graph.data["Item", relation, label].edge_index.tolist()
    return [(item, found.graph.vocabularies[label].ids[value]) for item, value in zip(first, second, strict=True)]


def s3rec(root: Path) -> Path:
    """Three users of five items; user 1 has one interaction, and user 3 repeats item 1."""
    write(
        root / "s3rec",
        Beauty__txt="1 4\n2 3 1 2\n3 1 5 1\n",
        Beauty_item2attributes__json=json.dumps({"1": [7, 9, 7], "4": [9], "6": [1]}),
        Beauty_items__csv="item,asin,words\n1,B0,Red lip 7 gloss 3\n2,B1,\n5,B2,gloss\n",
    )
    return root


def test_the_last_item_is_for_testing_and_time_is_the_position(tmp_path: Path) -> None:
    found = open_dataset("beauty", s3rec(tmp_path))
    assert rows(found.train) == [(0, 3, 0), (1, 2, 0), (1, 0, 1), (2, 0, 0), (2, 4, 1)]
    assert rows(found.test) == [(1, 1, 2), (2, 0, 2)]
    assert (found.train.num_users, found.train.num_items) == (3, 5)
    assert found.graph.target == ("User", "RATED", "Item")
    assert (found.drawn, found.mask_seen, found.headline) == ("next", True, ("hit_rate@10", "ndcg@10"))
    (validation,) = hold_out(found, np.random.default_rng(0)).validations
    assert rows(validation.train) == [(0, 3, 0), (1, 2, 0), (2, 0, 0)]
    assert not hold_out(found, np.random.default_rng(0)).guards


def test_attributes_and_words_are_relations_of_items(tmp_path: Path) -> None:
    found = open_dataset("beauty", s3rec(tmp_path))
    assert edges(found, "HAS_ATTRIBUTE", "Attribute") == [
        (0, "7"),
        (0, "9"),
        (3, "9"),
    ]  # item 6 is not in the histories
    words = sorted(edges(found, "HAS_WORD", "Word"))
    assert words == [(0, "7"), (0, "gloss"), (0, "lip"), (0, "red"), (4, "gloss")]  # without the last number


def test_a_test_item_of_the_history_is_a_miss(tmp_path: Path) -> None:
    found = benchmark(open_dataset("beauty", s3rec(tmp_path)), "popularity", Conditions({}))
    assert found.counts["test_users"] == 2
    assert found.metrics["hit_rate@10"] == 0.5
    assert set(found.metrics) == {f"{name}@{k}" for name in ("hit_rate", "ndcg", "mrr") for k in (5, 10, 20)}
    assert found.published[0].metrics == {"hit_rate@10": 0.0928, "ndcg@10": 0.0523}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Beauty__txt", "0 4\n1 2 3\n", "Beauty.txt.gz: users and items must be numbered from 1"),
        ("Beauty_item2attributes__json", "[1]", "is not an object of items with lists of attributes"),
        ("Beauty_item2attributes__json", '{"1": "x"}', "is not an object of items with lists of attributes"),
    ],
)
def test_defective_files_are_errors(tmp_path: Path, name: str, text: str, message: str) -> None:
    write(s3rec(tmp_path) / "s3rec", **{name: text})
    with pytest.raises(DataError, match=message):
        open_dataset("beauty", tmp_path)


def movielens(root: Path, negative: str = "(0,1)") -> Path:
    """Two users and three films; film 30 is not in SASRec's file. NCF's users are numbered the other way round."""
    sampled = "\t".join(map(str, [*range(2, NCF_ITEMS - 10), 1]))
    write(
        root / "ml-1m",
        sequences__txt="1 2 1\n2 1 2\n",
        movies__csv="movielens_id,sasrec_id,ncf_id,title,genres\n10,1,0,A,Drama|Crime\n20,2,1,B,Drama\n30,,2,C,War\n40,,,D,War\n",
        users__csv="movielens_id,sasrec_id,ncf_id,gender,age,occupation,zip\n5,1,1,F,18,3,1\n6,2,0,M,1,3,2\n",
        pairs_in_ratings_dat_order__csv="user,movie\n5,10\n5,20\n5,30\n6,10\n6,20\n",
        ncf_test__negative=f"{negative}\t{sampled}\n(1,0)\t{sampled}\n",
    )
    return root


def test_movielens_has_genres_and_user_attributes(tmp_path: Path) -> None:
    found = open_dataset("ml-1m", movielens(tmp_path))
    assert (rows(found.train), rows(found.test)) == ([(0, 1, 0), (1, 0, 0)], [(0, 0, 1), (1, 1, 1)])
    assert edges(found, "IN_GENRE", "Genre") == [(0, "Crime"), (0, "Drama"), (1, "Drama")]
    assert num_edges(found.graph) == {
        "RATED": 2,
        "IN_GENRE": 3,
        "HAS_GENDER": 2,
        "HAS_OCCUPATION": 2,
        "IN_AGE_GROUP": 2,
    }
    ages = found.graph.data["User", "IN_AGE_GROUP", "AgeGroup"].edge_index[1]
    assert found.graph.vocabularies["AgeGroup"].ids[ages.numpy()].tolist() == ["18", "1"]


def test_the_split_of_ncf_has_negatives_and_positions_as_times(tmp_path: Path) -> None:
    found = open_dataset("ml-1m-ncf", movielens(tmp_path))
    assert sorted(rows(found.train)) == [(0, 0, 1), (1, 1, 1), (1, 2, 0)]  # film 30 has no position
    assert sorted(rows(found.test)) == [(0, 1, 2), (1, 0, 2)]
    assert found.negatives is not None
    assert found.negatives.shape == (2, 99)
    by_user = dict(zip(found.test.user_index.tolist(), found.negatives, strict=True))
    assert (by_user[0] == -1).sum() == 1  # item 1 is the test item of user 0
    assert (by_user[1] == -1).sum() == 0


@pytest.mark.parametrize(
    ("negative", "message"),
    [("(0,2)", "1 of 2 test pairs are rated"), ("0,2", r"does not begin with \(user,item\)")],
)
def test_defective_negatives_are_errors(tmp_path: Path, negative: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_dataset("ml-1m-ncf", movielens(tmp_path, negative))


def test_two_files_can_have_the_next_item_as_test(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("0 2 1\n1 0 3 2\n")
    (tmp_path / "test.txt").write_text("0 3\n1 1\n")
    found = open_files(tmp_path / "train.txt", tmp_path / "test.txt", drawn="next")
    assert rows(found.train) == [(0, 2, 0), (0, 1, 1), (1, 0, 0), (1, 3, 1), (1, 2, 2)]
    assert set(benchmark(found, "popularity", Conditions({})).metrics) >= {"hit_rate@10", "ndcg@10"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "users", "items", "interactions"),
    [
        ("beauty", 22_363, 12_101, 198_502),
        ("toys", 19_412, 11_924, 167_597),
        ("sports", 35_598, 18_357, 296_337),
        ("yelp-s3", 30_431, 20_033, 316_354),
        ("lastfm-s3", 1_090, 3_646, 52_551),
        ("beauty-bert4rec", 40_226, 54_542, 353_962),
        ("ml-1m", 6_040, 3_416, 999_611),
        ("ml-1m-ncf", 6_040, 3_706, 1_000_209),
    ],
)
def test_the_real_files_have_the_published_sizes(name: str, users: int, items: int, interactions: int) -> None:
    if not (DATA / "s3rec").exists():
        pytest.skip(f"the data sets are not in {DATA}; set GRAPHREC_DATA to the folder that has them")
    found = open_dataset(name, DATA)
    assert (found.train.num_users, found.train.num_items) == (users, items)
    assert (len(found.train) + len(found.test), len(found.test)) == (interactions, users)
