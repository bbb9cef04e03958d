"""The table within a file: its header, its rows as items, and what of the file was not used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.domain.catalogue import table_cells as cells
from app.domain.catalogue.table_cells import BadCell
from app.domain.catalogue.table_files import BadTable, Cell, FileSheet
from app.domain.catalogue.table_kinds import TableColumn, TableKind, plain, recognised
from app.languages import Text

_HEADER_WITHIN = 10  # rows
_DATED = re.compile(r"\d{4}年.*|年月日")  # below a list, where nothing else stands beside it
_HAN = re.compile("[\u4e00-\u9fff]")
_TOTAL = re.compile(r"合计|总计|小计|共计|共\d+人|总人数|以上|以下空白|本页|本表")
_EXAMPLE = re.compile(r"(填写)?(示例|样例|范例)[0-9一二三]?[:：]?|例[:：]?|(示例|样例|例)[:：].+")
_NOTE = re.compile(
    r"(注[:：]|备注[:：]|说明[:：]|日期[:：]|填表|填报|制表|审核|审批|初审人|复核人|"
    r"负责人|经办人|联系人|联系电话|单位盖章|盖章|单位[(（:：]|单位负责人|培训机构[(（:：])"
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
    the table, `hidden` numbers of rows and `unseen` titles of columns that the file hides and that
    were read all the same."""

    kind: TableKind
    sheet: str
    others: list[str]
    header: int
    titles: tuple[str, ...]
    used: dict[int, TableColumn]
    unused: list[str]
    skipped: list[tuple[int, str]]
    hidden: list[int]
    unseen: list[str]
    rows: list[TableRow]


def read(sheets: list[FileSheet], kind: TableKind) -> FoundTable:
    """The best fitting sheet, from its header on. Raises BadTable when none fits."""
    header = _header(sheets, kind)
    sheet, used, titles = header.sheet, header.used, header.titles
    _refuse_side_by_side(kind, header)
    skipped: list[tuple[int, str]] = []
    rows: list[TableRow] = []
    for row_number, row in header.below:
        if _is_no_row(row, used, titles):
            text = "　".join(it for it in map(cells.shown, row) if it.strip())
            skipped.append((row_number, text[:60]))
        else:
            rows.append(_row(sheet, row_number, row, used, titles))
    if not rows:
        raise BadTable("table_empty", "表头下面没有内容", "there are no rows under the header")
    return FoundTable(
        kind=kind,
        sheet=sheet.name,
        others=[it.name for it in sheets if it is not sheet and _holds_one(it, kind)],
        header=header.number,
        titles=tuple(cells.shown(it).strip() for it in titles),
        used=used,
        unused=header.unknown,
        skipped=skipped,
        hidden=[it.number for it in rows if it.number in sheet.hidden],
        unseen=[cells.shown(titles[it]).strip() for it in used if it in sheet.unseen],
        rows=rows,
    )


def _holds_one(sheet: FileSheet, kind: TableKind) -> bool:
    try:
        found = _header([sheet], kind)
    except BadTable:
        return False
    return any(not _is_no_row(row, found.used, found.titles) for _, row in found.below)


def _refuse_side_by_side(kind: TableKind, header: _Header) -> None:
    """Raises BadTable for a list that goes on at its own right: half of it would be left out."""
    rest = [None if place in header.used else it for place, it in enumerate(header.titles)]
    again = recognised(kind, rest)
    needed = {it for it in kind.columns if it.needed}
    if len(again) < 2 or not needed <= set(again.values()):
        return
    if any(len(row) > place and row[place] for place in again for _, row in header.below):
        names = "、".join(cells.shown(header.titles[place]).strip() for place in again)
        raise BadTable(
            "table_side_by_side",
            f"第{header.number}行里又有一组列：{names}。像是左右并排的名单；请把右边的接到左边下面，再传",
            "the columns stand twice, side by side: put the right part under the left one",
        )


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the titles stand: one row, or two of which the second divides cells of the first."""

    sheet: FileSheet
    at: int
    titles: tuple[Cell, ...]
    used: dict[int, TableColumn]
    rows: int = 1

    @property
    def number(self) -> int:
        return self.sheet.rows[self.at][0]

    @property
    def below(self) -> list[tuple[int, tuple[Cell, ...]]]:
        return self.sheet.rows[self.at + self.rows :]

    @property
    def unknown(self) -> list[str]:
        return [
            cells.shown(it).strip() for n, it in enumerate(self.titles) if it and n not in self.used
        ]


def _header(sheets: list[FileSheet], kind: TableKind) -> _Header:
    """The rows with the most titles of the kind. Raises BadTable when some that it needs are not
    there."""
    best: _Header | None = None
    fits = (False, 0)  # whether anything stands under it, and how many columns are known
    for found in (it for sheet in sheets for it in _headers(sheet, kind)):
        fit = (bool(found.below), len(found.used))
        if fit > fits and found.used:
            best, fits = found, fit
    there = {it.field for it in best.used.values()} if best else set()
    lacking = [it for it in kind.columns if it.needed and it.field not in there]
    if kind.names_people and not {"id_number", "learner_id"} & there:
        if kind.item is None and "name" in there:
            lacking.append(next(it for it in kind.columns if it.field == "id_number"))
    elif kind.names_people and kind.item is not None:
        lacking = [it for it in lacking if it.field != "name"]
    if best is None or lacking or len(best.used) < 2:
        raise _no_header(lacking or [it for it in kind.columns if it.needed], best)
    return best


def _headers(sheet: FileSheet, kind: TableKind) -> Iterator[_Header]:
    """What may be the header. Two rows are one header where that makes more columns known, and
    where the second divides a title of the first: that is the title of none of its parts."""
    for at, (_, row) in enumerate(sheet.rows[:_HEADER_WITHIN]):
        alone = _Header(sheet, at, row, recognised(kind, row, sheet.unseen))
        divided = bool(alone.used) and _divides(alone)
        if not divided:
            yield alone
        if at + 1 < len(sheet.rows):
            titles = _divided(kind, row, sheet.rows[at + 1][1])
            both = _Header(sheet, at, titles, recognised(kind, titles, sheet.unseen), rows=2)
            if divided or (alone.used and len(both.used) > len(alone.used)):
                yield both


def _divides(header: _Header) -> bool:
    """Whether several cells stand under one title: one that is merged, or beside which there is
    room, over a row that says nothing of anybody."""
    if not header.below:
        return False
    row, (_, below) = header.titles, header.below[0]
    for place in range(len(row)):
        if _at(row, place) is None:
            continue
        merged_to = header.sheet.broad.get((header.number, place))
        nexts = (n for n in range(place + 1, len(row)) if _at(row, n) is not None)
        under = range(place, next(nexts, len(below)) if merged_to is None else merged_to + 1)
        if sum(_at(below, n) is not None for n in under) < 2:
            continue
        others = [n for n in header.used if n not in under]
        nobody = all(_at(below, n) is None for n in others)
        if nobody and (others or merged_to is not None):
            return True
    return False


def _at(row: tuple[Cell, ...], place: int) -> Cell:
    """What stands there, if anything."""
    cell = row[place] if place < len(row) else None
    return cell if cells.shown(cell).strip() else None


def _divided(kind: TableKind, upper: tuple[Cell, ...], lower: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Titles of two rows: the lower one where there is one, together with the upper one where
    that is a title (证件 over 类型 and 号码)."""
    titles: list[Cell] = []
    over: Cell = None
    for place in range(max(len(upper), len(lower))):
        own, under = _at(upper, place), _at(lower, place)
        over = own if own is not None else over if under is not None else None
        both = f"{cells.shown(over)}{cells.shown(under)}"
        titles.append(both if under is None or recognised(kind, [both]) else under)
    return tuple(titles)


def _no_header(lacking: list[TableColumn], best: _Header | None) -> BadTable:
    """Which columns are missed, by what names they are known, and what was there instead."""
    zh = "；".join(f"{it.title}{_also(it)}" for it in lacking)
    if any(it.read is cells.day for it in lacking):
        zh += "。全表是同一天、日期写在标题里的，也请加一列，每行都填"
    en = ", ".join(it.title for it in lacking)
    other = ""
    if best is not None and best.unknown:
        other = f"第{best.number}行的这些列名没有认出：{'、'.join(best.unknown[:12])}。"
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
    """A total, a note, an example, a place to sign, the header again, or a row with nothing but its
    number."""
    filled = [cells.shown(it).strip() for it in row]
    told = [place for place in used if place < len(row) and filled[place]]
    if not told:
        return True
    again = [place for place in told if plain(row[place]) == plain(titles[place])]
    at = next(place for place, it in enumerate(filled) if it)
    first = filled[at].replace(" ", "").replace("\u3000", "")
    if len(again) == len(told) or (sum(map(bool, filled)) == 1 and _DATED.fullmatch(first)):
        return True
    is_lesson = at in used and used[at].field == "title"  # which may be about an example
    example = not is_lesson and _EXAMPLE.fullmatch(first)
    if example or _is_numbered_by_words(row, titles, told):
        return True
    needed = [place for place, column in used.items() if column.needed]
    whole = len(needed) > 1 and set(needed) <= set(told)  # a lesson on 审核流程, and no signature
    ends = bool(_TOTAL.match(first)) or (bool(_NOTE.match(first)) and not whole)
    return len(told) < len(used) and ends


def _is_numbered_by_words(row: tuple[Cell, ...], titles: tuple[Cell, ...], told: list[int]) -> bool:
    """Whether words stand where every person has a number (序号), and hardly anything beside."""
    place = next((n for n, it in enumerate(titles) if plain(it) == "序号"), None)
    if place is None or place >= len(row) or len(told) > 1:
        return False
    return len(_HAN.findall(cells.shown(row[place]))) > 1


def _merged_amount(column: TableColumn) -> Text:
    return Text(
        f"{column.title}：单元格与上面的合并了，不知道是每行各有，还是几行合计。请取消合并，每行都填",
        f"{column.field}: the cell is merged with the one above, which may be a sum: enter each",
    )


def _unmerged(
    sheet: FileSheet, number: int, row: tuple[Cell, ...], used: dict[int, TableColumn]
) -> tuple[Cell, ...]:
    """The row with what it shares with the rows above, so that it says the same without them."""
    said = [*row, *[None] * (max(used) + 1 - len(row))]
    for place, column in used.items():
        if said[place] is None and column.read not in cells.AMOUNTS:
            said[place] = sheet.merged.get((number, place))
    return tuple(said)


def _row(
    sheet: FileSheet,
    number: int,
    row: tuple[Cell, ...],
    used: dict[int, TableColumn],
    titles: tuple[Cell, ...],
) -> TableRow:
    read = TableRow(number, _unmerged(sheet, number, row, used))
    for place, column in used.items():
        cell = read.cells[place] if place < len(read.cells) else None
        if cell is None and (number, place) in sheet.merged:
            read.reason = read.reason or _merged_amount(column)
            continue
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
