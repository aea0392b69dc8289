"""The kind, number notation and missing words of a column."""

import pytest

from graphrec.tabular.inference.column_profile import profile_column


@pytest.mark.parametrize(
    ("texts", "kind", "notation"),
    [
        (["1", "22", "-3"], "int", (".", None)),
        (["007", "12"], "str", (".", None)),
        (["1.5", "2", "1e3"], "float", (".", None)),
        (["1,5", "2,25"], "float", (",", None)),
        (["1.250,00", "12,5", "3.000.000,1"], "float", (",", ".")),
        (["1,204", "35", "12,500"], "int", (".", ",")),
        (["1'204.50", "35"], "float", (".", "'")),
        (["1 250,00", "980,50"], "float", (",", " ")),
        (["1\u00a0250,00", "980,50"], "float", (",", "\u00a0")),
        (["true", "False"], "bool", (".", None)),
        (["9223372036854775808", "1"], "str", (".", None)),
        (["1,2,3", "4,5"], "str", (".", None)),
        (["12.03.2021", "1.5"], "str", (".", None)),
    ],
)
def test_numbers_in_any_notation(texts: list[str], kind: str, notation: tuple[str, str | None]) -> None:
    found = profile_column("x", texts)
    assert (found.kind, found.notation) == (kind, notation)


@pytest.mark.parametrize(
    ("name", "texts", "missing", "kind"),
    [
        ("rating", ["4", "NULL", "5"], ("NULL",), "int"),
        ("rating", ["4", "-", "n/a", "\\N", "NA", "5.5"], ("-", "n/a", "\\N", "NA"), "float"),
        ("seen_at", ["2021-03-04", "NaT", "2021-03-05"], ("NaT",), "str"),
        ("country", ["NA", "DE", "FR"], (), "str"),
        ("country", ["NULL", "DE", "FR"], ("NULL",), "str"),
        ("title", ["none", "some", "all"], (), "str"),
        ("user_id", ["none", "u1", "u2"], ("none",), "str"),
        ("episodes", [*map(str, range(20)), "Unknown"], ("Unknown",), "int"),
    ],
)
def test_words_for_missing(name: str, texts: list[str], missing: tuple[str, ...], kind: str) -> None:
    found = profile_column(name, texts)
    assert (found.missing, found.kind) == (missing, kind)
    assert found.values.isna().sum() == len(missing)
