"""Published splits by name: the readers on tiny files of the same forms, what is cut, and the errors."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from graphrec.benchmark.datasets import DATASETS, Dataset, open_dataset, open_files
from graphrec.benchmark.run import Conditions, measure
from graphrec.benchmark.validation import hold_out
from graphrec.errors import DataError, UnknownNameError
from graphrec.evaluation.assembly import num_edges, relation_names
from graphrec.interactions import Interactions

from . import published_folders as folders

DATA = Path(os.environ.get("GRAPHREC_DATA", Path(__file__).parents[3] / "shared" / "data"))


def pairs(part: Interactions) -> list[tuple[int, int]]:
    return sorted(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True))


def edges(found: Dataset, source: str, relation: str, target: str) -> list[tuple[int, int]]:
    first, second = found.graph.data[source, relation, target].edge_index.tolist()
    return list(zip(first, second, strict=True))


def test_a_text_split_has_all_users_and_items_of_any_file(tmp_path: Path) -> None:
    folder = folders.write(tmp_path, a_txt="0 1\n1 0\n", b_txt="2 5\n", c_txt="0 6\n")
    found = open_files(folder / "a.txt", folder / "b.txt", folder / "c.txt")
    assert (found.train.num_users, found.train.num_items) == (found.test.num_users, found.test.num_items) == (7, 6)
    assert (len(found.graph.users), len(found.graph.items)) == (7, 6)
    assert edges(found, "User", "INTERACTED", "Item") == [(0, 1), (1, 0)]
    assert edges(found, "Item", "rev_INTERACTED", "User") == [(1, 0), (0, 1)]
    assert edges(found, "User", "FOLLOWS", "User") == [(0, 6)]
    assert edges(found, "User", "rev_FOLLOWS", "User") == [(6, 0)]
    assert (found.name, found.cut, found.task) == ("a.txt", {}, "ranking")


def test_views_and_carts_of_the_test_pairs_are_cut(tmp_path: Path) -> None:
    folders.tmall(tmp_path / "tmall-mbcgcn")
    found = open_dataset("tmall-mbcgcn", tmp_path)
    assert found.graph.target == ("User", "PURCHASED", "Item")
    assert pairs(found.train) == [(0, 0), (0, 1), (1, 1), (2, 0)]
    assert pairs(found.test) == [(0, 3), (1, 2), (2, 1)]
    assert edges(found, "User", "VIEWED", "Item") == [(0, 0), (0, 1), (1, 1), (1, 3), (2, 0)]
    assert edges(found, "Item", "rev_VIEWED", "User") == [(0, 0), (1, 0), (1, 1), (3, 1), (0, 2)]
    assert edges(found, "User", "CARTED", "Item") == [(1, 1)]
    assert found.cut == {"VIEWED": 2, "CARTED": 1}


def test_retailrocket_has_times_and_item_links(tmp_path: Path) -> None:
    folders.retailrocket(tmp_path / "retailrocket-sslrec")
    found = open_dataset("retailrocket-sslrec", tmp_path)
    assert pairs(found.train) == [(0, 0), (1, 1)]
    assert pairs(found.test) == [(0, 2), (1, 0)]
    assert found.train.time is not None
    assert found.train.time.tolist() == [120, 90]
    assert found.graph.data["User", "VIEWED", "Item"].timestamp.tolist() == [100, 300]
    assert edges(found, "Item", "SHARES_PROPERTY", "Item") == [(0, 2), (0, 4), (2, 0), (4, 0)]
    assert found.graph.data["Item", "SHARES_PROPERTY", "Item"].property.tolist() == [0, 1, 0, 1]
    assert found.train.num_items == 5  # item 4 stands in the links only


def test_lastfm_artists_are_told_by_play_counts_and_tags_of_the_test_pair_are_cut(tmp_path: Path) -> None:
    folders.lastfm(tmp_path / "lastfm-hetrec")
    found = open_dataset("lastfm-hetrec", tmp_path)
    assert pairs(found.train) == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 2)]
    assert pairs(found.test) == [(0, 2)]
    assert edges(found, "User", "FRIEND", "User") == [(0, 1), (1, 2)]  # each friendship once
    # 2 tagged 51 (item 1) and 60 (the test pair: cut); 5 tagged 60 (item 2) twice with one tag; 70 is in no split
    assert edges(found, "User", "TAGGED", "Item") == [(0, 1), (1, 2)]
    assert list(found.graph.vocabularies["TAGGED.tag"].ids) == ["13", "15"]
    assert found.graph.data["User", "TAGGED", "Item"].tag.tolist() == [0, 1]
    assert found.cut == {"TAGGED": 1}


def test_lastfm_files_of_different_releases_are_refused(tmp_path: Path) -> None:
    folder = folders.lastfm(tmp_path / "lastfm-hetrec")
    text = (folder / "user_artists.dat").read_text().replace("5\t51\t11", "5\t51\t12").replace("5\t60\t31", "5\t60\t33")
    (folder / "user_artists.dat").write_text(text)
    with pytest.raises(DataError, match="of 6 training pairs .* 4 are in user_artists.dat, which is less than 99%"):
        open_dataset("lastfm-hetrec", tmp_path)


def test_a_fold_of_movielens_has_ratings_and_attributes(tmp_path: Path) -> None:
    folders.ml_100k(tmp_path / "ml-100k")
    found = open_dataset("ml-100k-u1", tmp_path)
    assert (found.task, found.train.num_users, found.train.num_items) == ("rating", 3, 2)
    assert found.train.weight is not None
    assert found.test.weight is not None
    assert (found.train.weight.tolist(), found.test.weight.tolist()) == ([5, 3, 1], [4])
    assert pairs(found.test) == [(0, 1)]
    assert edges(found, "Item", "IN_GENRE", "Genre") == [(0, 1), (1, 0), (1, 1)]
    assert list(found.graph.vocabularies["Genre"].ids) == ["Action", "Comedy"]
    assert edges(found, "User", "HAS_OCCUPATION", "Occupation") == [(0, 1), (1, 0), (2, 0)]
    assert list(found.graph.vocabularies["AgeGroup"].ids) == ["20", "50"]
    assert edges(found, "User", "IN_AGE_GROUP", "AgeGroup") == [(0, 0), (1, 1), (2, 0)]


def test_a_variant_without_social_is_a_data_set_of_its_own(tmp_path: Path) -> None:
    folders.blocks(tmp_path / "douban-book-social", 8)
    assert relation_names(open_dataset("douban-book-social", tmp_path).graph) == ["FOLLOWS"]
    plain = open_dataset("douban-book", tmp_path)
    assert (relation_names(plain.graph), plain.left_out) == ([], ())


def test_relations_are_left_out_by_name(tmp_path: Path) -> None:
    folders.tmall(tmp_path / "tmall-mbcgcn")
    found = open_dataset("tmall-mbcgcn", tmp_path)
    assert num_edges(found.without(["VIEWED"]).graph) == {"PURCHASED": 4, "CARTED": 1}
    assert num_edges(found.only(["VIEWED"]).graph) == {"PURCHASED": 4, "VIEWED": 5}
    assert num_edges(found.only(["PURCHASED"]).graph) == {"PURCHASED": 4}
    assert found.only(["VIEWED"]).left_out == ("CARTED",)
    assert found.without([]) is found
    for wrong in (found.without, found.only):
        with pytest.raises(UnknownNameError, match="tmall-mbcgcn has no auxiliary relation 'VIEWD'; did you mean"):
            wrong(["VIEWD"])


def test_unknown_names_and_missing_folders_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="no data set 'gowala'; did you mean gowalla"):
        open_dataset("gowala")
    monkeypatch.setenv("GRAPHREC_DATA", str(tmp_path))
    with pytest.raises(
        DataError,
        match="data set gowalla needs the folder .*gowalla, which does not exist; set GRAPHREC_DATA to the folder",
    ):
        open_dataset("gowalla")
    folders.blocks(tmp_path / "gowalla", 4)
    assert open_dataset("gowalla").train.num_users == 4
    monkeypatch.delenv("GRAPHREC_DATA")
    with pytest.raises(
        DataError,
        match="gowalla needs the environment variable GRAPHREC_DATA, which is not set; set GRAPHREC_DATA to the",
    ):
        open_dataset("gowalla")


def test_files_of_pairs_have_the_parts_of_their_authors(tmp_path: Path) -> None:
    """The middle part of each history is validation, whose items are not ranked at test."""
    folders.diffrec(tmp_path / "ml-1m-diffrec")
    found = open_dataset("ml-1m-diffrec", tmp_path)
    assert pairs(found.train) == [(0, 0), (0, 1), (1, 2), (2, 1)]
    assert pairs(found.test) == [(0, 3), (1, 0)]
    assert found.validation is not None
    assert pairs(found.validation) == [(0, 2), (1, 1), (1, 4)]
    assert pairs(found.seen) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (1, 4), (2, 1)]
    assert (found.train.num_users, found.train.num_items, found.ks) == (3, 5, (10, 20))
    folders.gan(tmp_path / "ml-100k-gan")
    found = open_dataset("ml-100k-gan", tmp_path)
    assert pairs(found.train) == [(0, 1), (1, 0)]
    assert pairs(found.test) == [(0, 2)]
    assert (found.seen is found.train, found.validation, found.ks) == (True, None, (5, 20))
    folders.write(tmp_path / "ml-100k-gan", cfgan_test_txt="0 -2 3.0\n")
    with pytest.raises(DataError, match="must be numbered from 0"):
        open_dataset("ml-100k-gan", tmp_path)


def test_lists_are_measured_at_the_cut_offs_of_the_data_set_without_validation_items(tmp_path: Path) -> None:
    """Item 1 is the most popular, but in validation for user 1, whose test item 0 is the next."""
    folders.diffrec(tmp_path / "ml-1m-diffrec")
    found = measure(open_dataset("ml-1m-diffrec", tmp_path), "popularity", Conditions(settings={}))
    assert {"recall@10", "ndcg@10", "precision@20", "ndcg@20"} <= set(found.result.metrics)
    assert found.evaluation is not None
    assert found.evaluation.user_index.tolist() == [0, 1]
    assert found.evaluation.per_user["ndcg@10"][1] == 1.0


@pytest.mark.parametrize("name", ["lastfm-hetrec", "retailrocket-sslrec", "ml-100k-u1"])
def test_the_real_files_give_graphs_without_test_pairs(name: str) -> None:
    if not (DATA / name.removesuffix("-u1")).exists():
        pytest.skip(f"{name} is not in {DATA}; set GRAPHREC_DATA to the folder that has it")
    found = open_dataset(name, DATA)
    assert found.graph.data.validate()
    wanted = set(pairs(found.test))
    for triple in found.graph.data.edge_types:
        if (triple[0], triple[2]) == ("User", "Item"):
            edge_index: torch.Tensor = found.graph.data[triple].edge_index
            assert not wanted & set(map(tuple, edge_index.T.tolist()))


def test_the_real_lastfm_keeps_six_of_ten_tags() -> None:
    """The play counts of train tell who nearly all of the 4,489 artists are; six of ten tags are theirs."""
    if not (DATA / "lastfm-hetrec").exists():
        pytest.skip(f"lastfm-hetrec is not in {DATA}; set GRAPHREC_DATA to the folder that has it")
    found = open_dataset("lastfm-hetrec", DATA)
    assert num_edges(found.graph) == {"LISTENED": 42_135, "FRIEND": 12_717, "TAGGED": 100_408}
    assert found.cut == {"TAGGED": 7_355}


def test_every_published_split_says_how_its_authors_drew_it() -> None:
    random = {"gowalla", "yelp2018", "douban-book-social", "douban-book", "lastfm-hetrec", "citeulike-a-cold"}
    random.add("ml-100k-gan")
    random |= {f"ml-100k-u{fold}" for fold in range(1, 6)}
    drawn = {name: entry.drawn for name, entry in DATASETS.items() if not name.endswith(("-random", "-time"))}
    following = {"beauty", "toys", "sports", "lastfm-s3", "yelp-s3", "beauty-bert4rec", "ml-1m", "ml-1m-ncf"}
    last = dict.fromkeys(["tmall-mbcgcn", "retailrocket-sslrec"], "last")
    assert drawn == dict.fromkeys(random, "random") | last | dict.fromkeys(following, "next") | {
        "ml-1m-diffrec": "time"
    }


def test_a_data_set_keeps_what_its_author_says_of_the_test_part(tmp_path: Path) -> None:
    folder = folders.blocks(tmp_path / "yelp2018", 4)
    found = open_dataset("yelp2018", tmp_path)
    assert (found.drawn, found.published[0].name) == ("random", "LightGCN + BSL")
    folders.tmall(tmp_path / "tmall-mbcgcn")
    assert open_dataset("tmall-mbcgcn", tmp_path).without(["VIEWED"]).drawn == "last"
    files = folder / "train.txt", folder / "test.txt"
    assert open_files(*files).drawn == "unknown"  # although one could guess it from the pairs
    assert open_files(*files, drawn="time").drawn == "time"
    assert open_files(*files, drawn="last").train.time is None
    with pytest.raises(UnknownNameError, match="no kind of split 'tme'; did you mean time"):
        open_files(*files, drawn="tme")  # type: ignore[arg-type]  # a wrong value


def test_two_files_in_the_order_of_time_have_parts_by_time(tmp_path: Path) -> None:
    """Without times in the file the last of a line is the newest; a user may have several lines."""
    folder = folders.write(tmp_path, a_txt="0 9 3 1 4 0 8 2 7\n1 5 4\n0 6 5\n", b_txt="0 10\n1 10\n")
    found = open_files(folder / "a.txt", folder / "b.txt", drawn="time")
    assert found.train.time is not None
    assert found.train.time.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 8, 9]
    (validation,) = hold_out(found, np.random.default_rng(0)).validations
    assert list(validation.measures) == ["newest", "last of each user"]
    assert sorted({*pairs(found.train)} - {*pairs(validation.train)}) == [(0, 5), (0, 6), (1, 4)]
