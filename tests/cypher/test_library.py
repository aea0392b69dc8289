"""What holds for every query file: its head, its words, its pasted form, and its place on the page of the docs."""

import re
from pathlib import Path

import pytest

from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.schema import NO_BEHAVIOUR, RECOMMENDED, SHOWN
from graphrec.store import Store, queries, query_docs

PAGE = Path(__file__).parent.parent.parent / "docs" / "cypher.md"
VERBS = ("check", "compare", "explain", "find", "list", "recommend", "summarise")

#: A value for each parameter without a default.
GIVEN = {
    "by": "occupation",
    "item_id": "a",
    "new_run_id": "r2",
    "old_run_id": "r1",
    "text": "0.6,0.8",
    "user_id": "ann",
    "user_ids": "ann,cid",
    "value": "student",
    "values": "Drama,x",
}

every_query = pytest.mark.parametrize("name", queries.names())


def given(query: queries.Query) -> dict[str, str]:
    return {p.name: GIVEN[p.name] for p in query.parameters if p.default is None}


@every_query
def test_a_query_file_says_what_it_is(name: str) -> None:
    query = queries.get(name)  # raises where declared and used parameters differ
    assert name.startswith(VERBS)
    assert query.sentence.endswith(".")
    assert max(map(len, query.text.splitlines())) <= 120
    assert ";" not in query.text  # Neo4j Browser would take it for the end of the statement
    assert "|" not in "".join(line for line in query.text.splitlines() if line.startswith("//"))  # it ends a cell


@every_query
def test_a_query_takes_every_behaviour_for_one(name: str) -> None:
    statement = queries.get(name).statement
    assert {RECOMMENDED, SHOWN} == NO_BEHAVIOUR
    types = re.findall(r"\[\w*:(!?[A-Z_&|!]+)", statement)
    assert {found for found in types if "!" in found} <= {"!RECOMMENDED&!SHOWN"}
    assert not [found for found in types if set(found.split("|")) & ({*BEHAVIOURS} - {"TAGGED"})]
    # Tags are read for their words, never as the only sign of a choice: TAGGED always stands alone and has a `tag`.
    assert statement.count("TAGGED") == len(re.findall(r"\[(?:own|tagging):TAGGED\]", statement))


@every_query
def test_a_query_reads_only_what_is_published(name: str) -> None:
    statement = queries.get(name).statement
    if re.search(r":RECOMMENDED\]|:SIMILAR\]", statement):
        assert ".version IN run.layers" in statement
        assert "[:WITHDRAWN]->(run)" in statement


def test_every_query_runs_as_it_is_pasted_and_returns_the_columns_that_it_declares(graph: Store) -> None:
    """As Neo4j Browser runs it: the server evaluates each `:param` as Cypher, then the statement is sent as it is."""
    for query in map(queries.get, queries.names()):  # in one test, as building the graph takes longer than asking it
        *lines, statement = query_docs.render_query(query, given(query)).split(";\n")
        values = {}
        for line in lines:
            parameter, expression = line.removeprefix(":param ").split(" => ")
            values[parameter] = graph.read(f"RETURN {expression} AS value")[0]["value"]
        assert list(values) == [p.name for p in query.parameters]
        assert statement.strip().startswith(f"// {query.sentence}")
        assert statement.endswith(";")
        rows = graph.read(statement.removesuffix(";"), values)
        assert rows == queries.run(graph, query, given(query)), query.name
        assert rows, query.name
        assert {tuple(row) for row in rows} == {query.returns}, query.name


def test_what_is_not_given_stands_there_in_capitals_and_texts_are_quoted() -> None:
    text = query_docs.render_query(queries.get("list_popular_in_segment"), {"value": "O'Neil \\ sons", "k": "3"})
    assert text.splitlines()[:4] == [
        ":param by => 'BY';",
        ":param value => 'O\\'Neil \\\\ sons';",
        ":param k => 3;",
        "",
    ]
    assert query_docs.render_query(queries.get("recommend_for_group"), {}).startswith(
        ":param user_ids => ['USER_IDS'];\n"
    )
    assert query_docs.render_query(queries.get("list_trending"), {"since": "2018-09-24"}).startswith(
        ":param since => 1537747200;\n:param until => 0;\n:param days => 30.0;\n"
    )
    assert query_docs.render_query(queries.get("summarise_graph"), {}).startswith("// Summarise")
    with pytest.raises(UnknownNameError, match="no parameter 'user'; did you mean user_ids"):
        query_docs.render_query(queries.get("recommend_for_group"), {"user": "ann"})
    with pytest.raises(GraphrecError, match=r"\$k is integer of at most 64 bits, but 'ten' is not"):
        query_docs.render_query(queries.get("recommend_for_group"), {"k": "ten"})


def test_the_page_of_the_docs_is_what_the_files_say() -> None:
    expected = query_docs.render_page(queries.get(name) for name in queries.names())
    written = PAGE.read_text(encoding="utf-8")
    assert written == expected, "docs/cypher.md is not up to date: graphrec query --list --markdown > docs/cypher.md"
    assert all(f"## {name}\n" in written for name in queries.names())
