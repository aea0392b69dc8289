"""docs/glossary.md holds: its terms point at code that exists, and the words it retires do not come back."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"

#: Where retired words must not occur, but for glossary.md itself and docs/evaluation: reports kept as measured.
CHECKED = ("graphrec", "loaders", "scripts", "cypher", "docs", "notebooks", "README.md", "CONTRIBUTING.md")
ENDINGS = {".py", ".md", ".cypher", ".ipynb"}

#: What a row retires: a whole identifier, a word inside identifiers, words of prose, or a word everywhere.
KINDS = {"name", "part", "prose", "word"}


#: Words that are data: a placeholder for a person's name, for one.
DATA = {("graphrec/fusion/placeholders.py", "nobody")}


class Retired(NamedTuple):
    """A row of the table: the word or phrase, where it is retired (one of `KINDS`), and its replacement."""

    word: str
    kind: str
    replacement: str


class Passage(NamedTuple):
    """A piece of a file: its first line, whether it is an identifier, and its text."""

    line: int
    is_name: bool
    text: str


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below a heading, up to the next heading of the same level."""
    text = GLOSSARY.read_text(encoding="utf-8")
    section = re.split(rf"^## {heading}$", text, flags=re.MULTILINE)[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in ("term", "retired", "---")]


@cache
def retired() -> tuple[Retired, ...]:
    """The retired words of the glossary."""
    return tuple(Retired(word.strip("`"), kind, replacement) for word, kind, replacement in rows("Retired words"))


@cache
def passages(path: Path) -> tuple[Passage, ...]:
    """The identifiers and the prose of a file: comments and strings of Python, all text of other files."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return tuple(_python(text))
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        found: list[Passage] = []
        for number, cell in enumerate(cells, 1):
            source = "".join(cell["source"])
            whole = [Passage(1, False, source)] if cell["cell_type"] == "markdown" else _python(source)
            found += [passage._replace(line=number) for passage in whole]
        return tuple(found)
    return (Passage(1, False, text),)


def _python(text: str) -> Iterator[Passage]:
    """The identifiers, the strings, and the comments of Python, comments on consecutive lines as one."""
    comments: dict[int, list[str]] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        line = token.start[0]
        if token.type == tokenize.NAME:
            yield Passage(line, True, token.string)
        elif token.type == tokenize.STRING:
            yield Passage(line, False, token.string)
        elif token.type == tokenize.COMMENT:
            first = next((start for start, block in comments.items() if start + len(block) == line), line)
            comments.setdefault(first, []).append(token.string)
    for line, block in comments.items():
        yield Passage(line, False, "\n".join(block))


def parts(identifier: str) -> set[str]:
    """The lower-case words of an identifier: `read_HTMLPage` has read, html and page."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", identifier)}


def lines_with(word: Retired, passage: Passage) -> list[int]:
    """The lines of a passage that have a retired word."""
    if passage.is_name:
        if word.kind == "name":
            return [passage.line] if passage.text == word.word else []
        return [passage.line] if word.kind in ("part", "word") and word.word in parts(passage.text) else []
    if word.kind not in ("prose", "word"):
        return []
    first, rest = word.word[0], word.word[1:]  # "is None" is Python, "is none" is not
    phrase = f"[{first.lower()}{first.upper()}]" + r"[\s#>*]+".join(map(re.escape, rest.split(" ")))
    hits = re.finditer(rf"(?<![A-Za-z-]){phrase}(?![A-Za-z-])", passage.text)
    return [passage.line + passage.text.count("\n", 0, hit.start()) for hit in hits]


def checked() -> list[Path]:
    """The files in which retired words must not occur."""
    found = [
        path for name in CHECKED for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
    ]
    skipped = {GLOSSARY, *(ROOT / "docs" / "evaluation").glob("*")}
    return sorted(path for path in found if path.suffix in ENDINGS and path not in skipped)


@cache
def words_in(identifier: str) -> Sequence[Retired]:
    """The retired words that an identifier has; cached, since most identifiers occur many times."""
    return tuple(word for word in retired() if lines_with(word, Passage(1, True, identifier)))


def possible_words(path: Path) -> list[Retired]:
    """The retired words whose parts a file has at all: of most files none, so that they need not be tokenized."""
    if path.suffix == ".ipynb":  # its JSON has escapes within words
        return list(retired())
    text = path.read_text(encoding="utf-8")
    present, whole = parts(text), Passage(1, False, text)
    found = [word for word in retired() if parts(word.word) <= present]
    return [word for word in found if word.kind != "prose" or lines_with(word, whole)]


def violations() -> list[str]:
    """Every use of a retired word, as `file:line: 'word' is retired; use …`; of notebooks the line is the cell."""
    found = []
    for path in checked():
        words = possible_words(path)
        name = str(path.relative_to(ROOT))
        for passage in passages(path) if words else ():
            possible = words_in(passage.text) if passage.is_name else words
            text = passage.text.lower()
            found += [
                f"{name}:{line}: {word.word!r} is retired; use {word.replacement}"
                for word in possible
                if word.word.split(" ")[0].lower() in text and (name, word.word) not in DATA
                for line in lines_with(word, passage)
            ]
    return found


def test_no_retired_word_comes_back() -> None:
    found = violations()
    assert not found, "\n".join([f"{len(found)} uses of words that docs/glossary.md retires:", *found])


@pytest.mark.parametrize(
    ("kind", "word", "text", "expected"),
    [
        ("name", "Tie", "Tie = 1\ntie = 2\nTieBreak = 3\n", [1]),
        ("part", "shelf", "shelf_of = 1\nBookShelf = 2\nshelfish = 3\n# on the shelf\n", [1, 2]),
        ("word", "told", "told_rows = 1\n# Told twice\ntolder = 'x.told.y'\n", [1, 2, 3]),
        ("prose", "there is none", '"""Zero if\n    there is\n    none."""\nif there is None: pass\n', [2]),
        ("prose", "are none", "# of which there are\n# none\n", [1]),
        ("prose", "stand", "# a stand-alone program\n# standard\n# they stand here\n", [3]),
    ],
)
def test_what_counts_as_a_use(kind: str, word: str, text: str, expected: list[int]) -> None:
    found = sorted(line for passage in _python(text) for line in lines_with(Retired(word, kind, "x"), passage))
    assert found == expected


def test_the_table_of_retired_words_is_well_formed() -> None:
    words = retired()
    assert len(words) > 50
    assert {word.kind for word in words} == KINDS
    assert all(word.replacement for word in words)
    assert len({(word.word, word.kind) for word in words}) == len(words)


def defined(path: Path) -> set[str]:
    """The names that a Python file defines, methods and fields as `Class.name`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        found |= _names(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for inner in node.body for name in _names(inner)}
    return found


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}


@pytest.mark.parametrize("row", rows("Terms"), ids=lambda row: row[0])
def test_a_term_points_at_code_that_exists(row: list[str]) -> None:
    _, definition, reference = row
    assert definition.endswith("."), "a definition is a sentence"
    *names, path = re.findall(r"`([^`]+)`", reference)
    assert (ROOT / path).exists(), path
    if path.endswith(".py"):
        assert set(names) <= defined(ROOT / path)
