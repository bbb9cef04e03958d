"""`zhenxue nightly` killed at a random moment: the next one loses no class and does none twice.

ZHENXUE_KILL_MOMENTS=5 tries ten moments: five on either database, with an executor each.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from app.db import Database
from app.services import Services
from models import Run, Verdict
from tests.jobs.test_nightly import Bytes, hold, night_rows, verdict_bytes
from tests.people import County
from tests.verdicts import validate

CLASSES = 8
MOMENTS = int(os.environ.get("ZHENXUE_KILL_MOMENTS", "1"))


def command(services: Services, executor: str) -> subprocess.Popen[str]:
    settings = services.settings
    environment = os.environ | {
        "ZHENXUE_DATABASE_URL": settings.database_url,
        "ZHENXUE_DATA_DIR": str(settings.data_dir),
        "ZHENXUE_FACE_WORKERS": "0",
        "ZHENXUE_EXECUTOR": executor,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli.main", "nightly", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_class(database: Database, number: int) -> None:
    """Until the night has taken on that many classes."""
    until = time.monotonic() + 60
    while sum(row.state != "queued" for row in night_rows(database)) < number:
        assert time.monotonic() < until, "the night does not get on"
        time.sleep(0.002)


def grow_silent(database: Database) -> None:
    with database.write() as connection:
        connection.execute(
            update(Run)
            .where(Run.state == "running")
            .values(heartbeat_ms=Run.heartbeat_ms - 200_000)
        )


def undisturbed(services: Services) -> Bytes:
    """What the same evidence comes to when every class is judged in peace."""
    with services.database.write() as connection:
        connection.execute(delete(Verdict))
    today = Services.build(services.settings)  # by the clock that the command goes by
    for row in night_rows(services.database):
        validate(today, row.class_id)
    today.stop()
    return verdict_bytes(services.database)


@pytest.mark.thorough
@pytest.mark.both_databases
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_and_started_again_every_class_is_done_once(
    services: Services, county: County, tmp_path: Path, backend: str, moment: int
) -> None:
    hold(services, county, tmp_path, CLASSES)
    services.database.close()
    executor = "processes:1" if backend == "sqlite" else "processes:2"
    rng = random.Random(moment)

    killed = command(services, executor)
    wait_for_class(services.database, rng.randint(1, CLASSES - 1))
    time.sleep(rng.uniform(0, 0.1))
    killed.kill()
    killed.communicate()
    before = {row.id: row.finished_ms for row in night_rows(services.database) if row.finished_ms}

    if len(before) < CLASSES:
        refused = command(services, executor)
        _, told = refused.communicate(timeout=60)
        assert refused.returncode == 2 and "a nightly run is under way" in told

    grow_silent(services.database)
    again = command(services, executor)
    out, told = again.communicate(timeout=120)
    assert again.returncode == 0, told
    summary: dict[str, Any] = json.loads(out)
    assert summary["resumed"] and summary["classes_done"] == CLASSES

    rows = night_rows(services.database)
    assert [row.state for row in rows] == ["done"] * CLASSES
    assert len({row.class_id for row in rows}) == CLASSES
    assert before.items() <= {row.id: row.finished_ms for row in rows}.items(), "not done twice"
    written = verdict_bytes(services.database)
    assert undisturbed(services) == written
