"""JSON lines: values are read exactly, and each invalid line or field is reported."""

import gzip
from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.reading import JsonKind, read_json_lines

COLUMNS: dict[str, JsonKind] = {"id": "str", "stars": "float", "time": "int"}


def write(folder: Path, text: str | bytes, name: str = "r.json") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_values_and_dtypes_come_back_exactly(tmp_path: Path) -> None:
    path = write(
        tmp_path, '{"time": 9007199254740993, "id": "007", "x": 1, "stars": 5}\n{"id":"é\\u00e9","stars":0.5,"time":-5}'
    )
    frame = read_json_lines(path, COLUMNS)
    assert frame["id"].tolist() == ["007", "éé"]
    assert frame["stars"].tolist() == [5.0, 0.5]
    assert frame["time"].tolist() == [9007199254740993, -5]  # no way through a float
    assert list(frame.columns) == ["id", "stars", "time"]
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "float64", "int64"]


def test_optional_fields_are_missing_if_null_absent_or_empty(tmp_path: Path) -> None:
    path = write(
        tmp_path, '{"a": null, "b": null, "c": null}\n{}\n{"a": "", "b": 2, "c": 0.5}\n{"a": "NA", "d": [1]}\n'
    )
    frame = read_json_lines(path, {"d": "json?", "a": "str?", "b": "int?", "c": "float?"})
    assert frame["a"].isna().tolist() == [True, True, True, False]
    assert frame["b"].isna().tolist() == [True, True, False, True]
    assert frame["c"].tolist()[2] == 0.5
    assert frame["d"].tolist() == [None, None, None, [1]]
    assert [str(dtype) for dtype in frame.dtypes] == ["object", "str", "Int64", "Float64"]


def test_gzip_byte_order_mark_blank_lines_and_many_batches(tmp_path: Path) -> None:
    lines = b"\xef\xbb\xbf" + b"".join(b'{"id": "%d"}\n\n' % number for number in range(60_000))
    frame = read_json_lines(write(tmp_path, gzip.compress(lines), "r.json.gz"), {"id": "str"})
    assert frame["id"].tolist() == [str(number) for number in range(60_000)]


def test_python_literals_only_if_they_are_allowed(tmp_path: Path) -> None:
    path = write(tmp_path, "{'id': 'it\\'s', 'list': [1, None]}\n{\"id\": \"b\", \"list\": null}\n")
    frame = read_json_lines(path, {"id": "str", "list": "json?"}, literals=True)
    assert frame["id"].tolist() == ["it's", "b"]
    assert frame["list"].tolist() == [[1, None], None]
    with pytest.raises(DataError, match=r"1 of the lines hold no JSON object \(line 1: Expecting property name"):
        read_json_lines(path, {"id": "str"})


DEFECTS: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("\n", "is empty; copy or download it again"),
    "a cut line": ('{"id": "a", "stars": 1, "time": 1}\n{"id": "b', r"1 of the lines .*\(line 2: Unterminated string"),
    "a list": ("[1]\n", r"1 of the lines hold no JSON object \(line 1: a list\)"),
    "two objects": ("{} {}\n", r"line 1: Extra data"),
    "no utf-8": (b'{"id": "\xe9"}\n', r"line 1: 'utf-8' codec can't decode byte 0xe9"),
    "a number for text": (
        '{"id": 7, "stars": 1, "time": 1}\n',
        r"field id is not text in 1 of the lines \(line 1: 7\)",
    ),
    "no id": ('\n{"stars": 1, "time": 1}\n', r"field id is not text in 1 of the lines \(line 2: null\)"),
    "an empty id": ('{"id": "", "stars": 1, "time": 1}\n', r"field id is not text .*\(line 1: \"\"\)"),
    "half a sign": ('{"id": "\\ud83d", "stars": 1, "time": 1}\n', r"field id is not text .*ud83d"),
    "a truth": ('{"id": "a", "stars": true, "time": 1}\n', r"field stars is not a number .*\(line 1: true\)"),
    "a truth for a whole number": (
        '{"id": "a", "stars": 1, "time": true}\n',
        r"field time is not a whole number .*\(line 1: true\)",
    ),
    "no number": ('{"id": "a", "stars": NaN, "time": 1}\n', r"field stars is not a number .*\(line 1: NaN\)"),
    "a fraction": ('{"id": "a", "stars": 1, "time": 1.5}\n', r"field time is not a whole number .*\(line 1: 1\.5\)"),
    "too large": ('{"id": "a", "stars": 1, "time": 9223372036854775808}\n', "field time is not a whole number in 1"),
    "six of them": ('{"id": "a", "stars": 1}\n' * 6, "in 6 of the lines .*line 5: null, …"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_reported_with_its_line(tmp_path: Path, name: str) -> None:
    text, message = DEFECTS[name]
    with pytest.raises(DataError, match=message) as caught:
        read_json_lines(write(tmp_path, text), COLUMNS)
    assert "r.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{'id': open('x')}", "{'id': 1", "{" * 100_000, "{'id': {[]: 1}}"])
def test_an_invalid_literal_is_reported(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"1 of the lines hold no JSON object \(line 1: "):
        read_json_lines(write(tmp_path, text), {"id": "str"}, literals=True)


def test_a_file_that_is_missing_or_cut_off_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no file r\.json and no r\.json\.gz; it is empty"):
        read_json_lines(tmp_path / "r.json", COLUMNS)
    whole = gzip.compress(b"".join(b'{"id": "%d"}\n' % (number * number) for number in range(5000)))
    with pytest.raises(DataError, match=r"r\.json\.gz is cut off or damaged after line"):
        read_json_lines(write(tmp_path, whole[:-20], "r.json.gz"), {"id": "str"})
