"""The night on a real Dask cluster: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.services import Services
from tests.jobs.test_nightly import hold, night_rows, verdict_bytes
from tests.jobs.test_nightly_killed import command, undisturbed, wait_for_class
from tests.people import County

CLASSES = 6


@dataclass
class Cluster:
    """A scheduler on loopback. A worker has the service's settings around it."""

    folder: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        found = self.folder / "scheduler.json"
        until = time.monotonic() + 60
        while not (found.exists() and found.stat().st_size):
            assert time.monotonic() < until, "the scheduler does not come up"
            time.sleep(0.05)
        return str(json.loads(found.read_text())["address"])

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.running.append(started)
        return started

    def work(self) -> subprocess.Popen[bytes]:
        return self.start(
            "dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"
        )


@pytest.fixture
def cluster(services: Services, tmp_path: Path) -> Iterator[Cluster]:
    settings, folder = services.settings, tmp_path / "dask"
    folder.mkdir()
    root = str(Path(__file__).resolve().parents[2])
    made = Cluster(
        folder,
        os.environ
        | {
            "PYTHONPATH": root,
            "ZHENXUE_DATABASE_URL": settings.database_url,
            "ZHENXUE_DATA_DIR": str(settings.data_dir),
            "ZHENXUE_FACE_WORKERS": "0",
        },
    )
    made.start(
        "dask_scheduler",
        *("--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
        *("--scheduler-file", str(folder / "scheduler.json")),
    )
    yield made
    for process in made.running:
        process.kill()
        process.wait()


@pytest.mark.thorough
@pytest.mark.both_databases
def test_a_cluster_that_loses_a_worker_comes_to_the_same_bytes(
    services: Services, county: County, tmp_path: Path, cluster: Cluster
) -> None:
    hold(services, county, tmp_path, CLASSES)
    doomed = cluster.work()
    night = command(services, f"dask:{cluster.address}")
    wait_for_class(services.database, 1)
    cluster.work()
    doomed.kill()
    out, told = night.communicate(timeout=180)
    assert night.returncode == 0, told
    summary: dict[str, Any] = json.loads(out)
    assert (summary["classes_done"], summary["classes_failed"]) == (CLASSES, [])
    assert [row.state for row in night_rows(services.database)] == ["done"] * CLASSES

    written = verdict_bytes(services.database)
    assert undisturbed(services) == written


@pytest.mark.thorough
def test_a_cluster_without_workers_is_refused_before_anything_begins(
    services: Services, county: County, tmp_path: Path, cluster: Cluster
) -> None:
    hold(services, county, tmp_path, 1)
    night = command(services, f"dask:{cluster.address}")
    _, told = night.communicate(timeout=60)
    assert night.returncode == 2 and "has no workers" in told
    assert not night_rows(services.database)
