"""Columns of user and item ids."""

from pathlib import Path

from graphrec.tabular import read

from ..proposals import propose_spec


def test_whole_numbers_written_as_floats_are_users(tmp_path: Path) -> None:
    spec, _ = propose_spec(tmp_path, ids__csv="user,item\n1,a\nnan,a\nNaN,b\nNULL,b\nNone,a\n2.0,a\n2,b\n")
    table = spec["edges"]["VIEWED"]
    assert (table["from"], table["missing"]) == ("User:user", ["", "nan", "NaN", "NULL", "None"])


def test_client_ids_of_two_numbers_are_users_and_keep_their_digits(tmp_path: Path) -> None:
    rows = "".join(f"{n % 4}.16000000{n % 4}0,i{n % 3},{n // 2},view_item\n" for n in range(12))
    spec, _ = propose_spec(tmp_path, events__csv="user_pseudo_id,item_id,session_id,event_name\n" + rows)
    assert spec["edges"]["VIEWED"]["from"] == "User:user_pseudo_id"
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[edges.VIEWED]\nfile = "events.csv"\nfrom = "User:user_pseudo_id"\nto = "Item:item_id"\n'
        'repeated = "first"\n'
    )
    users = next(table for table in read(tmp_path / "s.toml").nodes if table.type.label == "User")
    assert sorted(users.frame["id"]) == ["0.1600000000", "1.1600000010", "2.1600000020", "3.1600000030"]
