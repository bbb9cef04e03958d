"""How long a full class takes to be exported, packed and verified: 80 learners × 40 class-hours.

    [ZHENXUE_DATABASE_URL=postgresql+psycopg://…] python -m benchmarks.exports

One class of the day of `app.bench.day`, judged by a real night. Then every list in every format
that it comes in, the audit package, and its verification with the replay of every verdict. Seconds
of the processor stand beside the wall's: only they mean something on a busy machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from app.bench import day, night, throw_away
from app.bench.machine import machine
from app.clock import system_clock
from app.domain.catalogue.classes import class_seen
from app.reports import exports, package
from app.reports.exports import ExportOptions
from app.reports.lists import LISTS
from app.reports.verify import verify
from app.services import Services
from app.settings import Settings
from app.store.scope import EVERYTHING
from models import TrainingClass

LEARNERS, HOURS = 80, 40
LIMIT_S = 20  # for all lists
WISH = ExportOptions("benchmark", named=True)


def measure(settings: Settings) -> None:
    day.fill(settings, LEARNERS * HOURS, LEARNERS)
    night.judge(settings)
    services = Services.build(settings, night.that_night)
    try:
        with services.database.read() as connection:
            name = connection.execute(select(TrainingClass.external_id)).scalar_one()
            klass = class_seen(connection, EVERYTHING, name)
        with timed("all lists, XLSX, CSV and PDF"):
            files = exports.export_all(services, klass, WISH)
        print(f"    {len(files)} files, {_mib(sum(len(it.data) for it in files))}; aim {LIMIT_S} s")
        for ext in exports.FORMATS:
            with timed(f"of these, {ext}"):
                made = exports.sheets(services, klass, list(LISTS), WISH)
                for sheet in made:
                    if ext != "pdf" or LISTS[sheet.name].signed:
                        exports.FORMATS[ext].write(sheet)
        with timed("audit package"):
            packed = package.export(services, klass, WISH, EVERYTHING)
        print(f"    {packed.members} members, {_mib(len(packed.file.data))}")
        with timed("verify, with replay"):
            report = verify(packed.file.data, packed.public_key)
        assert not report.problems, report.problems[0]
        print(f"    {report.checked['replayed']:,} verdicts, {report.checked['chains']:,} chains")
    finally:
        services.stop()


@contextmanager
def timed(what: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {what:<34}{wall:6.2f} s, {cpu:6.2f} s of the processor", flush=True)


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def main() -> None:
    print(machine())
    print(f"a class of {LEARNERS} × {HOURS}")
    with throw_away.installation(Settings(), system_clock()) as settings:
        measure(settings)


if __name__ == "__main__":
    main()
