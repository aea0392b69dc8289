"""On random graphs of many kinds of splits nothing is found after restrict, and one planted leak as its kind alone."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from graphrec.evaluation.audit import KINDS, audit, require_clean
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions, join
from graphrec.schema import Triple
from graphrec.splitting import splits
from graphrec.train_view import restrict
from graphrec.vocabulary import IndexArray
from tests.sizes import num_examples

from . import audited_graphs as graphs

IN_TRAINING, REVERSED, LATE, ELSEWHERE, OTHER_BEHAVIOUR, DUPLICATES, DERIVED = KINDS

SPECS = (
    "time",
    "rolling(windows=2, validation=0.1, test=0.2)",
    "random(test=0.3)",
    "leave-last-out",
    "k-fold(folds=3)",
    "random-by-user(test=0.3)",
    "cold-items(test=0.3)",
    "cold-users(test=0.3)",
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=num_examples(60), deadline=None)
@example(seed=1724301, timed=False, spec=SPECS[1])  # an event occurs twice, both times in the test part
@given(seed=st.integers(0, 2**32), timed=st.booleans(), spec=st.sampled_from(SPECS))
def test_a_random_graph_is_clean_after_restrict_and_one_planted_leak_is_found(
    kind: str, seed: int, timed: bool, spec: str
) -> None:
    rng = np.random.default_rng(seed)
    whole = graphs.at_random(rng, timed or spec.startswith(("time", "rolling")))
    split = splits(spec, interactions(whole), rng)[-1]
    known, held = join(split.train, split.validation), split.test
    cut = None if split.cut is None or held.time is None else int(held.time.min())
    visible = restrict(whole, known, cut, held)
    require_clean(audit(visible, known, held, cut, whole=whole))
    planted = planted_in(visible, whole, (known, held), cut, kind, rng)
    assume(planted is not None)
    assert planted is not None
    seen, aliases = planted
    found = audit(seen, known, held, cut, aliases, whole)
    assert [check.kind for check in found.checks if check.leaks] == [kind]


def planted_in(
    visible: HeteroGraph,
    whole: HeteroGraph,
    parts: tuple[Interactions, Interactions],
    cut: int | None,
    kind: str,
    rng: np.random.Generator,
) -> tuple[HeteroGraph, dict[str, IndexArray] | None] | None:
    """The graph with one leak of a kind, with aliases where it needs them; None where the split allows none of it."""
    had, wanted = (set(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True)) for part in parts)
    fresh, free = sorted(wanted - had), sorted({(u, i) for u in range(6) for i in range(7)} - wanted)
    late = None if cut is None else cut + int(rng.integers(5))
    if not fresh or (kind in (LATE, ELSEWHERE) and late is None):
        return None
    (u, i), (v, j) = (pairs[int(rng.integers(len(pairs)))] for pairs in (fresh, free))
    if kind == DUPLICATES:
        others = [a for a, b in sorted(had) if b == i and a != u]
        return (visible, {"User": np.where(np.arange(6) == others[0], u, np.arange(6))}) if others else None
    user, item, other, another = str(u), str(i), str(v), str(j)
    choices: dict[str, list[tuple[Triple, str, str, int | None]]] = {
        IN_TRAINING: [(graphs.RATED, user, item, late)],
        REVERSED: [(graphs.REV_RATED, item, user, late), (graphs.BOUGHT_BY, item, user, None)],
        LATE: [(graphs.RATED, other, another, late)],
        ELSEWHERE: [(graphs.TAGGED, other, another, late), (graphs.FOLLOWS, "0", "1", late)],
        OTHER_BEHAVIOUR: [(graphs.VIEWED, user, item, late), (graphs.REV_VIEWED, item, user, None)],
        DERIVED: [(graphs.RECOMMENDED, user, item, None), (graphs.SIMILAR, "0", "1", None)],
    }
    if late is not None:
        choices[DERIVED] += [(graphs.IN_LIST, "0", "0", late), (graphs.LIKE, "0", "1", late)]
    choices[DERIVED] += [(graphs.HAS_TAG, *edge, None) for edge in told_by_hidden_tags(whole, set(fresh), cut)]
    return graphs.plant(visible, *choices[kind][int(rng.integers(len(choices[kind])))]), None


def told_by_hidden_tags(whole: HeteroGraph, fresh: set[tuple[int, int]], cut: int | None) -> list[tuple[str, str]]:
    """The edges between items and tags for which tags were given, all of them after the cut or with a tested pair."""
    store = whole.data[graphs.TAGGED]
    users, items = store.edge_index.tolist()
    times = store.timestamp.tolist() if "timestamp" in store else [0] * len(users)
    names = whole.vocabularies["TAGGED.tag"].id(store.tag.numpy())
    hidden: dict[tuple[str, str], bool] = {}
    for user, item, time, name in zip(users, items, times, names, strict=True):
        late = (user, item) in fresh or (cut is not None and time >= cut)
        hidden[str(item), name] = hidden.get((str(item), name), True) and late
    edges = {(str(item), str(tag)) for item, tag in whole.data[graphs.HAS_TAG].edge_index.T.tolist()}
    return sorted(edge for edge, late in hidden.items() if late and edge in edges)
