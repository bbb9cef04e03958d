"""The calendar that an administrator keeps: holidays, and weekends that are worked on instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.domain.accounts.users import Role, User
from app.domain.policy import working_days
from app.domain.policy.working_days import Calendar
from app.domain.wire import shows_all, typed_day
from app.errors import BadInput, NotAllowed
from app.store.accounts import audit
from app.store.accounts import calendar as store
from app.store.accounts.calendar import CalendarDayRow

HOLIDAY, WORKS, USUAL = "holiday", "works", "usual"
KINDS = (HOLIDAY, WORKS, USUAL)
MOST_DAYS, MAX_NAME = 31, 64
# The holidays of every year (全国年节及纪念日放假办法), how else people write them, and the last
# month that each can lie in.
_YEARLY = {
    "元旦": (("元旦", "新年"), 1),
    "春节": (("春节",), 2),
    "清明节": (("清明",), 4),
    "劳动节": (("劳动", "五一"), 5),
    "端午节": (("端午",), 6),
    "中秋节": (("中秋",), 10),
    "国庆节": (("国庆",), 10),
}


def read(connection: Connection) -> Calendar:
    rows = store.days(connection)
    return Calendar(
        frozenset(it.day for it in rows if not it.works),
        frozenset(it.day for it in rows if it.works),
    )


def lacking(rows: Iterable[CalendarDayRow], year: int, today: date) -> list[str]:
    """Holidays of a year, those that lie ahead in the present one, that nobody entered yet."""
    entered = [it.name for it in rows if it.day.year == year and not it.works]
    ahead = today.month if today.year == year else 1
    return [
        holiday
        for holiday, (names, last_month) in _YEARLY.items()
        if last_month >= ahead and not any(name in it for name in names for it in entered)
    ]


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """What somebody wants to be kept of the days from `first` to `last`."""

    first: date
    last: date
    kind: str
    name: str

    def after(self, calendar: Calendar) -> Calendar:
        """The calendar with this in it."""
        days = frozenset(working_days.days(self.first, self.last))
        holidays, made_up = calendar.holidays - days, calendar.made_up - days
        if self.kind == HOLIDAY:
            return Calendar(holidays | days, made_up)
        return Calendar(holidays, made_up | days if self.kind == WORKS else made_up)


def entry(first: str, last: str, kind: str, name: str) -> CalendarEntry:
    """As typed: ISO days, an empty `last` is the first. Raises BadInput by the field's name."""
    if kind not in KINDS:
        raise BadInput("bad_kind", f"kind: one of {', '.join(KINDS)}", field="kind")
    from_on = _day("first", first)
    to_on = _day("last", last) if last.strip() else from_on
    if not 0 <= (to_on - from_on).days < MOST_DAYS:
        detail = f"last: on or after the first day, at most {MOST_DAYS} days"
        raise BadInput("bad_range", detail, field="last")
    said = name.strip()
    if len(said) > MAX_NAME or not shows_all(said) or (kind != USUAL and not said):
        raise BadInput("bad_name", f"name: 1 to {MAX_NAME} characters", field="name")
    return CalendarEntry(from_on, to_on, kind, said)


def enter(
    connection: Connection, user: User, wanted: CalendarEntry, reason: str, now_ms: int
) -> None:
    """Make the days holidays, working days, or usual days again. Raises NotAllowed for all but
    administrators."""
    if user.role is not Role.ADMIN:
        raise NotAllowed("role", "only administrators keep the calendar")
    days = list(working_days.days(wanted.first, wanted.last))
    if wanted.kind == USUAL:
        store.drop(connection, days)
    else:
        store.put(connection, days, wanted.kind == WORKS, wanted.name)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="calendar.changed",
        subject="calendar",
        detail={
            "since": wanted.first.isoformat(),
            "until": wanted.last.isoformat(),
            "calendar_kind": wanted.kind,
            "name": wanted.name,
            "reason": reason,
        },
    )


def _day(field: str, said: str) -> date:
    try:
        return typed_day(said)
    except ValueError as error:
        raise BadInput("bad_date", f"{field}: {error}", field=field) from None
