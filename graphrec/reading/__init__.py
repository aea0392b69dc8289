"""Strict reading of files for loaders: a defect is reported with its line numbers, and nothing is repaired."""

from graphrec.reading.files import find, has
from graphrec.reading.json_lines import JsonKind, read_json_lines
from graphrec.reading.lists import Lists, read_lists
from graphrec.reading.table import Kind, read_table

__all__ = ["JsonKind", "Kind", "Lists", "find", "has", "read_json_lines", "read_lists", "read_table"]
