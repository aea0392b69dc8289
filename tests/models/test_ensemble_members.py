"""The members of an ensemble as text."""

from dataclasses import asdict

import pytest

from graphrec.errors import DataError, UnknownNameError
from graphrec.models.ensemble.members import Member, parse_members, write_members
from graphrec.models.ensemble.model import EnsembleConfig
from graphrec.models.graph_filter.config import GraphFilterConfig


def test_members_are_read_from_text() -> None:
    text = ' graph_filter( rank=64,path_weight = 2.5 ), ials,rp3beta(),graph_filter(weights="FRIEND=0.1, X=(2)")'
    assert parse_members(text) == [
        Member("graph_filter", {"rank": "64", "path_weight": "2.5"}),
        Member("ials"),
        Member("rp3beta"),
        Member("graph_filter", {"weights": "FRIEND=0.1, X=(2)"}),
    ]


def test_what_is_written_is_read_again() -> None:
    configs = [
        ("graph_filter", {"rank": 64, "plateau": 1.2, "weights": 'FRIEND=0.1 "odd", (thing)'}),
        ("ials", {}),
        ("fastrp", {"steps": "0 1", "cosine": False}),
    ]
    text = write_members(configs)
    assert text == (
        'graph_filter(rank=64, weights="FRIEND=0.1 \\"odd\\", (thing)"), ials, fastrp(steps="0 1", cosine=False)'
    )
    assert parse_members(text) == [
        Member("graph_filter", {"rank": "64", "weights": 'FRIEND=0.1 "odd", (thing)'}),
        Member("ials"),
        Member("fastrp", {"steps": "0 1", "cosine": "False"}),
    ]


def test_a_config_of_default_values_is_told_from_no_settings() -> None:
    text = write_members([("graph_filter", asdict(GraphFilterConfig()))])
    assert text == "graph_filter(user_exponent=0.35)"
    assert parse_members(text) == [Member("graph_filter", {"user_exponent": "0.35"})]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", DataError, r"cannot be read at ''; write models with their settings"),
        ("ials,", DataError, "cannot be read at ''"),
        ("ials; rp3beta", DataError, "cannot be read at 'ials; rp3beta'"),
        ("ials(factors)", DataError, r"cannot be read at 'factors'"),
        ("ials(factors=8", DataError, "cannot be read at 'ials"),
        ("ials(factors=8, factors=9)", DataError, "ials has factors twice"),
        ("ials(factors=many)", DataError, "ials: factors takes a whole number, not 'many'"),
        ("ails", UnknownNameError, "there is no model 'ails'; did you mean ials"),
        ("ials(factor=8)", UnknownNameError, "ials has no setting 'factor'; did you mean factors"),
        ("ensemble", DataError, "an ensemble cannot be a member"),
    ],
)
def test_wrong_members_are_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EnsembleConfig(members=text)
