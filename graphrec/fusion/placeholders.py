"""Placeholders: values that mean "no value" or no particular person, by which no records are linked."""

import hashlib
import re
from functools import cache

#: Words for "no value" in several languages, in lower case and without punctuation.
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
#: Placeholder titles. Only some words for "no value" are: there are films "Missing", "Nobody" and "Test".
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
_PLACEHOLDER_DATES = frozenset(("0000-00-00", "0001-01-01", "1800-01-01", "1900-01-01", "1970-01-01", "9999-12-31"))
_NO_WORD = re.compile(r"[\W_]*[-.?_#*/\\~=+]?[\W_]*")
_NOT_LETTERS = re.compile(r"[\W_]+")
_ZEROS = re.compile(r"[-+]?[0.\s/-]*0[0.\s/-]*|-1(?:\.0*)?|[f-]*f{8}[f-]*", re.IGNORECASE)

#: Domains that RFC 2606 reserves for examples, and domains that are entered instead of a missing address.
_PLACEHOLDER_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example(?:\.(?:com|org|net|edu))?|[^.]+\.(?:invalid|test|localhost)|invalid|localhost|"
    r"(?:test|none|nomail|noemail|no-?reply|domain|foo|bar|asdf|xxx|yourdomain|mydomain)\.[a-z]{2,4})"
)
_PLACEHOLDER_MAILBOX = re.compile(
    r"(?:no|do-?not|donot)[-_.]?reply.*|test(?:er|ing|user|mail|email)?\d*|none|null|nan|n\.?/?a|no[-_.]?(?:e?mail|one|name)|"
    r"nobody|unknown|anonymous|anon|guest|example|dummy|mailer-daemon|x{3,}|asdf+"
)
_DIGIT_SEQUENCES = ("0123456789" * 2, "9876543210" * 2)
#: Numbers of documentation examples, whose check digits are right.
_EXAMPLE_NUMBERS = frozenset(("01234567890128", "00012345678905", "00000012345670", "09780000000002", "09781234567897"))


def is_placeholder(text: str) -> bool:
    """Whether a text is a word for "no value", a placeholder date, or has no letter and no digit: "N/A", "--"."""
    return _strip_punctuation(text) in _WORDS or not _strip_punctuation(text) or text.strip() in _PLACEHOLDER_DATES


def is_placeholder_title(text: str) -> bool:
    """Whether a title is a placeholder: "Untitled", "-". Titles such as "$" and "!" are not."""
    words = _strip_punctuation(text)
    return words in _TITLES if words else bool(_NO_WORD.fullmatch(text)) and not re.search(r"[!$%&@€£]", text)


def is_placeholder_number(text: str) -> bool:
    """Whether a text is a number that means "no number": "0", "000-00", "-1", an identifier of only zeros or f."""
    return bool(_ZEROS.fullmatch(text.strip()))


def is_placeholder_address(text: str) -> bool:
    """Whether an e-mail address belongs to no person: a reserved domain, noreply, test@test.com, x@x.com."""
    mailbox, at, domain = text.strip().casefold().rpartition("@")
    if not at:
        return False
    first = domain.partition(".")[0]
    same = mailbox == first and len(mailbox) <= 4
    if not mailbox or not domain or same:
        return True
    return bool(_PLACEHOLDER_DOMAIN.fullmatch(domain) or _PLACEHOLDER_MAILBOX.fullmatch(mailbox))


def is_placeholder_telephone(digits: str) -> bool:
    """Whether the digits of a telephone number belong to no person: one repeated digit, or consecutive digits."""
    significant = digits.rstrip("0")
    if len(set(digits)) <= 1 or len(digits) - len(significant) >= 6:
        return True
    body = digits.lstrip("0")
    consecutive = any(body in sequence or digits in sequence for sequence in _DIGIT_SEQUENCES)
    return consecutive or digits.endswith(("1234567", "12345678", "123456789", "1234567890", "0000000", "9999999"))


def is_example_number(digits: str) -> bool:
    """Whether the digits of a GTIN (14) or an ISBN (13) are those of an example, or one repeated digit."""
    number = digits.zfill(14)
    core = digits[3:12] if digits.startswith(("978", "979")) and len(digits) == 13 else digits.strip("0")[:-1]
    return number in _EXAMPLE_NUMBERS or len(set(core)) <= 1 or core == "123456789"


def _strip_punctuation(text: str) -> str:
    return _NOT_LETTERS.sub(" ", text.casefold()).strip()


@cache
def hash_placeholders() -> frozenset[str]:
    """Hexadecimal MD5, SHA-1 and SHA-256 hashes of placeholder addresses: the empty text, "n/a", test@test.com."""
    texts = ("", " ", "n/a", "na", "none", "null", "NULL", "None", "nan", "unknown", "-", "0", "test@test.com")
    algorithms = (hashlib.md5, hashlib.sha1, hashlib.sha256)
    return frozenset(hash_(text.encode(), usedforsecurity=False).hexdigest() for hash_ in algorithms for text in texts)
