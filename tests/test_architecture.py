"""The paths that docs/architecture.md and CONTRIBUTING.md name exist, and the floors are those of test_imports."""

import re
from pathlib import Path

import pytest

from .test_imports import FLOORS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"


@pytest.mark.parametrize(
    "page", [PAGE, ROOT / "CONTRIBUTING.md", ROOT / "docs" / "methods.md"], ids=lambda page: page.name
)
def test_the_paths_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:graphrec|loaders|cypher|scripts|tests|docs|benchmarks|notebooks)/[\w./]*)`", page.read_text("utf-8")
    )
    assert named
    real = [path for path in named if not re.search("NAME|WHAT", path)]  # templates
    assert [path for path in real if not (ROOT / path).exists()] == []


def test_the_floors_are_those_that_imports_are_checked_by() -> None:
    table = re.findall(r"^\| \d+ \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", modules)) for modules in table] == list(FLOORS)


def test_every_package_is_in_the_folder_map() -> None:
    packages = {f"graphrec/{path.parent.name}/" for path in (ROOT / "graphrec").glob("*/__init__.py")}
    assert packages - set(re.findall(r"^\| `([\w/]+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == set()
