"""The leader of operation on both stores: one at a time, replaced when it is gone, and without effect after that."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from graphrec.operation import leader
from graphrec.operation.journal import Journal, read_decisions
from graphrec.operation.leader import TRAINING, LostLeadershipError, lead, read_leader
from graphrec.schema import OPERATOR
from graphrec.store import Store, connect
from tests.sizes import NEO4J_IS_SLOW


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """A second machine's connections to the same database."""
    with connect(store.address) as opened:
        yield opened


def elsewhere(store: Store) -> None:
    """Make the leader look as if it were a process of another machine."""
    store.write(f"MATCH (o:{OPERATOR}) SET o.place = 'another machine'")


def grow_old(store: Store) -> None:
    """Make the leader look as if no one had heard of it for two minutes."""
    store.write(f"MATCH (o:{OPERATOR}) SET o.renewed = o.renewed - 120000")


@NEO4J_IS_SLOW
def test_one_leads_at_a_time_and_each_has_a_greater_number(store: Store, other: Store) -> None:
    with lead(store) as first, lead(other) as second:
        assert first is not None
        assert second is None
        assert "process" in read_leader(other).describe()
    assert read_leader(store).owner == ""
    with lead(other) as third:
        assert third is not None
        assert third.number == first.number + 1


def test_of_many_that_begin_at_once_one_leads(store: Store) -> None:
    found: list[bool] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        with connect(store.address) as own:
            barrier.wait(60)
            with lead(own) as led:
                found.append(led is not None)
                barrier.wait(60)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [False, False, False, True]


def test_a_leader_of_another_machine_is_replaced_when_it_is_not_heard_of(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "RENEWAL_INTERVAL", 3600.0)  # its heart beats no more
    with lead(store) as first:
        assert first is not None
        journal = Journal(store, first)
        journal.write("retrain", "because", {"new": 3}, stage=TRAINING)
        elsewhere(store)
        with lead(other) as second:
            assert second is None
        grow_old(store)
        with lead(other) as second:
            assert second is not None
            assert (second.before.number, second.before.stage) == (first.number, TRAINING)
            with pytest.raises(LostLeadershipError, match="was replaced"):
                journal.write("publish", "late", {})
            with pytest.raises(LostLeadershipError):
                store.fenced(first).write("CREATE (:User {id: 'late'})")
            assert Journal(other, second).write("wait", "mine", {}).cycle == second.number
    assert [each.sentence for each in read_decisions(store)] == ["mine", "because"]
    assert store.read("MATCH (n:User) RETURN count(n) AS number") == [{"number": 0}]


@NEO4J_IS_SLOW
def test_a_killed_process_of_this_machine_is_replaced_at_once(store: Store) -> None:
    script = (
        "import sys, time\nfrom graphrec.store import Address, connect\nfrom graphrec.operation.leader import lead\n"
        "with connect(Address(*sys.argv[1:5])) as store, lead(store) as led:\n"
        "    print(led.number, flush=True)\n    time.sleep(600)"
    )
    address = store.address
    arguments = [address.uri, address.username, address.password, address.database]
    process = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        with lead(store) as led:
            assert led is None, "it lives"
    finally:
        process.kill()
        process.wait(30)
    with lead(store) as led:
        assert led is not None
        assert led.number == number + 1


@NEO4J_IS_SLOW
def test_a_heartbeat_is_heard(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "RENEWAL_INTERVAL", 0.1)
    with lead(store):
        grow_old(store)
        for _ in range(200):
            if read_leader(store).age < 60_000:
                break
            time.sleep(0.05)
        assert read_leader(store).age < 60_000


def test_a_decision_that_repeats_is_one_line(store: Store) -> None:
    with lead(store) as led:
        assert led is not None
        journal = Journal(store, led)
        for number in range(3):
            journal.write("watch", "too few", {}, "run")
            journal.write("wait", f"{number} new events", {"new": number})
    with lead(store) as led:
        assert led is not None
        journal = Journal(store, led)
        journal.write("watch", "enough", {}, "run")
        journal.write("rollback", "worse", {}, "run before")
        journal.write("wait", "no new events", {})
    found = read_decisions(store)
    assert [(each.kind, each.run, each.repeats) for each in found] == [
        ("wait", None, 1),
        ("rollback", "run before", 1),
        ("wait", None, 3),
        ("watch", "run", 4),
    ]
    assert (found[2].sentence, found[2].figures) == ("2 new events", {"new": 2})
    assert found[3].sentence == "enough"
    assert found[3].since <= found[3].at
    assert read_decisions(store, 1) == found[:1]
    assert read_decisions(store, None, ["wait"]) == [found[0], found[2]]
