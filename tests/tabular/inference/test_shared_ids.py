"""Ids that another source in the same folder has, too."""

from pathlib import Path

from ..proposals import propose_spec


def test_another_source_with_the_same_ids_is_named(tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text("customer,segment\nc1,A\nc2,B\nc3,A\n")
    (tmp_path / "crm.toml").write_text('name = "crm"\n[nodes.User]\nfile = "crm.csv"\nid = "customer"\n')
    spec, asks = propose_spec(tmp_path, orders__csv="customer,sku\nc1,s1\nc2,s1\nc3,s2\nc4,s2\n")
    assert spec["nodes"]["User"] == {"file": "orders.csv", "id": "customer", "shared": True, "repeated": "first"}
    assert any("3 of 4 User ids are in crm.toml, too" in ask for ask in asks)
    spec, asks = propose_spec(tmp_path, orders__csv="customer,sku\n1,s1\n2,s1\n3,s2\n")
    assert "nodes" not in spec
    spec, asks = propose_spec(tmp_path, str(tmp_path / "crm.csv"))  # its own description is no other source
    assert "shared" not in str(spec)
