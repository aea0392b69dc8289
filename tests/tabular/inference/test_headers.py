"""Column roles in files that have no header line."""

from pathlib import Path

from ..proposals import propose_spec


def test_pairs_of_two_ids_and_triples_are_no_behaviour(tmp_path: Path) -> None:
    spec, _ = propose_spec(
        tmp_path,
        item_index2entity_id__txt="".join(f"{n}\t{n + 7}\n" for n in range(9)),
        kg__txt="".join(f"{n % 3}\tr{n % 2}\t{n}\n" for n in range(9)),
        train__txt="1 7 8 9\n2 8\n3 7 9\n4 9 8\n",
        social__txt="1 2 3\n2 1\n3 1 2 4\n4 3\n",
    )
    assert set(spec["edges"]) == {"VIEWED", "FRIEND"}
    assert spec["edges"]["VIEWED"]["file"] == "train.txt"
    assert spec["edges"]["FRIEND"]["shape"] == "basket"
