"""A real server over real HTTP: uvicorn in a thread, with a key for each scope."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import uvicorn

from graphrec.api.application import create_app
from graphrec.api.keys import SCOPES, KeyFile
from graphrec.api.options import ServeOptions
from graphrec.api.server import uvicorn_options
from graphrec.config import Settings

#: Seconds to wait for a state that a busy machine reaches late.
PATIENCE = 60


@dataclass
class Served:
    """A running server: its address, home folder, the texts of its keys by scope, and a client."""

    url: str
    home: Path
    keys: dict[str, str]
    client: httpx.Client

    def call(self, method: str, path: str, scope: str = "read", **options: Any) -> httpx.Response:
        """The response to a request with the key of a scope."""
        headers = {"Authorization": f"Bearer {self.keys[scope]}", **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)

    def get(self, path: str, scope: str = "read", **parameters: Any) -> Any:
        """The JSON of a GET that succeeds."""
        response = self.call("GET", path, scope, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def recommend(self, user: str, **parameters: Any) -> Any:
        """The recommendations for a user."""
        return self.get(f"/v1/users/{quote(user, safe='')}/recommendations", **parameters)

    def post_events(self, *events: dict[str, Any]) -> Any:
        """The JSON of a batch of events that is accepted."""
        response = self.call("POST", "/v1/events", "write", json={"events": list(events)})
        assert response.status_code == 200, response.text
        return response.json()

    def wait(self, part: str = "model", state: str = "ok") -> None:
        """Wait until /readyz reports a state of a part."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            parts = self.client.get("/readyz").json().get("parts", {})  # none after a time-out on a busy machine
            if parts.get(part) == state:
                return
            time.sleep(0.05)
        raise AssertionError(f"{part} is {parts.get(part)}, not {state}")


@contextmanager
def serve(home: Path, options: ServeOptions, cache_url: str | None = None) -> Iterator[Served]:
    """A server on a free port until the end of the context, with a key for each scope, without a rate limit."""
    file = KeyFile(home)
    for key in file.read():
        file.revoke(key.id)
    keys = {scope: file.create(f"only {scope}", (scope,), rate=0).text for scope in SCOPES}
    arguments: dict[str, Any] = {"graphrec_home": home, "neo4j_uri": None, "graphrec_cache_url": cache_url}
    app = create_app(Settings(**arguments), options)
    server = uvicorn.Server(uvicorn.Config(app, **{**uvicorn_options(options), "port": 0}))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            served = Served(url, home, keys, client)
            served.wait()
            yield served
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
