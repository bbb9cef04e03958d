"""Tables of a class from Excel or text: looked at row by row, and taken, as in the console."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from app.api.answers import AnswerRoute
from app.api.auth import require, services_of
from app.api.classes import ClassId
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import Answer, Sha256
from app.domain.catalogue import classes, tables
from app.domain.catalogue.learner_account import masked
from app.domain.catalogue.table_kinds import KINDS
from app.domain.catalogue.table_rows import TableRow
from app.domain.catalogue.tables import TableReport
from app.errors import WrongMediaType
from app.http.keyring import Caller
from app.languages import Text

router = APIRouter(prefix="/v1/classes/{class_id}", tags=["records"], route_class=AnswerRoute)

TableName = StrEnum("TableName", {it.upper().replace("-", "_"): it for it in KINDS})  # type: ignore[misc]
_BODY = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
_NUMBER = "证件号码"


class RowFate(StrEnum):
    ACCEPTED = "accepted"
    CHANGED = "changed"
    REFUSED = "refused"


class CellChange(Answer, frozen=True, kw_only=True):
    """A cell that is kept otherwise than it was typed; of ID numbers the last four characters."""

    column: str
    typed: str
    kept: str


class TableRowAnswer(Answer, frozen=True, kw_only=True):
    """A row by its number in the file, whom it is about, and why it was not taken."""

    row: int
    name: str
    fate: RowFate
    changes: list[CellChange]
    reason: Text | None


class SkippedRow(Answer, frozen=True, kw_only=True):
    row: int
    text: str


class TableAnswer(Answer, frozen=True, kw_only=True):
    """What became of a table, or would become of it where `stored` is false. `changed` rows are
    among the accepted ones. `other_sheets` hold such a table too and were not read, `unused` are
    columns that say nothing to the service, `skipped` rows that are no rows of the table: totals,
    notes, signatures."""

    class_id: str
    table: str
    stored: bool
    accepted: int
    changed: int
    refused: int
    sheet: str
    header_row: int
    other_sheets: list[str]
    unused: list[str]
    skipped: list[SkippedRow]
    rows: list[TableRowAnswer]
    sha256: Sha256


@router.post("/tables/{table}", openapi_extra={"requestBody": _BODY})
async def post_table(
    request: Request,
    caller: Annotated[Caller, require(KeyScope.INGEST)],
    class_id: ClassId,
    table: TableName,
    preview: Annotated[bool, Query(description="look only: nothing is stored")] = False,
) -> TableAnswer:
    """Take a roster, attendance, leave, satisfaction, results or earlier trainings as people have
    them: XLSX, or delimited text in UTF-8, UTF-16 or GB18030; the file itself is the body.

    Columns are known by their usual names, the header may stand in any of the first ten rows. Good
    rows are taken, the others come back with the person's name and the reason. With `preview` the
    same answer is given and nothing is stored. At most 2 MB and 2,000 rows.
    """
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise WrongMediaType("wrong_media_type", "send the file itself as the body, not a form")
    data = await request.body()
    return await run_in_threadpool(_taken, request, caller, class_id, str(table), data, preview)


def _taken(
    request: Request, caller: Caller, class_id: str, table: str, data: bytes, preview: bool
) -> TableAnswer:
    services = services_of(request)
    with services.database.read() as connection:
        classes.class_of(connection, caller.platform, class_id)  # before seconds of reading
    found = tables.read(KINDS[table], data)
    sha256, now_ms = hashlib.sha256(data).hexdigest(), services.clock()
    with services.database.write() as connection:
        row = classes.class_of(connection, caller.platform, class_id, lock=True)
        if preview:
            report = tables.trial(connection, services.vault, row, found, now_ms)
        else:
            by: Any = {"actor": caller.actor, "now_ms": now_ms}
            report = tables.take(connection, services.vault, row, found, sha256=sha256, **by)
    return _answer(class_id, report, sha256, stored=not preview)


def _answer(class_id: str, report: TableReport, sha256: str, *, stored: bool) -> TableAnswer:
    found = report.table
    return TableAnswer(
        class_id=class_id,
        table=found.kind.name,
        stored=stored,
        accepted=len(report.taken),
        changed=report.changed,
        refused=len(report.refused),
        sheet=found.sheet,
        header_row=found.header,
        other_sheets=found.others,
        unused=found.unused,
        skipped=[SkippedRow(row=number, text=text) for number, text in found.skipped],
        rows=[_row(it) for it in found.rows],
        sha256=sha256,
    )


def _row(row: TableRow) -> TableRowAnswer:
    fate = RowFate.REFUSED if row.reason else RowFate.CHANGED if row.changes else RowFate.ACCEPTED
    return TableRowAnswer(
        row=row.number,
        name=row.name,
        fate=fate,
        changes=[] if row.reason else [_change(*it) for it in row.changes],
        reason=row.reason,
    )


def _change(column: str, typed: str, kept: str) -> CellChange:
    if column == _NUMBER:
        typed, kept = (masked(it[-4:]) or "" for it in (typed, kept))
    return CellChange(column=column, typed=typed, kept=kept)
