"""Remove passwords, keys and tokens from texts for users."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, unquote_plus

#: Replacement of a secret.
HIDDEN = "***"

#: Maximum length of user information and of values that patterns match; it bounds the time for long texts.
_LONGEST = 2_000

#: User information: everything between the scheme and the last @ before a quotation mark, since a password that is not
#: percent-encoded may contain spaces, / and @. An address that was cut off before its @ ends in an ellipsis.
_USER = re.compile(
    "(://)"
    rf"(?:[^\s:@/'\"<>`]{{0,200}}:[^'\"<>`\n]{{0,{_LONGEST}}}@|[^\s'\"<>`]{{0,{_LONGEST}}}@|[^\s'\"<>`@]{{0,{_LONGEST}}}…)",
    re.IGNORECASE,
)

_WORD = (
    r"pass[ _-]?(?:word|wd|phrase|code)|kennwort|passwort|secret(?:[ _-]?(?:access)?[ _-]?key)?|"
    r"(?:access|api|account|private|shared|signing|encryption|license|subscription)[ _-]?(?:access[ _-]?)?key|"
    r"(?:access|auth|bearer|refresh|session|security|id)?[ _-]?token|credentials?|signature"
)
#: Short words count only if no letter precedes them, apart from that of a percent-encoded ; or &.
_SHORT = r"(?:(?<![a-z])|(?<=%3b)|(?<=%26))(?:pwd|pass|pw|auth|sig)|(?<=[?&])key"
_EQUALS = r"\s*(?:=|%(?:25)*3d)\s*"
_END = r"(?!%(?:25)*(?:3b|26))"
_VALUE = (
    rf"(?:'[^']{{0,{_LONGEST}}}'|\"[^\"]{{0,{_LONGEST}}}\"|\{{(?:[^}}]|\}}\}}){{0,{_LONGEST}}}\}}|"
    rf"(?:%(?:25)*7b)(?:(?!%(?:25)*7d)[^\s&;'\"<>]){{0,{_LONGEST}}}(?:%(?:25)*7d)?|"
    rf"(?:{_END}[^\s&;'\"<>]){{1,{_LONGEST}}})"
)
#: `password=…` of a query or an ODBC string, percent-encoded or not.
_SETTING = re.compile(rf"((?:{_WORD}|{_SHORT}){_EQUALS})(?!\s|$){_VALUE}", re.IGNORECASE)
#: `"password": "…"` of JSON, and of a TOML table in Python's notation.
_ENTRY = re.compile(
    rf"((?:{_WORD}|{_SHORT})[\"']\s*:\s*)(\"[^\"]{{0,{_LONGEST}}}\"|'[^']{{0,{_LONGEST}}}')", re.IGNORECASE
)
#: `IDENTIFIED BY '…'` and `PASSWORD '…'` of SQL.
_SQL = re.compile(rf"((?:identified\s+by|password)\s+)'[^']{{0,{_LONGEST}}}'", re.IGNORECASE)
_HEADER = re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?(?:\w+\s+)?)[^\s\"']+", re.IGNORECASE)

_KEY = re.compile(rf"(?:.*(?:{_WORD})|{_SHORT})", re.IGNORECASE | re.DOTALL)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without `secrets`, and without the user information and secret settings of the addresses in it.

    Secrets are also found percent-encoded. A secret of one to three characters is replaced only if no letter or digit
    is next to it.

    >>> redact("bolt://neo4j:pa@ss/word@db:7687 refuses PWD={a;b};UID=u&sslpassword=x")
    'bolt://***@db:7687 refuses PWD=***;UID=u&sslpassword=***'
    """
    for secret in sorted(_list_forms(secrets), key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, HIDDEN)
        else:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", lambda _: HIDDEN, text)
    if "=" not in text and ":" not in text and "'" not in text and "%" not in text:
        return text
    text = _USER.sub(_hide_user, text)
    for pattern in (_SETTING, _ENTRY, _SQL, _HEADER):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def secrets_of(address: str) -> tuple[str, ...]:
    """The passwords and secret settings of an address or a connection string, as they are and percent-decoded.

    >>> secrets_of("mssql://u:p%40ss@h/d?odbc_connect=UID%3Du%3BPWD%3Da b&x=1")
    ('p%40ss', 'p@ss', 'a b')
    """
    scheme, colon, rest = address.partition("://")
    rest = rest if colon else scheme
    secrets: list[str] = []
    if "@" in rest:
        user, _, password = rest.rpartition("@")[0].partition(":")
        secrets += [password or user, unquote(password or user)]
    for setting in re.split("[?&]", rest)[1:]:
        name, _, value = setting.partition("=")
        secrets += _find_secrets(name, value)
    if "?" not in rest:
        secrets += [part for setting in rest.split(";") for part in _find_secrets(*setting.partition("=")[::2])]
    return tuple(dict.fromkeys(part for part in secrets if part))


def _find_secrets(name: str, value: str) -> list[str]:
    """The secrets in a setting: its value if the name is that of a secret, else those of a connection string in it."""
    decoded = unquote_plus(value)
    if _KEY.fullmatch(name.strip()):
        return [value, decoded, decoded.strip().strip("{}'\"")]
    inner = [part.partition("=") for part in decoded.split(";")] if ";" in decoded or "=" in decoded else []
    return [
        secret
        for key, _, part in inner
        if _KEY.fullmatch(key.strip())
        for secret in (part, part.strip().strip("{}'\""))
    ]


def _list_forms(secrets: Iterable[str]) -> set[str]:
    """Each secret in the forms in which a message may contain it."""
    forms = {
        form for secret in secrets for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])
    }
    return forms - {"", HIDDEN}


#: User information with a password from an environment variable, as messages recommend it; it is not hidden.
_TEMPLATE = re.compile(r"[\w.+\-]+:\$\{\w+\}@")


def _hide_user(match: re.Match[str]) -> str:
    if _TEMPLATE.fullmatch(match[0].removeprefix(match[1])):
        return match[0]
    return f"{match[1]}{HIDDEN}{'@' if match[0].endswith('@') else '…'}"
