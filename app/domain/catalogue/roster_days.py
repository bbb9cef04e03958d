"""How many persons are on a class's roster on each day: a fold over when each of them was in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from app.store import stays as store
from app.store.catalogue.catalogue import ClassRow


@dataclass(frozen=True, slots=True)
class Stay:
    """One person from `first` to `last`, both included; `last` None: to the end of the class. None
    at all where `last` lies before `first`: who never came."""

    person: Hashable
    first: date
    last: date | None = None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def within(self, ends_on: str) -> Stay:
        """Until the end of a class at most."""
        end = date.fromisoformat(ends_on)
        return replace(self, last=min(self.last or end, end))

    def meets(self, other: Stay) -> bool:
        """Whether there is a day that both cover."""
        later = max(self, other, key=lambda it: it.first)
        return self.covers(later.first) and other.covers(later.first)


def stay(person: Hashable, starts_on: str, first_on: str | None, last_on: str | None) -> Stay:
    """A stay as it is stored, in a class that starts on that day."""
    last = date.fromisoformat(last_on) if last_on else None
    return Stay(person, date.fromisoformat(first_on or starts_on), last)


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
    return max((on_roster(known, day) for day in {it.first for it in known}), default=0)


def of_class(connection: Connection, klass: ClassRow) -> list[Stay]:
    """Of everybody who is or was in the class."""
    starts_on = klass.starts_on
    return [
        stay(row.person_id, starts_on, row.first_on, row.last_on)
        for row in store.of_class(connection, klass.id)
    ]


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
        there = stay(row.person_id, row.starts_on, row.first_on, row.last_on).within(row.ends_on)
        if set(row.terms.get("course_ids", ())) == courses and mine[row.person_id].meets(there):
            found[row.person_id] = row.external_id
    return found
