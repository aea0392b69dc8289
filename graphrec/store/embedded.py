"""The embedded graph server: a child process that all commands share; start, find and stop it.

It is ArcadeDB with its own Java runtime, which speaks Bolt on a free loopback port. All its files are in `HOME/store`:
the databases, the password (mode 0600), the ports, and the log, whose size is limited. No process id is stored: the
server is found by its command line, which contains the path of its settings file, so a stale file cannot mislead.
"""

import contextlib
import importlib.util
import json
import logging
import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from filelock import FileLock

from graphrec.errors import StoreError
from graphrec.home import keep_private, private_folder
from graphrec.resource_errors import MIN_FREE_DISK, describe_full_disk, shortage, shortage_of
from graphrec.store.connection import Address, connect

logger = logging.getLogger(__name__)

DATABASE = "graphrec"
USERNAME = "root"
#: Limit of a start, in seconds; on an idle machine it takes five, under high load more than a minute.
SECONDS_TO_START = 180.0
#: Seconds without progress, which is processor time of the server or new lines in its logs, after which it hangs.
SECONDS_OF_STANDSTILL = 60.0
SECONDS_TO_STOP = 30
#: Timeout after which a refused password is an error: a starting server refuses every password at first.
SECONDS_OF_REFUSAL = 3
_LOOPBACK = "127.0.0.1"
_NEW_PASSWORD = "run graphrec store stop and delete it, and the next command creates a new one; the data stays"

#: Maximum size in bytes of each log file: two of the server, and one with the output of the Java runtime.
MAX_LOG = 5_000_000

_LOGGING = f"""\
handlers = java.util.logging.FileHandler
.level = INFO
io.undertow.level = WARNING
org.xnio.level = WARNING
org.jboss.level = WARNING
java.util.logging.FileHandler.level = INFO
java.util.logging.FileHandler.formatter = com.arcadedb.log.LogFormatter
java.util.logging.FileHandler.pattern = ./log/server.log
java.util.logging.FileHandler.limit = {MAX_LOG}
java.util.logging.FileHandler.count = 2
"""


@dataclass(frozen=True)
class EmbeddedServer:
    """The server of a home folder, running or not. Several processes may use it at the same time."""

    home: Path

    @property
    def folder(self) -> Path:
        """The folder with all files of the server."""
        return self.home / "store"

    @property
    def password_file(self) -> Path:
        """The file with the password, readable only by its owner."""
        return self.folder / "password"

    @property
    def logs(self) -> tuple[Path, ...]:
        """The log files since the server was started, the oldest first; some of them may not exist."""
        return (self.folder / "log" / "server.log.1", self.folder / "log" / "server.log.0", self.folder / "console.log")

    def address(self) -> Address | None:
        """The address of the running server; None if it does not run."""
        ports, password = self._read_ports(), self._read_password()
        if ports is None or password is None:
            return None
        address = Address(f"bolt://{_LOOPBACK}:{ports['bolt']}", USERNAME, password, DATABASE, self.folder)
        try:
            connect(address).close()
        except StoreError:
            return None
        return address

    def start(self, port: int | None = None) -> Address:
        """Start the server unless it runs, and return its address; two commands may call this at the same time.

        `port` is the Bolt port to use; by default a free one.
        Raises StoreError if the port is in use, the folder cannot be written, or the server does not answer.
        """
        self._make_folder()
        with FileLock(self.folder / "start.lock", mode=0o600):
            # without a file of ports no server is starting, so there is nothing to wait for
            running = self.address() or (self._wait_until_ready(self._find_processes()) if self._read_ports() else None)
            self._truncate_console()
            if running is not None:
                if port is not None and running.uri.rpartition(":")[2] != str(port):
                    raise StoreError(
                        f"the embedded store already runs at {running.uri}; "
                        f"`graphrec store stop` first to move it to port {port}"
                    )
                return running
            for process in self._find_processes():  # running, but not answering
                _terminate(process)
            if port is not None and not _is_free(port):
                raise StoreError(f"port {port} is in use; choose another with --port, or leave --port out")
            return self._launch(port)

    def _truncate_console(self) -> None:
        """Truncate the file with the output of the Java runtime if it is large; the server appends to it."""
        console = self.folder / "console.log"
        with contextlib.suppress(OSError):
            if console.stat().st_size > MAX_LOG:
                os.truncate(console, 0)

    def stop(self) -> bool:
        """Stop the server cleanly; return whether it was running."""
        processes = self._find_processes()
        for process in processes:
            _terminate(process)
        return bool(processes)

    def _launch(self, port: int | None) -> Address:
        keep_private(self.home)
        ports = {"bolt": port or _find_free_port(), "http": _find_free_port()}
        self._write_private("ports.json", json.dumps(ports))
        self._write_private("java.args", _build_java_arguments(self.folder, self._ensure_password(), ports))
        self._write_private("logging.properties", _LOGGING)
        runtime = _find_runtime()
        for old in (*self.logs, *(self.folder / "log").glob("arcadedb.log*"), self.folder / "server.log"):
            old.unlink(missing_ok=True)
        log = os.open(self.folder / "console.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [runtime / "jre" / "bin" / "java", f"@{self.folder / 'java.args'}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                umask=0o077 if os.name == "posix" else -1,  # its files are readable only by their owner
                start_new_session=True,  # Ctrl-C in a command must not stop a server that other commands use
            )
        except OSError as error:
            reason = shortage_of(error) or f"{error}; reinstall arcadedb-embedded"
            raise StoreError(f"cannot start the embedded store: {reason}") from error
        finally:
            os.close(log)
        address = self._wait_until_ready([psutil.Process(process.pid)])
        if address is None:
            raise StoreError(self._explain_failure(process.poll()))
        logger.info("the embedded store answers at %s", address.uri)
        return address

    def _explain_failure(self, code: int | None) -> str:
        """The reason why a launched server does not answer; `code` is its exit code, None if it is running."""
        text = "".join(log.read_text(encoding="utf-8", errors="replace") for log in self.logs if log.exists())
        if reason := shortage(text):
            return f"cannot start the embedded store: {reason}"
        free = shutil.disk_usage(self.folder).free
        if free < MIN_FREE_DISK:
            return f"cannot start the embedded store: {describe_full_disk(self.folder, free)}"
        logs = f"see {self.folder / 'console.log'} and {self.logs[1]}"
        if code is not None:
            return f"the embedded store ended with code {code}; {logs}"
        return (
            f"the embedded store did not answer: the limits are {SECONDS_TO_START:g} s in all and "
            f"{SECONDS_OF_STANDSTILL:g} s without progress; {logs}, and try again when the machine is less busy"
        )

    def _wait_until_ready(self, processes: list[psutil.Process]) -> Address | None:
        """Wait until a server process answers and return its address; None if no process runs, or it ends or hangs.

        It hangs if it needs more than SECONDS_TO_START, or is at a standstill for SECONDS_OF_STANDSTILL.
        """
        started = moved = time.monotonic()
        progress = self._measure_progress(processes)
        refused: float | None = None
        while any(_is_alive(process) for process in processes):
            now, before = time.monotonic(), progress
            progress = self._measure_progress(processes)
            moved = now if progress != before else moved
            if now - started > SECONDS_TO_START or now - moved > SECONDS_OF_STANDSTILL:
                return None
            try:
                if self._ensure_database():
                    address = self.address()
                    if address is not None:
                        return address
                refused = None
            except urllib.error.HTTPError as error:
                refused = refused or time.monotonic()
                if time.monotonic() - refused > SECONDS_OF_REFUSAL:
                    raise StoreError(
                        f"the embedded store refuses the password in {self.password_file}; {_NEW_PASSWORD}"
                    ) from error
            time.sleep(0.1)
        return None

    def _measure_progress(self, processes: list[psutil.Process]) -> tuple[int, int]:
        """Processor seconds of some processes, and the size of their logs in bytes: a start that moves changes them."""
        seconds, size = 0.0, 0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seconds += times.user + times.system
        for log in self.logs:
            with contextlib.suppress(OSError):
                size += log.stat().st_size
        return int(seconds), size

    def _ensure_database(self) -> bool:
        """Create the database over the server's administration port unless it exists; False if the server is not ready.

        Raises HTTPError if the server refuses the password.
        """
        ports = self._read_ports()
        if ports is None:
            return False
        try:
            if not self._request(ports["http"], f"exists/{DATABASE}")["result"]:
                self._request(ports["http"], "server", {"command": f"create database {DATABASE}"})
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise
            return False
        except (OSError, ValueError, KeyError, TypeError):  # not up yet
            return False
        return True

    def _request(self, port: int, path: str, body: dict[str, str] | None = None) -> dict[str, object]:
        request = urllib.request.Request(
            f"http://{_LOOPBACK}:{port}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Basic " + b64encode(f"{USERNAME}:{self._ensure_password()}".encode()).decode()},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never use a proxy for loopback
        with opener.open(request, timeout=10) as answer:
            reply: dict[str, object] = json.load(answer)
        return reply

    def _read_ports(self) -> dict[str, int] | None:
        try:
            ports = json.loads((self.folder / "ports.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(ports, dict):
            return None
        valid = {name: port for name, port in ports.items() if type(port) is int and 0 < port < 2**16}
        return valid if {"bolt", "http"} <= valid.keys() else None

    def _ensure_password(self) -> str:
        """The saved password; a new one is created if none is saved."""
        password = self._read_password()
        if password is None:
            password = secrets.token_urlsafe(24)
            self._write_private("password", password)
            # the server accepts a new password only if it has no users yet
            (self.folder / "config" / "server-users.jsonl").unlink(missing_ok=True)
        return password

    def _read_password(self) -> str | None:
        """The password in its file; None if the file does not exist. Raises StoreError if it contains no password."""
        try:
            password = self.password_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise StoreError(
                f"the password file {self.password_file} cannot be read: {reason}; {_NEW_PASSWORD}"
            ) from error
        if not password or not password.isprintable():
            defect = "contains no password" if password else "is empty"
            raise StoreError(f"the password file {self.password_file} {defect}; {_NEW_PASSWORD}")
        return password

    def _make_folder(self) -> None:
        try:
            private_folder(self.home)
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot write to {self.folder}: {error.strerror}; set GRAPHREC_HOME to a folder of yours"
            ) from error

    def _write_private(self, name: str, text: str) -> None:
        """Write a file atomically, readable only by its owner.

        Raises StoreError if it cannot be written.
        """
        try:
            self._write(name, text)
        except OSError as error:
            reason = shortage_of(error) or f"{error.strerror}; set GRAPHREC_HOME to a folder of yours"
            raise StoreError(f"cannot write {self.folder / name}: {reason}") from error

    def _write(self, name: str, text: str) -> None:
        partial = self.folder / f".{name}.partial"
        partial.unlink(missing_ok=True)
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(self.folder / name)

    def _find_processes(self) -> list[psutil.Process]:
        mark = f"@{self.folder / 'java.args'}"
        return [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or []) and _is_alive(p)]


def server_version() -> str:
    """The version of the embedded server."""
    return version("arcadedb-embedded")


def _build_java_arguments(folder: Path, password: str, ports: dict[str, int]) -> str:
    """The settings file of the Java runtime; it contains the password, which `ps` would show on the command line."""
    settings = {
        "server.rootPath": folder,
        "server.databaseDirectory": folder / "databases",
        "server.rootPassword": password,
        "server.plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "server.httpIncomingHost": _LOOPBACK,
        "server.httpIncomingPort": ports["http"],
        "bolt.host": _LOOPBACK,
        "bolt.port": ports["bolt"],
    }
    gigabytes = max(1, min(4, psutil.virtual_memory().total // 2**32))  # a quarter of the memory, at most 4
    arguments = [
        "-Xms1g",  # growing a small heap takes a tenth of the time of a first load
        f"-Xmx{gigabytes}g",
        "-XX:+UseParallelGC",  # writes are a seventh faster than with G1
        "-Djava.awt.headless=true",
        "-Djava.util.logging.config.file=logging.properties",  # in its working directory
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "-cp",
        str(_find_runtime() / "jars" / "*"),
        *(f"-Darcadedb.{name}={value}" for name, value in settings.items()),
        "com.arcadedb.server.ArcadeDBServer",
    ]
    escaped = (argument.replace("\\", "\\\\").replace('"', '\\"') for argument in arguments)
    return "\n".join(f'"{argument}"' for argument in escaped)


def _find_runtime() -> Path:
    """The folder of the package with the jars and the Java runtime, found without importing the package."""
    spec = importlib.util.find_spec("arcadedb_embedded")
    if spec is None or spec.origin is None:
        raise StoreError("the embedded store is not installed; `pip install arcadedb-embedded`, or set NEO4J_URI")
    return Path(spec.origin).parent


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_LOOPBACK, port)) != 0


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _terminate(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(SECONDS_TO_STOP)
