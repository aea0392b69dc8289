"""CiteULike-a with cold items: the reader on small files, settings chosen on the author's validation part, and metrics
of cold and warm items computed by hand."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor

from graphrec.benchmark.citeulike import CITES, read_citeulike_cold
from graphrec.benchmark.datasets import Dataset, remove_test_edges
from graphrec.benchmark.run import Conditions, measure, tune
from graphrec.errors import DataError
from graphrec.evaluation.cold_start import evaluate_cold_items
from graphrec.interactions import Interactions
from graphrec.models.base import Model
from graphrec.models.content import Content
from graphrec.vocabulary import IndexArray

#: Users 0 to 2 and articles 0 to 5; 4 is cold for validation, 5 for test.
PARTS = {
    "warm_emb": [(0, 0), (0, 1), (1, 0), (1, 2), (2, 2), (2, 3)],
    "warm_val": [(0, 2)],
    "warm_test": [(1, 3)],
    "cold_item_val": [(1, 4)],
    "cold_item_test": [(0, 5), (2, 5)],
}
CITATIONS = ["1 5", "0", "1 0", "0", "2 2 3", "0"]


def folder(path: Path, citations: list[str] = CITATIONS) -> Path:
    for name, pairs in PARTS.items():
        lines = ["user,item", *(f"{user},{item}" for user, item in pairs)]
        (path / f"aldi_{name}.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (path / "citations.dat.gz").write_bytes(gzip.compress("\n".join(citations).encode()))
    return path


def dataset(path: Path) -> Dataset:
    return remove_test_edges("small", read_citeulike_cold(folder(path), 3, 6), drawn="random")


def test_the_parts_are_those_of_the_files(tmp_path: Path) -> None:
    found = dataset(tmp_path)
    assert found.validation is not None
    assert found.cold_items is not None
    assert found.cold_items.tolist() == [4, 5]
    for part, kind in ((found.test, "test"), (found.validation, "val")):
        names = (f"warm_{kind}", f"cold_item_{kind}")
        pairs = list(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True))
        assert pairs == [pair for name in names for pair in PARTS[name]]
    cites = found.graph.data[CITES].edge_index.T.tolist()
    assert sorted(map(tuple, cites)) == [(0, 5), (2, 0), (4, 2), (4, 3)]


@pytest.mark.parametrize("citations", [CITATIONS[:-1], ["2 5", *CITATIONS[1:]], ["1 6", *CITATIONS[1:]], ["x"] * 6])
def test_defective_citations_are_refused(tmp_path: Path, citations: list[str]) -> None:
    with pytest.raises(DataError, match="citations.dat.gz"):
        read_citeulike_cold(folder(tmp_path, citations), 3, 6)


class Fixed(Model[None]):
    """Scores [3, 6] that a test names."""

    has_signed_scores = True

    def __init__(self, scores: list[list[float]]) -> None:
        super().__init__(None)
        self.scores = torch.tensor(scores)

    def fit(self, *_: object) -> None:
        """Nothing."""

    def score(self, user_index: IndexArray) -> Tensor:
        """The scores."""
        return self.scores[torch.from_numpy(user_index)].clone()

    def fold_in(self, history: sparse.csr_array) -> Tensor:
        """None of a stranger."""
        return torch.zeros(history.shape[0], 6)

    def state(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def restore(self, *_: object) -> None:
        """Nothing."""


def test_cold_and_warm_items_are_ranked_apart(tmp_path: Path) -> None:
    found = dataset(tmp_path)
    scores = [[0, 0, 0.1, 0.2, 0.9, 0.8], [0, 0.5, 0, 0.9, 1.0, 1.1], [0.1, 0.2, 0, 0, 0.3, 0.4]]
    assert found.cold_items is not None
    metrics = evaluate_cold_items(Fixed(scores), found.train, found.test, found.cold_items, (1, 2))
    assert metrics["cold recall@1"] == 0.5  # user 0's is second, user 2's first
    assert metrics["cold ndcg@2"] == pytest.approx((1 / np.log2(3) + 1) / 2)
    assert metrics["warm recall@1"] == 1.0  # of user 1 alone; both cold items have larger scores
    nobody = Interactions(np.array([1]), np.array([3]), 3, 6)
    only_warm = evaluate_cold_items(Fixed(scores), found.train, nobody, found.cold_items, (1,))
    assert not [name for name in only_warm if "cold" in name]


def test_settings_are_chosen_on_the_validation_of_the_author(tmp_path: Path) -> None:
    found = dataset(tmp_path)
    choice = tune(found, "content", Conditions(num_trials=0), np.random.default_rng(0))
    assert choice.tried == len(Content.candidates(found.graph))
    result = measure(found, "popularity", Conditions(settings={})).result
    assert {"ndcg@20", "cold ndcg@20", "warm ndcg@20"} <= set(result.metrics)


def test_content_ranks_cold_articles_by_their_citations(tmp_path: Path) -> None:
    found = dataset(tmp_path)
    content = measure(found, "content", Conditions(settings={"content_scale": "1.0"})).result
    by_users = measure(found, "item_knn", Conditions(settings={})).result
    assert content.metrics["cold ndcg@20"] > by_users.metrics["cold ndcg@20"]
