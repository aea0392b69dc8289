"""Readers while others publish, and publishing killed: a list is the old one or the new one, and whole."""

import random
import threading
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

import pytest

from graphrec.publishing import publish, read_versions, write
from graphrec.store import Address, Store, connect
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

from .lists import USERS, List, edges_by_layer, lists, make_graph, publication, put, read, read_all, wanted

PUBLICATIONS = 20 if EVERYTHING else 5

#: How many users' lists each publication changes, over and over: all, few, half.
CHANGED = (USERS, 3, USERS // 2)


@pytest.fixture
def graph(store: Store) -> Store:
    make_graph(store)
    return store


def versions() -> list[dict[str, List]]:
    """The lists of each publication; each changes those of other users."""
    return [wanted(lists(number, changed=CHANGED[number % 3])) for number in range(PUBLICATIONS + 1)]


def test_a_reader_never_sees_a_mixed_short_or_empty_list(graph: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.publishing.write.EDGES_A_BATCH", 25)  # many commits, many chances to look
    monkeypatch.setattr("graphrec.publishing.write.LISTS_A_BATCH", 5)
    expected = versions()
    put(graph, "run0", lists(0, changed=CHANGED[0]))
    begun, done, stop = [0], [0], threading.Event()
    wrong: list[object] = []
    reads: set[tuple[str, int]] = set()
    number_of_reads = [0, 0]

    def watch(seed: int) -> None:
        rng = random.Random(seed)
        with connect(graph.address) as reader:
            while not stop.is_set():
                user, earliest = str(rng.randrange(USERS)), done[0]
                rows = read(reader, user)
                possible = range(earliest, begun[0] + 1)
                matching = [number for number in possible if rows == expected[number][user]]
                reads.update((user, number) for number in matching)
                number_of_reads[seed] += 1
                if not matching:
                    wrong.append((user, list(possible), rows))

    watchers = [threading.Thread(target=watch, args=(seed,)) for seed in range(2)]
    for watcher in watchers:
        watcher.start()
    for number in range(1, PUBLICATIONS + 1):
        begun[0] = number
        put(graph, f"run{number}", lists(number, changed=CHANGED[number % 3]))
        done[0] = number
    stop.set()
    for watcher in watchers:
        watcher.join()
    assert wrong == []
    assert sum(number_of_reads) > 5 * PUBLICATIONS
    assert len({number for _, number in reads}) > PUBLICATIONS // 2


def _publish(address: Address, number: int, begun: Event) -> None:
    """What the process that is killed does: publish, in many small transactions."""
    write.EDGES_A_BATCH, write.LISTS_A_BATCH = 25, 5
    with connect(address) as store:
        begun.set()
        publish(store, publication(f"run{number}", lists(number, changed=CHANGED[number % 3])))


def start(store: Store, number: int) -> BaseProcess:
    """A process that publishes, once it has begun to; forked from one that has imported everything."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    begun = context.Event()
    process = context.Process(target=_publish, args=(store.address, number, begun), daemon=True)
    process.start()
    assert begun.wait(60)
    return process


def need_no_leftovers(store: Store) -> None:
    """Every list in the graph is shown by a version that is kept, and no publication is under way."""
    kept = read_versions(store).complete
    assert len(kept) == 2
    layers = "MATCH (u:User)-[r:RECOMMENDED]->() RETURN u.id AS user, collect(DISTINCT r.version) AS layers"
    for row in store.read(layers):
        shown = {next(layer for layer in version.layers if layer in row["layers"]) for version in kept}
        assert shown == set(row["layers"])
    assert store.read("MATCH (r:Run) WHERE r.status = 'publishing' RETURN r.id AS id") == []


def kill_some(store: Store, kills: int) -> int:
    """Publish and kill so many times, at random moments; how often the kill found new lists beside the old ones."""
    expected, rng = versions(), random.Random()
    put(store, "run0", lists(0, changed=CHANGED[0]))
    process = start(store, 1)
    begun = time.perf_counter()
    process.join()
    seconds = time.perf_counter() - begun
    now, half_done = 1, 0
    for number in range(2, kills + 2):
        process = start(store, number)
        process.join(rng.uniform(0, seconds))
        process.kill()  # SIGKILL
        process.join()
        for user, rows in read_all(store).items():
            assert rows in (expected[now][user], expected[number][user])
        found = read_all(store)  # once more: the server may have been busy with the last statement
        assert found in (expected[now], expected[number])
        half_done += f"run{number}" in edges_by_layer(store) and found == expected[now]
        now = now if found == expected[now] else number
        if number % 2:  # this very run once more; else the next process finds what is left
            put(store, f"run{number}", lists(number, changed=CHANGED[number % 3]))
            now = number
            assert read_all(store) == expected[now]
            need_no_leftovers(store)
    return half_done


@NEO4J_IS_SLOW
def test_publications_that_are_killed_leave_the_old_lists_or_the_new_ones(graph: Store) -> None:
    kill_some(graph, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_publications_that_are_killed(graph: Store) -> None:
    assert kill_some(graph, PUBLICATIONS - 1) >= 2  # else the moments miss what is to be tested
