"""Source manifests: stored in the graph and read back."""

import pytest

from graphrec.errors import DataError
from graphrec.fusion.provenance import SourceManifest, sort_by_precedence
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import Source

MANIFEST = SourceManifest(
    Source("films", "2024", "https://films.example", "ours", "abc", 3),
    (NodeType("User", ("email",)), NodeType("Genre", (), shared=True)),
    (EdgeType("User", "TAGGED", "Item", ("tag",), ("tag",)), EdgeType("User", "SAW", "Item", (), None)),
    (LinkRule("User", "exact", ("email",), 0.95, one_to_one=False),),
)


def test_a_manifest_is_read_back_as_written() -> None:
    properties = MANIFEST.to_properties()
    assert SourceManifest.from_properties(properties) == MANIFEST
    assert {name: properties[name] for name in ("id", "version", "precedence", "labels", "relations")} == {
        **{"id": "films", "version": "2024", "precedence": 3, "labels": ["User", "Genre"]},
        "relations": ["SAW", "TAGGED"],
    }
    assert all(isinstance(value, str | int | list) for value in properties.values())  # what a database can hold


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": "no JSON"},
        {"schema": "[]"},
        {"schema": '{"nodes": [[]]}'},
        {"schema": 3},
        {"version": None, "id": "x"},
    ],
)
def test_a_record_that_another_program_changed_is_named(changed: dict[str, object]) -> None:
    properties = {**MANIFEST.to_properties(), **changed}
    if properties["version"] is None:
        del properties["version"]
    with pytest.raises(DataError, match=r"\(:Source \{id: '.*'\}\) in the graph does not say what the source provided"):
        SourceManifest.from_properties(properties)


def test_a_merged_manifest_has_the_types_of_both_loads() -> None:
    newer = SourceManifest(
        Source("films", "2025"),
        (NodeType("User", ("age",)), NodeType("Item", ("title",))),
        (EdgeType("User", "TAGGED", "Item", (), ("tag",)),),
    )
    merged = newer.merge(MANIFEST)
    assert merged.source.version == "2025"
    assert merged.links == ()
    assert merged.node("User") == NodeType("User", ("age", "email"))
    assert [kind.label for kind in merged.nodes] == ["User", "Item", "Genre"]
    assert [kind.triple for kind in merged.edges] == [("User", "TAGGED", "Item"), ("User", "SAW", "Item")]
    assert newer.merge(None) is newer
    assert merged.node("Tag") is None


def test_by_hand_comes_first_then_precedence_then_the_name() -> None:
    assert sort_by_precedence([Source("b"), Source("a"), Source("c", precedence=1)]) == ["", "c", "a", "b"]
