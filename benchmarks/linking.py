"""Seconds for linking 10,000 titles with 60,000, and, with --people, as many people of two sources as --left says.

    python benchmarks/linking.py [--left 10000] [--right 60000] [--people]

The titles are made of random words. Four fifths of the left ones are in the right source too: most with the same
title, some without their article, with a letter missing, under another name or a year later. The made links are
compared with what was made. Without --people nothing but graphrec is needed; with it, graphrec[people].
"""

import argparse
import random
import resource
import time

import pandas as pd

from graphrec.fusion.link import Links, find_links
from graphrec.schema import LinkRule

LETTERS = "bcdfghklmnprstvw"


def word(rng: random.Random) -> str:
    """A word of two or three syllables."""
    return "".join(rng.choice(LETTERS) + rng.choice("aeiou") for _ in range(rng.choice((2, 2, 3))))


def titles(left: int, right: int, rng: random.Random) -> pd.DataFrame:
    """Records of the sources a and b; a:n and b:n are the same work for the first four fifths of a."""
    words = [word(rng) for _ in range(8_000)]
    rows = []
    for number in range(max(left, right)):
        title = " ".join(rng.choice(words) for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 6)))).title()
        title, year = (f"The {title}" if rng.random() < 0.3 else title), 1920 + int(100 * rng.random() ** 0.4)
        if number < left:
            rows.append((f"a:{number}", "a", title, year))
        if number < right:
            same = number < 0.8 * left
            other = title if same else f"{title} {rng.choice(words).title()}"
            rows.append((f"b:{number}", "b", *(changed(other, year, rng) if same else (other, year))))
    return pd.DataFrame(rows, columns=["key", "source", "title", "year"])


def changed(title: str, year: int, rng: random.Random) -> tuple[str, int]:
    """Title and year as another source may have them."""
    if title.startswith("The ") and rng.random() < 0.5:
        title = f"{title[4:]}, The"
    chance = rng.random()
    if chance < 0.05:
        return misspelt(title, rng), year
    if chance < 0.15:
        return f"{word(rng).title()} {word(rng).title()} ({title})", year
    return title, year + (chance > 0.95)


def misspelt(text: str, rng: random.Random) -> str:
    """The text without one of its letters."""
    at = rng.randrange(1, len(text))
    return text[:at] + text[at + 1 :]


def people(count: int, rng: random.Random) -> pd.DataFrame:
    """Records of the sources a and b; a:n and b:n are the same person for the first three fifths."""
    first, city = ([word(rng) for _ in range(many)] for many in (300, 100))
    rows = []
    for number in range(count):
        row = [rng.choice(first), word(rng) + word(rng), f"{rng.randrange(1940, 2008)}{rng.randrange(10_000):04d}"]
        for source in ("a", "b"):
            if source == "b" and number >= 0.6 * count:
                row = [
                    rng.choice(first),
                    word(rng) + word(rng),
                    f"{rng.randrange(1940, 2008)}{rng.randrange(10_000):04d}",
                ]
            cells = [misspelt(cell, rng) if rng.random() < 0.1 else cell for cell in row]
            rows.append((f"{source}:{number}", source, *cells, city[number % 100]))
    return pd.DataFrame(rows, columns=["key", "source", "first_name", "surname", "birth_date", "city"])


def show(what: str, links: Links, seconds: float, same: float) -> None:
    """Print time, counts and quality of the links that are made; `same` works or people are in both sources."""
    made = links.pairs[links.pairs["confidence"] >= 0.9]
    right = made["left_key"].str[2:] == made["right_key"].str[2:]
    right &= made["left_key"].str[2:].astype(int) < same
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: {seconds:.1f} s, {len(made):,} made (precision {right.mean():.4f}, recall {right.sum() / same:.4f}), "
        f"{len(links.pairs) - len(made):,} proposed, {len(links.ambiguous):,} ambiguous, at most {memory:,.0f} MB"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left", type=int, default=10_000)
    parser.add_argument("--right", type=int, default=60_000)
    parser.add_argument("--people", action="store_true")
    options = parser.parse_args()
    rng = random.Random(1)
    frame = people(options.left, rng) if options.people else titles(options.left, options.right, rng)
    rule = LinkRule("Item", "title", ("title", "year"))
    if options.people:
        rule = LinkRule("Item", "fields", ("first_name", "surname", "birth_date", "city"))
    start = time.perf_counter()
    links = find_links("Item", frame, [rule])
    what = f"{options.left:,} × {options.left if options.people else options.right:,}"
    show(what, links, time.perf_counter() - start, (0.6 if options.people else 0.8) * options.left)


if __name__ == "__main__":
    main()
