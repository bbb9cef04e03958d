"""Whom an institution trains as apprentices in one occupation, and who teaches them full time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from app.domain.catalogue import roster_days
from app.domain.catalogue.classes import pack_of
from app.domain.catalogue.roster_days import Stay
from app.store import stays
from app.store.catalogue import institutions
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import enrolment_facts as store
from detectors.batch_facts import Apprentices, TrainingKind
from detectors.occupations import Occupations


def of_class(connection: Connection, klass: ClassRow) -> Apprentices | None:
    """What check B14 asks; None where the class is no apprenticeship. Classes that opened later
    count for themselves, so that none of them changes what became of an earlier one."""
    if not _apprenticeship(klass.terms):
        return None
    called = pack_of(klass).occupations
    own = called.canonical(klass.terms["occupation"])
    first, last = date.fromisoformat(klass.starts_on), date.fromisoformat(klass.ends_on)
    there: list[Stay] = []
    of_year: set[object] = set()
    name = klass.terms["institution"]
    for row in store.opened_until(connection, klass.county, name, klass.starts_on):
        later = (row.starts_on, row.id) > (klass.starts_on, klass.id)
        if later or not _apprenticeship(row.terms) or called.canonical(row.occupation) != own:
            continue
        for it in stays.of_class(connection, row.id):
            stay = roster_days.stay(it.person_id, row.starts_on, it).within(row.ends_on)
            if stay.last is None or stay.last < stay.first:
                continue  # who never came
            there.append(replace(stay, first=max(stay.first, first), last=min(stay.last, last)))
            if row.starts_on[:4] == klass.starts_on[:4]:
                of_year.add(stay.person)
    return Apprentices(
        at_once=roster_days.most_at_once(there),
        of_year=len(of_year),
        teachers=_teachers(connection, klass, called, own),
    )


def _teachers(connection: Connection, klass: ClassRow, called: Occupations, own: str) -> int | None:
    """Full-time teachers of the occupation on file on the day on which the class opens."""
    row = institutions.of_class(
        connection, klass.institution_id, klass.county, klass.terms["institution"]
    )
    if row is None or not row.teachers:
        return None
    day = klass.starts_on
    return len(
        {
            (it["name"], it["certificate"])
            for it in row.teachers
            if called.canonical(it["occupation"]) == own
            and it["from_on"] <= day <= (it["until_on"] or day)
        }
    )


def _apprenticeship(terms: dict[str, Any]) -> bool:
    return terms.get("training_kind") == TrainingKind.APPRENTICESHIP
