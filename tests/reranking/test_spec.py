"""Rules files: how they are read, and the errors of invalid ones."""

from pathlib import Path

import pytest

from graphrec.errors import DataError
from graphrec.reranking import Boost, Cap, Deny, Diversity, Recency, RerankingRules, parse_rules, read_rules
from graphrec.reranking.predicate import find_names, require_expression

WHOLE = """
depth = 3
[[deny]]
name = "sold out"
where = "item.stock = 0"
[[boost]]
where = "item.price < 10"
factor = 2
[[cap]]
name = "genres"
relation = "IN_GENRE"
label = "Genre"
max = 2
[diversity]
lambda = 0.5
[recency]
behaviour = "RATED"
half_life = 30
"""


def test_a_file_is_read_into_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(WHOLE)
    assert read_rules(path) == RerankingRules(
        deny=(Deny("sold out", "item.stock = 0"),),
        boost=(Boost("1", "item.price < 10", 2.0),),
        cap=(Cap("genres", 2, "IN_GENRE", "Genre"),),
        diversity=Diversity("", 0.5),
        recency=Recency("", 30.0, behaviour="RATED"),
        depth=3,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("depth = ", "rules.toml is not valid TOML"),
        ("depth = 0", "depth is the number of candidates per place"),
        ("depth = true", "depth is a whole number, not True"),
        ("[[dny]]", "there is no rule 'dny'; did you mean deny"),
        ("[deny]\nwhere = 'x'", r"deny is written \[\[deny\]\]"),
        ("[[diversity]]\nlambda = 1", r"diversity is written \[diversity\]"),
        ("[[deny]]\nname = 'a'", "deny 'a' lacks where"),
        ("[[deny]]\nwher = 'true'", "deny has no setting 'wher'; did you mean where"),
        ("[[deny]]\nwhere = 3", "deny '1': where is a text, not 3"),
        ("[[boost]]\nname = 'b'\nwhere = 'true'\nfactor = 0", "boost 'b': factor is a number above 0"),
        ("[[cap]]\nname = 'c'\nmax = 1", "cap 'c': give either relation and label, or property"),
        ("[[cap]]\nname = 'c'\nproperty = 'x'\nmax = 0", "cap 'c': max is at least 1"),
        ("[diversity]\nlambda = 2", "lambda is between 0"),
        ("[diversity]\nlambda = 1\nby = 'vector'", "did you mean vectors"),
        ("[recency]\nhalf_life = 3", "give either property"),
        ("[recency]\nproperty = 'year'\nhalf_life = 0", "half_life is a number of days above 0"),
        ("[[deny]]\nname='a'\nwhere='true'\n[[deny]]\nname='a'\nwhere='false'", "two rules are called deny 'a'"),
    ],
)
def test_errors_name_the_file_and_the_rule(text: str, message: str) -> None:
    with pytest.raises(DataError, match=f"rules.toml.*{message}" if "TOML" not in message else message):
        parse_rules(text, "rules.toml")


@pytest.mark.parametrize(
    "where",
    [
        "item.price < 10 AND NOT item.title STARTS WITH 'The )'",
        "EXISTS { MATCH (item)-[:IN_GENRE]->(g:Genre) WHERE g.id IN ['a', 'b'] RETURN g }",
        "any(tag IN item.tags WHERE tag = 'set')",
        "item.set = 1 OR item.`delete` = 2 // a comment SET",
        "COUNT { (item)<-[:RATED]-() } > 3",
        "CASE WHEN user.age < 18 THEN item.rating < 12 ELSE true END",
    ],
)
def test_expressions_that_read_are_accepted(where: str) -> None:
    require_expression("deny 'x'", where)


@pytest.mark.parametrize(
    "where",
    [
        "true) SET item.x = 1 WITH item WHERE (true",
        "true) DETACH DELETE item //",
        "EXISTS { MATCH (item) SET item.x = 1 RETURN item }",
        "EXISTS { CALL db.labels() YIELD label RETURN label }",
        "true RETURN item",
        "true; MATCH (n) DELETE n",
        "true WHERE true",
        "item.price < $price",
        "(item.price < 3",
        "item.title = 'open",
        " // nothing",
    ],
)
def test_clauses_that_write_and_incomplete_expressions_are_refused(where: str) -> None:
    with pytest.raises(DataError, match="deny 'x'"):
        require_expression("deny 'x'", where)


def test_the_names_that_a_predicate_uses_are_found() -> None:
    found = find_names(
        "item:Sale AND item.price > 3 AND EXISTS { MATCH (item)-[r:IN_GENRE|HAS_TAG]->(g:Genre {id: 'x'}) "
        "WHERE g.size > r.weight } AND [x IN item.tags | x.name] <> [] AND item.`odd name` = ':Not {a: b}'"
    )
    assert found.labels == ("Sale", "Genre")
    assert found.relations == ("IN_GENRE", "HAS_TAG")
    assert set(found.properties) == {
        ("Item", "price"),
        ("Item", "tags"),
        ("Item", "odd name"),
        ("Genre", "id"),
        ("Genre", "size"),
    }
    assert not found.of_user
    assert find_names("(user)-[:RATED]->(item)").of_user
    assert find_names("item.min_age <= user.age").properties == (("Item", "min_age"), ("User", "age"))
    assert not find_names("item.user = 'user'").of_user


@pytest.mark.parametrize(
    "where",
    ["item.id = 15", "item.id IN [15, 16]", "item.id in [-1]", "item.price < 3 AND NOT user.id <> 7", "item.id >= 10"],
)
def test_an_id_compared_with_a_number_is_refused(where: str) -> None:
    with pytest.raises(DataError, match=r"deny 'x': (item|user).id is a text.* write it in quotes: "):
        require_expression("deny 'x'", where)


@pytest.mark.parametrize(
    "where",
    ["item.id = '15'", "item.id IN ['15', '16']", "item.id IN user.hidden", "item.idx = 15", "size(item.id) > 3"],
)
def test_an_id_compared_with_a_text_is_accepted(where: str) -> None:
    require_expression("deny 'x'", where)
