"""A list as CSV: UTF-8 with BOM, and no cell that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from app.reports.sheet import Sheet, Value, text

MEDIA_TYPE = "text/csv; charset=utf-8"
_BOM = "\ufeff"
_FORMULA = re.compile(r"^[\s]*[=+\-@＝＋－＠]|^[\t\r\n]")


def write(sheet: Sheet) -> bytes:
    """Title and heading first, then the table, the counts and the places to sign."""
    buffer = io.StringIO()
    buffer.write(_BOM)
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([sheet.title])
    writer.writerows([label, safe(value)] for label, value in sheet.lines)
    writer.writerow([])
    writer.writerow([column.title for column in sheet.columns])
    writer.writerows([safe(value) for value in row] for row in sheet.rows)
    writer.writerow([])
    writer.writerows([label, safe(value)] for label, value in sheet.counts)
    writer.writerows([note] for note in sheet.closing)
    sealed = [f"{sheet.seal}（盖章）"] if sheet.seal else []
    writer.writerow([*(cell for name in sheet.signatures for cell in (f"{name}：", "")), *sealed])
    if sheet.proof:
        writer.writerow([])
    writer.writerows([label, safe(value)] for label, value in sheet.proof)
    return buffer.getvalue().encode()


def plain(rows: Iterable[Iterable[Value]]) -> bytes:
    """Rows alone, as a table that a spreadsheet opens."""
    buffer = io.StringIO()
    buffer.write(_BOM)
    csv.writer(buffer, lineterminator="\r\n").writerows(map(safe, row) for row in rows)
    return buffer.getvalue().encode()


def safe(value: Value) -> str:
    """The cell's text; words that begin like a formula are led by an apostrophe."""
    cell = text(value)
    if isinstance(value, str) and _FORMULA.match(cell):
        return f"'{cell}"
    return cell
