"""Resolves paths, patterns, folders and zip archives to data files, and detects their format."""

import json
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from glob import glob, has_magic
from pathlib import Path

from graphrec.errors import first_few, nearest
from graphrec.tabular import archives
from graphrec.tabular.toml_section import TomlSection

#: Format by file name suffix, without the suffix of a compression.
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
_WORKBOOKS = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xlsb": "xlsx", ".ods": "ods"}
_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst|zip)$")
_OBJECT = re.compile(r'\s*\{\s*["}]')
_ARRAY = re.compile(r"\s*\[\s*[{\]]")
_SAMPLE = 1 << 16


def find_files(section: TomlSection, name: str, folder: Path) -> list[Path]:
    """The files of a path, pattern, folder or zip archive, sorted by name; DataError if there is no file."""
    if "://" in name:
        raise section.error(
            "file", "is a URL; download it first, and give the file"
        )  # not shown: a password may be in it
    if "\0" in name or not name:
        raise section.error("file", "must be a path or a pattern")
    try:
        path = folder / Path(name).expanduser()
        if path.is_file():
            return _expand_archive(path)
        if path.is_dir():
            return _find_in_folder(section, name, path)
        if (archive := archives.find_archive(path)) and archives.detect_compression(archive) == "zip":
            return _find_in_archive(path, archive)
        if has_magic(name):
            matches = glob(str(Path(name).expanduser()), root_dir=folder, recursive=True)  # noqa: PTH207  # takes any path
            files = sorted(folder / match for match in matches if (folder / match).is_file())
            if not files:
                raise section.error("file", f"'{name}' matches no file in {folder}")
            return [member for file in files for member in _expand_archive(file)]
        names = sorted(p.name for p in path.parent.iterdir() if p.is_file()) if path.parent.is_dir() else []
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise section.error("file", f"{first_few([name])} cannot be looked up: {reason}; check the path") from error
    close = nearest(path.name, names, 1)
    hint = f"did you mean {close[0]}?" if close else f"the folder has {first_few(names, 10) or 'no file'}"
    raise section.error("file", f"'{name}' does not exist; {hint}")


def detect_format(path: Path, encoding: str = "utf-8", records: bool = False) -> str:
    """The format of a file by its content, or by its name if the content is ambiguous: csv, tsv, jsonl, json …

    An object over several lines is "json", as is any object if `records` is declared. Raises DataError if the file
    cannot be read.
    """
    if archives.find_archive(path) is None and archives.detect_compression(path) == "zip":
        return archives.detect_workbook(path) or "csv"
    with archives.open_file(path) as stream:
        start = stream.read(_SAMPLE)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\xd0\xcf\x11\xe0"):  # the container of older workbooks, and of encrypted ones
        return "xlsx"
    suffix = Path(_COMPRESSED.sub("", path.name.lower())).suffix
    if start.startswith(b"PK\x03\x04") and suffix in _WORKBOOKS:  # in an archive
        return _WORKBOOKS[suffix]
    text = start.decode(encoding, errors="replace").removeprefix("\ufeff")
    if _ARRAY.match(text):
        return "json"
    if _OBJECT.match(text):
        return "json" if records or not _is_one_per_line(text.lstrip()) else "jsonl"
    return _SUFFIXES.get(suffix, "csv")


def detect_common_format(section: TomlSection, files: Sequence[Path], encoding: str) -> str:
    """The common format of the files; DataError if they have different formats."""
    forms: dict[str, Path] = {}
    for path in files:
        forms.setdefault(detect_format(path, encoding, section.has("records")), path)
    if len(forms) > 1:
        shown = first_few(f"{path.name} is {form}" for form, path in forms.items())
        raise section.error(
            "file", f"names files of several formats ({shown}); name those of one format, or set format"
        )
    return next(iter(forms))


def _is_one_per_line(text: str) -> bool:
    """Whether the first line is a complete JSON object, or too long to be part of an indented document."""
    first, end, _ = text.partition("\n")
    if not end and len(text) >= _SAMPLE // 4:
        return True
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return first.rstrip().endswith("}")


def _expand_archive(path: Path) -> list[Path]:
    """The file itself, or the data files in a zip archive that is not a workbook."""
    if archives.detect_compression(path) != "zip" or archives.detect_workbook(path):
        return [path]
    return archives.find_members(path)


def _find_in_folder(section: TomlSection, name: str, folder: Path) -> list[Path]:
    """The data files in a folder, without subfolders."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    files = [folder / each for each in names if not archives.is_ancillary(each)]
    if not files:
        inner = next(folder.glob("*/*.*"), None)
        hint = f"write {name.rstrip('/')}/*/*{inner.suffix}" if inner else "check the path"
        raise section.error("file", f"'{name}' is a folder without data files; {hint}")
    return [member for file in files for member in _expand_archive(file)]


def _find_in_archive(path: Path, archive: Path) -> list[Path]:
    """The members of a zip archive that match a path or pattern."""
    members = archives.find_members(archive)
    if path in members:
        return [path]
    inner = str(path.relative_to(archive))
    matching = [
        member for member in members if fnmatchcase(str(member.relative_to(archive)), inner) or path in member.parents
    ]
    if not matching:
        raise archives.missing_member_error(path, archive, members)
    return matching
