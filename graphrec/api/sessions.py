"""Sessions of the page: a signed cookie after a login with an API key, and tokens that forms must have.

A session is not stored: it names the key and its end, and is signed with a secret that only the processes of one server
have. So every worker accepts it, it ends with the server, and a key that is revoked ends its sessions. A session that
ends by a logout is stored until its end (`RevokedSessions`).
"""

import hashlib
import hmac
import os
import secrets
import time

from graphrec.api.keys import ApiKey, KeyRing
from graphrec.api.revoked_sessions import RevokedSessions

#: Environment variable by which worker processes share the secret, in hexadecimal.
SECRET = "GRAPHREC_SESSION_SECRET"

#: Seconds after which a session ends.
LIFETIME = 12 * 3600

#: The owner of the forms of a server without keys.
NO_SESSION = "open"


class Sessions:
    """Creates and checks sessions, for one server; `revoked` has those that ended by a logout."""

    def __init__(self, keys: KeyRing, revoked: RevokedSessions, secret: bytes | None = None) -> None:
        self._keys, self._revoked = keys, revoked
        self._secret = secret or bytes.fromhex(os.environ.get(SECRET, "")) or secrets.token_bytes(32)

    def create(self, key: ApiKey, now: float | None = None) -> str:
        """A new session of a key, `KEY.END.NONCE.SIGNATURE`; it has nothing of the key's secret."""
        end = int(time.time() if now is None else now) + LIFETIME
        content = f"{key.id}.{end}.{secrets.token_urlsafe(12)}"
        return f"{content}.{self._sign('session', content, key.hash)}"

    def find(self, session: str) -> ApiKey | None:
        """The key of a session; None if the session is forged, over or revoked, or its key expired or revoked."""
        content, _, signature = session.rpartition(".")
        identifier, _, rest = content.partition(".")
        end, _, nonce = rest.partition(".")
        key = self._keys.get(identifier)
        expected = self._sign("session", content, "" if key is None else key.hash)
        if not hmac.compare_digest(expected.encode(), signature.encode()) or key is None:
            return None
        return key if time.time() < int(end) and nonce not in self._revoked else None

    def revoke(self, session: str) -> None:
        """End a valid session on the server, for all workers at once; nothing happens if it is not valid.

        Raises GraphrecError if that cannot be kept.
        """
        if self.find(session) is not None:
            _, end, nonce, _ = session.split(".")
            self._revoked.add(nonce, int(end))

    def form_token(self, owner: str) -> str:
        """The token in the forms of a session, or of the visitor with a random cookie before the login."""
        return self._sign("form", owner, "")

    def is_form_token(self, owner: str, token: str) -> bool:
        """Whether a token is that of `form_token`, compared in constant time."""
        return hmac.compare_digest(self.form_token(owner).encode(), token.encode())

    def _sign(self, purpose: str, content: str, bound_to: str) -> str:
        text = "\0".join((purpose, content, bound_to))
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def new_secret() -> str:
    """A secret for `SECRET`."""
    return secrets.token_hex(32)
