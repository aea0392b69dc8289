"""Escapes keys in JSON pointers (RFC 6901), in which `~` and `/` are `~0` and `~1`."""


def escape_key(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape_key(part: str) -> str:
    """The key of a part of a JSON pointer."""
    return part.replace("~1", "/").replace("~0", "~")
