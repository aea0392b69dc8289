"""The examples of docs/table.md on files that are written in other ways give what they say."""

import re
from pathlib import Path

import pytest

from graphrec.tabular import read

from .workbooks import xlsx

PAGE = (Path(__file__).parents[2] / "docs/table.md").read_text(encoding="utf-8")
_CASE = r"(?:<!-- case \S+ -->\n```text\n.*?\n```\n\n)+```toml\n.*?\n```"
CASES = re.findall(_CASE, PAGE, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(CASES) == 7
    for key in ("skip", "comment", "escape", "records", "sheet", "shape", "files"):
        assert any(re.search(rf"^{key} = ", case, re.MULTILINE) for case in CASES), key


@pytest.mark.parametrize("case", CASES, ids=lambda case: re.findall(r"<!-- case (\S+) -->", case)[-1])
def test_an_example_gives_what_it_says(case: str, tmp_path: Path) -> None:
    for name, text in re.findall(r"<!-- case (\S+) -->\n```text\n(.*?\n)```", case, re.DOTALL):
        rows = [[int(cell) if cell.isdigit() else cell for cell in line.split(",")] for line in text.splitlines()]
        (tmp_path / name).write_bytes(xlsx(Sheet1=rows) if name.endswith(".xlsx") else text.encode())
    toml, said = re.findall(r"```toml\n(.*)# (.*→.*)\n```", case, re.DOTALL)[0]
    (tmp_path / "spec.toml").write_text(f'name = "mine"\n{toml}', encoding="utf-8")
    frame = read(tmp_path / "spec.toml").edges[0].frame
    assert ", ".join(frame["source_id"] + " → " + frame["target_id"]) == said
