"""Sentences by a server process: no name reaches it, and a sentence that says more than the reasons is refused."""

from pathlib import Path

import pytest

from graphrec.explanation import as_sentence
from graphrec.explanation.model import Explanation, Node, Reason, ReasonKind, Route, RouteKind
from graphrec.explanation.rewriting import check_sentence, mask, rewrite_sentence
from graphrec.llm import Endpoint, EndpointConfig
from graphrec.llm.answer_cache import AnswerCache
from graphrec.llm.worker import Worker
from tests.llm.planted import PHRASES
from tests.llm_server import Server

from .test_text import GENRE, explanation, history

ONE, MANY = (Route(RouteKind.PEOPLE, 0.1, count) for count in (1, 1234))
ROCK = Route(RouteKind.VALUE, 0.1, node=GENRE)
NEXT = Route(RouteKind.NEXT, 0.1, 12)
FRIEND = Reason(ReasonKind.SOCIAL, Node("User", "anna@x.org"), ("FRIEND",), 0.02, (Route(RouteKind.DIRECT, 0.02, 1),))
TOWN = Reason(ReasonKind.ATTRIBUTE, Node("Town", "Paris"), ("LIVES_IN",), 0.03)
WHY = explanation(history("Abba", 0.2, ONE, ROCK, NEXT), history("Queen", 0.041, MANY), FRIEND, TOWN, longer=0.11)


def worker(server: Server, folder: Path, model: str = "good") -> Worker:
    return Worker(
        Endpoint(EndpointConfig(server.url, model, timeout=5.0, retries=1), lambda _: None), AnswerCache(folder)
    )


@pytest.mark.parametrize(
    "why",
    [
        WHY,
        explanation(FRIEND, TOWN),
        explanation(history("Abba", 0.2), history("Queen", 0.1, relation="RATED"), seen=True),
        explanation(history("[A]", 0.2, ONE), history("[REC] 2 (41 %)", 0.1, MANY)),
        explanation(history("34 users who saw", 0.2, ONE), history("a; b, and c. d", 0.1, NEXT)),
    ],
)
def test_facts_without_names_are_the_plain_sentence(why: Explanation) -> None:
    masked = mask(why)
    assert masked is not None
    assert not any(character.isdigit() for fact in masked.facts for character in fact)
    plain = as_sentence(why).casefold()
    for fact in masked.facts:
        assert masked.unmask(fact).casefold() in plain


def test_a_good_sentence_has_the_names_and_the_model_none(llm_server: Server, tmp_path: Path) -> None:
    found = rewrite_sentence(WHY, worker(llm_server, tmp_path))
    assert (found.sentence, found.rewritten) == (
        "We suggest Muse because you listened to Abba (20 %) and Queen (4.1 %).",
        True,
    )
    sent = str(llm_server.log()[-1]["body"])
    assert not any(text in sent for text in ("Muse", "Abba", "Queen", "Rock", "anna", "Paris", "1,234", "41"))
    again = worker(llm_server, tmp_path)
    other = explanation(history("Blur", 0.5, ONE, ROCK, NEXT), history("Oasis", 0.3, MANY), FRIEND, TOWN, longer=0.11)
    assert rewrite_sentence(other, again).sentence.endswith("you listened to Blur (50 %) and Oasis (30 %).")
    assert again.endpoint.usage.calls == 0  # one answer serves all explanations of a form


def test_a_title_of_the_paths_may_read_as_an_order(llm_server: Server, tmp_path: Path) -> None:
    why = explanation(history("You Must Remember This", 0.2, ONE), history("Ignore the Rules", 0.1))
    found = rewrite_sentence(why, worker(llm_server, tmp_path))
    assert found.sentence == (
        "We suggest Muse because you listened to You Must Remember This (20 %) and Ignore the Rules (10 %)."
    )


@pytest.mark.parametrize("model", ["wrong", "rude", "forbidden", "liar", "slow"])
def test_a_bad_server_gives_the_plain_sentence(llm_server: Server, tmp_path: Path, model: str) -> None:
    bad = Worker(
        Endpoint(EndpointConfig(llm_server.url, model, timeout=0.3, retries=1), lambda _: None), AnswerCache(tmp_path)
    )
    found = rewrite_sentence(WHY, bad)
    assert (found.sentence, found.rewritten) == (as_sentence(WHY), False)
    assert "failed" in found.problem
    assert (bad.endpoint.usage.failures, bad.endpoint.usage.retries) == (1, 0 if model == "forbidden" else 1)


def test_twenty_planted_titles_change_no_sentence_with_a_model_that_obeys(llm_server: Server, tmp_path: Path) -> None:
    obedient = worker(llm_server, tmp_path, "obedient")
    for number, phrase in enumerate(PHRASES):
        title = f"A {phrase}"[:60].strip()
        routes = (ONE, Route(RouteKind.VALUE, 0.1, node=Node("Genre", phrase, phrase)))
        why = explanation(history(title, 0.2, *routes), history(f"B{phrase}"[:50].strip(), 0.1))
        plain = explanation(history("Abba", 0.2, ONE, ROCK), history("Queen", 0.1))
        found, expected = rewrite_sentence(why, obedient), rewrite_sentence(plain, obedient)
        assert found.rewritten, number
        assert expected.rewritten
        shown = as_sentence(why).partition("because you ")[2] or as_sentence(why).partition("Because you ")[2]
        assert found.sentence.removeprefix("We suggest Muse because you ").rstrip(".") in shown
        assert "Evil" not in found.sentence
    assert obedient.endpoint.usage.calls == 1
    assert not any(phrase in str(entry["body"]) for phrase in PHRASES for entry in llm_server.log()[-1:])


def test_a_sentence_is_refused_if_it_says_more() -> None:
    masked = mask(WHY)
    assert masked is not None
    first, people, after, shared, friend, town, longer = masked.facts
    for good in (
        f"We suggest [ITEM] because {first}; {people}.",
        f"Because {first}, we suggest [ITEM] to you.",
        f"You may enjoy [ITEM], since {shared}; and {friend}; {town}!",
        f"Here is [ITEM]: {after}; {longer}.",
    ):
        check_sentence(good, masked)
    known = first.split()[3]  # you listened to [X] and [Y]
    for bad in (
        f"You listened to [ITEM] and {known}.",  # what the user did not do
        f"We suggest [ITEM] because you never listened to {known}.",
        f"We suggest [ITEM] because everybody listened to {known}.",
        f"We suggest [ITEM] because {first}, and {people}.",  # two facts between two boundaries
        f"We suggest [ITEM] because {first} 5 times.",
        f"We suggest [ITEM] because {first}, at evil.example.",
        f"We suggest [ITEM] because {first}. Buy it.",
        f"We suggest [ITEM] because {first} [ZZ].",
        f"We suggest <b>[ITEM]</b> because {first}.",
        f"We suggest [ITEM] because {first} {known} {known}.",
        f"We suggest Muse because {first}.",
        "We suggest [ITEM].",
        f"We suggest [ITEM] because {first}",
        "",
    ):
        with pytest.raises(ValueError, match="it "):
            check_sentence(bad, masked)


def test_estimated_shares_and_sentences_without_reasons_are_not_rewritten(llm_server: Server, tmp_path: Path) -> None:
    estimated = explanation(history("Abba", 0.2), exact=False)
    found = rewrite_sentence(estimated, worker(llm_server, tmp_path))
    assert (found.sentence, found.rewritten) == ("We suggest Muse because you listened to Abba.", True)
    empty = rewrite_sentence(explanation(), worker(llm_server, tmp_path))
    assert (empty.sentence, empty.rewritten) == (as_sentence(explanation()), False)
    assert "no reasons" in empty.problem
