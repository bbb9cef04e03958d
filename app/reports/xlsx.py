"""A list as XLSX: laid out for A4, with a frozen header, page numbers and places to sign."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from app.reports.sheet import Form, Row, Sheet, breadth, text

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MADE = datetime(2000, 1, 1, tzinfo=UTC)  # else a list made twice would be two files
_A4 = 9
_PORTRAIT_WIDTH = 95  # characters that a portrait page holds at this size
_FONT = "宋体"
_LEADING = 13.5  # points from line to line at this size
_LINE = {"font_name": _FONT, "font_size": 10, "valign": "vcenter"}


def write(sheet: Sheet) -> bytes:
    return workbook([sheet])


def open_book() -> tuple[Any, io.BytesIO]:
    """An empty book, and what it is written to when it is closed: the same bytes for the same
    cells. Words are words: nothing in them becomes a formula or a link."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"created": _MADE})
    return book, buffer


def workbook(sheets: list[Sheet]) -> bytes:
    """One book, a tab for each list."""
    book, buffer = open_book()
    for sheet in sheets:
        _Page(book, sheet).write()
    book.close()
    return buffer.getvalue()


class _Page:
    """One tab, row by row."""

    def __init__(self, book: Any, sheet: Sheet) -> None:
        self.book, self.sheet, self.row = book, sheet, 0
        self.page = book.add_worksheet(sheet.title[:31])
        self.last = max(len(sheet.columns) - 1, 1)
        self.title = book.add_format(
            {"font_name": "黑体", "font_size": 16, "align": "center", "valign": "vcenter"}
        )
        self.label = book.add_format(_LINE | {"bold": True})
        self.plain = book.add_format(_LINE)
        self.small = book.add_format(_LINE | {"font_size": 7, "font_color": "#595959"})
        self.head = book.add_format(
            _LINE
            | {
                "bold": True,
                "border": 1,
                "align": "center",
                "text_wrap": True,
                "bg_color": "#E7E6E6",
            }
        )
        self.cells = {
            align: book.add_format(
                _LINE | {"border": 1, "text_wrap": True, "valign": "top", "align": align}
            )
            for align in ("left", "center", "right")
        }

    def write(self) -> None:
        if self.sheet.form:
            self._form(self.sheet.form)
            return
        self._lay_out()
        self._heading()
        self._table()
        self._ending()

    def _lay_out(self) -> None:
        page = self.page
        page.set_paper(_A4)
        if sum(column.width for column in self.sheet.columns) > _PORTRAIT_WIDTH:
            page.set_landscape()
        page.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        page.fit_to_pages(1, 0)
        digest = "" if self.sheet.posted else self.sheet.digest[:16]
        page.set_footer(f"&L{self.sheet.title}&C第 &P 页 / 共 &N 页&R{digest}")
        for at, column in enumerate(self.sheet.columns):
            page.set_column(at, at, column.width)

    def _form(self, form: Form) -> None:
        """The boxes of a printed form, its second page begun where the form says."""
        page = self.page
        page.set_paper(_A4)
        page.set_margins(left=0.6, right=0.5, top=0.6, bottom=0.7)
        page.set_print_scale(76)  # a fit to the page would undo its second page's beginning
        page.center_horizontally()
        page.set_footer(f"&L{form.name}　{self.sheet.title}&C第 &P 页 / 共 &N 页")
        page.hide_gridlines()
        for at, width in enumerate(form.widths):
            page.set_column(at, at, width)
        self.last = len(form.widths) - 1
        self._line(form.name, self.plain)
        page.merge_range(1, 0, 1, self.last, self.sheet.title, self.title)
        page.set_row(1, 32)
        label = self.book.add_format(_LINE | {"border": 1, "text_wrap": True, "align": "center"})
        entry = self.book.add_format(_LINE | {"border": 1, "text_wrap": True})
        top, heights = 2, dict[int, int]()
        for line, column, cell in form.placed():
            last_line, last_column = line + cell.down - 1, column + cell.across - 1
            how = label if cell.label else entry
            if (line, column) == (last_line, last_column):
                page.write_string(top + line, column, cell.words, how)
            else:
                box = (top + line, column, top + last_line, last_column)
                page.merge_range(*box, cell.words, how)
            width = sum(form.widths[column : last_column + 1])
            if cell.down == 1:
                heights[line] = max(heights.get(line, 1), _lines(cell.words, width))
        for line, lines in heights.items():
            page.set_row(top + line, _LEADING * lines + 16)
        page.set_h_pagebreaks([top + sum(map(len, form.blocks[: form.new_page_before]))])
        self.row = top + len(heights) + 1
        for told in self.sheet.origin:
            self._line(told, self.plain)
            self.row += 1
        self._proof()

    def _heading(self) -> None:
        self.page.merge_range(0, 0, 0, self.last, self.sheet.title, self.title)
        self.page.set_row(0, 30)
        self.row = 1
        for label, value in self.sheet.lines:
            self._line(f"{label}：{value}", self.plain)
            self.row += 1

    def _table(self) -> None:
        self._set_height(tuple(it.title for it in self.sheet.columns))
        for at, column in enumerate(self.sheet.columns):
            self.page.write_string(self.row, at, column.title, self.head)
        self.page.repeat_rows(self.row)
        self.row += 1
        self.page.freeze_panes(self.row, 0)
        for row in self.sheet.rows:
            self._set_height(row)
            for at, (column, value) in enumerate(zip(self.sheet.columns, row, strict=True)):
                cell = self.cells[column.align]
                if isinstance(value, int | float):
                    self.page.write_number(self.row, at, value, cell)
                else:
                    self.page.write_string(self.row, at, text(value), cell)
            self.row += 1

    def _set_height(self, row: Row) -> None:
        """As many points as the row's longest cell needs: nobody computes that for a file made
        here. Most rows need one line, which is what they have."""
        lines = 1
        for column, value in zip(self.sheet.columns, row, strict=True):
            if isinstance(value, str) and 2 * len(value) >= column.width:
                lines = max(lines, -(-breadth(value) // max(column.width - 1, 1)))
        if lines > 1:
            self.page.set_row(self.row, _LEADING * lines + 3)

    def _ending(self) -> None:
        self.row += 1
        for label, value in self.sheet.counts:
            self._line(f"{label}：{text(value)}", self.label)
            self.row += 1
        for note in self.sheet.closing:
            self._line(note, self.plain)
            self.row += 1
        self.row += 1
        signed = "　　　　　　".join(
            f"{name}（签字）：＿＿＿＿＿＿" for name in self.sheet.signatures
        )
        sealed = f"　　　　　　{self.sheet.seal}（盖章）" if self.sheet.seal else ""
        self._line(f"{signed}{sealed}　　　　　　　年　　月　　日", self.plain)
        self.row += 1
        self._proof()

    def _proof(self) -> None:
        for label, value in self.sheet.proof:
            self.row += 1
            self._line(f"{label}：{value}", self.small)

    def _line(self, words: str, how: Any) -> None:
        self.page.merge_range(self.row, 0, self.row, self.last, words, how)


def _lines(words: str, width: int) -> int:
    """How many lines words take in a box of that width."""
    return sum(max(1, -(-breadth(line) // max(width - 2, 1))) for line in words.split("\n"))
