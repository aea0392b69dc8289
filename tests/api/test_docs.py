"""The requests of docs/serving.md work when they are pasted."""

import os
import re
import subprocess
from pathlib import Path

from .served import Served

ROOT = Path(__file__).parent.parent.parent

#: The ids of the page, which are those of the demo, and those of the shop.
IDS = {"/users/2": "/users/u8", "733": "i8", "260": "i6", '"user": "2"': '"user": "u8"', "user_id=2": "user_id=u8"}


def test_the_requests_work(served: Served) -> None:
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert block.count("curl") == 10
    for old, new in {**IDS, "http://127.0.0.1:8080": served.url}.items():
        assert old in block
        block = block.replace(old, new)
    lines = [line for line in block.splitlines() if line.startswith("curl")]
    setup = block.splitlines()[0]
    read, write = served.keys["read"], served.keys["write"]
    for line in lines:
        text = write if "/events" in line else read
        done = subprocess.run(
            ["bash", "-c", f"{setup}\n{line}"], env={**os.environ, "KEY": text}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr}"
        assert done.stdout


def test_the_page_lists_all_routes_and_metrics(served: Served) -> None:
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    for path, methods in served.get("/v1/openapi.json")["paths"].items():
        short = re.sub(r"\{item_id\}", "{item}" if "users" in path else "{id}", path)
        short = re.sub(r"\{(user|run)_id\}", "{id}", short)
        for method in methods:
            assert f"`{method.upper()} {short}`" in page, (method, short)
    served.recommend("u8")
    for name in set(
        re.findall(r"^# TYPE (graphrec_\w+?)(?:_total|_created)? ", served.call("GET", "/metrics").text, re.M)
    ):
        assert name in page, name
