"""What an operator is given beside the code says only what is so."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient

from app.services import Services
from tests.machine import HAPROXY, PROMTOOL, SYSTEMD, Part, lacks

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs/deploy"
OF_PROMETHEUS = {"up"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}


def rules() -> Iterator[dict[str, object]]:
    for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))["groups"]:
        yield from group["rules"]


def shown() -> Iterator[str]:
    for panel in json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))["panels"]:
        yield from (it["expr"] for it in panel["targets"])


def names(expressions: Iterator[str]) -> set[str]:
    return {it for one in expressions for it in re.findall(r"\b(?:zhenxue_\w+|up)\b(?!=)", one)} - {
        "up"
    }


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", it.lower()).replace(" ", "-") for it in titles}


def test_alerts_and_dashboard_ask_for_what_is_exported_and_the_dashboard_for_all(
    client: TestClient, services: Services
) -> None:
    client.get("/xAPI/statements")
    client.get("/healthz")  # what counts requests is made with the first
    exported = {
        it.name: {it.name + end for end in SUFFIXES[it.type]} for it in services.registry.collect()
    }
    every = set().union(*exported.values())
    asked = names(str(it["expr"]) for it in rules())
    assert asked and asked <= every
    assert names(shown()) <= every
    unseen = [name for name, forms in exported.items() if not forms & names(shown())]
    assert [it for it in unseen if it.startswith("zhenxue_")] == []


def test_every_alert_says_what_to_do_and_where_it_is_told() -> None:
    for rule in rules():
        told = rule["annotations"]
        assert isinstance(told, dict) and told["summary"] and told["action"], rule["alert"]
        page, _, part = told["runbook"].partition("#")
        assert part in anchors(ROOT / page), rule["alert"]


NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::([\w:]+))?`")


@pytest.mark.parametrize("page", ["threats.md", "compliance.md"])
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = NAMED.findall(text)
    assert len(found) > 15
    for path, parts in found:
        assert (ROOT / path).exists(), path
        source = (ROOT / path).read_text("utf-8") if parts else ""
        for part in filter(None, parts.split("::")):
            assert re.search(rf"(?:def|class) {part}\b", source), f"{path}::{part}"


def test_every_threat_names_a_test_or_says_that_none_can_be() -> None:
    rows = re.findall(r"^\| T\d+ .*$", (ROOT / "docs/threats.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 20
    assert [it for it in rows if "`tests/" not in it and "known-gaps" not in it] == []


def test_images_run_as_nobody_on_a_pinned_base_with_nothing_to_write() -> None:
    file = (ROOT / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", file, re.MULTILINE)
    assert set(bases) == {"${BASE}", "packages"} and bases[-1] == "${BASE}"
    assert re.search(r"^ARG BASE=python:3\.11\.\d+-\S+@sha256:[0-9a-f]{64}$", file, re.M)
    assert file.rindex("\nUSER 10001:10001\n") > file.rindex("\nRUN ")
    for name in ("compose.yaml", "docs/deploy/compose.replicas.yaml"):
        text = (ROOT / name).read_text("utf-8").replace("!override", "")
        services = yaml.safe_load(text)["services"]
        own = [it for it in services.values() if it.get("image", "").startswith("zhenxue:")]
        assert own
        for it in own:
            assert it["read_only"] and it["cap_drop"] == ["ALL"]
            assert "no-new-privileges:true" in it["security_opt"]


def asked(part: Part, program: str, *arguments: str | Path) -> str:
    """What a tool of the trade says of a file; it has to be content."""
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") or lacks(part)
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.thorough
def test_prometheus_tells_each_alert_when_it_should_and_only_then(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "alerts.yaml", tmp_path)
    cases = ROOT / "tests/deploy/alerts.yaml"
    tried = [it["name"] for it in yaml.safe_load(cases.read_text("utf-8"))["tests"]]
    every = [f"{it['alert']} {told}" for it in rules() for told in ("is told", "is not told")]
    assert sorted(tried) == sorted(every)
    asked(PROMTOOL, "promtool", "check", "rules", tmp_path / "alerts.yaml")
    asked(PROMTOOL, "promtool", "test", "rules", shutil.copy(cases, tmp_path / "cases.yaml"))


@pytest.mark.thorough
def test_haproxy_takes_the_balancers_file_without_a_warning() -> None:
    assert "WARNING" not in asked(HAPROXY, "haproxy", "-c", "-f", DEPLOY / "haproxy.cfg")


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(it.name for it in DEPLOY.glob("*.service")))
def test_systemd_takes_the_unit_and_finds_little_left_to_shut(name: str, tmp_path: Path) -> None:
    unit = tmp_path / name.replace("@.", "@8001.")
    text = (DEPLOY / name).read_text("utf-8")
    unit.write_text(re.sub(r"/opt/zhenxue/bin/\w+", "/bin/true", text), "utf-8")
    assert "zhenxue" not in asked(SYSTEMD, "systemd-analyze", "--man=no", "verify", unit)
    (exposed,) = re.findall(
        r"exposure level .*: ([\d.]+)",
        asked(SYSTEMD, "systemd-analyze", "--offline=yes", "security", unit),
    )
    assert float(exposed) < 2
