"""The report as files: what is the same for two runs, what is escaped, and whether tables have their form."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from graphrec.characters import remove_controls
from graphrec.errors import DataError, GraphrecError
from graphrec.evaluation import report
from graphrec.evaluation.report import findings, markdown, page, sentences
from graphrec.evaluation.result import Comparison, Estimate
from graphrec.splitting import SplitRecord

from . import report_examples as examples

NOW = datetime(2026, 11, 25, tzinfo=UTC)


class Collector(HTMLParser):
    """What tags and addresses a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href")]


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return page.render(examples.nameless(examples.rich(passed=False)), NOW)


def test_two_runs_that_differ_in_costs_give_the_same_json() -> None:
    quick, slow = (json.dumps(report.as_json(examples.rich(seconds))) for seconds in (1.0, 3.0))
    assert quick == slow
    assert "NaN" not in quick
    costs = [json.dumps(report.costs_as_json(examples.rich(seconds), NOW)) for seconds in (1.0, 3.0)]
    assert costs[0] != costs[1]
    found = report.as_json(examples.rich())
    assert (found["leader"], found["audit_passed"]) == (examples.LEADER, True)
    assert list(found["results"][0]["metrics"])[:3] == ["coverage@10", "coverage@20", "coverage@50"]


def test_what_comes_from_data_is_escaped(hostile_page: str) -> None:
    collector = Collector()
    collector.feed(hostile_page)
    assert "script" not in collector.tags
    assert all(address.startswith("#") for address in collector.addresses)
    assert not re.search(r"https?://|@import", hostile_page)
    assert "&lt;script&gt;" in hostile_page
    assert "<script" not in markdown.render(examples.rich(), NOW)


def test_an_item_lends_its_title_to_no_user_of_the_same_id(hostile_page: str) -> None:
    for text in (hostile_page, markdown.render(examples.rich(), NOW)):
        assert "an item whose id" not in text
        assert "user u1" in text
        assert "33 of 120" in text


def test_a_failed_audit_shows_its_leaks(hostile_page: str) -> None:
    assert "The leak audit failed with 3 leaks" in hostile_page
    assert "split 2: TAGGED u1 → a2 at 2011-02-03, after the cut" in hostile_page
    assert "The leak audit passed" in page.render(examples.smallest(), NOW)


def test_the_same_comparison_gives_the_same_bytes() -> None:
    first, second = (page.render(examples.smallest(), NOW) for _ in range(2))
    assert first == second


def test_pictures_keep_the_digits_of_values(hostile_page: str) -> None:
    values = [findings.value(result, "ndcg@20") for result in examples.rich().results]
    assert all(f">{value:.4f}</text>" in hostile_page for value in values)


def test_what_is_not_told_apart_by_its_paired_difference_is_tied() -> None:
    comparison = examples.rich()
    assert findings.find_leader(comparison).name == examples.LEADER
    assert findings.find_tied(comparison, "ndcg@20") == {"ease"}  # lightgcn has overlapping intervals


@pytest.mark.parametrize("comparison", [examples.rich(), examples.smallest()], ids=["rich", "smallest"])
def test_tables_in_markdown_are_well_formed(comparison: Comparison) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", markdown.render(comparison, NOW), flags=re.MULTILINE)
    assert blocks
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block
        assert re.fullmatch(r"\| --- \|( ---: \|)+", block.splitlines()[1])


def test_if_no_model_finds_anything_no_model_leads_and_the_report_says_what_to_do() -> None:
    comparison = examples.smallest()
    nothing = {"ndcg@10": Estimate(0.0, 0.0, 0.0)}
    results = tuple(replace(comparison.results[0], name=name, metrics=nothing) for name in ("popularity", "item_knn"))
    found = replace(comparison, results=results)
    text = markdown.render(found, NOW)
    assert "no model has a hit on BOUGHT" in text
    assert "No model has any test item of the 3 test users among its first 10 items, so differences" in text
    assert "load more behaviour, or measure longer lists (-k 100)." in text
    assert "★" not in text.split("## Models")[-1].split("|", 1)[-1]
    assert "leads" not in text
    page_ = page.render(found, NOW)
    assert "no model has a hit on BOUGHT" in page_
    by_time = SplitRecord("time(validation=0.1, test=0.1)", 5, found.splits[0].record.parts)
    late = replace(found, splits=(replace(found.splits[0], record=by_time),))
    assert "--split random" in sentences.no_hits(late)


def test_if_all_others_tie_with_the_best_no_model_is_said_to_lead() -> None:
    comparison = examples.rich()
    tied = tuple(replace(found, verdict="not significant") for found in comparison.differences)
    names = [result.name for result in comparison.results if result.name != examples.LEADER]
    close = replace(comparison, differences=tied)
    assert findings.find_tied(close, close.headline) == frozenset(names)
    assert sentences.title(close).startswith("no model is distinguishable from the others on ")


def test_the_examples_say_for_how_many_something_was_found() -> None:
    comparison = examples.rich()
    shown = {each.user: any(item.hit for item in each.shown) for each in comparison.examples}
    said = sentences.examples(comparison)
    assert f"{sum(shown.values())} with a test item among the recommendations" in said
    assert said in markdown.render(comparison, NOW).replace("\\", "")


def test_one_file_is_written_alone(tmp_path: Path) -> None:
    for name in ("r.md", "r.json"):
        assert report.write_all(examples.smallest(), tmp_path / name, NOW) == (tmp_path / name,)
        assert (tmp_path / name).is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json", "r.md"]


def test_all_four_files_are_written(tmp_path: Path) -> None:
    paths = report.write_all(examples.smallest(), tmp_path / "new", NOW)
    assert [path.name for path in paths] == ["report.html", "report.md", "report.json", "report.costs.json"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)
    assert json.loads(paths[3].read_text(encoding="utf-8"))["written_at"] == "2026-11-25T00:00:00+00:00"


@pytest.mark.parametrize("name", ["x.md", "x.json"])
def test_markdown_or_json_alone_is_one_file(name: str, tmp_path: Path) -> None:
    assert report.write_all(examples.smallest(), tmp_path / name, NOW) == (tmp_path / name,)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).is_file()


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    comparison = examples.smallest()
    with pytest.raises(GraphrecError, match="must end in .html, .md or .json"):
        report.write(comparison, tmp_path / "report.txt")
    with pytest.raises(GraphrecError, match="cannot write"):
        report.write(comparison, tmp_path / "missing" / "report.json")
    with pytest.raises(DataError, match="no results"):
        report.write(replace(comparison, results=()), tmp_path / "report.md")


def test_no_control_character_of_a_title_stands_in_a_report(tmp_path: Path) -> None:
    comparison = examples.rich()
    hostile = "\x00\x1b[31m\x7f\x9f\u2028\u202e\u2066\ufffe"
    titles = {item: f"{title}{hostile}" for item, title in comparison.titles.items()}
    paths = report.write_all(replace(comparison, titles=titles), tmp_path / "r.html", NOW)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert remove_controls(text) == text or path.suffix == ".json"
    assert json.loads(paths[2].read_text(encoding="utf-8"))
