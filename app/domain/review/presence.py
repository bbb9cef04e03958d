"""How many were there: 实地检查少于开班人员的按检查在位平均人数作为本次培训数.

An inspection tells heads where somebody counted them, or where the whole roster was drawn and each
was found present or not; a sample tells none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.clock import day
from app.domain.catalogue import roster_days
from app.domain.review.inspections import RECORDINGS
from app.store.catalogue.catalogue import ClassRow
from app.store.review import inspections as store
from app.store.review.inspections import InspectionNoteRow, InspectionRow


@dataclass(frozen=True, slots=True)
class Presence:
    """`opened`: who was there on the first day, or else was on its roster. `heads`: of each
    inspection that tells them, oldest first; `untold`: how many tell none."""

    opened: int
    heads: tuple[int, ...]
    untold: int

    @property
    def mean(self) -> float | None:
        return sum(self.heads) / len(self.heads) if self.heads else None

    @property
    def fewer(self) -> bool:
        """Whether the mean is what counts as trained, for fewer were there than it opened with."""
        return self.mean is not None and self.mean < self.opened


def of_class(connection: Connection, klass: ClassRow) -> Presence:
    made = store.of_class(connection, klass.id)[::-1]
    made = [it for it in made if it.frame_kind != RECORDINGS]
    checks = store.checks_of_class(connection, klass.id)
    results = {(it.inspection_id, it.learner): it.result for it in checks}
    notes = store.notes_of_class(connection, klass.id)
    stays = roster_days.of_class(connection, klass)
    first = date.fromisoformat(klass.starts_on)
    opened, heads = roster_days.on_roster(stays, first), []
    for it in made:
        on = day(it.drawn_ms)
        counted = _heads(it, results, notes, roster_days.on_roster(stays, on))
        if counted is not None:
            heads.append(counted)
            opened = counted if on == first else opened
    return Presence(opened, tuple(heads), len(made) - len(heads))


def _heads(
    inspection: InspectionRow,
    results: Mapping[tuple[int, str], str],
    notes: Mapping[int, InspectionNoteRow],
    on_roster: int,
) -> int | None:
    note = notes.get(inspection.id)
    counted = note.body.get("heads_present") if note else None
    if counted is not None:
        return int(counted)
    found: Collection[str] = [
        results.get((inspection.id, learner), "") for learner in inspection.drawn
    ]
    if len(found) < on_roster or "" in found:
        return None
    return list(found).count("present")
