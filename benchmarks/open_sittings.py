"""Many sittings that are open at once: memory of one, and the first answers after a restart.

    [ZHENXUE_DATABASE_URL=…] python -m benchmarks.open_sittings [--sittings 100000] [--services 1 3]

In classes of 80, with this service's controls: the first 160 are opened through the domain, the
others are their rows again, of other people. Then a platform forwards one heartbeat of each
(`POST /v1/events`, bodies of 50 sittings, 32 connections): to services that just started and know
none of them, and again and again while they do. A sitting stays with one service, as behind the
balancer. `--by-one`: then so many of them post by themselves, through HAProxy. `--nothing-due`: of
people who agreed to no comparison of faces, of whom nothing is asked in their first minutes; else
each is asked to show their face, nobody does, and what waits for an answer is looked at again
every few seconds. What the services' processes hold is the resident memory that the system tells.
All in a throw-away installation of the configured kind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection, select, text, update

from app.bench import day, throw_away
from app.bench.machine import machine
from app.bench.service import RunningService, cpu_s, running
from app.clock import system_clock
from app.db import Database
from app.domain.sittings.sittings import Opening, open_sitting
from app.errors import NotReady
from app.services import Services, open_services
from app.settings import Settings
from models import Control, Learner, Session, TrainingClass
from tests.drills.balancer import balancer

LEARNERS = 80  # of a class
TOGETHER = 50  # sittings of a body
CONNECTIONS = 32
ROUNDS = 2
BASE = 160  # sittings that are opened; the others are copies
_COPIES = 50  # of all of them in a transaction
_LEASE_MS = 3_000_000  # nobody's lease runs out while the services start
_CHANGED = {
    Session: {
        "id": f"id + {BASE} * n",
        "external_id": "external_id || '-' || n",
        "class_id": f"class_id + {BASE // LEARNERS} * n",
        "learner_id": f"learner_id + {BASE} * n",
        "person_id": f"person_id + {BASE} * n",
        "device_id": "device_id || '-' || n",
    },
    Control: {"session_id": f"session_id + {BASE} * n"},
}


@dataclass(frozen=True, slots=True)
class Round:
    """One heartbeat of every sitting; times in seconds."""

    took_s: float
    first_s: float
    p50_s: float
    p99_s: float
    put_off: int


def fill(settings: Settings, sittings: int, *, faces: bool) -> list[str]:
    """Open that many, each of another person; their ids."""
    database = Database(settings.resolved_database_url)
    day.people(database, sittings, LEARNERS)
    with open_services(settings) as services:
        _terms_of_today(services, faces=faces)
        for first in range(0, BASE, LEARNERS):
            with services.database.write() as connection:
                _open(connection, services, first, first + LEARNERS)
    copies = sittings // BASE - 1
    for first in range(1, copies + 1, _COPIES):
        with database.write() as connection:
            _copy(connection, first, min(first + _COPIES - 1, copies))
    with database.write() as connection:
        database.unbounded(connection)
        connection.execute(update(Session).values(lease_expires_ms=system_clock() + _LEASE_MS))
        opened = list(
            connection.execute(select(Session.external_id).order_by(Session.id)).scalars()
        )
    database.close()
    return opened


def _copy(connection: Connection, first: int, last: int) -> None:
    for model, changed in _CHANGED.items():
        table = model.__tablename__
        mine = "id" if model is Session else "session_id"
        names = [it.name for it in model.__table__.columns if it.name != "id" or "id" in changed]
        into = ", ".join(f'"{it}"' for it in names)
        told = ", ".join(changed.get(it, f'"{it}"') for it in names)
        numbers = f"SELECT {first} AS n UNION ALL SELECT n + 1 FROM copies WHERE n < {last}"
        connection.execute(
            text(
                f"INSERT INTO {table} ({into}) WITH RECURSIVE copies AS ({numbers})"
                f" SELECT {told} FROM {table}, copies WHERE {mine} <= {BASE}"
            )
        )


def _terms_of_today(services: Services, *, faces: bool) -> None:
    """The classes run now, and their learners agreed, or not, to a comparison of faces."""
    with services.database.write() as connection:
        connection.execute(
            update(TrainingClass).values(starts_on="2026-01-01", ends_on="2036-12-31")
        )
        connection.execute(update(Learner).values(face_consent=faces))


def _open(connection: Connection, services: Services, first: int, end: int) -> None:
    for n in range(first, end):
        open_sitting(
            connection,
            services.vault,
            services.controls,
            1,
            Opening(f"p{n + 1}", f"k{n // LEARNERS + 1}", "l0", f"d{n}", "w", {}),
            services.clock(),
        )


def measure(
    settings: Settings, sittings: int, counts: Sequence[int], by_one: int, *, faces: bool
) -> None:
    began = time.perf_counter()
    opened = fill(settings, sittings, faces=faces)
    print(f"{len(opened):,} opened in {time.perf_counter() - began:.0f} s", flush=True)
    number = 0
    for count in counts:
        with ExitStack() as stack:
            up = [stack.enter_context(_started(settings, count, n)) for n in range(count)]
            empty = sum(_resident(it) for it in up)
            for told in ("after a restart", *["again"] * (ROUNDS - 1)):
                _print(told, up, _forwarded(up, opened), number)
                number += 1
            held = sum(_resident(it) for it in up)
            print(
                f"  resident {empty / 2**20:,.0f} MiB before, {held / 2**20:,.0f} MiB after: "
                f"{(held - empty) / len(opened):,.0f} bytes a sitting",
                flush=True,
            )
            if by_one:
                ports = [it.settings.port for it in up] * (3 // count)
                front = stack.enter_context(balancer(ports, up[0].settings.data_dir))
                for told in ("one by one", "again"):
                    one = _one_by_one(urlsplit(front).port or 0, up[0].api.key, opened[:by_one])
                    _print(told, up, one, number)
                    number += 1


def _print(told: str, up: Sequence[RunningService], jobs: Sequence[Job], number: int) -> None:
    before = _cpu_s(up)
    done = asyncio.run(_round(jobs, number))
    spent = _cpu_s(up) - before
    heard = sum(len(it.sittings) for it in jobs)
    print(
        f"  {told:<16}{done.took_s:>8.1f} s {heard / done.took_s:>8,.0f} sittings/s, "
        f"{spent / heard * 1e6:,.0f} us of CPU each; first answer {done.first_s * 1000:,.0f} ms, "
        f"p50 {done.p50_s * 1000:,.0f} ms, p99 {done.p99_s * 1000:,.0f} ms; "
        f"{done.put_off} of {len(jobs):,} sent again (503, cut)",
        flush=True,
    )


@contextmanager
def _started(settings: Settings, count: int, number: int) -> Iterator[RunningService]:
    """One of the services, on a port and in a data folder of its own."""
    folder = settings.data_dir / f"service-{number + 1}-of-{count}"
    folder.mkdir(parents=True)
    apart = throw_away.apart(
        folder,
        settings.resolved_database_url,
        master_key=settings.master_key,
        blob_url=settings.blob_url,
    )
    began = time.perf_counter()
    with running(apart) as service:
        print(f"  service {number + 1} answers after {time.perf_counter() - began:.1f} s")
        yield service


def _cpu_s(up: Sequence[RunningService]) -> float:
    return sum(cpu_s(it.process.pid or 0) or 0.0 for it in up)


def _resident(service: RunningService) -> int:
    told = Path(f"/proc/{service.process.pid}/statm").read_text().split()[1]
    return int(told) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Job:
    """A body of one heartbeat of each of these sittings, and where it is posted."""

    port: int
    key: str
    path: str
    sittings: Sequence[str]


def _forwarded(up: Sequence[RunningService], opened: Sequence[str]) -> list[Job]:
    """As a platform does: 50 sittings a body, to the service that they stay with."""
    jobs = []
    for number, service in enumerate(up):
        its = opened[number :: len(up)]
        for at in range(0, len(its), TOGETHER):
            together = its[at : at + TOGETHER]
            jobs.append(Job(service.settings.port, service.api.key, "/v1/events", together))
    return jobs


def _one_by_one(front: int, key: str, opened: Sequence[str]) -> list[Job]:
    """As browsers do, through the balancer."""
    return [Job(front, key, f"/v1/sessions/{it}/events", [it]) for it in opened]


async def _round(jobs: Sequence[Job], number: int) -> Round:
    waiting: asyncio.Queue[Job] = asyncio.Queue()
    for job in jobs:
        waiting.put_nowait(job)
    waits: list[float] = []
    began = time.perf_counter()
    clients = [_Client(waiting, waits, number) for _ in range(CONNECTIONS)]
    put_off = sum(await asyncio.gather(*(client.run() for client in clients)))
    took_s, first_s = time.perf_counter() - began, waits[0]
    waits.sort()
    p50_s, p99_s = (waits[int(len(waits) * share)] for share in (0.5, 0.99))
    return Round(took_s, first_s, p50_s, p99_s, put_off)


@dataclass(frozen=True, slots=True)
class _Client:
    """One connection to each port, kept; what is answered 503, or not at all, is sent again after a
    second."""

    waiting: asyncio.Queue[Job]
    waits: list[float]
    number: int

    async def run(self) -> int:
        """How often it was put off."""
        lines: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        put_off = 0
        while not self.waiting.empty():
            job = self.waiting.get_nowait()
            if job.port not in lines:
                lines[job.port] = await asyncio.open_connection("127.0.0.1", job.port)
            body = self._body(job.sittings)  # the same each time: it may have been stored
            began = time.perf_counter()
            while not await self._heard(lines, job, body):
                put_off += 1
                await asyncio.sleep(1)
            self.waits.append(time.perf_counter() - began)
        for _, writer in lines.values():
            writer.close()
        return put_off

    async def _heard(
        self,
        lines: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]],
        job: Job,
        body: bytes,
    ) -> bool:
        """A connection that was cut is made anew, as every client does."""
        try:
            return await self._post(*lines[job.port], job, body)
        except (OSError, asyncio.IncompleteReadError):
            lines[job.port] = await asyncio.open_connection("127.0.0.1", job.port)
            return False

    async def _post(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, job: Job, body: bytes
    ) -> bool:
        writer.write(
            f"POST {job.path} HTTP/1.1\r\nhost: localhost\r\n"
            f"authorization: Bearer {job.key}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        answer = await reader.readuntil(b"\r\n\r\n")
        told = await reader.readexactly(
            int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        )
        if answer.split(b" ", 2)[1] == b"503":
            return False
        if b'"rejected":[]' not in told:
            raise NotReady("bench_ingest", f"events were refused: {told.decode()[:200]}")
        return True

    def _body(self, sittings: Sequence[str]) -> bytes:
        now = system_clock()
        events = [
            {
                "session_id": it,
                "seq": self.number,
                "type": "progress",
                "at_ms": now,
                "position": self.number * 15.0,
                "rate": 1.0,
                "visible": True,
                "focused": True,
            }
            for it in sittings
        ]
        return json.dumps({"sent_at_ms": now, "events": events}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sittings", type=int, default=100_000)
    parser.add_argument("--services", type=int, nargs="+", choices=(1, 3), default=[1, 3])
    parser.add_argument("--by-one", type=int, default=0, help="also through HAProxy, one by one")
    parser.add_argument("--nothing-due", action="store_true", help="nobody is asked for anything")
    arguments = parser.parse_args()
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        measure(
            settings,
            arguments.sittings,
            arguments.services,
            arguments.by_one,
            faces=not arguments.nothing_due,
        )


if __name__ == "__main__":
    main()
