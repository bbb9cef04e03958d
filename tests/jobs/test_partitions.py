"""An installation that is cut into ranges while it runs goes on as before."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from typer.testing import CliRunner

from app.bench import day
from app.cli.main import app
from app.db import MIGRATIONS, Database
from app.domain.judging import assess
from app.errors import BadInput, Conflict
from app.jobs import archive
from app.services import Services
from app.simulation.scenarios import perform
from app.store import partitions, schema
from app.store.events import event_log
from models import Base, Control, EventLog, Snapshot
from tests import old_classes
from tests.evidence import catalogue, ndjson, sitting
from tests.people import LIN, County, TestClock, training_class
from tests.postgres import Postgres
from tests.verdicts import class_row, take, validate
from tests.waiting import eventually

ROWS = partitions.LEAST_ROWS
RANGE = re.compile(r"_(to_\d+|\d{4}_\d\d|rest)$")
TODAY = date(2026, 11, 30)
TO_AN_ID = {
    "fk_snapshots_control_id",
    "fk_photo_codes_snapshot_id",
    "fk_photo_codes_due_snapshot_id",
}


@pytest.fixture
def backend() -> str:
    return "postgresql"


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """A database of its own: what is cut stays cut."""
    with postgres.another("cut", migrated=True) as url:
        yield url


def bodies(services: Services, class_id: int) -> list[tuple[str, int, bytes]]:
    with services.database.read() as connection:
        judged = assess.evaluate_sittings(connection, class_id).judged
    return [(it.kind, it.hour, it.body) for it in judged]


def ranges(database: Database, table: str) -> list[tuple[int, int]]:
    with database.read() as connection:
        (found,) = (it for it in partitions.described(connection) if it.table == table)
        assert found.outside == 0
    return [(it.lower, it.upper) for it in found.ranges]


def shape(database: Database, table: str) -> list[tuple[str, ...]]:
    """Columns with their defaults, constraints and indexes, without what they rest on."""
    with database.read() as connection:
        told: list[tuple[str, ...]] = []
        for words in (
            "SELECT column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_name = :table ORDER BY 1",
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = to_regclass(:table) ORDER BY 1",
            "SELECT indexname, replace(indexdef, ' ONLY ', ' ') FROM pg_indexes"
            " WHERE tablename = :table ORDER BY 1",
            "SELECT pg_get_serial_sequence(:table, 'id') WHERE :table <> 'event_logs'",
        ):
            told += map(tuple, connection.execute(text(words), {"table": table}).all())
    return told


def foreign_keys(database: Database) -> set[str]:
    with database.read() as connection:
        asked = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"
        return set(connection.execute(text(asked)).scalars())


def primary_keys(database: Database, table: str) -> set[str]:
    """Of the ranges of a table, and of the one beside them."""
    with database.read() as connection:
        asked = text(
            "SELECT pg_get_constraintdef(pg_constraint.oid) FROM pg_inherits LEFT JOIN"
            " pg_constraint ON conrelid = inhrelid AND contype = 'p'"
            " WHERE inhparent = to_regclass(:table)"
        )
        return set(connection.execute(asked, {"table": table}).scalars())


def test_a_cut_table_looks_as_before_and_what_is_written_lands_in_its_range(
    database: Database,
) -> None:
    before, pointing = {it: shape(database, it) for it in partitions.TABLES}, foreign_keys(database)
    assert partitions.cut(database, ROWS) == list(partitions.TABLES)
    for table, told in before.items():
        kept = [it for it in told if it[0] not in ("pk_controls", "pk_snapshots", *TO_AN_ID)]
        assert shape(database, table) == kept
        assert ranges(database, table) == [(0, 2000), (2000, 3000), (3000, 4000)]
    assert pointing - foreign_keys(database) == TO_AN_ID
    assert primary_keys(database, "controls") == primary_keys(database, "snapshots")
    assert primary_keys(database, "controls") == {"PRIMARY KEY (id)"}
    assert partitions.cut(database, ROWS) == []


def test_who_cut_two_tables_with_an_earlier_version_gets_the_other_two(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = {"event_logs": "session_id", "verdicts": "id"}
    with monkeypatch.context() as before:
        before.setattr(partitions, "TABLES", earlier)
        assert partitions.cut(database, 5 * ROWS) == [*earlier]
    assert partitions.cut(database, ROWS) == ["controls", "snapshots"]
    assert ranges(database, "event_logs")[0] == (0, 10_000)
    assert ranges(database, "snapshots")[0] == (0, 2_000)


def test_migrations_that_come_later_fit_a_cut_installation(postgres: Postgres) -> None:
    """What a model says is there, but for keys to an id that only a range holds."""
    with postgres.another("later") as url:
        database = Database(url)
        with database.write() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "0055")  # where all four could first be cut
        partitions.cut(database, ROWS)
        schema.upgrade(database)
        with database.read() as connection:
            options = {"include_object": lambda _, name, *__: not RANGE.search(name or "")}
            context = MigrationContext.configure(connection, opts=options)
            found = compare_metadata(context, Base.metadata)
        assert {(step, key.name) for step, key in found} == {("add_fk", it) for it in TO_AN_ID}
        database.close()


def test_what_was_interrupted_is_gone_on_with(database: Database) -> None:
    upper = partitions._held(database, "verdicts", ROWS)
    with database.write() as connection:
        connection.execute(text(f"SELECT setval('verdicts_id_seq', {upper - 2})"))
    assert partitions.cut(database, 5 * ROWS) == list(partitions.TABLES)
    assert ranges(database, "verdicts")[0] == (0, upper)


def test_a_cut_that_nobody_went_on_with_refuses_no_row_in_the_end(database: Database) -> None:
    whole = shape(database, "verdicts")
    partitions._held(database, "verdicts", ROWS)
    assert shape(database, "verdicts") != whole
    with database.alone(partitions._CUT):
        partitions.keep_ahead(database, TODAY)  # it may still be under way
        assert shape(database, "verdicts") != whole
        with pytest.raises(Conflict, match="just now"):
            partitions.cut(database, ROWS)
    partitions.keep_ahead(database, TODAY)
    assert shape(database, "verdicts") == whole


def test_sqlite_is_told_that_it_has_no_partitions(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'z.sqlite'}")
    with pytest.raises(BadInput, match="SQLite"):
        partitions.cut(database, ROWS)
    partitions.keep_ahead(database, TODAY)
    assert partitions.drop_archived(database) == []
    database.close()


def log_of(key: int) -> dict[str, object]:
    blobs = dict.fromkeys(("manifest", "events", "notes", "controls", "photos"), b"")
    return {"session_id": key, "chain": bytes(32), "sealed_ms": 0, **blobs}


def test_rows_that_came_before_their_range_move_into_it(database: Database) -> None:
    """Also nights that were left out for long lose nothing and refuse nothing."""
    with database.write() as connection:  # for rows of no sitting
        connection.execute(text("ALTER TABLE event_logs DROP CONSTRAINT fk_event_logs_session_id"))
    partitions.cut(database, ROWS)
    with database.write() as connection:
        connection.execute(insert(EventLog), [log_of(it) for it in (1, 1999, 2000, 5500, 5999)])
    partitions.keep_ahead(database, TODAY)
    assert ranges(database, "event_logs")[-4:] == [
        (5000, 6000),
        (6000, 7000),
        (7000, 8000),
        (8000, 9000),
    ]
    with database.read() as connection:
        kept = connection.execute(text("SELECT session_id FROM event_logs_to_6000 ORDER BY 1"))
        assert kept.scalars().all() == [5500, 5999]


def next_sitting(database: Database) -> int:
    with database.write() as connection:
        return int(connection.scalar(text("SELECT nextval('sessions_id_seq')")) or 0)


def months(database: Database, table: str) -> list[str]:
    with database.read() as connection:
        (found,) = (it for it in partitions.described(connection) if it.table == table)
    return [it.name.removeprefix(f"{table}_") for it in found.ranges]


def test_with_each_month_a_range_begins_and_no_range_holds_two(database: Database) -> None:
    with database.write() as connection:  # for rows of no sitting
        connection.execute(text("ALTER TABLE event_logs DROP CONSTRAINT fk_event_logs_session_id"))
    assert next_sitting(database) == 1
    partitions.cut(database, ROWS)  # also one that an earlier version cut, by ids alone
    assert next_sitting(database) == 2
    for _ in range(2):
        partitions.keep_ahead(database, date(2026, 11, 30))
    assert next_sitting(database) == 2000
    assert months(database, "controls")[:3] == ["to_2000", "2026_11", "to_4000"]
    partitions.keep_ahead(database, date(2026, 12, 1))
    assert next_sitting(database) == 3000
    with database.write() as connection:  # more than one range holds
        connection.execute(text("SELECT setval('sessions_id_seq', 4321)"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(insert(EventLog), [log_of(it) for it in (1999, 2000, 3000, 4321)])
    for _ in range(2):
        partitions.keep_ahead(database, date(2026, 12, 9))
    assert next_sitting(database) == 4322
    partitions.keep_ahead(database, date(2027, 1, 2))
    assert next_sitting(database) == 5000
    found = months(database, "event_logs")
    assert found[:5] == ["to_2000", "2026_11", "2026_12", "2026_12_2", "2027_01"]
    assert months(database, "verdicts")[:4] == ["to_2000", "2026_11", "2026_12", "2027_01"]
    for _ in range(3):
        with database.write() as connection:  # set back by hand
            connection.execute(text("SELECT setval('sessions_id_seq', 2001)"))
        partitions.keep_ahead(database, date(2027, 1, 3))
    assert next_sitting(database) == 3000


def test_tables_that_were_cut_apart_begin_a_month_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(partitions, "TABLES", {"event_logs": "session_id", "verdicts": "id"})
        partitions.cut(database, 3 * ROWS)
    partitions.cut(database, ROWS)
    partitions.keep_ahead(database, TODAY)
    first = next_sitting(database)
    for table in ("event_logs", "controls", "snapshots"):
        with database.read() as connection:
            held = partitions._range_of(connection, table, first)
        assert held is not None and held.name == f"{table}_2026_11"


def test_who_writes_while_the_table_is_cut_is_neither_refused_nor_lost(database: Database) -> None:
    written: list[int] = []
    enough, stop = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            with database.write() as connection:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                connection.execute(insert(EventLog), [log_of(len(written) + 1)])
            written.append(len(written) + 1)
            if len(written) > 30:
                enough.set()

    with ThreadPoolExecutor(1) as others:
        writing = others.submit(write)
        assert enough.wait(30)
        partitions.cut(database, 1_000_000)
        after = len(written)
        assert eventually(lambda: len(written) > after + 30)
        stop.set()
        writing.result()
    with database.read() as connection:
        kept = connection.execute(select(EventLog.session_id).order_by(EventLog.session_id))
        assert kept.scalars().all() == written


@pytest.mark.thorough
def test_nobody_who_writes_to_two_tables_is_undone_by_the_cut(database: Database) -> None:
    """Whichever comes first: they and the cut wait for each other's tables."""
    stop, written = threading.Event(), [0] * 4

    def write(number: int) -> None:
        while not stop.is_set():
            name = f"w{number}-{written[number]}"
            photo = insert(Snapshot).values(**day._photo(1, 0, 0) | {"external_id": name})
            control = insert(Control).values(**day._popup(1, 0, 0) | {"challenge_id": name})
            both = [photo, control] if number % 2 else [control, photo]
            with database.write() as connection:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                for it in both:
                    connection.execute(it)
                    time.sleep(0.01)
            written[number] += 1

    with ThreadPoolExecutor(4) as others:
        writing = [others.submit(write, it) for it in range(4)]
        assert eventually(lambda: min(written) > 5)
        try:
            assert partitions.cut(database, ROWS) == list(partitions.TABLES)
            after = min(written)
            assert eventually(lambda: min(written) > after + 5)
        finally:
            stop.set()
        for it in writing:
            it.result()
    with database.read() as connection:
        for table in ("controls", "snapshots"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == sum(written)


@pytest.mark.thorough
def test_a_county_that_was_cut_is_judged_archived_and_read_as_before(
    services: Services, county: County, clock: TestClock, tmp_path: Path
) -> None:
    """The oldest range goes as a whole when its last log is archived; what comes back is read."""
    database = services.database
    take(services, county, perform("H01"), tmp_path)
    class_id = class_row(database, county, "class-demo").id
    validate(services, class_id)
    judged = bodies(services, class_id)
    partitions.cut(database, ROWS)
    assert bodies(services, class_id) == judged
    with database.write() as connection:  # as after many more sittings
        connection.execute(text("SELECT setval('sessions_id_seq', 2500)"))
        connection.execute(text("UPDATE classes SET ends_on = '2026-03-31', assessment_on = NULL"))
    goes_on(services, county, tmp_path)
    clock.advance(days=900)
    validate(services, class_id)
    before = bodies(services, class_id)

    assert archive.perform(services, "test", months=12).sittings > 0
    assert ranges(database, "event_logs")[0] == (2000, 3000)
    assert bodies(services, class_id) == before
    assert validate(services, class_id)["verdicts_stored"] == 0
    assert archive.take_back(services, "test") > 0
    assert bodies(services, class_id) == before
    with database.read() as connection:
        assert event_log.altered(connection)[1] == []
    assert archive.perform(services, "test", months=12).sittings > 0


@pytest.mark.thorough
def test_a_range_goes_as_a_whole_once_its_sittings_are_in_files(
    services: Services, county: County, clock: TestClock, tmp_path: Path
) -> None:
    """None of its rows is deleted; the few that no file has move out of it."""
    database = services.database
    class_id = old_classes.judged(services, county, tmp_path)
    partitions.cut(database, ROWS)
    with database.write() as connection:
        connection.execute(text("SELECT setval('sessions_id_seq', 1999)"))  # it is full
    old_classes.grown_old(services, clock)
    old_classes.purged(services)
    validate(services, class_id)
    before = old_classes.seen(services, class_id)
    held = partitions._drop
    left: list[int] = []

    def counted(connection: Connection, *given: Any, **named: Any) -> None:
        left.append(connection.scalar(text(f"SELECT count(*) FROM {named['range_'].name}")) or 0)
        held(connection, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "_drop", counted)
        assert old_classes.moved(services).ledgers > 0
    assert len(left) == 3 and min(left) > 0
    for table in ("event_logs", "controls", "snapshots"):
        assert ranges(database, table)[0] == (2000, 3000)
    assert old_classes.seen(services, class_id) == before
    assert validate(services, class_id)["verdicts_stored"] == 0
    assert archive.take_back(services, "test") > 0
    assert old_classes.seen(services, class_id) == before
    assert old_classes.moved(services).ledgers > 0
    with database.read() as connection:
        outside = {it.table: it.outside for it in partitions.described(connection)}
    assert set(outside.values()) == {0}


def goes_on(services: Services, county: County, folder: Path) -> None:
    """A class that is not over, with the newest sitting."""
    records = [
        *catalogue()[:1],
        {"kind": "class", **training_class("c1", starts_on="2026-03-01", ends_on="2036-03-31")},
        {"kind": "roster", "class_id": "c1", "learners": [LIN]},
        *sitting("s1", class_id="c1"),
    ]
    path = folder / "newest.ndjson"
    path.write_bytes(ndjson(records))
    report = services.imports.take_file(county.huang.platform.id, path, actor="test")
    assert not report.rejected, report.rejected
    validate(services, class_row(services.database, county, "c1").id)


def test_the_command_cuts_and_lists(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHENXUE_DATABASE_URL", database_url)
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(tmp_path))
    asked = CliRunner()
    assert asked.invoke(app, ["partitions", "list"]).stdout == "no table is cut into ranges\n"
    assert asked.invoke(app, ["partitions", "cut"]).stdout.split() == list(partitions.TABLES)
    told = json.loads(asked.invoke(app, ["partitions", "list", "--json"]).stdout)
    found = [(it["table"], len(it["ranges"])) for it in told["tables"]]
    assert found == [(it, 4) for it in partitions.TABLES]
