"""How much room a text takes on a picture, and texts that fit into it."""

import unicodedata

#: Characters of a name before it is cut short.
LONGEST = 28


def width(text: str, size: float) -> float:
    """Pixels that a text takes at most in a usual font without serifs."""
    return size * sum(map(_em, text))


def _em(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF" or ord(letter) > 0x1F000:
        return 1.3
    return 0.8 if letter.isupper() or letter in "mwMW@%—…_" else 0.64


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, cut short with an ellipsis where it is longer."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def fitted(text: str, size: float, pixels: float) -> str:
    """The text, cut short with an ellipsis where it takes more than some pixels."""
    text = " ".join(text.split())
    longest = len(text)
    while longest > 1 and width(shortened(text, longest), size) > pixels:
        longest -= 1
    return shortened(text, longest)


def wrapped(text: str, size: float, pixels: float, lines: int) -> list[str]:
    """The text in at most some lines of some pixels, broken between words; the last is cut short where it must be."""
    found: list[str] = []
    rest = text.split()
    while rest and len(found) < lines - 1:
        count = 1
        while count < len(rest) and width(" ".join(rest[: count + 1]), size) <= pixels:
            count += 1
        found.append(fitted(" ".join(rest[:count]), size, pixels))
        rest = rest[count:]
    return found + ([fitted(" ".join(rest), size, pixels)] if rest else [])
