"""Passwords, keys and tokens left out of every text that leaves the program."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, unquote_plus

#: What a secret is replaced by.
HIDDEN = "***"

#: Characters of user information, and of a value, that are looked at; bounds the work on a long text.
_LONGEST = 2_000

#: User information: all between the scheme and the last @ before a quotation mark, as a password that is not
#: percent-encoded may have blanks, / and @ in it. An address that was cut off before its @ ends in an ellipsis.
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
#: Short words count only if no letter is before them; after a percent-encoded ; or & one does.
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
#: `"password": "…"` of JSON, of a TOML file's table as Python shows it.
_ENTRY = re.compile(
    rf"((?:{_WORD}|{_SHORT})[\"']\s*:\s*)(\"[^\"]{{0,{_LONGEST}}}\"|'[^']{{0,{_LONGEST}}}')", re.IGNORECASE
)
#: `IDENTIFIED BY '…'` and `PASSWORD '…'` of SQL.
_SQL = re.compile(rf"((?:identified\s+by|password)\s+)'[^']{{0,{_LONGEST}}}'", re.IGNORECASE)
_HEADER = re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?(?:\w+\s+)?)[^\s\"']+", re.IGNORECASE)

_KEY = re.compile(rf"(?:.*(?:{_WORD})|{_SHORT})", re.IGNORECASE | re.DOTALL)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without user information and secret settings of the addresses in it, and without these secrets.

    A secret is found as it is and as it is percent-encoded. One of one to three characters is replaced only if no
    letter or digit is next to it.

    >>> redacted("bolt://neo4j:pa@ss/word@db:7687 refuses PWD={a;b};UID=u&sslpassword=x")
    'bolt://***@db:7687 refuses PWD=***;UID=u&sslpassword=***'
    """
    for secret in sorted(_written(secrets), key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, HIDDEN)
        else:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", lambda _: HIDDEN, text)
    if "=" not in text and ":" not in text and "'" not in text and "%" not in text:
        return text
    text = _USER.sub(_without_user, text)
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
    found: list[str] = []
    if "@" in rest:
        user, _, password = rest.rpartition("@")[0].partition(":")
        found += [password or user, unquote(password or user)]
    for setting in re.split("[?&]", rest)[1:]:
        name, _, value = setting.partition("=")
        found += _values(name, value)
    if "?" not in rest:
        found += [part for setting in rest.split(";") for part in _values(*setting.partition("=")[::2])]
    return tuple(dict.fromkeys(part for part in found if part))


def _values(name: str, value: str) -> list[str]:
    """The secrets in the value of a setting: itself, or those of the connection string that it is."""
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


def _written(secrets: Iterable[str]) -> set[str]:
    """Each secret in the forms in which a message may hold it."""
    forms = {
        form for secret in secrets for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])
    }
    return forms - {"", HIDDEN}


#: A password that a variable of the environment is to bring, as messages advise it.
_TEMPLATE = re.compile(r"[\w.+\-]+:\$\{\w+\}@")


def _without_user(match: re.Match[str]) -> str:
    if _TEMPLATE.fullmatch(match[0].removeprefix(match[1])):
        return match[0]
    return f"{match[1]}{HIDDEN}{'@' if match[0].endswith('@') else '…'}"
