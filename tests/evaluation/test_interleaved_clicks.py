"""Preferences from interleaved lists: figures by hand, and more power than a split of the same users."""

import math

import numpy as np
import pandas as pd
import pytest

from graphrec.evaluation.interleaved_clicks import compare_interleaved
from graphrec.evaluation.sequential import SequentialConfig, compare_click_rates


def test_the_preference_is_that_of_users_with_clicks() -> None:
    rows = [
        *(("u", "a", True), ("u", "b", True), ("u", "b", True), ("u", "b", True)),  # (3 − 1) / 4
        *(("v", "a", True), ("v", "b", False)),  # −1
        *(("w", "a", True), ("w", "b", True)),  # 0
        ("x", "b", False),  # no clicks
    ]
    shown = pd.DataFrame(rows, columns=["user_id", "run", "clicked"])
    found = compare_interleaved("a", "b", shown, SequentialConfig(min_users=2))
    assert (found.wins, found.losses, found.ties) == (1, 1, 1)
    assert (found.first.num_clicks, found.second.num_clicks, found.second.num_users) == (3, 4, 4)
    assert found.preference.value == pytest.approx((0.5 - 1 + 0) / 3)
    error = np.std([0.5, -1, 0], ddof=1) / math.sqrt(3)
    assert found.preference.high == pytest.approx(found.preference.value + 1.959964 * error)
    assert found.always.high is not None
    assert found.preference.high is not None
    assert found.always.high > found.preference.high
    assert compare_interleaved("a", "b", shown).preference.low is None, "too few users"
    assert compare_interleaved("a", "b", shown.head(0)).preference.value == 0


def test_interleaving_finds_a_difference_that_a_split_of_the_same_users_does_not() -> None:
    found = {"split": 0, "interleaved": 0}
    rng = np.random.default_rng(3)
    config = SequentialConfig(min_users=50)
    for _ in range(20):
        taste = rng.gamma(0.3, 1 / 0.3, 400)  # users differ much in how often they click
        user = np.repeat(np.arange(400), 20)
        run = np.tile(np.repeat(["a", "b"], 10), 400)
        rate = np.where(run == "b", 0.08, 0.1) * taste[user]
        shown = pd.DataFrame({"user_id": user, "run": run, "clicked": rng.random(len(user)) < np.clip(rate, 0, 1)})
        interleaved = compare_interleaved("a", "b", shown, config)
        half = shown[(shown["user_id"] % 2 == 0) == (shown["run"] == "a")]
        split = compare_click_rates("a", "b", half, config)
        found["interleaved"] += interleaved.preference.high is not None and interleaved.preference.high < 0
        found["split"] += split.difference.high is not None and split.difference.high < 0
    assert found["interleaved"] > found["split"] + 4
