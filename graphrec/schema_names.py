"""Which names labels, relationship types and properties may have, so that no name reads as a part of a statement.

Neo4j replaces `\\uXXXX` by the character it represents before it parses a statement, also between backticks: a name
with `\\u0060` in it would end the quoted name that contains it and continue as Cypher.
"""

import unicodedata
from typing import Literal

from graphrec.errors import DataError, shown

#: The most characters of a property's name; a column of a survey may be called by its whole question.
MAX_CHARACTERS = 1_000

#: The most bytes of a label or relationship type: the embedded store names files by them.
MAX_BYTES = 200

#: What a name is of.
What = Literal["label", "relationship type", "property", "source", "label, relationship type or property"]


def defect(name: str) -> str:
    """Why a name cannot be used in a statement, such as "has a control character"; "" where it can."""
    if not name.strip():
        return "is empty"
    if len(name) > MAX_CHARACTERS:
        return f"has more than {MAX_CHARACTERS:,} characters"
    if "\\u" in name:
        return "has a backslash before a u, which Neo4j reads as an escaped character"
    for sign in name:
        category = unicodedata.category(sign)
        if category == "Cc":
            return "has a control character"
        if category in ("Zl", "Zp"):
            return "has a line break"
        if category == "Cs":
            return "has half a character (a lone surrogate)"
    return ""


def usable(name: str) -> bool:
    """Whether a name can be used in a statement."""
    return not defect(name)


def require_name(name: str, what: What = "label, relationship type or property") -> None:
    """Raise DataError if a name cannot be that of a label, relationship type, property or source."""
    found = defect(name)
    if not found and what in ("label", "relationship type") and len(name.encode()) > MAX_BYTES:
        found = f"has more than {MAX_BYTES} bytes"
    if found:
        raise DataError(f"'{shown(name)}' cannot be the name of a {what}: it {found}; choose another name")
