"""The code blocks of docs/tour.md, docs/python.md and docs/rules.md run."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from graphrec import Graph
from graphrec.explanation import Explanation
from graphrec.hetero import HeteroGraph
from graphrec.publishing import PublishResult
from graphrec.ranking.topk import recommend
from graphrec.reranking import parse_rules, require_applicable, rerank_lists
from graphrec.runs import Run
from graphrec.serving import Answer, RecommendationFile
from graphrec.store import Store
from graphrec.tuning import Tuning
from tests.sizes import NEO4J_IS_SLOW

from . import shop

ROOT = Path(__file__).parent.parent.parent

#: What the example of docs/rules.md speaks of.
STOCKED = """
CREATE (ours:Brand {id: 'ours'}), (other:Brand {id: 'other'}) WITH ours, other
MATCH (u0:User {id: 'u0'}) SET u0.age = 12 CREATE (u0)-[:BLOCKED]->(other) WITH ours, other
MATCH (i1:Item {id: 'i1'}), (i2:Item {id: 'i2'}), (i3:Item {id: 'i3'})
SET i1.min_age = 18, i1.series = 's', i1.released = 2020
CREATE (i2)-[:BY_BRAND]->(ours), (i3)-[:BY_BRAND]->(other)
"""


#: Fields whose names say all, or that `…` stands for.
NOT_EXPLAINED = {"file", "bytes", "embeddings", "users", "edges", "user", "item", "split", "model", "run", "relation"}
NOT_EXPLAINED |= {"num_holders"}


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@NEO4J_IS_SLOW
def test_the_rules_example_runs(store: Store, tmp_path: Path) -> None:
    shop.build(store)
    store.write(STOCKED)
    (text,) = blocks("docs/rules.md", "toml")
    rules = parse_rules(text)
    assert all([rules.deny, rules.allow, rules.boost, rules.cap, rules.diversity, rules.recency])
    require_applicable(rules, store)
    run = shop.trained(store, tmp_path)
    applied = rerank_lists(rules, store, recommend(run, k=20), 3, trace=True)
    lists = applied.recommendations.frame.groupby("user_id")["item_id"].apply(set)
    assert "i0" not in set().union(*lists), "sold out"
    assert lists["u0"], "some items are left"
    assert not {"i1", "i3"} & lists["u0"], "one is not for their age, one is of a blocked brand"
    shown = {step.rule for step in applied.trace.steps}
    assert {"deny 'sold out'", "deny 'brands that the user blocked'", "allow 'for their age'"} <= shown
    assert {"boost 'house brand'", "cap 'two of a genre'", "diversity"} <= set(applied.trace.counts)


def orders() -> str:
    """Forty customers of two tastes and thirty products, as `orders.csv`."""
    rows = [
        f"c{c},p{p},Product {p},{1_700_000_000 + 7919 * (c * p % 101)}"
        for c in range(40)
        for p in range(30)
        if (c + p) % 2 == 0 and (3 * c + 5 * p) % 11 < 7
    ]
    return "\n".join(["customer,product,title,at", *rows]) + "\n"


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_all_code_of_the_python_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (spec,) = blocks("docs/python.md", "toml")
    (tmp_path / "shop.toml").write_text(spec)
    (tmp_path / "orders.csv").write_text(orders())
    monkeypatch.chdir(tmp_path)
    code = "".join(blocks("docs/python.md", "python"))
    exec(compile(code, "docs/python.md", "exec"), {})
    shown = capsys.readouterr().out
    said = re.search(r"print\(loaded.rows\)  # (.*)", code)
    assert said is not None
    assert said[1] in shown
    assert "published" in shown
    assert "trending" in shown


def test_the_page_on_python_names_every_method_and_the_fields_of_what_returns() -> None:
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    table = text[text.index("## Methods") : text.index("## Returned values")]
    methods = {name for name in dir(Graph) if not name.startswith("_")}
    named = set(re.findall(r"^\| `(?:Graph\.)?(\w+)\(", table, re.MULTILINE))
    assert named | {"store"} == methods
    for kind in (RecommendationFile, Answer, Run, PublishResult, Tuning, HeteroGraph, Explanation):
        rows = [row for row in text.splitlines() if f"`{kind.__name__}`" in row]
        found = {name.partition("(")[0].partition("[")[0] for row in rows for name in re.findall(r"`(\w+[^`]*)`", row)}
        missing = {each.name for each in fields(kind)} - found - NOT_EXPLAINED
        assert not missing, f"{kind.__name__}: {missing}"
        assert rows


@pytest.mark.slow
def test_the_block_of_the_tour_runs(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("docs/tour.md", "python")
    exec(compile(code, "docs/tour.md", "exec"), {})
    assert "published" in capsys.readouterr().out
    assert (environment / "runs").is_dir()
