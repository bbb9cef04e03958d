"""Whatever is new of a sitting that is over is found and settled, however it came and whoever died
over it. Nobody is told of anything here: what waits is only what the database says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, event, select, update

from app.db import MIGRATIONS, Database
from app.domain.judging import settle
from app.domain.sittings.sitting_life import of_batch
from app.jobs import settler
from app.jobs.face_worker import CLAIM_MS, MOST_ATTEMPTS, run_pending
from app.jobs.lease_sweep import sweep
from app.services import Services
from app.settings import Settings
from app.store.events import event_log
from app.store.events.appending import Append
from app.store.events.events import append_all
from app.store.faces import retention, snapshots
from models import Session, Snapshot, TrainingClass, Verdict
from tests.api.test_sessions import found_school, opening, post
from tests.evidence import START_MS, Record, catalogue, picture, snapshot, zipped
from tests.evidence import sitting as imported
from tests.people import County, TestClock
from tests.store.events.test_events import packed

both = pytest.mark.both_databases
HOUR = 3_600_000


class School:
    """Lin's platform, with none of the service's threads, and what waits to be settled."""

    def __init__(self, app: FastAPI, county: County, clock: TestClock, **terms: Any) -> None:
        self.client = TestClient(app)
        self.services: Services = app.state.services
        self.county, self.clock, self.headers = county, clock, county.huang.headers
        found_school(self.client, county, **terms)

    def open(self, name: str = "s1", **changes: Any) -> None:
        assert post(self.client, self.county, opening(session_id=name, **changes)).is_success

    def close(self, name: str = "s1") -> None:
        assert self.client.post(f"/v1/sessions/{name}/close", headers=self.headers).is_success

    def photo(self, name: str = "p1", shade: int = 128) -> None:
        answer = self.client.put(
            f"/v1/sessions/s1/snapshots/{name}",
            content=picture(shade),
            params={"purpose": "random"},
            headers={**self.headers, "content-type": "image/png"},
        )
        assert answer.status_code == 202, answer.text

    def plays(self, seqs: list[int]) -> str:
        """Events that come now; what is told of the sitting's state."""
        with self.services.database.write() as connection:
            batch = packed(seqs, self.clock() - self.opened_ms)
            append = Append(self.id, batch, self.clock(), 120_000)
            (receipt,) = append_all(connection, [append], of_batch)
        assert receipt.refused is None
        return receipt.state

    @property
    def id(self) -> int:
        with self.services.database.read() as connection:
            return connection.execute(
                select(Session.id).where(Session.external_id == "s1")
            ).scalar_one()

    @property
    def opened_ms(self) -> int:
        with self.services.database.read() as connection:
            return connection.execute(
                select(Session.opened_ms).where(Session.external_id == "s1")
            ).scalar_one()

    def waiting(self) -> list[str]:
        """What the settler finds; the same, class by class, as a class's run does."""
        with self.services.database.read() as connection:
            found = event_log.unsettled(connection)
            classes = connection.execute(select(TrainingClass.id)).scalars().all()
            assert found == [it for at in classes for it in event_log.unsettled(connection, at)]
            return [
                connection.execute(select(Session.external_id).where(Session.id == it)).scalar_one()
                for it in found
            ]

    def settle(self) -> None:
        settler.settle_all(self.services)
        assert self.waiting() == []


@pytest.fixture
def school(app: FastAPI, database: Database, county: County, clock: TestClock) -> School:
    return School(app, county, clock)


@pytest.fixture
def over(school: School) -> School:
    """Lin's sitting s1 is over and settled."""
    school.open()
    school.clock.advance(minutes=1)
    school.plays([0, 1])
    school.close()
    school.settle()
    return school


# -- the end ---------------------------------------------------------------------------------------


@both
def test_a_sitting_waits_once_it_is_over(school: School) -> None:
    school.open()
    school.plays([0])
    assert school.waiting() == []
    school.close()
    assert school.waiting() == ["s1"]
    school.settle()


def test_one_whose_lease_ran_out_waits_too(school: School) -> None:
    school.open()
    school.clock.advance(minutes=5)
    assert sweep(school.services)
    assert school.waiting() == ["s1"]


def test_so_does_one_that_another_window_took_over(school: School) -> None:
    school.open()
    school.clock.advance(minutes=1)
    school.open("s2", window_id="w2")
    assert school.waiting() == ["s1"]


def test_one_that_went_on_after_all_waits_again_when_it_is_over(over: School) -> None:
    with over.services.database.write() as connection:
        connection.execute(update(Session).values(state="expired"))
    assert over.plays([2]) == "open"
    assert over.waiting() == []
    over.clock.advance(minutes=5)
    sweep(over.services)
    assert over.waiting() == ["s1"]
    over.settle()


# -- what comes afterwards -------------------------------------------------------------------------


@both
def test_a_batch_that_was_under_way_is_added(over: School) -> None:
    assert over.plays([2, 3]) == "closed"
    assert over.waiting() == ["s1"]
    over.settle()
    with over.services.database.read() as connection:
        assert event_log.read(connection, over.id).events["seq"].tolist() == [0, 1, 2, 3]


@both
def test_a_late_photo_is_followed_from_its_arrival_to_its_decision(over: School) -> None:
    over.photo()
    assert over.waiting() == ["s1"]
    over.settle()
    assert run_pending(over.services) == 1
    assert over.waiting() == ["s1"]
    over.settle()


def test_one_that_was_decided_in_the_very_millisecond_is_not_lost(school: School) -> None:
    """The clock stands still: what is new does not depend on it."""
    school.open()
    school.photo()
    school.close()
    school.settle()
    run_pending(school.services)
    assert school.waiting() == ["s1"]


def test_a_photo_that_cannot_be_read_is_told(over: School) -> None:
    over.photo()
    over.settle()
    with over.services.database.read() as connection:
        over.services.blobs.delete(connection.execute(select(Snapshot.blob_key)).scalar_one())
    run_pending(over.services)
    assert over.waiting() == ["s1"]


def test_a_photo_that_was_given_up_is_told(over: School) -> None:
    over.photo()
    over.settle()
    for _ in range(MOST_ATTEMPTS):
        with over.services.database.write() as connection:
            now_ms = over.clock()
            until_ms = now_ms + CLAIM_MS
            assert snapshots.claim(connection, "ill", now_ms, until_ms, 1, MOST_ATTEMPTS)
        over.clock.advance(milliseconds=CLAIM_MS)
    assert over.waiting() == []
    run_pending(over.services)
    assert over.waiting() == ["s1"]


def test_controls_that_a_platform_reports_late_are_told(
    app: FastAPI, database: Database, county: County, clock: TestClock
) -> None:
    school = School(app, county, clock, controls="platform")
    school.open()
    school.close()
    school.settle()
    popup = {"control": "popup", "challenge_id": "p1", "nonce": "n1", "issued_at_ms": clock()}
    answer = school.client.post(
        "/v1/sessions/s1/controls", json={"controls": [popup]}, headers=school.headers
    )
    assert answer.json()["stored"] == 1
    assert school.waiting() == ["s1"]


def test_a_removal_by_order_is_no_news(over: School) -> None:
    over.photo()
    run_pending(over.services)
    over.settle()
    with over.services.database.write() as connection:
        learner = connection.execute(select(Session.learner_id)).scalar_one()
        assert retention.erase(connection, learner, over.clock()) == 1
    assert over.waiting() == []


# -- imports ---------------------------------------------------------------------------------------


def is_control(record: Record) -> bool:
    return record["kind"] == "control"


def is_late_event(record: Record) -> bool:
    return record["kind"] == "event" and record["seq"] > 4


def is_popup_event(record: Record) -> bool:
    return record.get("type", "").startswith("popup")


def is_popup_answer(record: Record) -> bool:
    return record.get("type") == "popup_answered"


@both
@pytest.mark.parametrize("left_out", [is_control, is_late_event, is_popup_answer])
def test_what_a_second_import_adds_is_told(
    app: FastAPI,
    database: Database,
    county: County,
    clock: TestClock,
    tmp_path: Path,
    left_out: Callable[[Record], bool],
) -> None:
    school = School(app, county, clock)
    records = [*catalogue(), *imported()]
    take(school, tmp_path, [it for it in records if not left_out(it)])
    assert school.waiting() == ["s1"]
    school.settle()
    take(school, tmp_path, records)
    assert school.waiting() == ["s1"]
    school.settle()
    take(school, tmp_path, records)
    assert school.waiting() == []


def test_so_is_a_photo_and_an_end(school: School, tmp_path: Path) -> None:
    session, *rest = imported()
    unended = {name: value for name, value in session.items() if name != "ended_at_ms"}
    take(school, tmp_path, [*catalogue(), unended, *rest])
    school.settle()
    photo = snapshot("s1", "one.png", session["started_at_ms"] + 20_000)
    take(school, tmp_path, [photo], {"one.png": picture()})
    assert school.waiting() == ["s1"]
    school.settle()
    take(school, tmp_path, [session])
    assert school.waiting() == ["s1"]


def take(
    school: School, folder: Path, records: list[Record], files: dict[str, bytes] | None = None
) -> None:
    path = folder / "import.zip"
    path.write_bytes(zipped(records, files))
    platform = school.county.huang.platform.id
    report = school.services.imports.take_file(platform, path, actor="test")
    assert not report.rejected, report.rejected


# -- accidents -------------------------------------------------------------------------------------

_SEALS_AND_HANGS = """
import time
from app.domain.judging import assess
from app.jobs.settler import settle_all
from app.services import Services
from app.settings import Settings

def hangs(*_):
    print("sealed", flush=True)
    time.sleep(600)

assess.judge_learner = hangs
settle_all(Services.build(Settings()))
"""


@both
def test_who_dies_between_sealing_and_judging_leaves_the_sitting_to_the_next(
    school: School, settings: Settings
) -> None:
    school.open()
    school.close()
    environment = os.environ | {
        "ZHENXUE_DATABASE_URL": settings.database_url,
        "ZHENXUE_DATA_DIR": str(settings.data_dir),
    }
    dying = subprocess.Popen(
        [sys.executable, "-c", _SEALS_AND_HANGS],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert dying.stdout is not None and "sealed" in dying.stdout.readline()
    os.kill(dying.pid, signal.SIGKILL)
    dying.wait()
    dying.stdout.close()
    assert school.waiting() == ["s1"]
    school.settle()
    with school.services.database.read() as connection:
        assert connection.execute(select(Verdict.id)).first()


@both
def test_a_photo_that_comes_while_its_sitting_is_settled_is_not_overlooked(over: School) -> None:
    """It waits for the settler, which has read the evidence without it."""
    over.photo("p1")
    late = threading.Thread(target=over.photo, args=("p2", 90))
    with over.services.database.write() as connection:
        settle.settle(connection, over.id, over.clock())
        late.start()
        late.join(timeout=1)
        assert late.is_alive()
    late.join()
    assert over.waiting() == ["s1"]
    over.settle()


def test_one_that_cannot_be_settled_keeps_no_other_waiting(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.open("ill")
    school.open("well", learner_id="wu")
    school.close("ill")
    school.close("well")
    settle_well, ill = settle.settle, school_ids(school)["ill"]

    def refuse(connection: Connection, session_id: int, now_ms: int) -> Any:
        if session_id == ill:
            raise ValueError("a row that nobody can read")
        return settle_well(connection, session_id, now_ms)

    monkeypatch.setattr(settle, "settle", refuse)
    assert settler.settle_all(school.services) == 1
    assert school.waiting() == ["ill"]


def school_ids(school: School) -> dict[str, int]:
    with school.services.database.read() as connection:
        rows = connection.execute(select(Session.external_id, Session.id))
        return {row.external_id: row.id for row in rows}


@both
def test_an_older_database_is_brought_up_with_all_that_waits(
    school: School, tmp_path: Path
) -> None:
    names = ["calm", "late", "photo", "control"]
    each = {name: imported(name, start_ms=START_MS + n * HOUR) for n, name in enumerate(names)}
    photo = snapshot("photo", "one.png", START_MS + 2 * HOUR + 20_000)
    each["control"] = [it for it in each["control"] if not is_popup_event(it)]
    left_out = [*filter(is_late_event, each["late"]), *filter(is_control, each["control"])]
    first = [it for name in names for it in each[name] if it not in left_out]
    take(school, tmp_path, [*catalogue(), *first, photo], {"one.png": picture()})
    school.settle()
    take(school, tmp_path, left_out)
    run_pending(school.services)
    take(school, tmp_path, imported("new", start_ms=START_MS + 4 * HOUR))
    school.open("s1")
    school.plays([0])
    assert school.waiting() == ["late", "photo", "control", "new"]
    revise(school.services.database, "downgrade", "0006")
    revise(school.services.database, "upgrade", "head")
    assert school.waiting() == ["late", "photo", "control", "new"]


def revise(database: Database, step: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        getattr(command, step)(config, revision)


# -- the cost --------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("of_class", [True, False])
def test_finding_what_waits_reads_only_what_waits(school: School, of_class: bool) -> None:
    database = school.services.database
    asked: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    with database.write() as connection:
        event_log.unsettled(connection, 1 if of_class else None)
        statement, parameters = asked[-1]
        if not database.sqlite:  # which it would rather do on a table of one page
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "
        plan = connection.exec_driver_sql(explain + statement, parameters).all()
    assert "ix_sessions_unsettled" in str(plan) and "ix_sessions_class_id" not in str(plan)
