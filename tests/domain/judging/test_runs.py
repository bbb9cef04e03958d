"""Judging a class from stored evidence: once, to the end, and to the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, select, update

from app.db import Database
from app.domain import runs
from app.domain.accounts import users
from app.domain.judging import assess, eligibility, settle
from app.domain.review import appeals, review
from app.domain.runs import SILENT_MS
from app.jobs import class_run, conclusions, face_worker
from app.jobs.class_run import run_next
from app.services import Services
from app.simulation.scenarios import perform
from app.store.bodies import EnrolmentVerdict
from app.store.judging import enrolment_facts as store
from app.store.judging.verdicts import of_class, outcome_counts
from app.store.scope import EVERYTHING, AccessScope
from detectors.trace import Check
from models import Finding, ReferencePhoto, Run, Session, Snapshot
from tests.people import HUANGCHUAN, County, TestClock
from tests.verdicts import bodies, class_row, sign_in, take, take_without_photos, validate


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos are not looked at: what they show is written down by the test."""
    monkeypatch.setattr(face_worker, "run_pending", lambda *_, **__: 0)


def compare_all(database: Database, now_ms: int = 0, check: Check = Check.MATCH) -> None:
    """What a face worker would have left behind."""
    with database.write() as connection:
        connection.execute(update(ReferencePhoto).values(status="ready"))
        connection.execute(
            update(Snapshot).values(
                status="done", check=int(check), score=0.25, limit=0.5, checked_ms=now_ms
            )
        )
        connection.execute(update(Session).values(settled=False))


class Class:
    """Scenario H01 or another, imported with its photos, waiting to be judged."""

    def __init__(self, services: Services, county: County, scenario: str, folder: Path) -> None:
        self.services, self.database = services, services.database
        take(services, county, perform(scenario), folder)
        self.row = class_row(self.database, county, "class-demo")

    @property
    def id(self) -> int:
        return self.row.id

    def request(self) -> int:
        with self.database.write() as connection:
            return runs.request(connection, self.id, "test", self.services.clock())

    def view(self, run_id: int, scope: AccessScope = EVERYTHING) -> dict[str, Any]:
        with self.database.read() as connection:
            told = runs.view(connection, scope, run_id, self.services.clock())
        return dict(msgspec.to_builtins(told))

    def outcomes(self, kind: str) -> dict[str, int]:
        with self.database.read() as connection:
            return outcome_counts(connection, self.id)[kind]


@pytest.fixture
def lin(services: Services, county: County, tmp_path: Path, no_models: None) -> Class:
    return Class(services, county, "H01", tmp_path)


def test_a_run_settles_judges_and_concludes(lin: Class, clock: TestClock) -> None:
    compare_all(lin.database)
    run_id = lin.request()
    assert lin.view(run_id)["state"] == "queued"
    clock.advance(seconds=3)
    assert run_next(lin.services) and not run_next(lin.services)
    told = lin.view(run_id)
    assert told["state"] == "done" and told["percent"] == 100
    assert told["done"] == told["total"] == told["results"]["steps"]
    assert told["results"]["outcomes"] == {
        "session": {"valid": 1},
        "class_hour": {"valid": 1},
        "enrolment": {"pending": 1},  # the class still runs
        "class": {"pending": 1},
    }
    assert set(told["results"]["seconds"]) >= {"settle", "faces", "judge", "conclude", "all"}


WRITTEN: dict[str, list[tuple[str, int, bytes]]] = {}


@pytest.mark.both_databases
def test_running_again_writes_nothing_and_both_databases_write_the_same(
    lin: Class, clock: TestClock, backend: str
) -> None:
    compare_all(lin.database)
    assert validate(lin.services, lin.id)["verdicts_stored"] == 4
    before = bodies(lin.database)
    clock.advance(hours=2)
    again = validate(lin.services, lin.id)
    assert (again["verdicts_stored"], again["new_findings"], again["settled"]) == (0, 0, 0)
    assert bodies(lin.database) == before
    WRITTEN[backend] = before
    assert all(written == before for written in WRITTEN.values())


def test_photos_compared_later_are_followed(lin: Class, clock: TestClock) -> None:
    assert validate(lin.services, lin.id)["photos_waiting"] == 3
    assert lin.outcomes("class_hour") == {"not_proven": 1}
    with lin.database.read() as connection:
        (verdict,) = of_class(connection, lin.id, EnrolmentVerdict)
    assert "不符合规则" not in repr(verdict.body)
    compare_all(
        lin.database, clock()
    )  # by a worker of another process, which cannot have it judged
    validate(lin.services, lin.id)
    assert lin.outcomes("class_hour") == {"valid": 1}


@pytest.mark.both_databases
def test_what_others_judge_meanwhile_is_judged_again_not_overwritten(
    lin: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluating holds nobody up, so that another process may be done first."""
    evaluate, photos = assess.evaluate_sittings, iter((Check.MATCH,))

    def overtaken(connection: Connection, class_id: int) -> assess.Evaluation:
        before = evaluate(connection, class_id)
        for check in photos:  # the first time only
            compare_all(lin.database, lin.services.clock(), check)
            with lin.database.write() as other:
                for row in other.execute(select(Session)).all():
                    settle.settle(other, row.id, lin.services.clock())
        return before

    monkeypatch.setattr(assess, "evaluate_sittings", overtaken)
    validate(lin.services, lin.id)
    assert lin.outcomes("class_hour") == {"valid": 1}


def test_asking_twice_is_one_run(lin: Class) -> None:
    assert lin.request() == lin.request()
    run_next(lin.services)
    assert lin.request() != 1


def test_progress_is_told_and_never_goes_back(lin: Class) -> None:
    steps: list[tuple[int, int]] = []
    with lin.database.write() as connection:
        run_id = runs.begin(connection, lin.id, "test", lin.services.clock())
    class_run.perform(lin.services, run_id, lambda done, total: steps.append((done, total)))
    done = [it[0] for it in steps]
    assert done == sorted(done) and steps[-1][0] == steps[-1][1]


def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let concluding fail, as it may half-way through a run."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is full")

    right = eligibility.conclude
    monkeypatch.setattr(eligibility, "conclude", fail)
    return lambda: monkeypatch.setattr(eligibility, "conclude", right)


def test_a_failure_is_recorded_and_another_run_may_be_asked_for(
    lin: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare_all(lin.database)
    repair = broken(monkeypatch)
    run_id = lin.request()
    with pytest.raises(RuntimeError):
        run_next(lin.services)
    told = lin.view(run_id)
    assert told["state"] == "failed" and "disk" not in told["error"]
    assert lin.outcomes("session") == {"valid": 1}, "what was judged stays judged"
    repair()
    assert lin.request() != run_id
    assert run_next(lin.services)
    assert lin.outcomes("class") == {"pending": 1}


def test_a_run_whose_worker_died_is_taken_on_by_another(lin: Class, clock: TestClock) -> None:
    compare_all(lin.database)
    run_id = lin.request()
    with lin.database.write() as connection:
        assert runs.take_next(connection, clock()) == run_id
    assert not run_next(lin.services), "its worker is alive"
    clock.advance(seconds=SILENT_MS / 1000 + 1)
    assert run_next(lin.services)
    assert lin.view(run_id)["state"] == "done"
    assert lin.outcomes("class_hour") == {"valid": 1}


def test_a_decision_made_elsewhere_reaches_the_class(
    services: Services, county: County, tmp_path: Path
) -> None:
    """The console decides and says nothing: the follower sees the review."""
    take_without_photos(services, county, perform("F30"), tmp_path)
    klass = class_row(services.database, county, "class-demo")
    validate(services, klass.id)
    with services.database.read() as connection:
        mark = conclusions.here(connection)
        findings = store.class_findings(connection, klass.id)
    assert len(findings) == 3
    for name in ("zhao", "sun"):
        sign_in(services, name, HUANGCHUAN)
        with services.database.write() as connection:
            user = users.check_password(connection, name, "a-quiet-river-in-henan")
            assert user is not None
            for row in findings.values():
                review.decide(
                    connection, row.id, user, "uphold", "已核对平台台账", services.clock()
                )
    following = conclusions.follow(services, mark)
    with services.database.read() as connection:
        assert outcome_counts(connection, klass.id)["class"] == {"not_acceptable": 1}
        assert conclusions.here(connection).review_id == following.review_id == 6


def uphold_all(services: Services) -> Sequence[int]:
    """Zhao upholds every violation that acts."""
    sign_in(services, "zhao", HUANGCHUAN)
    with services.database.write() as connection:
        user = users.check_password(connection, "zhao", "a-quiet-river-in-henan")
        assert user is not None
        violations = select(Finding.id).where(Finding.outcome == "violation", ~Finding.shadow)
        found = connection.scalars(violations).all()
        for row in found:
            review.decide(connection, row, user, "uphold", "已核对时间轴", services.clock())
    return found


@pytest.mark.both_databases
def test_a_run_counts_what_people_left_beside_what_the_machine_proposes(
    services: Services, county: County, tmp_path: Path
) -> None:
    """Wu's sitting is not lost while somebody has to decide on it."""
    take_without_photos(services, county, perform("F02"), tmp_path)
    klass = class_row(services.database, county, "class-demo")
    told = validate(services, klass.id)
    assert told["outcomes"]["session"] == {"invalid": 1}
    assert told["standing"]["session"] == {"pending_review": 1}
    assert told["standing"].keys() == told["outcomes"].keys()
    uphold_all(services)
    assert validate(services, klass.id)["standing"]["session"] == {"invalid": 1}


def test_an_appeal_against_what_was_upheld_takes_its_learner_off_the_lists(
    services: Services, county: County, tmp_path: Path
) -> None:
    take_without_photos(services, county, perform("F02"), tmp_path)
    klass = class_row(services.database, county, "class-demo")
    validate(services, klass.id)
    found = uphold_all(services)
    validate(services, klass.id)
    with services.database.read() as connection:
        mark = conclusions.here(connection)
    assert "appeal_waiting" not in reasons_told(services.database, klass.id)
    with services.database.write() as connection:
        by: Any = {"actor": "platform:huang", "now_ms": services.clock()}
        appeals.file(connection, EVERYTHING, found[0], "那天停电，换了手机。", **by)
    conclusions.follow(services, mark)
    assert "appeal_waiting" in reasons_told(services.database, klass.id)


def reasons_told(database: Database, class_id: int) -> set[str]:
    """Why the learners of a class are refused or undecided."""
    with database.read() as connection:
        told = of_class(connection, class_id, EnrolmentVerdict)
        return {reason.code for it in told for reason in it.body.reasons}


def test_a_stranger_knows_no_run(lin: Class, county: County) -> None:
    run_id = lin.request()
    theirs = AccessScope(platform_id=county.guang.platform.id)
    with pytest.raises(Exception, match="there is no run"):
        lin.view(run_id, theirs)


def test_a_run_in_the_queue_is_kept_when_the_service_stops(lin: Class) -> None:
    run_id = lin.request()
    runner = class_run.ClassRunner(lin.services, poll_s=0.01)
    runner.start()
    for _ in range(500):
        if lin.view(run_id)["state"] == "done":
            break
        runner.stopping.wait(0.01)
    runner.stop()
    assert lin.view(run_id)["state"] == "done"
    with lin.database.read() as connection:
        assert connection.execute(Run.__table__.select()).one().error is None
