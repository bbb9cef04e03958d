"""Cells as they are typed, read as what they mean: words, days, numbers, yes or no.

Readers return None for an empty cell and raise BadCell for what cannot be read without a guess.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from app.domain.catalogue.table_files import Cell
from app.languages import Text

_ERRORS = frozenset(("#N/A", "#VALUE!", "#REF!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#N/A!"))
_LONGEST_S = 6 * 3600
_EXACT = 10**15  # from here on a spreadsheet has lost digits
_DAY = re.compile(r"(\d{4})([-/.年])(\d{1,2})[-/.月](\d{1,2})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?")
_PLAIN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL_FROM = date(1899, 12, 30)  # day 0 of a spreadsheet, its leap year 1900 counted
_SERIALS = range(36_526, 73_051)  # 2000 … 2099
_YES = frozenset("是 有 √ ✓ ✔ 对 y yes true 1 合格 通过 及格 同意 已同意 批准 已批准 享受".split())
_NO = frozenset(
    "否 无 × ✗ x n no false 0 不合格 未通过 不及格 不同意 未同意 未批准 不批准 未享受".split()
)
_PARTS = {"上午": "am", "下午": "pm", "晚上": "evening", "晚": "evening", "夜间": "evening"}


class BadCell(ValueError):
    """Why a cell was not read."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.code, self.reason = code, Text(zh, en)


def shown(cell: Cell) -> str:
    """The cell as people see it, to be told beside what it is kept as."""
    if cell is None:
        return ""
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        cell = int(cell)
    return str(cell)


def words(cell: Cell) -> str | None:
    """Text, without spaces and invisible signs around it."""
    text = shown(cell)
    if text.strip() in _ERRORS:
        raise BadCell(
            "cell_error", f"单元格是错误值 {text.strip()}", f"the cell holds {text.strip()}"
        )
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    return text.removeprefix("'").strip() or None


def line(cell: Cell) -> str | None:
    """Text on one line."""
    text = words(cell)
    return " ".join(text.split()) if text else None


def name(cell: Cell) -> str | None:
    """A person's name, as typed: the roster's own rules clean it. `?` stands where a file was
    saved in an encoding that lacks a character."""
    text = words(cell)
    if text and re.search("[?？\ufffd]", text):
        raise BadCell(
            "name_lost_character",
            "有“?”：文件另存时丢了生僻字，请存为 .xlsx 或 UTF-8 编码后重填",
            "a ? in a name is a character lost when the file was saved: use .xlsx or UTF-8",
        )
    return text


def id_number(cell: Cell) -> str | int | float | None:
    """A document's number as typed. A number too long for a spreadsheet stays a number, which is
    refused as a loss."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= _EXACT:
        return cell
    if words(cell) is None:
        return None
    return shown(cell)


def day(cell: Cell) -> str | None:
    """An ISO date from a date cell, a spreadsheet's day number, or year, month and day."""
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m-%d}"
    text = words(cell)
    if text is None:
        return None
    text = unicodedata.normalize("NFKC", text).replace(" 年", "年")
    if text.isdecimal() and int(text) in _SERIALS:
        return (_SERIAL_FROM + timedelta(days=int(text))).isoformat()
    found = _DAY.fullmatch(re.sub(r"\s*([年月/.-])\s*", r"\1", text))
    parts = found.group(1, 3, 4) if found else None
    if plain := _PLAIN_DAY.fullmatch(text):
        parts = plain.group(1, 2, 3)
    try:
        if parts:
            return date(*map(int, parts)).isoformat()
    except ValueError:
        pass
    raise BadCell(
        "bad_date",
        f"“{text[:20]}”不是能认出的日期，请写成 2026-03-02",
        f"{text[:20]!r} is no date that can be read for sure: write 2026-03-02",
    )


def yes_or_no(cell: Cell) -> bool | None:
    text = words(cell)
    if text is None:
        return None
    said = unicodedata.normalize("NFKC", text).lower()
    if said not in _YES | _NO:
        raise BadCell(
            "not_yes_or_no", f"“{text[:20]}”应为“是”或“否”", f"{text[:20]!r} is not 是 or 否"
        )
    return said in _YES


def number(cell: Cell) -> float | None:
    text = words(cell)
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).replace(",", "")
    plain = re.sub(r"\s*(学时|课时|小时|分钟|分|份|人|张)$", "", plain)
    if not re.fullmatch(r"-?\d+(\.\d+)?", plain):
        raise BadCell("not_a_number", f"“{text[:20]}”不是数字", f"{text[:20]!r} is no number")
    return float(plain)


def whole(cell: Cell) -> int | None:
    value = number(cell)
    if value is not None and not value.is_integer():
        raise BadCell("not_whole", f"“{value}”应为整数", f"{value} is not whole")
    return None if value is None else int(value)


def media_seconds(cell: Cell) -> float | None:
    """The length of a lesson: minutes as a number, or `45:10`, `0:45:10`, as text or as a
    spreadsheet's time of day. From six hours on it is more likely `45:10` read as a time."""
    if isinstance(cell, datetime):
        cell = cell.time()
    text = f"{cell:%H:%M:%S}" if isinstance(cell, time) else words(cell)
    if text is None:
        return None
    text = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(r"\d+(:\d{1,2}){1,2}", text):
        minutes = number(text.removesuffix("钟"))
        return None if minutes is None else minutes * 60
    parts = [int(it) for it in text.split(":")]
    seconds = parts[-1] + 60 * parts[-2] + (3600 * parts[0] if len(parts) == 3 else 0)
    if seconds >= _LONGEST_S:
        raise BadCell(
            "length_as_time",
            f"“{text}”像是钟点：请写分钟数，或写成 0:45:10（时:分:秒）",
            f"{text!r} looks like a time of day: write minutes, or 0:45:10",
        )
    return float(seconds)


def part_of_day(cell: Cell) -> str | None:
    text = words(cell)
    return None if text is None else _PARTS.get(text, text.lower())


def hour_span(cell: Cell) -> str | None:
    """Class-hours in a row: 3, 1-3 or 1至3. A spreadsheet takes 1-3 for a day of January."""
    if isinstance(cell, datetime | date):
        raise BadCell(
            "span_is_a_date",
            "学时序号被电子表格改成了日期，请写成“1至3”",
            "the spreadsheet made a date of the class-hours: write 1至3",
        )
    text = words(cell)
    if text is None:
        return None
    plain = "".join(unicodedata.normalize("NFKC", text).split()).removeprefix("第")
    plain = re.sub(r"(学时|课时|节)$", "", plain).removesuffix(".0")
    return re.sub("[至到~—–－]+", "-", plain)


def clock(cell: Cell) -> str | None:
    """A time of day as HH:MM."""
    if isinstance(cell, datetime | time):
        return f"{cell:%H:%M}"
    text = words(cell)
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    found = re.fullmatch(r"(\d{1,2})[:点时](\d{2})(?::\d{2}|分)?", plain)
    return f"{int(found[1]):02}:{found[2]}" if found else plain


def digest(cell: Cell) -> str | None:
    """A SHA-256 in small letters."""
    text = words(cell)
    return "".join(text.split()).lower() if text else None


def practical(cell: Cell) -> bool | None:
    """Whether hours were practice: 实操 or 理论, else yes or no."""
    said = {"实操": True, "实训": True, "实践": True, "理论": False}.get(words(cell) or "")
    return yes_or_no(cell) if said is None else said
