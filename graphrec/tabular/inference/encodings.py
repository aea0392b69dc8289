"""Detects the encoding of a text from its first bytes."""

import re

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
#: Encodings of other scripts: typical characters, and further characters of such texts.
_SCRIPTS = (
    ("shift_jis", re.compile("[\u3040-\u30ff]"), re.compile("[\u3000-\u303f\uff00-\uff60\u4e00-\u9fff]")),
    ("gb18030", re.compile("[\u4e00-\u9fff]"), re.compile("[\u3000-\u303f\uff00-\uffef]")),
    ("euc-kr", re.compile("[\uac00-\ud7a3]"), re.compile("[\u3000-\u303f]")),
    ("cp1251", re.compile("[а-яё]"), re.compile("[А-ЯЁ]")),
)


def detect_encoding(start: bytes) -> tuple[str, bool]:
    """The encoding of these bytes, and whether it is certain (never for legacy encodings)."""
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name, True
    if len(start) > 3 and start[:200:2].count(0) > 0.4 * len(start[:200:2]):
        return "utf-16-be", True
    if len(start) > 3 and start[1:200:2].count(0) > 0.4 * len(start[1:200:2]):
        return "utf-16-le", True
    whole = start[: start.rfind(b"\n") + 1] or start
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return _detect_legacy(whole), False
    return "utf-8", True


def _detect_legacy(start: bytes) -> str:
    high = sum(byte > 0x7F for byte in start)
    letters = sum(chr(byte).isalpha() for byte in start if byte < 0x80)
    if high > 0.4 * (high + letters):
        for name, usual, also in _SCRIPTS:
            try:
                text = start.decode(name)
            except UnicodeDecodeError:
                continue
            foreign = sum(ord(letter) > 0x7F for letter in text)
            known = len(usual.findall(text)) + len(also.findall(text))
            if known > 0.9 * foreign and len(usual.findall(text)) > 0.3 * foreign:
                return name
    try:
        start.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"
