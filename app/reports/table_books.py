"""Workbooks for who fills tables in: an empty one with its columns explained, and rows to mend.

Cells are text, so that a spreadsheet keeps all digits of a number; nothing becomes a formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.catalogue import table_cells as cells
from app.domain.catalogue.table_kinds import TableColumn, TableKind
from app.domain.catalogue.tables import TableReport
from app.reports.xlsx import open_book

REASON = "退回原因"
_FILLABLE = 200  # rows of the template that are set as text


def template(kind: TableKind) -> bytes:
    """An empty table; a second sheet explains its columns."""
    book, buffer = open_book()
    formats = _formats(book)
    page = _headed(book, kind, formats)
    for place in range(len(kind.columns)):
        for row in range(1, _FILLABLE + 1):
            page.write_blank(row, place, None, formats["text"])
    notes = book.add_worksheet("填写说明")
    notes.set_column(0, 0, 18)
    notes.set_column(1, 1, 10)
    notes.set_column(2, 3, 50)
    notes.write_row(0, 0, ["列", "必填", "说明", "也认得的列名"], formats["head"])
    for row, column in enumerate(kind.columns, start=1):
        notes.write_row(row, 0, _explained(column, kind), formats["wrap"])
    book.close()
    return buffer.getvalue()


def filled(kind: TableKind, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A table with these rows, by field; what they do not say stays empty for a person."""
    book, buffer = open_book()
    formats = _formats(book)
    page = _headed(book, kind, formats)
    for place, column in enumerate(kind.columns):
        for line, row in enumerate(rows, start=1):
            page.write_string(line, place, cells.shown(row.get(column.field)), formats["text"])
    book.close()
    return buffer.getvalue()


def to_mend(report: TableReport) -> bytes:
    """The refused rows under the file's own titles, the reason first."""
    book, buffer = open_book()
    page = book.add_worksheet("退回的行")
    formats = _formats(book)
    titles = [it for it in report.table.titles if it != REASON]
    places = [n for n, it in enumerate(report.table.titles) if it != REASON]
    page.set_column(0, 0, 60, formats["wrap"])
    page.set_column(1, len(titles), 20, formats["text"])
    page.write_row(0, 0, [REASON, *titles], formats["head"])
    for line, row in enumerate(report.refused, start=1):
        reason = row.reason.zh if row.reason else ""
        page.write_string(line, 0, f"原第{row.number}行：{reason}", formats["wrap"])
        for to, place in enumerate(places, start=1):
            cell = row.cells[place] if place < len(row.cells) else None
            page.write_string(line, to, cells.shown(cell), formats["text"])
    page.freeze_panes(1, 1)
    book.close()
    return buffer.getvalue()


def _headed(book: Any, kind: TableKind, formats: Mapping[str, Any]) -> Any:
    """The sheet of a kind's columns, with nothing below their titles."""
    page = book.add_worksheet(kind.title.zh[:31])
    for place, column in enumerate(kind.columns):
        page.set_column(place, place, max(12, 3 * len(column.title)), formats["text"])
        page.write_string(0, place, column.title + ("*" if column.needed else ""), formats["head"])
    page.freeze_panes(1, 0)
    return page


def _formats(book: Any) -> dict[str, Any]:
    return {
        "head": book.add_format({"bold": True, "border": 1, "bg_color": "#E7E6E6"}),
        "text": book.add_format({"num_format": "@"}),
        "wrap": book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
    }


def _explained(column: TableColumn, kind: TableKind) -> list[str]:
    needed = "是" if column.needed else ""
    if column.field in ("id_number", "learner_id") and kind.names_people:
        needed = "至少一项"
    return [column.title, needed, column.note, column.names.replace(" ", "、")]
