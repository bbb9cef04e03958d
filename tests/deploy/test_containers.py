"""The image and the compose files, as far as they can be held to the code without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import __version__
from app.settings import Settings
from tests.machine import HAPROXY, lacks

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
BALANCER = ROOT / "docs/deploy/haproxy.cfg"
GIVEN = {
    "ZHENXUE_PUBLIC_URL": "https://zhenxue.example.gov.cn",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")


def services_of(*names: str) -> dict[str, dict[str, Any]]:
    """The services of these files laid over each other, with GIVEN in the environment."""
    merged: dict[str, dict[str, Any]] = {}
    for name in names:
        text = (ROOT / name).read_text("utf-8").replace("!override", "")
        text = VARIABLE.sub(lambda it: GIVEN.get(it[1], it[2] or ""), text)
        for service, body in yaml.safe_load(text)["services"].items():
            merged[service] = merged.get(service, {}) | body
    return merged


ONE = ("compose.yaml",)
MANY = ("compose.yaml", "docs/deploy/compose.replicas.yaml")
FILES = pytest.mark.parametrize("files", [ONE, MANY], ids=["one", "many"])


def ours(files: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    every = services_of(*files)
    return {it: body for it, body in every.items() if body["image"].startswith("zhenxue:")}


def test_the_image_gets_what_the_wheel_is_made_of_and_nothing_else_is_sent() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = {it.rstrip("*") for it in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    wheel |= {"pyproject.toml", project["project"]["readme"]}
    wheel |= set(project["project"]["license-files"])
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE))
    sources = {it for line in copied for it in line.split()} - {"${LOCK}", "vendor"}
    assert sources == wheel
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    let_through = {it[1:] for it in ignored if it.startswith("!")}
    assert "*" in ignored and let_through == wheel | {"vendor", "requirements*.lock"}


def test_every_image_is_named_by_its_whole_version_and_own_ones_by_this_version() -> None:
    base = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    named = base + [it["image"] for it in services_of(*MANY).values()]
    for image in named:
        if image.startswith("zhenxue:"):
            assert image == f"zhenxue:{__version__}"
        else:
            assert re.search(r":\D*\d+\.\d+|:RELEASE\.", image), image
            assert "@" not in image or re.search(r"@sha256:[0-9a-f]{64}$", image), image
    assert "@sha256:" in base[0]


def test_what_the_balancer_and_the_images_need_is_asked_for_by_the_names_that_serve_it() -> None:
    """Docker Hub has no MinIO any more."""
    for service in ("store", "bucket"):
        assert services_of(*MANY)[service]["image"].startswith("quay.io/minio/")


@FILES
def test_containers_have_time_to_finish_and_write_in_two_places(files: tuple[str, ...]) -> None:
    for name, it in ours(files).items():
        assert it["stop_grace_period"] == "60s", name
        assert it["tmpfs"] == ["/tmp"], name
        assert {v.split(":")[1] for v in it.get("volumes", [])} <= {"/data"}, name


@FILES
def test_the_service_reads_every_variable_that_it_is_given(
    files: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown one would be ignored without a word."""
    (tmp_path / "master_key").write_text("k" * 40)
    (tmp_path / "database_url").write_text("postgresql://zhenxue:p@database/zhenxue")
    known = {f"ZHENXUE_{it.upper()}" for it in Settings.model_fields}
    for name, service in ours(files).items():
        variables = service.get("environment") or {}
        with monkeypatch.context() as patch:
            for variable, value in variables.items():
                assert variable.startswith("AWS_") or variable.removesuffix("_FILE") in known
                patch.setenv(variable, value.replace("/run/secrets", str(tmp_path)))
            if variables:
                told = Settings()
                assert told.production and told.database_url.endswith("@database/zhenxue"), name


@FILES
def test_who_asks_is_told_by_the_proxy_and_the_proxy_comes_from_the_network(
    files: tuple[str, ...],
) -> None:
    """Else all people have one address, and lock each other out."""
    text = VARIABLE.sub(lambda it: it[2] or "", (ROOT / "compose.yaml").read_text("utf-8"))
    (network,) = yaml.safe_load(text)["networks"]["default"]["ipam"]["config"]
    for name, service in ours(files).items():
        if (service.get("command") or [""])[0] == "serve":
            assert service["environment"]["ZHENXUE_TRUSTED_PROXIES"] == network["subnet"], name


@FILES
def test_each_service_asks_for_a_command_that_there_is(files: tuple[str, ...]) -> None:
    programs = Path(sys.executable).parent
    for name, service in ours(files).items():
        whole: list[str] = service.get("entrypoint", ["zhenxue"]) + service["command"]
        program, *words = whole
        options = {it.split("=")[0] for it in words if it.startswith("--")}
        done = subprocess.run(
            [programs / program, words[0], "--help"], capture_output=True, text=True
        )
        assert done.returncode == 0, name
        assert all(it in done.stdout for it in options), name


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a service that answers /healthz so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def checked(port: int) -> int:
    """The exit status of the image's own check, where an unreachable proxy is configured."""
    (command,) = re.findall(r"^HEALTHCHECK.*\\\n\s+CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    words = json.loads(command)
    environment = {"ZHENXUE_PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, *words[1:]], env=environment, capture_output=True)
    return done.returncode


def test_a_living_service_is_healthy_behind_a_proxy_and_a_failing_or_absent_one_is_not() -> None:
    with answering(200) as port:
        assert checked(port) == 0
    with answering(503) as failing:
        assert checked(failing) != 0
    assert checked(port) != 0


@pytest.mark.thorough
def test_the_balancers_container_takes_its_file_before_any_service_has_an_address(
    tmp_path: Path,
) -> None:
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin") or lacks(HAPROXY)
    command = services_of(*MANY)["balancer"]["command"][-1]
    command = command.replace("/tmp/haproxy.cfg", str(tmp_path / "haproxy.cfg"))
    made, _, start = command.replace(" /haproxy.cfg", f" {BALANCER}").partition(" && exec ")
    subprocess.run(["sh", "-c", made], check=True)
    text = (tmp_path / "haproxy.cfg").read_text("utf-8")
    assert not re.search(r"^\s*(server|bind).*127\.0\.0\.1", text, re.MULTILINE)
    assert {it for it in services_of(*MANY) if f" {it}:8000" in text} == {"web", "web2", "web3"}
    done = subprocess.run(
        [haproxy, "-c", *start.split()[1:]], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
