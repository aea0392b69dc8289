"""Lists of words: every occurrence of a word is read, whatever the separators."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.reading import lists, read_lists
from tests.sizes import num_examples


def pairs(path: Path) -> list[tuple[str, str]]:
    return list(read_lists(path).rows.itertuples(index=False, name=None))


def write(folder: Path, text: str | bytes, name: str = "train.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_owners_and_members(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff0 5 007\r\n\n  1\t5  5 \n2\n3 é")
    found = read_lists(path)
    assert found.owners.tolist() == ["0", "1", "2", "3"]
    assert pairs(path) == [("0", "5"), ("0", "007"), ("1", "5"), ("1", "5"), ("3", "é")]
    assert [str(dtype) for dtype in found.rows.dtypes] == ["str", "str"]
    assert str(found.owners.dtype) == "str"


def test_gzip_and_an_owner_on_two_lines(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"0 1\n0 2\n"), "train.txt.gz")
    assert pairs(path) == [("0", "1"), ("0", "2")]
    assert read_lists(path).owners.tolist() == ["0", "0"]


WORD = st.text(st.characters(codec="utf-8", exclude_characters=" \t\r\n\0"), min_size=1, max_size=5)


@given(lines=st.lists(st.lists(WORD, min_size=1, max_size=4), min_size=1, max_size=8), block=st.integers(1, 30))
@settings(max_examples=num_examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_blocks_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[list[str]], block: int
) -> None:
    lines = [["0", "1"], *lines]  # so that there is a member, and no byte order mark before it
    path = write(tmp_path, "\n".join("\t".join(words) for words in lines))
    monkeypatch.setattr(lists, "_BLOCK", block)
    found = read_lists(path)
    assert found.owners.tolist() == [words[0] for words in lines]
    assert pairs(path) == [(words[0], member) for words in lines for member in words[1:]]


DEFECTS: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "has no line with an owner and a member"),
    "another separator": ("0,1,2\n1,2\n", "has no line with an owner and a member, .* divided by spaces or tabs"),
    "no utf-8": (b"0 1\n1 \xe9\n", r"is not utf-8 on 1 line: line 2 \(byte 3: 0xe9\); save it as utf-8"),
    "compressed": (gzip.compress(b"0 1\n"), r"is gzip-compressed; rename it to train\.txt\.gz"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_reported(tmp_path: Path, name: str) -> None:
    text, message = DEFECTS[name]
    with pytest.raises(DataError, match=rf"train\.txt {message}"):
        read_lists(write(tmp_path, text))


def test_a_file_that_is_missing_a_folder_or_cut_off_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no file train\.txt and no train\.txt\.gz; it is empty"):
        read_lists(tmp_path / "train.txt")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_lists(tmp_path)
    whole = gzip.compress(b"".join(b"%d %d\n" % (n, n * n) for n in range(5000)))
    with pytest.raises(DataError, match=r"train\.txt\.gz is cut off or damaged after line [\d,]+; copy or download"):
        read_lists(write(tmp_path, whole[:-20], "train.txt.gz"))
    with pytest.raises(DataError, match="is cut off or damaged after line 0"):
        read_lists(write(tmp_path, b"0 1\n", "train.txt.gz"))
