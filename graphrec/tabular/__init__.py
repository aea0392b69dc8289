"""A user's own tables: a TOML file says which file or query fills which label or relationship type."""

from graphrec.tabular.reader import Description, find_spec, read

__all__ = ["Description", "find_spec", "read"]
