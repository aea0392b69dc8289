"""Every proposal can be loaded and gives the rows as written (property-based)."""

import csv
import io
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.tabular import read
from graphrec.tabular.proposal import examine
from tests.sizes import num_examples

_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\ufeff"), min_size=1, max_size=8
)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[tuple[str, str, str]], str, str, str, str]:
    """Rows of user, item and rating, with a separator, a quote, an encoding and line ends to write them with."""
    users = draw(st.lists(st.sampled_from(["u1", "u2", "ü3", "u 4", "5"]), min_size=2, max_size=12))
    rows = [
        (user, draw(st.sampled_from(["a1", "b2", 'c"3', "d,4", "e;5"])), draw(st.sampled_from(["1", "2.5", "4", "5"])))
        for user in users
    ]
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    return (
        rows,
        separator,
        '"',
        draw(st.sampled_from(["utf-8", "cp1252", "utf-16"])),
        draw(st.sampled_from(["\n", "\r\n"])),
    )


def _loaded_as_written(table: tuple[list[tuple[str, str, str]], str, str, str, str], folder: Path) -> None:
    rows, separator, quote, coding, end = table
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quotechar=quote, lineterminator=end)
    writer.writerows([("user_id", "item_id", "rating"), *rows])
    (folder / "r.csv").write_bytes(out.getvalue().encode(coding))
    (folder / "r.toml").write_text(examine([folder / "r.csv"], folder).toml, encoding="utf-8")
    frame = read(folder / "r.toml").edge("RATED").frame
    last = {(user, item): float(rating) for user, item, rating in reversed(rows)}
    found = {(a, b): c for a, b, c in frame[["source_id", "target_id", "rating"]].itertuples(index=False, name=None)}
    assert found == last


@settings(max_examples=num_examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=_tables())
def test_tables_of_any_dialect_load_as_written(table: Any, tmp_path: Path) -> None:  # as _tables makes it
    _loaded_as_written(table, tmp_path)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=_tables())
def test_many_tables_of_any_dialect_load_as_written(table: Any, tmp_path: Path) -> None:  # as _tables makes it
    _loaded_as_written(table, tmp_path)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.lists(st.lists(_TEXTS, min_size=1, max_size=4), min_size=1, max_size=6).map(
    lambda rows: "\n".join(",".join(row) for row in rows).encode()
))  # fmt: skip
def test_whatever_bytes_a_file_has_sniff_proposes_or_says_why(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    try:
        text = examine([tmp_path / "x.csv"], tmp_path).toml
    except DataError:
        return
    tomllib.loads(text)
