"""A PostgreSQL primary that dies while its standby takes over, and one whose standby is away."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.postgres_pair import Pair, haproxy_before, pgbouncer_before
from tests.drills.stage import Stage
from tests.drills.troubles import NotTried
from tests.waiting import eventually

SECONDS = 3.0


@contextmanager
def before(pair: Pair, name: str) -> Iterator[str]:
    """How the service reaches them in the drill of that name."""
    if name in ("failover-haproxy", "primary-back"):
        _require("haproxy")
        with haproxy_before(pair) as url:
            yield url
    elif name == "failover-pgbouncer":
        _require("pgbouncer")
        with pgbouncer_before(pair) as (url, pair.bouncer):
            yield url
    else:
        yield pair.both


def _require(program: str) -> None:
    if shutil.which(program) is None:
        raise NotTried(f"no {program}: apt-get install {program}")


def failover_hosts(at: Stage) -> None:
    """Both servers stand in the address, and the one that takes writes is taken."""
    assert at.pair is not None
    time.sleep(1)
    at.pair.primary.kill()
    time.sleep(SECONDS)
    at.require(not at.service.ready(), "/readyz says ready while nothing takes writes")
    at.pair.promote()
    at.trouble_is_over()


def failover_haproxy(at: Stage) -> None:
    """HAProxy hands on to the standby as soon as the primary is gone, before it is promoted: it
    reads and takes nothing."""
    failover_hosts(at)


def failover_pgbouncer(at: Stage) -> None:
    """PgBouncer is pointed at the standby before it is promoted."""
    assert at.pair is not None and at.pair.bouncer is not None
    time.sleep(1)
    at.pair.primary.kill()
    time.sleep(SECONDS / 2)
    at.pair.bouncer.point_to(at.pair.standby)
    time.sleep(SECONDS / 2)
    at.require(not at.service.ready(), "/readyz says ready while nothing takes writes")
    at.pair.promote()
    at.trouble_is_over()


def primary_back(at: Stage) -> None:
    """HAProxy hands on to the standby meanwhile, nobody promotes it, and the primary comes back."""
    assert at.pair is not None
    time.sleep(1)
    at.pair.primary.kill()
    time.sleep(SECONDS)
    at.require(not at.service.ready(), "/readyz says ready while nothing takes writes")
    at.pair.primary.start()
    at.trouble_is_over()


def standby_away(at: Stage) -> None:
    """The synchronous standby says nothing, and then the primary dies: what it did not confirm is
    not acknowledged, however long somebody waits for the answer."""
    assert at.pair is not None
    at.require(_course(at, "before") < 300, "a course was not taken before")
    with at.pair.standby.silent():
        at.require(_course(at, "meanwhile") == 503, "a course was not answered 503")
        at.pair.primary.kill()
    at.pair.promote()
    at.trouble_is_over()
    taken = eventually(lambda: _course(at, "meanwhile") < 300, SECONDS)
    at.require(taken, "a course was not taken afterwards")


def _course(at: Stage, name: str) -> int:
    """What the service answers to a course, once."""
    lesson = {"lesson_id": "l", "title": "一", "media_seconds": 2700, "order": 1}
    course = {"title": "课", "kind": "public", "sequential_lock": False, "lessons": [lesson]}
    head = {"authorization": f"Bearer {at.api.key}", "content-type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", at.settings.port, timeout=60)
    connection.request("PUT", f"/v1/courses/{name}", json.dumps(course).encode(), head)
    status = connection.getresponse().status
    connection.close()
    return status
