"""The table within a file: its header, its rows as items, and what of the file was not used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from app.domain.catalogue import table_cells as cells
from app.domain.catalogue.table_cells import BadCell
from app.domain.catalogue.table_files import BadTable, Cell, FileSheet
from app.domain.catalogue.table_kinds import TableColumn, TableKind, plain, recognised
from app.languages import Text

_HEADER_WITHIN = 10  # rows
_ENDING = re.compile(
    r"(合计|总计|小计|共计|共\d+人|总人数|注[:：]|备注[:：]|说明[:：]|填表|制表|审核|负责人|经办人|单位盖章|盖章)"
)


@dataclass(slots=True)
class TableRow:
    """A row of the table: `number` as a spreadsheet shows it, `cells` under the file's titles,
    `item` what they say by field, and why the row cannot be taken, once that is known."""

    number: int
    cells: tuple[Cell, ...]
    item: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    changes: list[tuple[str, str, str]] = field(default_factory=list)  # column, typed, kept
    reason: Text | None = None
    note: Text | None = None  # taken as it is, and worth a look
    by_number: bool = False  # the file says no account


@dataclass(frozen=True, slots=True)
class FoundTable:
    """What was found in a file. `others` are sheets with such a table that were not read, `unused`
    titles of columns that say nothing to us, `skipped` rows after the header that are no rows of
    the table."""

    kind: TableKind
    sheet: str
    others: list[str]
    header: int
    titles: tuple[str, ...]
    used: dict[int, TableColumn]
    unused: list[str]
    skipped: list[tuple[int, str]]
    rows: list[TableRow]


def read(sheets: list[FileSheet], kind: TableKind) -> FoundTable:
    """The best fitting sheet, from its header on. Raises BadTable when none fits."""
    sheet, at, used = _header(sheets, kind)
    number, titles = sheet.rows[at]
    _refuse_side_by_side(kind, sheet, at, used)
    skipped: list[tuple[int, str]] = []
    rows: list[TableRow] = []
    for row_number, row in sheet.rows[at + 1 :]:
        if _is_no_row(row, used, titles):
            text = "　".join(it for it in map(cells.shown, row) if it.strip())
            skipped.append((row_number, text[:60]))
        else:
            rows.append(_row(row_number, row, used, titles))
    if not rows:
        raise BadTable("table_empty", "表头下面没有内容", "there are no rows under the header")
    return FoundTable(
        kind=kind,
        sheet=sheet.name,
        others=[it.name for it in sheets if it is not sheet and _holds_one(it, kind)],
        header=number,
        titles=tuple(cells.shown(it).strip() for it in titles),
        used=used,
        unused=[cells.shown(it).strip() for n, it in enumerate(titles) if it and n not in used],
        skipped=skipped,
        rows=rows,
    )


def _holds_one(sheet: FileSheet, kind: TableKind) -> bool:
    try:
        _, at, used = _header([sheet], kind)
    except BadTable:
        return False
    titles = sheet.rows[at][1]
    return any(not _is_no_row(row, used, titles) for _, row in sheet.rows[at + 1 :])


def _refuse_side_by_side(
    kind: TableKind, sheet: FileSheet, at: int, used: dict[int, TableColumn]
) -> None:
    """Raises BadTable for a list that goes on at its own right: half of it would be left out."""
    number, titles = sheet.rows[at]
    rest = [None if place in used else it for place, it in enumerate(titles)]
    again = recognised(kind, rest)
    needed = {it for it in kind.columns if it.needed}
    if len(again) < 2 or not needed <= set(again.values()):
        return
    if any(len(row) > place and row[place] for place in again for _, row in sheet.rows[at + 1 :]):
        names = "、".join(cells.shown(titles[place]).strip() for place in again)
        raise BadTable(
            "table_side_by_side",
            f"第{number}行里又有一组列：{names}。像是左右并排的名单；请把右边的接到左边下面，再传",
            "the columns stand twice, side by side: put the right part under the left one",
        )


def _header(
    sheets: list[FileSheet], kind: TableKind
) -> tuple[FileSheet, int, dict[int, TableColumn]]:
    best: tuple[FileSheet, int, dict[int, TableColumn]] | None = None
    fits = (False, 1)  # whether anything stands under it, and how many columns are known
    for sheet in sheets:
        for at, (_, row) in enumerate(sheet.rows[:_HEADER_WITHIN]):
            used = recognised(kind, row)
            fit = (len(sheet.rows) > at + 1, len(used))
            if len(used) > 1 and fit > fits:
                best, fits = (sheet, at, used), fit
    needed = [it for it in kind.columns if it.needed]
    there = best[2].values() if best else ()
    lacking = [it for it in needed if it not in there]
    if kind.names_people and {"id_number", "learner_id"} & {it.field for it in there}:
        lacking = [it for it in lacking if it.field != "name" or kind.item is None]
    if best is None or lacking:
        raise _no_header(lacking or needed, best)
    return best


def _no_header(
    lacking: list[TableColumn], best: tuple[FileSheet, int, dict[int, TableColumn]] | None
) -> BadTable:
    """Which columns are missed, by what names they are known, and what was there instead."""
    zh = "；".join(f"{it.title}{_also(it)}" for it in lacking)
    if any(it.read is cells.day for it in lacking):
        zh += "。全表是同一天、日期写在标题里的，也请加一列，每行都填"
    en = ", ".join(it.title for it in lacking)
    other = ""
    if best is not None:
        sheet, at, used = best
        number, titles = sheet.rows[at]
        unknown = [cells.shown(it).strip() for n, it in enumerate(titles) if it and n not in used]
        if unknown:
            other = f"第{number}行的这些列名没有认出：{'、'.join(unknown[:12])}。"
    return BadTable(
        "table_no_header",
        f"前{_HEADER_WITHIN}行里没有找到这些列：{zh}。{other}"
        "请改列名后再传，核对表格种类，或下载空白模板填写",
        f"these columns are not in the first {_HEADER_WITHIN} rows: {en}",
    )


def _also(column: TableColumn) -> str:
    if column.unless:
        return f"（{column.note}）"
    names = column.names.split()[:5]
    return f"（也可写作{'、'.join(names)}）" if names else ""


def _is_no_row(
    row: tuple[Cell, ...], used: dict[int, TableColumn], titles: tuple[Cell, ...]
) -> bool:
    """A total, a note, a place to sign, the header again, or a row with nothing but its number."""
    filled = [cells.shown(it).strip() for it in row]
    told = [place for place in used if place < len(row) and filled[place]]
    if not told:
        return True
    again = [place for place in told if plain(row[place]) == plain(titles[place])]
    first = next(it for it in filled if it).replace(" ", "").replace("\u3000", "")
    return len(again) == len(told) or (len(told) < len(used) and bool(_ENDING.match(first)))


def _row(
    number: int, row: tuple[Cell, ...], used: dict[int, TableColumn], titles: tuple[Cell, ...]
) -> TableRow:
    read = TableRow(number, row)
    for place, column in used.items():
        cell = row[place] if place < len(row) else None
        if column.field in ("name", "file"):
            read.name = " ".join(cells.shown(cell).split())
        if column.read in cells.LENGTHS:
            cell = cells.of_unit(cell, cells.shown(titles[place]))
        try:
            value = column.read(cell)
        except BadCell as bad:
            said = Text(f"{column.title}：{bad.reason.zh}", f"{column.field}: {bad.reason.en}")
            read.reason = read.reason or said
            continue
        if value is None:
            if column.needed and column.field != "name":
                empty = Text(f"没有填写{column.title}", f"{column.field} is empty")
                read.reason = read.reason or empty
            continue
        read.item[column.field] = value
        typed, kept = cells.shown(cell), cells.shown(value)
        if type(value) is str and typed != kept and column.field not in ("name", "session"):
            read.changes.append((column.title, typed, kept))
    return read
