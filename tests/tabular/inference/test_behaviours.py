"""The behaviour of a table, inferred from event values and column names."""

from pathlib import Path

from ..proposals import propose_spec


def test_a_completed_order_is_a_purchase_and_a_completed_course_is_not(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 4},i{n % 3},{'wc-refunded' if n % 5 == 0 else 'wc-completed'}\n" for n in range(20))
    spec, _ = propose_spec(tmp_path, a__csv="user_id,item_id,Order Status\n" + rows)
    assert set(spec["edges"]) == {"PURCHASED", "RETURNED"}
    rows = "".join(f"u{n % 4},i{n % 3},{'view' if n % 5 == 0 else 'completed'}\n" for n in range(20))
    spec, _ = propose_spec(tmp_path, b__csv="user_id,course_id,event\n" + rows)
    assert "COMPLETED" in spec["edges"]


def test_a_sentence_is_no_event_and_negative_numbers_are_no_count(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 4},i{n % 3},I like it very much and bought two\n" for n in range(20))
    spec, _ = propose_spec(tmp_path, a__csv="user_id,item_id,text\n" + rows)
    assert set(spec["edges"]) == {"REVIEWED"}
    rows = "".join(f"{n % 5}\tp{n % 4}\t2012-04-0{n % 9 + 1}T10:00:00Z\t{(-180, 0, 240)[n % 3]}\n" for n in range(20))
    spec, _ = propose_spec(tmp_path, checkins__txt=rows)
    assert "weight" not in spec["edges"]["VISITED"]
