"""The lease of the writer on both stores: one at a time, taken over when stale, and no write after it was lost."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from graphrec.errors import StoreError
from graphrec.schema import WRITE_LEASE
from graphrec.store import Store, connect, counts, lease
from graphrec.store.connection import ShortageError
from graphrec.store.lease import LostLeaseError, hold_lease, read_lease


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of a test instead of minutes."""
    monkeypatch.setattr(lease, "RENEWAL_INTERVAL", 0.2)
    monkeypatch.setattr(lease, "CHECK_INTERVAL", 0.05)
    monkeypatch.setattr(lease, "STALE_SECONDS", 30.0)


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """A second machine's connections to the same database."""
    with connect(store.address) as opened:
        yield opened


def age(store: Store, milliseconds: int = 60_000) -> None:
    """Make the lease look as if nobody had renewed it."""
    store.write(f"MATCH (l:{WRITE_LEASE} {{id: 'writer'}}) SET l.renewed = l.renewed - $age", {"age": milliseconds})


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, on a busy machine for half a minute."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("waited in vain")


def renewed(store: Store) -> int:
    """When the lease was renewed, in milliseconds."""
    (row,) = store.read(f"MATCH (l:{WRITE_LEASE} {{id: 'writer'}}) RETURN l.renewed AS renewed")
    number: int = row["renewed"]
    return number


def leases(store: Store) -> int:
    number: int = store.read(f"MATCH (l:{WRITE_LEASE}) RETURN count(l) AS number")[0]["number"]
    return number


def test_it_says_who_writes_is_renewed_and_leaves_nothing(store: Store, other: Store) -> None:
    with hold_lease(store, "load of a", writers=3) as held:
        holder = read_lease(other)
        assert holder is not None
        assert "load of a by " in holder.describe()
        assert "since 20" in holder.describe()
        until(lambda: renewed(other) > holder.since)
        held.write("CREATE (:User {id: 'u'})")
        held.write_together([("CREATE (:Item {id: 'i'})", {}), ("CREATE (:Item {id: 'j'})", {})])
        found = counts.count_graph(other)
        assert [label.label for label in found.labels] == ["Item", "User"]
        assert found.nodes == 3
    assert read_lease(store) is None
    assert leases(store) == 0
    assert store.read("MATCH (n) RETURN count(n) AS number") == [{"number": 3}]


def test_it_is_given_back_after_an_error(store: Store) -> None:
    with pytest.raises(StoreError), hold_lease(store, "load of a") as held:
        held.write("THIS IS REFUSED")
    assert leases(store) == 0


def test_only_one_of_many_takers_writes_at_a_time(store: Store) -> None:
    inside, most, done = 0, 0, []
    guard = threading.Lock()

    def work(number: int) -> None:
        nonlocal inside, most
        with connect(store.address) as own, hold_lease(own, f"load {number}") as held:
            with guard:
                inside += 1
                most = max(most, inside)
            # read, then write: without the lease two would add what neither finds
            count = held.read("MATCH (n:Counter) RETURN count(n) AS number")[0]["number"]
            held.write("CREATE (:Counter {id: $id})", {"id": str(count)})
            with guard:
                inside -= 1
                done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [0, 1, 2, 3]
    assert most == 1
    rows = store.read("MATCH (n:Counter) RETURN n.id AS id ORDER BY id")
    assert [row["id"] for row in rows] == ["0", "1", "2", "3"]


def test_another_waits_and_hears_for_whom(store: Store, other: Store, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    order: list[str] = []

    def wait() -> None:
        with hold_lease(other, "publication", progress=lambda what, done, total: told.append(f"{what} {done}/{total}")):
            order.append("second")

    with caplog.at_level(logging.WARNING), hold_lease(store, "load of a"):
        thread = threading.Thread(target=wait)
        thread.start()
        until(lambda: bool(told))
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
    assert sum("waiting for another writer: load of a by" in message for message in caplog.messages) == 1
    assert told[0].startswith("waiting for load of a by ")
    assert (told[0][-3:], told[-1][-3:]) == ("0/1", "1/1")


def test_a_lease_that_was_left_behind_is_taken_over_when_stale(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEWAL_INTERVAL", 3600.0)  # its heart beats no more
    holding = hold_lease(store, "load of a", home="one")
    holding.__enter__()
    lease_of = read_lease(store)
    assert lease_of is not None
    age(store)
    with hold_lease(other, "load of b", home="two") as held:
        held.write("CREATE (:User {id: 'b'})")
        taken = read_lease(store)
        assert taken is not None
        assert taken.owner != lease_of.owner
    holding.__exit__(None, None, None)
    assert leases(store) == 0


def test_its_own_home_takes_it_over_at_once(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lease, "STALE_SECONDS", 3600.0)
    holding = hold_lease(store, "load of a", home="one")
    held = holding.__enter__()
    with hold_lease(other, "load of a again", home="one", alone=True):
        assert not caplog.messages
        with pytest.raises(LostLeaseError, match="load of a again by .* took over; it stops"):
            held.write("CREATE (:User {id: 'late'})")
    holding.__exit__(None, None, None)
    assert store.read("MATCH (n) RETURN count(n) AS number") == [{"number": 0}]


def test_no_write_of_a_writer_that_was_paused_takes_effect(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was paused in the middle of a transaction, after the check and before the commit."""
    monkeypatch.setattr(lease, "RENEWAL_INTERVAL", 3600.0)
    holding = hold_lease(store, "load of a")
    held = holding.__enter__()
    taken: list[Store] = []
    finished = threading.Event()

    def take_over() -> None:
        with hold_lease(other, "load of b") as mine:
            mine.write("CREATE (:User {id: 'b'})")
            taken.append(mine)
            finished.wait(20)

    successor = threading.Thread(target=take_over)
    (fence,) = held._fences
    with fence.guard() as guard:

        def work(run: object) -> None:
            assert callable(run)
            if not run(*guard):
                raise fence.lost()
            run("CREATE (:User {id: 'late'})")
            if not successor.is_alive() and not taken:
                age(other)
                successor.start()
                time.sleep(1.0)  # on Neo4j the successor waits for this transaction, on the embedded store it does not

        if store.embedded:
            with pytest.raises(LostLeaseError):
                store.transact(work)
        else:
            store.transact(work)
    until(lambda: bool(taken))
    with pytest.raises(LostLeaseError):
        held.write("CREATE (:User {id: 'later'})")
    finished.set()
    successor.join(20)
    holding.__exit__(None, None, None)
    rows = store.read("MATCH (n:User) RETURN n.id AS id ORDER BY id")
    # on Neo4j the first write ended before the successor began, as if there had been no pause
    assert [row["id"] for row in rows] == (["b"] if store.embedded else ["b", "late"])


def test_a_write_that_waited_for_its_successor_is_refused(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Neo4j its guard waits for the lock of the slot, and must read the owner after it got the lock."""
    monkeypatch.setattr(lease, "RENEWAL_INTERVAL", 3600.0)
    holding = hold_lease(store, "load of a")
    held = holding.__enter__()
    errors: list[StoreError] = []

    def write_late() -> None:
        try:
            held.write("CREATE (:User {id: 'late'})")
        except StoreError as error:
            errors.append(error)

    writer = threading.Thread(target=write_late)

    def take_over(run: object) -> None:
        assert callable(run)
        run(f"MATCH (l:{WRITE_LEASE}) SET l.owner = 'b'")
        if writer.ident is None:
            writer.start()
            time.sleep(0.5)  # the other transaction has begun

    other.transact(take_over)
    writer.join(30)
    if store.embedded and not errors:  # it committed before its successor, whose transaction was repeated after it
        assert store.read("MATCH (n:User) RETURN count(n) AS number") == [{"number": 1}]
    else:
        assert [type(error) for error in errors] == [LostLeaseError]
        assert store.read("MATCH (n:User) RETURN count(n) AS number") == [{"number": 0}]
    holding.__exit__(None, None, None)


def test_many_threads_write_under_one_lease(store: Store) -> None:
    with hold_lease(store, "load of a", writers=4) as held:
        threads = [
            threading.Thread(
                target=lambda k=k: [held.write("CREATE (:Note {id: $id})", {"id": f"{k}-{n}"}) for n in range(5)]
            )
            for k in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert store.read("MATCH (n:Note) RETURN count(n) AS number") == [{"number": 30}]


def test_a_full_disk_is_no_reason_to_wait(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise ShortageError("the disk is full")

    monkeypatch.setattr(Store, "transact", full)
    with pytest.raises(ShortageError, match="the disk is full"), hold_lease(store, "load of a"):
        pass
