"""The files that the name of a path, a pattern, a folder or an archive stands for, and their form."""

from glob import glob, has_magic
from pathlib import Path

from graphrec.errors import examples, nearest
from graphrec.tabular.section import Section

#: What the end of a name, without that of a compression, says of the form.
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
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xlsb": "xlsx",
    ".xls": "xlsx",
    ".ods": "ods",
}
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def find(section: Section, name: str, folder: Path) -> list[Path]:
    """The file of a name, or all files of a pattern in the order of their names."""
    if "://" in name:
        raise section.error("file", f"'{name}' is an address; download it first, and give the file")
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


def format_of(section: Section, found: tuple[Path, ...]) -> str:
    """The form of the files, by the name of the first."""
    del section
    path = found[0]
    while path.suffix.lower() in _COMPRESSED:
        path = path.with_suffix("")
    return _SUFFIXES.get(path.suffix.lower(), "csv")
