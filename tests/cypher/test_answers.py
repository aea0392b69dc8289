"""Each query file answers rightly on both databases; the graph of `conftest.py` is small enough to count by hand."""

from math import log
from typing import Any

import pytest

from graphrec.store import Store, queries

from .conftest import DAY, changed


def ask(store: Store, name: str, columns: str, **given: str) -> list[tuple[Any, ...]]:  # cells are of any type
    """Some columns of an answer, floats to six digits."""
    rows = queries.run(store, queries.get(name), given)
    return [tuple(_rounded(row[column]) for column in columns.split()) for row in rows]


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def weight(number: int) -> float:
    """How much an attribute counts that so many have, itself included."""
    return round(1 / log(1 + number), 6)


def test_history_has_every_behaviour_and_nothing_that_was_only_shown(graph: Store) -> None:
    columns = "item behaviour rating tag timestamp"
    assert ask(graph, "list_history", columns, user_id="bob") == [
        ("e", "RATED", 2.0, None, 7 * DAY),
        ("c", "RATED", 5.0, None, 6 * DAY),
        ("b", "RATED", 5.0, None, 5 * DAY),
        ("a", "RATED", 5.0, None, 4 * DAY),
        ("a", "TAGGED", None, "x", 4 * DAY),
        ("a", "TAGGED", None, "y", 4 * DAY),
    ]
    assert ask(graph, "list_history", "item behaviour", user_id="gus", k="1") == [("c", "BORROWED")]
    assert len(ask(graph, "list_history", columns, user_id="ann")) == 3
    assert ask(graph, "list_history", columns, user_id="flo") == []


def test_similar_items_are_the_cosine_of_their_users(graph: Store) -> None:
    columns = "item title similarity common_users"
    assert ask(graph, "find_similar_items", columns, item_id="a") == [
        ("b", "B", round(2 / (4 * 2) ** 0.5, 6), 2),
        ("e", "E", round(2 / (4 * 2) ** 0.5, 6), 2),
        ("c", "C", 0.5, 2),
        ("x", "X", 0.5, 1),
        ("d", "D", round(1 / (4 * 3) ** 0.5, 6), 1),
    ]
    assert ask(graph, "find_similar_items", columns, item_id="n") == []


def test_published_similar_items_are_those_of_the_newest_layer_that_has_some(graph: Store) -> None:
    columns = "item rank score model run"
    assert ask(graph, "find_published_similar_items", columns, item_id="a") == [("c", 1, 0.7, "two", "r2")]
    assert ask(graph, "find_published_similar_items", columns, item_id="b") == [("a", 1, 0.6, "one", "r1")]
    assert ask(graph, "find_published_similar_items", columns, item_id="c") == []  # r3 is not published


def test_friends_count_both_ways_those_followed_one_way_and_those_distrusted_not_at_all(graph: Store) -> None:
    columns = "item title friends examples"
    assert ask(graph, "list_liked_by_friends", columns, user_id="ann") == [
        ("c", "C", 2, ["ed", "gus"]),
        ("d", "D", 2, ["dora", "gus"]),  # ed rated it below the mean of his ratings
    ]
    assert ask(graph, "list_liked_by_friends", columns, user_id="ed") == []  # he is followed, and follows nobody


def test_equal_ratings_are_all_liked(graph: Store) -> None:
    with changed(  # the mean of three times 3.7 is a little more than 3.7 where it is computed by a sum
        graph,
        "MATCH (u:User {id: 'flo'}), (ed:User {id: 'ed'}), (i:Item) WHERE i.id IN ['b', 'h', 'x'] "
        "MERGE (u)-[:FRIEND]->(ed) CREATE (u)-[:RATED {rating: 3.7}]->(i)",
        "MATCH (:User {id: 'flo'})-[edge]-() DELETE edge",
    ):
        assert ask(graph, "list_liked_by_friends", "item", user_id="ed") == [("b",), ("h",), ("x",)]


def test_trending_is_counted_in_the_window_before_the_last_event(graph: Store) -> None:
    columns = "item users before"
    assert ask(graph, "list_trending", columns, days="5") == [("d", 2, 1), ("c", 2, 2), ("a", 1, 1), ("e", 1, 1)]
    assert ask(graph, "list_trending", columns, since="1970-01-02", until="1970-01-04") == [
        ("a", 1, 0),
        ("b", 1, 0),
        ("x", 1, 0),
    ]
    assert ask(graph, "list_trending", columns, since="1970-01-16T01:00+01:00") == [("d", 1, 0), ("c", 1, 1)]
    assert ask(graph, "list_trending", columns, until=str(DAY - 1)) == []


@pytest.mark.parametrize(
    ("by", "value", "expected"),
    [
        (
            "occupation",
            "student",
            [("a", 2, 2 / 3), ("b", 2, 2 / 3), ("c", 1, 1 / 3), ("e", 1, 1 / 3), ("x", 1, 1 / 3)],
        ),
        ("age", "30", [("a", 1, 1.0), ("b", 1, 1.0), ("x", 1, 1.0)]),
        ("hobbies", "go", [("a", 1, 1.0), ("c", 1, 1.0)]),
        ("Club", "chess", [("d", 2, 2 / 3), ("a", 1, 1 / 3), ("c", 1, 1 / 3), ("e", 1, 1 / 3)]),
        ("Club", "golf", []),
        ("shoe_size", "44", []),
    ],
)
def test_a_segment_is_a_value_of_a_property_or_a_node(
    graph: Store, by: str, value: str, expected: list[tuple[str, int, float]]
) -> None:
    found = ask(graph, "list_popular_in_segment", "item users share", by=by, value=value)
    assert found == [(item, users, round(share, 6)) for item, users, share in expected]


def test_the_long_tail_is_what_the_head_leaves(graph: Store) -> None:
    columns = "item rank users"
    # Of 16 choices a and c have 8, d 3, b and e 4: these five are the fewest items with four fifths.
    assert ask(graph, "recommend_long_tail", columns, user_id="ann") == [("n", 3, 0)]
    assert ask(graph, "recommend_long_tail", columns, user_id="ann", head="0.5") == [("d", 1, 3), ("n", 3, 0)]
    assert ask(graph, "recommend_long_tail", columns, user_id="bob", head="0") == []
    assert ask(graph, "recommend_long_tail", columns, user_id="bob") == []  # whose list of r1, with x, is withdrawn


def test_a_group_gets_the_least_mean_rank_among_what_none_has_met(graph: Store) -> None:
    columns = "item mean_rank worst_rank members"
    assert ask(graph, "recommend_for_group", columns, user_ids="ann, cid") == [("d", 1.5, 2, 2), ("n", 3.0, 3, 1)]
    assert ask(graph, "recommend_for_group", columns, user_ids="ann,mine:flo,ann") == [
        ("d", 1.0, 1, 1),
        ("c", 2.0, 2, 1),
        ("n", 3.0, 3, 1),
    ]
    assert ask(graph, "recommend_for_group", columns, user_ids="bob,flo") == []


def test_recommendations_stand_under_the_liked_item_whose_users_are_most_alike(graph: Store) -> None:
    columns = "because because_title item title rank common_users"
    assert ask(graph, "recommend_because_liked", columns, user_id="ann") == [
        ("a", "A", "d", "D", 1, 1),
        ("a", "A", "c", "C", 2, 2),
    ]
    assert ask(graph, "recommend_because_liked", columns, user_id="ann", k="1") == [("a", "A", "d", "D", 1, 1)]
    assert ask(graph, "recommend_because_liked", columns, user_id="ann", recent="1") == [("b", "B", "c", "C", 2, 1)]
    with changed(
        graph,
        "MATCH (u:User {id: 'ann'}), (i:Item {id: 'd'}) CREATE (u)-[:RATED {rating: 1.0}]->(i)",
        "MATCH (:User {id: 'ann'})-[edge:RATED]->(:Item {id: 'd'}) DELETE edge",
    ):
        assert ask(graph, "recommend_because_liked", "item", user_id="ann") == [("c",)]
    assert ask(graph, "recommend_because_liked", columns, user_id="bob") == []


def test_a_user_without_behaviour_gets_what_users_with_the_same_attributes_chose(graph: Store) -> None:
    columns = "item score users"
    one, two = weight(3), round(2 * weight(3), 6)
    assert ask(graph, "recommend_by_user_attributes", columns, user_id="flo") == [
        ("a", two, 2),
        ("b", two, 2),
        ("c", one, 1),
        ("e", one, 1),
        ("x", one, 1),
    ]
    assert ask(graph, "recommend_by_user_attributes", columns, user_id="hal") == [
        ("d", two, 2),
        ("a", one, 1),
        ("c", one, 1),
        ("e", one, 1),
    ]
    assert ask(graph, "recommend_by_user_attributes", "item", user_id="bob") == [("x",)]  # the rest bob has met
    assert ask(graph, "recommend_by_user_attributes", columns, user_id="gus") == []


def test_items_are_found_by_genres_and_tags(graph: Store) -> None:
    columns = "item title found users"
    assert ask(graph, "find_items_by_attributes", columns, values="Drama,x") == [
        ("a", "A", ["Drama", "x"], 4),
        ("c", "C", ["Drama", "x"], 4),
        ("b", "B", ["Drama"], 2),
    ]
    assert ask(graph, "find_items_by_attributes", columns, values="Noir") == [
        ("h", "H", ["Noir"], 0),
        ("n", "N", ["Noir"], 0),
    ]
    assert ask(graph, "find_items_by_attributes", columns, values="ann") == []


def test_a_new_item_is_near_those_that_share_what_is_rare(graph: Store) -> None:
    columns = "item score shared"
    assert ask(graph, "find_items_sharing_attributes", columns, item_id="n") == [
        ("h", weight(2), ["Noir"]),
        ("c", weight(3), ["Comedy"]),
        ("d", weight(3), ["Comedy"]),
    ]
    assert ask(graph, "find_items_sharing_attributes", columns, item_id="a") == [
        ("c", pytest.approx(weight(2) + weight(3), abs=2e-6), ["x", "Drama"]),
        ("b", weight(3), ["Drama"]),
    ]
    assert ask(graph, "find_items_sharing_attributes", columns, item_id="e") == []


def test_a_recommendation_is_explained_by_items_friends_and_attributes(graph: Store) -> None:
    columns = "kind because title shared examples"
    assert ask(graph, "explain_recommendation", columns, user_id="ann", item_id="c") == [
        ("item", "a", "A", 2, ["bob", "cid"]),
        ("item", "b", "B", 1, ["bob"]),
        ("friend", "ed", None, 0, []),
        ("friend", "gus", None, 0, []),
        ("attribute", "Drama", None, 2, ["a", "b"]),
    ]
    assert ask(graph, "explain_recommendation", columns, user_id="ann", item_id="d") == [
        ("item", "a", "A", 1, ["dora"]),
        ("friend", "dora", None, 1, ["a"]),
        ("friend", "gus", None, 0, []),
    ]
    assert ask(graph, "explain_recommendation", columns, user_id="ann", item_id="a") == [  # which ann has herself
        ("item", "b", "B", 1, ["bob"]),
        ("friend", "dora", None, 0, []),
        ("attribute", "Drama", None, 1, ["b"]),
    ]
    assert len(ask(graph, "explain_recommendation", columns, user_id="ann", item_id="c", k="1")) == 3
    assert ask(graph, "explain_recommendation", columns, user_id="flo", item_id="c") == []


def test_the_audience_of_an_item(graph: Store) -> None:
    columns = "user rank liked examples"
    assert ask(graph, "find_audience", columns, item_id="d") == [
        ("ann", 1, 1, ["a"]),
        ("cid", 2, 2, ["a", "c"]),
        ("bob", None, 2, ["a", "c"]),  # whose list of r1 is withdrawn
    ]
    assert ask(graph, "find_audience", "user liked", item_id="d", similar="1") == [("ann", 0), ("cid", 1), ("bob", 1)]
    assert ask(graph, "find_audience", columns, item_id="n") == [("ann", 3, 0, [])]
    assert ask(graph, "find_audience", columns, item_id="h") == []


def test_two_runs_compared(graph: Store) -> None:
    columns = "users only_old only_new same overlap items gained lost"
    assert ask(graph, "compare_runs", columns, old_run_id="r1", new_run_id="r2") == [(2, 1, 1, 1, 0.75, 3, 2, 2)]
    assert ask(graph, "compare_runs", columns, old_run_id="r2", new_run_id="r2") == [(3, 0, 0, 3, 1.0, 5, 0, 0)]
    columns = "item title old_users new_users change"
    assert ask(graph, "list_run_changes", columns, old_run_id="r1", new_run_id="r2") == [
        ("a", "A", 0, 1, 1),
        ("n", "N", 0, 1, 1),
        ("d", "D", 3, 2, -1),
        ("e", "E", 1, 0, -1),
        ("x", "X", 1, 0, -1),
    ]
    assert ask(graph, "list_run_changes", columns, old_run_id="r2", new_run_id="r2") == []


def test_a_summary_of_the_graph(graph: Store) -> None:
    with changed(graph, "MATCH (u:User {id: 'ann'}) SET u:Person", "MATCH (u:Person) REMOVE u:Person"):
        assert ask(graph, "summarise_graph", "kind name source target number") == [
            ("node", "Club", None, None, 1),
            ("node", "Genre", None, None, 3),
            ("node", "Item", None, None, 8),
            ("node", "Person", None, None, 1),
            ("node", "Run", None, None, 3),
            ("node", "User", None, None, 8),
            ("relationship", "BORROWED", "User", "Item", 2),
            ("relationship", "FOLLOWS", "Person", "User", 1),
            ("relationship", "FOLLOWS", "User", "Person", 1),
            ("relationship", "FRIEND", "User", "Person", 1),
            ("relationship", "IN_GENRE", "Item", "Genre", 8),
            ("relationship", "MEMBER_OF", "User", "Club", 3),
            ("relationship", "RATED", "Person", "Item", 3),
            ("relationship", "RATED", "User", "Item", 11),
            ("relationship", "RECOMMENDED", "Person", "Item", 7),
            ("relationship", "RECOMMENDED", "User", "Item", 5),
            ("relationship", "SHOWN", "Person", "Item", 2),
            ("relationship", "SIMILAR", "Item", "Item", 5),
            ("relationship", "TAGGED", "User", "Item", 3),
            ("relationship", "TRUSTS", "Person", "User", 2),
            ("relationship", "WITHDRAWN", "User", "Run", 1),
        ]


def test_items_are_found_by_the_vector_of_a_text(graph: Store) -> None:
    columns = "item title similarity"
    expected = [("b", "B", 1.0), ("a", "A", 0.6), ("c", "C", -1.0)]
    assert ask(graph, "find_items_like_text", columns, text="3, 4") == expected
    assert ask(graph, "find_items_like_text", columns, text="[0.6,0.8]", k="1") == expected[:1]
    assert ask(graph, "find_items_like_text", columns, text="1,0,0") == []  # of another encoder
