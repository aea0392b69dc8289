"""Seven kinds of leaks are each found where they are planted, and nothing is found where nothing is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from graphrec.errors import DataError, LeakError
from graphrec.evaluation.audit import KINDS, Audit, Check, alias_groups, audit, require_clean
from graphrec.fusion import GraphState, fuse
from graphrec.fusion.provenance import SourceManifest
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions, join
from graphrec.schema import NodeType, Triple
from graphrec.splitting import splits
from graphrec.tables import GraphTables, NodeTable, Source
from graphrec.train_view import restrict

from . import audited_graphs as graphs

CUT = 80
IN_TRAINING, REVERSED, LATE, ELSEWHERE, OTHER_BEHAVIOUR, DUPLICATES, DERIVED = KINDS


def parts(graph: HeteroGraph) -> tuple[Interactions, Interactions]:
    whole = interactions(graph)
    assert whole.time is not None
    return whole.take(whole.time < CUT), whole.take(whole.time >= CUT)


def clean() -> tuple[HeteroGraph, Interactions, Interactions, HeteroGraph]:
    """What is seen, known and held, and the whole graph."""
    whole = graphs.by_hand()
    known, held = parts(whole)
    return restrict(whole, known, CUT, held), known, held, whole


def leaks(found: Audit) -> dict[str, int]:
    return {check.kind: check.leaks for check in found.checks if check.leaks}


def of(found: Audit, kind: str) -> Check:
    return next(check for check in found.checks if check.kind == kind)


def row(graph: HeteroGraph, user: str, item: str, time: int) -> Interactions:
    ends = (np.array([graph.users.find(user)]), np.array([graph.items.find(item)]))
    return Interactions(*ends, len(graph.users), len(graph.items), None, np.array([time]))


def test_a_clean_split_passes_and_says_what_was_looked_at() -> None:
    visible, known, held, whole = clean()
    found = audit(visible, known, held, CUT, {"User": np.arange(3), "Item": np.arange(3)}, whole)
    assert found.passed
    require_clean(found)
    assert [check.kind for check in found.checks] == list(KINDS)
    # given: 6 ratings; backwards: 6 reverse ratings and x bought by ann, twice; late: 6 and 6; elsewhere, both ways:
    # ann's view, two tags, a tie; otherwise: a view and two tags; copies: 6 ratings, 1 view, 2 tags;
    # derived, both ways: the list's time, and x-new and w-dark, which tags say too
    assert [check.num_checked for check in found.checks] == [6, 8, 12, 8, 6, 9, 6]


def tags(graph: HeteroGraph) -> list[tuple[str, str]]:
    items, values = graph.data[graphs.HAS_TAG].edge_index.numpy()
    return sorted(zip(graph.items.id(items), graph.vocabularies["Tag"].id(values), strict=True))


def test_restrict_cuts_what_was_published_and_what_only_later_tags_say() -> None:
    visible, known, held, whole = clean()
    assert tags(visible) == [("w", "dark"), ("x", "dark"), ("x", "new")]  # y-new went
    assert visible.data[graphs.REV_HAS_TAG].edge_index.shape == (2, 3)
    for triple in (graphs.RECOMMENDED, graphs.SIMILAR, ("Item", "rev_RECOMMENDED", "User")):
        assert visible.data[triple].edge_index.shape == (2, 0)
    assert whole.data[graphs.HAS_TAG].edge_index.shape == (2, 4)  # the input is as it was
    whole = graphs.plant(graphs.plant(whole, graphs.HAS_TAG, "w", "new"), graphs.TAGGED, "cat", "x", 85)
    assert tags(restrict(whole, known, CUT, held)) == sorted([*tags(visible), ("w", "new")])  # a tag without a text


def test_restrict_cuts_attributes_that_only_events_of_test_pairs_say() -> None:
    """Bob alone calls y new; where that he rated y is to be found, without a cut, y-new tells of it."""
    whole = graphs.by_hand()
    everything, found = interactions(whole), row(whole, "bob", "y", 40)
    assert everything.time is not None
    rest = everything.take(everything.time != 40)
    visible = restrict(whole, rest, None, found)
    assert tags(visible) == [("w", "dark"), ("x", "dark"), ("x", "new")]
    assert audit(visible, rest, found, None, whole=whole).passed
    assert leaks(audit(restrict(whole, rest), rest, found, None, whole=whole)) == {OTHER_BEHAVIOUR: 2, DERIVED: 2}


def test_a_known_time_of_an_attribute_says_more_than_later_events() -> None:
    """That y is new was written down at 30, though bob said it after the cut; the other edges have no time."""
    whole = graphs.plant(graphs.by_hand(), graphs.HAS_TAG, "y", "new", 30)
    known, held = parts(whole)
    visible = restrict(whole, known, CUT, held)
    assert tags(visible) == [("w", "dark"), ("x", "dark"), ("x", "new"), ("y", "new")]
    assert audit(visible, known, held, CUT, whole=whole).passed


def test_tags_that_are_to_be_found_themselves_explain_attributes_too() -> None:
    whole = replace(graphs.by_hand(), target=graphs.TAGGED)
    known, held = parts(whole)
    visible = restrict(whole, known, CUT, held)
    assert tags(visible) == tags(restrict(whole, known)) == [("w", "dark"), ("x", "dark"), ("x", "new")]
    assert audit(visible, known, held, CUT, whole=whole).passed
    seen = graphs.plant(visible, graphs.HAS_TAG, "y", "new")
    assert leaks(audit(seen, known, held, CUT, whole=whole)) == {DERIVED: 1}
    assert audit(seen, known, held, CUT).passed  # without the whole graph nobody can tell


def test_what_a_user_is_described_by_is_cut_as_well() -> None:
    whole = graphs.by_hand()
    for user, tag in (("ann", "dark"), ("bob", "new"), ("cat", "dark")):
        whole = graphs.plant(whole, ("User", "USES", "Tag"), user, tag)
    everything = interactions(whole)
    assert everything.time is not None
    before, later = (everything.take(part) for part in (everything.time < 20, everything.time >= 20))
    visible = restrict(whole, before, 20, later)  # bob gives tags at 25 and 85, cat at 88
    assert visible.data["User", "USES", "Tag"].edge_index.tolist() == [[0], [0]]
    seen = graphs.plant(visible, ("User", "USES", "Tag"), "bob", "new")
    assert leaks(audit(seen, before, later, 20, whole=whole)) == {DERIVED: 1}


PLANTED = [
    (IN_TRAINING, graphs.RATED, "cat", "w", 90, "cat -[RATED]-> w (1970-01-01 00:01:30 UTC)"),
    (IN_TRAINING, graphs.RATED, "cat", "w", 7, "cat -[RATED]-> w (1970-01-01 00:00:07 UTC)") ,
    (REVERSED, graphs.REV_RATED, "w", "cat", 90, "w -[rev_RATED]-> cat (1970-01-01 00:01:30 UTC)"),
    (REVERSED, graphs.BOUGHT_BY, "y", "ann", None, "y -[BOUGHT_BY]-> ann"),
    (LATE, graphs.RATED, "cat", "y", 80, "cat -[RATED]-> y (1970-01-01 00:01:20 UTC)"),
    (LATE, graphs.REV_RATED, "y", "cat", 80, "y -[rev_RATED]-> cat (1970-01-01 00:01:20 UTC)"),
    (ELSEWHERE, graphs.VIEWED, "cat", "y", 85, "cat -[VIEWED]-> y (1970-01-01 00:01:25 UTC)"),
    (ELSEWHERE, graphs.TAGGED, "bob", "y", 85, "bob -[TAGGED]-> y (1970-01-01 00:01:25 UTC)"),
    (ELSEWHERE, graphs.FOLLOWS, "bob", "cat", 99, "bob -[FOLLOWS]-> cat (1970-01-01 00:01:39 UTC)"),
    (ELSEWHERE, ("User", "TAGGED", "List"), "bob", "best", 99, "bob -[TAGGED]-> best (1970-01-01 00:01:39 UTC)"),
    (ELSEWHERE, ("User", "MENTORS", "User"), "bob", "cat", 99, "bob -[MENTORS]-> cat (1970-01-01 00:01:39 UTC)"),
    (OTHER_BEHAVIOUR, graphs.VIEWED, "cat", "w", 70, "cat -[VIEWED]-> w (1970-01-01 00:01:10 UTC)"),
    (OTHER_BEHAVIOUR, graphs.VIEWED, "cat", "w", 91, "cat -[VIEWED]-> w (1970-01-01 00:01:31 UTC)"),
    (OTHER_BEHAVIOUR, graphs.REV_VIEWED, "w", "cat", 70, "w -[rev_VIEWED]-> cat (1970-01-01 00:01:10 UTC)"),
    (OTHER_BEHAVIOUR, ("User", "CARTED", "Item"), "ann", "y", None, "ann -[CARTED]-> y"),
    (DERIVED, graphs.HAS_TAG, "y", "new", None, "y -[HAS_TAG]-> new"),
    (DERIVED, graphs.REV_HAS_TAG, "new", "y", None, "new -[rev_HAS_TAG]-> y"),
    (DERIVED, graphs.IN_LIST, "y", "best", 80, "y -[IN_LIST]-> best (1970-01-01 00:01:20 UTC)"),
    (DERIVED, graphs.LIKE, "w", "y", 90, "w -[LIKE]-> y (1970-01-01 00:01:30 UTC)"),
    (DERIVED, graphs.RECOMMENDED, "ann", "w", None, "ann -[RECOMMENDED]-> w"),
    (DERIVED, graphs.SIMILAR, "w", "y", None, "w -[SIMILAR]-> y"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "triple", "source", "target", "time", "said"), PLANTED)
def test_a_planted_edge_is_found_as_its_kind_alone(
    kind: str, triple: Triple, source: str, target: str, time: int | None, said: str
) -> None:
    visible, known, held, whole = clean()
    aliases = {"User": np.arange(3), "Item": np.arange(3)}
    found = audit(graphs.plant(visible, triple, source, target, time), known, held, CUT, aliases, whole)
    assert leaks(found) == {kind: 1}
    assert of(found, kind).examples == (said,)
    with pytest.raises(LeakError, match=f"1 {kind} among "):
        require_clean(found)


def test_a_test_interaction_among_the_known_is_found_once_though_the_graph_has_it_too() -> None:
    _, known, held, whole = clean()
    known = join(known, row(whole, "cat", "w", 90))
    found = audit(restrict(whole, known, CUT, held), known, held, CUT, whole=whole)
    assert (of(found, IN_TRAINING).leaks, of(found, IN_TRAINING).num_checked) == (1, 7)
    assert of(found, REVERSED).leaks == 1
    assert of(found, LATE).leaks == 0


def test_what_a_user_repeats_is_no_leak() -> None:
    """Bob rated w at 30 and again at 95, in the test part, and viewed it: evaluation does not count w for him."""
    visible, known, held, whole = clean()
    assert audit(graphs.plant(visible, graphs.VIEWED, "bob", "w", 29), known, held, CUT, whole=whole).passed
    known = join(known, row(whole, "bob", "w", 96))  # but what comes after the first test interaction is one
    assert leaks(audit(visible, known, held, None, whole=whole)) == {IN_TRAINING: 1}


def test_without_times_a_pair_on_both_sides_is_a_leak() -> None:
    whole = graphs.by_hand()
    known, held = parts(whole)
    known, held = (Interactions(part.user_index, part.item_index, 3, 3) for part in (known, held))
    found = audit(restrict(whole, known, None, held), known, held, None)
    assert leaks(found) == {IN_TRAINING: 1}
    assert of(found, IN_TRAINING).examples == ("bob -[RATED]-> w",)


def test_without_times_or_a_cut_nothing_can_be_late() -> None:
    whole = graphs.at_random(np.random.default_rng(0), timed=False)
    (split,) = splits("random", interactions(whole), np.random.default_rng(0))
    known = join(split.train, split.validation)
    found = audit(restrict(whole, known, None, split.test), known, split.test, None)
    assert found.passed
    assert [check.num_checked for check in found.checks if check.kind in (LATE, ELSEWHERE, DUPLICATES, DERIVED)] == [
        0
    ] * 4


def test_a_copy_of_the_user_or_of_the_item_has_the_pair() -> None:
    """ann is to find y, which bob, her other account, rated at 40; cat is to find w, a copy of x, which cat rated."""
    visible, known, held, whole = clean()
    found = audit(visible, known, held, CUT, {"User": np.array([0, 0, 1])}, whole)
    assert leaks(found) == {DUPLICATES: 1}
    assert of(found, DUPLICATES).examples == ("bob -[RATED]-> y (1970-01-01 00:00:40 UTC)",)
    found = audit(visible, known, held, CUT, {"Item": np.array([4, 4, 0])}, whole)
    assert leaks(found) == {DUPLICATES: 1}
    assert of(found, DUPLICATES).examples == ("cat -[RATED]-> x (1970-01-01 00:00:50 UTC)",)
    seen = graphs.plant(visible, graphs.VIEWED, "bob", "y", 41)
    assert leaks(audit(seen, known, held, CUT, {"User": np.array([0, 0, 1])}, whole)) == {DUPLICATES: 2}
    # what lies after the cut is counted as that: ann is cat too, and had w, which cat is to find, and called it dark
    seen = graphs.plant(visible, graphs.RATED, "cat", "y", 85)
    assert leaks(audit(seen, known, held, CUT, {"User": np.array([0, 1, 0])}, whole)) == {LATE: 1, DUPLICATES: 2}
    with pytest.raises(DataError, match="aliases of User have 2 numbers, but the graph has 3"):
        audit(visible, known, held, CUT, {"User": np.arange(2)})


def test_one_event_that_stands_twice_is_a_copy_on_both_sides() -> None:
    """Two sources say that cat rated w at 90; a random split puts one of them into train."""
    whole = graphs.plant(graphs.by_hand(), graphs.RATED, "cat", "w", 90)
    everything = interactions(whole)
    last = np.arange(len(everything)) == len(everything) - 1
    known, held = everything.take(~last), everything.take(last)
    found = audit(restrict(whole, known, None, held), known, held, None, whole=whole)
    assert leaks(found) == {DUPLICATES: 1}
    assert leaks(audit(restrict(whole, known, None, held), known, held, None)) == {IN_TRAINING: 1, REVERSED: 1}


def test_the_error_names_the_first_kind_its_examples_and_the_others() -> None:
    visible, known, held, whole = clean()
    for source, target in (("cat", "w"), ("ann", "y"), ("cat", "w"), ("ann", "y"), ("cat", "w"), ("ann", "y")):
        visible = graphs.plant(visible, graphs.VIEWED, source, target, 70)
    visible = graphs.plant(visible, graphs.SIMILAR, "w", "y")
    with pytest.raises(
        LeakError,
        match=r"reveals test interactions: 6 test pairs under another behaviour among 12 \(cat -\[VIEWED\]-> w .*, "
        r"…\), and 1 attributes derived from later events; pass the test part to `restrict`",
    ) as caught:
        require_clean(audit(visible, known, held, CUT, whole=whole))
    assert str(caught.value).count("VIEWED") == 5


def test_alias_groups_join_shared_keys_and_links() -> None:
    ids = ["a", "b", "c", "d", "e", "f"]
    keys = [["s:1"], ["s:2", "t:9"], ["t:9"], ["u:3"], [], ["u:4"]]
    assert alias_groups(ids, keys).tolist() == [0, 1, 1, 2, 3, 4]
    links = [("t:9", "u:3"), (":e", "s:1"), ("gone:7", "u:4"), ("u:4", "gone:8")]
    assert alias_groups(ids, keys, links).tolist() == [0, 1, 1, 1, 0, 2]
    assert alias_groups([], []).tolist() == []
    with pytest.raises(DataError, match="6 ids have 1 lists of keys"):
        alias_groups(ids, keys[:1])


def test_links_that_fusion_proposes_join_the_nodes_that_it_left_apart() -> None:
    """Two catalogues differ in the name of a film, so that its link is proposed and not made."""
    tables = [
        GraphTables(
            (NodeTable(NodeType("Item", ("title", "year")), pd.DataFrame({"id": ["7"], "title": name, "year": 1977})),),
            (),
            (Source(source),),
        )
        for source, name in (("one", "Star Wars"), ("two", "Star Wars: Episode IV - A New Hope"))
    ]
    first = fuse(GraphState(), tables[0]).nodes[0].created
    fused = fuse(GraphState((SourceManifest.of(tables[0]),), {"Item": first}), tables[1])
    nodes = pd.concat([first, fused.nodes[0].created], ignore_index=True)
    proposed = fused.links[fused.links["decision"] == "proposed"]
    pairs = list(zip(proposed["left_key"], proposed["right_key"], strict=True))
    assert alias_groups(list(nodes["id"]), list(nodes["keys"])).tolist() == [0, 1]
    assert alias_groups(list(nodes["id"]), list(nodes["keys"]), pairs).tolist() == [0, 0]
