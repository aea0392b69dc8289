"""A full disk and too little memory are said as what they are."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from graphrec.scripts import cli  # type: ignore[import-not-found]  # the folder scripts/, as installed

from graphrec.errors import StoreError
from graphrec.resource_errors import DISK, MEMORY, shortage, shortage_of
from graphrec.schema import RUN
from graphrec.store import Address, EmbeddedServer, Store, connection
from graphrec.store.connection import ShortageError
from graphrec.store.nodes import ensure_constraint


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "the disk of /x/y is full"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), MEMORY),
        (MemoryError(), MEMORY),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), MEMORY),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"), MEMORY),
        (RuntimeError("can't start new thread"), MEMORY),
        (ValueError("no space left in the list of words"), ""),
        (OSError(errno.EACCES, "Permission denied"), ""),
    ],
)
def test_what_lacks(error: Exception, told: str) -> None:
    assert shortage_of(error).startswith(told)
    assert bool(shortage_of(error)) == bool(told)


def test_the_cause_of_an_error_counts() -> None:
    error = RuntimeError("unexpected pos 64 vs 0")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert "the disk is full" in shortage_of(error)
    assert shortage("java.io.IOException: No space left on device") == DISK
    assert shortage("There is insufficient memory for the Java Runtime Environment") == MEMORY
    assert shortage("all is well") == ""


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOSPC, "No space left on device", "/x")])
def test_a_command_says_it_in_one_sentence(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("graphrec.config.open_store", fails)
    result = CliRunner().invoke(cli, ["schema"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: the ")
    assert "Traceback" not in result.output


def test_a_full_disk_is_not_taken_for_doubled_nodes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("CREATE (:Twin {id: '1'}), (:Twin {id: '1'})")
    with pytest.raises(StoreError, match="remove the duplicates first"):
        ensure_constraint(store, "Twin")

    def full(*_: object, **__: object) -> None:
        raise ShortageError("the disk is full; free some space")

    monkeypatch.setattr(Store, "define", full)
    with pytest.raises(ShortageError, match="^the disk is full"):
        ensure_constraint(store, RUN)


def test_an_error_of_a_database_on_a_full_disk_says_so(
    embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = embedded.start()
    assert address.folder == embedded.folder
    monkeypatch.setattr(connection, "MIN_FREE_DISK", 10**18)
    with (
        connection.connect(address) as store,
        pytest.raises(ShortageError, match=r"cannot continue: the disk of .* has"),
    ):
        store.write("THIS IS REFUSED")
    assert Address("bolt://elsewhere:7687", "neo4j", "").shortage() == ""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of processes are POSIX")
def test_a_process_with_little_memory(tmp_path: Path) -> None:
    """Torch and the server's runtime need more than half a gigabyte of addresses."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (700_000_000, 700_000_000))

    environment = {**os.environ, "GRAPHREC_HOME": str(tmp_path / "home"), "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("NEO4J_URI", None)
    for arguments in (["schema"], ["evaluate"]):
        done = subprocess.run(
            [sys.executable, "-m", "graphrec", *arguments],
            env=environment,
            preexec_fn=limit,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "too little free memory" in done.stderr
        assert "Traceback" not in done.stderr
