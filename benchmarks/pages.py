"""How long the console's pages take on a big county: 100,000 sessions, p50 and p95 a page.

    [ZHENXUE_DATABASE_URL=…] python -m benchmarks.pages [--sessions 100000] [--only NAME]

The day of `app.bench.day` in classes of 80 learners with 40 class-hours each, judged by a real
night, spread over platforms and counties, some of it decided by people. The real service runs over
it in a process of its own, and every page is asked in turn over HTTP by people who are signed in.
Beside the wall's time stands the processor's: what the service spent on one page, which does not
grow when the machine is busy with other things. All in a throw-away installation of the configured
kind.
"""

from __future__ import annotations

import argparse
import http.client
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import uvicorn
from sqlalchemy import Connection, String, cast, func, insert, literal, select, text, update

from app.bench import day, night, throw_away
from app.bench.day import LESSONS, START_MS
from app.bench.machine import machine
from app.bench.night import that_night
from app.bench.service import cpu_s
from app.clock import DAY_MS, system_clock
from app.db import Database
from app.domain.accounts import users
from app.domain.review import review
from app.main import lasting_app
from app.settings import Settings
from app.store.accounts import audit
from models import AuditEntry, Finding, Learner, Platform, Session, TrainingClass, User

LEARNERS = 80  # of a class
PLATFORMS = 4
COUNTIES = ("潢川县", "光山县", "息县")
ROUNDS = 40  # requests of each page
LIMIT_MS = 150
DECIDED, AUDITED = 400, 20_000
PASSWORD = "benchmark-of-pages-1"
PEOPLE = (("auditor", "auditor"), ("reviewer", "reviewer"), ("admin", "admin"))
PORT = 8107
COMMAND = (sys.executable, "-m", "benchmarks.pages")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


# ------------------------------------------------------------------------------ what is looked at


def build(settings: Settings, sessions: int) -> None:
    """The county: a judged day, and what people made of it."""
    day.fill(settings, sessions, LEARNERS)
    database = Database(settings.resolved_database_url)
    with database.write() as connection:
        _spread(connection)
    summary = night.judge(settings)
    with database.write() as connection:
        _age(connection)
    _people(database)
    with database.write() as connection:
        _audit(connection)
        if not database.sqlite:
            connection.execute(text("ANALYZE"))  # as autovacuum does by itself where it is on
    print(f"  made: {summary['new_findings']:,} findings in {summary['took_s']:.0f} s of a night")
    database.close()


def _spread(connection: Connection) -> None:
    """Several platforms and counties, and classes that look like classes."""
    connection.execute(update(Platform).values(name="学习平台1", county=COUNTIES[0]))
    connection.execute(
        insert(Platform),
        [
            {
                "id": n,
                "slug": f"bench{n}",
                "name": f"学习平台{n}",
                "county": COUNTIES[n % len(COUNTIES)],
                "created_ms": START_MS,
            }
            for n in range(2, PLATFORMS + 1)
        ],
    )
    for klass in connection.scalars(select(TrainingClass.id)).all():
        platform = klass % PLATFORMS + 1
        connection.execute(
            update(TrainingClass)
            .where(TrainingClass.id == klass)
            .values(
                platform_id=platform,
                county=COUNTIES[klass % len(COUNTIES)],
                institution=f"第{klass}职业培训学校",
                official_class_no=f"HC-2026-{klass:03}",
                assessment_on="2026-12-15",
            )
        )
        connection.execute(
            update(Session).where(Session.class_id == klass).values(platform_id=platform)
        )
        learners = select(Session.learner_id).where(Session.class_id == klass)
        connection.execute(
            update(Learner).where(Learner.id.in_(learners)).values(platform_id=platform)
        )
    connection.execute(
        update(Learner).values(name=literal("学员") + cast(Learner.id, String), id_last4="0000")
    )


def _age(connection: Connection) -> None:
    """Findings of four weeks, not of one moment."""
    connection.execute(update(Finding).values(created_ms=that_night() - Finding.id % 28 * DAY_MS))


def _people(database: Database) -> None:
    """Someone of each role, and their decisions on the first findings."""
    night = that_night()
    with database.write() as connection:
        for name, role in PEOPLE:
            users.add_user(
                connection,
                username=name,
                display_name=name,
                password=PASSWORD,
                role=role,
                counties=["*"] if role != "admin" else [],
                actor="system",
                now_ms=night,
            )
    with database.write() as connection:
        user = users.check_password(connection, "auditor", PASSWORD)
        assert user is not None
        query = select(Finding.id).where(Finding.shadow.is_(False)).order_by(Finding.id)
        for number, finding in enumerate(connection.scalars(query.limit(DECIDED)).all()):
            decision = ("uphold", "overturn")[number % 5 == 0]
            review.decide(connection, finding, user, decision, "与服务器记录核对一致", night)


def _audit(connection: Connection) -> None:
    """A long log; its links are as true as those of a short one."""
    query = select(AuditEntry.chain).order_by(AuditEntry.id.desc()).limit(1)
    last, rows = connection.scalars(query).one(), []
    for number in range(AUDITED):
        row = {
            "at_ms": that_night() + number,
            "actor": "user:auditor",
            "action": "photo.viewed",
            "subject": f"snapshot:{number}",
            "detail": {"purpose": "核对"},
        }
        last = audit.link(last, row)
        rows.append({**row, "chain": last})
    connection.execute(insert(AuditEntry), rows)


# ------------------------------------------------------------------------------- the pages


def pages(connection: Connection) -> dict[str, list[str]]:
    """Addresses by the page's name; several where a page differs from one subject to the next."""
    full = (
        select(Session.class_id)
        .group_by(Session.class_id)
        .having(func.count() == LEARNERS * LESSONS)
    )
    classes = connection.scalars(full.limit(8)).all()
    shown = select(Finding).where(Finding.shadow.is_(False), Finding.session_id.is_not(None))
    found = connection.execute(shown.order_by(Finding.id.desc()).limit(400)).all()[::20]
    honest = connection.scalars(
        select(Session.id)
        .where(~select(Finding.id).where(Finding.session_id == Session.id).exists())
        .limit(20)
    ).all()
    queue = "/console/findings?"
    last = connection.scalars(select(func.max(Finding.id))).one()
    klass = f"class={classes[0]}"
    return {
        "overview": ["/console"],
        "cases": ["/console/cases"],
        "case": [f"/console/cases/{it}" for it in _largest_cases(connection)],
        "queue": ["/console/findings"],
        "queue, all": [queue + "status=all"],
        "queue, by rule": [queue + "rule=fast_forward", queue + "rule=popup_gap"],
        "queue, by outcome": [queue + "outcome=violation", queue + "outcome=not_proven"],
        "queue, by fault": [queue + "fault=learner", queue + "fault=platform"],
        "queue, by class": [queue + klass],
        "queue, by platform": [queue + "platform=1", queue + "platform=2"],
        "queue, by age": [queue + "age=7"],
        "queue, a search": [
            queue + urlencode({"q": "学员77"}),
            queue + urlencode({"q": "HC-2026"}),
        ],
        "queue, newest": [queue + "order=new"],
        "queue, far on": [queue + f"after=212-0-{last * 2 // 3}"],
        "session": [f"/console/sessions/{it.session_id}?finding={it.id}" for it in found],
        "session, honest": [f"/console/sessions/{it}" for it in honest],
        "events": [f"/console/sessions/{it.session_id}/events" for it in found],
        "classes": ["/console/classes"],
        "class 80 × 40": [f"/console/classes/{it}" for it in classes],
        "learner": [f"/console/classes/{it.class_id}/learners/{it.learner_id}" for it in found],
        "packs": ["/console/packs"],
        "pack": ["/console/packs/huangchuan-2021-graded"],
        "platforms": ["/console/platforms"],
        "platform": ["/console/platforms/bench", "/console/platforms/bench2"],
        "runs": ["/console/runs"],
        "users": ["/console/users"],
        "audit": ["/console/audit"],
        "face data": ["/console/face-data"],
    }


def _largest_cases(connection: Connection) -> list[int]:
    """Those with most findings."""
    query = select(Finding.case_id).where(Finding.case_id.is_not(None)).group_by(Finding.case_id)
    found = connection.scalars(query.order_by(func.count().desc()).limit(8))
    return [it for it in found if it is not None]


ADMINS = ("users", "audit", "face data")


class Browser:
    """One person's connection to the service."""

    def __init__(self, username: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        self.cookies: dict[str, str] = {}
        found = CSRF.search(self.ask("/console/login")[1].decode())
        assert found
        form = {"username": username, "password": PASSWORD, "csrf": found[1]}
        status, _ = self.ask("/console/login", urlencode(form))
        assert status == 303, status

    def ask(self, path: str, form: str | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request("GET" if form is None else "POST", path, form, headers)
        answer = self.connection.getresponse()
        body = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, body


# --------------------------------------------------------------------------------- measuring


def serve(url: str) -> None:
    """The real service over the county, on the morning after the night."""
    began = time.monotonic()
    settings = Settings(database_url=url, data_dir=Path(tempfile.gettempdir()), face_workers=0)

    def clock() -> int:
        return that_night() + 8 * 3_600_000 + int((time.monotonic() - began) * 1000)

    uvicorn.run(lasting_app(settings, clock), port=PORT, log_config=None, access_log=False)


@contextmanager
def service(url: str) -> Iterator[int]:
    process = subprocess.Popen([*COMMAND, "--serve", url], stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                http.client.HTTPConnection("127.0.0.1", PORT).request("GET", "/healthz")
                break
            except OSError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def measure(settings: Settings, only: str) -> bool:
    """Ask every page and print what it took; whether all stayed below the limit."""
    url = settings.resolved_database_url
    database = Database(url)
    with database.read() as connection:
        wanted = pages(connection)
        sessions, found, people = (
            connection.scalars(select(func.count()).select_from(it)).one()
            for it in (Session, Finding, User)
        )
    database.close()
    print(f"{url.partition(':')[0]}: {sessions:,} sessions, {found:,} findings, {people} people")
    print(f"  {'page':<20}{'p50':>8}{'p95':>8}{'processor':>11}{'size':>9}")
    well = True
    with service(url) as pid:
        auditor, admin = Browser("auditor"), Browser("admin")
        for page, paths in wanted.items():
            if only not in page or not paths:
                continue
            who = admin if page in ADMINS else auditor
            who.connection.close()  # the service drops one that was idle; a new one opens itself
            status, body = who.ask(paths[0])
            if status != 200:
                print(f"  {page:<20}answers {status}")
                continue
            taken, spent = [], cpu_s(pid) or 0.0
            for number in range(ROUNDS):
                began = time.perf_counter()
                status, body = who.ask(paths[number % len(paths)])
                taken.append((time.perf_counter() - began) * 1000)
                assert status == 200, (status, paths[number % len(paths)])
            spent = ((cpu_s(pid) or 0.0) - spent) * 1000 / ROUNDS
            high = sorted(taken)[int(ROUNDS * 0.95) - 1]
            well &= high < LIMIT_MS
            print(
                f"  {page:<20}{median(taken):5.0f} ms{high:5.0f} ms{spent:8.0f} ms"
                f"{len(body) / 1024:6.0f} kB{'' if high < LIMIT_MS else '  slow'}"
            )
    return well


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--only", default="", help="pages whose name holds this")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        build(settings, arguments.sessions)
        well = measure(settings, arguments.only)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
