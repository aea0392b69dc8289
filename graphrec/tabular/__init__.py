"""Reads your own tables: a TOML file maps files, frames and SQL queries to labels and relationship types."""

from graphrec.tabular.reader import Description, find_spec, read

__all__ = ["Description", "find_spec", "read"]
