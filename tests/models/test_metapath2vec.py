"""metapath2vec: which path is walked, what is trained along it, and errors of paths."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from graphrec import hetero
from graphrec.errors import DataError, UnknownNameError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.metapath2vec import MetaPath2Vec, MetaPath2VecConfig, metapath_vectors
from graphrec.models.metapaths import choose_metapath, collect_edges, parse_metapath
from graphrec.testing import ModelContract, checkerboard
from graphrec.vocabulary import Vocabulary

CPU = torch.device("cpu")


class TestMetaPath2Vec(ModelContract):
    name = "metapath2vec"
    config: ClassVar[dict[str, object]] = {"embedding_dim": 16, "epochs": 20, "learning_rate": 0.05}
    exact_fold_in = False


@pytest.fixture
def typed() -> HeteroGraph:
    """Three users, three items, a genre of two items, a friendship, and views beside ratings; one item has nothing."""
    data = HeteroData()
    data["User"].num_nodes, data["Item"].num_nodes, data["Genre"].num_nodes = 3, 3, 2
    pairs = {
        ("User", "RATED", "Item"): [[0, 1], [0, 1]],
        ("User", "VIEWED", "Item"): [[2], [0]],
        ("User", "FRIEND", "User"): [[0], [1]],
        ("Item", "IN_GENRE", "Genre"): [[0, 1], [0, 0]],
    }
    for (source, relation, target), index in pairs.items():
        data[source, relation, target].edge_index = torch.tensor(index)
        data[target, f"rev_{relation}", source].edge_index = torch.tensor(index).flip(0)
    names = {"User": ["a", "b", "c"], "Item": ["x", "y", "z"], "Genre": ["g", "h"]}
    return HeteroGraph(
        data, {label: Vocabulary.of(label, ids) for label, ids in names.items()}, ("User", "RATED", "Item")
    )


RATED, BACK = ("User", "RATED", "Item"), ("Item", "rev_RATED", "User")
GENRE, OF = ("Item", "IN_GENRE", "Genre"), ("Genre", "rev_IN_GENRE", "Item")


def test_the_path_is_chosen_from_the_schema(typed: HeteroGraph) -> None:
    assert choose_metapath(typed) == [RATED, GENRE, OF, BACK, ("User", "FRIEND", "User")]


def test_users_and_items_alone_are_walked_there_and_back() -> None:
    graph, _, _ = checkerboard()
    assert choose_metapath(graph) == [("User", "PURCHASED", "Item"), ("Item", "rev_PURCHASED", "User")]


def test_a_path_is_read_from_text(typed: HeteroGraph) -> None:
    assert parse_metapath("User-Item-User", typed) == [RATED, BACK]
    assert parse_metapath("User-Item-Genre-Item-User", typed) == [RATED, GENRE, OF, BACK]
    viewed = [("User", "VIEWED", "Item"), ("Item", "rev_VIEWED", "User")]
    assert parse_metapath("User-[VIEWED]-Item-[VIEWED]-User", typed) == viewed
    assert parse_metapath("User-User-Item-User", typed) == [("User", "FRIEND", "User"), RATED, BACK]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("User", DataError, "metapath takes labels such as `User-Item-User`, not 'User'"),
        ("User>Item", DataError, "metapath takes labels"),
        ("User-Itm-User", UnknownNameError, "there is no label 'Itm'; did you mean Item?"),
        ("User-Item", DataError, "ends at Item; it must end where it begins, at User"),
        ("User-User", DataError, "must visit Item"),
        ("User-Genre-User-Item-User", DataError, "no relation joins User and Genre"),
        ("User-[RATE]-Item-User", UnknownNameError, "did you mean RATED"),
    ],
)
def test_a_wrong_path_is_refused(typed: HeteroGraph, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message.replace("?", r"\?")):
        parse_metapath(text, typed)


def test_a_path_that_is_not_clear_is_refused(typed: HeteroGraph) -> None:
    typed.data["Item", "BY_STYLE", "Genre"].edge_index = torch.tensor([[0], [1]])
    with pytest.raises(
        DataError, match=r"2 relations join Item and Genre: IN_GENRE, BY_STYLE; name one, as in Item-\["
    ):
        parse_metapath("User-Item-Genre-Item-User", typed)


def test_the_target_is_that_of_training(typed: HeteroGraph) -> None:
    known = Interactions(np.array([2]), np.array([2]), 3, 3)
    found = collect_edges(typed, known, [RATED, GENRE, OF, BACK])
    assert found[RATED].tolist() == [[2], [2]]
    assert found[BACK].tolist() == [[2], [2]]
    assert found[GENRE].tolist() == [[0, 1], [0, 0]]


def test_vectors_of_all_labels_of_the_path(typed: HeteroGraph) -> None:
    config = MetaPath2VecConfig(embedding_dim=4, epochs=1)
    found = metapath_vectors(typed, hetero.interactions(typed), config, np.random.default_rng(0), CPU)
    assert {label: tuple(x.shape) for label, x in found.items()} == {"User": (3, 4), "Item": (3, 4), "Genre": (2, 4)}
    touched = {label: x.any(dim=1).tolist() for label, x in found.items()}
    assert touched == {"User": [True, True, False], "Item": [True, True, False], "Genre": [True, False]}


def test_the_generator_of_torch_stays_as_it_was() -> None:
    graph, train, _ = checkerboard()
    model = MetaPath2Vec(MetaPath2VecConfig(epochs=1))
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    model.fit(graph, train, np.random.default_rng(0))
    assert torch.equal(torch.rand(2), expected)


def test_one_step_by_hand(typed: HeteroGraph) -> None:
    """Adam's first step moves each entry of a node on a walk by the learning rate, against the sign of the gradient;
    the pair (a, x) that walks share comes nearer than it would by the random windows alone."""
    before = metapath_vectors(
        typed,
        hetero.interactions(typed),
        MetaPath2VecConfig(embedding_dim=4, epochs=1, learning_rate=1e-12, metapath="User-Item-User"),
        np.random.default_rng(0),
        CPU,
    )
    after = metapath_vectors(
        typed,
        hetero.interactions(typed),
        MetaPath2VecConfig(embedding_dim=4, epochs=1, learning_rate=0.01, metapath="User-Item-User"),
        np.random.default_rng(0),
        CPU,
    )
    moved = (after["User"][:2] - before["User"][:2]).abs()
    torch.testing.assert_close(moved, torch.full((2, 4), 0.01), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"rounds": 0}, "must be at least 1"),
        ({"context_size": 1}, "context_size is at least 2"),
        ({"learning_rate": 0.0}, "learning_rate above 0"),
    ],
)
def test_impossible_settings_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        MetaPath2VecConfig(**setting)  # type: ignore[arg-type]  # each case sets another field


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_trains_too() -> None:
    graph, train, _ = checkerboard()
    config = MetaPath2VecConfig(embedding_dim=8, epochs=2)
    found = [
        metapath_vectors(graph, train, config, np.random.default_rng(0), torch.device(device))["User"]
        for device in ("cpu", "cuda")
    ]
    assert found[1].device.type == "cuda"
    torch.testing.assert_close(found[1].cpu(), found[0], atol=1e-3, rtol=0)
