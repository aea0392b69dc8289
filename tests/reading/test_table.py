"""Strict reading: valid values are read exactly, and each defect is reported with its line."""

import gzip
from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.reading import Kind, find, has, read_table

COLUMNS: dict[str, Kind] = {"id": "str", "rating": "float", "time": "int"}


def write(folder: Path, text: str | bytes, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_values_and_dtypes_come_back_exactly(tmp_path: Path) -> None:
    path = write(tmp_path, 'id,unused,rating,time\r\n007,x,0.5,-5\r\n"a, ""b""",y,5,9007199254740993\r\n')
    frame = read_table(path, COLUMNS)
    assert frame["id"].tolist() == ["007", 'a, "b"']
    assert frame["rating"].tolist() == [0.5, 5.0]
    assert frame["time"].tolist() == [-5, 9007199254740993]  # no way through a float
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "float64", "int64"]


def test_columns_come_in_the_order_wanted(tmp_path: Path) -> None:
    path = write(tmp_path, "id,rating,time\n1,2,3\n")
    assert list(read_table(path, {"time": "int", "id": "str"}).columns) == ["time", "id"]


def test_optional_kinds_keep_missing_values(tmp_path: Path) -> None:
    path = write(tmp_path, "name,budget,length\nNA,,1\n,NA,\nx,2e3,3\n")
    frame = read_table(path, {"name": "str?", "budget": "float?", "length": "int?"})
    assert frame["name"].isna().tolist() == [False, True, False]  # a film may be called NA
    assert frame["budget"].isna().tolist() == [True, True, False]
    assert frame["length"].tolist()[::2] == [1, 3]
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "Float64", "Int64"]


def test_gzip_and_byte_order_mark_and_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"\xef\xbb\xbfid,rating,time\n1,2,3\n\n4,5,6\n\n"), "ratings.csv.gz")
    assert read_table(path, COLUMNS)["id"].tolist() == ["1", "4"]


def test_latin_1_without_header_and_without_quoting(tmp_path: Path) -> None:
    path = write(tmp_path, 'é"x|1\n"|2\n'.encode("latin-1"))
    frame = read_table(path, {"name": "str", "n": "int"}, "|", "latin-1", header=["name", "n"], quoting=False)
    assert frame["name"].tolist() == ['é"x', '"']


def test_separator_of_two_characters(tmp_path: Path) -> None:
    path = write(tmp_path, "1::Se7en: the film::x\n2::M::y\n")
    frame = read_table(path, {"title": "str"}, "::", header=["id", "title", "rest"])
    assert frame["title"].tolist() == ["Se7en: the film", "M"]


def test_a_quoted_line_break_belongs_to_the_value(tmp_path: Path) -> None:
    path = write(tmp_path, 'id,rating,time\n"a\nb",1,2\nc,3,4\n')
    assert read_table(path, COLUMNS)["id"].tolist() == ["a\nb", "c"]


def test_find_takes_plain_or_compressed(tmp_path: Path) -> None:
    compressed = write(tmp_path, gzip.compress(b""), "u.data.gz")
    assert has(tmp_path, "u.data")
    assert find(tmp_path, "u.data") == compressed
    plain = write(tmp_path, "", "u.data")
    assert find(tmp_path, "u.data") == plain
    assert not has(tmp_path, "u.item")


def test_find_names_the_files_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file a\.csv and no a\.csv\.gz; it is empty"):
        find(tmp_path, "a.csv")
    write(tmp_path, "", "b.csv")
    with pytest.raises(DataError, match=r"no file a\.csv and no a\.csv\.gz; it has b\.csv"):
        find(tmp_path, "a.csv")
    with pytest.raises(DataError, match=r"there is no folder .*nowhere; check the path"):
        has(tmp_path / "nowhere", "a.csv")
    with pytest.raises(DataError, match=r"b\.csv is a file, but the folder"):
        has(tmp_path / "b.csv", "a.csv")
    with pytest.raises(DataError, match=r"no file a\.csv .* it has b\.csv"):
        read_table(tmp_path / "a.csv", COLUMNS)


DEFECTS = {
    "nothing": ("", "is empty"),
    "only blank lines": ("\n\n", "is empty"),
    "only a header": ("id,rating,time\n", "holds a header and no rows"),
    "another column": (
        "id,ratings,time\n1,2,3\n",
        r"column rating 0 times.*names id, ratings, time \(is ratings meant",
    ),
    "a column twice": ("id,rating,time,id\n1,2,3,4\n", "column id 2 times, but it must once"),
    "another separator": ("id;rating;time\n1;2;3\n", "column id 0 times.*id;rating;time"),
    "too few fields": ("id,rating,time\n1,2,3\n4,5\n", r"1 of the rows do not have the 3 fields.*\(line 3 has 2\)"),
    "too many fields": ("id,rating,time\n1,2,3,4\n\n4,5,6,7\n", r"2 of the rows .*\(line 2 has 4, line 4 has 4\)"),
    "text for a number": (
        "id,rating,time\n1,2,3\n4,good,6\n",
        r"column rating is not a number in 1 .*\(line 3: 'good'\)",
    ),
    "nothing for a number": ("id,rating,time\n1,,3\n", r"column rating is not a number in 1 .*\(line 2: ''\)"),
    "NA for a number": ("id,rating,time\n1,2,NA\n", r"column time is not a whole number in 1 .*\(line 2: 'NA'\)"),
    "nan": ("id,rating,time\n1,nan,3\n", r"column rating is not a number in 1 .*\(line 2: 'nan'\)"),
    "infinite": ("id,rating,time\n1,-inf,3\n", r"column rating is not a number in 1 .*\(line 2: '-inf'\)"),
    "a fraction": ("id,rating,time\n1,2,3.5\n", r"column time is not a whole number in 1 .*\(line 2: '3.5'\)"),
    "too large": ("id,rating,time\n1,2,9223372036854775808\n", "column time is not a whole number in 1 "),
    "an empty text": ("id,rating,time\n,2,3\n", r"column id is not text in 1 of the rows \(line 2: ''\)"),
    "six of them": ("id,rating,time\n" + "1,x,3\n" * 6, "in 6 of the rows .*line 6: 'x', …"),
    "open quote": ('id,rating,time\n1,2,3\n"4,5,6\n7,8,9\n', "line 3 has a quote that is not closed"),
    "line after a quoted break": ('id,rating,time\n"a\nb",1,2\nc,x,4\n', r"\(line 4: 'x'\)"),
}


@pytest.mark.parametrize("name", DEFECTS)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_defect_is_reported_with_its_line(tmp_path: Path, name: str, compressed: bool) -> None:
    text, message = DEFECTS[name]
    path = write(tmp_path, gzip.compress(text.encode()), "r.csv.gz") if compressed else write(tmp_path, text, "r.csv")
    with pytest.raises(DataError, match=message) as caught:
        read_table(path, COLUMNS)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unclosed_quote_is_found_in_the_last_column(tmp_path: Path) -> None:
    path = write(tmp_path, 'n,tag\n1,"funny\n2,sad\n')
    with pytest.raises(DataError, match="line 2 has a quote that is not closed"):
        read_table(path, {"n": "int", "tag": "str"})


@pytest.mark.parametrize("header", [True, ["id", "rating", "time"]])
def test_line_numbers_count_the_header_line_or_not(tmp_path: Path, header: bool | list[str]) -> None:
    path = write(tmp_path, "1,2,3\n" * 4 + "1,x,3\n" if header is not True else "id,rating,time\n1,2,3\n\n\n1,x,3\n")
    with pytest.raises(DataError, match="line 5: 'x'"):
        read_table(path, COLUMNS, header=header)


def test_wrong_encoding_names_line_and_byte(tmp_path: Path) -> None:
    path = write(tmp_path, "id,rating,time\n1,2,3\ncafé,2,3\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not utf-8 on 1 line: line 3 \(byte 4: 0xe9\); .*latin-1"):
        read_table(path, COLUMNS)


@pytest.mark.parametrize("keep", [15, 60, -6])
def test_a_cut_gzip_is_reported(tmp_path: Path, keep: int) -> None:
    whole = gzip.compress(b"id,rating,time\n" + b"".join(b"%d,2,%d\n" % (n, n * n) for n in range(5000)))
    with pytest.raises(DataError, match=r"r\.csv\.gz is cut off or damaged after line [\d,]+; copy or download"):
        read_table(write(tmp_path, whole[:keep], "r.csv.gz"), COLUMNS)


def test_gzip_by_name_only_and_by_content_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cut off or damaged after line 0"):
        read_table(write(tmp_path, "id,rating,time\n1,2,3\n", "r.csv.gz"), COLUMNS)
    with pytest.raises(DataError, match=r"is gzip-compressed; rename it to r\.csv\.gz"):
        read_table(write(tmp_path, gzip.compress(b"id,rating,time\n1,2,3\n"), "r.csv"), COLUMNS)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_table(tmp_path, COLUMNS)
