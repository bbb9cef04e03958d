"""Clients of other languages than Python: TypeScript and Java, compiled, and PHP."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook as Signature

import app.sdk
from app.jobs.face_worker import run_pending
from app.sdk.server.python.zhenxue_client import Zhenxue
from tests.evidence import picture
from tests.machine import GENERATOR, NODE, NODE_PACKAGES, Part, lacks
from tests.people import County, TestClock
from tests.sdk.test_server_clients import (
    FORMER,
    NEW,
    OTHER,
    is_a_valid_class_hour,
    judged,
    knows_her_face,
    nearby,  # noqa: F401
    school,  # noqa: F401
    shot,
)

pytestmark = [pytest.mark.thorough, pytest.mark.slow]
PLAYS = Path(__file__).parent / "server_clients"
CLIENTS = Path(app.sdk.__file__ or "").parent / "server"
TSC = Path(__file__).parents[1] / "contract/client/node_modules/.bin/tsc"


def run(*command: str | Path, folder: Path) -> str:
    told = subprocess.run(
        [str(it) for it in command], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def in_java(folder: Path, play: str = "Play") -> list[str]:
    if shutil.which("javac") is None:
        lacks(Part("javac", "apt-get install default-jdk-headless", GENERATOR.variable))
    for source in (CLIENTS / "java/Zhenxue.java", PLAYS / f"{play}.java"):
        shutil.copy(source, folder)
    run("javac", "Zhenxue.java", f"{play}.java", folder=folder)
    return ["java", play]


def in_typescript(folder: Path, play: str = "Play") -> list[str]:
    play = play.lower()
    if shutil.which("node") is None:
        lacks(NODE)
    if not TSC.exists():
        lacks(NODE_PACKAGES)
    for source in (*(CLIENTS / "typescript").glob("*.*"), PLAYS / f"{play}.ts"):
        shutil.copy(source, folder)
    run(TSC, "-p", ".", folder=folder)  # as it is published
    settings = folder / "tsconfig.json"
    settings.write_text(
        settings.read_text("utf-8").replace('"zhenxue.ts"', f'"{play}.ts"'), "utf-8"
    )
    run(TSC, "-p", ".", folder=folder)
    return ["node", f"dist/{play}.js"]


def in_php(folder: Path, play: str) -> list[str]:
    """With the guide's own `call`."""
    if shutil.which("php") is None:
        lacks(Part("php", "apt-get install php-cli php-curl", GENERATOR.variable))
    guide = (Path(__file__).parents[2] / "docs/connect.md").read_text("utf-8")
    (source,) = re.findall(r"^```php\n(<\?php // connect.php\n.*?^}\n)", guide, re.DOTALL | re.M)
    (folder / "connect.php").write_text(source, "utf-8")
    shutil.copy(PLAYS / f"{play.lower()}.php", folder)
    return ["php", f"{play.lower()}.php"]


def webhooks(now: int) -> tuple[str, list[str]]:
    """(lines of: now, id, time, signatures, body, the receiver's secrets; what is due for each)"""
    body, lines, due = '{"type":"webhook.test","data":{}}', [], []
    for good, signed, age_s, secrets in (
        (True, (NEW, FORMER), 0, (FORMER,)),
        (True, (NEW, FORMER), 0, (NEW,)),
        (True, (NEW,), 60, (FORMER, NEW)),
        (False, (OTHER,), 0, (NEW, FORMER)),
        (False, (NEW,), 301, (NEW,)),
        (False, (NEW,), -301, (NEW,)),
    ):
        at = datetime.fromtimestamp(now - age_s, UTC)
        signatures = " ".join(Signature(it).sign("msg_1", at, body) for it in signed)
        lines.append("\t".join([str(now), "msg_1", str(now - age_s), signatures, body, *secrets]))
        due.append("true" if good else "false")
    lines.append(lines[0].replace("webhook.test", "session.verdict"))
    return "\n".join(lines), [*due, "false"]


@pytest.mark.parametrize("language", [in_java, in_typescript])
def test_a_sitting_over_a_bad_road_counts_every_event_once(
    app: FastAPI,
    school: tuple[str, str],  # noqa: F811
    clock: TestClock,
    language: Callable[[Path], list[str]],
    tmp_path: Path,
) -> None:
    @app.post("/clock", include_in_schema=False)
    def pass_time(seconds: float) -> dict[str, str]:
        clock.advance(seconds=seconds)
        return {}

    address, key = school
    command = language(tmp_path)
    (tmp_path / "picture.png").write_bytes(picture())
    lines, due = webhooks(int(time.time()))
    (tmp_path / "webhooks").write_text(lines, "utf-8")
    told = run(*command, address, key, str(clock()), f"{address}/clock", "picture.png", "webhooks",
               folder=tmp_path).split()  # fmt: skip
    assert told[1:] == due
    zhenxue = Zhenxue(address, key, timeout_s=5)
    sitting = judged(zhenxue, told[0])
    assert (sitting["event_count"], sitting["state"]) == (14, "closed")
    assert sitting["verdict"]["credited_ms"] == 120_000
    assert sorted(it["control"] for it in sitting["controls"]) == ["popup", "snapshot"]


@pytest.mark.parametrize("language", [in_java, in_typescript, in_php])
def test_a_whole_lesson_of_a_platform_s_own_controls_is_a_valid_class_hour(
    app: FastAPI,
    nearby: Zhenxue,  # noqa: F811
    county: County,
    clock: TestClock,
    language: Callable[[Path, str], list[str]],
    tmp_path: Path,
) -> None:
    @app.post("/clock", include_in_schema=False)
    def pass_time(seconds: float) -> int:
        clock.advance(seconds=seconds)
        return clock()

    @app.post("/faces", include_in_schema=False)
    def look_at_faces() -> int:
        run_pending(app.state.services)
        return clock()

    knows_her_face(nearby, app)
    for noise, name in enumerate(("face-1", "random-1", "face-2"), 11):
        (tmp_path / f"{name}.jpg").write_bytes(shot(noise))
    command = language(tmp_path, "Lesson")
    at = [nearby._address, county.huang.secret]
    if language is in_php:
        command, at = ["env", f"ZHENXUE={at[0]}", f"PLATFORM_KEY={at[1]}", *command], []
    told = run(*command, *at, nearby._address, str(tmp_path), folder=tmp_path)
    is_a_valid_class_hour(nearby, told.strip())
