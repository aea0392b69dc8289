"""The files of a deployment: checked without Docker and systemd, and by a real nginx where there is one."""

import configparser
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.api.conftest import served, shop_run, shop_store
from tests.api.served import Served

__all__ = ["served", "shop_run", "shop_store"]

ROOT = Path(__file__).parent.parent


def read_dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile: name and arguments, lines continued."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = (line.strip() for line in text.splitlines())
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines if line and line[0] != "#"]


def require_command(arguments: list[str]) -> None:
    """Fail unless the arguments are a command line of graphrec."""
    name, *options = arguments
    import_module(f"graphrec.scripts.{name}").command.make_context(name, list(options))  # raises for a wrong option


def copied() -> list[Path]:
    """What the Dockerfile copies from the project."""
    parts = [
        arguments.split() for name, arguments in read_dockerfile() if name == "COPY" and "--from=" not in arguments
    ]
    return [ROOT / source for part in parts for source in part[:-1]]


def test_the_image_is_built_from_files_that_exist_and_does_not_run_as_root() -> None:
    instructions = read_dockerfile()
    for path in copied():
        assert path.exists(), path
    last = dict(instructions)
    assert last["USER"] == "graphrec"
    assert json.loads(last["ENTRYPOINT"]) == ["graphrec"]
    require_command(json.loads(last["CMD"]))
    check = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    compile(check[2], "HEALTHCHECK", "exec")
    assert "/healthz" in check[2]
    assert instructions[-1][0] == "CMD"


def test_the_torch_of_the_image_is_the_pinned_one() -> None:
    (command,) = [each for name, each in read_dockerfile() if name == "RUN" and "TORCH_INDEX" in each]
    found = re.search(r"\$\((.*?)\)", command)
    assert found is not None
    done = subprocess.run(["sh", "-c", found[1]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"torch==[\d.]+\n", done.stdout), "one line: torch and its version"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_copied_files_are_enough_for_the_package_and_it_runs_outside_the_project(tmp_path: Path) -> None:
    source, elsewhere = tmp_path / "src", tmp_path / "elsewhere"
    source.mkdir()
    elsewhere.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for path in copied():
        if path.is_dir():
            shutil.copytree(path, source / path.name, ignore=ignored)
        else:
            shutil.copy(path, source / path.name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True, timeout=200)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(elsewhere)
    environment = {**os.environ, "PYTHONPATH": str(elsewhere)}
    for arguments in (["serve", "--help"], ["mcp", "--help"], ["key", "list", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "graphrec", *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    script = "import graphrec, graphrec.api.application, graphrec.client; print(graphrec.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(elsewhere)), "the package of the wheel, not of the project"


def test_the_compose_file_connects_services_that_it_has() -> None:
    content = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services = content["services"]
    assert services.keys() == {"neo4j", "cache", "server"}
    server = services["server"]
    assert (ROOT / server["build"]["context"] / "Dockerfile").exists()
    require_command(server["command"])
    assert server["depends_on"].keys() == {"neo4j", "cache"}
    assert server["environment"]["NEO4J_URI"] == "bolt://neo4j:7687"
    assert server["environment"]["GRAPHREC_CACHE_URL"].startswith("redis://cache:6379")
    for name, service in services.items():
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in content["volumes"], name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is reached from this machine only"
    password = "${NEO4J_PASSWORD:-change-me-please}"
    assert services["neo4j"]["environment"]["NEO4J_AUTH"] == f"neo4j/{password}"
    assert server["environment"]["NEO4J_PASSWORD"] == password


def test_the_systemd_unit_starts_a_command_that_exists() -> None:
    unit: Any = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(ROOT / "deployment" / "graphrec.service", encoding="utf-8")
    service = unit["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert Path(program).name == "graphrec"
    require_command(arguments)
    assert service["User"] == "graphrec"
    assert service["Environment"] == "GRAPHREC_HOME=/var/lib/" + service["StateDirectory"]
    assert "AF_UNIX" in service["RestrictAddressFamilies"], "the embedded cache listens on a socket"
    assert int(service["TimeoutStopSec"]) > 10, "longer than requests in progress have"


@pytest.mark.parametrize("name", ["graphrec-operate.service", "graphrec-operate-once.service"])
def test_the_units_of_operation_start_a_command_that_exists_and_are_those_of_the_page(name: str) -> None:
    unit: Any = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(ROOT / "deployment" / name, encoding="utf-8")
    service = unit["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert Path(program).name == "graphrec"
    options = [text for text in arguments if not text.startswith("/")]  # the policy is on the machine of the unit
    require_command(options)
    assert len(arguments) == len(options) + 1
    assert service["Environment"] == "GRAPHREC_HOME=/var/lib/" + service["StateDirectory"]
    assert ("--once" in arguments) == (service.get("Type") == "oneshot") == ("Restart" not in service)
    page = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    for section in unit.sections():
        for key, value in unit[section].items():
            hardening = section == "Service" and re.match("No|Private|Protect|Restrict|Lock|Cap|SystemCall|UMask", key)
            assert hardening or f"{key}={value}\n" in page


def test_the_timer_of_operation_is_that_of_the_page_and_has_its_service() -> None:
    lines = (ROOT / "deployment" / "graphrec-operate-once.timer").read_text(encoding="utf-8").splitlines()
    assert (ROOT / "deployment" / "graphrec-operate-once.service").exists(), "a timer starts the service of its name"
    assert "\n".join(lines[1:]) in (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")


def find_nginx() -> str | None:
    return os.environ.get("GRAPHREC_NGINX") or shutil.which("nginx")


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[tuple[int, int]]:
    """The ports (TLS, plain) of an nginx with the configuration of the documentation before a server."""
    program = find_nginx()
    assert program is not None
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run(
        [*made, "-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")],
        check=True,
        capture_output=True,
    )
    text = (ROOT / "deployment" / "nginx.conf").read_text(encoding="utf-8")
    changes = {
        "127.0.0.1:8080": upstream,
        "listen 443 ssl": f"listen 127.0.0.1:{ports[0]} ssl",
        "listen 80;": f"listen 127.0.0.1:{ports[1]};",
        "/etc/ssl/recommend.example.org.crt": str(folder / "server.crt"),
        "/etc/ssl/recommend.example.org.key": str(folder / "server.key"),
    }
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    temporary = "\n".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
        f"events {{ worker_connections 64; }}\nhttp {{ access_log {folder}/access.log;\n{temporary}\n{text} }}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", ports[0])).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield ports[0], ports[1]
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.skipif(find_nginx() is None, reason="no nginx (GRAPHREC_NGINX)")
def test_the_server_is_reached_by_tls_through_nginx(served: Served, tmp_path: Path) -> None:
    import ssl

    import graphrec

    with nginx(tmp_path, served.url.removeprefix("http://")) as (secure, plain):
        trusted = ssl.create_default_context(cafile=str(tmp_path / "server.crt"))
        url = f"https://127.0.0.1:{secure}"
        with graphrec.Client(url, served.keys["write"], tls=trusted) as writer:
            assert writer.put_user("a/b %2F ../c", {"note": "through a proxy"})["created"]
        with graphrec.Client(url, served.keys["read"], tls=trusted) as client:
            assert client.user("a/b %2F ../c")["properties"] == {"note": "through a proxy"}
            assert len(client.recommend("u8", 3)) == 3
            with pytest.raises(graphrec.errors.UnknownNameError):
                client.user("nobody")
        with pytest.raises(graphrec.errors.StoreError, match="certificate is not trusted"):
            graphrec.Client(url, served.keys["read"], retries=0).queries()
        assert served.call("DELETE", "/v1/users/a%2Fb%20%252F%20..%2Fc", "admin").status_code == 200
        with httpx.Client(verify=trusted, headers={"Authorization": f"Bearer {served.keys['read']}"}) as http:
            response = http.get(f"{url}/v1/queries")
            assert response.headers["strict-transport-security"]
            assert response.headers["x-content-type-options"] == "nosniff"
            assert len(response.headers["x-request-id"]) == 32, "the proxy's id is the server's"
            assert http.get(f"{url}/metrics").status_code == 404
            assert "Secure" in http.get(f"{url}/login").headers["set-cookie"]
            assert http.post(f"{url}/v1/events", content=b"x" * 2_000_000).status_code == 413
            assert (
                http.get(f"http://127.0.0.1:{plain}/v1/queries", headers={"Host": "recommend.example.org"}).status_code
                == 403
            )
        assert served.keys["read"][12:] not in (tmp_path / "access.log").read_text(encoding="utf-8")
