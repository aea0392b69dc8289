"""What is written over: files keep mode and owner, links are followed, devices and pipes stay what they are."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from graphrec import atomic_write as writing
from graphrec.atomic_write import atomic_write, folder_name, partial_name
from graphrec.errors import GraphrecError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of a POSIX system")


def write(path: Path, text: str = "new") -> None:
    with atomic_write(path) as partial:
        partial.write_text(text)


def fail(path: Path) -> None:
    """Write a half, then fail."""
    with atomic_write(path) as partial:
        partial.write_text("half")
        raise KeyError


def test_a_replaced_file_keeps_its_mode_and_a_new_one_has_the_usual_one(tmp_path: Path) -> None:
    for mode in (0o600, 0o640, 0o755):
        (tmp_path / "old").write_text("old")
        (tmp_path / "old").chmod(mode)
        write(tmp_path / "old")
        assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == mode
    usual = tmp_path / "usual"
    usual.touch()
    write(tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode == usual.stat().st_mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_replaced_file_keeps_its_owner(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    os.chown(tmp_path / "old", 12_345, 23_456)
    write(tmp_path / "old")
    found = (tmp_path / "old").stat()
    assert (found.st_uid, found.st_gid) == (12_345, 23_456)


def test_links_are_followed_there_or_not(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "file").write_text("old")
    (tmp_path / "second").symlink_to("first")
    (tmp_path / "first").symlink_to(Path("place") / "file")
    (tmp_path / "dangling").symlink_to(Path("place") / "made")
    for link in ("second", "dangling"):
        write(tmp_path / link)
        assert (tmp_path / link).is_symlink()
    assert {path.name: path.read_text() for path in (tmp_path / "place").iterdir()} == {"file": "new", "made": "new"}
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(GraphrecError, match="cannot write .*circle: Too many levels of symbolic links"):
        write(tmp_path / "circle")
    (tmp_path / "lost").symlink_to(tmp_path / "none" / "file")
    with pytest.raises(GraphrecError, match="cannot write .*lost: No such file or directory; create its folder first"):
        write(tmp_path / "lost")


def test_all_names_of_a_file_have_the_new_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old and longer")
    os.link(tmp_path / "file", tmp_path / "other")
    write(tmp_path / "other")
    assert (tmp_path / "file").read_text() == (tmp_path / "other").read_text() == "new"
    assert (tmp_path / "file").samefile(tmp_path / "other")


def test_a_pipe_gets_the_content_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write(pipe)
    reader.join(20)
    assert got == ["new"]
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    device = tmp_path / "null"  # never the system's own
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.write_text("x")
    except OSError:
        pytest.skip("only root makes devices")
    write(device)
    write_link = tmp_path / "link"
    write_link.symlink_to(device)
    write(write_link)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert write_link.is_symlink()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_device_is_named(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(GraphrecError, match="cannot write .*full: No space left on device; free some space"):
        write(tmp_path / "full")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs /dev/stdout")
def test_stdout_is_written_where_it_stands(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from graphrec.atomic_write import atomic_write\n"
        "print('before', flush=True)\n"
        "with atomic_write(Path('/dev/stdout')) as path: path.write_text('whole\\n')\n"
        "print('after')"
    )
    (tmp_path / "out").write_text("kept\n")
    with (tmp_path / "out").open("a") as out:
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    assert (tmp_path / "out").read_text().splitlines() == ["kept", "before", "whole", "after"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    os.link(tmp_path / "file", tmp_path / "hard")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "hard", "link", "none"):
        with pytest.raises(KeyError):
            fail(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "hard", "link"]
    assert {path.read_text() for path in tmp_path.iterdir()} == {"old"}


def test_what_cannot_be_replaced_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("kept")
    with pytest.raises(GraphrecError, match="cannot write .*folder: "):
        write(tmp_path / "folder")
    with pytest.raises(GraphrecError, match="File name too long"):
        write(tmp_path / ("x" * 300))
    write(tmp_path / ("y" * 255))  # the name is as long as names may be, and that of its partial file is not longer
    assert (tmp_path / "folder" / "inside").read_text() == "kept"


def test_what_a_killed_process_left_is_removed_and_what_others_write_is_not(tmp_path: Path) -> None:
    program = "import os, signal; from pathlib import Path; from graphrec.atomic_write import atomic_write\n" + (
        "with atomic_write(Path('file')) as path:\n    path.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    (left,) = tmp_path.iterdir()
    assert writing.is_left_over(left)
    mine, foreign = partial_name("mine"), left.name.replace(writing._host(), "elsewhere")
    for name in (mine, foreign, ".notes.partial"):
        (tmp_path / name).touch()
    write(tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == {"file", mine, foreign, ".notes.partial"}


@pytest.mark.parametrize(
    "name",
    ["..", ".", "", "a/b", "../../etc", "a\nb", "a\0b", "x" * 300, "ü" * 200, "CON", "nul.txt", "a ", "a.", "\ud800"],
)
def test_any_text_gives_the_name_of_one_folder(tmp_path: Path, name: str) -> None:
    found = folder_name(name)
    (tmp_path / found).mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [found]
    assert found.isprintable()
    assert found != name
    assert json.dumps(found)


def test_usual_names_of_folders_stay() -> None:
    for name in ("movielens", "my shop", "größe", "a.b-c_1"):
        assert folder_name(name) == name
    assert len({folder_name(name) for name in ("a/b", "a:b", "a_b", "a\\b")}) == 4
