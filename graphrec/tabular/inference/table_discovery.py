"""Finds and profiles the tables of command-line arguments: files, folders, patterns, archives and databases."""

import os
from collections.abc import Sequence
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path

import pandas as pd

from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.tabular import archives
from graphrec.tabular.inference import databases, rating_matrices, samples
from graphrec.tabular.inference.column_profile import profile_column
from graphrec.tabular.sniffing import TableProfile, sniff, sniff_workbook
from graphrec.tabular.spec import FileInput

_ROWS = 20_000
#: Suffixes of files that are not data, in addition to those of `archives`.
_NO_DATA = (
    ".log",
    ".zip.part",
    ".tmp",
    ".pyc",
    ".jar",
    ".exe",
    ".npy",
    ".npz",
    ".pt",
    ".pkl",
    ".pickle",
    ".h5",
    ".mat",
    ".toml",
)
_MOST_FILES = 2_000


def find_tables(arguments: Sequence[Path | str], folder: Path) -> tuple[list[TableProfile], list[str]]:
    """Profiles of the tables of all arguments, and an error message for each unreadable file.

    Raises:
        DataError: a file does not exist, or no file can be read.
    """
    found: list[TableProfile] = []
    unread: list[str] = []
    paths: list[Path] = []
    for argument in arguments:
        if databases.is_url(str(argument)):
            found += databases.profile_database(str(argument), folder)
        elif Path(argument).is_file() and samples.detect_form(Path(argument)) == "sqlite":
            found += databases.profile_database(f"sqlite:///{os.path.relpath(argument)}", folder)
        else:
            paths += _paths(argument)
    paths = list(dict.fromkeys(paths))
    num_rows = max(500, _ROWS // max(1, len(paths) // 3))
    for path in paths:
        try:
            form = samples.detect_form(path)
            several = sniff_workbook(path, form, num_rows) if form in ("xlsx", "ods") else [sniff(path, num_rows)]
            found += [_melt_matrix(table) for table in several]
        except GraphrecError as error:
            if len(paths) == 1 or not (path.is_file() or archives.find_archive(path)):
                raise
            unread.append(str(error))
    if not found:
        raise DataError(unread[0] if unread else "no file to look at; give at least one")
    return found, unread


def _paths(argument: Path | str) -> list[Path]:
    """The files of an argument."""
    path = Path(argument).expanduser()
    if path.is_dir():
        inside = sorted(
            p for p in path.rglob("*") if p.is_file() and not archives.is_ancillary(str(p.relative_to(path)))
        )
        inside = [p for p in inside if not p.name.casefold().endswith(_NO_DATA)]
        if not inside:
            raise DataError(f"the folder {path} has no data files; give the files themselves")
        if len(inside) > _MOST_FILES:
            raise DataError(f"the folder {path} has {len(inside):,} files; give a pattern such as '{path}/*.csv'")
        return [member for p in inside for member in _members(p)]
    if not path.exists() and has_magic(str(path)):
        matches = sorted(Path(match) for match in glob(str(path), recursive=True))  # noqa: PTH207  # takes any path
        matches = [match for match in matches if match.is_file()]
        if not matches:
            raise DataError(f"'{argument}' matches no file; check the pattern")
        return matches
    if not path.is_file() and archives.find_archive(path) is None:
        raise DataError(f"there is no file {first_few([str(path)])}; check the path")
    return _members(path)


def _members(path: Path) -> list[Path]:
    """The data files in a zip archive that is not a workbook, else the file itself."""
    if path.is_file() and archives.detect_compression(path) == "zip" and archives.detect_workbook(path) is None:
        return archives.find_members(path)
    return [path]


def _melt_matrix(table: TableProfile) -> TableProfile:
    """The table; a user-item matrix is melted into one row per cell."""
    if not rating_matrices.is_rating_matrix(table) or not isinstance(table.input, FileInput):
        return table
    first, *others = table.columns.values()
    parts = [
        pd.DataFrame({"row": first.values, "column": found.name, "value": found.values}) for found in others[:2000]
    ]
    long = pd.concat(parts).dropna().head(_ROWS)
    missing = tuple(dict.fromkeys(word for found in others for word in found.missing))
    columns = {name: profile_column(name, long[name].astype(str).tolist()) for name in long.columns}
    columns["value"] = replace(columns["value"], missing=missing)
    notes = (*table.notes, f"{len(others):,} columns are items and each row is a user")
    return replace(table, input=replace(table.input, shape="wide"), columns=columns, rows=len(long), notes=notes)
