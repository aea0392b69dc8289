"""API keys: made once, kept as salted hashes in a private file of the home folder, with scopes and an expiry.

A key is `gr_ID_SECRET`. The secret has 256 random bits, so that one round of SHA-256 is enough: a slow hash protects
secrets that can be guessed.
"""

import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from graphrec.errors import DataError, GraphrecError, UnknownNameError, format_value
from graphrec.home import private_folder, write_privately

logger = logging.getLogger(__name__)

#: What a key may do: read recommendations and the graph; write events, users and items; administer runs and delete
#: users. No scope includes another.
SCOPES = ("read", "write", "admin")

#: Default limit of requests a second of a key.
RATE = 200.0

#: Seconds after which a server notices that a key was created or revoked.
SECONDS_TO_NOTICE = 1.0

_FORM = re.compile(r"gr_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")

#: Maximum number of characters of a name.
_LONGEST = 100


@dataclass(frozen=True)
class ApiKey:
    """A key without its secret.

    id: the part of the key that names it, in lists and logs.
    salt, hash: hexadecimal; the hash is SHA-256 of the salt and the secret.
    expires_at: Unix seconds, or None.
    rate: requests a second; 0 is no limit.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    salt: str = field(repr=False)
    hash: str = field(repr=False)
    created_at: int = 0
    expires_at: int | None = None
    rate: float = RATE

    def is_expired(self, now: float) -> bool:
        """Whether the key is no longer valid at a time in Unix seconds."""
        return self.expires_at is not None and now >= self.expires_at

    def matches(self, secret: str) -> bool:
        """Whether a secret is that of the key, compared in constant time."""
        return hmac.compare_digest(_hash(self.salt, secret), self.hash)

    def as_dict(self) -> dict[str, object]:
        """The key for lists, without salt and hash."""
        return {
            "id": self.id,
            "name": self.name,
            "scopes": list(self.scopes),
            "created_at": _format_time(self.created_at),
            "expires_at": None if self.expires_at is None else _format_time(self.expires_at),
            "expired": self.is_expired(time.time()),
            "rate": self.rate,
        }


#: Compared with the secrets of unknown ids, so that these need the same time as wrong secrets.
_NO_KEY = ApiKey("00000000", "", (), "00" * 16, "00" * 32)


@dataclass(frozen=True)
class NewKey:
    """A key that was just created, with the text that is shown once and kept nowhere."""

    key: ApiKey
    text: str = field(repr=False)


class KeyFile:
    """The keys of a home folder, in the file `keys.json` that only its owner can read."""

    def __init__(self, home: Path) -> None:
        self.path = home / "keys.json"
        self._home = home

    def read(self) -> list[ApiKey]:
        """All keys, the oldest first. Raises GraphrecError if the file cannot be read."""
        try:
            records = json.loads(self.path.read_text(encoding="utf-8"))["keys"]
            return [ApiKey(**{**record, "scopes": tuple(record["scopes"])}) for record in records]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise GraphrecError(
                f"the keys in {self.path} cannot be read ({type(error).__name__}); restore the file from a backup, or "
                "delete it and create new keys"
            ) from error

    def create(
        self, name: str, scopes: Sequence[str] = ("read",), days: float | None = None, rate: float = RATE
    ) -> NewKey:
        """Create a key; `days` is its lifetime, by default without end.

        Raises:
            UnknownNameError: there is no such scope.
            DataError: the name is empty, too long or in use, or `days` or `rate` is out of range.
        """
        for scope in scopes:
            if scope not in SCOPES:
                raise UnknownNameError("scope", scope, SCOPES)
        if not name.strip() or len(name) > _LONGEST:
            raise DataError(f"a key needs a name of 1 to {_LONGEST} characters, such as the application that uses it")
        if not scopes:
            raise DataError(f"a key needs a scope: {', '.join(SCOPES)}")
        if rate < 0 or (days is not None and not 0 < days < 36_500):
            raise DataError("the rate is at least 0 (no limit), and the lifetime is more than 0 and below 36,500 days")
        now, secret, salt = int(time.time()), secrets.token_urlsafe(32), secrets.token_hex(16)
        expires_at = None if days is None else now + int(days * 86_400)
        chosen = tuple(scope for scope in SCOPES if scope in scopes)
        key = ApiKey(secrets.token_hex(4), name, chosen, salt, _hash(salt, secret), now, expires_at, rate)
        with self._lock():
            keys = self.read()
            if any(each.name == name for each in keys):
                raise DataError(f"there is a key '{format_value(name)}' already; choose another name, or revoke it")
            self._write([*keys, key])
        return NewKey(key, f"gr_{key.id}_{secret}")

    def revoke(self, name: str) -> ApiKey:
        """Delete the key with an id or a name, and return it. Raises UnknownNameError if there is no such key."""
        with self._lock():
            keys = self.read()
            found = next((key for key in keys if name in (key.id, key.name)), None)
            if found is None:
                raise UnknownNameError("key", name, [key.name for key in keys], "`graphrec key create` makes one")
            self._write([key for key in keys if key is not found])
        return found

    def _lock(self) -> FileLock:
        private_folder(self._home)
        return FileLock(self._home / "keys.lock", mode=0o600)

    def _write(self, keys: Sequence[ApiKey]) -> None:
        text = json.dumps({"keys": [asdict(key) for key in keys]}, indent=2)
        with write_privately(self.path) as partial:
            partial.write_text(text + "\n", encoding="utf-8")


class KeyRing:
    """The keys of a file, for a server: it notices changes of the file within SECONDS_TO_NOTICE."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file
        self._keys: dict[str, ApiKey] = {}
        self._stamp: tuple[int, int] | None = None
        self._checked_at = -SECONDS_TO_NOTICE
        self._refresh()

    def find(self, text: str) -> ApiKey | None:
        """The valid key of a text; None if it is malformed, unknown, revoked or expired."""
        self._refresh()
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        key = self._keys.get(match[1], _NO_KEY)
        is_right = key.matches(match[2])
        return key if is_right and not key.is_expired(time.time()) else None

    def get(self, identifier: str) -> ApiKey | None:
        """The key with an id; None if there is no such key, or it is expired."""
        self._refresh()
        key = self._keys.get(identifier)
        return None if key is None or key.is_expired(time.time()) else key

    def __len__(self) -> int:
        self._refresh()
        return len(self._keys)

    def _refresh(self) -> None:
        if time.monotonic() - self._checked_at < SECONDS_TO_NOTICE:
            return
        self._checked_at = time.monotonic()
        try:
            status = self._file.path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._keys = {key.id: key for key in self._file.read()}
                self._stamp = stamp
        except FileNotFoundError:
            self._keys, self._stamp = {}, None
        except (OSError, GraphrecError) as error:  # no key is valid that cannot be checked
            logger.error("no key is valid: %s", error)
            self._keys, self._stamp = {}, None


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + secret.encode()).hexdigest()


def _format_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
