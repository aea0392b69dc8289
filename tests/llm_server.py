"""Starts the language model server of tests/llm/server_process.py."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

PROGRAM = Path(__file__).parent / "llm" / "server_process.py"


class Server:
    """A running server."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"

    def log(self) -> list[dict[str, Any]]:  # Any: JSON
        """The requests so far."""
        with urlopen(self.url.removesuffix("/v1") + "/log") as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@pytest.fixture(scope="session")
def llm_server() -> Iterator[Server]:
    """A server process."""
    process = subprocess.Popen([sys.executable, "-S", str(PROGRAM)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Server(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
