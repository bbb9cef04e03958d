"""`zhenxue bench` measures for real, beside what there is, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from app.bench import faces, parts, service, throw_away
from app.bench.meaning import meaning
from app.bench.parts import PARTS, Effort
from app.clock import system_clock
from app.db import Database
from app.errors import NotReady
from app.settings import Settings
from tests.commands import outcome
from tests.people import County, TestClock
from tests.postgres import Postgres
from tests.waiting import eventually

pytestmark = pytest.mark.thorough

LITTLE = Effort(seconds=0.2, sittings=200, photos=3)


def left(settings: Settings) -> list[str]:
    """What a bench made and did not remove."""
    return [path.name for path in settings.data_dir.glob("zhenxue_bench_*")]


def address(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def databases(url: str) -> list[str]:
    if url.startswith("sqlite"):
        return []
    with psycopg.connect(address(url)) as connection:
        return [name for (name,) in connection.execute("SELECT datname FROM pg_database")]


@pytest.mark.thorough
@pytest.mark.both_databases
def test_ingest_and_the_night_are_measured_on_the_configured_kind_of_database(
    settings: Settings, backend: str, capfd: pytest.CaptureFixture[str]
) -> None:
    taken = PARTS["ingest"](settings, LITTLE)
    assert [row["batch"] for row in taken["batches"]] == [1, 50, 500]
    assert all(row["events_per_s"] > row["batch"] for row in taken["batches"])
    judged = PARTS["judging"](settings, LITTLE)
    assert judged["sittings"] == 200 and judged["verdicts"] > 200
    assert capfd.readouterr().out == "", "what is measured logs into the answer as JSON"
    kind = "SQLite" if backend == "sqlite" else "PostgreSQL"
    assert taken["database"].startswith(kind) and judged["database"].startswith(kind)
    assert not left(settings)


def test_photos_are_measured_with_the_configured_model(settings: Settings) -> None:
    seen = PARTS["faces"](settings, LITTLE)
    assert seen["model"].startswith("dlib-resnet") and seen["with_a_face"] == 3
    assert seen["photos_per_s"] > 1


@pytest.mark.both_databases
def test_what_is_there_is_not_touched_and_what_was_made_is_gone(
    settings: Settings, database: Database, clock: TestClock
) -> None:
    County.found(database, clock)
    with database.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM audit_entries").scalar()
    with throw_away.installation(settings, system_clock()) as own:
        name = own.data_dir.name
        assert own.resolved_database_url != settings.resolved_database_url
        assert own.resolved_blob_url != settings.resolved_blob_url
        assert own.master_key != settings.master_key
        assert left(settings) == [name]
        made = Database(own.resolved_database_url)
        with made.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM platforms").scalar() == 0
        made.close()
        if not database.sqlite:
            assert name in databases(settings.database_url)
    assert not left(settings)
    assert name not in databases(settings.database_url)
    with database.read() as connection:
        after = connection.exec_driver_sql("SELECT count(*) FROM audit_entries").scalar()
    assert after == before


def test_a_service_that_is_told_to_stop_ends_in_order(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    own = throw_away.apart(settings.data_dir, settings.database_url, face_workers=1)
    with service.running(own) as running:
        service.open_sittings(running.api, 1, face=True)
        running.api.call(
            "PUT",
            "/v1/learners/p0/reference-photo",
            content=faces.portraits(1)[0],
            content_type="image/jpeg",
        )
    assert running.process.exitcode == 0
    assert "leaked" not in capfd.readouterr().err


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return os.environ | {
        "ZHENXUE_DATABASE_URL": settings.database_url,
        "ZHENXUE_DATA_DIR": str(settings.data_dir),
    }


@pytest.fixture
def measuring(
    settings: Settings, environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], int, str]]:
    """A bench in a process of its own at its ingest: it, its service's pid, its folder's name."""
    process = subprocess.Popen([sys.executable, "-m", "app.cli.main", "bench"], env=environment)
    until = time.monotonic() + 60
    try:
        while time.monotonic() < until:
            logs = list(settings.data_dir.glob("zhenxue_bench_*/service.log"))
            if logs and b"startup complete" in logs[0].read_bytes():
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
                yield process, int(children.split()[-1]), logs[0].parent.name
                return
            time.sleep(0.05)
        pytest.fail("it did not come to its ingest")
    finally:
        process.kill()
        process.wait()


def gone(pid: int) -> bool:
    return eventually(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.thorough
def test_one_that_is_told_to_stop_cleans_up(
    settings: Settings, measuring: tuple[subprocess.Popen[bytes], int, str]
) -> None:
    process, child, _ = measuring
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert gone(child)
    assert not left(settings)


@pytest.mark.thorough
def test_the_service_of_one_that_is_killed_ends_too(
    measuring: tuple[subprocess.Popen[bytes], int, str],
) -> None:
    process, child, _ = measuring
    process.kill()
    assert gone(child)


@pytest.mark.both_databases
def test_what_a_killed_one_left_is_removed_after_an_hour(settings: Settings, backend: str) -> None:
    now_ms = system_clock()
    old = f"zhenxue_bench_{now_ms // 1000 - 3_700}_{secrets.token_hex(4)}"
    young = f"zhenxue_bench_{now_ms // 1000 - 60}_{secrets.token_hex(4)}"
    for name in (old, young):
        (settings.data_dir / name / "blobs").mkdir(parents=True)
    if backend == "postgresql":
        with psycopg.connect(address(settings.database_url), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {old}")
    with throw_away.installation(settings, now_ms):
        pass
    assert left(settings) == [young]
    assert old not in databases(settings.database_url)


# ---------------------------------------------------------------------------------- refusals


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        return outcome(capsys, "bench", *arguments)

    return run


def test_a_part_is_told_as_json_and_as_a_table(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "QUICK", LITTLE)
    code, out, err = run("--quick", "--part", "judging", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert (
        told["judging"]["sittings"] == LITTLE.sittings and told["meaning"]["night"]["seconds"] > 0
    )
    assert "ingest" not in told and "faces" not in told
    code, out, _ = run("--quick", "--part", "faces")
    assert code == 0
    assert "photos/s" in out and "learners online at once" in out


def test_a_database_that_does_not_answer_is_told_in_a_line(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHENXUE_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/zhenxue")
    code, out, err = run("--part", "judging")
    assert (code, out) == (2, "")
    assert "the database does not serve" in err and "Traceback" not in err


def test_a_folder_that_cannot_be_written_is_told_in_a_line(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHENXUE_DATA_DIR", "/proc/zhenxue")
    code, out, err = run("--part", "judging")
    assert (code, out) == (2, "")
    assert "nothing can be written in /proc" in err and "Traceback" not in err


def test_a_user_who_may_not_make_databases_is_told_what_is_missing(
    settings: Settings, postgres: Postgres
) -> None:
    role = f"zhenxue_{secrets.token_hex(4)}"
    own = postgres.url.render_as_string(hide_password=False)
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'")
        try:
            url = postgres.url.set(username=role, password=role)
            configured = Settings(
                database_url=url.render_as_string(hide_password=False),
                data_dir=settings.data_dir,
            )
            with pytest.raises(NotReady, match="CREATEDB"):
                with throw_away.installation(configured, system_clock()):
                    pass
        finally:
            connection.execute(f"DROP ROLE {role}")
    assert not left(settings)


# ------------------------------------------------------------------------------- what it means


def test_the_scarcest_part_says_how_many_learners_may_be_online() -> None:
    batches = [
        {"batch": 1, "requests_per_s": 3_600, "events_per_s": 3_600},
        {"batch": 50, "requests_per_s": 3_000, "events_per_s": 150_000},
    ]
    faces = {"photos_per_s": 60.0, "face_workers": 8, "cores": 4}
    told = meaning(
        {"ingest": {"batches": batches}, "judging": {"sittings_per_s": 2_000}, "faces": faces}
    )
    assert told["online"] == {
        "browsers": 36_000,
        "forwarded": 600_000,
        "photos_a_core": 12_000,
        "photos": 36_000,  # three of the four cores: one is the service's
    }
    assert told["learners_online"] == 36_000
    assert told["night"] == {"learners": 36_000, "sittings": 720_000, "seconds": 360}


def test_without_a_part_nothing_is_said_of_it() -> None:
    assert meaning({"judging": {"sittings_per_s": 2_000}}) == {
        "online": {},
        "night": {"learners": 10_000, "sittings": 200_000, "seconds": 100},
    }
