"""How many persons are on a class's roster on each day: a fold over when each of them was in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from sqlalchemy import Connection

from app.store import stays as store
from app.store.catalogue.catalogue import ClassRow
from app.store.stays import Away


@dataclass(frozen=True, slots=True)
class Stay:
    """One person from `first` to `last`, both included, except when `away`; `last` None: to the end
    of the class. None at all where `last` lies before `first`: who never came."""

    person: Hashable
    first: date
    last: date | None = None
    away: tuple[Away, ...] = ()

    @property
    def begins(self) -> tuple[date, ...]:
        """The days on which they come, or come back."""
        return (self.first, *(it.back_on for it in self.away))

    def covers(self, day: date) -> bool:
        there = self.first <= day and (self.last is None or day <= self.last)
        return there and not any(it.covers(day) for it in self.away)

    def within(self, ends_on: str) -> Stay:
        """Until the end of a class at most."""
        end = date.fromisoformat(ends_on)
        return replace(self, last=min(self.last or end, end))

    def meets(self, other: Stay) -> bool:
        """Whether there is a day that both cover."""
        days = (*self.begins, *other.begins)
        return any(self.covers(it) and other.covers(it) for it in days)


class StoredStay(Protocol):
    first_on: str | None
    last_on: str | None
    away: list[Any] | None


def stay(person: Hashable, starts_on: str, row: StoredStay) -> Stay:
    """A stay as it is stored, in a class that starts on that day."""
    last = date.fromisoformat(row.last_on) if row.last_on else None
    first = date.fromisoformat(row.first_on or starts_on)
    return Stay(person, first, last, tuple(Away.all(row.away)))


def on_roster(stays: Iterable[Stay], day: date) -> int:
    """Persons, each once, however many accounts they have.

    >>> on_roster([Stay(1, date(2026, 3, 2), date(2026, 3, 9)), Stay(2, date(2026, 3, 9))],
    ...           date(2026, 3, 9))
    2
    """
    return len({it.person for it in stays if it.covers(day)})


def most_at_once(stays: Iterable[Stay]) -> int:
    """The most persons on any one day: it is reached on a day on which somebody comes."""
    known = list(stays)
    comes = {day for it in known for day in it.begins}
    return max((on_roster(known, day) for day in comes), default=0)


def of_class(connection: Connection, klass: ClassRow) -> list[Stay]:
    """Of everybody who is or was in the class."""
    return list(by_learner(connection, klass).values())


def by_learner(connection: Connection, klass: ClassRow) -> dict[int, Stay]:
    """The same by the account's row id."""
    return {
        row.learner_id: stay(row.person_id, klass.starts_on, row)
        for row in store.of_class(connection, klass.id)
    }


def in_class_of_course(
    connection: Connection, klass: ClassRow, stays: Iterable[Stay]
) -> dict[Hashable, str]:
    """By person, the platform's other class of the same course that they are in on a day of their
    stay here: nobody is in two at a time."""
    mine = {it.person: it.within(klass.ends_on) for it in stays}
    persons = [it for it in mine if isinstance(it, int)]
    courses = set(klass.terms.get("course_ids", ()))
    found: dict[Hashable, str] = {}
    for row in store.elsewhere(connection, klass.platform_id, klass.id, persons) if courses else ():
        there = stay(row.person_id, row.starts_on, row).within(row.ends_on)
        if set(row.terms.get("course_ids", ())) == courses and mine[row.person_id].meets(there):
            found[row.person_id] = row.external_id
    return found
