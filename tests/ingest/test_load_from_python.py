"""`graph.load` of whatever Python has: a path, a folder, a mapping, a frame."""

from pathlib import Path

import pandas as pd
import pytest

import graphrec
from graphrec.errors import DataError, UnknownNameError
from tests.sizes import NEO4J_IS_SLOW

TOML = 'name = "shop"\n[edges.RATED]\nfile = "r.csv"\nfrom = "User:u"\nto = "Item:i"\n'
ROWS = {"User": 1, "Item": 1, "RATED": 1}


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment", "store")
def test_load_takes_paths_mappings_and_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.toml").write_text(TOML)
    (tmp_path / "r.csv").write_text("u,i\n1,2\n")
    monkeypatch.chdir(tmp_path.parent)
    edges = {"RATED": {"file": "r.csv", "from": "User:u", "to": "Item:i"}}
    with graphrec.connect() as graph:
        for given in (tmp_path / "shop.toml", str(tmp_path / "shop.toml"), tmp_path, str(tmp_path)):
            assert graph.load(given).rows == ROWS
        assert graph.load({"name": "shop", "edges": edges}, tmp_path).rows == ROWS
        frame = pd.DataFrame({"u": [1], "i": [2]})
        loaded = graph.load(
            frame, name="shop", edges="RATED", from_="User:u", to="Item:i", config=graphrec.LoadConfig(dry_run=True)
        )
        assert (loaded.rows, loaded.dry_run, loaded.source.name) == (ROWS, True, "shop")
        assert [each.created + each.changed + each.deleted for each in loaded.written] == [0, 0, 0]
        assert graph.store.read("MATCH (:User {id: '1'})-[r:RATED]->(:Item {id: '2'}) RETURN r.source AS s") == [
            {"s": "shop"}
        ]
        with pytest.raises(DataError, match="it is unknown what the rows of the frame"):
            graph.load(frame)
        with pytest.raises(DataError, match="a source is a name, a path, a mapping or a data frame, not a int"):
            graph.load(3)  # type: ignore[arg-type]
        with pytest.raises(UnknownNameError, match="there is no source 'shopp'"):
            graph.load("shopp")
        for path, kind in ((tmp_path / "shop.tml", "a file that exists"), (tmp_path / "none.tml", "no file")):
            (tmp_path / "shop.tml").touch()
            with pytest.raises(DataError, match=rf"leads to {kind}; a description .* the ending \.toml"):
                graph.load(str(path))
