"""The dialect, header and sheet of a single file, and the time that sniffing takes."""

from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.tabular import read
from graphrec.tabular.proposal import examine
from graphrec.tabular.sniffing import sniff

from .workbooks import xlsx


def test_what_a_header_lacks_or_doubles_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id,rating,rating\n1,2,3,4\n2,3,4,5\n")
    assert sniff(tmp_path / "a.csv").notes == ("the header has 'rating' 2 times: the later ones are rating_2 …",)
    (tmp_path / "b.csv").write_text("user_id,item_id,rating\n1,2,3,\n2,3,4,\n")  # a separator at the end of rows only
    found = sniff(tmp_path / "b.csv")
    assert list(found.columns)[:3] == ["user_id", "item_id", "rating"]
    assert "each row ends with a separator" in found.notes[0]
    (tmp_path / "c.csv").write_text("Report;;\n;;\nid;name;price\n1;A;1.5\n2;B;2.5\n")
    found = sniff(tmp_path / "c.csv")
    assert (list(found.columns), found.input.skip) == (["id", "name", "price"], 2)  # type: ignore[union-attr]  # Files


def test_a_sheet_below_a_title(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Sales of 2024", "", ""], ["customer", "sku", "qty"], ["c1", "s1", 2], ["c2", "s1", 1]]
    (tmp_path / "sales.xlsx").write_bytes(xlsx(One=rows))
    text = examine([tmp_path / "sales.xlsx"], tmp_path).toml
    assert "skip = 1" in text
    (tmp_path / "spec.toml").write_text(text)
    assert read(tmp_path / "spec.toml").edge("PURCHASED").frame["qty"].tolist() == [2, 1]


def test_lines_below_the_id_of_what_they_belong_to_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "combined.txt"
    path.write_text("1:\n5,3,2005-09-06\n7,4,2005-05-13\n2:\n5,4,2005-09-05\n9,1,2005-10-19\n")
    with pytest.raises(DataError, match=r"lines such as '2:', which are headings of the lines below.*awk"):
        sniff(path)


@pytest.mark.slow
def test_wide_and_large_files_are_quick(tmp_path: Path) -> None:
    from time import process_time

    (tmp_path / "wide.csv").write_text(
        "user_id," + ",".join(f"f{n}" for n in range(5000)) + "\n"
        + "".join(f"u{row}," + ",".join(f"{row}.{n}" for n in range(5000)) + "\n" for row in range(20))
    )  # fmt: skip
    started = process_time()
    examine([tmp_path / "wide.csv"], tmp_path)
    assert process_time() - started < 15
    line = b"12345,678,4,1500000000\n"
    with (tmp_path / "large.csv").open("wb") as out:
        out.write(b"user_id,item_id,rating,timestamp\n")
        for _ in range(400):
            out.write(line * 40_000)
    started = process_time()
    assert not sniff(tmp_path / "large.csv").whole
    assert process_time() - started < 10
