"""Check the names of labels, relationship types and properties, so that no name acts as a part of a statement.

Neo4j replaces `\\uXXXX` by the character it represents before it parses a statement, also between backticks: a name
with `\\u0060` in it would end the quoted name that contains it and continue as Cypher.
"""

import unicodedata
from typing import Literal

from graphrec.errors import DataError, format_value

#: Maximum number of characters of a property's name; the column of a survey may be named by its whole question.
MAX_CHARACTERS = 1_000

#: Maximum number of bytes of a label or relationship type: the embedded store uses them as file names.
MAX_BYTES = 200

#: The kinds of names.
What = Literal["label", "relationship type", "property", "source", "label, relationship type or property"]


def defect(name: str) -> str:
    """The reason why a name cannot be used in a statement, such as "has a control character"; "" if it can."""
    if not name.strip():
        return "is empty"
    if len(name) > MAX_CHARACTERS:
        return f"has more than {MAX_CHARACTERS:,} characters"
    if "\\u" in name:
        return "has a backslash before a u, which Neo4j reads as an escaped character"
    for character in name:
        category = unicodedata.category(character)
        if category == "Cc":
            return "has a control character"
        if category in ("Zl", "Zp"):
            return "has a line break"
        if category == "Cs":
            return "has half a character (a lone surrogate)"
    return ""


def is_usable(name: str) -> bool:
    """Whether a name can be used in a statement."""
    return not defect(name)


def require_name(name: str, what: What = "label, relationship type or property") -> None:
    """Raise DataError if a name cannot be used for a label, relationship type, property or source."""
    reason = defect(name)
    if not reason and what in ("label", "relationship type") and len(name.encode()) > MAX_BYTES:
        reason = f"has more than {MAX_BYTES} bytes"
    if reason:
        raise DataError(f"'{format_value(name)}' cannot be the name of a {what}: it {reason}; choose another name")
