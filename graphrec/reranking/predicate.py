"""Cypher predicates as text: checks that one is a single expression that cannot write, and finds the names it uses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from graphrec.errors import DataError
from graphrec.schema import ITEM, USER

#: Clauses that write, call, or begin another statement, on either database; no predicate may contain them.
WRITING = ("CREATE", "MERGE", "INSERT", "SET", "DELETE", "DETACH", "REMOVE", "FOREACH", "DROP", "LOAD")
FORBIDDEN = frozenset({*WRITING, "CALL", "UNION", "UNWIND", "USE", "FINISH"})

#: Clauses that are allowed only in the braces of a subquery: `EXISTS { MATCH (item)… WHERE … RETURN … }`.
SUBQUERY = frozenset({"MATCH", "OPTIONAL", "WITH", "RETURN", "ORDER", "LIMIT", "SKIP"})

_TOKEN = re.compile(
    r"(?P<comment>//[^\r\n]*|/\*.*?\*/)|(?P<text>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
    r"|(?P<quoted>`(?:[^`]|``)*`)|(?P<word>[^\W\d]\w*)|(?P<space>\s+)|(?P<sign>.)",
    re.DOTALL,
)

#: A Unicode escape, which Neo4j replaces before it parses a statement; it could be any character.
_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u")

#: (kind, text); the kinds are text, quoted, word and sign.
Token: TypeAlias = tuple[str, str]

_BRACKETS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Names:
    """The names of the graph that a predicate uses: labels, relationship types, and properties, each with its label or
    type. `of_user`: whether the predicate depends on the user."""

    labels: tuple[str, ...]
    relations: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]
    of_user: bool


def require_expression(rule: str, where: str) -> None:
    """Raise DataError unless a text is a single expression that cannot write.

    Brackets must match, so that the text cannot close the brackets that a query puts around it, and no word may begin a
    clause that writes. Besides, the query runs in a transaction that is rolled back.
    """
    if _ESCAPE.search(where):
        raise DataError(f"{rule}: a predicate has no \\u escapes, which Neo4j reads first; write the character itself")
    open_: list[str] = []
    tokens = list(_tokenise(where))
    for position, (kind, text) in enumerate(tokens):
        before = tokens[position - 1][1] if position else ""
        if kind == "sign" and text in "([{":
            open_.append(text)
        elif kind == "sign" and text in ")]}":
            if not open_ or open_.pop() != _BRACKETS[text]:
                raise DataError(f"{rule}: '{text}' closes what was not opened, in: {where.strip()}")
        elif kind == "sign" and text in ";$'\"`":
            raise DataError(f"{rule}: a predicate has no '{text}' (an open text, a parameter, or a second statement)")
        elif kind == "word" and before not in (".", ":"):
            _require_allowed_clause(rule, text.upper(), before.upper(), open_)
    if open_:
        raise DataError(f"{rule}: '{open_[-1]}' is not closed, in: {where.strip()}")
    if not tokens:
        raise DataError(f"{rule}: where is empty; write a Cypher predicate such as item.price < 10")
    _require_text_ids(rule, [text for _, text in tokens])


def _require_text_ids(rule: str, texts: list[str]) -> None:
    """Raise DataError if an id is compared with a number, which is never true: ids in the graph are texts."""
    for position in range(len(texts) - 4):
        name, dot, property_, *rest = texts[position : position + 6]
        if (dot, property_) != (".", "id"):
            continue
        operator = rest[0].upper()
        value = rest[2:3] if operator == "IN" or rest[:2] in (["<", ">"], ["<", "="], [">", "="]) else rest[1:2]
        if operator in ("=", "<", ">", "IN") and value and (value[0].isdigit() or value[0] == "-"):
            raise DataError(
                f"{rule}: {name}.id is a text, even if it looks like a number, and equals no number; write it in "
                f"quotes: {name}.id {'IN [' if operator == 'IN' else '= '}'15'{']' if operator == 'IN' else ''}"
            )


def find_names(where: str) -> Names:
    """The names that a predicate uses, each once, in order of appearance."""
    reader = _Reader(list(_tokenise(where)))
    reader.read()
    of_user = any(owner == USER for owner, _ in reader.properties) or reader.mentions("user")
    labels, relations = (tuple(dict.fromkeys(each)) for each in (reader.labels, reader.relations))
    return Names(labels, relations, tuple(dict.fromkeys(reader.properties)), of_user)


class _Reader:
    """Finds names in tokens: a name after a colon is a label in round brackets and a type in square brackets."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.labels: list[str] = []
        self.relations: list[str] = []
        self.properties: list[tuple[str, str]] = []
        self._bound = {"item": ITEM, "user": USER}  # label or type of each variable
        self._open: list[tuple[str, str]] = []  # bracket; for a brace in a pattern also the owner of its properties

    def read(self) -> None:
        """Read all tokens into `labels`, `relations` and `properties`."""
        owner, naming = "", False  # the label or type just read; whether the next name is one
        for position, (kind, text) in enumerate(self.tokens):
            before = self.tokens[position - 1][1] if position else ""
            is_name = kind in ("word", "quoted")
            if is_name and naming:
                owner, naming = self._add_name(position, _unquote(text)), False
                continue
            in_map = self._open[-1:] and self._open[-1][0] == "{"
            if is_name and in_map and self._open[-1][1] and self._next_text(position) == ":":
                self.properties.append((self._open[-1][1], _unquote(text)))
            elif is_name and before == "." and position > 1 and self.tokens[position - 2][0] in ("word", "quoted"):
                variable = _unquote(self.tokens[position - 2][1])
                if variable in self._bound and (position < 3 or self.tokens[position - 3][1] != "."):
                    self.properties.append((self._bound[variable], _unquote(text)))
            elif text in "([{" and kind == "sign":
                self._open.append((text, owner if text == "{" else ""))
            elif text in ")]}" and kind == "sign":
                self._open.pop()
            naming = kind == "sign" and ((text == ":" and not in_map) or (text in "|&!" and bool(owner or naming)))
            owner = owner if naming else ""

    def mentions(self, variable: str) -> bool:
        """Whether a variable is used anywhere, patterns included."""
        return any(
            kind in ("word", "quoted")
            and _unquote(text) == variable
            and (not k or self.tokens[k - 1][1] not in (".", ":"))
            for k, (kind, text) in enumerate(self.tokens)
        )

    def _add_name(self, position: int, name: str) -> str:
        """Record a label or type, also as that of the variable before it; return it."""
        in_square = bool(self._open) and self._open[-1][0] == "["
        (self.relations if in_square else self.labels).append(name)
        first = position > 1 and self.tokens[position - 2][0] in ("word", "quoted")
        if first and self._next_text(position) not in ("|", "&"):  # of several labels it may have any
            self._bound.setdefault(_unquote(self.tokens[position - 2][1]), name)
        return name

    def _next_text(self, position: int) -> str:
        return self.tokens[position + 1][1] if position + 1 < len(self.tokens) else ""


def _tokenise(where: str) -> Iterator[Token]:
    """The tokens of a predicate, without spaces and comments."""
    for match in _TOKEN.finditer(where):
        kind = match.lastgroup or ""
        if kind not in ("space", "comment"):
            yield kind, match[0]


def _require_allowed_clause(rule: str, word: str, before: str, open_: list[str]) -> None:
    """Raise DataError if a word begins a clause that is not allowed at its position."""
    reads = (word in SUBQUERY and "{" in open_) or (word == "WITH" and before in ("STARTS", "ENDS"))
    if word in FORBIDDEN or (word in SUBQUERY and not reads) or (word == "WHERE" and not open_):
        raise DataError(
            f"{rule}: a predicate is one expression that reads, and {word} begins a clause; "
            f"if it is a name, write it `{word.lower()}`"
        )


def _unquote(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
