"""Our own splits of raw files: what is read, which pairs are in the test part, and that it is always the same part."""

import gzip
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphrec.benchmark.datasets import DATASETS, Dataset, open_dataset
from graphrec.benchmark.own_splits import BY_TIME, RANDOM, read_filmtrust, split_at_random, split_by_time
from graphrec.errors import DataError
from graphrec.evaluation.assembly import num_edges
from graphrec.evaluation.audit import audit, require_clean
from graphrec.interactions import Interactions

from . import published_folders as folders
from .test_datasets import edges, pairs

DATA = Path(os.environ.get("GRAPHREC_DATA", Path(__file__).parents[3] / "shared" / "data"))

#: Folder -> function that writes its files, and the number of distinct pairs in them.
FOLDERS: dict[str, tuple[Callable[[Path], Path], int]] = {
    "ml-100k": (folders.ml_100k_ratings, 6),
    "ml-latest-small": (folders.ml_latest_small, 6),
    "ml-1m": (folders.ml_1m, 10),
    "ciao": (folders.ciao, 16),
    "filmtrust": (folders.filmtrust, 6),
    "steam": (folders.steam, 5),
    "amazon-musical-instruments": (folders.musical_instruments, 7),
}

#: Data set -> interactions in train and in test, and SHA-256 of the sorted test pairs, for the real files.
REAL = {
    "yelp2018": (1_237_259, 324_147, "1cab41ea195cf475c1656636eb9b04a66f6dd592c07c5e351499f78a60334278"),
    "ml-100k-random": (80_000, 20_000, "3caa20274d45a3424f615bac81ebe8a133c2733b5d3c3a3fd4e10eb02f531998"),
    "ml-latest-small-random": (80_669, 20_167, "4213cf654109ac62da7a8a0a09067afe01534b7528056e499a861b5f8e220b8a"),
    "ml-1m-random": (800_168, 200_041, "e5bbcecf32ba9634322330824385c53d108ed5d0961a2e82c164cb7673584829"),
    "ciao-random": (146_628, 36_656, "cd6dc754e404f20a9365216454d4dfa41b3b93a38137a821a377a3ed306fb473"),
    "filmtrust-random": (28_396, 7_098, "a5a9496a780b12c53d156d982a18526d43459e3afe7d55e36e5da7ea7ad8efe2"),
    "steam-random": (103_044, 25_760, "99e142673c32a019be86a54406d51cd4a6f51b62b0c0ed7aede05ad36d04f9ac"),
    "amazon-musical-instruments-random": (
        8_209, 2_052, "0af1e2495fbc8e238bd389bdcbedc51f479d35c0600255c759f60e77727475b7"
    ),
    "ml-100k-time": (80_367, 19_633, "c8f188ed6b7c3bdcbc05fc5e43a15e2a6d51199343db4a49e91f5dd1c1db5d85"),
    "ml-latest-small-time": (80_896, 19_940, "72eb3f09cd408464518ab789a5ab4abc14b1c2d3a39a6f83c89e3472d07691d1"),
    "ml-1m-time": (802_085, 197_526, "900a9c2a4938ed17434e2b8fd6ddf3c5d8e722b66c84c52902e4aa2002c4038b"),
    "ciao-time": (149_514, 33_770, "5ae5b17344eab290ac8944b9ac644720f8aa0b1b25ab3cf5a438f72ef2fdb5e7"),
    "amazon-musical-instruments-time": (
        8_533, 1_728, "b96f91dc2cc972b416712932ef23f535db262e047bc63b56abb5756e1f62944f"
    ),
}  # fmt: skip


def times(*parts: Interactions) -> dict[tuple[int, int], int]:
    """The time of each pair of user and item."""
    found: dict[tuple[int, int], int] = {}
    for part in parts:
        assert part.time is not None
        found |= dict(
            zip(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True), part.time.tolist(), strict=True)
        )
    return found


def sha256(part: Interactions) -> str:
    rows = np.stack([part.user_index, part.item_index], axis=1)
    return hashlib.sha256(rows[np.lexsort((rows[:, 1], rows[:, 0]))].astype("<i8").tobytes()).hexdigest()


def written(root: Path, name: str) -> Dataset:
    """The data set NAME-random or NAME-time of a tiny folder."""
    folder = name.rpartition("-")[0]
    FOLDERS[folder][0](root / folder)
    return open_dataset(name, root)


def test_every_split_has_a_name_and_says_how_it_was_drawn() -> None:
    ours = {f"{folder}-random": "random" for folder in RANDOM} | {f"{folder}-time": "time" for folder in BY_TIME}
    assert {name: DATASETS[name].drawn for name in ours} == ours
    assert set(RANDOM) == set(FOLDERS)
    assert set(REAL) == {*ours, "yelp2018"}


@pytest.mark.parametrize("folder", RANDOM)
def test_a_random_fifth_is_the_same_each_time_and_in_compressed_files(tmp_path: Path, folder: str) -> None:
    first = written(tmp_path, f"{folder}-random")
    num_pairs = FOLDERS[folder][1]
    assert (len(first.train), len(first.test)) == (num_pairs - num_pairs // 5, num_pairs // 5)
    assert not set(pairs(first.train)) & set(pairs(first.test))
    assert len({*pairs(first.train), *pairs(first.test)}) == num_pairs
    assert sorted(edges(first, *first.graph.target)) == pairs(first.train)
    assert (first.drawn, first.task, first.cut) == ("random", "ranking", {})
    for path in (tmp_path / folder).iterdir():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    again = open_dataset(f"{folder}-random", tmp_path)
    assert again.test.user_index.tolist() == first.test.user_index.tolist()
    assert again.test.item_index.tolist() == first.test.item_index.tolist()


def test_another_seed_draws_another_part(tmp_path: Path) -> None:
    folders.filmtrust(tmp_path)
    drawn = {tuple(pairs(split_at_random(tmp_path, read_filmtrust, seed).test)) for seed in range(20)}
    assert len(drawn) > 3  # of six possible parts of one pair


def test_the_newest_fifth_of_each_history_is_tested(tmp_path: Path) -> None:
    found = written(tmp_path, "ml-100k-time")
    assert pairs(found.test) == [(1, 4)]  # user 7's film of time 50; user 3 has fewer than five
    assert pairs(found.train) == [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert times(found.train, found.test)[0, 0] == 90
    assert num_edges(found.graph) == {"RATED": 5}
    assert found.drawn == "time"


def test_of_two_interactions_of_one_time_the_later_of_the_file_is_tested(tmp_path: Path) -> None:
    found = written(tmp_path, "amazon-musical-instruments-time")
    assert pairs(found.test) == [(1, 3)]  # B's items 0002 and 0004 have the same time
    assert times(found.test) == {(1, 3): 50}


def test_a_repeated_rating_counts_once_at_its_first_time(tmp_path: Path) -> None:
    found = written(tmp_path, "ml-latest-small-time")
    assert pairs(found.test) == [(0, 2)]
    assert times(found.train)[0, 0] == 100


def test_films_have_their_genres(tmp_path: Path) -> None:
    found = written(tmp_path, "ml-latest-small-random")
    assert list(found.graph.vocabularies["Genre"].ids) == ["Action", "Crime", "Western"]
    assert edges(found, "Item", "IN_GENRE", "Genre") == [(0, 0), (0, 1), (1, 1), (3, 0), (4, 2)]


def test_sequences_are_in_the_order_of_time(tmp_path: Path) -> None:
    found = written(tmp_path, "ml-1m-time")
    assert times(found.test) == {(0, 1): 4, (1, 2): 5}
    assert times(found.train)[1, 5] == 0  # film 9 is user 2's first
    assert open_dataset("ml-1m-random", tmp_path).train.time is None


def test_ciao_is_a_core_with_the_trust_of_its_users(tmp_path: Path) -> None:
    found = written(tmp_path, "ciao-random")
    assert {*pairs(found.train), *pairs(found.test)} == {(user, item) for user in range(4) for item in range(4)}
    assert times(found.train, found.test)[0, 0] == 500  # the earlier of two reviews
    assert edges(found, "User", "TRUSTS", "User") == [(0, 1), (3, 0)]


def test_filmtrust_has_the_trust_of_users_with_ratings(tmp_path: Path) -> None:
    assert edges(written(tmp_path, "filmtrust-random"), "User", "TRUSTS", "User") == [(1, 0)]


def test_steam_has_purchases_only(tmp_path: Path) -> None:
    assert num_edges(written(tmp_path, "steam-random").graph) == {"PURCHASED": 4}


def test_a_test_part_without_interactions_and_files_without_times_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="16 interactions are too few for a test part, which needs 5 .by time, of one"):
        written(tmp_path, "ciao-time")
    folders.filmtrust(tmp_path / "filmtrust")
    with pytest.raises(DataError, match="filmtrust: the interactions have no times"):
        split_by_time(tmp_path / "filmtrust", read_filmtrust)
    (tmp_path / "filmtrust" / "trust.txt").unlink()
    with pytest.raises(DataError, match=r"has no file trust.txt and no trust.txt.gz"):
        open_dataset("filmtrust-random", tmp_path)


#: Large files, whose readers and splits the small ones check as well.
LARGE = {"yelp2018", "ml-1m-random", "ml-1m-time", "ciao-random", "ciao-time"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in REAL]
)
def test_the_real_files_give_always_the_same_split(name: str) -> None:
    if not (DATA / DATASETS[name].folder).exists():
        pytest.skip(f"{name} is not in {DATA}; set GRAPHREC_DATA to the folder that has it")
    found = open_dataset(name, DATA)
    assert (len(found.train), len(found.test), sha256(found.test)) == REAL[name]
    require_clean(audit(found.graph, found.train, found.test, None, whole=found.graph))
    num_items = found.train.num_items
    train, test = (part.user_index * num_items + part.item_index for part in (found.train, found.test))
    assert len(np.unique(np.concatenate([train, test]))) == len(train) + len(test)
    if found.drawn == "time":
        assert found.train.time is not None
        assert found.test.time is not None
        newest = np.full(found.train.num_users, np.iinfo(np.int64).min)
        np.maximum.at(newest, found.train.user_index, found.train.time)
        assert (found.test.time >= newest[found.test.user_index]).all()
        degree = found.train.user_degree() + found.test.user_degree()
        assert (found.test.user_degree() == degree // 5).all()
