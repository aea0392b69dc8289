"""Find loaders by name: the files of graphrec.loaders and the entry points of other packages."""

import ast
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from graphrec.errors import GraphrecError, UnknownNameError

if TYPE_CHECKING:  # importing pandas costs 0.3 s, and `graphrec load --help` needs no table
    from graphrec.tables import GraphTables

GROUP = "graphrec.loaders"


class Loader(Protocol):
    """A source: a module (or object) that turns its files into tables."""

    def load(self, folder: Path | None = None) -> "GraphTables":
        """The tables of the source's files in a folder, or of its built-in data if folder is None."""


def names() -> list[str]:
    """The names of all sources, sorted; a loader file takes precedence over an entry point of the same name."""
    return sorted({*_find_files(), *_find_entry_points()})


def summaries() -> dict[str, str]:
    """The first line of each loader's docstring by source name, read without importing the loader."""
    points = _find_entry_points()
    paths = {name: _find_module_path(points[name].module) for name in points} | _find_files()
    return {name: _read_summary(paths[name]) for name in sorted(paths)}


def get(name: str) -> Loader:
    """The loader of a source (bitcoin-otc is bitcoin_otc); UnknownNameError with the nearest names if it is unknown."""
    module = name.replace("-", "_")
    if module in _find_files():
        loader: object = import_module(f"{GROUP}.{module}")
    elif point := _find_entry_points().get(name):
        try:
            loader = point.load()
        except (ImportError, AttributeError) as error:
            raise GraphrecError(
                f"source '{name}' comes from {point.value}, which cannot be imported ({error}); reinstall its package"
            ) from error
    else:
        raise UnknownNameError("source", name, names())
    if not callable(getattr(loader, "load", None)):
        raise GraphrecError(f"source '{name}' has no function load(folder); add one to {loader!r}")
    return cast(Loader, loader)


def _find_files() -> dict[str, Path]:
    spec = find_spec(GROUP)
    folders = spec.submodule_search_locations if spec else None
    paths = [path for folder in folders or () for path in Path(folder).glob("*.py")]
    return {path.stem: path for path in paths if not path.stem.startswith("_")}


def _find_entry_points() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _find_module_path(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except ImportError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _read_summary(path: Path | None) -> str:
    if path is None or path.suffix != ".py":
        return ""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    return (docstring or "").partition("\n")[0]
