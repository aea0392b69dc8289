"""Escape text for HTML and SVG."""

from html import escape as escape_html

from graphrec.characters import remove_controls


def escape(text: str) -> str:
    """The text for use between tags or in a quoted attribute, without characters that XML forbids."""
    return escape_html(remove_controls(text))
