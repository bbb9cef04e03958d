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

from app.clock import SHANGHAI, at
from app.db import Database
from app.domain import runs
from app.errors import BadInput, Conflict, NotReady
from app.jobs import nightly
from app.jobs.scheduler import Scheduler
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.store.judging import runs as store
from tests.commands import outcome
from tests.evidence import catalogue, ndjson, sitting
from tests.people import County, TestClock, instant


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
        Scheduler(services)._on_time()


def hours_that_came(services: Services, clock: TestClock, *times: str) -> list[str]:
    """When an hour was taken for come by somebody who looks at these times alone, each twice."""
    clock.now_ms, came = instant("2026-03-02 02:00"), list[str]()
    job = Scheduler(services)

    def told() -> None:
        came.append(f"{at(services.clock()):%m-%d %H:%M}")

    look = job._when_due(job._trigger, told)
    for time_of in times:
        clock.now_ms = instant(time_of)
        look()
        look()
    return came


def test_an_hour_comes_once_however_seldom_somebody_looks(
    services: Services, clock: TestClock
) -> None:
    times = ("2026-03-02 02:29", "2026-03-02 02:30", "2026-03-03 02:29", "2026-03-06 08:00")
    assert hours_that_came(services, clock, *times) == ["03-02 02:30", "03-06 08:00"]


def test_a_clock_that_goes_back_a_little_repeats_no_hour(
    services: Services, clock: TestClock
) -> None:
    times = ("2026-03-02 02:30", "2026-03-02 02:29", "2026-03-02 02:30", "2026-03-03 02:30")
    assert hours_that_came(services, clock, *times) == ["03-02 02:30", "03-03 02:30"]


@pytest.mark.both_databases
def test_of_several_services_whose_hour_comes_one_runs_the_night(
    services: Services, database: Database, clock: TestClock
) -> None:
    begun = []
    for moment, times in (("2026-03-02 02:30", 3), ("2026-03-03 02:30", 2)):
        clock.now_ms = instant(moment)
        for _ in range(times):  # each as soon as the one before is through with it
            Scheduler(services)._on_time()
            clock.advance(seconds=1)
        begun.append(nightly.last_begun_ms(services))
    assert begun == [instant("2026-03-02 02:30"), instant("2026-03-03 02:30")]
    nightly.perform(services, "by hand")
    assert nightly.last_begun_ms(services) == clock()


@pytest.mark.both_databases
def test_a_night_under_a_clock_that_was_a_month_ahead_puts_off_none(
    services: Services, database: Database, clock: TestClock
) -> None:
    """A machine that comes up with a wrong clock has it set right soon, and is started again. Until
    that day came every night was told to be another process's."""
    for moment in ("2026-04-02 02:30", "2026-03-02 02:30", "2026-03-03 02:30"):
        clock.now_ms = instant(moment)
        Scheduler(services)._on_time()
    with database.read() as connection:
        begun = [it.started_ms for it in store.nights(connection, 5)]
    assert [f"{at(it):%m-%d %H:%M}" for it in begun] == [
        "03-03 02:30",
        "03-02 02:30",
        "04-02 02:30",
    ]


@pytest.mark.both_databases
def test_a_night_that_was_killed_under_a_clock_a_month_ahead_is_gone_on_with(
    services: Services, database: Database, clock: TestClock
) -> None:
    clock.now_ms = instant("2026-04-02 02:30")
    with database.write() as connection:
        runs.lock_night(connection, "dead", clock())
        runs.begin_night(connection, "system:scheduler", clock())
    clock.now_ms = instant("2026-03-02 08:00")
    assert nightly.interrupted(services)
    nightly.perform(services, "by hand")
    assert not nightly.interrupted(services)


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


@pytest.fixture
def nights(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """When the scheduler's looking round began a night, by the clock on the wall in Shanghai."""
    begun: list[str] = []
    perform = nightly.perform

    def watched(*arguments: Any, **more: Any) -> dict[str, Any]:
        begun.append(f"{at(services.clock()):%m-%d %H:%M}")
        return perform(*arguments, **more)

    monkeypatch.setattr(nightly, "perform", watched)
    return begun


def look_round(services: Services, clock: TestClock, *times: str) -> None:
    for time_of in times:
        clock.now_ms = instant(time_of)
        Scheduler(services)._resume()


def test_a_night_that_the_machine_slept_through_is_made_up_for_once(
    services: Services, clock: TestClock, nights: list[str]
) -> None:
    clock.now_ms = instant("2026-03-02 02:30")
    nightly.perform(services, "system:scheduler")
    look_round(services, clock, "2026-03-02 18:00", "2026-03-03 02:30", "2026-03-05 08:10")
    look_round(services, clock, "2026-03-05 08:11", "2026-03-05 23:59", "2026-03-06 02:30")
    assert nights == ["03-02 02:30", "03-05 08:10"]


def test_a_machine_that_is_off_every_night_has_its_first_night_the_next_morning(
    services: Services, county: County, clock: TestClock, nights: list[str], tmp_path: Path
) -> None:
    look_round(services, clock, "2026-03-02 16:00")
    file = tmp_path / "classes.ndjson"
    file.write_bytes(ndjson(catalogue()))
    services.imports.take_file(county.huang.platform.id, file, actor="test")
    look_round(services, clock, "2026-03-02 17:00", "2026-03-03 08:00", "2026-03-03 08:01")
    assert nights == ["03-03 08:00"]


def test_by_hand_it_tells_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # of this process
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ZHENXUE_FACE_WORKERS", "0")
    monkeypatch.setenv("ZHENXUE_EXECUTOR", "processes:1")
    monkeypatch.delenv("ZHENXUE_DATABASE_URL", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        return outcome(capsys, *arguments)

    file = tmp_path / "county.ndjson"
    file.write_bytes(ndjson([*catalogue(), *sitting()]))
    assert run("import", str(file))[0] == 0
    code, out, _ = run("nightly", "--json")
    told = json.loads(out)
    assert code == 0 and (told["classes"], told["sessions"]) == (1, 1)
    steps = {"settle", "faces", "classes", "calibration", "partitions", "audit", "all"}
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
