"""The benchmark: quality and cost, what validation sees, and what relations add."""

import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from graphrec.benchmark.ablation import compare_relations
from graphrec.benchmark.datasets import Dataset, SplitKind, open_dataset, open_files
from graphrec.benchmark.run import Conditions, benchmark
from graphrec.benchmark.validation import hold_out
from graphrec.errors import DataError, GraphrecError, LeakError, UnknownNameError
from graphrec.evaluation.assembly import num_edges
from graphrec.evaluation.protocol import Evaluation
from graphrec.evaluation.result import Estimate
from graphrec.interactions import Interactions, join
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter

from . import published_folders as folders

DATA = Path(os.environ.get("GRAPHREC_DATA", Path(__file__).parents[3] / "shared" / "data"))


def blocks(folder: Path, social: bool = False) -> Dataset:
    folders.blocks(folder)
    return open_files(folder / "train.txt", folder / "test.txt", folder / "social.txt" if social else None)


@pytest.mark.parametrize("name", ["popularity", "item_knn"])
def test_a_benchmark_tells_quality_and_cost(tmp_path: Path, name: str) -> None:
    found = benchmark(blocks(tmp_path), name, Conditions(num_trials=2))
    quality = found.metrics["recall@20"]
    assert quality < 0.7 if name == "popularity" else quality > 0.8
    assert (found.data, found.model, found.label) == ("train.txt", name, name)
    assert found.counts == {
        "users": 60, "items": 60, "train": 1200, "test": 600, "test_users": 60, "cold_users": 0
    }  # fmt: skip
    assert found.edges == {"INTERACTED": 1200}
    assert (found.trials > 1) == (name == "item_knn")
    assert set(found.seconds) == {"tune", "fit", "recommend"}
    assert 0 < found.peak_mib["read"] <= found.peak_mib["tune"] <= found.peak_mib["fit"] <= found.peak_mib["recommend"]
    assert {"python", "torch", "torch_geometric", "numpy", "scipy", "graphrec"} == set(found.versions)


def test_a_test_part_that_is_known_is_refused(tmp_path: Path) -> None:
    data = blocks(tmp_path)
    told = replace(data, test=join(data.test, data.train.take(np.arange(3))))
    with pytest.raises(LeakError, match="3 test interactions in the training data among 1,200"):
        benchmark(told, "popularity")


@pytest.mark.parametrize(
    ("drawn", "timed", "validation", "used"),
    [
        ("random", True, "auto", "random"),
        ("unknown", True, "auto", "random"),
        ("time", True, "auto", "newest"),
        ("time", False, "auto", "random"),
        ("last", True, "auto", "last"),
        ("next", True, "auto", "last"),
        ("last", True, "coherent", "coherent"),
    ],
)
def test_an_ensemble_learns_its_weights_on_parts_like_the_test_part(
    tmp_path: Path, drawn: SplitKind, timed: bool, validation: str, used: str
) -> None:
    data = blocks(tmp_path)
    train = replace(data.train, time=np.arange(len(data.train)) if timed else None)
    settings = {"members": "item_knn, popularity", "validation": validation}
    first_of_each = np.unique(data.test.user_index, return_index=True)[1]
    test = data.test.take(first_of_each)  # the next item is one of each user
    found = benchmark(replace(data, drawn=drawn, train=train, test=test), "ensemble", Conditions(settings))
    assert found.config["validation"] == used


def test_the_same_seed_gives_the_same_benchmark(tmp_path: Path) -> None:
    data = blocks(tmp_path)
    first, second = (benchmark(data, "item_knn", Conditions(num_trials=2, seed=3)) for _ in range(2))
    assert (first.config, first.metrics) == (second.config, second.metrics)


def test_given_settings_are_taken_and_nothing_is_tried(tmp_path: Path) -> None:
    found = benchmark(blocks(tmp_path), "item_knn", Conditions({"neighbours": "7"}, label="few neighbours"))
    assert (found.config["neighbours"], found.trials, found.seconds["tune"]) == (7, 0, 0.0)
    assert found.label == "few neighbours"
    assert not benchmark(blocks(tmp_path), "item_knn", Conditions({})).trials


def test_without_a_setting_the_default_for_the_graph_is_measured(tmp_path: Path) -> None:
    data = blocks(tmp_path)
    default = GraphFilter.candidates(data.graph)[0]
    assert default != GraphFilterConfig()
    assert benchmark(data, "graph_filter", Conditions({})).config == asdict(default)
    given = benchmark(data, "graph_filter", Conditions({"rank": "8"}))
    assert given.config == asdict(GraphFilterConfig(rank=8))  # the other values are those of the class


def test_wrong_names_are_said_before_anything_is_measured(tmp_path: Path) -> None:
    data = blocks(tmp_path, social=True)
    with pytest.raises(UnknownNameError, match="no model 'x'"):
        benchmark(data, "x")
    with pytest.raises(UnknownNameError, match="item_knn has no setting 'neighbors'; did you mean neighbours"):
        benchmark(data, "item_knn", Conditions({"neighbors": "7"}))
    with pytest.raises(UnknownNameError, match="'FOLOWS'; did you mean FOLLOWS"):
        benchmark(data, "item_knn", Conditions(), (("FOLOWS",),))


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_said_first(tmp_path: Path, device: str) -> None:
    with pytest.raises(GraphrecError, match=f"device '{device}' cannot be used here: .*; cpu can"):
        benchmark(blocks(tmp_path), "popularity", Conditions(device=device))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_benchmark_runs_on_a_gpu(tmp_path: Path) -> None:
    found = benchmark(blocks(tmp_path), "item_knn", Conditions({}, device="cuda"))
    assert found.metrics["recall@20"] > 0.8
    assert found.peak_mib["gpu"] >= 0


def test_validation_pairs_are_cut_from_other_behaviours(tmp_path: Path) -> None:
    """Every purchase was viewed: of 1,200 views those of the purchases that are held out must be gone."""
    folders.blocks(tmp_path)
    train, test = ((tmp_path / f"{name}.txt").read_text() for name in ("train", "test"))
    files = {
        "buy_train_txt": train,
        "buy_test_txt": test,
        "view_train_txt": f"{train}\n{test}",
        "cart_train_txt": "0 1\n",
    }
    folders.write(tmp_path / "tmall-mbcgcn", **files)
    data = open_dataset("tmall-mbcgcn", tmp_path)
    assert (data.cut["VIEWED"], num_edges(data.graph)["VIEWED"]) == (600, 1200)
    held_out = hold_out(data, np.random.default_rng(0))
    assert held_out.guards
    for found in (*held_out.validations, *held_out.guards):
        graph, rest = found.graph, found.train
        assert 800 < len(rest) < 1080
        assert num_edges(graph) == {"PURCHASED": len(rest), "CARTED": 1, "VIEWED": len(rest)}
        bought = set(zip(rest.user_index.tolist(), rest.item_index.tolist(), strict=True))
        viewed = graph.data["User", "VIEWED", "Item"].edge_index.T.tolist()
        assert set(map(tuple, viewed)) == bought


def test_a_split_of_last_interactions_is_chosen_by_the_last_of_each_user(tmp_path: Path) -> None:
    """Where the author says that the test part has the last pair of each user, so has the held-out part."""
    rng = np.random.default_rng(0)
    rows = [(user, item, 100 * item + user) for user in range(6) for item in rng.permutation(8)[:5].tolist()]
    csv = "user,item,value\n"
    train = csv + "".join(f"{user},{item},{time}\n" for user, item, time in rows)
    test = csv + "".join(f"{user},8,9999\n" for user in range(6))
    names = {
        "train_buy_csv": train,
        "test_csv": test,
        "train_view_csv": csv + "0,1,5\n",
        "train_cart_csv": csv + "1,2,5\n",
    }
    folders.write(tmp_path / "retailrocket-sslrec", **names, kg_txt="0 0 1\n")
    (found,) = hold_out(open_dataset("retailrocket-sslrec", tmp_path), rng).validations
    last = {(user, max(item for other, item, _ in rows if other == user)) for user in range(6)}
    kept = zip(found.train.user_index.tolist(), found.train.item_index.tolist(), strict=True)
    assert set(kept) == {(user, item) for user, item, _ in rows} - last


def test_a_benchmark_of_ratings_tells_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{user + 1}\t{item + 1}\t{1 + 4 * ((user + item) % 2)}\t1" for user in range(20) for item in range(20)]
    order = rng.permutation(len(rows))
    folder = folders.ml_100k(tmp_path / "ml-100k")
    people = "\n".join(f"{k}|24|M|other|0" for k in range(1, 21))
    films = "\n".join(f"{k}|Film|1-Jan-1990||http://x|0|1" for k in range(1, 21))
    base, test = ("\n".join(rows[k] for k in part) for part in (order[:300], order[300:]))
    folders.write(folder, u1_base=base, u1_test=test, u_user=people, u_item=films)
    data = open_dataset("ml-100k-u1", tmp_path)
    settings = {"loss": "mse", "embedding_dim": "4", "draws": "4", "burn_in": "4"}
    found = benchmark(data, "mf", Conditions(settings))
    assert set(found.metrics) == {"rmse", "mae"}
    assert found.metrics["mae"] <= found.metrics["rmse"] < 1.0  # all ratings are 1 or 5: guessing the mean errs by 2
    assert found.counts == {
        "users": 20, "items": 20, "train": 300, "test": 100, "cold_user_pairs": 0, "cold_item_pairs": 0
    }  # fmt: skip
    with pytest.raises(DataError, match="ratings have no ablation"):
        benchmark(data, "mf", Conditions(settings), (("IN_GENRE",),))


def test_an_ablation_measures_the_same_users_with_and_without(tmp_path: Path) -> None:
    found = benchmark(blocks(tmp_path, social=True), "item_knn", Conditions({}), (("FOLLOWS",),))
    (ablation,) = found.ablations
    assert (ablation.without, ablation.metrics) == (("FOLLOWS",), found.metrics)  # item_knn reads no ties
    whole = ablation.effects[0]
    assert (whole.difference.metric, whole.users, whole.num_users) == ("recall@20", "all", 60)
    assert whole.with_it == pytest.approx(found.metrics["recall@20"])
    assert (whole.difference.estimate, whole.gain) == (Estimate(0, 0, 0), 0)


def evaluation(recall: list[float], ndcg: list[float]) -> Evaluation:
    values = {"recall@20": np.array(recall), "ndcg@20": np.array(ndcg)}
    return Evaluation({}, values, np.arange(len(recall), dtype=np.int64), 0)


def test_differences_of_all_users_and_of_those_with_few_interactions() -> None:
    """Users 0 to 3 have 1, 1, 2 and 8 interactions, so the lower quartile is 1."""
    user = np.repeat(np.arange(4, dtype=np.int64), [1, 1, 2, 8])
    known = Interactions(user, np.arange(12, dtype=np.int64), 4, 12)
    first, second = evaluation([1, 1, 0.5, 0.5], [0.4] * 4), evaluation([0.5, 0.5, 0.5, 0.5], [0.2] * 4)
    found = compare_relations(known, first, second, np.random.default_rng(0))
    assert [(d.difference.metric, d.users, d.num_users) for d in found] == [
        ("recall@20", "all", 4),
        ("recall@20", "with at most 1 interactions", 2),
        ("ndcg@20", "all", 4),
        ("ndcg@20", "with at most 1 interactions", 2),
    ]
    assert [d.difference.estimate.value for d in found] == pytest.approx([0.25, 0.5, 0.2, 0.2])
    assert found[0].difference.estimate.low == pytest.approx(0.0)  # by chance both users without a difference alone
    assert found[1].difference.estimate == Estimate(0.5, 0.5, 0.5)
    assert found[2].gain == pytest.approx(1.0)


def test_users_with_at_most_five_interactions_are_a_group_where_there_are_thirty() -> None:
    """Of 40 users eleven have one interaction, more than a quarter, and all others five."""
    degree = [1] * 11 + [5] * 29
    user = np.repeat(np.arange(40, dtype=np.int64), degree)
    known = Interactions(user, np.arange(len(user), dtype=np.int64), 40, len(user))
    values = evaluation([1.0] * 40, [1.0] * 40)
    found = compare_relations(known, values, values, np.random.default_rng(0))
    assert [(d.users, d.num_users) for d in found[:3]] == [
        ("all", 40),
        ("with at most 1 interactions", 11),
        ("with at most 5 interactions", 40),
    ]


def test_evaluations_of_different_users_are_not_compared() -> None:
    known = Interactions(np.arange(3, dtype=np.int64), np.arange(3, dtype=np.int64), 3, 3)
    with pytest.raises(DataError, match=r"of different users \(2 and 3\)"):
        compare_relations(known, evaluation([1, 1], [1, 1]), evaluation([1, 1, 1], [1, 1, 1]), np.random.default_rng(0))


@pytest.mark.slow
def test_gowalla_is_as_good_as_we_claim() -> None:
    """ChebyCF, the best published on this split, has Recall@20 0.1941 and NDCG@20 0.1616."""
    if not (DATA / "gowalla").exists():
        pytest.skip(f"the Gowalla split is not in {DATA}; set GRAPHREC_DATA to the folder that has gowalla/")
    found = benchmark(open_dataset("gowalla", DATA), "graph_filter")
    assert found.metrics["recall@20"] > 0.1941
    assert found.metrics["ndcg@20"] > 0.1616
