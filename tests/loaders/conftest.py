"""The folders of the real data, for the tests of its counts."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Callable[[str], Path]:
    """A function from a data set's name to its folder; the test is skipped if it is not on this machine."""
    root = Path(os.environ.get("GRAPHREC_DATA", Path(__file__).parents[2] / "../shared/data"))

    def folder(name: str) -> Path:
        path = (root / name).resolve()
        if not path.is_dir():
            pytest.skip(f"no folder {path}; set GRAPHREC_DATA to the folder that has {name}")
        return path

    return folder
