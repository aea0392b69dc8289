"""Files that are found but hold no table."""

from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.tabular.proposal import examine


def test_files_that_are_no_tables_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "r.csv").write_text("user,item,rating\n1,2,3\n")
    (tmp_path / "notes.md").write_text("# no data")
    found = examine([tmp_path], tmp_path)
    assert [reason.rpartition("/")[2] for reason in found.unread] == ["empty.csv is empty; copy or download it again"]
    assert "# Not read: " in found.toml
    with pytest.raises(DataError, match="matches no file"):
        examine([str(tmp_path / "*.parquet")], tmp_path)
