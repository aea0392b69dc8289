"""The memory that training takes is predicted: the constants are those of the models, and the figures hold."""

import json
import subprocess
import sys

import pytest
import torch
from torch_geometric.data import HeteroData

from graphrec.evaluation import memory_estimate
from graphrec.evaluation.memory_estimate import Shape, bytes_to_train, shape_of
from graphrec.hetero import HeteroGraph
from graphrec.linalg import svd
from graphrec.models.graph_filter import kernel, model, regression, search_space
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.item_knn import ItemKNN
from graphrec.models.sequence_filter import search_space as sequence_space
from graphrec.models.sequence_filter.kernel import SIMILAR
from graphrec.testing import checkerboard
from graphrec.tuning import workers
from graphrec.vocabulary import Vocabulary

TOY = checkerboard(4)[0]


def test_the_constants_are_those_of_the_models() -> None:
    assert (
        memory_estimate.MANY == search_space.MANY_NEIGHBOURS == max(c.neighbours for c in search_space.candidates(TOY))
    )
    assert GraphFilterConfig().neighbours == memory_estimate.DEFAULT
    assert GraphFilterConfig().rank_share == memory_estimate.RANK_SHARE
    assert model.SHARED_RANK == memory_estimate.RANK
    assert model.MAX_SQUARED_PATHS == memory_estimate.TWICE_KEPT
    assert (regression.MAX_RIDGE_ITEMS, search_space.MAX_RIDGE_WORK) == (
        memory_estimate.RIDGE_ITEMS,
        memory_estimate.RIDGE_WORK,
    )
    assert svd.DENSE == memory_estimate.DENSE_SIDE
    assert kernel.COLLECTION_FACTOR == memory_estimate.COLLECTED
    assert (workers.MAX_CACHED, workers.MAX_CACHED_BYTES) == (
        memory_estimate.MAX_CACHED,
        memory_estimate.MAX_CACHED_BYTES,
    )
    most_transitions = max(c.neighbours for c in sequence_space.candidates(TOY)) + 2 * SIMILAR
    assert most_transitions == memory_estimate.TRANSITIONS
    assert (len(sequence_space.DENSE.decays), sequence_space.MAX_RIDGE_SIZE) == (
        memory_estimate.MEMORIES,
        memory_estimate.MEMORIES_TIMES_ITEMS,
    )
    assert max(c.neighbours for c in ItemKNN.candidates(TOY)) == memory_estimate.NEIGHBOURS


def test_the_paths_are_those_over_users_and_over_attribute_values() -> None:
    data = HeteroData()
    for label, number in (("User", 2), ("Item", 3), ("Genre", 1)):
        data[label].num_nodes = number
    data["User", "RATED", "Item"].edge_index = torch.tensor([[0, 0, 0, 1], [0, 1, 2, 2]])
    data["Item", "rev_RATED", "User"].edge_index = torch.tensor([[0, 1, 2, 2], [0, 0, 0, 1]])
    data["Item", "IN_GENRE", "Genre"].edge_index = torch.tensor([[0, 1], [0, 0]])
    data["Genre", "rev_IN_GENRE", "Item"].edge_index = torch.tensor([[0, 0], [0, 1]])
    ids = {label: Vocabulary.of(label, [f"{n}" for n in range(n_)]) for label, n_ in (("User", 2), ("Item", 3))}
    found = shape_of(HeteroGraph(data, ids, ("User", "RATED", "Item")))
    assert found == Shape(2, 3, 6, 9 + 1 + 4, 3)


def shape(users: int, items: int, edges: int, paths: int, known_items: int | None = None) -> Shape:
    """A shape in which all items have interactions, if no other number is given."""
    return Shape(users, items, edges, paths, items if known_items is None else known_items)


def test_more_items_and_more_edges_take_more_and_popularity_least() -> None:
    small, wide = shape(400, 10_000, 200_000, 10**9), shape(400, 100_000, 200_000, 10**9)
    assert bytes_to_train(small) < bytes_to_train(wide) < 2.4e9
    with_ridge, without = shape(9_000, 8_000, 10_000, 10_000), shape(9_000, 8_001, 10_000, 10_000)
    assert bytes_to_train(with_ridge) > bytes_to_train(without)  # of 8,001 items, the search tries no ridge
    few, many = shape(400, 25_000, 10_000, 10_000), shape(400, 25_001, 10_000, 10_000)
    assert bytes_to_train(few) > bytes_to_train(many)
    assert bytes_to_train(wide, ["popularity"]) < bytes_to_train(wide)
    assert bytes_to_train(wide, workers=2) > 1.9 * bytes_to_train(wide)
    assert bytes_to_train(shape(1000, 1000, 10**7, 10**9)) > 9e9
    sparse = shape(500, 100_000, 60_000, 10**6)  # no item has many paths
    assert bytes_to_train(sparse) < 1.2e9


def test_the_memory_of_a_ridge_depends_on_the_items_with_interactions() -> None:
    few, most, too_many = (bytes_to_train(shape(900, 60_000, 10_000, 10_000, known)) for known in (9, 12_500, 12_501))
    assert few == too_many  # of 12,501 known items the search tries no ridge, as there may be twice as many
    assert 5e7 < most - few < 4 * 2 * 900 * 12_500


PROGRAM = """
import json, resource, sys
import numpy as np
from graphrec.evaluation.memory_estimate import bytes_to_train, shape_of
from graphrec.interactions import Interactions
from graphrec import TrainConfig
from graphrec.pipeline.training import train
from graphrec.testing import graph_of

users, items, rows = map(int, sys.argv[1:4])
rng = np.random.default_rng(0)
share = np.arange(1, items + 1) ** -1.0
item = rng.choice(items, 3 * rows, p=share / share.sum())
item[:items] = rng.permutation(items)
share = np.arange(1, users + 1) ** -0.8
user = rng.choice(users, 3 * rows, p=share / share.sum())
pair = np.unique(user * items + item, return_index=True)
pair = (user * items + item)[np.sort(pair[1])[:rows]]
graph = graph_of(Interactions(pair // items, pair % items, users, items))
train(graph, "graph_filter", rng, TrainConfig(num_trials=5))
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, bytes_to_train(shape_of(graph))]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("users", "items", "rows", "most"),
    [
        (438, 99_301, 200_000, 2.0e9),
        (50, 30_677, 49_481, 1.8e9),
        (20_000, 20_000, 400_000, 1.9e9),
        (600, 9_000, 100_000, 1.3e9),
    ],
)
def test_training_takes_what_was_predicted_and_no_more(users: int, items: int, rows: int, most: float) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(users), str(items), str(rows)], capture_output=True, text=True, check=True
    )
    taken, predicted = json.loads(done.stdout.splitlines()[-1])
    assert taken <= most
    assert taken <= predicted <= 1.35 * taken
