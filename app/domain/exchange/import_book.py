"""The book of an import: what was stored, what was known already, what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import ValidationError
from sqlalchemy import Connection

from app.domain.answer import UNSET, Answer, UnsetType
from app.domain.catalogue.records import LISTS
from app.domain.wire import Model, first_error
from app.errors import BadInput, MalformedBody, NotReady, ZhenxueError
from app.store.exchange.staging import Staged

MAX_REJECTED = 100_000  # listed; all are counted
_LINES = 2**32

LIST_KINDS = {name.replace("-", "_"): item for name, item in LISTS.items()}
SITTING_KINDS = ("session", "control", "event", "snapshot")
KINDS = ("course", "class", "roster", *LIST_KINDS, "reference_photo", *SITTING_KINDS)
GROUPED_BY = {
    "course": "course_id",
    "class": "class_id",
    "roster": "class_id",
    "reference_photo": "learner_id",
    **dict.fromkeys(LIST_KINDS, "class_id"),
    **dict.fromkeys(SITTING_KINDS, "session_id"),
}

_json = msgspec.json.Decoder()


def read_json(raw: bytes) -> Any:
    """A record as plain data. Raises BadInput for what JSON allows and nobody can use."""
    try:
        return _json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput("unreadable", f"record: {error}") from None


class RefusedRecord(Answer, frozen=True, kw_only=True):
    """A record that was not stored: the line it stood on (and of which file, where there are
    several), why, and which field. Line 0 is all of a file that was not read."""

    line: int
    file: str | UnsetType = UNSET
    code: str
    detail: str


class ImportReport(Answer, frozen=True, kw_only=True):
    """`stored` counts records by kind. Of the rejected at most 100,000 are listed, all counted."""

    stored: dict[str, int]
    unchanged: int
    rejected: list[RefusedRecord]
    rejected_total: int


@dataclass
class Report:
    """`stored` counts records by kind; `rejected` says where, why and which field. `photo_bytes`:
    what was taken out of a zip, where one photo may be many records'."""

    stored: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    rejected: list[RefusedRecord] = field(default_factory=list)
    rejected_total: int = 0
    photo_bytes: int = 0

    def shown(self) -> ImportReport:
        return ImportReport(
            stored=dict(sorted(self.stored.items())),
            unchanged=self.unchanged,
            rejected=self.rejected,
            rejected_total=self.rejected_total,
        )

    def summary(self) -> str:
        """The report for people."""
        stored = ", ".join(f"{count} {kind}" for kind, count in sorted(self.stored.items()))
        lines = [
            f"stored: {stored or 'nothing'}; unchanged: {self.unchanged}; "
            f"rejected: {self.rejected_total}"
        ]
        for it in self.rejected[:50]:
            where = f"{it.file}, line {it.line}" if it.file else f"line {it.line}"
            lines.append(f"  {where}: {it.code}: {it.detail}")
        if self.rejected_total > 50:
            lines.append(f"  … and {self.rejected_total - 50} more")
        return "\n".join(lines)


class NoRecords(MalformedBody):
    """No line of a file is a record; `report` says of each why."""

    def __init__(self, report: Report) -> None:
        first = report.rejected[0]
        super().__init__(
            "no_records",
            f"no line of it is a record; line {first.line}: {first.detail}",
            errors=msgspec.to_builtins(report.rejected[:100]),
        )
        self.report = report


class Nothing(Exception):
    """Nothing of a record was good, and the book says so already."""


class Book:
    """Where each record ends up, by the line it stood on."""

    def __init__(self) -> None:
        self.report = Report()
        self.kept_out: dict[tuple[str, str], tuple[int, str]] = {}
        """Rows of rosters that were refused, by class and account: the line, and the name."""
        self._files: list[str] = []

    def place(self, file: str, line: int) -> int:
        """A line's place: one number for the file within a zip and the line within it."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        return (len(self._files) - 1) * _LINES + line

    def line(self, where: int) -> int:
        """The line within its file."""
        return where % _LINES

    def parsed(self, record: Staged, model: type[Model]) -> Model | None:
        """The record as what it should be; None when it is not, which is then in the report."""
        try:
            return model.model_validate(read_json(record.raw))
        except ValidationError as error:
            self.reject(record.where, *first_error(error))
        except BadInput as refusal:
            self.reject(record.where, refusal.code, refusal.detail)
        return None

    def attempt(self, connection: Connection, record: Staged, store_it: Callable[[], bool]) -> None:
        """Store one record whole or not at all; `store_it` tells whether anything changed."""
        try:
            with connection.begin_nested():
                changed = store_it()
        except Nothing:
            return
        except NotReady:  # no fault of the record's: the import is gone on with once it is over
            raise
        except ZhenxueError as refusal:
            self.reject(record.where, refusal.code, refusal.detail)
            return
        self.count(KINDS[record.kind], changed)

    def partly(self, changed: int, refused: int, total: int) -> bool:
        """Whether a list changed anything; a list that was refused item by item is not counted."""
        if refused and refused == total:
            raise Nothing
        return changed > 0

    def count(self, kind: str, changed: bool, times: int = 1) -> None:
        if changed:
            self.report.stored[kind] += times
        else:
            self.report.unchanged += times

    def contradicts(self, record: Staged) -> None:
        self.reject(
            record.where,
            "contradictory_record",
            f"{GROUPED_BY[KINDS[record.kind]]}: an earlier record of this file has the same id "
            "and other content",
        )

    def reject(self, where: int, code: str, detail: str) -> None:
        self.report.rejected_total += 1
        if len(self.report.rejected) < MAX_REJECTED:
            file = self._files[where // _LINES]
            line = self.line(where)
            self.report.rejected.append(
                RefusedRecord(line=line, file=file or UNSET, code=code, detail=detail)
            )
