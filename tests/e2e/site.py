"""The real service over a small county that came in through its own interface."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from app.cli import demo as cli_demo
from app.clock import Clock
from app.domain.accounts import platforms, users
from app.domain.exchange import webhooks
from app.domain.notify import WebhookEvent
from app.jobs import nightly
from app.main import create_app
from app.services import Services, open_services
from app.settings import Settings
from app.simulation.county import NO_POPUPS, ONE_PHOTO, ClassPlan, Plans, county
from app.store.exchange import webhooks as store
from tests.people import instant
from tests.served import served

TODAY = date(2026, 11, 22)
MORNING = instant("2026-11-22 09:00")
PASSWORD = "correct-horse-7"
LISTENER = "qihang"  # the platform that wants to be told
PEOPLE = (
    ("zhao", "赵明", "auditor", None),
    ("sun", "孙丽", "reviewer", None),
    ("feng", "冯平", "platform_viewer", "yuanwang"),
    ("han", "韩梅", "school", None),
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
    app = create_app(settings_in(folder, face_workers), clock)
    with served(app) as url:
        yield Site(url, app.state.services)


def settings_in(folder: Path, face_workers: int = 0) -> Settings:
    return Settings(
        data_dir=folder,
        database_url="",
        blob_url="",
        face_workers=face_workers,
        executor="processes:1",
    )


def settle(folder: Path, clock: Clock, plans: Plans = SMALL) -> None:
    """Fill a data folder: people, the county by way of a running service, what one platform was
    told meanwhile, and a night."""
    with open_services(settings_in(folder)) as services, services.database.write() as connection:
        by: dict[str, Any] = {"actor": "system:demo", "now_ms": clock()}
        for slug, name in plans:
            added = platforms.add_platform(
                connection, slug=slug, name=name, county=cli_demo.COUNTY, **by
            )
            if slug == LISTENER:
                _listen(connection, services, added.id, by)
        school = cli_demo.school_of(connection, by["now_ms"])
        for username, name, role, platform in PEOPLE:
            users.add_user(
                connection,
                username=username,
                display_name=name,
                password=PASSWORD,
                role=role,
                counties=[cli_demo.COUNTY] if role in users.DECIDES else [],
                platform=platform,
                institution=school if role == "school" else None,
                **by,
            )
    with serving(folder, clock, face_workers=1) as site:
        filling = cli_demo.DemoFilling(site.services.settings, site.url, clock)
        filling.fill(county(TODAY, plans=plans))
    services = Services.build(settings_in(folder), clock)
    nightly.perform(services, "system:scheduler")
    with services.database.write() as connection:
        _answer(connection, clock())
    services.stop()


def _listen(
    connection: Connection, services: Services, platform_id: int, by: dict[str, Any]
) -> None:
    """The platform registers two addresses: for what concerns sittings, and for its classes."""
    for path, events in (
        ("sittings", [WebhookEvent.SESSION_VERDICT, WebhookEvent.FINDING_OPENED]),
        ("classes", [WebhookEvent.CLASS_VALIDATED, WebhookEvent.CONTROL_MISSING]),
    ):
        webhooks.register(
            connection,
            services.vault,
            platform_id,
            url=f"https://{LISTENER}.example/zhenxue/{path}",
            events=events,
            https_only=True,
            **by,
        )


def _answer(connection: Connection, now_ms: int) -> None:
    """No such host is there. Let what was sent to it have arrived, but for the last of each
    address: one was refused and waits, one was given up."""
    for hook in store.of_platform(connection, None):
        for row in store.deliveries(connection, hook.id, None, 10_000):
            store.attempted(
                connection, row.id, attempts=1, delivered_ms=now_ms, next_attempt_ms=None,
                last_status=204, last_error=None,
            )  # fmt: skip
    refused, given_up = (
        store.deliveries(connection, hook.id, None, 1)[0]
        for hook in store.of_platform(connection, None)
    )
    store.attempted(
        connection, refused.id, attempts=3, delivered_ms=None, next_attempt_ms=now_ms + 3_600_000,
        last_status=503, last_error="not_accepted",
    )  # fmt: skip
    store.attempted(
        connection, given_up.id, attempts=webhooks.MOST_ATTEMPTS, delivered_ms=None,
        next_attempt_ms=None, last_status=None, last_error="unreachable",
    )  # fmt: skip
