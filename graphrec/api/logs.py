"""Structured logs: one JSON object a line on stderr, without secrets."""

import json
import logging
import sys
import time
from datetime import UTC, datetime

from graphrec.redaction import redact

#: Attributes of a log record that carry the fields of a request.
FIELDS = "fields"


class JsonFormatter(logging.Formatter):
    """A log record as a JSON object: time, level, logger, message, and the fields of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            entry["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=True, default=str)


def configure_logs(level: int = logging.INFO) -> None:
    """Write the logs of graphrec and of the server as JSON lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("graphrec", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    logging.getLogger("neo4j").setLevel(logging.CRITICAL)  # its log repeats the errors that it raises


def milliseconds_since(start: float) -> float:
    """The time since a value of `time.perf_counter`, in milliseconds with three decimals."""
    return round((time.perf_counter() - start) * 1000, 3)
