"""The training view: no test interaction is in it, and nothing that reveals one."""

import numpy as np
import torch

from graphrec import hetero
from graphrec.histories import add_histories
from graphrec.interactions import Interactions
from graphrec.train_view import restrict
from tests.test_hetero import RATED, edges, tables


def test_a_model_sees_training_edges_and_nothing_later() -> None:
    graph = hetero.build(tables())
    add_histories(graph)
    train = hetero.interactions(graph).take(np.array([0]))
    seen = restrict(graph, train, cut=20)
    assert "histories" in graph.data
    assert "histories" not in seen.data
    assert edges(seen, RATED, "timestamp") == {("b", "x"): 10}
    assert seen.data["Item", "rev_RATED", "User"].edge_index.tolist() == [[0], [0]]
    assert seen.data["User", "TAGGED", "Item"].timestamp.tolist() == [5]
    assert seen.data["Item", "rev_TAGGED", "User"].timestamp.tolist() == [5]
    assert seen.data["User", "FRIEND", "User"].num_edges == 1  # it has no time
    assert graph.data[RATED].num_edges == 3  # the input is as it was
    assert seen.data.validate()


def test_an_edge_at_the_very_second_of_the_cut_is_hidden() -> None:
    graph = hetero.build(tables())
    train = hetero.interactions(graph).take(np.array([0]))
    assert restrict(graph, train, cut=25).data["User", "TAGGED", "Item"].timestamp.tolist() == [5]
    assert restrict(graph, train, cut=26).data["User", "TAGGED", "Item"].timestamp.tolist() == [5, 25]
    assert restrict(graph, train, cut=5).data["User", "TAGGED", "Item"].edge_index.shape[1] == 0


def test_other_behaviour_of_a_held_out_pair_is_hidden_in_both_directions() -> None:
    graph = hetero.build(tables())
    whole = hetero.interactions(graph)
    is_held = (whole.user_index == 1) & (whole.item_index == 0)  # user a and item x, which user a tagged too
    seen = restrict(graph, whole.take(np.flatnonzero(~is_held)), None, whole.take(np.flatnonzero(is_held)))
    assert seen.data["User", "TAGGED", "Item"].edge_index.shape[1] == 0
    assert seen.data["Item", "rev_TAGGED", "User"].edge_index.shape[1] == 0
    other = Interactions(np.array([0]), np.array([0]), 2, 3)  # user b and item x: the tags of user a stay
    assert restrict(graph, whole, None, other).data["User", "TAGGED", "Item"].edge_index.shape[1] == 2
    assert torch.equal(graph.data["User", "TAGGED", "Item"].timestamp.sort().values, torch.tensor([5, 25]))
