"""What a visitor of the page does in a browser."""

import re

import httpx


def log_in(client: httpx.Client, key: str, target: str = "") -> httpx.Response:
    """The answer to a login with a key; `target` is the page that was asked for."""
    form = client.get("/login")
    return client.post("/login", data={"token": token_of(form), "key": key, "next": target})


def token_of(response: httpx.Response) -> str:
    """The token of a page's form."""
    found = re.search(r'name="token" value="(\w+)"', response.text)
    assert found is not None
    return found[1]
