"""Rows that the verdicts on a class and its enrolments rest on, beyond sittings: what an audit
package carries so that eligibility, too, can be judged again.

Of what people of the class did elsewhere only what the checks ask is told: occupation, level, days,
platform. An ID number's hash is told as known or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, select

from app.store.catalogue.catalogue import ClassRow
from app.store.events import ledgers
from app.store.exchange.package_rows import Rows, photos_of, rows_of
from app.store.judging import enrolment_facts
from models import (
    Appeal,
    AssessmentRecord,
    Base,
    Course,
    Enrolment,
    Finding,
    HistoryRecord,
    LeaveRecord,
    OfflineAttendance,
    Person,
    Platform,
    RecordingRecord,
    Review,
    SatisfactionRecord,
    Session,
    TrainingClass,
)

_UNDECIDED = ("open", "first_review")
_LEDGER = (
    "id", "session_id", "kind", "source", "random_time", "issued_ms", "due_ms", "window_ms",
    "shown_ms", "answered_ms", "expired_ms", "flags",
)  # fmt: skip
_ELSEWHERE = (
    "id", "platform_id", "external_id", "official_class_no", "occupation", "starts_on",
    "assessment_on", "county", "institution",
)  # fmt: skip
_PLACE = ("id", "class_id", "learner_id", "ended_by")
_SURVEY = ("id", "class_id", "item", "satisfied", "answered", "surveyed_on")
_ASSESSED = ("id", "class_id", "learner_id", "held_on")
_REVIEW = ("id", "finding_id", "reviewer_id", "stage", "decision", "created_ms")
_APPEAL = ("id", "finding_id", "outcome", "replied_ms")


def tables(connection: Connection, klass: ClassRow, packed: Mapping[str, Rows]) -> dict[str, Rows]:
    """What `packed` lacks, and its classes, learners and enrolments with what is added to them."""
    roster = enrolment_facts.roster(connection, klass.id)
    persons = {row.person_id for row in roster}
    held = _held_elsewhere(connection, klass, persons)
    earlier = enrolment_facts.earlier_of_institution(
        connection, klass.county, klass.terms["institution"], klass.terms["starts_on"]
    )
    elsewhere = {row["class_id"] for row in held}
    people = {row["learner_id"]: row["person_id"] for row in held}
    everybody = persons | {row["person_id"] for row in packed["learners"]}
    versions = [row["course_id"] for row in packed["course_versions"]]
    mine = ("class_id", [klass.id])
    return {
        "classes": _merged(packed["classes"], _classes(connection, klass, elsewhere, earlier)),
        "learners": _merged(
            packed["learners"],
            [{"id": it, "person_id": of, "external_id": f"#{it}"} for it, of in people.items()],
        ),
        "enrolments": [
            *packed["enrolments"],
            *rows_of(connection, Enrolment, "id", [it["enrolment_id"] for it in held], _PLACE),
        ],
        "persons": [
            {
                "id": row["id"],
                "id_hash": row["id"].to_bytes(8, "big").hex() if row["id_hash"] else None,
            }
            for row in rows_of(connection, Person, "id", everybody, ("id", "id_hash"))
        ],
        "platforms": rows_of(connection, Platform, "id", _platforms(connection), ("id", "slug")),
        "courses": rows_of(connection, Course, "id", versions),
        "snapshots": _kept(connection, packed["snapshots"]),
        "controls": _ledger(connection, klass.id),
        "offline_attendance": _attendance(connection, klass.id),
        "recordings": rows_of(connection, RecordingRecord, *mine),
        "leave_records": _leave(connection, klass.id),
        "satisfaction_records": [
            *rows_of(connection, SatisfactionRecord, *mine),
            *rows_of(connection, SatisfactionRecord, "class_id", earlier, _SURVEY),
        ],
        "assessment_records": rows_of(
            connection, AssessmentRecord, "class_id", elsewhere, _ASSESSED
        ),
        "history_records": rows_of(connection, HistoryRecord, "person_id", persons),
        "reviews": _of_findings(connection, klass.id, Review, _REVIEW, settled=True),
        "appeals": _of_findings(connection, klass.id, Appeal, _APPEAL),
    }


def _attendance(connection: Connection, class_id: int) -> Rows:
    """Recorded in the class, and in the class before by who moved from there."""
    carried = enrolment_facts.carried_attendance(connection, class_id)
    return [
        *rows_of(connection, OfflineAttendance, "class_id", [class_id]),
        *rows_of(connection, OfflineAttendance, "id", carried),
    ]


def _leave(connection: Connection, class_id: int) -> Rows:
    """Of the class, and of the class before by who moved from there."""
    leave = [it.id for it in enrolment_facts.leaves(connection, class_id)]
    return rows_of(connection, LeaveRecord, "id", leave)


def _known(person_id: int) -> str:
    """What stands for the hash of an ID number: that there is one."""
    return person_id.to_bytes(8, "big").hex()


def _held_elsewhere(connection: Connection, klass: ClassRow, persons: Collection[int]) -> Rows:
    """These persons' places in other classes that count as earlier ones."""
    opening = klass.terms["starts_on"]
    rows = enrolment_facts.other_classes(connection, klass.id, persons, opening)
    keys = ("person_id", "learner_id", "class_id")
    found = [{key: getattr(row, key) for key in keys} for row in rows]
    places = {
        (row["class_id"], row["learner_id"]): row["id"]
        for row in rows_of(
            connection, Enrolment, "class_id", {it["class_id"] for it in found}, _PLACE
        )
    }
    return [it | {"enrolment_id": places[it["class_id"], it["learner_id"]]} for it in found]


def _classes(
    connection: Connection, klass: ClassRow, held: Collection[int], earlier: Collection[int]
) -> Rows:
    """Other classes as far as checks ask; another platform's own names for its classes stay there.

    The names that take their place keep the order of those they stand for.
    """
    found = rows_of(connection, TrainingClass, "id", {*held, *earlier}, (*_ELSEWHERE, "terms"))
    for rank, row in enumerate(sorted(found, key=lambda it: it["external_id"])):
        row["terms"] = {"level": row["terms"].get("level")} if row["id"] in held else {}
        if row["platform_id"] != klass.platform_id:
            row["external_id"] = f"#{rank:06}"
        if row["id"] not in held:
            row["official_class_no"] = None
    return found


def _platforms(connection: Connection) -> Iterable[int]:
    return connection.execute(select(Platform.id)).scalars().all()


def _ledger(connection: Connection, class_id: int) -> Rows:
    control = ledgers.opened(connection, Session.class_id == class_id).controls
    columns = (getattr(control, name) for name in _LEDGER)
    query = select(*columns).join(Session, Session.id == control.session_id)
    rows = connection.execute(query.where(Session.class_id == class_id).order_by(control.id))
    return [dict(row._mapping) | {"challenge_id": str(row.id)} for row in rows]


def _kept(connection: Connection, snapshots: Rows) -> Rows:
    """The photos, and whether each has an object."""
    sittings = [it["session_id"] for it in snapshots]
    known = photos_of(connection, sittings, ("id", "blob_key"))
    there = {it["id"] for it in known if it["blob_key"] is not None}
    return [it | {"blob_key": "kept" if it["id"] in there else None} for it in snapshots]


def _of_findings(
    connection: Connection,
    class_id: int,
    model: type[Base],
    columns: tuple[str, ...],
    *,
    settled: bool = False,
) -> Rows:
    """Reviews or appeals of the class's findings, or of its settled ones alone: what one of two
    reviewers thinks so far shows nowhere, and an appeal counts from the day that it is filed."""
    table = model.__table__
    query = (
        select(*(table.c[name] for name in columns))
        .join(Finding, Finding.id == table.c.finding_id)
        .where(Finding.class_id == class_id)
        .order_by(table.c.id)
    )
    if settled:
        query = query.where(Finding.status.not_in(_UNDECIDED))
    return [dict(row._mapping) for row in connection.execute(query)]


def _merged(packed: Rows, more: Rows) -> Rows:
    """Rows of both by id; what is packed already says more about its own columns."""
    known = {row["id"]: row for row in packed}
    fresh = {row["id"]: row for row in more}
    return [
        *({**fresh.get(it, {}), **row} for it, row in known.items()),
        *(row for it, row in fresh.items() if it not in known),
    ]
