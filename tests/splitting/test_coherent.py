"""The parts of histories that belong together."""

import numpy as np
import pytest

from graphrec.interactions import Interactions
from graphrec.splitting.coherent import COHERENT_SHARE, coherent_holdout


def test_a_coherent_part_holds_what_belongs_together(travellers: Interactions) -> None:
    rng, known = np.random.default_rng(0), travellers
    town = known.item_index // 25

    def towns_of_a_part(held: np.ndarray) -> float:
        """The number of towns in the held-out part of a user with more than one interaction there, on average."""
        pairs = np.unique(np.stack([known.user_index[held], town[held]]), axis=1)
        several = np.bincount(known.user_index[held], minlength=known.num_users) > 1
        return float(np.bincount(pairs[0], minlength=known.num_users)[several].mean())

    held = coherent_holdout(known, rng)
    assert towns_of_a_part(held) < 1.1
    assert towns_of_a_part(rng.random(len(known)) < COHERENT_SHARE) > 1.6
    assert held.mean() == pytest.approx(COHERENT_SHARE, abs=0.01)


def test_everybody_keeps_something() -> None:
    rng = np.random.default_rng(0)
    user = np.repeat(np.array([0, 2, 3]), [1, 2, 9])  # 1 has nothing
    known = Interactions(user, np.arange(12) % 7, 5, 7)
    for _ in range(30):
        held = coherent_holdout(known, rng)
        left, out = known.take(~held).user_degree(), known.take(held).user_degree()
        assert (left > 0).tolist() == [True, False, True, True, False]
        assert out[0] == 0
        assert out[3] in (1, 2)
