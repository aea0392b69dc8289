"""The part of a published split that settings are chosen on."""

import warnings

import numpy as np
import pytest

from graphrec.evaluation.datasets import Dataset
from graphrec.evaluation.holding_out import COHERENT, at_random, coherent, hold_out, is_random_part
from graphrec.interactions import Interactions
from graphrec.testing import graph_of

#: Towns, and the users and items of each.
TOWNS, USERS, ITEMS = 4, 60, 25


def travellers(rng: np.random.Generator) -> Interactions:
    """Users who know ten places of their own town and ten of another one."""
    user = np.repeat(np.arange(TOWNS * USERS), 20)
    home = np.arange(TOWNS * USERS) // USERS
    towns = np.stack([home, (home + 1 + rng.integers(TOWNS - 1, size=len(home))) % TOWNS], axis=1)
    places = np.stack([rng.permutation(ITEMS)[:10] for _ in range(2 * len(home))]).reshape(len(home), 2, 10)
    item = (towns[:, :, None] * ITEMS + places).ravel()
    return Interactions(user, item, TOWNS * USERS, TOWNS * ITEMS)


def test_a_random_part_is_told_from_one_of_other_items() -> None:
    rng = np.random.default_rng(0)
    whole = travellers(rng)
    held = at_random(whole, rng)
    assert is_random_part(whole.take(~held), whole.take(held))
    late = rng.random(whole.num_items)  # items that came up late are rather in the test part
    held = rng.random(len(whole)) < 0.4 * late[whole.item_index]
    assert not is_random_part(whole.take(~held), whole.take(held))


def test_few_interactions_tell_nothing() -> None:
    few = Interactions(np.array([0, 1]), np.array([0, 1]), 2, 2)
    assert is_random_part(few, few)
    often = Interactions(np.arange(30), np.zeros(30, dtype=np.int64), 31, 2)
    rare = Interactions(np.array([30]), np.array([1]), 31, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert is_random_part(often, rare)  # of the items that have enough, none is in the test part


def test_a_coherent_part_holds_what_belongs_together() -> None:
    rng = np.random.default_rng(0)
    known = travellers(rng)
    town = known.item_index // ITEMS

    def towns_of_a_part(held: np.ndarray) -> float:
        """The number of towns in the held-out part of a user with more than one interaction there, on average."""
        pairs = np.unique(np.stack([known.user_index[held], town[held]]), axis=1)
        several = np.bincount(known.user_index[held], minlength=known.num_users) > 1
        return float(np.bincount(pairs[0], minlength=known.num_users)[several].mean())

    held = coherent(known, rng)
    assert towns_of_a_part(held) < 1.1
    assert towns_of_a_part(rng.random(len(known)) < COHERENT) > 1.6
    assert held.mean() == pytest.approx(COHERENT, abs=0.01)


def test_everybody_keeps_something() -> None:
    rng = np.random.default_rng(0)
    user = np.repeat(np.array([0, 2, 3]), [1, 2, 9])  # 1 has nothing
    known = Interactions(user, np.arange(12) % 7, 5, 7)
    for _ in range(30):
        held = coherent(known, rng)
        left, out = known.take(~held).user_degree(), known.take(held).user_degree()
        assert (left > 0).tolist() == [True, False, True, True, False]
        assert out[0] == 0
        assert out[3] in (1, 2)


@pytest.mark.parametrize("by_chance", [True, False])
def test_what_is_held_out_is_made_as_the_test_part(by_chance: bool) -> None:
    rng = np.random.default_rng(1)
    whole = travellers(rng)
    late = np.arange(whole.num_items) % 2
    share = np.full(len(whole), 0.2) if by_chance else 0.4 * late[whole.item_index]
    held = rng.random(len(whole)) < share
    known, truth = whole.take(~held), whole.take(held)
    found = hold_out(Dataset("towns", graph_of(known), known, truth, {}), np.random.default_rng(2))
    assert len(found.rest) + len(found.part) == len(known)
    assert found.graph.data[found.graph.target].num_edges == len(found.rest)
    assert found.likeness == by_chance
    assert len(found.part) / len(known) == pytest.approx(0.1 if by_chance else COHERENT, abs=0.01)
