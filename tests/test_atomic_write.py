"""Files appear whole or not at all, and a failure is told in the system's words."""

from pathlib import Path

import pytest

from graphrec.atomic_write import atomic_write
from graphrec.errors import GraphrecError


def test_a_file_and_a_folder_take_their_names_at_the_end(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "file") as partial:
        partial.write_text("whole")
        assert not (tmp_path / "file").exists()
    with atomic_write(tmp_path / "folder") as partial:
        partial.mkdir()
        (partial / "inside").write_text("whole")
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "inside").read_text() == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_full_disk_is_named_even_behind_another_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(GraphrecError, match="cannot write .*file: No space left; free some space"):
        _fail(tmp_path / "file", OSError(28, "No space left"))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_an_error_that_is_not_the_disks_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="unexpected pos"):
        _fail(tmp_path / "file", ValueError("no disk in this"))
    assert list(tmp_path.iterdir()) == []


def _fail(path: Path, first: Exception) -> None:
    """Write a part, then fail as torch does: with an error of its own on top of the first."""
    with atomic_write(path) as partial:
        partial.write_text("half")
        try:
            raise first
        except (OSError, ValueError):
            raise RuntimeError("unexpected pos 64 vs 0")  # noqa: B904  # as torch does
