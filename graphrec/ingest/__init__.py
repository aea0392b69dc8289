"""Sources into the graph and out of it again: read, clean, fuse, write the difference; or take one out."""

from graphrec.ingest.import_files import ImportFiles, write_import_files
from graphrec.ingest.load import Loaded, load, write_source
from graphrec.ingest.lock import writing
from graphrec.ingest.removal import Unlinked, take_out
from graphrec.ingest.saved import forget_report, save_report
from graphrec.ingest.source import Options, read

__all__ = [
    "ImportFiles",
    "Loaded",
    "Options",
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
