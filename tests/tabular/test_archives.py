"""Compressed files, archives, folders and patterns: found by content, unpacked in bounded space, or refused."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from graphrec.errors import DataError
from graphrec.tables import GraphTables
from graphrec.tabular import archives

from .conftest import Reader
from .workbooks import zipped

EDGE = '[edges.RATED]\nfrom = "User:u"\nto = "Item:i"\nrepeated = "last"\nfile = '
PLAIN = b"u,i\n1,2\n3,4\n"
MORE = b"i,u\n6,5\n"


def pairs(tables: GraphTables) -> list[tuple[str, str]]:
    frame = tables.edge("RATED").frame
    return list(zip(frame["source_id"], frame["target_id"], strict=True))


PACKED = {
    "gzip": gzip.compress(PLAIN),
    "two gzip files": gzip.compress(PLAIN[:8]) + gzip.compress(PLAIN[8:]),
    "bzip2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "zstd": pa.compress(PLAIN, codec="zstd", asbytes=True),
    "two zstd files": pa.compress(PLAIN[:8], codec="zstd", asbytes=True)
    + pa.compress(PLAIN[8:], codec="zstd", asbytes=True),
    "zip": zipped({"a.csv": PLAIN}),
    "zip with gzip": zipped({"a.csv.gz": gzip.compress(PLAIN)}),
    "zip with what is no data": zipped({"README.md": "hi", "__MACOSX/._a.csv": "x", "d/a.csv": PLAIN, ".hidden": "x"}),
    "zip of other ends": zipped({"a.csv": PLAIN.replace(b"\n", b"\r\n", 1)}),
}


@pytest.mark.parametrize("case", PACKED)
def test_what_is_packed_is_unpacked_whatever_its_name(case: str, reader: Reader) -> None:
    for end in ("", '\ncomment = "#"'):
        assert pairs(reader(f'{EDGE}"r.csv"{end}', r__csv=PACKED[case])) == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("case", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_what_is_cut_off_or_changed_is_refused(case: str, reader: Reader) -> None:
    for content in (PACKED[case][:-9], PACKED[case][:25] + b"\0\xff\0\xff" + PACKED[case][29:]):
        with pytest.raises(DataError, match=r"r.csv(/a.csv)? (is truncated or damaged; copy|has no a\.csv)"):
            reader(EDGE + '"r.csv"', r__csv=content)


def test_json_lines_and_parquet_inside(reader: Reader, tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"u": ["1", "3"], "i": [2, 4]}), tmp_path / "a.parquet")
    parquet = (tmp_path / "a.parquet").read_bytes()
    lines = b'{"u": 1, "i": 2}\n{"u": 3, "i": 4}\n'
    for content in (zipped({"a": parquet}), bz2.compress(parquet), zipped({"a": lines}), lzma.compress(lines)):
        assert pairs(reader(EDGE + '"r.bin"', r__bin=content)) == [("1", "2"), ("3", "4")]


def test_several_members(reader: Reader) -> None:
    content = zipped({"x/a.csv": PLAIN, "x/b.csv": MORE, "notes.html": "<html>"})
    assert pairs(reader(EDGE + '"r.zip"', r__zip=content)) == [("1", "2"), ("3", "4"), ("5", "6")]
    for name in ("r.zip/x/b.csv", "r.zip/*/b*"):
        assert pairs(reader(f'{EDGE}"{name}"', r__zip=content)) == [("5", "6")]
    assert pairs(reader(f'{EDGE}"r.zip/x"', r__zip=content)) == [("1", "2"), ("3", "4"), ("5", "6")]
    with pytest.raises(DataError, match=r"r.zip has no x/c.csv; did you mean x/[ab].csv\?"):
        reader(EDGE + '"r.zip/x/c.csv"', r__zip=content)
    with pytest.raises(DataError, match=r"r.zip/a.csv has no column 'u', but it has user, i"):
        reader(EDGE + '"r.zip"', r__zip=zipped({"a.csv": "user,i\n1,2\n"}))


REFUSED: dict[str, tuple[dict[str, str | bytes], str]] = {
    "several formats": (
        {"a.csv": PLAIN, "b.jsonl": b'{"u": 1}'},
        r"several formats \(a.csv is csv, b.jsonl is jsonl\)",
    ),
    "nothing": ({}, "has no data file \\(it has no files"),
    "no data": ({"README.md": "hi"}, "has no data file \\(it has README.md"),
    "a path out": ({"../../evil.csv": PLAIN}, "has the member ../../evil.csv, which points outside of it"),
    "a path from the root": ({"/etc/evil.csv": PLAIN}, "has the member /etc/evil.csv, which points outside of it"),
    "a path of Windows": ({"..\\evil.csv": PLAIN}, "which points outside of it"),
    "too many": ({f"{n}.csv": b"" for n in range(2_001)}, "has 2,001 files, more than 2,000"),
    "an archive inside": ({"a.zip": zipped({"a.csv": PLAIN})}, "a.zip is a workbook or a zip archive"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_archives_that_are_refused(case: str, reader: Reader) -> None:
    members, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        reader(EDGE + '"r.zip"', r__zip=zipped(members))


def test_an_encrypted_archive(reader: Reader) -> None:
    content = bytearray(zipped({"a.csv": PLAIN}))
    content[6] |= 1  # the flag of encryption, in the member's own head and in the directory
    content[content.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DataError, match="r.zip/a.csv is encrypted; unpack it with its password"):
        reader(EDGE + '"r.zip"', r__zip=bytes(content))


def test_names_of_members_that_are_no_text(reader: Reader) -> None:
    content = zipped({"ä.csv": PLAIN})
    for place in (content.find("ä".encode()), content.rfind("ä".encode())):
        with pytest.raises(DataError, match=r"r.zip(/ä.csv)? is truncated or damaged"):
            reader(EDGE + '"r.zip"', r__zip=content[:place] + b"\xff" + content[place + 1 :])


def test_an_unknown_way_of_packing(reader: Reader) -> None:
    content = bytearray(zipped({"a.csv": PLAIN}))
    content[8] = 99
    content[content.find(b"PK\x01\x02") + 10] = 99
    with pytest.raises(DataError, match="r.zip/a.csv has an unknown compression"):
        reader(EDGE + '"r.zip"', r__zip=bytes(content))


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_a_bomb_is_refused(kind: str, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_UNCHECKED_SIZE", 100_000)
    monkeypatch.setattr(archives, "_MAX_RATIO", 20)
    text = PLAIN + b"5,6\n" * 500_000
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "bzip2": bz2.compress,
        "xz": lzma.compress,
        "zstd": lambda plain: bytes(pa.compress(plain, codec="zstd", asbytes=True)),
        "zip": lambda plain: zipped({"a.csv": plain}),
    }
    with pytest.raises(DataError, match="unpacks to more than .* times its size, as .* zip bomb"):
        reader(EDGE + '"r.csv"', r__csv=pack[kind](text))


def test_a_full_disk_is_said(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MIN_FREE", 1 << 60)
    with pytest.raises(DataError, match=r"r.csv cannot be unpacked: there is too little space .* set TMPDIR"):
        reader(EDGE + '"r.csv"', r__csv=PACKED["xz"])


def test_folders_and_patterns(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    for name, content in {"1.csv": PLAIN, "2.csv.gz": gzip.compress(MORE), "README.txt": b"x", "_SUCCESS": b""}.items():
        (tmp_path / "days" / name).write_bytes(content)
    (tmp_path / "days" / "old").mkdir()
    for name in ("days", "days/", "days/*.csv*", "days/[12]*"):
        assert pairs(reader(f'{EDGE}"{name}"')) == [("1", "2"), ("3", "4"), ("5", "6")]
    (tmp_path / "days" / "3.zip").write_bytes(zipped({"a.csv": b"u,i\n7,8\n"}))
    assert pairs(reader(f'{EDGE}"days"'))[-1] == ("7", "8")
    (tmp_path / "days" / "4.jsonl").write_text("{}")
    with pytest.raises(
        DataError, match=r"several formats \(1.csv is csv, 4.jsonl is jsonl\); name those of one format"
    ):
        reader(f'{EDGE}"days"')
    (tmp_path / "years" / "2024").mkdir(parents=True)
    (tmp_path / "years" / "2024" / "a.csv").write_bytes(PLAIN)
    with pytest.raises(DataError, match=r"'years' is a folder without data files; write years/\*/\*.csv"):
        reader(f'{EDGE}"years"')


def test_names_that_are_patterns_to_others(reader: Reader, tmp_path: Path) -> None:
    for name in ("a[1].csv", "b*.csv", "c?.csv", "d'e.csv", "f{g}.csv"):
        (tmp_path / name).write_bytes(PLAIN)
        assert pairs(reader(f'{EDGE}"{name}"')) == [("1", "2"), ("3", "4")]


def test_paths_that_cannot_be_looked_up(reader: Reader) -> None:
    for name in ("x" * 5000, "~nobody_of_this_name/x.csv", "r.csv/x"):
        with pytest.raises(DataError, match=r"file .*(cannot be looked up|does not exist)"):
            reader(f'{EDGE}"{name}"', r__csv=PLAIN)
