"""Sittings out of an import: the session with its controls, events and photos, at once.

All of it is `attested`: the platform's receive times stand in for the server's clock. A sitting is
entered as it would have been live: at the saved mark of the learner's earlier ones, its pop-ups
held against the ledger, its events chained.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from app.domain.exchange.import_book import KINDS, SITTING_KINDS, Book, read_json
from app.domain.exchange.import_evidence import MAX_LENGTH_MS, Arrival, EvidenceImporter
from app.domain.exchange.import_source import Source
from app.domain.faces.photo_store import PhotoStore
from app.domain.policy import sitting_terms
from app.domain.sittings import carry_over, sitting_life
from app.domain.sittings.carry_over import Ground
from app.domain.sittings.sitting_life import Door
from app.domain.wire import (
    EARLIEST_MS,
    LATEST_MS,
    MAX_MEDIA_S,
    ClientInstant,
    Id,
    Instant,
    Line,
    Wire,
)
from app.errors import BadInput, Conflict
from app.store import stays
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.people import AccountRow
from app.store.exchange.staging import Staged
from app.store.sittings import sittings as store
from app.store.sittings.sittings import LessonToPlay, SittingRow

MAX_CLIENT_CHARS = 2_000
CLOCK_MS = 60_000  # of a device, so far off: it is not the platform's
_UNENDED = "import"  # the close reason of a sitting whose end nobody told
_LEASE_ENDINGS = ("lease", "lease_timeout")


class SessionRecord(Wire):
    session_id: Id
    learner_id: Id
    class_id: Id
    lesson_id: Id
    device_id: Id | None = None
    window_id: Id | None = None
    client: dict[str, Any] = Field(default_factory=dict)
    started_at_ms: ClientInstant
    received_at_ms: Instant | None = None
    ended_at_ms: ClientInstant | None = None
    close_reason: Line | None = None
    resume_position: Annotated[float | None, Field(ge=0, le=MAX_MEDIA_S)] = None

    @property
    def began_ms(self) -> int | None:
        """By the platform's clock, else by the client's where that one is believable."""
        return self.received_at_ms or _believable(self.started_at_ms)

    @property
    def told_start_ms(self) -> int:
        """By the platform's clock, where it tells one beside the device's."""
        return self.received_at_ms or self.started_at_ms

    @property
    def over_ms(self) -> int | None:
        """By the platform's clock: a device whose clock is off told both ends by it."""
        ended_ms, began_ms = _believable(self.ended_at_ms), _believable(self.started_at_ms)
        if ended_ms is None or began_ms is None or self.received_at_ms is None:
            return ended_ms
        off_ms = self.received_at_ms - began_ms
        return ended_ms + off_ms if abs(off_ms) > CLOCK_MS and ended_ms >= began_ms else ended_ms

    @property
    def device(self) -> str:
        """Sittings whose device nobody knows are not taken to share one."""
        return self.device_id or f"unknown {self.session_id}"[:128]

    @property
    def window(self) -> str:
        return self.window_id or f"unknown {self.session_id}"[:128]


def _believable(client_ms: int | None) -> int | None:
    """A device whose clock stands in 1970 or in the year 9999 tells no time."""
    if client_ms is None or not EARLIEST_MS <= client_ms < LATEST_MS - 1:
        return None
    return client_ms


@dataclass(frozen=True, slots=True)
class _Place:
    klass: ClassRow
    learner: AccountRow
    lesson: LessonToPlay


class SittingImporter:
    """Enters the sittings of one platform, group of records by group."""

    def __init__(self, photos: PhotoStore, platform_id: int, source: Source, book: Book) -> None:
        self._platform_id = platform_id
        self._book = book
        self._evidence = EvidenceImporter(photos, source, book)
        self._changed: list[int] = []

    def sitting(self, connection: Connection, group: list[Staged]) -> None:
        """Everything that one file says of one session."""
        of = _by_kind(group)
        record = self._agreed(of["session"])
        try:
            row = self._known(connection, record, group)
            place = None if row or record is None else self._place(connection, record)
        except (BadInput, Conflict) as refusal:
            self._refuse(of, record, refusal)
            return
        arrivals = self._evidence.arrivals(of["event"])
        created = place is not None
        if record is not None and record.began_ms is None and not arrivals and place is not None:
            detail = (
                "started_at_ms: no clock was ever there, and no event tells when it was received"
            )
            self._refuse(of, record, BadInput("no_time", detail))
            return
        if record is not None and place is not None:
            row = self._open(connection, record, place, arrivals)
        assert row is not None
        if record is not None:
            self._book.count("session", created)
        changed = created
        changed |= self._evidence.controls(connection, row, of["control"])
        changed |= self._evidence.events(connection, row, arrivals)
        changed |= self._evidence.photos(connection, row, of["snapshot"])
        changed |= self._end(connection, row, record)
        if changed:
            self._changed.append(row.id)

    def changed(self) -> list[int]:
        """Row ids of the sittings that are new, or more than they were, since it was asked last:
        after a commit they can be judged."""
        changed, self._changed = self._changed, []
        return changed

    # ------------------------------------------------------------------------------- the session

    def _agreed(self, records: Iterable[Staged]) -> SessionRecord | None:
        """What the file says of the session itself; later, different words are refused."""
        agreed: SessionRecord | None = None
        for record in records:
            said = self._book.parsed(record, SessionRecord)
            if said is None:
                continue
            if agreed is None:
                agreed = said
            elif said == agreed:
                self._book.count("session", changed=False)
            else:
                self._book.contradicts(record)
        return agreed

    def _known(
        self, connection: Connection, record: SessionRecord | None, group: list[Staged]
    ) -> SittingRow | None:
        """The session as an earlier import left it. Raises BadInput, Conflict."""
        name = record.session_id if record else _session_named(group)
        row = store.by_external_id(connection, self._platform_id, name, lock=True)
        if row is None:
            if record is None:
                raise BadInput("unknown_session", f"session_id: there is no session {name!r}")
            return None
        fate = sitting_life.fate(row, Door.IMPORT, 0)
        if fate.refused:
            raise Conflict(fate.value, f"session_id: {sitting_life.why(fate, name)}")
        if record is not None:
            names = store.names(connection, row.id)
            there = (names.learner, names.klass, names.lesson, row.device_id, row.window_id)
            terms = (record.learner_id, record.class_id, record.lesson_id)
            begins = (record.told_start_ms, record.started_at_ms)
            if there != (*terms, record.device, record.window) or row.started_at_ms not in begins:
                raise Conflict("session_exists", f"session_id: {name!r} came before, and differed")
        return row

    def _place(self, connection: Connection, record: SessionRecord) -> _Place:
        """Whose sitting it is, and on what. Raises BadInput naming the field."""
        klass = store.klass(connection, self._platform_id, record.class_id)
        if klass is None:
            raise BadInput("unknown_class", f"class_id: there is no class {record.class_id!r}")
        learner = store.learner(connection, self._platform_id, record.learner_id)
        if learner is None or not store.enrolled(connection, klass.id, learner.id):
            raise BadInput("unknown_learner", f"learner_id: {self._stranger(record)}")
        lessons = store.lessons(connection, klass.course_version_ids, record.lesson_id)
        if not lessons:
            detail = f"lesson_id: the class has no lesson {record.lesson_id!r}"
            raise BadInput("unknown_lesson", detail)
        began_ms, over_ms = record.began_ms, record.over_ms
        if began_ms and over_ms and not 0 <= over_ms - began_ms <= MAX_LENGTH_MS:
            detail = "ended_at_ms: lies before started_at_ms, or weeks after it"
            raise BadInput("bad_ending", detail)
        if len(json.dumps(record.client, ensure_ascii=False)) > MAX_CLIENT_CHARS:
            raise BadInput("client_too_large", f"client: is over {MAX_CLIENT_CHARS} characters")
        return _Place(klass, learner, lessons[0])

    def _stranger(self, record: SessionRecord) -> str:
        """Why somebody is not in the class, when this file tells."""
        kept_out = self._book.kept_out.get((record.class_id, record.learner_id))
        if kept_out is None:
            return f"{record.learner_id!r} 不在本班花名册上 / is not in this class"
        line, name = kept_out
        return (
            f"{name}（{record.learner_id}）不在本班：第{line}行的花名册未接收此人；"
            "更正花名册后再次导入本文件，学习记录即可接收 / "
            f"{name} is not in this class, for line {line} refused that row of the roster: "
            "import this file again once the roster is corrected"
        )

    def _open(
        self,
        connection: Connection,
        record: SessionRecord,
        place: _Place,
        arrivals: list[Arrival],
    ) -> SittingRow:
        learner, klass, lesson = place.learner, place.klass, place.lesson
        said_ms = [] if record.began_ms is None else [record.began_ms]
        opened_ms = min([*said_ms, *(it.received_ms for it in arrivals)])
        if record.resume_position is None:
            terms = sitting_terms.of_pack(klass.pack_id, klass.pack_version)
            stay = stays.of_learner(connection, klass.id, learner.id)
            assert stay is not None
            ground = Ground.read(connection, klass.id, stay)
            played = ground.studied(connection, [lesson.id])[lesson.id]
            resume_ms = carry_over.resume_position(ground.film(lesson), played, terms)
        else:
            resume_ms = min(round(record.resume_position * 1000), lesson.media_ms)
        store.insert_session(
            connection,
            platform_id=self._platform_id,
            external_id=record.session_id,
            class_id=klass.id,
            learner_id=learner.id,
            person_id=learner.person_id,
            lesson_id=lesson.id,
            device_id=record.device,
            window_id=record.window,
            client=record.client,
            provenance="attested",
            state="closed",
            started_at_ms=record.told_start_ms,
            opened_ms=opened_ms,
            last_recv_ms=opened_ms,
            resume_ms=resume_ms,
            lease_digest=None,
            lease_expires_ms=None,
            play_pos_ms=resume_ms,
            popup_from_ms=0,
            popup_due_ms=None,
            popup_draws=0,
            schedule={},
            seed_encrypted=None,
            commitment=None,
            seed_revealed=None,
        )
        return self._row(connection, record.session_id)

    def _row(self, connection: Connection, name: str) -> SittingRow:
        row = store.by_external_id(connection, self._platform_id, name)
        assert row is not None
        return row

    def _end(self, connection: Connection, row: SittingRow, record: SessionRecord | None) -> bool:
        """End it where its record says, else with the last thing received; true if that is new."""
        now = self._row(connection, row.external_id)
        if record is not None and record.over_ms is not None:
            reason = record.close_reason or "closed"
            ended_ms: int | None = record.over_ms
        elif now.close_reason in (None, _UNENDED):
            reason, ended_ms = _UNENDED, now.last_recv_ms
        else:
            reason, ended_ms = now.close_reason, now.closed_ms
        ending = {
            "state": "expired" if reason in _LEASE_ENDINGS else "closed",
            "close_reason": reason,
            "closed_ms": ended_ms,
        }
        if all(getattr(now, name) == value for name, value in ending.items()):
            return False
        store.update_session(connection, row.id, **ending, settled=False)
        return True

    def _refuse(
        self,
        of: dict[str, list[Staged]],
        record: SessionRecord | None,
        refusal: BadInput | Conflict,
    ) -> None:
        """Refuse a session with all that belongs to it; a record is not refused twice."""
        if record is not None:
            self._book.reject(of["session"][0].where, refusal.code, refusal.detail)
        for kind in ("control", "event", "snapshot"):
            for staged in of[kind]:
                self._book.reject(staged.where, refusal.code, refusal.detail)


def _session_named(group: list[Staged]) -> str:
    """The session that a group of records without a session record speaks of. Raises BadInput."""
    for record in group[:-1]:
        with suppress(BadInput):
            return str(read_json(record.raw)["session_id"]).strip()
    return str(read_json(group[-1].raw)["session_id"]).strip()


def _by_kind(group: list[Staged]) -> dict[str, list[Staged]]:
    found: dict[str, list[Staged]] = {kind: [] for kind in SITTING_KINDS}
    for staged in group:
        found[KINDS[staged.kind]].append(staged)
    return found
