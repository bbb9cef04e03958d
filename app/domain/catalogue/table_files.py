"""Tables as people have them, XLSX or delimited text, read into rows of cells.

A file is a stranger's: how much is unpacked and how much is read is bounded, no formula is
computed, no link is followed, no macro is run.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import islice
from typing import Any

from app.domain.zip_members import require_usual
from app.errors import BadInput

MAX_BYTES = 2 * 1024 * 1024
MAX_UNPACKED = 16 * 1024 * 1024
MAX_ROWS = 2000  # with something in them
# Every element is an object with names of its own: bytes alone tell little of what they cost.
_MOST_ELEMENTS, _MOST_STYLES = 1_000_000, 200_000
_MAX_HEIGHT, _MAX_WIDTH, _MAX_SHEETS = 20_000, 100, 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_TABLES = {
    b"%PDF": "PDF",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
}  # what files begin with
_MARKUP = re.compile(r"\s*<(\?xml|!doctype|html|head|meta|table|style|!--)", re.IGNORECASE)
# No tag goes beyond the next one's beginning: what is none is not looked through from each of them.
_TAG = rb"<(?:[\w.-]{1,40}:)?"  # programs that write a prefix before every name
_FORMULA = re.compile(_TAG + rb"f[\s>/]")
_MERGED = re.compile(
    _TAG + rb"mergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)
_ROW_TAG = re.compile(_TAG + rb"row\s[^<>]*>")
_COLUMN_TAG = re.compile(_TAG + rb"col\s[^<>]*>")
_FIRST_AND_LAST = tuple(
    re.compile(rb"\s" + it + rb"=[\"']([0-9]{1,5})[\"']") for it in (b"min", b"max")
)
_HIDDEN = re.compile(rb"\shidden=[\"'](?:1|true)[\"']")
_ROW_NUMBER = re.compile(rb"\sr=[\"']([0-9]{1,7})[\"']")
# "Strict Open XML", a choice beside the usual one when a workbook is saved: other namespaces.
_STRICT = {
    b"http://purl.oclc.org/ooxml/spreadsheetml/main": (
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    ),
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": (
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    ),
}
# Days and times in Chinese words (2026年3月2日, 3月2日, 0时45分), of which files name no code.
_CHINESE_DATES = frozenset((*range(27, 37), *range(50, 59)))
_PADDED = re.compile(r'((?:"[^"]*"|\\.)*)(0+)((?:"[^"]*"|\\.)*)')  # "XY"0000
_ROOM = re.compile(r"\[[^\]]*\]|[_*].")  # colours, and room beside a number
_ESCAPED = re.compile(r"_x(00[01][0-9A-F])_")  # line ends and the like, as workbooks keep them
_EXACT = 10**15  # from here on a spreadsheet has lost digits
_MOST_COVERED = 200_000  # cells
_LONGEST_FORMAT = 255  # characters, as programs keep it
_MOST_OPENED = 4  # times, of one part; a sheet is opened for its size and for its cells
_MARKED = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = ",\t;，"
_AS_TEXT = re.compile(r'="([^"]*)"')  # how programs keep a spreadsheet from cutting long numbers

Cell = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True, slots=True)
class FileSheet:
    """A sheet's rows that are not empty, each with its number as a spreadsheet shows it.

    `merged` has, by row number and place, what stands in the cell above that a cell without
    content was merged with; `broad`, of cells that are merged with those at their right, the last
    place. `hidden` are numbers of rows that a filter or a person hides, `unseen` places of columns.
    """

    name: str
    rows: list[tuple[int, tuple[Cell, ...]]]
    merged: dict[tuple[int, int], Cell] = field(default_factory=dict)
    broad: dict[tuple[int, int], int] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()
    unseen: frozenset[int] = frozenset()


class BadTable(BadInput):
    """A file that is no table of ours; its detail says in Chinese and English what helps."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(code, f"{zh} / {en}")
        self.zh, self.en = zh, en


def sheets(data: bytes) -> list[FileSheet]:
    """The sheets of a workbook, or the one of a text file. Raises BadTable."""
    if len(data) > MAX_BYTES:
        size = MAX_BYTES // 1024 // 1024
        raise BadTable(
            "table_too_large",
            f"文件超过{size}MB。请删去图片和用不到的工作表后再传",
            f"the file is larger than {size} MB: remove pictures and sheets that are not needed",
        )
    if data.startswith(_OLE):
        raise BadTable(
            "table_old_format",
            "这是 .xls 旧格式，或设了打开密码。请用 Excel 或 WPS 打开，去掉密码，另存为 .xlsx 再传",
            "this is the old .xls format, or has a password: save it as .xlsx without one",
        )
    if other := _other(data):
        raise BadTable(
            "table_unreadable",
            f"这是{other}，不是表格。请把名单放进 Excel 或 WPS 表格，存为 .xlsx 再传",
            "this is no table: put the list into a spreadsheet and save it as .xlsx",
        )
    found = _workbook(data) if data.startswith(_ZIP) else [_text(data)]
    if not any(it.rows for it in found):
        raise BadTable("table_empty", "文件里没有内容", "there is nothing in the file")
    return found


def _other(data: bytes) -> str | None:
    """What a file is instead of a table, where its beginning or its parts say so."""
    for begins, kind in _NO_TABLES.items():
        if data.startswith(begins):
            return kind
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist() if data.startswith(_ZIP) else []
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # told where it is opened
        return None
    return "Word文档" if "word/document.xml" in names else None


class _BookParts(zipfile.ZipFile):
    """An archive whose parts are read as often as a workbook needs, and not once for each of the
    thousand sheets that say they are the same part."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._opened: Counter[int] = Counter()

    def open(self, name: str | zipfile.ZipInfo, *how: Any, **options: Any) -> Any:
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        self._opened[part.header_offset] += 1
        if self._opened[part.header_offset] > _MOST_OPENED:
            raise zipfile.BadZipFile(f"{part.filename!r} is several sheets at once")
        return super().open(name, *how, **options)


@cache
def _bound_formats() -> None:
    """Have formats of numbers looked at as far as there are any: of a longer one each bracket that
    is opened costs a look at all that follows."""
    from openpyxl.styles import stylesheet

    for name in ("is_date_format", "is_timedelta_format"):
        told = getattr(stylesheet, name)
        setattr(stylesheet, name, lambda code, told=told: told(code and code[:_LONGEST_FORMAT]))


def _loaded(data: bytes, **how: bool) -> Any:
    """The workbook as far as rows need it: not its names, nor whatever else there is to read."""
    # Loaded where it is needed: it takes a while, and few processes ever read a workbook.
    from openpyxl.reader.excel import ExcelReader, apply_stylesheet

    _bound_formats()
    reader = ExcelReader(io.BytesIO(data), read_only=True, keep_links=False, **how)
    reader.archive = _BookParts(data)
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    reader.read_worksheets()
    return reader.wb


def _workbook(data: bytes) -> list[FileSheet]:
    from openpyxl.utils.exceptions import InvalidFileException

    broken = (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
        *(InvalidFileException, SyntaxError, KeyError, IndexError),  # of either XML parser
        *(ValueError, TypeError, AttributeError, OverflowError),
    )
    try:
        _check_unpacked(data)
        data = _usual(data)
        book = _loaded(data, data_only=True)
        typed = _loaded(data) if _has_formulas(data) else book
        _know_chinese_dates(book)
        found = []
        for sheet, beside in list(zip(book.worksheets, typed.worksheets, strict=True))[
            :_MAX_SHEETS
        ]:
            rows = _shown(sheet)
            if typed is not book:
                rows = _with_formulas(rows, _rows(beside))
            hidden = sheet.sheet_state != "visible"
            found.append((hidden, _sheet(data, sheet, _filled(rows))))
    except broken as error:
        raise BadTable(
            "table_broken",
            "打不开这个文件。请用 Excel 或 WPS 打开后另存为 .xlsx 再传",
            "this file does not open: save it anew as .xlsx",
        ) from error
    return [read for _, read in sorted(found, key=lambda it: it[0])]


def _sheet(data: bytes, sheet: Any, rows: list[tuple[int, tuple[Cell, ...]]]) -> FileSheet:
    """A sheet with what its file says of merged cells, hidden rows and columns, which is not read
    along with the cells."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        written = archive.read(sheet._worksheet_path.lstrip("/"))
    tags = (it[0] for it in _ROW_TAG.finditer(written) if _HIDDEN.search(it[0]))
    hidden = frozenset(int(it[1]) for it in map(_ROW_NUMBER.search, tags) if it)
    boxes = list(islice(_boxes(written), _MOST_COVERED))
    above, merged = dict(rows), {}
    for place, top, row in _covered(boxes):
        if place < len(above.get(top, ())) and above[top][place] is not None:
            merged[row, place] = above[top][place]
    broad = {(top, left): right for left, top, right, _ in boxes if right > left}
    return FileSheet(sheet.title, rows, merged, broad, hidden, _unseen(written))


def _unseen(written: bytes) -> frozenset[int]:
    """Places of hidden columns; a tag tells of all from one to another."""
    found: set[int] = set()
    for tag in islice(_COLUMN_TAG.finditer(written), _MAX_WIDTH):
        bounds = [it.search(tag[0]) for it in _FIRST_AND_LAST]
        if _HIDDEN.search(tag[0]) and all(bounds):
            first, last = (int(it[1]) for it in bounds if it)
            found.update(range(first - 1, min(last, _MAX_WIDTH)))
    return frozenset(found)


def _boxes(written: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Merged cells: left place, top row, right place, bottom row."""
    from openpyxl.utils import column_index_from_string as number_of

    for left, top, right, bottom in (it.groups() for it in _MERGED.finditer(written)):
        yield number_of(left.decode()) - 1, int(top), number_of(right.decode()) - 1, int(bottom)


def _covered(boxes: Iterable[tuple[int, int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Cells that are merged with one above: place, row of that one, own row. Of cells that are
    merged in their breadth as well only the leftmost: the others are no columns of their own."""
    rows = (
        (place, top, row)
        for place, top, _, bottom in boxes
        for row in range(top + 1, min(bottom, _MAX_HEIGHT) + 1)
    )
    return islice(rows, _MOST_COVERED)


def _rows(sheet: Any) -> Iterable[tuple[Cell, ...]]:
    sheet.reset_dimensions()  # what a file says of its own size is not always so
    rows: Iterable[tuple[Cell, ...]] = sheet.iter_rows(
        max_row=_MAX_HEIGHT, max_col=_MAX_WIDTH, values_only=True
    )
    return rows


def _usual(data: bytes) -> bytes:
    """The workbook in the usual namespaces, which are all that its reader knows."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {it.filename: it for it in archive.infolist()}  # of several of a name, the last
        books = [archive.read(it) for name, it in parts.items() if name.endswith("workbook.xml")]
        if not any(strict in book for strict in _STRICT for book in books):
            return data
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as usual:
            for name, part in parts.items():
                written = archive.read(part)
                if name.endswith((".xml", ".rels")):
                    for strict, known in _STRICT.items():
                        written = written.replace(strict, known)
                usual.writestr(name, written)
    return out.getvalue()


def _know_chinese_dates(book: Any) -> None:
    if isinstance(book._date_formats, set):
        styles = enumerate(book._cell_styles)
        book._date_formats |= {n for n, it in styles if it.numFmtId in _CHINESE_DATES}


def _shown(sheet: Any) -> Iterable[tuple[Cell, ...]]:
    """Rows with what a spreadsheet shows: zeros and letters that a number's format puts before it,
    percent, and nothing where the result of a formula is a text of no characters."""
    sheet.reset_dimensions()
    written: dict[int, Callable[[float], Cell] | None] = {}

    def shown(cell: Any) -> Cell:
        value: Cell = cell.value
        if value is None:
            return "" if cell.data_type == "str" else None
        if isinstance(value, str):
            return _ESCAPED.sub(lambda it: chr(int(it[1], 16)), value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        if not 0 <= value < _EXACT:
            return value
        style = cell._style_id
        if style not in written:
            written[style] = _written(_number_format(cell))
        write = written[style]
        return write(value) if write else value

    for row in sheet.iter_rows(max_row=_MAX_HEIGHT, max_col=_MAX_WIDTH):
        yield tuple(map(shown, row))


def _number_format(cell: Any) -> str:
    try:
        return str(cell.number_format)[:_LONGEST_FORMAT]
    except (IndexError, AttributeError):  # a style that the file does not have
        return ""


def _written(code: str) -> Callable[[float], Cell] | None:
    """How a format writes a number, where that says more than the number does; None elsewhere.

    >>> _written('"XY"0000_ ')(12), _written("0%")(0.85), _written('0"人"')
    ('XY0012', '85%', None)
    """
    code = _ROOM.sub("", code.partition(";")[0]).strip()
    if code.endswith("%"):
        return lambda value: f"{100 * value:.10g}%"
    found = _PADDED.fullmatch(code)
    if not found:
        return None
    before, after = (re.sub(r'["\\]', "", it) for it in found.group(1, 3))
    digits = len(found[2])
    if digits == 1 and not re.search("[A-Za-z0-9]", before):
        return None
    return lambda value: value if value % 1 else f"{before}{int(value):0{digits}}{after}"


def _has_formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [it for it in archive.infolist() if it.filename.startswith("xl/worksheets/")]
        return any(_FORMULA.search(archive.read(it)) for it in sheets)


def _with_formulas(
    results: Iterable[tuple[Cell, ...]], typed: Iterable[tuple[Cell, ...]]
) -> Iterable[tuple[Cell, ...]]:
    """Results, and the formula where it has none: a program wrote it and nothing computed it, so
    that an empty cell would lose what its author sees there."""
    for row, beside in zip(results, typed, strict=True):
        yield tuple(
            it
            if it is not None or formula is None
            else formula
            if isinstance(formula, str)
            else "="
            for it, formula in zip(row, beside, strict=True)
        )


def _check_unpacked(data: bytes) -> None:
    """Raises BadTable when the archive unpacks to more than a table of ours can be. What it says
    of itself is not believed: it is unpacked and counted, and thrown away."""
    left, elements = MAX_UNPACKED, _MOST_ELEMENTS
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        require_usual(archive.infolist())
        for member in archive.infolist():
            member.file_size = left + 1
            styles = _MOST_STYLES if member.filename.endswith("styles.xml") else elements
            with archive.open(member) as packed:
                while chunk := packed.read(64 * 1024):
                    tags = chunk.count(b"<")
                    left, elements, styles = left - len(chunk), elements - tags, styles - tags
                    if min(left, elements, styles) < 0:
                        raise BadTable(
                            "table_too_large",
                            "文件展开后太大。请把名单单独复制到一个新的工作簿再传",
                            "the file unpacks to too much: copy the list into a new workbook",
                        )


def _text(data: bytes) -> FileSheet:
    text = _decoded(data)
    if (
        text.count("\n") + text.count("\r") > 2 * _MAX_HEIGHT
    ):  # each line costs, what is in it or not
        raise _too_long()
    if _MARKUP.match(text):
        raise BadTable(
            "table_old_format",
            "这是网页格式的表格（不少系统导出的 .xls 其实是网页）。请用 Excel 或 WPS 打开，"
            "另存为 .xlsx 再传",
            "this is a web page, as some systems name .xls: open it and save it as .xlsx",
        )
    try:
        read = [list(csv.reader(io.StringIO(text, newline=""), delimiter=it)) for it in _DELIMITERS]
    except csv.Error as error:
        raise _no_table() from error
    best = max(range(len(read)), key=lambda n: _regular(read[n], _DELIMITERS[n]))
    _require_pairs(text, read[best], _DELIMITERS[best])
    return FileSheet("", _filled([_AS_TEXT.sub(r"\1", it) for it in row] for row in read[best]))


def _require_pairs(text: str, rows: list[list[str]], delimiter: str) -> None:
    """Raises BadTable for a quotation mark without its other half, up to which, or to the end of
    the file, rows would become one cell."""
    inside = (
        number
        for number, row in enumerate(rows, start=1)
        if any(delimiter in line for cell in row for line in cell.splitlines()[1:])
    )
    found = next(inside, None)
    if found is None:
        return
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        raise BadTable(
            "table_open_quote",
            f'第{found}行有一个引号（"）没有成对，后面的行会被并进这一格。'
            "请用记事本补上或去掉这个引号，再传",
            f"a quotation mark in row {found} has no other half, and takes the rows after it into "
            "its cell: add or remove one",
        ) from error


def _regular(rows: list[list[str]], delimiter: str) -> tuple[int, int]:
    """How well a delimiter divides a text: how many of the first rows are of one breadth, and the
    breadth. Where another delimiter is left at a cell's end, it is that one that divides."""
    others = tuple(set(_DELIMITERS) - {delimiter})
    breadths: Counter[int] = Counter()
    for row in rows[:10]:
        said = [it.strip() for it in row]
        while said and not said[-1]:
            said.pop()
        if len(said) > 1 and not any(it.startswith(others) or it.endswith(others) for it in said):
            breadths[len(said)] += 1
    return max(((rows_, breadth) for breadth, rows_ in breadths.items()), default=(0, 0))


def _decoded(data: bytes) -> str:
    encodings = [name for mark, name in _MARKED if data.startswith(mark)] or ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _no_table()


def _no_table() -> BadTable:
    return BadTable(
        "table_unreadable",
        "不是表格文件。请上传 .xlsx 或 .csv（UTF-8 或 GB18030 编码）",
        "this is no table: hand in .xlsx, or .csv in UTF-8 or GB18030",
    )


def _too_long() -> BadTable:
    return BadTable(
        "table_too_long",
        f"表格超过{MAX_ROWS}行或{_MAX_WIDTH}列，请分开上传",
        f"the table has more than {MAX_ROWS} rows or {_MAX_WIDTH} columns: split it",
    )


def _filled(rows: Iterable[Sequence[Cell]]) -> list[tuple[int, tuple[Cell, ...]]]:
    found: list[tuple[int, tuple[Cell, ...]]] = []
    for number, row in enumerate(rows, start=1):
        said = [cell is not None and (not isinstance(cell, str) or cell.strip()) for cell in row]
        width = max((place for place, it in enumerate(said, start=1) if it), default=0)
        if not width:
            continue
        if len(found) >= MAX_ROWS or width > _MAX_WIDTH:
            raise _too_long()
        found.append((number, tuple(row[:width])))
    return found
