"""Three services on one database behind a balancer, any of them killed at any time, are one.

ZHENXUE_KILL_SECONDS=600 kills for ten minutes; ZHENXUE_KILL_SEED chooses other moments.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.bench.service import open_sittings
from app.bench.throw_away import apart
from app.clock import system_clock
from app.services import Services
from app.settings import Settings
from app.simulation.transport import Api, UrllibClient
from models import Run, TrainingClass, Verdict, WebhookDelivery
from tests.drills.balancer import balancer, installed
from tests.drills.load import Crowd
from tests.drills.service import ServiceProcess
from tests.jobs.test_webhooks import Receiver
from tests.machine import HAPROXY, lacks
from tests.people import County
from tests.verdicts import validate
from tests.waiting import eventually

SECONDS = float(os.environ.get("ZHENXUE_KILL_SECONDS", "20"))
SEED = int(os.environ.get("ZHENXUE_KILL_SEED", "1"))
SITTINGS = 24


@pytest.fixture
def replicas(
    database: object, settings: Settings, tmp_path: Path, backend: str
) -> Iterator[list[ServiceProcess]]:
    """Three started services: a folder each, one database, one photo store, one key, and a night
    every minute."""
    assert backend == "postgresql"
    shared = {"master_key": settings.master_key, "blob_url": (tmp_path / "photos").as_uri()}
    made = []
    for n in range(3):
        folder = tmp_path / f"service{n}"
        folder.mkdir()
        own = apart(folder, settings.database_url, nightly_cron="* * * * *", **shared)
        made.append(ServiceProcess(own))
    try:
        for it in made:
            it.begin()
        ready = eventually(lambda: all(it.answers("/readyz") for it in made), 90)
        assert ready, "\n".join(it.last_words() for it in made)
        yield made
    finally:  # one that goes on would judge what later tests leave to be judged
        for it in made:
            it.kill()


class Platform(Receiver):
    """A platform that is told of verdicts."""

    def judged(self) -> set[str]:
        return {json.loads(body)["data"]["session_id"] for _, body in self.messages}


@contextmanager
def receiving() -> Iterator[Platform]:
    platform = Platform()
    yield platform
    platform.close()


def kill_at_random(replicas: list[ServiceProcess], seconds: float) -> int:
    """Kill one after the other, some as an upgrade does; how many were ended unasked."""
    rng, killed, until = random.Random(SEED), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(rng.uniform(0.5, 2))
        chosen = rng.choice(replicas)
        if rng.random() < 0.3:
            chosen.stop()
        else:
            chosen.kill()
            killed += 1
        time.sleep(rng.uniform(0, 1))
        chosen.start()
    return killed


def current(services: Services) -> dict[tuple[str, int, int], bytes]:
    """The verdict of each subject that counts now."""
    with services.database.read() as connection:
        rows = connection.execute(select(Verdict).order_by(Verdict.id)).all()
    return {(it.subject_kind, it.subject_id, it.hour): it.body for it in rows}


def judged_anew_by_one(services: Services) -> dict[tuple[str, int, int], bytes]:
    """What the same evidence comes to in one process and in peace."""
    with services.database.write() as connection:
        connection.execute(delete(Verdict))
        class_id = connection.execute(select(TrainingClass.id)).scalar_one()
    one = Services.build(services.settings)  # by the clock that the services went by
    validate(one, class_id)
    one.stop()
    return current(services)


def nights(services: Services) -> list[Any]:
    with services.database.read() as connection:
        rows = connection.execute(select(Run).where(Run.kind == "nightly").order_by(Run.id)).all()
    return [row for row in rows if row.class_id is None]


def a_night_since(services: Services, moment_ms: int) -> bool:
    return any(it.state == "done" and it.started_ms > moment_ms for it in nights(services))


def all_delivered(services: Services) -> bool:
    with services.database.read() as connection:
        waiting = select(WebhookDelivery.id).where(WebhookDelivery.delivered_ms.is_(None))
        return connection.execute(waiting).first() is None


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["postgresql"])
def test_nothing_acknowledged_is_lost_and_everything_is_done_once(
    services: Services,
    county: County,
    replicas: list[ServiceProcess],
    tmp_path: Path,
    backend: str,
) -> None:
    if not installed():
        lacks(HAPROXY)
    ports = [it.settings.port for it in replicas]
    with balancer(ports, tmp_path) as url, receiving() as platform:
        api = Api(UrllibClient(url), county.huang.secret)
        api.call("POST", "/v1/webhooks", {"url": platform.url, "events": ["session.verdict"]})
        sessions = open_sittings(api, SITTINGS)
        with Crowd(url, county.huang.secret, sessions).posting() as crowd:
            killed = kill_at_random(replicas, SECONDS)
            since = time.monotonic()
            assert eventually(lambda: crowd.all_heard_since(since))
        assert eventually(lambda: all(it.ready() for it in replicas))
        assert not {status for status in crowd.statuses if status >= 500} - {502, 503}
        assert crowd.lost(services.database) == 0

        for session in sessions:
            api.call("POST", f"/v1/sessions/{session}/close")
        assert eventually(lambda: set(sessions) <= platform.judged(), 120)
        judged_ms = system_clock()  # a night that began before may not have seen them
        assert eventually(lambda: a_night_since(services, judged_ms), 240)
        assert eventually(lambda: all_delivered(services))
    for it in replicas:
        it.kill()

    minutes = [it.started_ms // 60_000 for it in nights(services)]
    assert len(minutes) == len(set(minutes)), "no night twice"
    times = Counter(name for name, _ in platform.told())
    with services.database.read() as connection:
        written = connection.execute(select(WebhookDelivery.message_id)).scalars().all()
    assert set(times) == set(written) and len(written) == len(set(written))
    assert times.total() - len(times) <= killed, "sent again only by whom a kill interrupted"
    by_three = current(services)
    by_one = judged_anew_by_one(services)
    other = [it for it in by_one.keys() | by_three.keys() if by_one.get(it) != by_three.get(it)]
    assert other == [], [(by_three.get(it), by_one.get(it)) for it in other[:2]]
