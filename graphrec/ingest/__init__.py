"""Sources into the graph and out of it again: read, clean, fuse, write the difference; or take one out."""

from graphrec.ingest.import_files import ImportFiles, write_import_files
from graphrec.ingest.load import Loaded, load, write_source
from graphrec.ingest.lock import writing
from graphrec.ingest.read import LoadConfig, read
from graphrec.ingest.reports import forget_report, save_report
from graphrec.ingest.unlink import Unlinked, take_out

__all__ = [
    "ImportFiles",
    "LoadConfig",
    "Loaded",
    "Unlinked",
    "forget_report",
    "load",
    "read",
    "save_report",
    "take_out",
    "write_import_files",
    "write_source",
    "writing",
]
