"""Remove or escape characters that are unsafe in terminals, messages and pages, and formulas in CSV files."""

import re

#: Control characters (C1, and C0 except tab and line feed), line and paragraph separators, bidirectional embeddings,
#: overrides and isolates, which would reverse the text after them, lone surrogates and noncharacters. XML 1.0 forbids
#: most of them, even as references.
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
#: The beginning of a text that a spreadsheet runs as a formula.
_FORMULA = re.compile(r"[\s\0]*[=+\-@\uff0b\uff0d\uff1d\uff20|%]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?\s*")
_ON_ONE_LINE = re.compile(f"[\t\n]|{CONTROLS.pattern}")


def remove_controls(text: str) -> str:
    """The text without the characters in CONTROLS; tabs and line feeds are kept."""
    return CONTROLS.sub("", text)


def escape_controls(text: str, lines: bool = False) -> str:
    r"""The text with the characters in CONTROLS as escapes such as \x1b.

    Tabs and line feeds are escaped as well, unless the text may have several `lines`.
    """
    return (CONTROLS if lines else _ON_ONE_LINE).sub(lambda match: ascii(match[0])[1:-1], text)


def escape_unprintable(text: str) -> str:
    r"""The text on one line, with unprintable characters as escapes such as \u200b."""
    return text if text.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def disarm(value: object) -> object:
    """A cell of a CSV file that no spreadsheet runs as a formula: a text that is one gets an apostrophe before it.

    Numbers, also those written as text, are unchanged.

    >>> disarm("=1+1"), disarm("-3.5"), disarm("@SUM(A1)"), disarm("a=1")
    ("'=1+1", '-3.5', "'@SUM(A1)", 'a=1')
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value) or not _FORMULA.match(value):
        return value
    return f"'{value}"
