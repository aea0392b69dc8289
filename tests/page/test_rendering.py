"""Templates escape every value; addresses, times and files are as browsers need them."""

from datetime import UTC, datetime

import pytest
from jinja2 import UndefinedError

from graphrec.explanation.svg import STYLE
from graphrec.page import rendering
from graphrec.page.rendering import FILES, address, file_address, node_address, read_file, render


def test_values_are_escaped_and_lose_control_characters() -> None:
    page = render("error_message.html", detail="<script>alert('1')</script> \u202ereversed\x07")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "\x07" not in page


def test_a_template_without_a_value_fails() -> None:
    with pytest.raises(UndefinedError, match="detail"):
        render("error_message.html")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "/search"),
        ({"text": "a b/c?d&é"}, "/search?text=a%20b%2Fc%3Fd%26%C3%A9"),
        ({"text": "", "page": None, "step": 0, "k": 5}, "/search?k=5"),
        ({"liked": ["1", "2"]}, "/search?liked=1&liked=2"),
    ],
)
def test_parameters_are_percent_encoded_and_empty_ones_left_out(parameters: dict[str, object], expected: str) -> None:
    assert address("/search", parameters) == expected


def test_a_node_has_an_address_by_its_label() -> None:
    assert node_address("User", "1/2") == "/user?id=1%2F2"
    assert node_address("Item", "7") == "/item?id=7"
    assert node_address("Genre", "sci-fi & more") == "/value?label=Genre&id=sci-fi%20%26%20more"


@pytest.mark.parametrize("name", FILES)
def test_the_address_of_a_file_changes_with_its_content(name: str) -> None:
    assert file_address(name).startswith(f"/files/{name}?v=")
    assert len({file_address(each) for each in FILES}) == len(FILES)
    assert read_file(name)


def test_the_style_sheet_has_the_style_of_explanations() -> None:
    assert read_file("page.css").endswith(STYLE.encode())


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.00042, "0.4 ms"),
        (0.0099, "9.9 ms"),
        (0.012, "12 ms"),
        (0.9992, "999 ms"),
        (0.9996, "1.0 s"),
        (75.0, "75.0 s"),
    ],
)
def test_durations_have_two_digits(seconds: float, expected: str) -> None:
    assert rendering._format_duration(seconds) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (-3600, "in the future"),
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7300, "2 hours ago"),
        (86_400 * 12, "12 days ago"),
        (86_400 * 40, "1 month ago"),
        (86_400 * 800, "2 years ago"),
    ],
)
def test_an_age_has_its_largest_unit(age: float, expected: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert rendering._format_age(now.timestamp() - age, now.timestamp()) == expected
    moment = datetime.fromtimestamp(now.timestamp() - age, UTC).isoformat()
    assert rendering._format_age(moment, now.timestamp()) == expected
