"""Seconds, precision and recall of linking --left titles with --right ones, or with --people --left people of each
of two sources.

    python benchmarks/linking.py [--left 10000] [--right 60000] [--people]

The titles are random words. Four fifths of the left ones are in the right source too: most with the same title, some
without their article, with a letter missing, under another name or a year later. The links are compared with the pairs
that were generated. --people needs graphrec[people].
"""

import argparse
import random
import resource
import time

import pandas as pd

from graphrec.fusion.link import Links, find_links
from graphrec.fusion.records import KEY, SOURCE_NAME
from graphrec.schema import LinkRule

LETTERS = "bcdfghklmnprstvw"


def make_word(rng: random.Random) -> str:
    """A word of two or three syllables."""
    return "".join(rng.choice(LETTERS) + rng.choice("aeiou") for _ in range(rng.choice((2, 2, 3))))


def make_titles(left: int, right: int, rng: random.Random) -> pd.DataFrame:
    """Records of the sources a and b; a:n and b:n are the same work for the first four fifths of a."""
    words = [make_word(rng) for _ in range(8_000)]
    rows = []
    for number in range(max(left, right)):
        title = " ".join(rng.choice(words) for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 6)))).title()
        title, year = (f"The {title}" if rng.random() < 0.3 else title), 1920 + int(100 * rng.random() ** 0.4)
        if number < left:
            rows.append((f"a:{number}", "a", title, year))
        if number < right:
            same = number < 0.8 * left
            other = title if same else f"{title} {rng.choice(words).title()}"
            rows.append((f"b:{number}", "b", *(vary(other, year, rng) if same else (other, year))))
    return pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "title", "year"])


def vary(title: str, year: int, rng: random.Random) -> tuple[str, int]:
    """Title and year as another source may write them."""
    if title.startswith("The ") and rng.random() < 0.5:
        title = f"{title[4:]}, The"
    chance = rng.random()
    if chance < 0.05:
        return misspell(title, rng), year
    if chance < 0.15:
        return f"{make_word(rng).title()} {make_word(rng).title()} ({title})", year
    return title, year + (chance > 0.95)


def misspell(text: str, rng: random.Random) -> str:
    """The text without one of its letters."""
    position = rng.randrange(1, len(text))
    return text[:position] + text[position + 1 :]


def make_people(count: int, rng: random.Random) -> pd.DataFrame:
    """Records of the sources a and b; a:n and b:n are the same person for the first three fifths."""
    first, city = ([make_word(rng) for _ in range(many)] for many in (300, 100))
    rows = []
    for number in range(count):
        row = make_person(first, rng)
        for source in ("a", "b"):
            if source == "b" and number >= 0.6 * count:
                row = make_person(first, rng)
            cells = [misspell(cell, rng) if rng.random() < 0.1 else cell for cell in row]
            rows.append((f"{source}:{number}", source, *cells, city[number % 100]))
    return pd.DataFrame(rows, columns=[KEY, SOURCE_NAME, "first_name", "surname", "birth_date", "city"])


def make_person(first_names: list[str], rng: random.Random) -> list[str]:
    """First name, surname, and date of birth."""
    return [
        rng.choice(first_names),
        make_word(rng) + make_word(rng),
        f"{rng.randrange(1940, 2008)}{rng.randrange(10_000):04d}",
    ]


def show(name: str, links: Links, seconds: float, same: float) -> None:
    """Print time, counts and quality of the links that are made; `same` works or people are in both sources."""
    made = links.pairs[links.pairs["confidence"] >= 0.9]
    right = made["left_key"].str[2:] == made["right_key"].str[2:]
    right &= made["left_key"].str[2:].astype(int) < same
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {seconds:.1f} s, {len(made):,} made (precision {right.mean():.4f}, recall {right.sum() / same:.4f}), "
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
    frame = make_people(options.left, rng) if options.people else make_titles(options.left, options.right, rng)
    rule = LinkRule("Item", "title", ("title", "year"))
    if options.people:
        rule = LinkRule("Item", "fields", ("first_name", "surname", "birth_date", "city"))
    start = time.perf_counter()
    links = find_links("Item", frame, [rule])
    seconds = time.perf_counter() - start
    name = f"{options.left:,} × {options.left if options.people else options.right:,}"
    show(name, links, seconds, (0.6 if options.people else 0.8) * options.left)


if __name__ == "__main__":
    main()
