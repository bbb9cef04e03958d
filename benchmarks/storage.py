"""What a row costs on disk, its indexes included: events, controls, photos, verdicts, findings.

    [ZHENXUE_DATABASE_URL=postgresql+psycopg://…] python -m benchmarks.storage [--sessions 6400]
    python -m benchmarks.storage --objects

On a throw-away installation of the configured kind: classes of 80 × 40 of the day of
`app.bench.day`, judged by a real night, then vacuumed. Photos themselves lie in the object store
and are not part of it; here a photo is its row. With `--objects`: how many photos a class-hour has
by the newest pack, how large they are as the SDK sends them, and what a county so stores.
"""

from __future__ import annotations

import argparse

import cv2
from sqlalchemy import Connection, create_engine, text

from app.bench import day, night, throw_away
from app.bench.day import EVENTS
from app.bench.machine import machine
from app.clock import system_clock
from app.domain.policy import packs, sitting_terms
from app.security import seal
from app.settings import Settings
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.vision.image import decode

LEARNERS = 80
PACK = "huangchuan-2021-graded"
SDK_QUALITY = 85  # app/sdk/v1/camera.js
PEOPLE, HOURS, COUNTY = 30, 40, 10_000
TABLES = ("event_logs", "controls", "snapshots", "sessions", "verdicts", "findings")
_SQLITE = """
    select sum(pgsize) from dbstat where name in
    (select name from sqlite_master where tbl_name = :table)
"""


def measure(settings: Settings, sessions: int) -> None:
    day.fill(settings, sessions, LEARNERS)
    night.judge(settings)
    engine = create_engine(settings.resolved_database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        lite = connection.dialect.name == "sqlite"
        connection.execute(text("vacuum" if lite else "vacuum full"))
        print(f"{connection.dialect.name}: {sessions:,} sittings of {EVENTS} events")
        whole = 0
        for table in TABLES:
            rows = connection.execute(text(f"select count(*) from {table}")).scalar_one()
            size = _size(connection, table, lite)
            whole += size
            print(f"  {table:<12}{rows:>10,} rows {size / max(rows, 1):>10,.0f} bytes a row")
            if table == "event_logs":
                print(f"  {'':<12}{rows * EVENTS:>10,} events {size / rows / EVENTS:>8,.1f} each")
        print(f"  a sitting with all that is known of it {whole / sessions:>10,.0f} bytes")
    engine.dispose()


def _size(connection: Connection, table: str, lite: bool) -> int:
    query = _SQLITE if lite else "select pg_total_relation_size(cast(:table as regclass))"
    return int(connection.execute(text(query), {"table": table}).scalar_one())


def objects() -> None:
    """One face check and the random photos of every class-hour; a retry or a sitting that is gone
    on with after a long pause asks for another check."""
    pack = packs.load(PACK)
    terms = sitting_terms.of_pack(PACK, pack.version)
    check = sitting_terms.burst_frames(3), sitting_terms.burst_frames(2)
    random = terms.photos_per_hour * sitting_terms.FRAMES
    size = sum(_as_the_sdk_sends(it) for it in PORTRAIT_SEEDS[:PEOPLE]) / PEOPLE
    hour = check[0] + random
    print(f"{PACK}@{pack.version}: a face check {check[0]} photos, without a step {check[1]}")
    print(f"  random photos of a class-hour {random}, in all {hour}, {hour * size / 1e6:.2f} MB")
    print(f"  a photo {size / 1000:.1f} kB, sealed: the mean of {PEOPLE} drawn portraits")
    learner = HOURS * hour * size
    days = Settings().photo_term_days
    print(f"  a learner of {HOURS} class-hours {HOURS * hour:,} photos, {learner / 1e6:.0f} MB")
    print(f"  a county of {COUNTY:,} such learners a year {COUNTY * learner / 1e12:.2f} TB")
    print(f"  kept for {days} days {COUNTY * learner * days / 365 / 1e12:.2f} TB")


def _as_the_sdk_sends(person: int) -> int:
    """Bytes of a portrait of 640 × 480, saved as the SDK does, in its seal."""
    plain = decode(portrait(person, noise_seed=1))[..., ::-1]
    quality = [cv2.IMWRITE_JPEG_QUALITY, SDK_QUALITY]
    sent = cv2.imencode(".jpg", plain, quality)[1].tobytes()
    return len(seal(bytes(32), sent, b"benchmark"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=6400)
    parser.add_argument("--objects", action="store_true", help="photos, by number and size")
    arguments = parser.parse_args()
    if arguments.objects:
        objects()
        return
    print(machine())
    with throw_away.installation(Settings(), system_clock()) as settings:
        measure(settings, arguments.sessions)


if __name__ == "__main__":
    main()
