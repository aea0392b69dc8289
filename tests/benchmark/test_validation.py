"""The part of a published split that settings are chosen on."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from graphrec.benchmark.datasets import Dataset
from graphrec.benchmark.validation import hold_out, hold_out_at_random, hold_out_last, is_random_part
from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting.coherent import COHERENT_SHARE
from graphrec.testing import graph_of


def test_a_random_part_is_told_from_one_of_other_items(travellers: Interactions) -> None:
    rng, whole = np.random.default_rng(0), travellers
    held = hold_out_at_random(whole, rng)
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


@pytest.mark.parametrize("by_chance", [True, False])
def test_what_is_held_out_is_made_as_the_test_part(by_chance: bool, travellers: Interactions) -> None:
    rng, whole = np.random.default_rng(1), travellers
    late = np.arange(whole.num_items) % 2
    share = np.full(len(whole), 0.2) if by_chance else 0.4 * late[whole.item_index]
    held = rng.random(len(whole)) < share
    known, truth = whole.take(~held), whole.take(held)
    found = hold_out(Dataset("towns", graph_of(known), known, truth, {}), np.random.default_rng(2))
    assert len(found.train) + len(found.validation) == len(known)
    assert found.graph.data[found.graph.target].num_edges == len(found.train)
    assert found.matches_test_distribution == by_chance
    assert len(found.validation) / len(known) == pytest.approx(0.1 if by_chance else COHERENT_SHARE, abs=0.01)


def test_the_last_is_held_out_of_whoever_has_two() -> None:
    """Most people of such a test part are known by one interaction: so are those who have two here."""
    known = Interactions(np.array([2, 1, 0, 1, 2, 2]), np.arange(6), 4, 6, time=np.array([9, 3, 1, 2, 4, 5]))
    held = hold_out_last(known, np.random.default_rng(0))
    assert known.item_index[held].tolist() == [0, 1]
    whenever = [hold_out_last(replace(known, time=None), np.random.default_rng(seed)) for seed in range(20)]
    assert {tuple(known.user_index[mask].tolist()) for mask in whenever} == {(2, 1), (1, 2)}
    assert len({tuple(known.item_index[mask].tolist()) for mask in whenever}) > 3


def test_people_known_by_one_interaction_leave_nothing_to_choose_by() -> None:
    known = Interactions(np.arange(4), np.arange(4), 4, 5)
    truth = Interactions(np.arange(4), np.full(4, 4), 4, 5)
    with pytest.raises(DataError, match=r"too few training interactions .* use --defaults"):
        hold_out(Dataset("ones", graph_of(known), known, truth, {}), np.random.default_rng(0))
