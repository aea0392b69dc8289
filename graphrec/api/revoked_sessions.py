"""Sessions that ended by a logout before their time, in a private file of the home folder.

A session is valid on one server only, whose workers share a home folder, so a file is where all of them look: it needs
no cache, and a logout counts while the database is away.
"""

import json
import logging
import time
from pathlib import Path

from filelock import FileLock

from graphrec.errors import GraphrecError
from graphrec.home import private_folder, write_privately

logger = logging.getLogger(__name__)


class RevokedSessions:
    """The nonces of revoked sessions with their ends, in `sessions.json`; those that are over are removed."""

    def __init__(self, home: Path) -> None:
        self._home, self._path = home, home / "sessions.json"
        self._ends: dict[str, int] | None = {}  # None if the file cannot be read
        self._stamp: tuple[int, int] | None = None

    def add(self, nonce: str, end: int) -> None:
        """Revoke a session that would end at a time in Unix seconds. Raises GraphrecError if that cannot be kept."""
        try:
            private_folder(self._home)
            with FileLock(self._home / "sessions.lock", mode=0o600):
                kept = {each: until for each, until in self._read().items() if until > time.time()}
                with write_privately(self._path) as partial:
                    partial.write_text(json.dumps({**kept, nonce: end}), encoding="utf-8")
        except (OSError, ValueError) as error:
            raise GraphrecError(
                f"the logout could not be kept in {self._path} ({type(error).__name__}); revoke the key of the session "
                "with `graphrec key revoke`, and see that the server may write the file"
            ) from error

    def __contains__(self, nonce: str) -> bool:
        """Whether a session is revoked. Looks at the file's time at each call, as a logout counts at once for all
        workers; all sessions are revoked while the file cannot be read."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._ends = self._read()
                self._stamp = stamp
        except FileNotFoundError:
            self._ends, self._stamp = {}, None
        except (OSError, ValueError) as error:
            if self._ends is not None:
                logger.error("no session is valid: %s cannot be read (%s)", self._path, type(error).__name__)
            self._ends, self._stamp = None, None
        return self._ends is None or nonce in self._ends

    def _read(self) -> dict[str, int]:
        """The ends by nonce. Raises OSError, and ValueError if the file has another form."""
        try:
            ends = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        if not isinstance(ends, dict):
            raise ValueError("not an object")
        return {str(nonce): int(end) for nonce, end in ends.items()}
