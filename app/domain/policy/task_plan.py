"""The year's training tasks of a county, as `detectors/packs/tasks` has them: who leads each, and
how many people are to be trained."""

from __future__ import annotations

from functools import cache

import msgspec

from app.domain.policy.packs import FOLDER
from app.languages import Text


class PlannedTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the plan; `target` counts 人次."""

    number: int
    title: Text
    offices: str
    target: int


class SchoolTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each vocational school is to complete in a year, in persons, in the plan's words."""

    people: int
    apprentices: int
    article: str
    words: str


class TaskPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A county's tasks of one year; `source` is the paper that they stand in."""

    county: str
    year: int
    source: str
    tasks: tuple[PlannedTask, ...]
    schools: SchoolTarget

    def targets(self, county: str, year: int) -> dict[int, int]:
        """The targets by task, where this is the plan of that county and year; else none."""
        if (county, year) != (self.county, self.year):
            return {}
        return {it.number: it.target for it in self.tasks}


@cache
def plan(name: str = "huangchuan-2021") -> TaskPlan:
    """The plan of that name. Raises ValueError where two tasks have one number."""
    path = FOLDER / "tasks" / f"{name}.toml"
    told = msgspec.toml.decode(path.read_bytes(), type=TaskPlan)
    if len({it.number for it in told.tasks}) < len(told.tasks):
        raise ValueError(f"{name}: two tasks have one number")
    return told
