"""The clock of the service, and the night by hand."""

from __future__ import annotations

import json
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import cli
from app.clock import SHANGHAI
from app.errors import BadInput, Conflict, NotReady
from app.jobs import nightly
from app.jobs.scheduler import Scheduler
from app.main import create_app
from app.services import Services
from app.settings import Settings
from tests.evidence import catalogue, ndjson, sitting


def test_the_night_begins_by_the_cron_line_in_shanghai(services: Services) -> None:
    trigger = Scheduler(services)._trigger
    noon = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)
    assert trigger.get_next_fire_time(None, noon).isoformat() == "2026-03-03T02:30:00+08:00"


def test_a_cron_line_that_is_none_is_refused_at_the_start(settings: Settings) -> None:
    with pytest.raises(BadInput, match="ZHENXUE_NIGHTLY_CRON"):
        create_app(settings.model_copy(update={"nightly_cron": "at night"}))


def test_readiness_asks_whether_it_runs(client: TestClient, services: Services) -> None:
    assert client.get("/readyz").json()["checks"]["scheduler"] == "ok"
    job = Scheduler(services)
    with pytest.raises(NotReady):
        job.check()


def test_starting_and_stopping_it_costs_next_to_nothing(services: Services) -> None:
    def once() -> float:
        job = Scheduler(services)
        began = time.thread_time()
        job.start()
        job.stop()
        return time.thread_time() - began

    assert min(once() for _ in range(5)) < 0.005


def test_a_refused_or_failed_night_leaves_it_running(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (Conflict("nightly_running", "another runs"), RuntimeError("broken")):

        def fail(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr(nightly, "perform", fail)
        Scheduler(services)._begin()


def test_only_an_interrupted_night_is_resumed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def perform(_: Services, by: str, **__: Any) -> dict[str, Any]:
        asked.append(by)
        return {}

    monkeypatch.setattr(nightly, "perform", perform)
    for waits in (False, True):
        monkeypatch.setattr(nightly, "interrupted", lambda _, waits=waits: waits)
        Scheduler(services)._resume()
    assert asked == ["system:scheduler"]


def test_by_hand_it_tells_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # of this process
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ZHENXUE_FACE_WORKERS", "0")
    monkeypatch.setenv("ZHENXUE_EXECUTOR", "processes:1")
    monkeypatch.delenv("ZHENXUE_DATABASE_URL", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            cli.main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    file = tmp_path / "county.ndjson"
    file.write_bytes(ndjson([*catalogue(), *sitting()]))
    assert run("import", str(file))[0] == 0
    code, out, _ = run("nightly", "--json")
    told = json.loads(out)
    assert code == 0 and (told["classes"], told["sessions"]) == (1, 1)
    steps = {"settle", "faces", "classes", "calibration", "all"}
    assert set(told["seconds"]) == steps
    code, out, _ = run("nightly")
    assert code == 0 and "of 0 classes" in out

    monkeypatch.setenv("ZHENXUE_EXECUTOR", "threads:2")
    code, out, err = run("nightly", "--json")
    assert (code, out) == (2, "") and "ZHENXUE_EXECUTOR" in err

    failed = {**told, "classes_failed": ["c1"], "problems": ["faces"]}
    monkeypatch.setattr(nightly, "perform", lambda *_, **__: failed)
    monkeypatch.setenv("ZHENXUE_EXECUTOR", "processes:1")
    code, out, _ = run("nightly")
    assert code == 1 and "failed: class c1" in out and "failed: faces" in out
