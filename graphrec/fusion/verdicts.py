"""Verdicts on proposed links: a yes that is confirmed makes a link which fusion itself proposes, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from graphrec.errors import DataError

VerdictKind = Literal["yes", "no", "unsure", "withheld"]


@dataclass(frozen=True)
class Verdict:
    """What a language model or a person says of a proposed link.

    label, left_key, right_key: the pair of records, as in `Links`.
    verdict: `withheld` if the pair was not shown to the model, since a text of it reads as an instruction.
    reason: in the words of the model, or of graphrec if it replaced the answer.
    model: who gave it.
    confirmed: whether the link is made if fusion proposes it.

    Raises:
        DataError: the verdict is of no known kind, or another than a yes is confirmed.
    """

    label: str
    left_key: str
    right_key: str
    verdict: VerdictKind
    reason: str = ""
    model: str = ""
    confirmed: bool = False

    def __post_init__(self) -> None:
        if self.verdict not in get_args(VerdictKind) or (self.confirmed and self.verdict != "yes"):
            raise DataError("a verdict is yes, no, unsure or withheld, and only a yes can be confirmed")

    def describe(self) -> str:
        """The verdict as a part of the evidence of a link."""
        return f"judged {self.verdict} by {self.model}: {self.reason}"


def add_verdicts(pairs: pd.DataFrame, verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Links with the verdicts on them appended to their evidence, and a column `confirmed`."""
    by_pair: dict[tuple[str, str], list[Verdict]] = {}
    for each in verdicts:
        by_pair.setdefault((each.left_key, each.right_key), []).append(each)
    found = [by_pair.get(pair, []) for pair in zip(pairs["left_key"], pairs["right_key"], strict=True)]
    if not any(found):
        return pairs.assign(confirmed=False)
    evidence = [
        "; ".join([text, *(each.describe() for each in given)])
        for text, given in zip(pairs["evidence"], found, strict=True)
    ]
    confirmed = [any(each.confirmed for each in given) for given in found]
    return pairs.assign(evidence=pd.Series(evidence, index=pairs.index, dtype="str"), confirmed=confirmed)
