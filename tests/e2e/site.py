"""The real service over a small county that came in through its own interface."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import uvicorn

from app import cli_demo
from app.clock import Clock
from app.domain import platforms, users
from app.main import create_app
from app.services import Services, open_services
from app.settings import Settings
from app.simulation.county import NO_POPUPS, ONE_PHOTO, ClassPlan, Plans, county
from tests.people import instant

TODAY = date(2026, 11, 22)
MORNING = instant("2026-11-22 09:00")
PASSWORD = "correct-horse-7"
PEOPLE = (
    ("zhao", "赵明", "auditor", None),
    ("sun", "孙丽", "reviewer", None),
    ("feng", "冯平", "platform_viewer", "yuanwang"),
    ("admin", "管理员", "admin", None),
)
# One cheats by speed, one by leaving out pop-ups, one sends somebody else, two let a program
# answer; the second platform runs its own controls and has no pop-ups.
SMALL: Plans = {
    ("qihang", "启航示例学习平台"): (
        ClassPlan(
            "dianshang-01", "电子商务师", 8, 2, "职业技能等级证书", "enterprise", "service",
            ONE_PHOTO,
            {1: "F02", 2: "F24", 3: "F16", 4: "F24", 5: "F28"}, (7,), 8, offline_hours=8.0,
        ),
    ),
    ("yuanwang", "远望示例学习平台"): (
        ClassPlan(
            "shouyin-03", "收银员", 3, 2, "职业技能等级证书", "individual", "platform", NO_POPUPS,
            {1: "F03"}, (), 2,
        ),
    ),
}  # fmt: skip


class MovingClock:
    """The county's morning, and from there on real time."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self) -> int:
        return MORNING + int((time.monotonic() - self._began) * 1000)


@dataclass(frozen=True)
class Site:
    url: str
    services: Services

    def __str__(self) -> str:
        return self.url


@contextmanager
def serving(folder: Path, clock: Clock, *, face_workers: int = 0) -> Iterator[Site]:
    """The service on a data folder, answering on a port of its own."""
    settings = settings_in(folder, face_workers)
    app = create_app(settings, clock)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the service did not start"
                time.sleep(0.01)
            yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.services)
        finally:
            server.should_exit = True
            thread.join(30)


def settings_in(folder: Path, face_workers: int = 0) -> Settings:
    return Settings(data_dir=folder, database_url="", blob_url="", face_workers=face_workers)


def settle(folder: Path, clock: Clock, plans: Plans = SMALL) -> None:
    """Fill a data folder: people, and the county by way of a running service."""
    with open_services(settings_in(folder)) as services, services.database.write() as connection:
        for slug, name in plans:
            platforms.add_platform(
                connection,
                slug=slug,
                name=name,
                county=cli_demo.COUNTY,
                actor="system:demo",
                now_ms=clock(),
            )
        for username, name, role, platform in PEOPLE:
            users.add_user(
                connection,
                username=username,
                display_name=name,
                password=PASSWORD,
                role=role,
                counties=[cli_demo.COUNTY] if role in users.DECIDES else [],
                platform=platform,
                actor="system:demo",
                now_ms=clock(),
            )
    with serving(folder, clock, face_workers=1) as site:
        cli_demo.Filling(site.services.settings, site.url).fill(county(TODAY, plans=plans))
