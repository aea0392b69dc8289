"""Characters that no terminal, message or page should get as they are: controls, and halves of surrogate pairs."""

import re

#: Control characters (C0 but tab and line feed, C1), line and paragraph separators, embeddings, overrides and isolates
#: of the direction of writing, which would turn around what stands after them, halves of surrogate pairs and
#: noncharacters. XML 1.0 forbids most of them, even as references.
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_ON_ONE_LINE = re.compile(f"[\t\n]|{CONTROLS.pattern}")


def without_controls(text: str) -> str:
    """The text without control characters and the like; tabs and line feeds stay."""
    return CONTROLS.sub("", text)


def escaped(text: str, lines: bool = False) -> str:
    r"""The text with control characters and the like as escapes such as \x1b.

    Tabs and line feeds are escaped as well, unless the text may have several `lines`.
    """
    return (CONTROLS if lines else _ON_ONE_LINE).sub(lambda match: ascii(match[0])[1:-1], text)
