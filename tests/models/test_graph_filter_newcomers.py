"""graph_filter for users and items that were not in training: as if they had been."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from graphrec.hetero import HeteroGraph, interactions
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.relations import build_relations

from .typed_example import FULL, GENRES, ITEMS, USERS, fitted, matrix


def test_a_new_user_with_friends_and_a_town_is_scored_like_a_known_one(
    graph: HeteroGraph, parts: Mapping[str, npt.NDArray[np.int64]]
) -> None:
    model = fitted(graph, FULL)
    b = matrix(parts["PURCHASED"], USERS, ITEMS) + FULL.behaviour_weight * matrix(parts["VIEWED"], USERS, ITEMS)
    related = {"FOLLOWS": matrix(parts["FOLLOWS"], USERS, USERS), "LIVES_IN": matrix(parts["LIVES_IN"], USERS, 3)}
    rows = {name: sparse.csr_array(dense.astype(np.float32)) for name, dense in related.items()}
    found = model.fold_in(sparse.csr_array(b.astype(np.float32)), rows)
    torch.testing.assert_close(found, model.score(np.arange(USERS)), atol=1e-5, rtol=1e-4)


def test_a_new_item_with_attributes_is_scored_like_one_that_nobody_met(graph: HeteroGraph) -> None:
    model = fitted(graph, replace(FULL, item_relation_weight=0.0, rank=1000))
    genres = np.zeros((1, GENRES), dtype=np.float32)
    genres[0, [0, 2]] = 1.0  # as the last item has
    found = model.score_new_items(np.arange(USERS), {"IN_GENRE": sparse.csr_array(genres)})
    torch.testing.assert_close(found[:, 0], model.score(np.arange(USERS))[:, -1], atol=1e-4, rtol=1e-3)


def test_newcomers_are_scored_as_if_they_had_been_in_training(graph: HeteroGraph) -> None:
    around = build_relations(graph)
    for config in (replace(FULL, half_life=10.0), replace(FULL, revisit=0.5), replace(FULL, weights="FOLLOWS=0.4")):
        model = fitted(graph, config)
        other = GraphFilter(config)
        other.restore(model.state())  # as from a saved run
        found = other.fold_in_users(interactions(graph), around)
        torch.testing.assert_close(found, model.score(np.arange(USERS)), atol=1e-5, rtol=1e-4)


def test_a_new_item_stands_where_an_item_of_median_degree_would(graph: HeteroGraph) -> None:
    model = fitted(graph, replace(FULL, item_relation_weight=0.0, rank=1000))
    genres = np.zeros((1, GENRES), dtype=np.float32)
    genres[0, [0, 2]] = 1.0
    rows = {"IN_GENRE": sparse.csr_array(genres)}
    found = model.fold_in_new_items(interactions(graph), build_relations(graph), rows)
    factor = (float(np.median(model.kernel.degree)) / (1.0 + FULL.degree_offset)) ** FULL.target_exponent
    torch.testing.assert_close(found, model.score_new_items(np.arange(USERS), rows) * factor, atol=1e-5, rtol=1e-4)
