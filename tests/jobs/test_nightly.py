"""The night: every class that is due is judged once, whatever happens to whoever does it."""

from __future__ import annotations

import threading
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, update

from app.db import Database
from app.domain import runs
from app.domain.judging import eligibility
from app.errors import BadInput, Conflict, NotReady
from app.jobs import face_worker, nightly, settler
from app.jobs.nightly import Inline
from app.services import Services
from app.simulation.scenarios import perform as scenario
from app.store.judging.runs import NIGHT_LOCK
from detectors.trace import EVENT
from models import EventLog, Finding, LearnerKey, Run, Snapshot, Verdict
from tests.evidence import catalogue, ndjson, sitting
from tests.people import LIN, WU, County, TestClock, instant, training_class
from tests.verdicts import take

Bytes = list[tuple[int, str, int, int, bytes]]


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """What photos show is not the matter here."""
    monkeypatch.setattr(face_worker, "run_pending", lambda *_, **__: 0)


def hold(services: Services, county: County, folder: Path, classes: int, **terms: Any) -> None:
    """Classes c1, c2, …, each with Lin and Wu, and a minute of Lin's study in it."""
    records = catalogue()[:1]
    for n in range(1, classes + 1):
        records.append({"kind": "class", **training_class(f"c{n}", **terms)})
        records.append({"kind": "roster", "class_id": f"c{n}", "learners": [LIN, WU]})
        records += sitting(f"s{n}", class_id=f"c{n}")
    path = folder / "county.ndjson"
    path.write_bytes(ndjson(records))
    report = services.imports.take_file(county.huang.platform.id, path, actor="test")
    assert not report.rejected, report.rejected


def tonight(services: Services, **named: Any) -> dict[str, Any]:
    services.settings.executor = named.pop("executor", "processes:1")
    return nightly.perform(services, "test", **named)


def night_rows(database: Database) -> list[Any]:
    """The runs of nights' classes."""
    query = select(Run).where(Run.kind == "nightly", Run.class_id.is_not(None)).order_by(Run.id)
    with database.read() as connection:
        return list(connection.execute(query))


def verdict_bytes(database: Database) -> Bytes:
    query = select(
        Verdict.class_id, Verdict.subject_kind, Verdict.subject_id, Verdict.hour, Verdict.body
    )
    with database.read() as connection:
        return sorted((row[0], row[1], row[2], row[3], row[4]) for row in connection.execute(query))


def failing_at(monkeypatch: pytest.MonkeyPatch, class_id: int, error: BaseException) -> None:
    """Concluding on one class ends in an error."""
    right = eligibility.conclude

    def conclude(connection: Any, klass: int, *rest: Any) -> Any:
        if klass == class_id:
            raise error
        return right(connection, klass, *rest)

    monkeypatch.setattr(eligibility, "conclude", conclude)


class TestWhichClasses:
    def test_those_that_end_soon_or_ended_lately(
        self, services: Services, county: County, clock: TestClock, tmp_path: Path
    ) -> None:
        hold(services, county, tmp_path, 1)
        summary = tonight(services)
        assert (summary["classes"], summary["classes_done"]) == (1, 1)
        assert summary["sessions"] == 1 and summary["verdicts_stored"] > 0
        assert tonight(services)["verdicts_stored"] == 0, "again: judged, and nothing is new"
        clock.advance(days=34 + 15 + 45 + 1)  # its assessment lies more than 45 days back
        assert tonight(services)["classes"] == 0

    def test_those_with_sittings_settled_since_their_last_run(
        self, services: Services, county: County, clock: TestClock, tmp_path: Path
    ) -> None:
        far = {"ends_on": "2026-11-30", "assessment": None}
        hold(services, county, tmp_path, 2, **far)
        clock.advance(minutes=1)
        assert tonight(services)["classes"] == 2, "never judged before"
        clock.advance(hours=24)
        assert tonight(services)["classes"] == 0, "nothing happened"
        late = tmp_path / "late.ndjson"
        late.write_bytes(ndjson(sitting("s9", class_id="c2")))
        services.imports.take_file(county.huang.platform.id, late, actor="test")
        assert tonight(services)["classes"] == 1
        assert night_rows(services.database)[-1].class_id == 2


class TestOneRunner:
    @pytest.mark.both_databases
    def test_a_second_one_is_refused_until_the_first_is_silent(
        self, database: Database, clock: TestClock
    ) -> None:
        with database.write() as connection:
            runs.lock_night(connection, "first", clock())
        clock.advance(seconds=100)
        with pytest.raises(Conflict, match="100 s ago"), database.write() as connection:
            runs.lock_night(connection, "second", clock())
        with database.write() as connection:
            runs.hold_night(connection, "first", clock())
        clock.advance(seconds=100)
        with pytest.raises(Conflict), database.write() as connection:
            runs.lock_night(connection, "second", clock())
        clock.advance(seconds=21)
        with database.write() as connection:
            runs.lock_night(connection, "second", clock())
        with pytest.raises(Conflict, match="taken over"), database.write() as connection:
            runs.hold_night(connection, "first", clock())

    @pytest.mark.both_databases
    def test_of_many_that_start_at_once_one_gets_the_lock(
        self, database: Database, clock: TestClock
    ) -> None:
        got: list[str] = []
        line = threading.Barrier(8)

        def start(holder: str) -> None:
            line.wait()
            try:
                with database.write() as connection:
                    runs.lock_night(connection, holder, clock())
            except Conflict:
                return
            got.append(holder)

        threads = [threading.Thread(target=start, args=(f"h{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1

    def test_the_lock_is_given_back_also_after_a_failure(
        self, services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runs, "plan_night", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tonight(services)
        monkeypatch.undo()
        assert nightly.interrupted(services)
        assert tonight(services)["resumed"] is True
        assert not nightly.interrupted(services)

    def test_who_was_taken_over_claims_no_further_class(
        self, services: Services, county: County, tmp_path: Path
    ) -> None:
        hold(services, county, tmp_path, 3)

        def steal(done: int, _total: int) -> None:
            if done == 1:
                with services.database.write() as connection:
                    connection.execute(
                        update(Run).where(Run.id == NIGHT_LOCK).values(requested_by="other")
                    )

        with pytest.raises(Conflict, match="taken over"):
            tonight(services, tell=steal)
        assert [row.state for row in night_rows(services.database)] == ["done", "queued", "queued"]


class TestWhatGoesWrong:
    def test_a_class_that_fails_is_told_and_the_others_are_judged(
        self,
        services: Services,
        county: County,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        hold(services, county, tmp_path, 3)
        failing_at(monkeypatch, 2, RuntimeError("the disk is full"))
        summary = tonight(services)
        assert (summary["classes_done"], summary["classes_failed"]) == (2, ["c2"])
        assert "the disk is full" in night_rows(services.database)[1].error

    def test_a_night_that_is_stopped_goes_on_where_it_was(
        self, services: Services, county: County, tmp_path: Path
    ) -> None:
        hold(services, county, tmp_path, 3)
        stopping = threading.Event()

        def after_one(done: int, _total: int) -> None:
            if done == 1:
                stopping.set()

        first = tonight(services, tell=after_one, stopping=stopping)
        assert (first["classes_done"], first["classes_left"]) == (1, 2)
        second = tonight(services)
        assert second["resumed"] and second["run_id"] == first["run_id"]
        assert (second["classes"], second["classes_done"], second["classes_left"]) == (3, 3, 0)
        assert len(night_rows(services.database)) == 3

    def test_a_class_whose_worker_dies_each_time_is_given_up(
        self, services: Services, county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold(services, county, tmp_path, 2)

        def work(run_id: int, _after: str | None) -> None:
            if run_id == night_rows(services.database)[0].id:
                raise BrokenExecutor("killed")
            nightly.validate(services, run_id)

        monkeypatch.setattr(nightly, "validate_here", work)
        made: list[Inline] = []

        def make(*_: Any) -> Inline:
            made.append(Inline())
            return made[-1]

        monkeypatch.setattr(nightly, "ProcessPoolExecutor", make)
        summary = tonight(services, executor="processes:2")
        assert (summary["classes_done"], summary["classes_failed"]) == (1, ["c1"])
        assert len(made) == 1 + nightly.MOST_ATTEMPTS - 1 + 1
        assert "its worker died" in night_rows(services.database)[0].error

    def test_a_step_that_fails_costs_no_class_its_judgement(
        self, services: Services, county: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold(services, county, tmp_path, 1)
        monkeypatch.setattr(settler, "settle_all", lambda _: 1 / 0)
        summary = tonight(services)
        assert summary["problems"] == ["settle"]
        assert summary["classes_done"] == 1


class TestPhotos:
    @pytest.fixture
    def photos(
        self, services: Services, county: County, clock: TestClock, tmp_path: Path
    ) -> list[Any]:
        take(services, county, scenario("H01"), tmp_path)
        clock.now_ms = instant("2026-11-01 02:30")
        tonight(services)
        with services.database.read() as connection:
            return list(connection.execute(select(Snapshot).order_by(Snapshot.id)))

    def facts(self, services: Services) -> list[bytes]:
        query = select(Verdict.facts_digest).where(Verdict.subject_kind == "session")
        with services.database.read() as connection:
            return list(connection.execute(query.order_by(Verdict.id)).scalars())

    def test_one_that_was_altered_becomes_a_fact_until_it_is_there_again(
        self, services: Services, clock: TestClock, photos: list[Any]
    ) -> None:
        key = photos[0].blob_key
        before = services.blobs.get(key)
        services.blobs.put(key, before[:-1] + bytes([before[-1] ^ 1]))
        clock.advance(hours=24)
        assert tonight(services)["photos"]["lost"] == 1
        assert tonight(services)["photos"]["lost"] == 0, "told once"
        services.blobs.put(key, before)
        clock.advance(hours=24)
        told = tonight(services)["photos"]
        assert (told["checked"], told["found_again"]) == (len(photos), 1)
        first, second, third = self.facts(services)
        assert first == third != second

    def test_one_that_was_erased_by_order_is_no_loss(
        self, services: Services, clock: TestClock, photos: list[Any]
    ) -> None:
        with services.database.write() as connection:
            connection.execute(update(LearnerKey).values(wrapped=None, destroyed_ms=clock()))
        told = tonight(services)["photos"]
        assert (told["erased"], told["lost"]) == (len(photos), 0)
        assert len(self.facts(services)) == 1


class TestExecutors:
    def test_processes_come_to_the_same_bytes(
        self, services: Services, county: County, tmp_path: Path
    ) -> None:
        hold(services, county, tmp_path, 2)
        assert tonight(services, executor="processes:2")["classes_done"] == 2
        by_pool = verdict_bytes(services.database)
        with services.database.write() as connection:
            connection.execute(delete(Verdict))
        assert tonight(services)["classes_done"] == 2
        assert verdict_bytes(services.database) == by_pool

    @pytest.mark.parametrize("name", ["threads:2", "processes", "processes:-1", "dask:"])
    def test_one_that_is_unknown_is_refused_before_anything_begins(
        self, services: Services, database: Database, name: str
    ) -> None:
        with pytest.raises(BadInput, match="ZHENXUE_EXECUTOR is"):
            tonight(services, executor=name)
        with database.read() as connection:
            assert not list(connection.execute(select(Run)))

    def test_dask_that_is_not_installed_is_named(
        self, services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_module(name: str) -> None:
            raise ImportError(name)

        monkeypatch.setattr(nightly, "import_module", no_module)
        with pytest.raises(NotReady, match="pip install distributed"):
            tonight(services, executor="dask:tcp://127.0.0.1:8786")


class TestAlteredEvidence:
    def log(self, database: Database) -> Any:
        with database.read() as connection:
            return connection.execute(select(EventLog.__table__)).mappings().one()

    def write(self, database: Database, **columns: Any) -> None:
        with database.write() as connection:
            connection.execute(update(EventLog).values(**columns))

    def told(self, database: Database) -> set[tuple[str, str, str]]:
        """What stands on sittings."""
        query = select(Finding.rule, Finding.outcome, Finding.fault)
        on_sittings = query.where(Finding.status != "gone", Finding.session_id.is_not(None))
        with database.read() as connection:
            return {(row[0], row[1], row[2]) for row in connection.execute(on_sittings)}

    def test_the_night_tells_of_it_and_accuses_nobody(
        self, services: Services, county: County, tmp_path: Path
    ) -> None:
        database = services.database
        hold(services, county, tmp_path, 1)
        assert tonight(services)["evidence_altered"] == 0
        log, before = self.log(database), self.told(database)
        events = np.frombuffer(log["events"], EVENT).copy()
        events["pos_ms"][3:] += 600_000  # as they stand now, Lin leapt
        self.write(database, events=events.tobytes())
        assert tonight(services)["evidence_altered"] == 1
        assert self.told(database) == {("evidence_altered", "review", "environment")}
        assert services.registry.get_sample_value("zhenxue_evidence_altered") == 1
        self.write(database, events=log["events"])
        assert tonight(services)["evidence_altered"] == 0, "restored from a backup"
        assert self.told(database) == before
        assert services.registry.get_sample_value("zhenxue_evidence_altered") == 0

    @pytest.mark.parametrize("chained_anew", [False, True])
    def test_a_record_that_is_gone_is_altered_too(
        self, services: Services, county: County, tmp_path: Path, chained_anew: bool
    ) -> None:
        database = services.database
        hold(services, county, tmp_path, 1)
        tonight(services)
        log = self.log(database)
        if chained_anew:
            self.write(database, events=b"", manifest=b"", notes=b"", chain=bytes(32))
        else:
            with database.write() as connection:
                connection.execute(delete(EventLog))
        assert tonight(services)["evidence_altered"] == 1
        with database.write() as connection:
            connection.execute(delete(EventLog))
            connection.execute(insert(EventLog).values(**log))
