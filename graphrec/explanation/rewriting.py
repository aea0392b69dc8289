"""Rewrite the sentence of an explanation by a language model that sees no name and can add no fact.

The model gets the reasons of the sentence with each name, share and count replaced by a token such as [A]. Titles of
items and names of people never reach it, so no text in them can instruct it. Its sentence is accepted only if it
consists of known tokens, connecting words of a fixed list, and the words of one reason between two boundaries.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphrec.explanation.model import Explanation, Node, Path, Reason, ReasonKind
from graphrec.explanation.text import as_sentence, name, shorten, verb
from graphrec.llm.worker import Question, Worker

ITEM = "[ITEM]"

#: Maximum number of characters of a sentence, of uses of one token, and of the item.
MAX_SENTENCE, MAX_USES, MAX_USES_OF_ITEM = 600, 2, 5

#: Words that connect, and state nothing of their own. Without negations and quantities.
CONNECTING = frozenset(
    {"a", "an", "the", "and", "also", "too", "both", "with", "for", "of", "to", "in", "by", "that", "which"}
    | {"is", "are", "was", "were", "has", "have"}
)

#: Reasons whose nodes have their label in a sentence if they have no title.
_WITH_LABEL = (ReasonKind.HISTORY, ReasonKind.SOCIAL)

#: How a sentence may name the suggestion.
_FRAME = re.compile(
    r"(?:(?:we|i) (?:suggest|recommend) \[ITEM\]|\[ITEM\] is (?:suggested|recommended)|here is \[ITEM\]|"
    r"you (?:may|might|could) (?:like|enjoy) \[ITEM\]|\[ITEM\] (?:may|might|could) (?:interest you|be for you))"
    r"(?: to you| for you)?",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(r"[;:]|\b(?:because|since)\b", re.IGNORECASE)
_TOKEN = re.compile(r"\[[A-Z]+\]")
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = frozenset(" ,'’‘–—-_.!")

_INSTRUCTIONS = """You rewrite the explanation of a recommendation as one friendly sentence for the user. In the \
message, "facts" are the reasons, and tokens in square brackets represent names, people and numbers; "tokens" says \
what each is.
Rules: the sentence names [ITEM] once, as in "We suggest [ITEM] because …", then one or more of the facts, separated \
by semicolons. Copy tokens as they are. Use no other names, numbers, quotation marks or facts, and only the words of a \
fact and words such as "and", "also", "with", "which", "was", "by".
The object has this key:
"sentence": the sentence, which ends with a full stop"""


@dataclass(frozen=True)
class Rewritten:
    """A sentence, whether a model wrote it, and why not if it did not."""

    sentence: str
    rewritten: bool
    problem: str = ""


@dataclass(frozen=True)
class Masked:
    """The sentence of an explanation without names and numbers.

    facts: its reasons, with tokens.
    texts: the final text of each token.
    kinds: what each token of the facts is, for the model.
    """

    facts: tuple[str, ...]
    texts: Mapping[str, str]
    kinds: Mapping[str, str]

    def unmask(self, text: str) -> str:
        """The text with the tokens replaced, each once: a title that looks like a token stays as it is."""
        return _fill(text, self.texts)


def rewrite_sentence(explanation: Explanation, worker: Worker) -> Rewritten:
    """The sentence of an explanation in the words of a language model; the plain one if its answer is not accepted.

    A failed or refused answer costs the repetitions of the endpoint, and raises no error.
    """
    plain = as_sentence(explanation)
    masked = mask(explanation)
    if masked is None:
        return Rewritten(plain, False, "the explanation has no reasons with names")
    question = Question(_INSTRUCTIONS, {"facts": [*masked.facts], "tokens": dict(masked.kinds)}, 300)
    answers = worker.ask([question], lambda _, answer: _parse(answer, masked), stage="rewriting")
    (found,) = answers.results
    return Rewritten(plain, False, answers.problem) if found is None else Rewritten(found, True)


def mask(explanation: Explanation) -> Masked | None:
    """The facts of an explanation's sentence, with tokens; None if it has no reason that names something."""
    if any(each.kind is ReasonKind.INPUT for each in explanation.reasons):
        return None  # its reasons are places and shares, all of which would be tokens
    tokens: dict[Node, str] = {explanation.item: ITEM}
    letters = _count_letters()

    def choose_token(node: Node) -> str:
        if node not in tokens:
            tokens[node] = letters()
        return tokens[node]

    text = as_sentence(_replace_nodes(explanation, choose_token))
    with_label = {explanation.item, *(each.node for each in explanation.reasons if each.kind in _WITH_LABEL)}
    texts = {token: name(node) if node in with_label else shorten(node.name) for node, token in tokens.items()}
    if _fill(text, texts) != as_sentence(explanation):  # two nodes of one name are joined in the plain sentence
        return None
    kinds = {token: "the suggested item" if token == ITEM else "a name" for token in texts}

    def bind(pattern: str, kind: str) -> None:
        """Replace what matches by a token of its own, so that numbers cannot be separated from their names."""
        nonlocal text

        def add(match: re.Match[str]) -> str:
            token = letters()
            texts[token], kinds[token] = _fill(match[0], texts), kind
            return token

        text = re.sub(pattern, add, text)

    if not explanation.exact:  # shares that are estimates are left out
        text = re.sub(r" \([^()\[\]]*\d[^()\[\]]*\)", "", text)
        text = re.sub(r"(?<=\.) [^\[]*$", "", text)
    # "34 users who rated [A]", "34 users went from [A]"; "[A] (41 %, 2 steps ago)"; "rated [A] and [B]" if there are
    # several verbs; "(3 %)" and other numbers.
    bind(r"\d[\d,]* (?:users? )?(?:who [^\[\];.,]*|went from )\[[A-Z]+\]", "a group of users")
    bind(r"\[(?!ITEM)[A-Z]+\] \([^()\[\]]*\)", "an item that the user knows, with its weight")
    bind(r"\(\[[A-Z]+\]\)", "a value that the user has")
    verbs = {verb(each.relations) for each in explanation.reasons if each.kind is ReasonKind.HISTORY}
    if len(verbs) > 1:
        words = "|".join(map(re.escape, sorted(verbs, key=len, reverse=True)))
        names = r"\[(?!ITEM)[A-Z]+\]"
        bind(rf"(?:{words}) {names}(?:(?:, | and ){names})*", "what the user did")
    bind(r"\([^()\[\]]*\d[^()\[\]]*\)", "a weight")
    bind(r"\d[\d,.]*(?: %)?", "a number")
    parts = re.split(r"; |(?<=[.!]) |: |, and (?=\[)", text.rstrip("."))
    stripped = [re.sub(r"^(?:approximately, )?because ", "", part.strip(" ."), flags=re.IGNORECASE) for part in parts]
    facts = tuple(fact for fact in stripped if set(_TOKEN.findall(fact)) - {ITEM})
    used = {ITEM, *(token for fact in facts for token in _TOKEN.findall(fact))}
    return Masked(facts, texts, {token: kinds[token] for token in kinds if token in used}) if facts else None


def check_sentence(sentence: str, masked: Masked) -> None:
    """Raise ValueError if a sentence with tokens says more than the facts.

    Between two boundaries (`;`, `:`, because, since) it may have tokens and words of one fact only, and CONNECTING.
    """
    if len(sentence) > MAX_SENTENCE or not re.fullmatch(r"[^.!]+[.!]", sentence):
        raise ValueError("it is not one sentence")
    tokens = _TOKEN.findall(sentence)
    if not set(tokens) <= set(masked.kinds):
        raise ValueError("it has unknown tokens")
    uses = {token: tokens.count(token) for token in tokens}
    if not 1 <= uses.pop(ITEM, 0) <= MAX_USES_OF_ITEM or not 1 <= max(uses.values(), default=0) <= MAX_USES:
        raise ValueError("it lacks the item or a reason, or repeats a name")
    rest = _TOKEN.sub(" ", sentence)
    if any(not (character.isalpha() or character in _MARKS or character in ";:") for character in rest):
        raise ValueError("it has other characters than letters and marks")
    bags = [_list_content(fact) for fact in masked.facts]
    for part in _BOUNDARY.split(_FRAME.sub(";", sentence)):
        content = _list_content(part)
        if not any(content <= bag for bag in bags):
            raise ValueError("it joins words of several facts, or has words of none")


def _list_content(text: str) -> set[str]:
    """The tokens and the words that are not CONNECTING."""
    words = {word.casefold() for word in _WORD.findall(_TOKEN.sub(" ", text))}
    return (words - CONNECTING) | set(_TOKEN.findall(text))


def _parse(answer: Mapping[str, Any], masked: Masked) -> str:  # Any: JSON
    """The sentence of an answer with its names. Raises ValueError or TypeError if it is not accepted."""
    if set(answer) != {"sentence"}:
        raise ValueError("the answer has other keys than sentence")
    if not isinstance(answer["sentence"], str):
        raise TypeError("the sentence is no text")
    sentence = answer["sentence"].strip()
    check_sentence(sentence, masked)
    return masked.unmask(sentence[0].upper() + sentence[1:])


def _fill(text: str, texts: Mapping[str, str]) -> str:
    """The text with its tokens replaced, in one pass."""
    return _TOKEN.sub(lambda token: texts.get(token[0], token[0]), text)


def _count_letters() -> Callable[[], str]:
    """A function that returns [A], [B], …, [Z], [AA], … in turn."""
    number = 0

    def letters() -> str:
        nonlocal number
        number += 1
        left, text = number, ""
        while left:
            left, digit = divmod(left - 1, 26)
            text = chr(ord("A") + digit) + text
        return f"[{text}]"

    return letters


def _replace_nodes(explanation: Explanation, title: Callable[[Node], str]) -> Explanation:
    """The explanation with other titles of all nodes that its sentence names."""

    def change(node: Node) -> Node:
        return replace(node, title=title(node))

    def change_reason(reason: Reason) -> Reason:
        through = tuple(replace(route, node=change(route.node)) if route.node else route for route in reason.through)
        return replace(reason, node=change(reason.node), through=through)

    paths: tuple[Path, ...] = ()  # a sentence has reasons only
    reasons = tuple(map(change_reason, explanation.reasons))
    attribution = replace(explanation.attribution, paths=paths, reasons=reasons)
    return replace(explanation, item=change(explanation.item), attribution=attribution)
