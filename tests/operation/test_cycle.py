"""Cycles of operation on both stores: retrain, gate, publish, watch clicks, roll back, and finish what was killed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphrec import runs
from graphrec.config import Settings
from graphrec.errors import DataError, GraphrecError, StoreError
from graphrec.models.item_knn import ItemKNN
from graphrec.operation import OperationPolicy, PublishPolicy, RetrainPolicy, SearchPolicy, WatchPolicy, read_decisions
from graphrec.operation.cycle import CycleResult, run_cycle
from graphrec.operation.leader import IDLE, PUBLISHING, ROLLING_BACK, TRAINING, lead, read_leader
from graphrec.operation.loop import run_cycles
from graphrec.pipeline import publication
from graphrec.pipeline.config import PublishConfig
from graphrec.publishing import read_versions
from graphrec.store import Store, connect
from graphrec.store.active_run import find_active_run
from graphrec.store.experiment import list_experiments
from tests.sizes import NEO4J_IS_SLOW

from . import shop

pytestmark = NEO4J_IS_SLOW

POLICY = OperationPolicy(
    model="item_knn",
    retrain=RetrainPolicy(events=100, least=50, apart=0),
    watch=WatchPolicy(clicks=("CLICKED",), window=3_600, users=50),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(graphrec_home=tmp_path)


def kinds(result: CycleResult) -> list[str]:
    return [each.kind for each in result.decisions]


def active(store: Store) -> str:
    run = find_active_run(store)
    assert run is not None
    return run.id


@pytest.fixture
def published(store: Store, settings: Settings) -> str:
    """A graph whose first run is published by a cycle; the id of the run."""
    shop.build(store)
    assert kinds(run_cycle(store, settings, POLICY)) == ["retrain", "train", "publish"]
    return active(store)


@pytest.mark.slow
def test_a_week_of_events_is_trained_gated_and_published(store: Store, settings: Settings, published: str) -> None:
    assert kinds(run_cycle(store, settings, POLICY)) == ["wait"]
    number = shop.buy(store, range(28, 35), range(60), range(12, 14))
    assert number == 120
    result = run_cycle(store, settings, POLICY)
    retrain, train, publish = result.decisions
    assert [retrain.kind, train.kind, publish.kind] == ["retrain", "train", "publish"]
    assert retrain.sentence == "120 new events reach 100"
    assert (retrain.figures["new"], retrain.figures["last"]) == (120, published)
    first = runs.load(settings.runs, published).run
    new = runs.load(settings.runs, str(train.run)).run
    assert train.sentence == f"item_knn is trained on {1440 + 120:,} interactions, settings kept"
    assert (new.config, new.num_interactions) == (first.config, 1560)
    assert (publish.run, publish.figures["previous"]) == (active(store), published)
    assert publish.figures["gains"].keys() == {"popularity"}
    assert kinds(run_cycle(store, settings, POLICY))[-1] == "wait", "they are no longer new"
    assert read_leader(store).stage == IDLE


@pytest.mark.slow
def test_settings_are_searched_anew_after_a_while(store: Store, settings: Settings, published: str) -> None:
    shop.buy(store, range(28, 35), range(60), range(12, 14))
    policy = OperationPolicy(POLICY.model, retrain=POLICY.retrain, search=SearchPolicy(every=86_400))
    later = int(time.time()) + 2 * 86_400
    (train,) = [each for each in run_cycle(store, settings, policy, now=later).decisions if each.kind == "train"]
    assert "settings searched anew" in train.sentence
    assert train.figures["searched_at"] == later * 1000
    assert active(store) != published


def test_a_broken_model_is_refused(
    store: Store, settings: Settings, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = ItemKNN.score

    def shuffled(self: ItemKNN, *args: Any) -> Any:
        scores = score(self, *args)
        return scores[:, np.random.default_rng(0).permutation(scores.shape[1])]

    shop.buy(store, range(28, 35), range(60), range(12, 14))
    monkeypatch.setattr(ItemKNN, "score", shuffled)
    monkeypatch.setattr(ItemKNN, "approximate_scores", lambda _: None)
    result = run_cycle(store, settings, POLICY)
    assert kinds(result) == ["retrain", "train", "refuse"]
    refused = result.decisions[-1]
    assert "the publish gate refuses: popularity beats it" in refused.sentence
    assert refused.figures["gains"]["popularity"][2] < 0
    assert active(store) == published
    assert kinds(run_cycle(store, settings, POLICY)) == ["wait"], "the same events do not train it again"


def publish_second(store: Store, settings: Settings) -> tuple[str, int]:
    """A second run, published by a cycle; its id, and the Unix seconds of its activation."""
    shop.buy(store, range(28, 35), range(60), range(12, 14))
    assert "publish" in kinds(run_cycle(store, settings, POLICY))
    version = read_versions(store).active
    assert version is not None
    assert version.activated_at is not None
    return version.id, version.activated_at // 1000


def test_a_drop_in_clicks_is_rolled_back_and_the_reason_is_kept(
    store: Store, settings: Settings, published: str
) -> None:
    second, begin = publish_second(store, settings)
    users = range(shop.NUM_USERS)
    shop.show(store, published, begin - 8 * shop.DAY, 7, 0.2, users)
    assert kinds(run_cycle(store, settings, POLICY))[0] == "watch", "no impressions of the new run"
    shop.show(store, second, begin + 10, 5, 0.05, users, seed=1)
    result = run_cycle(store, settings, POLICY, now=begin + 6 * shop.DAY)
    (rollback,) = result.decisions
    assert rollback.kind == "rollback"
    assert active(store) == published
    assert rollback.sentence.endswith(f": back to {published}")
    assert rollback.figures["new"]["run"] == second
    low, high = rollback.figures["always"][1:]
    assert low < rollback.figures["difference"][0] < high < 0
    assert rollback.figures["previous"]["shown"] == 7 * 2 * shop.NUM_USERS
    after = run_cycle(store, settings, POLICY, now=begin + 6 * shop.DAY)
    assert kinds(after) == ["wait"], "neither the run left is watched, nor the same events trained again"


@pytest.mark.slow
def test_equal_clicks_keep_the_run(store: Store, settings: Settings, published: str) -> None:
    second, begin = publish_second(store, settings)
    users = range(shop.NUM_USERS)
    shop.show(store, published, begin - 8 * shop.DAY, 7, 0.1, users)
    shop.show(store, second, begin + 10, 20, 0.1, users, seed=1)
    for day in (1, 7, 19):
        result = run_cycle(store, settings, POLICY, now=begin + day * shop.DAY)
        assert kinds(result)[0] == "watch"
        assert result.decisions[0].figures["new"]["shown"] <= 2 * shop.NUM_USERS * (day + 1)
    result = run_cycle(store, settings, POLICY, now=begin + 28 * shop.DAY)
    assert kinds(result)[0] == "keep"
    assert active(store) == second
    assert "watch" not in kinds(run_cycle(store, settings, POLICY, now=begin + 29 * shop.DAY))


@pytest.mark.slow
def test_clicks_that_may_still_come_are_not_missed(store: Store, settings: Settings, published: str) -> None:
    """Impressions whose window has not passed have fewer clicks than they will have."""
    second, begin = publish_second(store, settings)
    users = range(shop.NUM_USERS)
    shop.show(store, published, begin - 8 * shop.DAY, 7, 0.2, users)
    shop.show(store, second, begin + 10, 5, 0.0, users, seed=1)
    policy = OperationPolicy(
        POLICY.model, retrain=POLICY.retrain, watch=WatchPolicy(("CLICKED",), 6 * shop.DAY, users=50)
    )
    assert kinds(run_cycle(store, settings, policy, now=begin + 6 * shop.DAY))[0] == "watch"
    assert active(store) == second


def test_both_runs_are_compared_at_the_same_time_if_the_policy_splits_users(
    store: Store, settings: Settings, published: str
) -> None:
    policy = replace(POLICY, watch=replace(POLICY.watch, users=20, split=0.5))
    shop.buy(store, range(28, 35), range(60), range(12, 14))
    publish = run_cycle(store, settings, policy).decisions[-1]
    assert publish.sentence.endswith(f"50% of the users stay with {published}")
    (experiment,) = list_experiments(store)
    assert (experiment.id, experiment.running) == (publish.figures["experiment"], True)
    assert (experiment.active, experiment.other) == (publish.run, published)
    shop.buy(store, range(35, 42), range(60), range(14, 16))
    assert kinds(run_cycle(store, settings, policy)) == ["watch"], "nothing is trained while both are compared"
    begin = experiment.started_at // 1000
    stay = [user for user in range(shop.NUM_USERS) if experiment.is_assigned(f"u{user}")]
    rest = [user for user in range(shop.NUM_USERS) if user not in stay]
    shop.show(store, published, begin + 10, 8, 0.05, stay)
    shop.show(store, str(publish.run), begin + 10, 8, 0.25, rest, seed=1)
    result = run_cycle(store, settings, policy, now=begin + 9 * shop.DAY)
    keep = result.decisions[0]
    assert (keep.kind, keep.run) == ("keep", publish.run)
    assert keep.figures["previous"]["users"] == len(stay)
    assert keep.figures["new"]["users"] == len(rest)
    assert {each.id: each.ended_at is not None for each in list_experiments(store)}[experiment.id]
    assert result.decisions[1].kind == "retrain", "the events that waited are next"


def test_a_process_that_was_killed_while_it_published_is_finished_without_a_training(
    store: Store, settings: Settings, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.buy(store, range(28, 35), range(60), range(12, 14))

    def end(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(publication, "publish_run", end)
        with pytest.raises(SystemExit):
            run_cycle(store, settings, POLICY)
    state = read_leader(store)
    assert state.stage == PUBLISHING
    assert active(store) == published
    result = run_cycle(store, settings, POLICY)
    assert kinds(result) == ["resume", "publish"]
    assert result.decisions[0].figures == {"cycle": state.number, "stage": PUBLISHING}
    assert active(store) == state.run


@pytest.mark.slow
def test_a_process_that_was_killed_while_it_rolled_back_is_finished(
    store: Store, settings: Settings, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, begin = publish_second(store, settings)
    shop.show(store, published, begin - 8 * shop.DAY, 7, 0.2, range(shop.NUM_USERS))
    shop.show(store, second, begin + 10, 5, 0.05, range(shop.NUM_USERS), seed=1)

    def end(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(publication, "roll_back", end)
        with pytest.raises(SystemExit):
            run_cycle(store, settings, POLICY, now=begin + 6 * shop.DAY)
    assert active(store) == second
    assert kinds(run_cycle(store, settings, POLICY)) == ["resume"]
    assert active(store) == published
    assert kinds(run_cycle(store, settings, POLICY)) == ["wait"]


@pytest.mark.slow
def test_a_publication_that_failed_is_tried_again_without_a_training(
    store: Store, settings: Settings, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.buy(store, range(28, 35), range(60), range(12, 14))

    def fail(*_: object) -> None:
        raise DataError("no")

    with monkeypatch.context() as patch:
        patch.setattr(publication, "publish_run", fail)
        with pytest.raises(DataError, match="no"):
            run_cycle(store, settings, POLICY)
    assert active(store) == published
    fail_line, train = read_decisions(store, 2)
    assert (fail_line.kind, train.kind) == ("fail", "train")
    result = run_cycle(store, settings, POLICY)
    assert kinds(result) == ["resume", "publish"]
    assert result.decisions[0].figures == {"cycle": train.cycle, "stage": PUBLISHING}
    assert active(store) == train.run
    assert kinds(run_cycle(store, settings, POLICY))[-1] == "wait"


@pytest.mark.slow
@pytest.mark.parametrize("meanwhile", ["nothing", "another run is published"])
def test_a_rollback_that_failed_is_tried_again_unless_another_run_is_active(
    store: Store, settings: Settings, published: str, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    second, begin = publish_second(store, settings)
    shop.show(store, published, begin - 8 * shop.DAY, 7, 0.2, range(shop.NUM_USERS))
    shop.show(store, second, begin + 10, 5, 0.05, range(shop.NUM_USERS), seed=1)

    def fail(*_: object) -> None:
        raise StoreError("no")

    with monkeypatch.context() as patch:
        patch.setattr(publication, "roll_back", fail)
        with pytest.raises(StoreError, match="no"):
            run_cycle(store, settings, POLICY, now=begin + 6 * shop.DAY)
    assert [each.kind for each in read_decisions(store, 2)] == ["fail", "rollback"]
    assert (active(store), read_leader(store).stage) == (second, ROLLING_BACK)
    if meanwhile != "nothing":
        config = PublishConfig(keep=2)
        third = publication.publish_run(store, runs.load(settings.runs, published), 3, settings.home, config=config).run
        assert third not in (published, second)
    result = run_cycle(store, settings, POLICY, now=begin + 6 * shop.DAY)
    assert kinds(result) == ["resume"]
    assert active(store) == (published if meanwhile == "nothing" else third)
    assert read_leader(store).stage == IDLE
    assert kinds(run_cycle(store, settings, POLICY)) == ["wait"]


def test_an_empty_graph_and_a_wrong_policy_end_no_training(store: Store, settings: Settings, tmp_path: Path) -> None:
    for _ in range(2):
        (wait,) = run_cycle(store, settings, POLICY).decisions
        assert (wait.kind, wait.repeats <= 2) == ("wait", True)
        assert "load a source first" in wait.sentence
    for policy, message in (
        (replace(POLICY, model="itemknn"), "item_knn"),
        (replace(POLICY, publish=PublishPolicy(rules=tmp_path / "rules.toml")), "cannot read the rules"),
    ):
        with pytest.raises(GraphrecError, match=message):
            run_cycle(store, settings, policy)
        with pytest.raises(GraphrecError, match=message):
            run_cycles(lambda: connect(store.address), settings, policy, lambda _: None)
    assert [(each.kind, each.repeats) for each in read_decisions(store)] == [("fail", 2), ("wait", 2)]


@pytest.mark.slow
def test_an_error_is_a_line_and_the_next_cycle_waits(store: Store, settings: Settings, published: str) -> None:
    shop.buy(store, range(28, 35), range(60), range(12, 14))
    policy = OperationPolicy("ensemble", retrain=RetrainPolicy(events=100, least=50, apart=3_600))
    later = int(time.time()) + 7_200
    with pytest.raises(DataError, match="`graphrec blend`"):
        run_cycle(store, settings, policy, now=later)
    assert [each.kind for each in read_decisions(store, 2)] == ["fail", "retrain"]
    assert read_leader(store).stage == IDLE
    waiting = run_cycle(store, settings, policy)
    assert kinds(waiting) == ["wait"]
    assert "but the last training began less than 3,600 s ago" in waiting.decisions[0].sentence
    assert active(store) == published


def test_nothing_is_decided_while_another_process_leads(store: Store, settings: Settings) -> None:
    with lead(store):
        result = run_cycle(store, settings, POLICY)
    assert result.decisions == ()
    assert f"process {os.getpid()}" in result.leader
    assert read_decisions(store) == []


@pytest.mark.slow
def test_a_cycle_that_was_killed_leaves_no_leader_and_the_next_one_trains(
    store: Store, environment: Path, tmp_path: Path
) -> None:
    shop.build(store)
    policy = tmp_path / "policy.toml"
    policy.write_text('model = "item_knn"\n', encoding="utf-8")
    command = [sys.executable, "-m", "graphrec", "operate", str(policy), "--once", "--json"]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(6_000):
            if read_leader(store).stage == TRAINING:
                break
            assert killed.poll() is None, "it ended before it was killed"
            time.sleep(0.02)
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)
    state = read_leader(store)
    assert state.stage == TRAINING
    assert state.has_ended
    settings = Settings()
    assert settings.home == environment
    result = run_cycle(store, settings, POLICY)
    assert kinds(result) == ["resume", "train", "publish"]
    assert result.decisions[0].sentence.endswith("was ended at training; the training begins anew")
    assert read_leader(store).number == state.number + 1
    assert active(store)
