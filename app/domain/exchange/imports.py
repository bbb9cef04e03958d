"""Historical import: a platform's nightly file, a migration, or a test's facts.

Records come in any order. They are put in order on disk first and then stored stage by stage:
courses, classes, rosters, lists, reference photos, and sitting by sitting with all that belongs to
it. Good records are stored, bad ones come back with line, code and a detail that names the field.
Every record is stored whole or not at all and recognised when it comes again, so the same file
twice changes nothing, and a run that was cut off is finished by running it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
from pydantic import Field
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.clock import Clock
from app.db import Database
from app.domain.catalogue import classes, courses, records, roster, roster_rows
from app.domain.catalogue.classes import ClassTerms
from app.domain.catalogue.courses import CourseTerms
from app.domain.catalogue.roster_intake import Enrolled, Rows
from app.domain.catalogue.roster_rows import RowError
from app.domain.events.events import problem
from app.domain.exchange.import_book import (
    GROUPED_BY,
    KINDS,
    LIST_KINDS,
    SITTING_KINDS,
    Book,
    NoRecords,
    Report,
    read_json,
)
from app.domain.exchange.import_sittings import SittingImporter
from app.domain.exchange.import_source import MAX_LINE, RECORDS, Source
from app.domain.faces import enrolment_photos
from app.domain.faces.photo_store import PhotoStore
from app.domain.plain_json import require_single_names, require_utf8
from app.domain.wire import Id, Wire, instant
from app.errors import BadInput
from app.store.accounts import audit
from app.store.catalogue import catalogue as store
from app.store.exchange.staging import Staged, Staging
from app.store.exchange.workrooms import Workrooms
from app.vault import Vault

_GROUPS_AT_ONCE = 25  # a transaction


class CourseRecord(CourseTerms):
    course_id: Id


class ClassRecord(ClassTerms):
    class_id: Id


class RosterRecord(Wire):
    class_id: Id
    learners: list[Any]


class ListRecord(Wire):
    """A list under its own kind; a record without `items` is itself the one item."""

    class_id: Id
    items: list[Any] | None = None


class ReferencePhotoRecord(Wire):
    """A photo to enrol; the face worker reads it later. Needs recorded consent."""

    learner_id: Id
    file: Annotated[str, Field(min_length=1, max_length=1000)]


class _RecordHead(msgspec.Struct, gc=False):
    """What of a record decides where it goes."""

    kind: str
    course_id: str | None = None
    class_id: str | None = None
    learner_id: str | None = None
    session_id: str | None = None
    started_at_ms: Any = None


_read_head = msgspec.json.Decoder(_RecordHead).decode


@dataclass(frozen=True, slots=True)
class Imports:
    """Takes in files of historical records. One a process.

    `max_bytes` is the largest file, packed; `default_pack` judges a class that names none; `closed`
    is told the row ids of sittings that can be judged, once they are committed; `rooms` are where
    records are put in order.
    """

    database: Database
    clock: Clock
    vault: Vault
    photos: PhotoStore
    max_bytes: int
    default_pack: str
    closed: Callable[[Iterable[int]], None]
    rooms: Workrooms

    def take_file(
        self, platform_id: int, path: Path, *, actor: str, beside: Path | None = None
    ) -> Report:
        """Import one file for a platform. `beside` is the folder that photos may lie in.

        Raises BadInput (MalformedBody, BodyTooLarge) when the file as a whole is none; what is
        wrong with single records stands in the report.
        """
        with (
            Source(
                path,
                max_bytes=4 * self.max_bytes,
                max_image_bytes=self.photos.max_bytes,
                beside=beside,
            ) as source,
            self.rooms.room() as folder,
        ):
            staging = Staging(folder)
            try:
                run = _Import(self, platform_id, source, staging, actor)
                run.stage()
                run.store()
            finally:
                staging.close()
            run.book.report.photo_bytes = source.photo_bytes
        return run.book.report


class _Import:
    """One run over one file."""

    def __init__(
        self, into: Imports, platform_id: int, source: Source, staging: Staging, actor: str
    ) -> None:
        self.into = into
        self.platform_id = platform_id
        self.source = source
        self.staging = staging
        self.actor = actor
        self.book = Book()

    # ------------------------------------------------------------------------- to disk, in order

    def stage(self) -> None:
        """Read every line as far as its kind and group. Raises NoRecords if none is one."""
        good = 0
        for file, line, raw in self.source.lines():
            where = self.book.place(file, line)
            try:
                self._stage(where, raw)
                good += 1
            except BadInput as refusal:
                self.book.reject(where, refusal.code, refusal.detail)
        if not good and self.book.report.rejected_total:
            raise NoRecords(self.book.report)
        self.staging.seal()

    def _stage(self, where: int, raw: bytes) -> None:
        if len(raw) > MAX_LINE:
            raise BadInput("line_too_long", f"the line is longer than {MAX_LINE} bytes")
        require_utf8(raw)
        try:
            head = _read_head(raw)
        except msgspec.ValidationError as error:
            wrong = problem(0, str(error))
            raise BadInput(wrong.code, wrong.detail) from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadInput("malformed_json", f"not a JSON object: {error}") from error
        require_single_names(raw)
        kind = head.kind.replace("-", "_")
        if kind not in GROUPED_BY:
            raise BadInput("unknown_kind", f"kind: {head.kind[:64]!r} is no kind of record")
        name = GROUPED_BY[kind]
        group = (getattr(head, name) or "").strip()
        if not 0 < len(group) <= 128:
            raise BadInput("missing_field", f"{name}: 1 to 128 characters, required in a {kind}")
        stage = "sitting" if kind in SITTING_KINDS else kind
        self.staging.add(stage, group, Staged(where, KINDS.index(kind), raw))
        if kind == "session":
            with suppress(PydanticCustomError):  # the record itself will be refused
                self.staging.rank(stage, group, instant(head.started_at_ms))

    # ------------------------------------------------------------------------------- to the store

    def store(self) -> None:
        self._each("course", self._course)
        self._each("class", self._class)
        self._each("roster", self._roster)
        for kind in LIST_KINDS:
            self._each(kind, self._list)
        self._each("reference_photo", self._reference_photo)
        sittings = SittingImporter(self.into.photos, self.platform_id, self.source, self.book)
        self._each("sitting", sittings.sitting, done=lambda: self.into.closed(sittings.changed()))
        for name in self.source.unread():
            detail = f"{name!r} was not read: it is no {', '.join(RECORDS)}, and no record names it"
            self.book.reject(self.book.place(name, 0), "unread_file", detail)
        with self.into.database.write() as connection:
            audit.append(
                connection,
                at_ms=self.into.clock(),
                actor=self.actor,
                action="import.taken",
                subject=f"platform:{self.platform_id}",
                detail={
                    "stored": dict(self.book.report.stored),
                    "unchanged": self.book.report.unchanged,
                    "rejected": self.book.report.rejected_total,
                },
            )

    def _each(
        self,
        stage: str,
        take: Callable[[Connection, list[Staged]], None],
        done: Callable[[], None] | None = None,
    ) -> None:
        """Hand over group by group, several in a transaction."""
        groups = (records for _, records in self.staging.groups(stage))
        for several in _batched(groups, _GROUPS_AT_ONCE):
            with self.into.database.write() as connection:
                store.lock_platform(connection, self.platform_id)
                for group in several:
                    take(connection, group)
            if done:
                done()

    def _course(self, connection: Connection, group: list[Staged]) -> None:
        first: CourseRecord | None = None
        for record in group:
            course = self.book.parsed(record, CourseRecord)
            if course is None:
                continue
            first = first or course
            if courses.content_digest(course) != courses.content_digest(first):
                self.book.contradicts(record)
                continue

            def put(it: CourseRecord = course) -> bool:
                now_ms = self.into.clock()
                return courses.put_course(
                    connection, self.platform_id, it.course_id, it, now_ms=now_ms, replay=True
                ).changed

            self.book.attempt(connection, record, put)

    def _class(self, connection: Connection, group: list[Staged]) -> None:
        first: ClassRecord | None = None
        for record in group:
            opened = self.book.parsed(record, ClassRecord)
            if opened is None:
                continue
            first = first or opened
            if opened != first:
                self.book.contradicts(record)
                continue

            def put(it: ClassRecord = opened) -> bool:
                return classes.open_class(
                    connection,
                    self.platform_id,
                    it.class_id,
                    it,
                    default_pack=self.into.default_pack,
                    actor=self.actor,
                    now_ms=self.into.clock(),
                ).changed

            self.book.attempt(connection, record, put)

    def _roster(self, connection: Connection, group: list[Staged]) -> None:
        """Record by record, each row held against all that the file says of that roster: two
        people under one number may stand in two records."""
        said = [(it, self.book.parsed(it, RosterRecord)) for it in group]
        rosters = [
            (record, it.class_id, *roster_rows.read(it.learners)[:2]) for record, it in said if it
        ]
        everyone = [learner for *_, good, _ in rosters for _, learner in good]
        for record, class_id, good, bad in rosters:
            swaps = Enrolled()

            def enrol(
                record: Staged = record,
                class_id: str = class_id,
                good: Rows = good,
                bad: list[RowError] = bad,
                swaps: Enrolled = swaps,
            ) -> bool:
                row = classes.class_of(connection, self.platform_id, class_id, lock=True)
                done = roster.enrol(
                    connection,
                    self.into.vault,
                    row,
                    good,
                    everyone=everyone,
                    of_the_past=True,
                    actor=self.actor,
                    now_ms=self.into.clock(),
                )
                swaps.swaps += done.swaps
                refused = sorted([*bad, *done.refused], key=lambda error: error.index)
                for error in refused:
                    detail = f"learners[{error.index}].{error.detail}"
                    self.book.reject(record.where, error.code, detail)
                    if error.learner_id:
                        line = self.book.line(record.where)
                        self.book.kept_out[class_id, error.learner_id] = (line, error.name)
                return self.book.partly(done.changed, len(refused), len(good) + len(bad))

            self.book.attempt(connection, record, enrol)
            now_ms = self.into.clock()  # told even where nothing of the record was good
            roster.tell_swaps(connection, class_id, swaps, actor=self.actor, now_ms=now_ms)

    def _list(self, connection: Connection, group: list[Staged]) -> None:
        said: dict[tuple[Any, ...], dict[str, Any]] = {}  # by all records of this class and kind
        for record in group:
            listed = self.book.parsed(record, ListRecord)
            if listed is None:
                continue

            told = dict(said)

            def take(
                it: ListRecord = listed, record: Staged = record, told: dict[Any, Any] = told
            ) -> bool:
                row = classes.class_of(connection, self.platform_id, it.class_id, lock=True)
                items = [read_json(record.raw)] if it.items is None else it.items
                report = records.take(
                    connection,
                    self.into.vault,
                    row,
                    LIST_KINDS[KINDS[record.kind]],
                    items,
                    actor=self.actor,
                    now_ms=self.into.clock(),
                    told=told,
                )
                said.update(told)
                place = "items[{}]." if it.items is not None else ""
                for error in report.rejected:
                    detail = place.format(error.index) + error.detail
                    self.book.reject(record.where, error.code, detail)
                return self.book.partly(report.accepted, len(report.rejected), len(items))

            self.book.attempt(connection, record, take)

    def _reference_photo(self, connection: Connection, group: list[Staged]) -> None:
        for record in group:
            said = self.book.parsed(record, ReferencePhotoRecord)
            if said is None:
                continue

            def keep(it: ReferencePhotoRecord = said) -> bool:
                data = self.source.photo(it.file)
                learner = enrolment_photos.learner_of(connection, self.platform_id, it.learner_id)
                now_ms = self.into.clock()
                return (
                    enrolment_photos.defer(connection, self.into.photos, learner, data, now_ms)
                    == "stored"
                )

            self.book.attempt(connection, record, keep)


def _batched(groups: Iterable[list[Staged]], size: int) -> Iterator[list[list[Staged]]]:
    groups = iter(groups)
    while batch := list(islice(groups, size)):
        yield batch
