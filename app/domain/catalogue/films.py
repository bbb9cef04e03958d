"""What was taught in person in a class, and the recordings of it."""

from __future__ import annotations

from datetime import date
from math import ceil

from sqlalchemy import Connection

from app.domain.catalogue.records import film_hours
from app.domain.policy import packs
from app.store.catalogue import films as store
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.films import FilmRow
from detectors import recordings
from detectors.recordings import RecordedHour, Recording, TaughtDay, Teaching


def teaching(connection: Connection, klass: ClassRow) -> Teaching | None:
    """None where nobody reported teaching in person, nor a film of it.

    A day's class-hours are the most that one learner attended; hours of which nobody said that
    they were practice are theory.
    """
    most: dict[tuple[str, bool], float] = {}
    for it in store.attended(connection, klass.id):
        key = it.held_on, it.practical
        most[key] = max(most.get(key, 0.0), it.hours)
    films = tuple(_film(it) for it in store.of_class(connection, klass.id))
    if not most and not films:
        return None
    days = tuple(
        TaughtDay(date.fromisoformat(day), practical, ceil(hours))
        for (day, practical), hours in sorted(most.items())
    )
    return Teaching(days, films)


HOUR_MINUTES, CONTINUOUS_MINUTES = 40.0, 15.0  # 003, clauses 21(1) and 20; a pack's own come first


def recorded(connection: Connection, klass: ClassRow) -> list[RecordedHour]:
    """Every class-hour taught in person, by the minutes of its pack, or else of the text."""
    taught = teaching(connection, klass)
    if taught is None:
        return []
    pack = packs.found(klass.pack_id, klass.pack_version)
    checks = pack.checks if pack else {}
    hour = checks["B6"]["min_minutes"] if "B6" in checks else HOUR_MINUTES
    unbroken = checks["B7"]["min_continuous_minutes"] if "B7" in checks else CONTINUOUS_MINUTES
    return recordings.hours(taught, hour_minutes=hour, continuous_minutes=unbroken)


def _film(row: FilmRow) -> Recording:
    body = row.body
    first, last = film_hours(body["class_hours"])
    return Recording(
        file=row.item,
        held_on=date.fromisoformat(row.held_on),
        practical=body["practical"],
        first=first,
        last=last,
        minutes=float(body["minutes"]),
        sealed="sha256" in body,
        measured_minutes=body.get("measured_minutes"),
        longest_minutes=body.get("longest_minutes"),
    )
