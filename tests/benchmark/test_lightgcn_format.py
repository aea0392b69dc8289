"""Published splits as files, strictly read."""

import gzip
from pathlib import Path

import pytest

from graphrec.benchmark.lightgcn_format import read_pairs
from graphrec.errors import DataError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_become_pairs(tmp_path: Path) -> None:
    """Spaces, tabs, carriage returns, an empty line, a user without items, a user on two lines."""
    found = read_pairs(write(tmp_path, "a.txt", "0 3 1\r\n\n2\t0\t \n1\n0 2\n"))
    assert list(zip(found.user_index.tolist(), found.item_index.tolist(), strict=True)) == [
        (0, 3),
        (0, 1),
        (2, 0),
        (0, 2),
    ]
    assert (found.num_users, found.num_items) == (3, 4)


def test_gzip_is_recognised_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(b"0 1 2\n"))
    assert read_pairs(path).item_index.tolist() == [1, 2]
    path.write_bytes(gzip.compress(b"0 1 2\n" * 1000)[:-10])
    with pytest.raises(DataError, match="cannot be read"):
        read_pairs(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1\n1 -2\n", "line 2: '-2' is not a position"),
        ("0 1\n\n1 2 x\n", "line 3: 'x' is not a position"),
        ("0 1.5\n", "line 1: '1.5' is not a position"),
        ("0,1\n", "line 1: '0,1' is not a position"),
        ("0 99999999999999999999\n", "line 1: '99999999999999999999' is not a position"),
        ("0 ١\n", "line 1: '١' is not a position"),
    ],
)
def test_anything_else_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_pairs(write(tmp_path, "a.txt", text))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read_pairs(tmp_path / "a.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read_pairs(tmp_path)
