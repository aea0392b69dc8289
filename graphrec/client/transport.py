"""Requests to a graphrec server: kept connections, time limits, and repetitions where they do no harm.

It needs the standard library only, so that an application can use the client without further packages.
"""

import http.client
import json
import logging
import os
import random
import re
import selectors
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from graphrec.errors import DataError, GraphrecError, RefusedError, StoreError, UnknownNameError, format_value
from graphrec.redaction import redact

logger = logging.getLogger(__name__)

#: Cap on the bytes of a response.
MAX_RESPONSE = 256 * 2**20

#: Maximum number of idle connections that are kept.
MAX_IDLE = 16

#: First and longest pause before a repetition, in seconds; it doubles each time.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0

#: Characters of a key; others could end the header.
_KEY = re.compile(r"[\x21-\x7e]{1,500}")

#: Statuses of a server, or of a proxy before it, that may be better a moment later.
_BUSY = (429, 502, 503, 504)


@dataclass(frozen=True)
class Response:
    """Status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # whatever the server sent
        """The value of a body that is JSON. Raises StoreError if it is not."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise StoreError("the answer is not JSON; is a graphrec server at this address?") from error


class Transport:
    """Sends requests over kept connections; may be used by several threads.

    url: address of the server, such as https://recommend.example.org, also with a path before /v1.
    key: API key, or None for a server without keys.
    seconds: time limit of a call with all its repetitions.
    retries: maximum number of repetitions.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        seconds: float,
        retries: int,
        verify: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or parts.query or parts.fragment:
            raise DataError(f"{format_value(url)} is no address of a server; use https://HOST or http://HOST:PORT")
        if parts.username is not None or parts.password is not None:
            raise DataError("the address of a server has no login; give the API key as `key`")
        if key is not None and not _KEY.fullmatch(key):
            raise DataError("the key has characters that no key has; give it as `graphrec key create` printed it")
        if seconds <= 0 or retries < 0:
            raise DataError("the time limit is above 0 seconds, and the number of retries at least 0")
        self.address = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._host, self._port, self._path = parts.hostname, port, parts.path.rstrip("/")
        self._context = (verify or ssl.create_default_context()) if parts.scheme == "https" else None
        self._key, self._seconds, self._retries = key, seconds, retries
        self._sleep, self._rng = sleep, rng or random.Random()  # spreads the repetitions of many clients
        self._lock, self._idle, self._process = threading.Lock(), list[http.client.HTTPConnection](), os.getpid()
        self._closed = False

    def close(self) -> None:
        """Close the idle connections; later requests raise StoreError."""
        self._closed = True
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def request(self, method: str, path: str, body: object = None, repeatable: bool = True) -> Response:
        """The response to a request whose status is below 300.

        If the server is busy or cannot be reached, the request is sent again, after the time of Retry-After or a
        growing random pause. If it is not `repeatable`, only a request that was refused with 429 is sent again.

        Raises:
            UnknownNameError: 404. DataError: the request is invalid. RefusedError: the key is missing or lacks the
            scope. GraphrecError: 409. StoreError: the server cannot answer now, or cannot be reached.
        """
        if self._closed:
            raise StoreError("this client is closed; make a new one")
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        deadline, failures = time.monotonic() + self._seconds, 0
        while True:
            wait = 0.0
            error: GraphrecError
            try:
                response = self._send(method, path, data, deadline)
            except (OSError, http.client.HTTPException) as caught:
                logger.info("no answer (%s) to a %s", type(caught).__name__, method)
                error, may_repeat = self._unreachable(caught), repeatable or isinstance(caught, ConnectionRefusedError)
            else:
                if response.status < 300:
                    return response
                error = self._error(response)
                wait = _retry_after(response)
                may_repeat = response.status == 429 or (repeatable and response.status in _BUSY)
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**failures)
            wait += self._rng.uniform(pause / 2, pause)
            failures += 1
            if not may_repeat or failures > self._retries or time.monotonic() + wait >= deadline:
                raise error
            self._sleep(wait)

    def _send(self, method: str, path: str, data: bytes | None, deadline: float) -> Response:
        """The response to one request. A kept connection may have been closed by the server meanwhile: if it breaks
        before an answer begins, the caller's repetition gets a new one."""
        headers = {"Accept": "application/json", "User-Agent": "graphrec"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        if data is not None:
            headers["Content-Type"] = "application/json"
        connection = self._take(deadline)
        try:
            connection.request(method, self._path + path, data, headers)
            found = connection.getresponse()
            body = bytearray()
            while part := found.read(2**16):
                body += part
                if len(body) > MAX_RESPONSE:
                    raise http.client.HTTPException(f"more than {MAX_RESPONSE:,} bytes")
                self._limit(connection, deadline)
            response = Response(found.status, {n.lower(): v for n, v in found.getheaders()}, bytes(body))
        except BaseException:
            connection.close()
            raise
        if found.will_close:
            connection.close()
        else:
            self._keep(connection)
        return response

    def _take(self, deadline: float) -> http.client.HTTPConnection:
        """An idle connection, unless the server has closed it, or a new one."""
        with self._lock:
            if self._process != os.getpid():  # a connection is not shared with the parent of a forked process
                self._idle, self._process = [], os.getpid()
            connection = self._idle.pop() if self._idle else None
        while connection is not None and _is_closed(connection):
            connection.close()
            with self._lock:
                connection = self._idle.pop() if self._idle else None
        seconds = max(deadline - time.monotonic(), 0.001)
        if connection is None:
            if self._context is None:
                return http.client.HTTPConnection(self._host, self._port, timeout=seconds)
            return http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=self._context)
        self._limit(connection, deadline)
        return connection

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < MAX_IDLE and self._process == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def _limit(self, connection: http.client.HTTPConnection, deadline: float) -> None:
        """Let the next read or write of a connection wait until the deadline at most."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError(f"no answer within {self._seconds:g} s")
        if connection.sock is not None:
            connection.sock.settimeout(seconds)

    def _unreachable(self, error: Exception) -> StoreError:
        reason = f"no answer within {self._seconds:g} s" if isinstance(error, TimeoutError) else str(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = f"its certificate is not trusted: {error.verify_message}"
        text = self._hide(f"the server at {self.address} does not answer ({reason or type(error).__name__})")
        return StoreError(f"{text}; check the address, and that `graphrec serve` runs there")

    def _error(self, response: Response) -> GraphrecError:
        """The error of a response, with the sentence of its problem details."""
        status = response.status
        detail = ""
        try:
            problem = json.loads(response.body)
            detail = str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"the server at {self.address} answers with status {status}; is it a graphrec server?"
        if 300 <= status < 400:
            detail = f"the server at {self.address} redirects to another address; give that one"
        detail = self._hide(detail)
        if status in (401, 403):
            return RefusedError(detail)
        if status == 404:
            return UnknownNameError.from_sentence("name", detail)
        if status == 409:
            return GraphrecError(detail)
        return StoreError(detail) if status >= 500 or status == 429 else DataError(detail)

    def _hide(self, text: str) -> str:
        """A text without the key, which a server could send back."""
        return redact(text, [] if self._key is None else [self._key])


def _retry_after(response: Response) -> float:
    """The seconds that a server asks to wait; 0 without a number of them."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed an idle connection: then it can be read, although nothing was asked."""
    if connection.sock is None:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))
