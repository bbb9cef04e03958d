"""Evidence out of the database as the detectors' columns.

One row a closed session: its log. Open sessions are read from their batches and ledger, so a live
sitting can be judged like any other. Everything of the people in question is read, whatever class
or platform it belongs to, as far as it lies within the same time: one person counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, select
from sqlalchemy.orm import aliased

from app.clock import day
from app.store import stays
from app.store.among import among
from app.store.bodies import PhotoCopy
from app.store.controls import controls as ledger
from app.store.events import archive, event_log
from app.store.events.archive import SealedLog
from app.store.faces import course_faces, face_sets, snapshots
from app.store.judging import study_days
from app.store.review import acts as recorded
from app.store.review.act_bodies import AnswerTimeBody, CheckedInPersonBody, LessonLengthBody
from app.store.review.acts import JUDGING, ActInForce, film_of
from app.store.row import fetch, fetch_one, stream
from app.store.stays import Away
from detectors.dates import StudyDays, midnight_ms
from detectors.film import Film, corrected
from detectors.segments import Segments
from detectors.trace import (
    CONTROL,
    COURSE_FACE,
    EVENT,
    FACE_PAIR,
    IN_PERSON,
    LESSON,
    NONE,
    PHOTO,
    PIECE,
    SESSION,
    OverCourse,
    PhotoFlag,
    SessionFlag,
    Trace,
    offsets,
    owners,
)
from models import (
    ClassHour,
    CourseVersion,
    EventBatch,
    EventLog,
    Learner,
    Lesson,
    ReferencePhoto,
    Session,
    TrainingClass,
)

CHUNK = 500  # ids in one IN clause
ONE_DAY = timedelta(days=1)


class JudgedSitting(Protocol):
    """A sitting with the names around it."""

    id: int
    external_id: str
    platform_id: int
    class_id: int
    learner_id: int
    person_id: int
    lesson_id: int
    device_id: str
    window_id: str
    provenance: str
    state: str
    client: dict[str, Any]
    started_at_ms: int | None
    opened_ms: int
    closed_ms: int | None
    last_recv_ms: int
    resume_ms: int
    seq_conflict: bool
    learner: str
    learner_name: str
    face_consent: bool
    klass: str
    controls: str


class JudgedLesson(Protocol):
    """A lesson with what its course demands."""

    course_version_id: int
    id: int
    external_id: str
    title: str
    position: int
    media_ms: int
    course_kind: str | None
    sequential_lock: bool


@dataclass(frozen=True, slots=True)
class NamedTrace:
    """A trace, and what its rows are called. `sessions[i]` is the database row behind
    `trace.sessions[i]`; `hours` and `lessons` name the rows of the plan; `copies[i]` the earlier
    photograph that `trace.photos[i]` repeats; `acts` what people recorded on the classes."""

    trace: Trace
    sessions: Sequence[JudgedSitting]
    hours: Sequence[tuple[int, int]]  # (class id, number) of every hour row
    lessons: Sequence[JudgedLesson]
    copies: Mapping[int, PhotoCopy] = field(default_factory=dict)
    acts: Sequence[ActInForce] = ()
    carried: Collection[int] = ()  # ids of sittings in another class that count for who moved here

    def acts_on(self, session: int) -> list[ActInForce]:
        """Recorded acts that the sitting of this row is judged by."""
        row = self.sessions[session]
        return [
            act
            for act in self.acts
            if act.class_id == row.class_id
            and act.learner_id in (None, row.learner_id)
            and act.since_ms <= row.opened_ms
        ]


_SESSION = (
    select(
        Session.id,
        Session.external_id,
        Session.platform_id,
        Session.class_id,
        Session.learner_id,
        Session.person_id,
        Session.lesson_id,
        Session.device_id,
        Session.window_id,
        Session.provenance,
        Session.state,
        Session.client,
        Session.started_at_ms,
        Session.opened_ms,
        Session.closed_ms,
        Session.last_recv_ms,
        Session.resume_ms,
        Session.seq_conflict,
        Learner.external_id.label("learner"),
        Learner.name.label("learner_name"),
        Learner.face_consent,
        TrainingClass.external_id.label("klass"),
        TrainingClass.controls,
    )
    .join(Learner, Learner.id == Session.learner_id)
    .join(TrainingClass, TrainingClass.id == Session.class_id)
    .order_by(Session.learner_id, Session.class_id, Session.opened_ms, Session.id)
)


def of_class(connection: Connection, class_id: int) -> NamedTrace:
    """Everything that bears on a class: its sittings, and those that its people had meanwhile."""
    mine = Session.class_id == class_id
    own = fetch(connection, _SESSION.where(mine), JudgedSitting)
    evidence = _gather(connection, own, ~mine, _carried(connection, class_id))
    faces = _faces(connection, {row.learner_id for row in own})
    return replace(evidence, trace=replace(evidence.trace, faces=faces))


def of_learner(connection: Connection, class_id: int, learner_id: int) -> NamedTrace:
    """Everything that bears on one learner in one class."""
    mine = and_(Session.class_id == class_id, Session.learner_id == learner_id)
    own = fetch(connection, _SESSION.where(mine), JudgedSitting)
    return _gather(connection, own, ~mine, _carried(connection, class_id, learner_id))


@dataclass(frozen=True, slots=True)
class _Carried:
    """Sittings in the classes that learners moved from, which count for the class judged.

    `until_ms` by learner: the first instant of the first day here."""

    class_id: int
    rows: Sequence[JudgedSitting] = ()
    until_ms: Mapping[int, int] = field(default_factory=dict)
    ids: Collection[int] = ()


def _carried(connection: Connection, class_id: int, learner_id: int | None = None) -> _Carried:
    """As far as they are of the very lessons that are taught here."""
    movers = stays.movers(connection, class_id, learner_id)
    if not movers:
        return _Carried(class_id)
    taught = connection.execute(
        select(TrainingClass.course_version_ids).where(TrainingClass.id == class_id)
    ).scalar_one()
    lessons = select(Lesson.id).where(Lesson.course_version_id.in_(taught))
    rows: list[JudgedSitting] = []
    for it in movers:
        theirs = and_(Session.class_id == it.moved_from, Session.learner_id == it.learner_id)
        query = _SESSION.where(theirs, Session.lesson_id.in_(lessons))
        rows += fetch(connection, query, JudgedSitting)
    until: dict[int, int] = {}
    for it in movers:
        until[it.learner_id] = max(midnight_ms(it.first_on), until.get(it.learner_id, 0))
    return _Carried(class_id, rows, until, frozenset(row.id for row in rows))


def session_row(connection: Connection, session_id: int) -> JudgedSitting:
    """The session with the names around it. Raises NoResultFound."""
    return fetch_one(connection, _SESSION.where(Session.id == session_id), JudgedSitting)


_THIS, _OTHER = aliased(Session), aliased(Session)


def judged_meanwhile(
    connection: Connection, session_ids: Collection[int]
) -> Sequence[tuple[int, int]]:
    """(class, learner) of sittings in other classes that are judged already, and that the same
    person began while one of these ran."""
    found: set[tuple[int, int]] = set()
    for chunk in _chunks(sorted(session_ids)):
        query = (
            select(_OTHER.class_id, _OTHER.learner_id)
            .join(_THIS, _THIS.person_id == _OTHER.person_id)
            .where(
                _THIS.id.in_(chunk),
                _OTHER.class_id != _THIS.class_id,
                _OTHER.opened_ms.between(_THIS.opened_ms, _THIS.last_recv_ms),
                _OTHER.settled,
            )
        )
        found |= {(row.class_id, row.learner_id) for row in connection.execute(query)}
    return sorted(found)


def of_sessions(connection: Connection, session_ids: Collection[int]) -> NamedTrace:
    """Just these sittings, nothing around them."""
    rows: list[JudgedSitting] = []
    for chunk in _chunks(sorted(session_ids)):
        rows += fetch(connection, _SESSION.where(Session.id.in_(chunk)), JudgedSitting)
    return _load(connection, _sorted(rows))


def _gather(
    connection: Connection,
    own: Sequence[JudgedSitting],
    others: ColumnElement[bool],
    carried: _Carried,
) -> NamedTrace:
    """Evidence of sittings, and of the others that their people had at the same time: on the same
    days, for a day's study is held against a limit as a whole."""
    own = [*own, *carried.rows]
    if not own:
        return _load(connection, own)
    begin = midnight_ms(day(min(row.opened_ms for row in own)))
    end = midnight_ms(day(max(row.closed_ms or row.last_recv_ms for row in own)) + ONE_DAY)
    rows = list(own)
    for people in _chunks(sorted({row.person_id for row in own})):
        meanwhile = _SESSION.where(
            Session.person_id.in_(people),
            others,
            Session.opened_ms < end,
            Session.last_recv_ms >= begin,
        )
        found = stream(connection, meanwhile, JudgedSitting)
        rows += [row for row in found if row.id not in carried.ids]
    alone = len(rows) == len(own) and not carried.rows
    return _load(connection, rows if alone else _sorted(rows, carried), carried)


def _sorted(rows: list[JudgedSitting], carried: _Carried | None = None) -> list[JudgedSitting]:
    """Learner by learner, class by class; what is carried stands with the class it counts for."""

    def place(row: JudgedSitting) -> tuple[int, int, int, int]:
        return row.learner_id, _counts_for(row, carried), row.opened_ms, row.id

    return sorted(rows, key=place)


def _counts_for(row: JudgedSitting, carried: _Carried | None) -> int:
    return carried.class_id if carried and row.id in carried.ids else row.class_id


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK)]


def _load(
    connection: Connection, rows: Sequence[JudgedSitting], carried: _Carried | None = None
) -> NamedTrace:
    lessons, lesson_columns = _lessons(connection, rows)
    lesson_rows = {row.id: at for at, row in enumerate(lessons)}
    named = {row.class_id for row in rows} | {_counts_for(row, carried) for row in rows}
    classes = {key: at for at, key in enumerate(sorted(named))}
    hours, pieces = _plans(connection, classes, lesson_rows)
    logs = _logs(connection, [row.id for row in rows])
    for row in rows:
        if row.id not in logs:
            logs[row.id] = _open_log(connection, row)
    broken = {id for id, log in logs.items() if not log.intact}
    columns = _sessions(connection, rows, classes, lesson_rows, broken, carried)
    events, events_at = _columns([logs[row.id].events for row in rows], EVENT)
    control_columns, controls_at = _columns([logs[row.id].controls for row in rows], CONTROL)
    photos, photos_at = _columns([logs[row.id].photos for row in rows], PHOTO)
    events, events_at = _in_order(events, events_at)
    trace = Trace(
        sessions=columns,
        events=events,
        events_at=events_at,
        controls=control_columns,
        controls_at=controls_at,
        photos=photos,
        photos_at=photos_at,
        lessons=lesson_columns,
        pieces=pieces,
    )
    copies = _copies(connection, rows, trace)
    acts = recorded.in_force(connection, named, JUDGING)
    trace = replace(
        trace,
        course=_course(connection, rows),
        answer_ms=_answer_ms(rows, acts),
        named=_named(rows),
        in_person=_in_person(acts, rows, columns, hours),
    )
    lessons, trace = _corrected(acts, classes, lessons, trace)
    ids = carried.ids if carried else ()
    return NamedTrace(trace, rows, hours, lessons, copies, acts, ids)


def _corrected(
    acts: Sequence[ActInForce],
    classes: Mapping[int, int],
    lessons: Sequence[JudgedLesson],
    trace: Trace,
) -> tuple[Sequence[JudgedLesson], Trace]:
    """The lessons with the films that people corrected, class by class."""
    films: dict[tuple[int, int], Film] = {}
    for act in acts:
        if act.kind == "lesson_length" and act.class_id in classes:
            body = act.said(LessonLengthBody)
            for at, row in enumerate(lessons):  # an id names a lesson in each course's version
                if row.external_id == body.lesson_id:
                    films[classes[act.class_id], at] = film_of(body)
    if not films:
        return lessons, trace
    trace, origin = corrected(trace, films)
    return [lessons[row] for row in origin.tolist()], trace


def _answer_ms(rows: Sequence[JudgedSitting], acts: Sequence[ActInForce]) -> NDArray[np.int64]:
    """int64[S] the longer time to answer pop-ups that was recorded for each sitting's learner."""
    longer: dict[tuple[int, int | None], list[tuple[int, int]]] = defaultdict(list)
    for act in acts:
        if act.kind == "answer_time":
            window = (act.since_ms, act.said(AnswerTimeBody).window_ms)
            longer[act.class_id, act.learner_id].append(window)
    if not longer:
        return np.zeros(0, np.int64)
    return np.array(
        [
            max((it for since, it in windows if since <= row.opened_ms), default=0)
            for row in rows
            for windows in [longer.get((row.class_id, row.learner_id), ())]
        ],
        np.int64,
    )


def _named(rows: Sequence[JudgedSitting]) -> NDArray[np.int64]:
    """int64[S] the name that each sitting's account bears, as numbers."""
    names: dict[str, int] = {}
    return np.array(
        [names.setdefault(row.learner_name.casefold(), len(names)) for row in rows], np.int64
    )


def _in_person(
    acts: Sequence[ActInForce],
    rows: Sequence[JudgedSitting],
    columns: NDArray[np.void],
    hours: Sequence[tuple[int, int]],
) -> NDArray[np.void]:
    """IN_PERSON[H] of what people recorded."""
    cases: dict[tuple[int | None, int], int] = {
        (row.learner_id, row.class_id): int(case)
        for row, case in zip(rows, columns["case"], strict=True)
    }
    numbered = {hour: at for at, hour in enumerate(hours)}
    found = {
        (cases[act.learner_id, act.class_id], numbered[act.class_id, number])
        for act in acts
        if act.kind == "checked_in_person" and (act.learner_id, act.class_id) in cases
        for number in act.said(CheckedInPersonBody).class_hours
        if (act.class_id, number) in numbered
    }
    return np.array(sorted(found), IN_PERSON)


def _faces(connection: Connection, learner_ids: Collection[int]) -> NDArray[np.void]:
    """FACE_PAIR[F] of the learners' accounts."""
    return np.array(
        [
            (row.person, row.other_person, row.distance, row.limit, row.pictures)
            for row in face_sets.pairs_of(connection, learner_ids)
        ],
        FACE_PAIR,
    )


def _course(connection: Connection, rows: Sequence[JudgedSitting]) -> NDArray[np.void]:
    """COURSE_FACE[K] of the sittings."""
    place = {row.id: at for at, row in enumerate(rows)}
    return np.array(
        sorted(
            (
                place[row.session_id],
                OverCourse[row.kind.upper()],
                row.distance,
                row.limit,
                row.sittings,
                row.others,
            )
            for row in course_faces.of_sessions(connection, place)
        ),
        COURSE_FACE,
    )


def _copies(
    connection: Connection, rows: Sequence[JudgedSitting], trace: Trace
) -> dict[int, PhotoCopy]:
    repeats = np.flatnonzero(trace.photos["flags"] & PhotoFlag.NEAR_DUPLICATE)
    of = owners(trace.photos_at)[repeats]
    known = snapshots.copies(connection, sorted({rows[at].id for at in of}))
    named = {
        int(row): known.get((rows[at].id, int(row - trace.photos_at[at])))
        for row, at in zip(repeats, of, strict=True)
    }
    return {row: copy for row, copy in named.items() if copy is not None}


class _Log(NamedTuple):
    """A sitting's evidence as stored; `intact`: its events still hash to their chain."""

    events: bytes
    controls: bytes
    photos: bytes
    intact: bool


def _logs(connection: Connection, ids: Sequence[int]) -> dict[int, _Log]:
    """The logs of the sealed sessions that nothing was added to since."""
    logs: dict[int, _Log] = {}
    for chunk in _chunks(ids):
        of_these = among(connection, EventBatch.session_id, chunk)
        query = select(EventBatch.session_id).where(of_these).distinct()
        unsealed = set(connection.execute(query).scalars())
        for log, settled, head in _sealed(connection, set(chunk)):
            if log.session_id not in unsealed:
                intact = event_log.verify(log.manifest, log.events, log.notes, log.chain)
                intact &= head == log.chain or not settled
                logs[log.session_id] = _Log(log.events, log.controls, log.photos, intact)
    return logs


_HEAD = select(Session.id, Session.settled, Session.chain)
_SEALED = event_log.SEALED.add_columns(Session.settled, Session.chain.label("head")).join(
    Session, Session.id == EventLog.session_id
)


def _sealed(connection: Connection, missing: set[int]) -> Iterator[tuple[SealedLog, bool, bytes]]:
    """Logs with what their session says of them: in one statement, or before what is archived is
    looked for, so that nobody seals in between."""
    sealed = among(connection, EventLog.session_id, missing)
    for row in connection.execute(_SEALED.where(sealed)).all():
        missing.remove(row.session_id)
        yield SealedLog(*row[: len(SealedLog._fields)]), row.settled, row.head
    if missing:
        heads = connection.execute(_HEAD.where(Session.id.in_(missing))).all()
        said = {row.id: (row.settled, row.chain) for row in heads}
        for log in archive.logs(connection, missing):
            yield log, *said[log.session_id]


def _open_log(connection: Connection, row: JudgedSitting) -> _Log:
    log = event_log.read_judged(connection, row.id)
    controls, photos = ledger_columns(connection, row.id, row.opened_ms)
    return _Log(log.events.tobytes(), controls.tobytes(), photos.tobytes(), log.intact)


def ledger_columns(
    connection: Connection, session_id: int, opened_ms: int
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """A session's controls and photos as CONTROL[C] and PHOTO[P], from their tables."""
    controls = ledger.rows(connection, session_id)
    photos = snapshots.rows(connection, session_id)
    return (
        ledger.controls_array(controls, opened_ms),
        snapshots.photos_array(photos, controls, opened_ms),
    )


def _columns(blobs: list[bytes], dtype: np.dtype[Any]) -> tuple[NDArray[np.void], Any]:
    counts = np.array([len(blob) // dtype.itemsize for blob in blobs], np.int64)
    return np.frombuffer(b"".join(blobs), dtype), offsets(counts)


def _in_order(events: NDArray[np.void], at: Any) -> tuple[NDArray[np.void], Any]:
    """Sort by seq within sessions, keeping the first to arrive of each; usually nothing to do."""
    seq = events["seq"]
    falling = np.flatnonzero(seq[1:] <= seq[:-1]) + 1
    if np.isin(falling, at).all():
        return events, at
    own, seq = owners(at), seq.astype(np.int64)
    order = np.lexsort((np.arange(len(events)), seq, own))
    first = Segments((own[order] << 32) + seq[order]).firsts
    kept = order[first]
    return events[kept], offsets(np.bincount(own[kept], minlength=len(at) - 1))


def _sessions(
    connection: Connection,
    rows: Sequence[JudgedSitting],
    classes: dict[int, int],
    lesson_rows: dict[int, int],
    broken: Collection[int] = (),
    carried: _Carried | None = None,
) -> NDArray[np.void]:
    enrolled = _with_photo(connection, rows)
    columns = []
    devices: dict[tuple[int, str], int] = {}
    windows: dict[tuple[int, str], int] = {}
    agents: dict[str, int] = {}
    addresses: dict[str, int] = {}
    windows_of = _study_days(connection, rows)
    aways = stays.aways(connection, {row.class_id for row in rows})
    cases: dict[tuple[int, int], int] = {}  # rows come learner by learner, class by class
    for row in rows:
        home = _counts_for(row, carried)
        case = cases.setdefault((row.learner_id, home), len(cases))
        flags = _flags(
            row.state,
            row.provenance,
            row.controls,
            row.learner_id in enrolled,
            row.face_consent,
            row.seq_conflict,
            row.id in broken,
        )
        columns.append(
            (
                row.opened_ms,
                max(row.closed_ms or 0, row.last_recv_ms, row.opened_ms),
                case,
                row.person_id,
                classes[home],
                row.platform_id,
                lesson_rows[row.lesson_id],
                devices.setdefault((row.platform_id, row.device_id), len(devices)),
                windows.setdefault((row.platform_id, row.window_id), len(windows)),
                row.resume_ms,
                flags,
                *_attested_times(row),
                _numbered(agents, row.client.get("user_agent")),
                _numbered(addresses, row.client.get("address")),
                *_bounds(windows_of.get((row.class_id, row.learner_id)), row, carried, aways),
            )
        )
    return np.array(columns, SESSION)


def _bounds(
    days: StudyDays | None,
    row: JudgedSitting,
    carried: _Carried | None,
    aways: Mapping[tuple[int, int], Sequence[Away]],
) -> tuple[int, int, int]:
    """From when until when study counts, and until when as stated. What is carried counts up to the
    move: an audit package tells no more of the class it was in. A sitting of when the learner was
    away, as an import may tell of, counts up to the last day in the class before."""
    if carried and row.id in carried.ids:
        until_ms = carried.until_ms[row.learner_id]
        return 1, until_ms, until_ms
    if days is None:
        return NONE, NONE, NONE
    for away in aways.get((row.class_id, row.learner_id), ()):
        if midnight_ms(away.from_on) <= row.opened_ms < midnight_ms(away.back_on):
            until_ms = min(days.until_ms, midnight_ms(away.from_on))
            return days.from_ms, until_ms, until_ms
    return days.from_ms, days.until_ms, days.stated_until_ms


def _with_photo(connection: Connection, rows: Sequence[JudgedSitting]) -> set[int]:
    """Ids of the learners of whom there is a photo to compare with."""
    found: set[int] = set()
    for learners in _chunks(sorted({row.learner_id for row in rows})):
        query = select(ReferencePhoto.learner_id).where(
            ReferencePhoto.learner_id.in_(learners),
            ReferencePhoto.status == "ready",  # also once its template was purged
            ReferencePhoto.retired_ms.is_(None),
        )
        found |= set(connection.execute(query.distinct()).scalars())
    return found


def _study_days(
    connection: Connection, rows: Sequence[JudgedSitting]
) -> dict[tuple[int, int], StudyDays]:
    """When study counts, by (class id, learner id)."""
    found: dict[tuple[int, int], StudyDays] = {}
    learners: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        learners[row.class_id].add(row.learner_id)
    for class_id in sorted(learners):
        mine = study_days.of_learners(connection, class_id, learners[class_id])
        found |= {(class_id, learner_id): days for learner_id, days in mine.items()}
    return found


def _numbered(known: dict[str, int], word: Any) -> int:
    return known.setdefault(str(word), len(known)) if word else NONE


def _attested_times(row: JudgedSitting) -> tuple[int, int]:
    """Begin and end by a platform's log; NONE: it does not tell, or this service timed it."""
    if row.provenance != "attested":
        return NONE, NONE
    ended_ms = NONE if row.state == "expired" else row.closed_ms
    return row.started_at_ms or NONE, ended_ms or NONE


@cache
def _flags(
    state: str,
    provenance: str,
    controls: str,
    enrolled: bool,
    consent: bool,
    conflict: bool,
    broken: bool,
) -> int:
    flags = SessionFlag(0)
    for flag, holds in (
        (SessionFlag.OPEN, state == "open"),
        (SessionFlag.LEASE_EXPIRED, state == "expired"),
        (SessionFlag.ATTESTED, provenance == "attested"),
        (SessionFlag.PLATFORM_CONTROLS, controls == "platform"),
        (SessionFlag.REFERENCE_PHOTO, enrolled),
        (SessionFlag.FACE_CONSENT, consent),
        (SessionFlag.SEQ_CONFLICT, conflict),
        (SessionFlag.CHAIN_BROKEN, broken),
    ):
        if holds:
            flags |= flag
    return int(flags)


def _lessons(
    connection: Connection, rows: Sequence[JudgedSitting]
) -> tuple[Sequence[JudgedLesson], NDArray[np.void]]:
    """All lessons of the courses in question, whether or not somebody played them."""
    versions: set[int] = set()
    for chunk in _chunks(sorted({row.lesson_id for row in rows})):
        query = select(Lesson.course_version_id).where(Lesson.id.in_(chunk)).distinct()
        versions |= set(connection.execute(query).scalars())
    found: list[JudgedLesson] = []
    for chunk in _chunks(sorted(versions)):
        found += fetch(
            connection,
            select(
                Lesson.id,
                Lesson.external_id,
                Lesson.title,
                Lesson.course_version_id,
                Lesson.position,
                Lesson.media_ms,
                CourseVersion.course_kind,
                CourseVersion.sequential_lock,
            )
            .join(CourseVersion, CourseVersion.id == Lesson.course_version_id)
            .where(Lesson.course_version_id.in_(chunk))
            .order_by(Lesson.course_version_id, Lesson.position),
            JudgedLesson,
        )
    columns = np.array(
        [
            (
                row.course_version_id,
                row.position,
                row.media_ms,
                row.course_kind != "public",
                row.sequential_lock,
            )
            for row in found
        ],
        LESSON,
    )
    return found, columns


def _plans(
    connection: Connection, classes: dict[int, int], lesson_rows: dict[int, int]
) -> tuple[list[tuple[int, int]], NDArray[np.void]]:
    hours: list[tuple[int, int]] = []
    pieces: list[tuple[int, int, int, int, int]] = []
    for chunk in _chunks(sorted(classes)):
        query = (
            select(ClassHour.class_id, ClassHour.number, ClassHour.pieces)
            .where(ClassHour.class_id.in_(chunk))
            .order_by(ClassHour.class_id, ClassHour.number)
        )
        for class_id, number, parts in connection.execute(query):
            for part in parts:
                row = lesson_rows.get(part["lesson_id"])
                if row is not None:
                    pieces.append(
                        (classes[class_id], len(hours), row, part["start_ms"], part["end_ms"])
                    )
            hours.append((class_id, number))
    return hours, np.array(pieces, PIECE)
