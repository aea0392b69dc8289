"""Two runs at once: who gets which, interleaved lists, and when an experiment ends; on both stores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graphrec import publishing
from graphrec.api.reasons import explain_live, find_explained
from graphrec.errors import DataError, UnknownNameError
from graphrec.publishing.experiments import start_experiment, stop_experiments
from graphrec.runs import TrainedRun
from graphrec.serving import OnlineRecommender
from graphrec.serving.answer import Recommended, Strategy
from graphrec.serving.as_of import read_past_list
from graphrec.serving.interleaving import draw_order, interleave
from graphrec.serving.live_recommender import LiveRecommender
from graphrec.serving.snapshot import Wishes
from graphrec.store import Store, connect
from graphrec.store.experiment import find_experiment, hash_fraction, list_experiments
from tests.sizes import NEO4J_IS_SLOW

from . import shop

USERS = [f"u{number}" for number in range(shop.SIZE)]


@pytest.fixture
def second(store: Store, tmp_path: Path, run: TrainedRun) -> TrainedRun:
    """A second run that recommends to each user one item that the first run does not list; the first one is kept."""
    assert run is not None
    made = shop.trained(store, tmp_path, "popularity")
    rows = {"user_id": USERS, "item_id": [find_other(store, user) for user in USERS], "score": 1.0, "rank": 1}
    shop.publish(store, made, 1, pd.DataFrame(rows))
    return made


def find_other(store: Store, user: str) -> str:
    """An item that a user has not bought and that the first run does not list for the user."""
    statement = "MATCH (:User {id: $user})-[:PURCHASED|RECOMMENDED]->(i:Item) RETURN collect(i.id) AS ids"
    known = store.read(statement, {"user": user})[0]["ids"]
    return next(item for item in (f"i{number}" for number in range(shop.SIZE)) if item not in known)


def items_of(online: OnlineRecommender, user: str, k: int = 3) -> list[str]:
    return list(online.recommend(user, k).frame["item"])


def test_a_hash_is_uniform_and_depends_on_the_salt() -> None:
    values = np.array([hash_fraction("salt", str(number)) for number in range(2_000)])
    assert abs(values.mean() - 0.5) < 0.03
    assert np.histogram(values, 10, (0, 1))[0].min() > 150
    other = np.array([hash_fraction("other", str(number)) for number in range(2_000)])
    assert abs(np.corrcoef(values, other)[0, 1]) < 0.07
    # SHA-256 of "salt:u1" begins with the eight bytes below; other servers must assign the same
    import hashlib

    assert hash_fraction("salt", "u1") == (int(hashlib.sha256(b"salt:u1").hexdigest()[:16], 16) >> 11) / 2**53


@NEO4J_IS_SLOW
def test_users_are_split_by_the_hash_in_every_way_of_asking(
    store: Store, tmp_path: Path, run: TrainedRun, second: TrainedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    online = OnlineRecommender(store, tmp_path)
    assert {len(items_of(online, user)) for user in USERS} == {1}
    experiment = start_experiment(store, share=0.4)
    assert (experiment.active, experiment.other.id) == (second.run.id, run.run.id)
    assigned = {user for user in USERS if experiment.is_assigned(user)}
    assert 2 <= len(assigned) <= 14
    for user in USERS:
        answer = online.recommend(user, 3)
        assert {each.run for each in answer.items} == {run.run.id if user in assigned else second.run.id}
        assert len(answer.items) == (3 if user in assigned else 1)
    alone = [online.recommend(user, 3) for user in USERS]
    with monkeypatch.context() as patch:
        patch.delattr(OnlineRecommender, "recommend")
        assert list(online.recommend_many(USERS, 3)) == alone, "in batches, no user alone"
    live = LiveRecommender(lambda: connect(store.address), tmp_path)
    live.start()
    try:
        live.refresh()
        snapshot = live.snapshot
        assert snapshot is not None
        assert snapshot.other is not None
        assert snapshot.other.fold_in is not None, "both models are loaded"
        assert snapshot.epoch != snapshot.other.epoch
        for user in USERS:
            expected = run.run.id if user in assigned else second.run.id
            active = snapshot.for_user(user).run
            assert active is not None
            assert active.id == expected
            found = snapshot.recommend(live.store, user, Wishes(3))
            assert [each.item for each in found.items] == items_of(online, user)
        compared = min(assigned)
        for name, explained in (("", run), (second.run.id, second), ("no longer served", run)):
            why = explain_live(live.store, snapshot, compared, "i3", 3, (), name)
            assert (why.run, why.user.id) == (explained.run.id, compared)
        answer = snapshot.recommend(live.store, compared, Wishes(3))
        assert find_explained(snapshot, answer) == {each.item for each in answer.items}
        before = snapshot.epoch
        stop_experiments(store)
        live.refresh()
        assert live.snapshot is not None
        assert live.snapshot.other is None
        assert live.snapshot.epoch != before
    finally:
        live.close()
    assert {len(online.recommend(user, 3).items) for user in USERS} == {1}


@NEO4J_IS_SLOW
def test_interleaved_lists_have_items_of_both_runs_named_by_team(
    store: Store, tmp_path: Path, run: TrainedRun, second: TrainedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    online = OnlineRecommender(store, tmp_path)
    listed = {user: online.recommend(user, 3).items[0].item for user in USERS}
    start_experiment(store, run.run.id[:-1], share=1.0, mode="interleave")
    for user in USERS:
        items = online.recommend(user, 3).items
        assert [each.rank for each in items] == [1, 2, 3]
        teams = {each.item: each.run for each in items}
        assert teams.pop(listed[user]) == second.run.id
        assert set(teams.values()) == {run.run.id}
        assert items == online.recommend(user, 3).items, "the same on the same day"
    alone = [online.recommend(user, 3) for user in USERS]
    with monkeypatch.context() as patch:
        patch.delattr(OnlineRecommender, "recommend")
        assert list(online.recommend_many(USERS, 3)) == alone, "in batches, no user alone"


@NEO4J_IS_SLOW
def test_a_rollback_and_a_publication_end_an_experiment(store: Store, run: TrainedRun, second: TrainedRun) -> None:
    first = start_experiment(store)
    publishing.roll_back(store)
    assert find_experiment(store) is None
    publishing.roll_back(store)
    assert find_experiment(store) is None, "it does not begin again with its run"
    again = start_experiment(store)
    assert [(each.id, each.running) for each in list_experiments(store)] == [(again.id, True), (first.id, False)]
    shop.publish(store, run, 2)
    assert find_experiment(store) is None
    assert second is not None


@NEO4J_IS_SLOW
def test_the_past_follows_the_experiment_too(store: Store, run: TrainedRun, second: TrainedRun) -> None:
    experiment = start_experiment(store, share=0.4)
    assigned = next(user for user in USERS if experiment.is_assigned(user))
    other = next(user for user in USERS if not experiment.is_assigned(user))
    now = experiment.started_at // 1000 + 1
    found = read_past_list(store, assigned, now, lambda *_: None)
    assert (found.run, found.source, len(found.items)) == (run.run.id, "published", 3)
    assert f"instead of the active run {second.run.id}" in found.notes[0]
    assert read_past_list(store, other, now, lambda *_: None).run == second.run.id
    store.write("MATCH (e:Experiment) SET e.ended_at = e.started_at + 1")
    assert read_past_list(store, assigned, now, lambda *_: None).run == second.run.id


@NEO4J_IS_SLOW
def test_an_experiment_needs_another_run_with_lists(store: Store, run: TrainedRun) -> None:
    with pytest.raises(DataError, match="publish a second run"):
        start_experiment(store)
    shop.publish(store, run, 2)
    with pytest.raises(UnknownNameError):
        start_experiment(store, "no-such-run")
    for share in (0.0, 1.0, 1.5):
        with pytest.raises(DataError, match="share of users"):
            start_experiment(store, share=share)
    assert list_experiments(store) == []


def recommended(items: str) -> list[Recommended]:
    return [Recommended(item, None, 1.0, rank, Strategy.PUBLISHED) for rank, item in enumerate(items, 1)]


def test_team_draft_gives_each_run_its_turn_and_no_item_twice() -> None:
    orders = set()
    for seed in range(40):
        found = interleave({"A": recommended("abcd"), "B": recommended("bade")}, 4, np.random.default_rng(seed))
        items = "".join(each.item for each in found)
        assert len(set(items)) == 4
        for pair in (found[:2], found[2:]):
            assert {each.run for each in pair} == {"A", "B"}, "in each round both pick once"
        orders.add(items)
    # A first: a, then B's best that is left; B first: b, then A's
    assert {order[:2] for order in orders} == {"ab", "ba"}
    assert {each[2:] for each in orders} == {"cd", "dc"}
    short = interleave({"A": recommended(""), "B": recommended("xy")}, 4, np.random.default_rng(0))
    assert [(each.item, each.run) for each in short] == [("x", "B"), ("y", "B")]


def test_coins_are_fair_and_differ_by_day() -> None:
    first = [draw_order("salt", f"u{number}", 20_000).random() < 0.5 for number in range(400)]
    assert 160 < sum(first) < 240
    assert first != [draw_order("salt", f"u{number}", 20_001).random() < 0.5 for number in range(400)]
