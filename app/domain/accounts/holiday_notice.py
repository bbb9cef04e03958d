"""A year's holidays as the State Council's office announces them, read from the notice's own words:
「元旦：1月1日（周五）至3日（周日）放假，共3天。」「2月14日（周日）上班。」"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from app.domain.accounts import calendar
from app.domain.accounts.calendar import HOLIDAY, MAX_NAME, WORKS, CalendarEntry
from app.errors import BadInput

MOST_ENTRIES, MAX_NOTICE = 60, 4000
_DAY = r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日(?:（([^（）]*)）)?"
_SPAN = re.compile(_DAY + r"(?:\s*[至到—-]+\s*" + _DAY + ")?")
_NUMBER = re.compile(r"^\s*[（(]?[一二三四五六七八九十\d]+[）)、.．]\s*")
_WEEKDAYS = "一二三四五六日"


def read(notice: str, year: int) -> list[CalendarEntry]:
    """Holidays and worked weekends of each paragraph, in its order. Words without a day are passed
    over. Raises BadInput: `notice_unread` with the line, `wrong_weekday` where a day of the week is
    another in that year, and those of `calendar.entry`."""
    if len(notice) > MAX_NOTICE:
        raise BadInput("too_long", f"notice: at most {MAX_NOTICE} characters", field="notice")
    said = notice.replace("(", "（").replace(")", "）").replace(":", "：")
    found = [it for line in said.splitlines() for it in _of_line(line, year)]
    if not found:
        raise _unread(said.strip()[:60])
    if len(found) > MOST_ENTRIES:
        raise BadInput("too_long", f"notice: at most {MOST_ENTRIES} entries", field="notice")
    return found


def _of_line(line: str, year: int) -> Iterator[CalendarEntry]:
    if not re.search(r"\d日", line):
        return
    name, colon, rest = _NUMBER.sub("", line).partition("：")
    if not colon or not name.strip():
        raise _unread(line)
    name = name.strip()[: MAX_NAME - 4]
    for sentence in re.split("[。；;]", rest):
        works = "上班" in sentence
        spans = list(_spans(sentence, year, line))
        if spans and not works and "放假" not in sentence:
            raise _unread(line)
        for first, last in spans:
            kind, called = (WORKS, f"{name}调休") if works else (HOLIDAY, name)
            yield calendar.entry(first.isoformat(), last.isoformat(), kind, called)


def _spans(sentence: str, year: int, line: str) -> Iterator[tuple[date, date]]:
    month = 0
    for found in _SPAN.finditer(sentence):
        first = _date(found.groups()[:4], year, month, line)
        last = first
        if found[7]:
            last = _date(found.groups()[4:], first.year, first.month, line)
        month = last.month
        yield first, last


def _date(said: tuple[str | None, ...], year: int, month: int, line: str) -> date:
    of_year, of_month, of_day, note = said
    try:
        day = date(int(of_year or year), int(of_month or month), int(of_day or 0))
    except ValueError:
        raise _unread(line) from None
    weekday = re.search(r"(?:周|星期)([一二三四五六日天])", note or "")
    if weekday and _WEEKDAYS[day.weekday()] != weekday[1].replace("天", "日"):
        detail = f"notice: {day} 是周{_WEEKDAYS[day.weekday()]}：{line.strip()[:60]}"
        raise BadInput("wrong_weekday", detail, field="notice")
    return day


def _unread(line: str) -> BadInput:
    return BadInput("notice_unread", f"notice: {line.strip()[:80]}", field="notice")
