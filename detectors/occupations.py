"""A dated catalogue of occupations, by exact name or alias: rows, each of which says how much of
the training is in person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from detectors.qualifications import without_level


@dataclass(frozen=True, slots=True)
class OccupationRow:
    """One row: `title` in the words of its clause, and exact names in the catalogue's own order.

    in_person  whether it asks for class-hours in person
    min_hours  how many; None: as many as the check says
    """

    id: str
    title: str
    names: tuple[str, ...]
    in_person: bool = False
    min_hours: float | None = None

    def hours_in_person(self, otherwise: float) -> float:
        """Class-hours in person that the row asks for; 0 where it asks for none."""
        if not self.in_person:
            return 0.0
        return otherwise if self.min_hours is None else self.min_hours


@dataclass(frozen=True, slots=True)
class OccupationListing:
    """Where one occupation stands in the catalogue: each row that names it, with the exact name
    there, in the catalogue's order."""

    asked: str
    rows: tuple[tuple[OccupationRow, str], ...]
    by_alias: bool

    @property
    def name(self) -> str:
        """The exact name, in the first row that has it."""
        return self.rows[0][1]

    @property
    def conflict(self) -> bool:
        """Whether rows that name it ask for different class-hours in person."""
        return len({(row.in_person, row.min_hours) for row, _ in self.rows}) > 1

    def hours_in_person(self, otherwise: float, *, lenient: bool) -> float:
        """Class-hours in person, by the strictest of its rows or by the most lenient."""
        asked = [row.hours_in_person(otherwise) for row, _ in self.rows]
        return min(asked) if lenient else max(asked)


@dataclass(frozen=True)
class Occupations:
    """The rows of a catalogue, in its own order, and aliases to its exact names. `article` is what
    people call it, such as 附件3; empty where a place names no occupations."""

    id: str
    clause: str
    dated: date
    article: str
    rows: tuple[OccupationRow, ...]
    aliases: Mapping[str, str]

    def find(self, occupation: str) -> OccupationListing | None:
        """The listing of `occupation`, None when no row has it.

        Spaces, the width of brackets and a level behind the name do not matter; nothing else is
        guessed.
        """
        rows = self._listed.get(self.canonical(occupation))
        if rows is None:
            return None
        exact = _normalised(occupation) in {_normalised(name) for _, name in rows}
        return OccupationListing(occupation, rows, by_alias=not exact)

    def canonical(self, occupation: str) -> str:
        """One name for all spellings and aliases of an occupation, in the catalogue or not."""
        asked = _normalised(occupation)
        return self._aliases.get(asked, asked)

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Canonical names of the occupations whose rows contradict each other."""
        listed = ((name, OccupationListing(name, it, False)) for name, it in self._listed.items())
        return tuple(name for name, listing in listed if listing.conflict)

    @cached_property
    def _aliases(self) -> dict[str, str]:
        return {_normalised(alias): _normalised(name) for alias, name in self.aliases.items()}

    @cached_property
    def _listed(self) -> dict[str, tuple[tuple[OccupationRow, str], ...]]:
        found: dict[str, tuple[tuple[OccupationRow, str], ...]] = {}
        for row in self.rows:
            for name in row.names:
                key = self.canonical(name)
                found[key] = (*found.get(key, ()), (row, name))
        return found


def _normalised(name: str) -> str:
    return without_level(name)[0]
