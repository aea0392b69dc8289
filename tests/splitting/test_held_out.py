"""Parts of histories that are held out: what is newest, last, or drawn at random."""

import numpy as np

from graphrec.interactions import Interactions
from graphrec.splitting.held_out import hold_out_last, hold_out_newest, hold_out_one


def test_the_newest_fifth_is_held_out_of_each_history() -> None:
    rng = np.random.default_rng(0)
    user = rng.permutation(np.repeat(np.arange(3), [4, 5, 11]))
    train = Interactions(user, np.arange(20), 3, 20, time=rng.permutation(20))
    held = hold_out_newest(train, rng)
    for number, expected in ((0, 0), (1, 1), (2, 2)):
        of_user = train.user_index == number
        assert train.time is not None
        newest = np.sort(train.time[of_user])[of_user.sum() - expected :]
        assert np.sort(train.time[held & of_user]).tolist() == newest.tolist()


def test_the_last_is_held_out_of_whoever_has_two() -> None:
    """Most people of such a test part are known by one interaction: so are those who have two here."""
    known = Interactions(np.array([2, 1, 0, 1, 2, 2]), np.arange(6), 4, 6, time=np.array([9, 3, 1, 2, 4, 5]))
    held = hold_out_last(known, np.random.default_rng(0))
    assert known.item_index[held].tolist() == [0, 1]
    whenever = [hold_out_one(known, np.random.default_rng(seed)) for seed in range(20)]
    assert {tuple(known.user_index[mask].tolist()) for mask in whenever} == {(2, 1), (1, 2)}
    assert len({tuple(known.item_index[mask].tolist()) for mask in whenever}) > 3
