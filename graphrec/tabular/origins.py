"""Where the rows of a table come from: files that are there, or a query and a connection."""

import os
import re
from collections.abc import Mapping
from glob import glob, has_magic
from pathlib import Path
from typing import cast
from urllib.parse import quote

from graphrec.errors import examples, nearest
from graphrec.tabular.section import Section
from graphrec.tabular.spec import Files, Format, Query

FILE_KEYS = ("file", "format", "separator", "quote", "encoding", "header", "missing", "where")
QUERY_KEYS = ("sql", "url", "connection")
ORIGIN_KEYS = (*FILE_KEYS, *QUERY_KEYS)

_FORMATS = ("csv", "tsv", "jsonl", "parquet")
#: What the end of a name, without .gz, says of the form.
_SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def origin(section: Section, connections: Mapping[str, str], folder: Path) -> Files | Query:
    """The files or the query of a section; DataError where it has neither or both, or a file is not there."""
    if section.has("file") == section.has("sql"):
        raise section.error("file", "or sql is needed, and not both: where the rows come from")
    if section.has("sql"):
        _refuse(section, FILE_KEYS, "goes with file; say it in the sql")
        url, values = _url(section, connections)
        return Query(section.text("sql"), url, folder, values)
    _refuse(section, QUERY_KEYS, "goes with sql")
    paths = tuple(path for name in section.texts("file") for path in _paths(section, name, folder))
    if not paths:
        raise section.error("file", "must name at least one file")
    name = paths[0].name.lower().removesuffix(".gz")
    form = section.choice("format", _FORMATS, _SUFFIXES.get(Path(name).suffix, "csv"))
    separator = section.text("separator", "\t" if form == "tsv" else ",")
    sign = section.text("quote", '"' if form == "csv" else "", may_be_empty=True)
    if len(sign) > 1 or not 1 <= len(separator.encode()) <= 4 or separator == sign or set(separator) & set("\r\n\0"):
        raise section.error("separator", "must be one to four characters, and quote at most one that is another")
    return Files(
        paths,
        cast(Format, "csv" if form == "tsv" else form),
        separator,
        sign,
        _encoding(section),
        section.texts("header") if section.has("header") else None,
        section.texts("missing", ("",)),
        _where(section),
    )


def expanded(section: Section, key: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The text with ${NAME} replaced by environment variables, and the values that were put in.

    A value is percent-encoded if it is the password of the address. No message shows a value.
    """
    values: list[str] = []

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise section.error(key, f"needs the environment variable {match[1]}, which is not set; export it first")
        values.append(found)
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        return quote(found, safe="") if before == ":" and after == "@" else found

    return _VARIABLE.sub(value, text), tuple(values)


def _url(section: Section, connections: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The address of the database that answers, and the environment's values in it."""
    if section.has("url") == section.has("connection"):
        raise section.error("url", "or connection is needed with sql, and not both: which database answers")
    if section.has("url"):
        return expanded(section, "url", section.text("url"))
    name = section.text("connection")
    if name not in connections:
        if "://" in name or "=" in name:
            raise section.error("connection", "is the name of one in [connections], not an address; write url instead")
        close = nearest(name, connections, 1)
        hint = f"did you mean {close[0]}?" if close else "add it there"
        raise section.error("connection", f"'{name}' is not in [connections]; {hint}")
    return expanded(section, "connection", connections[name])


def _paths(section: Section, name: str, folder: Path) -> list[Path]:
    """The file of a name, or all files of a pattern in the order of their names."""
    if "://" in name:
        raise section.error("file", "is an address; download it first, and give the file")  # not shown: a password
    if "\0" in name or not name:
        raise section.error("file", "must be a path or a pattern")
    path = folder / Path(name).expanduser()
    if path.is_file():
        return [path]
    if has_magic(name):
        matches = glob(str(Path(name).expanduser()), root_dir=folder, recursive=True)  # noqa: PTH207  # takes any path
        found = sorted(folder / match for match in matches if (folder / match).is_file())
        if not found:
            raise section.error("file", f"'{name}' fits no file in {folder}")
        return found
    there = sorted(p.name for p in path.parent.iterdir() if p.is_file()) if path.parent.is_dir() else []
    close = nearest(path.name, there, 1)
    hint = f"did you mean {close[0]}?" if close else f"the folder has {examples(there, 10) or 'no file'}"
    raise section.error("file", f"'{name}' is not there; {hint}")


def _encoding(section: Section) -> str:
    name = section.text("encoding", "utf-8")
    try:
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise section.error("encoding", f"'{name}' is unknown; utf-8, latin-1, cp1252 and utf-16 are common") from error
    return name


def _where(section: Section) -> dict[str, tuple[str, ...]]:
    part = section.section("where")
    return {name: part.texts(name) for name in part.values}


def _refuse(section: Section, keys: tuple[str, ...], reason: str) -> None:
    for key in keys:
        if section.has(key):
            raise section.error(key, reason)
