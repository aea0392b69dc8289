"""What the client repeats, against real sockets of a server that misbehaves in a given way."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from graphrec.client import Client
from graphrec.errors import StoreError, UnknownNameError

#: Status, headers and JSON of an answer; None closes the connection.
Answer = tuple[str, dict[str, str], object] | None

OK: Answer = ("200 OK", {}, {"queries": []})
BUSY: Answer = ("503 Service Unavailable", {"Retry-After": "1"}, {"detail": "the database does not answer"})
LIMITED: Answer = ("429 Too Many Requests", {}, {"detail": "the key is limited"})
FAILED: Answer = ("503 x", {}, {})
CLOSE: Answer = None


@contextmanager
def misbehaving(answers: Sequence[Answer]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives each request the next answer, or closes the connection; its address, and the requests."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[str] = []
    pending = list(answers)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            requests.append("connection")
            with connection:
                data = b""
                while part := connection.recv(65_536):
                    data += part
                    if b"\r\n\r\n" not in data:
                        continue
                    head, _, body = data.partition(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
                    if len(body) < length:
                        continue
                    requests.append(head.split(b" HTTP")[0].decode())
                    data, answer = b"", pending.pop(0)
                    if answer is None:
                        break
                    status, headers, content = answer
                    text = json.dumps(content).encode()
                    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(text)}"]
                    lines += [f"{name}: {value}" for name, value in headers.items()]
                    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + text)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        listener.close()


def test_connections_are_kept_and_replaced_when_the_server_has_closed_them() -> None:
    with misbehaving([OK, OK, CLOSE, OK]) as (url, requests), Client(url, "gr_x") as client:
        for _ in range(3):
            client.queries()
    assert requests.count("connection") == 2
    assert requests.count("GET /v1/queries") == 4, "one was sent again"


def test_a_busy_server_is_asked_again_after_the_time_it_names() -> None:
    with misbehaving([LIMITED, BUSY, OK]) as (url, requests), Client(url, "gr_x") as client:
        start = time.monotonic()
        assert client.queries() == []
        assert 1.0 < time.monotonic() - start < 10
    assert requests.count("GET /v1/queries") == 3


def test_what_could_take_effect_twice_is_not_sent_again() -> None:
    with misbehaving([LIMITED, CLOSE, BUSY]) as (url, requests), Client(url, "gr_x") as client:
        with pytest.raises(StoreError, match="does not answer"):
            client.activate("run")
        with pytest.raises(StoreError, match="the database does not answer"):
            client.activate("run")
    assert requests.count("POST /v1/runs/run/activate") == 3, "again after 429 only"


def test_events_that_were_lost_are_sent_again_with_their_ids() -> None:
    done: Answer = ("200 OK", {}, {"accepted": 0, "repeated": 1, "rejected": []})
    with misbehaving([CLOSE, BUSY, done]) as (url, requests), Client(url, "gr_x") as client:
        posted = client.post_events([{"behaviour": "VIEWED", "user": 1, "item": 2}])
    assert posted["repeated"] == 1
    assert requests.count("POST /v1/events") == 3


def test_repetitions_end_by_number_and_by_time() -> None:
    with misbehaving([FAILED] * 9) as (url, requests), Client(url, "gr_x", retries=2) as client:
        with pytest.raises(StoreError, match="status 503"):
            client.queries()
        assert requests.count("GET /v1/queries") == 3
    slow: Answer = ("503 x", {"Retry-After": "60"}, {"detail": "later"})
    with misbehaving([slow]) as (url, _), Client(url, "gr_x", seconds=5) as client:
        start = time.monotonic()
        with pytest.raises(StoreError, match="later"):
            client.queries()
        assert time.monotonic() - start < 4, "it does not wait longer than its time limit"
    listener = socket.create_server(("127.0.0.1", 0))  # accepts and says nothing
    client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=0.3)
    with listener, pytest.raises(StoreError, match=r"no answer within 0\.3 s"):
        client.queries()


def test_an_address_without_a_server_and_answers_of_others_are_named() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with Client(f"http://127.0.0.1:{free}", retries=1) as client, pytest.raises(StoreError, match="graphrec serve"):
        client.queries()
    moved: Answer = ("301 Moved", {"Location": "http://evil.example"}, {})
    html: Answer = ("404 Not Found", {}, "<html>")
    echo: Answer = ("500 x", {}, {"detail": "you sent gr_secret\x1b[31m"})
    with misbehaving([moved, html, echo]) as (url, requests), Client(url, "gr_secret", retries=0) as client:
        with pytest.raises(Exception, match="redirects to another address"):
            client.queries()
        with pytest.raises(UnknownNameError, match="is it a graphrec server"):
            client.queries()
        with pytest.raises(StoreError) as caught:
            client.queries()
    assert "gr_secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert requests.count("GET /v1/queries") == 3
