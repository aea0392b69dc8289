"""The metrics against ir-measures, which measures by trec_eval, on 1,000 random rankings."""

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P, R, Success, nDCG
from scipy import sparse

from graphrec.evaluation.metric_registry import metrics_of
from graphrec.evaluation.metrics import per_user
from graphrec.vocabulary import IndexArray

NUM_USERS, NUM_ITEMS = 1000, 30

#: The last one is larger than the catalogue.
KS = (1, 5, 10, 50)

PEERS = {
    "recall": lambda k: R @ k,
    "precision": lambda k: P @ k,
    "ndcg": lambda k: nDCG @ k,
    "map": lambda k: AP @ k,
    "mrr": lambda _k: RR,  # cut here, as trec_eval cuts it nowhere
    "hit_rate": lambda k: Success @ k,
}


@pytest.fixture(scope="module")
def cases() -> tuple[np.ndarray, sparse.csr_array]:
    """Scores [num_users, num_items] with many ties, NaN for what is not recommended, and the truth.

    Every tenth user gets nothing, every seventh has nothing to find, some of both kinds.
    """
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 8, (NUM_USERS, NUM_ITEMS)).astype(np.float64)
    scores[rng.random(scores.shape) < rng.random((NUM_USERS, 1))] = np.nan
    scores[::10] = np.nan
    wanted = rng.random(scores.shape) < rng.random((NUM_USERS, 1))
    wanted[::7] = False
    return scores, sparse.csr_array(wanted.astype(np.float32))


def ranked(scores: np.ndarray) -> IndexArray:
    """The lists [num_users, num_items] by score; of equal ones the later item first, as trec_eval ranks ids."""
    order = np.argsort(np.nan_to_num(scores, nan=-1), axis=1, kind="stable")[:, ::-1]
    return np.where(np.isnan(np.take_along_axis(scores, order, axis=1)), -1, order)


@pytest.mark.parametrize("name", [metric.name for metric in metrics_of("accuracy")])
def test_a_metric_equals_that_of_trec_eval(name: str, cases: tuple[np.ndarray, sparse.csr_array]) -> None:
    scores, truth = cases
    lists = ranked(scores)
    found = per_user(lists, truth, KS)
    rows, columns = truth.nonzero()
    qrels = [ir_measures.Qrel(str(u), f"{i:03}", 1) for u, i in zip(rows, columns, strict=True)]
    for k in KS:
        first = {(u, i) for u, items in enumerate(lists[:, :k].tolist()) for i in items if i >= 0}
        shown = first if name == "mrr" else zip(*np.nonzero(~np.isnan(scores)), strict=True)
        run = [ir_measures.ScoredDoc(str(u), f"{i:03}", scores[u, i]) for u, i in shown]
        measure = PEERS[name](k)  # type: ignore[no-untyped-call]  # of ir-measures
        told = {int(metric.query_id): metric.value for metric in ir_measures.iter_calc([measure], qrels, run)}
        wanted = np.array([told.get(u, np.nan) for u in range(NUM_USERS)])
        np.testing.assert_allclose(found[f"{name}@{k}"], wanted, rtol=0, atol=1e-9)


def test_the_cases_are_what_they_are_to_be(cases: tuple[np.ndarray, sparse.csr_array]) -> None:
    scores, truth = cases
    empty, without_truth = np.isnan(scores).all(axis=1), np.diff(truth.indptr) == 0
    assert min((empty & without_truth).sum(), (empty & ~without_truth).sum(), (~empty & without_truth).sum()) >= 10
    values = per_user(ranked(scores), truth, (10,))
    for value in values.values():
        assert np.isnan(value[without_truth]).all()
        assert (value[empty & ~without_truth] == 0).all()
