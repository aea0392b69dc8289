"""Characters that no terminal, message or page should get as they are: controls, and halves of surrogate pairs."""

import re

#: Control characters (C0 but tab and line feed, C1), line and paragraph separators, embeddings, overrides and isolates
#: of the direction of writing, which would reverse the text after them, halves of surrogate pairs and
#: noncharacters. XML 1.0 forbids most of them, even as references.
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = re.compile(r"[\s\0]*[=+\-@\uff0b\uff0d\uff1d\uff20|%]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?%?\s*")
_ON_ONE_LINE = re.compile(f"[\t\n]|{CONTROLS.pattern}")


def without_controls(text: str) -> str:
    """The text without control characters and the like; tabs and line feeds stay."""
    return CONTROLS.sub("", text)


def escaped(text: str, lines: bool = False) -> str:
    r"""The text with control characters and the like as escapes such as \x1b.

    Tabs and line feeds are escaped as well, unless the text may have several `lines`.
    """
    return (CONTROLS if lines else _ON_ONE_LINE).sub(lambda match: ascii(match[0])[1:-1], text)


def printable(text: str) -> str:
    r"""The text on one line, each sign that a terminal does not print as it is written as an escape such as \u200b."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def disarmed(value: object) -> object:
    """A cell of a CSV file as a spreadsheet shows it and never carries out: a text that it would take for a formula has
    an apostrophe before it. Numbers, also those that are written as text, stay as they are.

    >>> disarmed("=1+1"), disarmed("-3.5"), disarmed("@SUM(A1)"), disarmed("a=1")
    ("'=1+1", '-3.5', "'@SUM(A1)", 'a=1')
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value) or not _FORMULA.match(value):
        return value
    return f"'{value}"
