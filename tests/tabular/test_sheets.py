"""Sheets of workbooks: numbers, dates and yes and no as what they are, and every way in which a workbook is none."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from graphrec.errors import DataError, GraphrecError
from graphrec.tabular import sheets

from .conftest import Reader
from .workbooks import Rows, ods, xlsx, zipped

EDGE = (
    '[edges.RATED]\nfrom = "User:u"\nto = "Item:i"\nproperties = ["r", "good"]\ntime = "t"\nrepeated = "last"\nfile = '
)
NOON = datetime(2024, 1, 2, 12)
ROWS: Rows = [
    ["u", "i", "r", "t", "good", "u"],
    [1, "007", 4.5, NOON, True, "x"],
    [14503.0, "b & c", None, None, False, "y"],
    [None, None, None, None, None, None],
    ["s", 2.5, 3, NOON, None, "z"],
]


def check(frame: pd.DataFrame) -> None:
    assert frame["source_id"].tolist() == ["1", "14503", "s"]
    assert frame["target_id"].tolist() == ["007", "b & c", "2.5"]
    assert frame["r"].fillna(-1).tolist() == [4.5, -1, 3]
    assert frame["timestamp"].fillna(0).tolist() == [1_704_196_800, 0, 1_704_196_800]


def test_a_sheet_of_every_type(reader: Reader) -> None:
    frame = reader(EDGE + '"r.xlsx"', r__xlsx=xlsx(One=ROWS)).edge("RATED").frame
    check(frame)
    assert frame["good"].astype("object").where(frame["good"].notna(), None).tolist() == [True, False, None]


def test_an_open_document(reader: Reader) -> None:
    check(reader(EDGE + '"r.ods"', r__ods=ods(ROWS)).edge("RATED").frame)


def test_content_counts_and_not_the_name(reader: Reader) -> None:
    check(reader(EDGE + '"r.csv"', r__csv=xlsx(One=ROWS)).edge("RATED").frame)
    check(reader(EDGE + '"r.zip/d/r.xlsx"', r__zip=zipped({"d/r.xlsx": xlsx(One=ROWS)})).edge("RATED").frame)
    text = b"u,i,r,t,good\n1,007,4.5,2024-01-02T12:00:00,true\n"
    assert reader(EDGE + '"r.xlsx"', r__xlsx=text).edge("RATED").frame["source_id"].tolist() == ["1"]


def test_the_sheet_that_is_named(reader: Reader) -> None:
    content = xlsx(Notes=[["this", "is no table"]], Sales=[["Sales of May"], [], *ROWS])
    check(reader(EDGE + '"r.xlsx"\nsheet = "Sales"\nskip = 1', r__xlsx=content).edge("RATED").frame)
    with pytest.raises(DataError, match=r"r.xlsx has no sheet sales; did you mean Sales\?"):
        reader(EDGE + '"r.xlsx"\nsheet = "sales"', r__xlsx=content)
    with pytest.raises(DataError, match=r"r.xlsx has no column 'u', but it has this, is no table"):
        reader(EDGE + '"r.xlsx"', r__xlsx=content)


def test_where_missing_doubled_columns_and_a_header_of_ones_own(reader: Reader) -> None:
    toml = EDGE.replace("User:u", "User:u_2") + '"r.xlsx"\n'
    tables = reader(f'{toml}where = {{ u = ["1", "s"] }}\nmissing = ["", "z"]', r__xlsx=xlsx(One=ROWS))
    assert tables.edge("RATED").frame["source_id"].tolist() == ["x"]
    tables = reader(f'{EDGE}"r.xlsx"\nskip = 1\nheader = ["u", "i", "r", "t", "good"]', r__xlsx=xlsx(One=ROWS))
    check(tables.edge("RATED").frame)


REFUSED = {
    "empty": (xlsx(One=[]), r"r.xlsx has an empty sheet"),
    "a header only": (xlsx(One=ROWS[:1]), r"it has no rows"),
    "no sheet": (xlsx(), r"r.xlsx (is damaged or no workbook|has no sheet)"),
    "cut": (xlsx(One=ROWS)[:-40], r"r.xlsx is truncated or damaged"),
    "broken inside": (zipped({"xl/workbook.xml": "<workbook", "[Content_Types].xml": "x"}), r"r.xlsx is damaged"),
    "an older form that is none": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 900, r"r.xlsx is damaged"),
    "a web page": (b"<html><table><tr><td>1</td></tr></table>", "r.xlsx is a web page"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_workbooks_that_are_refused(case: str, reader: Reader) -> None:
    content, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        reader(EDGE + '"r.xlsx"', r__xlsx=content)


def test_a_cell_far_away_ends_in_a_sentence(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet is held whole, from its first cell to its last, and this one would have 16 thousand million cells."""
    monkeypatch.setattr(sheets, "_MAX_MEMORY", 1 << 30)
    content = xlsx(One=ROWS)
    far = b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData>"
    parts = unzipped(content)
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", far)
    with pytest.raises(
        DataError, match=r"r.xlsx takes more memory than 1 GB to read, or is damaged; save the sheet as CSV"
    ):
        reader(EDGE + '"r.xlsx"', r__xlsx=zipped(parts))


def unzipped(content: bytes) -> dict[str, bytes]:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_workbook_that_is_too_large_is_refused(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_MAX_UNPACKED", 100)
    with pytest.raises(DataError, match="r.xlsx has 0 GB when it is unpacked; save the sheet as CSV"):
        reader(EDGE + '"r.xlsx"', r__xlsx=xlsx(One=ROWS))


def test_without_the_reader_its_name_is_said(reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sheets, "find_spec", lambda _: None)
    with pytest.raises(GraphrecError, match=rf"{tmp_path}/r.xlsx is a workbook, .* pip install 'graphrec\[excel\]'"):
        reader(EDGE + '"r.xlsx"', r__xlsx=xlsx(One=ROWS))
