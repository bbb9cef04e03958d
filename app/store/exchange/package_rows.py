"""Rows that an audit package carries, and a throw-away database to put them back into.

What a verdict rests on is read with `facts.of_class`; the same rows under the same ids, restored
into an empty database in memory, are judged by the service's own code. Nothing that identifies a
person beyond name and the platform's id is carried: no ID number, no template, no key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
from sqlalchemy import JSON, Connection, LargeBinary, Row, create_engine, insert, or_, select
from sqlalchemy.types import TypeEngine

from app.db import document_json
from app.store import stays
from app.store.accounts.audit import AuditRow
from app.store.events import event_log, ledgers
from app.store.events.archive import SealedLog
from app.store.events.event_log import MANIFEST
from app.store.faces import face_sets
from app.store.judging import facts
from app.store.row import AnyRow, fetch, stream
from app.store.scope import AccessScope
from models import (
    Act,
    AuditEntry,
    Base,
    ClassHour,
    CourseFace,
    CourseVersion,
    Enrolment,
    EventBatch,
    Finding,
    Learner,
    Lesson,
    ReferencePhoto,
    Session,
    TrainingClass,
    Verdict,
)

Rows = list[dict[str, Any]]
_IDS_A_QUERY = 500
_SESSION = (
    "id", "platform_id", "external_id", "class_id", "learner_id", "person_id", "lesson_id",
    "device_id", "window_id", "client", "provenance", "state", "close_reason", "started_at_ms",
    "opened_ms", "last_recv_ms", "closed_ms", "resume_ms", "chain", "batch_count", "event_count",
    "seq_conflict", "commitment", "seed_revealed",
)  # fmt: skip
_SNAPSHOT = (
    "id", "session_id", "external_id", "purpose", "control_id", "frame", "taken_at_ms",
    "received_ms", "late", "sha256", "media_type", "size", "purged_ms", "status", "check", "score",
    "limit", "reading", "phash", "checked_ms",
)  # fmt: skip
_OWN_CLASS = tuple(column.name for column in TrainingClass.__table__.columns)
_OTHER_CLASS = (
    "id", "platform_id", "external_id", "county", "controls", "pack_id", "pack_version",
    "pack_digest", "course_version_ids", "plan_digest",
)  # fmt: skip
_LEARNER = (
    "id", "platform_id", "external_id", "person_id", "name", "real_name_verified", "face_consent",
    "consent_ms",
)  # fmt: skip
_PAIR = ("id", "learner_id", "other_id", "model", "distance", "limit", "pictures", "scope")
_ALL = None


@dataclass(frozen=True, slots=True)
class StoredLog:
    """One sitting's evidence as stored; `manifest` frames the batches that the chain goes over."""

    session_id: int
    manifest: bytes
    events: bytes
    notes: bytes
    controls: bytes
    photos: bytes
    chain: bytes


def tables(connection: Connection, class_id: int, evidence: facts.NamedTrace) -> dict[str, Rows]:
    """Everything but logs and findings that verdicts on sittings and class-hours rest on."""
    sessions = [row.id for row in evidence.sessions]
    learners = {row.learner_id for row in evidence.sessions}
    classes = {row.class_id for row in evidence.sessions} | {class_id}
    members = connection.execute(
        select(Enrolment.learner_id).where(Enrolment.class_id == class_id)
    ).scalars()
    learners |= set(members)
    classes |= {it.moved_from for it in stays.movers(connection, class_id)}
    versions = {row.course_version_id for row in evidence.lessons}
    pairs = _pairs(connection, learners)
    alike = {it[side] for it in pairs for side in ("learner_id", "other_id")}
    return {
        "classes": [
            *rows_of(connection, TrainingClass, "id", [class_id], _OWN_CLASS),
            *rows_of(connection, TrainingClass, "id", classes - {class_id}, _OTHER_CLASS),
        ],
        "class_hours": rows_of(connection, ClassHour, "class_id", classes, _ALL),
        "course_versions": rows_of(connection, CourseVersion, "id", versions, _ALL),
        "lessons": rows_of(connection, Lesson, "course_version_id", versions, _ALL),
        "learners": [
            *rows_of(connection, Learner, "id", learners, _LEARNER),
            *_lookalikes(connection, alike - learners),
        ],
        "face_pairs": pairs,
        "enrolments": rows_of(connection, Enrolment, "class_id", [class_id], _ALL),
        "sessions": rows_of(connection, Session, "id", sessions, _SESSION),
        "course_faces": rows_of(connection, CourseFace, "session_id", sessions, _ALL),
        "snapshots": photos_of(connection, sessions, _SNAPSHOT),
        "reference_photos": _enrolled(connection, learners),
        "acts": rows_of(connection, Act, "class_id", classes, _ALL),
        "decisions": _decisions(connection, learners, class_id),
    }


def covered(connection: Connection, class_ids: Collection[int], scope: AccessScope) -> set[int]:
    """Those of the classes that lie within the scope."""
    query = select(TrainingClass.id).where(
        TrainingClass.id.in_(list(class_ids)), scope.covers_class()
    )
    return set(connection.execute(query).scalars())


def logs(connection: Connection, evidence: facts.NamedTrace) -> Iterator[StoredLog]:
    """The logs of all its sittings, in its order; an open one's batches are framed likewise."""
    trace = evidence.trace
    sealed: dict[int, SealedLog] = {}
    batches: dict[int, list[AnyRow]] = {}
    for chunk in _chunks([row.id for row in evidence.sessions]):
        for found in event_log.sealed(connection, chunk):
            sealed[found.session_id] = found
        waiting = select(EventBatch).where(EventBatch.session_id.in_(chunk))
        for batch in connection.execute(
            waiting.order_by(EventBatch.session_id, EventBatch.ordinal)
        ):
            batches.setdefault(batch.session_id, []).append(batch)
    for at, row in enumerate(evidence.sessions):
        log, late = sealed.get(row.id), batches.get(row.id, [])
        framed = np.array([(it.received_ms, it.count, len(it.notes)) for it in late], MANIFEST)
        chain = late[-1].chain if late else log.chain if log is not None else bytes(32)
        yield StoredLog(
            session_id=row.id,
            manifest=(log.manifest if log is not None else b"") + framed.tobytes(),
            events=(log.events if log is not None else b"") + b"".join(it.records for it in late),
            notes=(log.notes if log is not None else b"") + b"".join(it.notes for it in late),
            controls=trace.controls_of(at).tobytes(),
            photos=trace.photos_of(at).tobytes(),
            chain=chain,
        )


class VerdictRow(Protocol):
    subject_kind: str
    subject_id: int
    hour: int
    outcome: str
    pack: str
    pack_digest: str
    facts_digest: bytes
    body: bytes
    digest: bytes
    created_ms: int


def verdicts(connection: Connection, class_id: int) -> Sequence[VerdictRow]:
    """Every verdict that was ever reached on the class, oldest first."""
    return fetch(
        connection,
        select(Verdict).where(Verdict.class_id == class_id).order_by(Verdict.id),
        VerdictRow,
    )


def findings(connection: Connection, class_id: int) -> Rows:
    """Every finding ever entered on the class, those that no longer stand included."""
    return rows_of(connection, Finding, "class_id", [class_id], _ALL)


def audit_entries(
    connection: Connection, subjects: Collection[str]
) -> list[tuple[AuditRow, bytes]]:
    """The audit log's entries on these subjects, each with the link before it."""
    found = []
    wanted = set(subjects)
    previous = bytes(32)
    streaming = connection.execution_options(stream_results=True)
    for entry in stream(streaming, select(AuditEntry).order_by(AuditEntry.id), AuditRow):
        if entry.subject in wanted:
            found.append((entry, previous))
        previous = entry.chain
    return found


@contextmanager
def restored(tables: Mapping[str, Rows], logs: Iterable[StoredLog]) -> Iterator[Connection]:
    """A database in memory with these rows: what the service's own code can judge by."""
    engine = create_engine("sqlite://", json_serializer=document_json)
    try:
        with engine.connect() as connection:
            Base.metadata.create_all(connection)
            for name, rows in tables.items():
                model = "findings" if name == "decisions" else name
                _put(connection, model, rows)
            _put(connection, "event_logs", [_log_row(log) for log in logs])
            yield connection
    finally:
        engine.dispose()


def row_document(row: object) -> dict[str, Any]:
    """A row of the database as JSON: bytes as hex."""
    assert isinstance(row, Row)
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in row._mapping.items()
    }


def _log_row(log: StoredLog) -> dict[str, Any]:
    return {name: getattr(log, name) for name in StoredLog.__slots__}


def rows_of(
    connection: Connection,
    model: type[Base],
    key: str,
    values: Iterable[int],
    columns: tuple[str, ...] | None = None,
) -> Rows:
    """Rows of a table whose `key` is one of the values, in order, as JSON; all columns or these."""
    table = model.__table__
    names = columns or tuple(it.name for it in table.columns if it.computed is None)
    found: Rows = []
    for chunk in _chunks(sorted(set(values))):
        query = select(*(table.c[name] for name in names)).where(table.c[key].in_(chunk))
        found += [
            row_document(row) for row in connection.execute(query.order_by(*table.primary_key))
        ]
    return found


def photos_of(connection: Connection, session_ids: Iterable[int], columns: tuple[str, ...]) -> Rows:
    """As `rows_of`, photos of these sittings, wherever their rows lie."""
    found: Rows = []
    for chunk in _chunks(sorted(set(session_ids))):
        photo = ledgers.opened(connection, Session.id.in_(chunk)).photos
        query = select(*(getattr(photo, name) for name in columns))
        query = query.where(photo.session_id.in_(chunk)).order_by(photo.id)
        found += [row_document(row) for row in connection.execute(query)]
    return sorted(found, key=itemgetter("id"))


def findings_of(connection: Connection, class_id: int) -> Rows:
    """Every finding of a class, shadow or not."""
    return rows_of(connection, Finding, "class_id", [class_id])


def _pairs(connection: Connection, learners: Collection[int]) -> Rows:
    """Accounts that look alike, as far as one of these learners is part of it."""
    known = (row_document(row) for row in face_sets.pairs_of(connection, learners))
    return [{name: row[name] for name in _PAIR} for row in known]


def _lookalikes(connection: Connection, learners: Collection[int]) -> Rows:
    """Accounts elsewhere that look like one of the class: whose they are, without a name."""
    rows = rows_of(connection, Learner, "id", learners, ("id", "person_id"))
    return [row | {"external_id": f"#{row['id']}"} for row in rows]


def _enrolled(connection: Connection, learners: Iterable[int]) -> Rows:
    """That a learner has an enrolled face is a fact; the template itself stays where it is."""
    found: Rows = []
    for chunk in _chunks(sorted(learners)):
        query = select(ReferencePhoto.id, ReferencePhoto.learner_id, ReferencePhoto.sha256).where(
            ReferencePhoto.learner_id.in_(chunk),
            ReferencePhoto.status == "ready",
            ReferencePhoto.retired_ms.is_(None),
        )
        rows = connection.execute(query.order_by(ReferencePhoto.id))
        found += [row_document(row) | {"status": "ready"} for row in rows]
    return found


def _decisions(connection: Connection, learners: Iterable[int], class_id: int) -> Rows:
    """What people decided on these learners' findings in other classes; the class's own findings
    are packed whole."""
    found: Rows = []
    for chunk in _chunks(sorted(learners)):
        query = select(Finding.id, Finding.key, Finding.learner_id, Finding.status).where(
            Finding.learner_id.in_(chunk),
            Finding.class_id != class_id,
            or_(Finding.status == "upheld", Finding.status == "overturned"),
        )
        found += [row_document(row) for row in connection.execute(query.order_by(Finding.id))]
    return found


def _put(connection: Connection, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows; a column that was not carried is null, or empty where null is not allowed."""
    table = Base.metadata.tables[name]
    blank = {
        column.name: _empty(column.type)
        for column in table.columns
        if not column.primary_key and not column.nullable
    }
    binary = {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
    alike: dict[tuple[str, ...], Rows] = {}
    for row in rows:
        values = blank | {
            key: bytes.fromhex(value) if key in binary and isinstance(value, str) else value
            for key, value in row.items()
        }
        alike.setdefault(tuple(values), []).append(values)
    for group in alike.values():
        connection.execute(insert(table), group)


def _empty(kind: TypeEngine[Any]) -> Any:
    return {} if isinstance(kind, JSON) else kind.python_type()


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(ids), _IDS_A_QUERY):
        yield ids[at : at + _IDS_A_QUERY]
