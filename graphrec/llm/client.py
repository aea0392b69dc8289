"""Calls of an OpenAI-compatible HTTP endpoint (`/v1/embeddings`, `/v1/chat/completions`) with retries and a budget."""

import contextlib
import http.client
import json
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from graphrec.errors import GraphrecError, format_value

T = TypeVar("T")

#: Maximum number of bytes of an answer that are read; a server that sends more has failed.
MAX_BYTES = 64 << 20

#: Block size of reading: between blocks the deadline is checked, so that a server cannot keep a call by single bytes.
BLOCK = 1 << 16

#: Seconds before the first repetition; each further one waits twice as long, at most MAX_PAUSE.
PAUSE, MAX_PAUSE = 0.5, 30.0

#: The environment variable of the key of an endpoint; nothing else has it.
KEY_VARIABLE = "GRAPHREC_LLM_KEY"

#: What to do about a failure.
_CHECK_ADDRESS = "check that a server runs at this address"
_CHECK_MODEL = "check that the address is that of an OpenAI-compatible endpoint, and that the model can answer in JSON"
_GIVE_TIME = "give it more time with a longer timeout, or send fewer requests at a time"
_BY_STATUS = {
    401: "set GRAPHREC_LLM_KEY to a valid key of this endpoint",
    403: "set GRAPHREC_LLM_KEY to a key of this endpoint that may use the model",
    404: "check the address, which often ends with /v1, and the name of the model",
    408: _GIVE_TIME,
    429: "wait, or send fewer requests at a time",
}

#: Characters of a token for estimates: English has about four, other languages fewer.
CHARACTERS_A_TOKEN = 3


class EndpointError(GraphrecError):
    """An endpoint gave no usable answer after all repetitions, refused the request, or the budget is spent."""


class BudgetError(EndpointError):
    """The budget of tokens or requests does not allow a further attempt; nothing was sent."""


class _Failure(Exception):
    """One failed attempt: what to do about it, and whether it is `final`, as a repetition would fail too."""

    def __init__(self, reason: str, remedy: str, final: bool = False) -> None:
        super().__init__(reason)
        self.remedy, self.final = remedy, final


@dataclass(frozen=True)
class EndpointConfig:
    """An OpenAI-compatible endpoint.

    url: its address up to the version, such as `http://localhost:8000/v1`.
    model: the name of the model that it is asked for.
    key: the key, sent as `Authorization: Bearer`; "" for none.
    timeout: seconds for one attempt, from connecting to the last byte.
    retries: repetitions of a failed attempt (no connection, slow, status 429 or 5xx, no usable answer).
    max_tokens: budget of tokens of all calls, sent and received; 0 for none.
    max_requests: budget of attempts of all calls; 0 for none.

    Raises:
        GraphrecError: the address is not one of HTTP, a number is out of range, or model or key is not plain text.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    retries: int = 3
    max_tokens: int = 0
    max_requests: int = 0

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or parts.username is not None or parts.query or parts.fragment:
            raise GraphrecError(
                f"'{format_value(self.url)}' is no address of an endpoint; give one such as http://localhost:8000/v1, "
                "and its key in GRAPHREC_LLM_KEY"
            )
        if not self.model or not self.model.isprintable():
            raise GraphrecError("the model of an endpoint needs a name of printable characters")
        if not (self.key + self.url).isascii() or any(not "!" <= character <= "~" for character in self.key + self.url):
            raise GraphrecError(
                "the address of an endpoint and its key in GRAPHREC_LLM_KEY must be printable ASCII characters without "
                "spaces or line breaks"
            )
        if not (math.isfinite(self.timeout) and self.timeout > 0):
            raise GraphrecError("timeout must be a positive number of seconds")
        if min(self.retries, self.max_tokens, self.max_requests) < 0:
            raise GraphrecError("retries, max_tokens and max_requests must not be negative")


@dataclass(frozen=True)
class Usage:
    """What calls have cost: answered calls, repeated attempts, calls without a usable answer, and tokens."""

    calls: int = 0
    retries: int = 0
    failures: int = 0
    tokens: int = 0


class Endpoint:
    """Calls an endpoint; `usage` counts. Calls may come from several threads."""

    def __init__(self, config: EndpointConfig, sleep: Callable[[float], None] = time.sleep) -> None:
        self.config = config
        self._sleep, self._lock, self._usage, self._num_sent = sleep, threading.Lock(), Usage(), 0

    @property
    def usage(self) -> Usage:
        """The Usage of all calls so far."""
        return self._usage

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vector of each text, all of one length. Raises EndpointError."""
        if not texts:
            return []

        def parse(answer: Any) -> list[list[float]]:  # Any: JSON of a server
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = [[float(value) for value in row["embedding"]] for row in rows]
            if [row["index"] for row in rows] != list(range(len(texts))):
                raise _Failure(f"it returned other vectors than those of {len(texts)} texts", _CHECK_MODEL)
            if len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
                raise _Failure("its vectors differ in length or are empty", _CHECK_MODEL)
            if not all(math.isfinite(value) for vector in vectors for value in vector):
                raise _Failure("a vector has a value that is not finite", _CHECK_MODEL)
            return vectors

        return self._call("embeddings", {"input": list(texts), "encoding_format": "float"}, sum(map(len, texts)), parse)

    def chat(self, system: str, user: str, parse: Callable[[str], T], max_answer: int = 500) -> T:
        """The parsed answer to a message under instructions, at temperature 0.

        `parse` converts the text of the answer and raises ValueError, TypeError, KeyError or IndexError if it is
        unusable, which counts as a failed attempt. `max_answer` is the maximum number of tokens of the answer.

        Raises EndpointError.
        """
        body = {
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "temperature": 0,
            "max_tokens": max_answer,
        }

        def parse_choice(answer: Any) -> T:  # Any: JSON of a server
            text = answer["choices"][0]["message"]["content"]
            if not isinstance(text, str):
                raise _Failure("its answer has no text", _CHECK_MODEL)
            return parse(text)

        characters = len(system) + len(user) + CHARACTERS_A_TOKEN * max_answer
        return self._call("chat/completions", body, characters, parse_choice)

    def _call(self, path: str, body: Mapping[str, Any], characters: int, parse: Callable[[Any], T]) -> T:
        """The parsed answer of one call, repeated if it fails; `characters` are sent and so counted."""
        tokens = characters // CHARACTERS_A_TOKEN + 1
        payload = json.dumps({"model": self.config.model, **body}).encode()
        for attempt in range(self.config.retries + 1):
            self._reserve(tokens)
            try:
                answer = self._send(path, payload)
                result = _parse(parse, answer)
            except _Failure as failure:
                if failure.final or attempt == self.config.retries:
                    self._count(failures=1)
                    times = f" {attempt + 1} times" if attempt else ""
                    raise EndpointError(
                        f"the endpoint {self.config.url} with the model '{format_value(self.config.model)}' "
                        f"failed{times}: {failure}; {failure.remedy}"
                    ) from failure
                self._count(retries=1)
                self._sleep(min(PAUSE * 2**attempt, MAX_PAUSE))
            else:
                self._count(calls=1)
                return result
        raise AssertionError  # the last attempt returns or raises

    def _reserve(self, tokens: int) -> None:
        """Count the estimated tokens of an attempt before it is sent; EndpointError if the budget does not allow it."""
        with self._lock:
            if 0 < self.config.max_tokens < self._usage.tokens + tokens:
                raise BudgetError(
                    f"the budget of {self.config.max_tokens:,} tokens is spent ({self._usage.tokens:,} used); "
                    "raise it to go on"
                )
            if 0 < self.config.max_requests <= self._num_sent:
                raise BudgetError(f"the budget of {self.config.max_requests:,} requests is spent; raise it to go on")
            self._num_sent += 1
            self._usage = replace(self._usage, tokens=self._usage.tokens + tokens)

    def _count(self, calls: int = 0, retries: int = 0, failures: int = 0) -> None:
        with self._lock:
            old = self._usage
            self._usage = Usage(old.calls + calls, old.retries + retries, old.failures + failures, old.tokens)

    def _send(self, path: str, payload: bytes) -> Any:  # Any: JSON
        """The JSON that the endpoint answers to a POST. Raises _Failure."""
        parts = urlsplit(self.config.url)
        deadline = time.monotonic() + self.config.timeout
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.config.timeout)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.config.key:
            headers["Authorization"] = f"Bearer {self.config.key}"
        watchdog = None
        try:
            connection.connect()
            # The timeout of a socket is one of each read: a server that sends headers byte by byte never exceeds it.
            watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), _shut_down, [connection.sock])
            watchdog.daemon = True
            watchdog.start()
            connection.request("POST", f"{parts.path.rstrip('/')}/{path}", payload, headers)
            response = connection.getresponse()
            text = _read(response, connection, deadline)
        except (OSError, http.client.HTTPException, ssl.SSLError, ValueError) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise _Failure(f"no answer within {self.config.timeout:g} s", _GIVE_TIME) from error
            raise _Failure(f"no answer ({type(error).__name__}: {error})", _CHECK_ADDRESS) from error
        finally:
            if watchdog is not None:
                watchdog.cancel()
            connection.close()
        if response.status != 200:
            passing = response.status in (408, 409, 425, 429) or response.status >= 500
            remedy = _BY_STATUS.get(response.status, "the log of the server may say why")
            raise _Failure(f"status {response.status} ({self._describe(text)})", remedy, not passing)
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _Failure("its answer is no JSON", _CHECK_MODEL) from error

    def _describe(self, body: bytes) -> str:
        """The begin of a body without the key, which some servers repeat."""
        text = body.decode(errors="replace")
        return format_value(text.replace(self.config.key, "(key)") if self.config.key else text)


def _shut_down(sock: socket.socket) -> None:
    """End all reads of a socket that another thread waits for."""
    with contextlib.suppress(OSError):  # closed meanwhile
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not that of TLS, which changes the object under its reader


def _read(response: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """The body of a response. Raises TimeoutError after the deadline, ValueError if it is too long."""
    parts: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        part = response.read1(BLOCK)
        if not part:
            if time.monotonic() >= deadline:  # the end may be that of the watchdog
                raise TimeoutError("the answer took too long")
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise ValueError(f"the answer has more than {MAX_BYTES >> 20} MiB")


def _parse(parse: Callable[[Any], T], answer: Any) -> T:  # Any: JSON of a server
    try:
        return parse(answer)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        raise _Failure(f"its answer is not of the expected form ({type(error).__name__})", _CHECK_MODEL) from error
