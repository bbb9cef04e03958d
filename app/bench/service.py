"""The service as its users run it, one process on loopback, and sittings opened in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from app.clock import system_clock
from app.domain.accounts import platforms
from app.errors import NotReady
from app.processes import end_with_parent
from app.services import open_services
from app.settings import Settings
from app.simulation.entities import invented_id_number
from app.simulation.transport import Api, UrllibClient

START_S = 60.0
STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class RunningService:
    """A running service, and the way into it with a key of all scopes."""

    settings: Settings
    process: BaseProcess
    api: Api


def cpu_s(pid: int) -> float | None:
    """Processor time of a process so far, in seconds; None where the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    user, system = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(settings: Settings) -> Iterator[RunningService]:
    """Start it on `settings.port` of loopback, stop it in the end.

    Raises NotReady, with the last line of its log, when it does not start.
    """
    api = Api(UrllibClient(f"http://127.0.0.1:{settings.port}"), make_key(settings))
    log = settings.data_dir / "service.log"
    process = get_context("spawn").Process(target=_serve, args=(settings, log))
    process.start()
    try:
        _await(api, process, log)
        yield RunningService(settings, process, api)
    finally:
        process.terminate()
        process.join(STOP_S)
        process.kill()
        process.join()


def _serve(settings: Settings, log: Path) -> None:
    """Runs in the child."""
    from app.main import run_service

    end_with_parent()
    with log.open("wb") as told:
        os.dup2(told.fileno(), 2)
    run_service(settings, settings.host, settings.port)


def _await(api: Api, process: BaseProcess, log: Path) -> None:
    until = time.monotonic() + START_S
    while process.is_alive() and time.monotonic() < until:
        try:
            api.call("GET", "/healthz")
            return
        except OSError:
            time.sleep(0.05)
    lines = log.read_text("utf-8", "replace").split("\n") if log.exists() else []
    last = next((it for it in reversed(lines) if it.strip()), "it wrote nothing")
    raise NotReady("bench_service", f"the service to be measured did not start: {last}")


def make_key(settings: Settings) -> str:
    """The secret of a key with every scope, of a platform `bench`."""
    with open_services(settings) as services, services.database.write() as connection:
        now_ms = system_clock()
        tenant = platforms.ensure_platform(connection, "bench", actor="bench", now_ms=now_ms)
        made = platforms.create_key(
            connection,
            tenant.id,
            label="bench",
            scopes=list(platforms.KeyScope),
            expires_ms=None,
            actor="bench",
            now_ms=now_ms,
        )
    return made.secret


def open_sittings(api: Api, count: int, *, face: bool = False) -> list[str]:
    """A class of `count` people, each in a sitting of a ten-hour lesson; `face`: they consent.

    The sittings' ids. Raises Problem when the service refuses something.
    """
    api.call("PUT", "/v1/courses/bench", _COURSE)
    api.call("PUT", "/v1/classes/bench", _CLASS)
    learners = [
        {
            "learner_id": f"p{n}",
            "name": f"学员{n}",
            "id_number": invented_id_number(n + 1),
            "employer": "Bench",
            "category": "企业职工",
            "real_name_verified": True,
            "consent": {"face": face, "at": "2026-10-01T09:00:00+08:00", "document": "bench"},
        }
        for n in range(count)
    ]
    api.call("PUT", "/v1/classes/bench/roster", {"learners": learners})
    return [
        api.call(
            "POST",
            "/v1/sessions",
            {
                "learner_id": f"p{n}",
                "class_id": "bench",
                "lesson_id": "l1",
                "device_id": f"d{n}",
                "window_id": "w",
                "client": {},
                "started_at_ms": system_clock(),
            },
        )["session_id"]
        for n in range(count)
    ]


_COURSE = {
    "title": "Bench",
    "course_kind": "public",
    "sequential_lock": False,
    "lessons": [
        {"lesson_id": "l1", "order": 1, "title": "L", "media_seconds": 36_000, "class_hours": 1}
    ],
}
_CLASS = {
    "official_class_no": "000000-bench",
    "institution": "Bench",
    "occupation": "营销员",
    "level": "五级",
    "certificate_type": "培训合格证书",
    "mode": "online",
    "applicant": {"type": "enterprise", "name": "Bench", "uscc": "0" * 18},
    "course_ids": ["bench"],
    "starts_on": "2026-01-01",
    "ends_on": "2036-12-31",
    "teachers": ["A", "B"],
    "policy_id": "huangchuan-2021-graded",
    "controls": "platform",
    "assessment": {"planned_on": "2026-12-15", "applied_on": "2026-12-01", "mode": "offline"},
}
