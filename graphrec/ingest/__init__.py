"""Load sources into the graph (read, clean, fuse, write the difference), and unlink them from it."""

from graphrec.ingest.import_files import ImportFiles, write_import_files
from graphrec.ingest.load import Loaded, load, write_source
from graphrec.ingest.lock import writing
from graphrec.ingest.read import LoadConfig, read
from graphrec.ingest.reports import delete_report, save_report
from graphrec.ingest.unlink import Unlinked, unlink_source

__all__ = [
    "ImportFiles",
    "LoadConfig",
    "Loaded",
    "Unlinked",
    "delete_report",
    "load",
    "read",
    "save_report",
    "unlink_source",
    "write_import_files",
    "write_source",
    "writing",
]
