"""Tables of items."""

from pathlib import Path

from ..proposals import propose_spec


def test_rows_of_things_that_differ_within_an_id_are_asked_about(tmp_path: Path) -> None:
    rows = "".join(f"{n % 6},{('colour', 'size', 'price')[n % 3 if n < 20 else n % 2]},v{n}\n" for n in range(40))
    _, questions = propose_spec(tmp_path, item_properties__csv="item_id,property,value\n" + rows)
    assert any("item_id is repeated with different values of" in ask for ask in questions)
