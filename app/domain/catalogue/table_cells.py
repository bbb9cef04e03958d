"""Cells as they are typed, read as what they mean: words, days, numbers, yes or no.

Readers return None for an empty cell and raise BadCell for what cannot be read without a guess.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from app.domain.catalogue.table_files import Cell
from app.languages import Text

_ERROR = re.compile(r"#(N/A!?|[A-Z_]+[!?]|DIV/0!|GETTING_DATA|#+)")  # ###: a column too narrow
NO_DATA = "无数据"  # what our own lists print where nobody told
_LONGEST_S = 6 * 3600
_EXACT = 10**15  # from here on a spreadsheet has lost digits
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_DAY = re.compile(r"(\d{4})([-/.年])(\d{1,2})[-/.月](\d{1,2})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?")
_PLAIN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL_FROM = date(1899, 12, 30)  # day 0 of a spreadsheet, its leap year 1900 counted
_TIME_FROM = date(1899, 12, 31).toordinal()
_SERIALS = range(36_526, 73_051)  # 2000 … 2099
_ROUNDED = re.compile(r"\d(\.\d+)?[Ee]\+\d+")
_ABSENT = re.compile(
    "(缺|旷[课工训到勤]|[请事病公婚丧产年休例]假|(陪产|探亲|护理|工伤|年休|调休)假).*|"
    "(未|没有?|不)(到|签|出勤|出席|上课|参加|参训|打卡|在).*|没有?来.*|"
    "(旷|假|事|病|休|休息|调休|休学|退学|退班|退训|离班|[×✗✘✕✖❌╳☐□]|x|n|no|否|无|0|false)"
)
_TICKS = frozenset("√✓✔☑✅")
_YES = frozenset(
    "是 有 √ ✓ ✔ 对 y yes true 1 合格 通过 及格 优秀 良好 同意 已同意 批准 已批准 享受 "
    "已认证 已实名 已签 已签字 已签署 准假".split()
)
_NO = frozenset(
    "否 无 没有 × ✗ x n no false 0 不合格 未通过 不及格 不同意 未同意 未批准 不批准 未享受 "
    "无补贴 未认证 未实名 未签 未签字 未签署 不准假".split()
)
_TWO_PRIMES, _PRIMES = re.compile("′′|''|’’|[\"”]"), dict.fromkeys(map(ord, "′'’"), "分")
_IN_WORDS = re.compile(  # 1小时5分30秒
    r"(?=\d)(?:(\d+(?:\.\d+)?)(?:个?小时|h))?"
    r"(?:(\d+(?:\.\d+)?)(?:分钟|分|min|m))?(?:(\d+(?:\.\d+)?)(?:秒钟|秒|s))?"
)
PARTS = {"am": "上午", "pm": "下午", "evening": "晚上"}
_PARTS = {word: part for part, word in PARTS.items()}
_PARTS |= {it: it for it in PARTS} | {"晚": "evening", "夜间": "evening"}
_WHOLE_DAYS = ("全天", "整天", "全日")


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
    if isinstance(cell, timedelta):
        hours, rest = divmod(round(cell.total_seconds()), 3600)
        return f"{hours}:{rest // 60:02}:{rest % 60:02}"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        cell = int(cell)
    return str(cell)


def words(cell: Cell) -> str | None:
    """Text, without spaces and invisible signs around it."""
    text = shown(cell)
    if _ERROR.fullmatch(text.strip()):
        raise BadCell(
            "cell_error", f"单元格是错误值 {text.strip()}", f"the cell holds {text.strip()}"
        )
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    if text.startswith("="):
        raise BadCell(
            "formula_without_result",
            "单元格是公式，还没有算出结果。请用 Excel 或 WPS 打开文件，保存后再传",
            "the cell is a formula without a result: open the file in a spreadsheet and save it",
        )
    rounded = isinstance(cell, int | float) and abs(cell) >= _EXACT
    if rounded or _ROUNDED.fullmatch(text):
        raise BadCell(
            "digits_lost",
            f"“{text[:24]}”：存成了数值，末几位已经丢失。请把该列设为“文本”后重新填写",
            f"{text[:24]!r} was kept as a number and lost its last digits: make the column text",
        )
    text = text.removeprefix("'").strip()
    return None if text == NO_DATA else text or None


def line(cell: Cell) -> str | None:
    """Text on one line."""
    text = words(cell)
    return " ".join(text.split()) if text else None


def code(cell: Cell) -> str | None:
    """A number that names something. A spreadsheet makes a day of 1-3 and a time of 1:30."""
    if isinstance(cell, datetime | date | time | timedelta):
        raise BadCell(
            "code_is_a_date",
            f"“{shown(cell)}”：编号被电子表格改成了日期或时间，请把该列设为“文本”后重新填写",
            f"the spreadsheet made {shown(cell)!r} of a number: make the column text",
        )
    return line(cell)


def name(cell: Cell) -> str | None:
    """A person's name, as typed: the roster's own rules clean it. `?` or a box stands where a file
    was saved in an encoding that lacks a character."""
    text = words(cell)
    if text and (lost := re.search("[?？□〓\ufffd]", text)):
        raise BadCell(
            "name_lost_character",
            f"有“{lost[0]}”：文件另存时丢了生僻字，请存为 .xlsx 或 UTF-8 编码后重填",
            f"a {lost[0]} in a name is a character lost when the file was saved: use .xlsx or "
            "UTF-8",
        )
    if text and re.search("[*＊]", text):
        raise BadCell(
            "name_masked",
            "姓名里有“*”，隐去了一部分，请填写全名",
            "some of the name is masked with *: enter all of it",
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
    if text.isdecimal() and len(text) < 6 and int(text) in _SERIALS:
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
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"\s*(学时|课时|小时|分钟|分|份|人|张)$", "", plain)
    if _THOUSANDS.fullmatch(plain):  # "1,2" may be the first and the second, and is not 12
        plain = plain.replace(",", "")
    if not re.fullmatch(r"-?\d+(\.\d+)?", plain):
        raise BadCell("not_a_number", f"“{text[:20]}”不是数字", f"{text[:20]!r} is no number")
    return float(plain)


def whole(cell: Cell) -> int | None:
    value = number(cell)
    if value is not None and not value.is_integer():
        raise BadCell("not_whole", f"“{value}”应为整数", f"{value} is not whole")
    return None if value is None else int(value)


def media_seconds(cell: Cell) -> float | None:
    """The length of a lesson. Of `45:10` a spreadsheet makes 45 hours and 10 minutes; no lesson
    lasts as long."""
    seconds = _spreadsheet_seconds(cell)
    if seconds is not None and seconds >= _LONGEST_S and seconds % 60 == 0:
        return seconds / 60
    return _seconds(cell)


def minutes(cell: Cell) -> float | None:
    """A length in minutes."""
    seconds = _seconds(cell)
    return None if seconds is None else seconds / 60


LENGTHS = (media_seconds, minutes)


def _seconds(cell: Cell) -> float | None:
    """A length: minutes as a number, `45:10`, `0:45:10`, `45分10秒`, or a spreadsheet's time, which
    from six hours on is more likely `45:10` read as a time."""
    text, seconds = words(cell), _spreadsheet_seconds(cell)
    if text is None:
        return None
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).lower()
    if said := _IN_WORDS.fullmatch(_TWO_PRIMES.sub("秒", text).translate(_PRIMES)):
        hours, whole_minutes, rest = (float(it or 0) for it in said.groups())
        return 3600 * hours + 60 * whole_minutes + rest
    if seconds is None and re.fullmatch(r"\d+(:\d{1,2}){1,2}", text):
        parts = [int(it) for it in text.split(":")]
        seconds = parts[-1] + 60 * parts[-2] + (3600 * parts[0] if len(parts) == 3 else 0)
    if seconds is None:
        return 60 * (number(text) or 0)
    if seconds >= _LONGEST_S:
        raise BadCell(
            "length_as_time",
            f"“{text}”像是钟点：请写分钟数，或写成 0:45:10（时:分:秒）",
            f"{text!r} looks like a time of day: write minutes, or 0:45:10",
        )
    return float(seconds)


def _spreadsheet_seconds(cell: Cell) -> float | None:
    """What a spreadsheet holds for a length, if it is a time."""
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if not isinstance(cell, datetime | time):
        return None
    # A time of more than a day is given as a date, counted from day 0.
    days = cell.toordinal() - _TIME_FROM if isinstance(cell, datetime) else 0
    return 86_400 * days + 3600 * cell.hour + 60 * cell.minute + cell.second


def class_hours(cell: Cell) -> float | None:
    """How many class-hours. Hours and minutes of the clock are something else."""
    text = words(cell)
    if text and re.search("(小时|分钟|分)$", text):
        raise BadCell(
            "not_class_hours",
            f"“{text[:20]}”是钟点时间：这里填课时数，时长请填在“分钟”列",
            f"{text[:20]!r} is time of the clock: enter class-hours, and minutes in their column",
        )
    return number(cell)


def of_unit(cell: Cell, title: str) -> Cell:
    """A length with the unit that its column's title names, where the cell is a bare number."""
    unit = re.search("小时|分钟|秒", title)
    bare = re.fullmatch(r"\d+(\.\d+)?", unicodedata.normalize("NFKC", shown(cell)).strip())
    return f"{bare[0]}{unit[0]}" if unit and bare else cell


def part_of_day(cell: Cell) -> str | None:
    """Which part of the day; None for all of it."""
    text = words(cell)
    if text is None or text in _WHOLE_DAYS:
        return None
    if part := _PARTS.get(text.lower()):
        return part
    raise BadCell(
        "not_a_part_of_the_day",
        f"“{text[:20]}”应为上午、下午或晚上；上下午都有的分两行填",
        f"{text[:20]!r} is not 上午, 下午 or 晚上 (am, pm, evening)",
    )


def attended(cell: Cell) -> Cell:
    """What stands beside a name on a list of who came: a tick, a name, a time. Keeps nothing; a
    person who is marked absent has no attendance, nor one whose mark may mean that."""
    if re.match(r"=(_xlfn\.)?DISPIMG\(", shown(cell)):
        return None  # a picture in a cell, as WPS keeps that of a signature
    text = words(cell)
    said = "".join(unicodedata.normalize("NFKC", text or "").lower().split())
    if text and _ABSENT.fullmatch(said):
        raise BadCell(
            "absent",
            f"写的是“{text[:20]}”，没有到课的不计考勤；请假的请另填请假与补课",
            f"{text[:20]!r}: who was absent has no attendance",
        )
    if text and not _TICKS & set(said) and not any(c.isalnum() for c in said):
        raise BadCell(
            "attended_or_not",
            f"“{text[:20]}”看不出到没到课：到课的用“查找和替换”改成“√”，没到的这一行删去",
            f"{text[:20]!r} does not say who came: write √, and leave out who did not",
        )
    return None


def passed(cell: Cell) -> bool | None:
    _was_there(cell)
    return yes_or_no(cell)


def score(cell: Cell) -> float | None:
    _was_there(cell)
    text = words(cell)
    if text and len(text) > 1 and text.lower() in _YES | _NO:
        raise BadCell(
            "result_as_score",
            f"“{text}”是结论，不是分数：请把这一列的列名改为“是否合格”",
            f"{text!r} is a result and no score: name the column 是否合格",
        )
    return number(cell)


def _was_there(cell: Cell) -> None:
    text = words(cell)
    if text and re.fullmatch("(缺考|旷考|弃考|未考|没考|缺席|缺|未参加.*)", text):
        raise BadCell(
            "not_assessed",
            f"“{text[:20]}”：没有参加考核的不登记，这一行删去即可",
            f"{text[:20]!r}: who was not assessed has no result, leave the row out",
        )


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
    """Whether hours were practice: 实操 or 理论, with 课 or the like, else yes or no."""
    found = re.fullmatch("(理论|实操|实训|实践|实际操作)(课程?|教学|培训)?", words(cell) or "")
    return found[1] != "理论" if found else yes_or_no(cell)


AMOUNTS = (number, whole, score, class_hours, *LENGTHS)
"""Readers of what can be added up."""
