"""Who may be assessed is judged again from a package too, on every list that bears on it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.canonical import canonical
from app.clock import day
from app.domain.accounts import users
from app.domain.catalogue import records
from app.domain.review import acts, review
from app.reports import container, package
from app.reports.package import ndjson
from app.reports.verify import verify
from app.services import Services
from app.simulation.environment import Setting
from app.simulation.scenarios import perform
from app.store.catalogue import class_file
from app.store.catalogue.catalogue import ClassRow
from app.store.scope import EVERYTHING
from models import Finding, Person, TrainingClass
from tests.people import HUANGCHUAN, County
from tests.reports.test_package import A_CLERK, named, resealed
from tests.reports.test_package import elsewhere as elsewhere
from tests.verdicts import class_row, sign_in, take_without_photos, validate

Members = dict[str, bytes]
LIN = "learner-01"
LISTS: dict[str, list[dict[str, Any]]] = {
    "offline-attendance": [
        {"learner_id": LIN, "held_on": "2026-11-10", "hours": 8, "practical": True}
    ],
    "leave": [
        {
            "learner_id": "learner-02",
            "from_on": "2026-11-05",
            "to_on": "2026-11-05",
            "written": True,
            "approved": True,
        }
    ],
    "satisfaction": [{"surveyed_on": "2026-11-12", "satisfied": 7, "answered": 8}],
    "history": [
        {
            "learner_id": LIN,
            "occupation": "保育员",
            "level": "五级",
            "started_on": "2026-03-01",
            "assessed_on": "2026-04-10",
            "subsidised": True,
        }
    ],
}


@pytest.fixture
def reported(services: Services, klass: ClassRow) -> None:
    with services.database.write() as connection:
        for name, items in LISTS.items():
            told = records.take(
                connection,
                services.vault,
                klass,
                records.LISTS[name],
                items,
                actor="test",
                now_ms=services.clock(),
            )
            assert told.accepted == len(items), (name, told.rejected)


def packed(services: Services, klass: ClassRow) -> Members:
    return container.unpack(package.export(services, klass, A_CLERK, EVERYTHING).file.data)


def rewritten(members: Members, name: str, **changes: Any) -> bytes:
    """A package sealed anew in which the rows of a member say something else."""
    rows = [json.loads(line) | changes for line in members[name].splitlines()]
    return resealed({**members, name: ndjson(rows)})


def test_enrolments_and_class_are_judged_again_on_every_list(
    reported: None, services: Services, klass: ClassRow
) -> None:
    members = packed(services, klass)
    report = verify(container.pack(members))
    assert not report.problems
    index = json.loads(members["verdicts/index.json"])
    current = sum(it["current"] for kind in index.values() for it in kind)
    assert report.checked["replayed"] == current


def test_a_class_that_a_judged_learner_left_is_verified_without_a_verdict_on_them(
    reported: None, services: Services, klass: ClassRow
) -> None:
    validate(services, klass.id)
    with services.database.write() as connection:
        acts.record(
            connection,
            klass,
            kind="left_class",
            learner=LIN,
            body={"last_on": day(services.clock()).isoformat()},
            reason="个人原因，不再参加培训",
            document="",
            actor="test",
            user=None,
            now_ms=services.clock(),
            vault=services.vault,
        )
    members = packed(services, klass)
    assert not verify(container.pack(members)).problems
    bodies = members["verdicts/enrolment.ndjson"].splitlines()
    index = json.loads(members["verdicts/index.json"])["enrolment"]
    told = [it["current"] for it, body in zip(index, bodies, strict=True) if LIN.encode() in body]
    assert told and not any(told), "what was concluded before stays, as history"


def test_an_eligible_learner_who_was_not_is_found(services: Services, klass: ClassRow) -> None:
    members = packed(services, klass)
    bodies = members["verdicts/enrolment.ndjson"].splitlines()
    index = json.loads(members["verdicts/index.json"])
    at = max(n for n, it in enumerate(index["enrolment"]) if it["current"])
    other = "ineligible" if b'"outcome":"eligible","own"' in bodies[at] else "eligible"
    bodies[at] = canonical(json.loads(bodies[at]) | {"outcome": other})
    index["enrolment"][at]["sha256"] = hashlib.sha256(bodies[at]).hexdigest()
    forged = {"verdicts/enrolment.ndjson": b"".join(it + b"\n" for it in bodies)}
    forged["verdicts/index.json"] = canonical(index)
    report = verify(resealed({**members, **forged}))
    assert named(report) == {"verdicts/enrolment.ndjson"}
    assert "another outcome" in report.problems[0].detail


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("tables/offline_attendance.ndjson", {"hours": 80.0}),
        ("tables/leave_records.ndjson", {"approved": False}),
        ("tables/satisfaction_records.ndjson", {"satisfied": 1}),
        ("tables/history_records.ndjson", {"started_on": "2026-10-01"}),
    ],
)
def test_a_list_that_was_changed_and_sealed_anew_gives_other_verdicts(
    reported: None, services: Services, klass: ClassRow, name: str, changes: dict[str, Any]
) -> None:
    report = verify(rewritten(packed(services, klass), name, **changes))
    assert named(report) & {"verdicts/enrolment.ndjson", "verdicts/class.ndjson"}
    assert {it.code for it in report.problems} == {"replay"}


def test_a_class_held_on_another_platform_counts_and_cannot_be_left_out(
    elsewhere: None, services: Services, klass: ClassRow
) -> None:
    with services.database.write() as connection:
        there = TrainingClass.external_id == "class-there"
        connection.execute(
            update(TrainingClass)
            .where(there)
            .values(starts_on="2026-09-20", official_class_no=None, assessment_on=None)
        )
    members = packed(services, klass)
    assert not verify(container.pack(members)).problems
    own = [
        row
        for row in map(json.loads, members["tables/enrolments.ndjson"].splitlines())
        if row["class_id"] == klass.id
    ]
    report = verify(resealed({**members, "tables/enrolments.ndjson": ndjson(own)}))
    assert named(report) == {"verdicts/enrolment.ndjson"}


def test_decisions_and_the_scale_that_the_authority_picked_are_judged_again(
    services: Services, klass: ClassRow
) -> None:
    for name in ("zhao", "sun"):
        sign_in(services, name, HUANGCHUAN)
    with services.database.write() as connection:
        zhao, sun = (
            users.check_password(connection, name, "a-quiet-river-in-henan")
            for name in ("zhao", "sun")
        )
        assert zhao and sun
        class_file.set_scale(connection, klass.id, "literal", zhao.id, services.clock())
        rows = connection.execute(
            select(Finding).where(Finding.class_id == klass.id, Finding.shadow.is_(False))
        ).all()
        for row in rows[:2]:
            review.decide(connection, row.id, zhao, "uphold", "已核对记录", services.clock())
        if rows[0].needs_two_reviewers:
            review.decide(connection, rows[0].id, sun, "uphold", "已核对记录", services.clock())
    members = packed(services, klass)
    assert not verify(container.pack(members)).problems
    assert b'"scale":"literal"' in members["verdicts/enrolment.ndjson"]
    undone = rewritten(members, "tables/reviews.ndjson", decision="overturn")
    assert [(it.member, it.code) for it in verify(undone).problems][:1] == [
        ("reviews.ndjson", "row")
    ]
    nobody = {"reviews.ndjson": b"", "tables/reviews.ndjson": b""}
    without = verify(resealed({**members, **nobody}))
    assert {(it.member, it.code) for it in without.problems} == {("reviews.ndjson", "review")}
    assert "is in the audit log and missing here" in without.problems[0].detail
    unheard = {**nobody, "audit.ndjson": b""}
    assert "replay" in {it.code for it in verify(resealed({**members, **unheard})).problems}


def test_what_one_upheld_counts_no_more_once_the_picked_scale_asks_for_two(
    services: Services, klass: ClassRow
) -> None:
    sign_in(services, "zhao", HUANGCHUAN)
    with services.database.write() as connection:
        zhao = users.check_password(connection, "zhao", "a-quiet-river-in-henan")
        assert zhao
        light = select(Finding.id).where(
            Finding.class_id == klass.id,
            Finding.shadow.is_(False),
            Finding.outcome == "violation",
            Finding.needs_two_reviewers.is_(False),
            Finding.fault == "learner",
        )
        finding_id = connection.execute(light.limit(1)).scalar_one()
        review.decide(connection, finding_id, zhao, "uphold", "已核对记录", services.clock())
    validate(services, klass.id)
    with services.database.write() as connection:
        class_file.set_scale(connection, klass.id, "literal", zhao.id, services.clock())
    assert validate(services, klass.id)["verdicts_stored"] > 0
    assert validate(services, klass.id)["verdicts_stored"] == 0, "one run came to the end of it"


def test_no_hash_of_an_id_number_leaves_the_house(services: Services, klass: ClassRow) -> None:
    whole = b"".join(packed(services, klass).values())
    with services.database.read() as connection:
        hashes = [it for it in connection.execute(select(Person.id_hash)).scalars() if it]
    assert hashes and not [it for it in hashes if it.hex().encode() in whole or it in whole]


def test_one_first_reviewer_s_opinion_on_a_missing_control_is_in_no_verdict(
    services: Services, county: County, tmp_path: Path
) -> None:
    setting = Setting(class_id="class-gap", course_id="course-gap", label="gap")
    take_without_photos(services, county, perform("F30", setting=setting), tmp_path)
    gap = class_row(services.database, county, "class-gap")
    first = packed(services, gap)
    sign_in(services, "zhao", HUANGCHUAN)
    with services.database.write() as connection:
        zhao = users.check_password(connection, "zhao", "a-quiet-river-in-henan")
        assert zhao
        missing = select(Finding.id).where(Finding.class_id == gap.id, Finding.learner_id.is_(None))
        for finding_id in connection.execute(missing).scalars().all():
            review.decide(connection, finding_id, zhao, "uphold", "已核对台账", services.clock())
    then = packed(services, gap)
    assert not verify(container.pack(then)).problems
    assert then["verdicts/class.ndjson"] == first["verdicts/class.ndjson"]
    assert b"first_review" in then["findings.ndjson"], "one of two has spoken"
