"""Load, check and unlink a source given in any form, and save the report in the home folder."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from graphrec import ingest, loader_registry, tabular
from graphrec.config import Settings
from graphrec.errors import DataError, UnknownNameError, format_value
from graphrec.ingest import ImportFiles, LoadConfig, Loaded, Unlinked, notes
from graphrec.progress import StageProgress
from graphrec.store import Store
from graphrec.tables import GraphTables
from graphrec.tabular import frames


@dataclass(frozen=True)
class SourceInput:
    """A source as it is read: a loader's name with its folder (None: the loader's default), or a description."""

    name: str
    place: Path | tabular.Description | None


def parse_source(source: object, folder: Path | str | None, table: Mapping[str, object]) -> SourceInput:
    """The source given as a name, a path, a mapping, or a data frame with the keys of its `table`.

    Raises:
        UnknownNameError: there is no such source.
        DataError: the source has another type, its path does not exist, or keys of a table are given without a data
            frame.
    """
    place = None if folder is None else Path(folder)
    if frames.is_frame(source):
        return SourceInput("table", tabular.Description(frames.describe_frame(source, dict(table)), place or Path()))
    if table:
        raise DataError(
            f"{next(iter(table))} describes the table of a data frame, but the source is not a data frame; options of "
            "a load belong in config=graphrec.LoadConfig(…)"
        )
    if isinstance(source, Mapping):
        return SourceInput("table", tabular.Description(source, place or Path()))
    if not isinstance(source, str | Path):
        raise DataError(
            f"a source is a name, a path, a mapping or a data frame, not a {type(source).__name__}; make one of it"
        )
    named = isinstance(source, str) and not source.endswith(".toml")
    if named and (source in loader_registry.names() or not Path(source).is_dir()):
        _require_loader(str(source))  # an unknown name is reported before a store is started
        return SourceInput(str(source), place)
    if not Path(source).exists():  # also before a store is started
        raise DataError(f"{source} cannot be read: there is no such file; check the path")
    return SourceInput("table", Path(source))


def _require_loader(name: str) -> None:
    """Raise UnknownNameError unless a loader has this name, DataError if it looks like a path."""
    try:
        loader_registry.get(name)
    except UnknownNameError:
        if "/" not in name and "." not in name:
            raise
        kind = "a file that exists" if Path(name).is_file() else "no file"
        raise DataError(
            f"there is no source '{format_value(name)}', and as a path it leads to {kind}; a description of data is a "
            "TOML file with the ending .toml, or its folder"
        ) from None


def load(store: Store, source: SourceInput, settings: Settings, config: LoadConfig, progress: StageProgress) -> Loaded:
    """Load a source and save its report; raises as `ingest.load`."""
    loaded = ingest.load(store, source.name, source.place, settings.home, config, progress)
    report = ingest.save_report(
        settings.loads, loaded.source.name, loaded.to_dict(), loaded.cleaning, loaded.links, config.csv_safe
    )
    return replace(loaded, report=report)


@dataclass(frozen=True, eq=False)
class CheckedSource:
    """A source that was read and cleaned, not loaded: its tables, the folder of its report, and the files written."""

    tables: GraphTables
    report: Path
    files: ImportFiles | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about findings that the user should check."""
        return tuple(notes.check_tables(self.tables))

    def to_dict(self) -> dict[str, Any]:
        """The tables with their rows and properties, or the files written, as plain values."""
        return _describe_tables(self.tables) if self.files is None else _describe_files(self.tables, self.files)


def check(source: SourceInput, settings: Settings, config: LoadConfig, progress: StageProgress) -> CheckedSource:
    """Read and clean a source without access to the graph, and save the report; raises as `ingest.read`."""
    tables = ingest.read(source.name, source.place, config, progress)
    return CheckedSource(tables, _save_report(tables, _describe_tables(tables), settings, config))


def write_import_files(
    source: SourceInput, out: Path, settings: Settings, config: LoadConfig, progress: StageProgress
) -> CheckedSource:
    """Write a source as files for `neo4j-admin database import`, and save the report.

    Raises as `ingest.read` and `ingest.write_import_files`.
    """
    tables = ingest.read(source.name, source.place, config, progress)
    files = ingest.write_import_files(tables, out, progress)
    return CheckedSource(tables, _save_report(tables, _describe_files(tables, files), settings, config), files)


def _save_report(tables: GraphTables, record: Mapping[str, Any], settings: Settings, config: LoadConfig) -> Path:
    name = tables.sources[0].name
    return ingest.save_report(settings.loads, name, record, tables.cleaning, csv_safe=config.csv_safe)


def _describe_tables(tables: GraphTables) -> dict[str, Any]:
    return {
        "source": asdict(tables.sources[0]),
        "nodes": [
            {"label": t.type.label, "rows": len(t.frame), "properties": list(t.type.properties)} for t in tables.nodes
        ],
        "edges": [
            {
                **dict(zip(("from", "type", "to"), t.type.triple, strict=True)),
                "rows": len(t.frame),
                "properties": list(t.type.properties),
            }
            for t in tables.edges
        ],
        "cleaning": tables.cleaning.to_dict(),
        "notes": list(notes.check_tables(tables)),
    }


def _describe_files(tables: GraphTables, files: ImportFiles) -> dict[str, Any]:
    return asdict(files) | {"cleaning": tables.cleaning.to_dict()}


def unlink(store: Store, source: str, settings: Settings, dry_run: bool, progress: StageProgress) -> Unlinked:
    """Remove a source from the graph, delete its report, and name the saved runs trained on it.

    Raises UnknownNameError if no such source is loaded.
    """
    unlinked = ingest.unlink_source(store, source, settings.home, dry_run, progress)
    from graphrec import runs  # loads torch, so after the work

    trained, unrecorded = runs.find_trained_on(settings.runs, source)
    deleted = not dry_run and ingest.delete_report(settings.loads, source)
    return replace(unlinked, dry_run=dry_run, report_deleted=deleted, runs=trained, runs_that_do_not_say=unrecorded)
