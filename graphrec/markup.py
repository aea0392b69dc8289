"""Text as HTML and SVG may have it."""

from html import escape as escape_html

from graphrec.characters import without_controls


def escape(text: str) -> str:
    """The text between tags or in a quoted attribute: markup is escaped, what XML forbids is left out."""
    return escape_html(without_controls(text))
