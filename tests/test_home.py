"""The home folder is its owner's alone, and an older, wider one is made so; one with other things keeps its mode."""

import os
import stat
from pathlib import Path

import pytest

from graphrec.cleaning_report import CleaningReport
from graphrec.home import is_private, keep_private, private_folder, restrict, write_privately
from graphrec.ingest.reports import delete_report, save_report

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")


def modes(folder: Path) -> set[str]:
    """The rights of everything in a folder and of itself, such as `d700`."""
    found = [folder, *folder.rglob("*")]
    return {f"{'d' if path.is_dir() else 'f'}{stat.S_IMODE(path.stat().st_mode):o}" for path in found}


@pytest.fixture(autouse=True)
def wide() -> object:
    """The usual umask, whatever that of the tests is."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_new_folders_and_files_are_private(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    private_folder(home / "runs")
    with write_privately(home / "runs" / "one") as partial:
        private_folder(partial)
        (partial / "model.pt").write_bytes(b"x")
    with write_privately(home / "graph.pt") as partial:
        partial.write_bytes(b"x")
    save_report(home / "loads", "shop", {"rows": 1}, CleaningReport())
    assert modes(tmp_path / "deep") == {"d700", "f600"}
    assert is_private(home)


def test_a_wider_home_is_tightened(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "runs" / "old").mkdir(parents=True)
    (home / "runs" / "old" / "run.json").write_text("{}")
    (home / "store").mkdir(mode=0o700)
    (home / "store" / "data.bucket").write_text("x")
    (home / "writing.lock").touch()
    assert not is_private(home)
    keep_private(home)
    assert modes(home) == {"d700", "f600"}
    keep_private(tmp_path / "missing")


def test_a_home_with_other_things_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    (tmp_path / "loads").mkdir()
    (tmp_path / "loads" / "rejected.csv").write_text("x")
    outside = tmp_path / "outside"
    outside.write_text("x")
    (tmp_path / "loads" / "link").symlink_to(outside)
    tmp_path.chmod(0o755)
    keep_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "letter.txt").stat().st_mode) == 0o644
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644  # where a link leads to
    assert stat.S_IMODE((tmp_path / "loads").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "loads" / "rejected.csv").stat().st_mode) == 0o600
    restrict(tmp_path / "letter.txt")
    assert stat.S_IMODE((tmp_path / "letter.txt").stat().st_mode) == 0o600


def test_the_report_of_a_source_is_forgotten(tmp_path: Path) -> None:
    place = save_report(tmp_path, "..", {"rows": 1}, CleaningReport())
    other = save_report(tmp_path, "other", {"rows": 1}, CleaningReport())
    assert delete_report(tmp_path, "..") is True
    assert not place.exists()
    assert other.exists()
    assert delete_report(tmp_path, "..") is False
    assert tmp_path.exists()
