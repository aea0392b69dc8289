"""Sources into the graph and out of it again: read, clean, fuse, write the difference; or take one out."""

from graphrec.ingest.import_files import ImportFiles, write_import_files
from graphrec.ingest.load import Loaded, load, write_source
from graphrec.ingest.lock import writing
from graphrec.ingest.read import Options, read
from graphrec.ingest.reports import forget_report, save_report
from graphrec.ingest.unlink import Unlinked, unlink_source

__all__ = [
    "ImportFiles",
    "Loaded",
    "Options",
    "Unlinked",
    "forget_report",
    "load",
    "read",
    "save_report",
    "unlink_source",
    "write_import_files",
    "write_source",
    "writing",
]
