"""A user's own tables: a TOML file says which file or query fills which label or relationship type."""

from graphrec.tabular.reader import find_spec, read

__all__ = ["find_spec", "read"]
