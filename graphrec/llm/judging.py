"""A language model judges whether two records are the same thing, with control questions against planted texts."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.characters import remove_controls
from graphrec.fusion.verdicts import VerdictKind
from graphrec.llm.screening import find_instruction
from graphrec.llm.worker import Estimate, Question, Worker
from graphrec.progress import StageProgress, silent

#: Texts with more characters are not shown: a title has fewer, and an instruction needs some.
MAX_TEXT = 300

#: Characters of a reason that are kept.
MAX_REASON = 200

_ANSWERS = ("yes", "no", "unsure")

_INSTRUCTIONS = """You compare two records of different catalogues, "left" and "right" in the message. Say whether \
they describe the same thing: the same work, product, place or person, not only a similar one. Another spelling, an \
article in another place or a year that differs by one may be the same thing; another part of a series is not.
The object has these keys:
"verdict": "yes", "no" or "unsure"
"reason": one short sentence that says what decided it"""

#: The other record of a control question if the graph has no suitable one.
_DECOY = "An Account of Harbour Dredging in Three Volumes"


@dataclass(frozen=True)
class RecordPair:
    """Two records with the properties that are compared; `left_id` and `right_id` are their keys."""

    left_id: str
    right_id: str
    left: Mapping[str, Any]  # Any: values of properties
    right: Mapping[str, Any]


@dataclass(frozen=True)
class Judgement:
    """A verdict on a pair, and the reason for it."""

    verdict: VerdictKind
    reason: str


@dataclass(frozen=True)
class Judgements:
    """The verdict on each pair, None without an answer, and the counts of the questions.

    Attributes:
        results: the verdicts.
        num_cached, num_unasked, problem: as in `Replies`, of all questions.
        num_controlled: pairs whose yes was taken back by a control question.
    """

    results: list[Judgement | None]
    num_cached: int
    num_unasked: int
    num_controlled: int
    problem: str


def judge(worker: Worker, pairs: Sequence[RecordPair], progress: StageProgress = silent) -> Judgements:
    """The verdict of a language model on each pair, one pair a request.

    A pair with a text that reads as an instruction, or with a long one, is withheld. A yes is kept only if the model
    says no when either record is compared with an unrelated one: a text that makes the model say yes to anything is
    found by this, in whatever words it does so. The verdict is then unsure.
    """
    withheld = [_find_withheld(pair) for pair in pairs]
    open_ = [at for at, reason in enumerate(withheld) if not reason]
    answers = worker.ask([_ask(pairs[at].left, pairs[at].right) for at in open_], _parse, progress, "judging links")
    results: list[Judgement | None] = [Judgement("withheld", reason) if reason else None for reason in withheld]
    for at, answer in zip(open_, answers.results, strict=True):
        results[at] = answer
    confirmed = [at for at in open_ if (given := results[at]) is not None and given.verdict == "yes"]
    decoys = _Decoys(pairs)
    controls = [question for at in confirmed for question in decoys.ask(pairs[at])]
    checked = worker.ask(controls, _parse, progress, "control questions")
    num_controlled = 0
    for place, at in enumerate(confirmed):
        both = checked.results[2 * place : 2 * place + 2]
        if any(each is None for each in both):
            results[at] = None
        elif not all(each is not None and each.verdict == "no" for each in both):
            num_controlled += 1
            results[at] = Judgement("unsure", "the model does not distinguish one of the records from an unrelated one")
    return Judgements(
        results,
        answers.num_cached + checked.num_cached,
        answers.num_unasked + checked.num_unasked,
        num_controlled,
        answers.problem or checked.problem,
    )


def estimate(worker: Worker, pairs: Sequence[RecordPair]) -> Estimate:
    """What `judge` costs at most: the questions, and two control questions for each pair."""
    shown = [pair for pair in pairs if not _find_withheld(pair)]
    decoys = _Decoys(pairs)
    controls = [question for pair in shown for question in decoys.ask(pair)]
    return worker.estimate([*(_ask(pair.left, pair.right) for pair in shown), *controls])


def _find_withheld(pair: RecordPair) -> str:
    """Why a pair is not shown to the model; "" if it is."""
    for value in (*pair.left.values(), *pair.right.values()):
        text = str(value)
        if len(text) > MAX_TEXT:
            return f"a text has more than {MAX_TEXT} characters"
        if reason := find_instruction(text):
            return f"a text reads as an instruction: {reason}"
    return ""


def _ask(left: Mapping[str, Any], right: Mapping[str, Any]) -> Question:
    return Question(_INSTRUCTIONS, {"left": dict(left), "right": dict(right)}, 120)


class _Decoys:
    """Unrelated records for control questions, from the pairs that are judged."""

    def __init__(self, pairs: Sequence[RecordPair]) -> None:
        self._sides = [
            {each.left_id: (each.left, _list_words(each.left)) for each in pairs},
            {each.right_id: (each.right, _list_words(each.right)) for each in pairs},
        ]

    def ask(self, pair: RecordPair) -> tuple[Question, Question]:
        """Each record of a pair with an unrelated one on the other side."""
        words = _list_words(pair.left) | _list_words(pair.right)
        seed = hashlib.sha256(f"{pair.left_id}\0{pair.right_id}".encode()).digest()
        left = self._choose(0, words, seed, pair.left)
        right = self._choose(1, words, seed, pair.right)
        return _ask(pair.left, right), _ask(left, pair.right)

    def _choose(self, side: int, words: set[str], seed: bytes, like: Mapping[str, Any]) -> Mapping[str, Any]:
        """A record of a side without a common word, the same for the same seed; without one, a made-up record with the
        properties of `like`."""
        records = [*self._sides[side].values()]
        begin = int.from_bytes(seed[:8], "big") % len(records)
        for record, own in (*records[begin:], *records[:begin]):
            if record and not own & words and not any(find_instruction(str(value)) for value in record.values()):
                return record
        return {name: value + 37 if isinstance(value, int | float) else _DECOY for name, value in like.items()}


def _list_words(record: Mapping[str, Any]) -> set[str]:
    """The words of a record's texts and its numbers, which two unrelated records do not share."""
    return {word for value in record.values() for word in re.findall(r"\w{3,}", str(value).casefold())}


def _parse(_: int, answer: Mapping[str, Any]) -> Judgement:  # Any: JSON
    """The verdict of an answer. Raises ValueError or TypeError if it has another form."""
    if set(answer) != {"verdict", "reason"}:
        raise ValueError("the answer has other keys than verdict and reason")
    verdict, reason = answer["verdict"], answer["reason"]
    if not isinstance(verdict, str) or not isinstance(reason, str):
        raise TypeError("the verdict or its reason is no text")
    if verdict not in _ANSWERS:
        raise ValueError("the verdict is not yes, no or unsure")
    return Judgement(verdict, " ".join(remove_controls(reason).split())[:MAX_REASON])  # type: ignore[arg-type]
