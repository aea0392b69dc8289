"""The graph server that comes with graphrec: started as a child process, shared by commands, stopped cleanly.

It is ArcadeDB with its own Java runtime, speaking Bolt on a free loopback port. Everything it owns lies in
`HOME/store`: the databases, the password (mode 0600), the ports and the log, which it begins anew when it is large. No
process id is stored: the server is found by its command line, which names its settings file, so a stale file can never
mislead.
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
from graphrec.resource_errors import LEAST_DISK, lacking_disk, shortage, shortage_of
from graphrec.store.connection import Address, connect

logger = logging.getLogger(__name__)

DATABASE = "graphrec"
USERNAME = "root"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
#: How long a server that starts may refuse the password before it is taken at its word.
SECONDS_OF_REFUSAL = 3
_LOOPBACK = "127.0.0.1"
_NEW_PASSWORD = "run graphrec store stop and remove it, and the next command makes a new one; the data stays"

#: The most bytes of one file of the log; there are two, and one of what the Java runtime prints.
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
    """The server of one home folder, running or not. Several processes may use it at once."""

    home: Path

    @property
    def folder(self) -> Path:
        """Where the server keeps everything it owns."""
        return self.home / "store"

    @property
    def password_file(self) -> Path:
        """The file, readable by its owner alone, that holds the password."""
        return self.folder / "password"

    @property
    def logs(self) -> tuple[Path, ...]:
        """The files of the log since the server was started, the oldest first; not all of them need be there."""
        return (self.folder / "log" / "server.log.1", self.folder / "log" / "server.log.0", self.folder / "console.log")

    def address(self) -> Address | None:
        """Where the server answers now, or None where it does not run."""
        ports, password = self._ports(), self._kept_password()
        if ports is None or password is None:
            return None
        address = Address(f"bolt://{_LOOPBACK}:{ports['bolt']}", USERNAME, password, DATABASE, self.folder)
        try:
            connect(address).close()
        except StoreError:
            return None
        return address

    def start(self, port: int | None = None) -> Address:
        """The address of the running server, started if it must be; safe to call from two commands at once.

        `port` asks for a Bolt port; without it a free one is taken.
        Raises StoreError where the port is in use, the folder cannot be written or the server does not answer.
        """
        self._make_folder()
        with FileLock(self.folder / "start.lock", mode=0o600):
            # without the ports of a server that runs there is nothing to wait for
            running = self.address() or (self._wait(self._processes()) if self._ports() else None)
            self._bound_console()
            if running is not None:
                if port is not None and running.uri.rpartition(":")[2] != str(port):
                    raise StoreError(
                        f"the embedded store already runs at {running.uri}; "
                        f"`graphrec store stop` first to move it to port {port}"
                    )
                return running
            for process in self._processes():  # it runs but does not answer
                _end(process)
            if port is not None and not _is_free(port):
                raise StoreError(f"port {port} is in use; choose another with --port, or leave --port out")
            return self._launch(port)

    def _bound_console(self) -> None:
        """Empty the file of what the Java runtime prints where it is large; the server appends to it."""
        console = self.folder / "console.log"
        with contextlib.suppress(OSError):
            if console.stat().st_size > MAX_LOG:
                os.truncate(console, 0)

    def stop(self) -> bool:
        """Stop the server cleanly, if it runs; whether it ran."""
        processes = self._processes()
        for process in processes:
            _end(process)
        return bool(processes)

    def _launch(self, port: int | None) -> Address:
        keep_private(self.home)
        ports = {"bolt": port or _free_port(), "http": _free_port()}
        self._write_private("ports.json", json.dumps(ports))
        self._write_private("java.args", _java_arguments(self.folder, self._password(), ports))
        self._write_private("logging.properties", _LOGGING)
        runtime = _runtime()
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
                umask=0o077 if os.name == "posix" else -1,  # what it writes is its owner's alone
                start_new_session=True,  # Ctrl-C in a command must not end a server that others use
            )
        except OSError as error:
            told = shortage_of(error) or f"{error}; reinstall arcadedb-embedded"
            raise StoreError(f"cannot start the embedded store: {told}") from error
        finally:
            os.close(log)
        address = self._wait([psutil.Process(process.pid)])
        if address is None:
            raise StoreError(self._why_not(process.poll()))
        logger.info("the embedded store answers at %s", address.uri)
        return address

    def _why_not(self, code: int | None) -> str:
        """Why a server that was launched does not answer; `code` is its exit code, None: it is alive."""
        text = "".join(log.read_text(encoding="utf-8", errors="replace") for log in self.logs if log.exists())
        if told := shortage(text):
            return f"cannot start the embedded store: {told}"
        free = shutil.disk_usage(self.folder).free
        if free < LEAST_DISK:
            return f"cannot start the embedded store: {lacking_disk(self.folder, free)}"
        ended = f"ended with code {code}" if code is not None else f"did not answer within {SECONDS_TO_START} s"
        return f"the embedded store {ended}; see {self.folder / 'console.log'} and {self.logs[1]}"

    def _wait(self, processes: list[psutil.Process]) -> Address | None:
        """The address once a server process answers; None where there is no process or it ends or hangs."""
        deadline = time.monotonic() + SECONDS_TO_START
        refused: float | None = None
        while any(_is_alive(process) for process in processes) and time.monotonic() < deadline:
            try:
                if self._make_database():
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

    def _make_database(self) -> bool:
        """Whether the database is there, after asking for it once over the server's administration port.

        Raises HTTPError if the server refuses the password.
        """
        ports = self._ports()
        if ports is None:
            return False
        try:
            if not self._ask(ports["http"], f"exists/{DATABASE}")["result"]:
                self._ask(ports["http"], "server", {"command": f"create database {DATABASE}"})
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise
            return False
        except (OSError, ValueError, KeyError, TypeError):  # not up yet
            return False
        return True

    def _ask(self, port: int, path: str, body: dict[str, str] | None = None) -> dict[str, object]:
        request = urllib.request.Request(
            f"http://{_LOOPBACK}:{port}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Basic " + b64encode(f"{USERNAME}:{self._password()}".encode()).decode()},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy
        with opener.open(request, timeout=10) as answer:
            reply: dict[str, object] = json.load(answer)
        return reply

    def _ports(self) -> dict[str, int] | None:
        try:
            ports = json.loads((self.folder / "ports.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(ports, dict):
            return None
        found = {name: port for name, port in ports.items() if type(port) is int and 0 < port < 2**16}
        return found if {"bolt", "http"} <= found.keys() else None

    def _password(self) -> str:
        """The password, a new one if there is none."""
        password = self._kept_password()
        if password is None:
            password = secrets.token_urlsafe(24)
            self._write_private("password", password)
            # the server takes a new password only if it has no users yet
            (self.folder / "config" / "server-users.jsonl").unlink(missing_ok=True)
        return password

    def _kept_password(self) -> str | None:
        """The password in its file, None if there is none. Raises StoreError if the file holds no password."""
        try:
            password = self.password_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or "it is no text"
            raise StoreError(
                f"the password file {self.password_file} cannot be read: {said}; {_NEW_PASSWORD}"
            ) from error
        if not password or not password.isprintable():
            said = "holds no password" if password else "is empty"
            raise StoreError(f"the password file {self.password_file} {said}; {_NEW_PASSWORD}")
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
        """Write a file that its owner alone can read and that is never seen half written.

        Raises StoreError where it cannot be written.
        """
        try:
            self._write(name, text)
        except OSError as error:
            told = shortage_of(error) or f"{error.strerror}; set GRAPHREC_HOME to a folder of yours"
            raise StoreError(f"cannot write {self.folder / name}: {told}") from error

    def _write(self, name: str, text: str) -> None:
        partial = self.folder / f".{name}.partial"
        partial.unlink(missing_ok=True)
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(self.folder / name)

    def _processes(self) -> list[psutil.Process]:
        mark = f"@{self.folder / 'java.args'}"
        return [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or []) and _is_alive(p)]


def server_version() -> str:
    """The version of the embedded server."""
    return version("arcadedb-embedded")


def _java_arguments(folder: Path, password: str, ports: dict[str, int]) -> str:
    """The settings file of the Java runtime: the password stands here, not on a command line that `ps` shows."""
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
    gigabytes = max(1, min(4, psutil.virtual_memory().total // 2**32))  # a quarter of the memory, 4 at most
    arguments = [
        "-Xms1g",  # growing the heap from nothing costs a tenth of a first load
        f"-Xmx{gigabytes}g",
        "-XX:+UseParallelGC",  # writes a seventh faster than with G1
        "-Djava.awt.headless=true",
        "-Djava.util.logging.config.file=logging.properties",  # in the folder that it runs in
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "-cp",
        str(_runtime() / "jars" / "*"),
        *(f"-Darcadedb.{name}={value}" for name, value in settings.items()),
        "com.arcadedb.server.ArcadeDBServer",
    ]
    escaped = (argument.replace("\\", "\\\\").replace('"', '\\"') for argument in arguments)
    return "\n".join(f'"{argument}"' for argument in escaped)


def _runtime() -> Path:
    """The folder of the package that brings jars and Java runtime, found without importing it."""
    spec = importlib.util.find_spec("arcadedb_embedded")
    if spec is None or spec.origin is None:
        raise StoreError("the embedded store is not installed; `pip install arcadedb-embedded`, or set NEO4J_URI")
    return Path(spec.origin).parent


def _free_port() -> int:
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


def _end(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(SECONDS_TO_STOP)
