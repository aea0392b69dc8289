"""Sessions of the page: a signed cookie after a login with an API key, and tokens that forms must have.

A session is not stored: it names the key and its end, and is signed with a secret that only the processes of one server
have. So every worker accepts it, it ends with the server, and a key that is revoked ends its sessions.
"""

import hashlib
import hmac
import os
import secrets
import time

from graphrec.api.keys import ApiKey, KeyRing

#: Environment variable by which worker processes share the secret, in hexadecimal.
SECRET = "GRAPHREC_SESSION_SECRET"

#: Seconds after which a session ends.
LIFETIME = 12 * 3600

#: The owner of the forms of a server without keys.
NO_SESSION = "open"


class Sessions:
    """Creates and checks sessions, for one server."""

    def __init__(self, keys: KeyRing, secret: bytes | None = None) -> None:
        self._keys = keys
        self._secret = secret or bytes.fromhex(os.environ.get(SECRET, "")) or secrets.token_bytes(32)

    def create(self, key: ApiKey, now: float | None = None) -> str:
        """A new session of a key, `KEY.END.NONCE.SIGNATURE`; it has nothing of the key's secret."""
        end = int(time.time() if now is None else now) + LIFETIME
        content = f"{key.id}.{end}.{secrets.token_urlsafe(12)}"
        return f"{content}.{self._sign('session', content, key.hash)}"

    def find(self, session: str) -> ApiKey | None:
        """The key of a session; None if the session is forged or over, or its key expired or revoked."""
        content, _, signature = session.rpartition(".")
        identifier, _, rest = content.partition(".")
        key = self._keys.get(identifier)
        expected = self._sign("session", content, "" if key is None else key.hash)
        if not hmac.compare_digest(expected.encode(), signature.encode()) or key is None:
            return None
        return key if time.time() < int(rest.partition(".")[0]) else None

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
