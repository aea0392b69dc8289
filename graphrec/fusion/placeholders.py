"""Placeholders, the values that mean "no value" or no particular person: they identify nothing, and link nothing."""

import hashlib
import re
from functools import cache

#: Words for "no value", as people and programs write them, without case, accents of punctuation and brackets.
_WORDS = frozenset(
    [
        "n a",
        "na",
        "none",
        "null",
        "nil",
        "nan",
        "nat",
        "unknown",
        "unk",
        "undefined",
        "unspecified",
        "unavailable",
        "not available",
        "not applicable",
        "not provided",
        "not specified",
        "not given",
        "not set",
        "not known",
        "missing",
        "empty",
        "blank",
        "no value",
        "no data",
        "no email",
        "no e mail",
        "no mail",
        "no phone",
        "noemail",
        "nomail",
        "nophone",
        "tbd",
        "tba",
        "todo",
        "test",
        "tester",
        "testing",
        "dummy",
        "example",
        "sample",
        "default",
        "anonymous",
        "anon",
        "guest",
        "nobody",
        "noname",
        "no name",
        "xxx",
        "xxxx",
        "asdf",
        "qwerty",
        "deleted",
        "removed",
        "redacted",
        "withheld",
        "private",
        "confidential",
        "keine angabe",
        "k a",
        "kein",
        "keine",
        "unbekannt",
        "ohne",
        "leer",
        "inconnu",
        "inconnue",
        "aucun",
        "aucune",
        "non renseigné",
        "non renseigne",
        "desconocido",
        "desconocida",
        "ninguno",
        "sin datos",
        "sconosciuto",
        "nessuno",
        "onbekend",
        "geen",
        "okänd",
        "ukjent",
        "ukendt",
        "tuntematon",
        "desconhecido",
        "nieznany",
        "brak",
        "bilinmiyor",
        "неизвестно",
        "нет",
        "不明",
        "未知",
        "なし",
        "无",
    ]
)
#: Placeholder titles. Films are called "Missing", "Nobody" and "Test": of the words above only these count.
_TITLES = frozenset(
    [
        "n a",
        "none",
        "null",
        "nan",
        "unknown",
        "untitled",
        "no title",
        "notitle",
        "title",
        "unknown title",
        "title unknown",
        "tbd",
        "tba",
        "sans titre",
        "ohne titel",
        "titel unbekannt",
        "sin título",
        "sin titulo",
        "senza titolo",
        "sem título",
        "zonder titel",
        "без названия",
        "無題",
        "无题",
    ]
)
_DATES = frozenset(("0000-00-00", "0001-01-01", "1800-01-01", "1900-01-01", "1970-01-01", "9999-12-31"))
_NOTHING = re.compile(r"[\W_]*[-.?_#*/\\~=+]?[\W_]*")
_NOT_LETTER = re.compile(r"[\W_]+")
_ZEROS = re.compile(r"[-+]?[0.\s/-]*0[0.\s/-]*|-1(?:\.0*)?|[f-]*f{8}[f-]*", re.IGNORECASE)

#: Domains that RFC 2606 keeps for examples, and those that are entered in place of a missing address.
_NO_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example(?:\.(?:com|org|net|edu))?|[^.]+\.(?:invalid|test|localhost)|invalid|localhost|"
    r"(?:test|none|nomail|noemail|no-?reply|domain|foo|bar|asdf|xxx|yourdomain|mydomain)\.[a-z]{2,4})"
)
_NO_MAILBOX = re.compile(
    r"(?:no|do-?not|donot)[-_.]?reply.*|test(?:er|ing|user|mail|email)?\d*|none|null|nan|n\.?/?a|no[-_.]?(?:e?mail|one|name)|"
    r"nobody|unknown|anonymous|anon|guest|example|dummy|mailer-daemon|x{3,}|asdf+"
)
_TURNS = ("0123456789" * 2, "9876543210" * 2)
#: Numbers that documentation prints, and people copy: their check digits are right.
_PRINTED = frozenset(("01234567890128", "00012345678905", "00000012345670", "09780000000002", "09781234567897"))


def is_word(text: str) -> bool:
    """Whether a text is a word for "no value", or has no letter and no digit: "N/A", "(none)", "--"."""
    return _bare(text) in _WORDS or not _bare(text) or text.strip() in _DATES


def is_no_title(text: str) -> bool:
    """Whether a title is a placeholder: "Untitled", "-"; punctuation that means something ("$", "!") is one."""
    bare = _bare(text)
    return bare in _TITLES if bare else bool(_NOTHING.fullmatch(text)) and not re.search(r"[!$%&@€£]", text)


def is_zero(text: str) -> bool:
    """Whether a text is a number that means "no number": "0", "000-00", "-1", an identifier of zeros or of f."""
    return bool(_ZEROS.fullmatch(text.strip()))


def is_no_address(text: str) -> bool:
    """Whether an e-mail address belongs to no person: a reserved domain, noreply, test@test.com, x@x.com."""
    mailbox, at, domain = text.strip().casefold().rpartition("@")
    if not at:
        return False
    first = domain.partition(".")[0]
    same = mailbox == first and len(mailbox) <= 4
    return not mailbox or not domain or same or bool(_NO_DOMAIN.fullmatch(domain) or _NO_MAILBOX.fullmatch(mailbox))


def is_no_telephone(digits: str) -> bool:
    """Whether the digits of a telephone number belong to no person: one digit repeated, or digits in turn."""
    ends = digits.rstrip("0")
    if len(set(digits)) <= 1 or len(digits) - len(ends) >= 6:
        return True
    body = digits.lstrip("0")
    in_turn = any(body in turn or digits in turn for turn in _TURNS)
    return in_turn or digits.endswith(("1234567", "12345678", "123456789", "1234567890", "0000000", "9999999"))


def is_printed_number(digits: str) -> bool:
    """Whether the digits of a GTIN (14) or an ISBN (13) are those of an example, or one digit again and again."""
    number = digits.zfill(14)
    core = digits[3:12] if digits.startswith(("978", "979")) and len(digits) == 13 else digits.strip("0")[:-1]
    return number in _PRINTED or len(set(core)) <= 1 or core == "123456789"


def _bare(text: str) -> str:
    return _NOT_LETTER.sub(" ", text.casefold()).strip()


@cache
def hashes() -> frozenset[str]:
    """MD5, SHA-1 and SHA-256, in hexadecimal, of what is no address: the empty text, "n/a", test@test.com."""
    texts = ("", " ", "n/a", "na", "none", "null", "NULL", "None", "nan", "unknown", "-", "0", "test@test.com")
    kinds = (hashlib.md5, hashlib.sha1, hashlib.sha256)
    return frozenset(kind(text.encode(), usedforsecurity=False).hexdigest() for kind in kinds for text in texts)
