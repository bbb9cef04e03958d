"""How far a county is with the year's training tasks, and what it enters to have it counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.policy.task_plan import PlannedTask, plan
from app.domain.wire import whole
from app.errors import BadInput, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import class_file
from app.store.judging import verdicts
from app.store.judging.unsettled import found_undecided
from app.store.review import county as store
from app.store.review.county import CountedClass
from detectors.batch_facts import TrainingKind
from detectors.eligibility import Eligibility

MOST_PEOPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """A task with the classes that began in the year. `task` None: those that nobody has given one.
    `target` None: the county has not said. People are counted once a class. `outside`: how many of
    a class, by its row id, passed though they were not admitted to the assessment; they count for
    nothing, and somebody has to look into them."""

    task: PlannedTask | None
    target: int | None
    classes: Sequence[CountedClass]
    outside: Mapping[int, int]

    @property
    def begun(self) -> int:
        return sum(it.learners for it in self.classes)

    @property
    def assessed(self) -> int:
        return sum(it.assessed for it in self.classes)

    @property
    def passed(self) -> int:
        return sum(self.passed_in(it) for it in self.classes)

    @property
    def passed_outside(self) -> int:
        return sum(self.outside.get(it.id, 0) for it in self.classes)

    def passed_in(self, klass: CountedClass) -> int:
        """Who of a class was admitted and passed."""
        return klass.passed - self.outside.get(klass.id, 0)

    @property
    def share(self) -> float | None:
        """Of the target, how much is done: people who were admitted and passed."""
        return self.passed / self.target if self.target else None


class SchoolYear(StrEnum):
    """Whether a vocational school has completed its year; `open`: there is time left."""

    DONE = "done"
    OPEN = "open"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class SchoolProgress:
    """A vocational school: people of the year's classes who were admitted and passed, and
    apprentices among them."""

    name: str
    passed: int
    apprentices: int
    standing: SchoolYear


def counties(connection: Connection, user: User) -> list[str]:
    """Counties whose reports somebody may make, those without a class too."""
    named = user.scope.counties
    return list(named) if named is not None else store.counties(connection, user.scope)


def may_report(user: User, county: str) -> bool:
    """Whether the whole county is theirs to see: to a platform's or a school's people a part
    of it is."""
    scope = user.scope
    return scope.of_authority and (scope.counties is None or county in scope.counties)


def targets(connection: Connection, county: str, year: int) -> dict[int, int]:
    """What the county entered for the year; else what its printed plan says."""
    return store.targets(connection, county, year) or plan().targets(county, year)


def progress(connection: Connection, county: str, on: date) -> list[TaskProgress]:
    """Every task with the classes of the year that had begun by that day; last those without one.

    A class that has not begun counts nothing.
    """
    found = store.begun(connection, county, on.replace(month=1, day=1), on)
    outside = {it.id: _passed_outside(connection, it.id, on) for it in found if it.passed}
    wanted = targets(connection, county, on.year)
    rows: list[TaskProgress] = [
        TaskProgress(
            it, wanted.get(it.number), [one for one in found if one.task == it.number], outside
        )
        for it in plan().tasks
    ]
    loose = [it for it in found if it.task is None]
    return [*rows, TaskProgress(None, None, loose, outside)] if loose else rows


def _passed_outside(connection: Connection, class_id: int, on: date) -> int:
    """How many passed by that day and are not admitted by the current verdicts."""
    passed = store.who_passed(connection, class_id, on)
    outcomes = verdicts.outcomes(connection, class_id, ("enrolment",))
    undecided = found_undecided(connection, class_id)
    admitted = {
        it.learner_id
        for it in passed
        if it.in_class
        and outcomes.get(("enrolment", it.enrolment_id, 0)) == Eligibility.ELIGIBLE
        and it.learner_id not in undecided
    }
    return len({it.learner_id for it in passed} - admitted)


def schools(county: str, on: date, progress: Sequence[TaskProgress]) -> list[SchoolProgress]:
    """What the plan asks of each vocational school in a year (003, clause 15), as far as they are
    by that day; none in a county whose plan it is not."""
    wanted = plan().schools
    if county != plan().county:
        return []
    found: dict[str, Counter[bool]] = defaultdict(Counter)
    for task in progress:
        for it in (klass for klass in task.classes if klass.vocational_school):
            apprentices = it.training_kind == TrainingKind.APPRENTICESHIP
            found[it.institution][apprentices] += task.passed_in(it)
    over = (on.month, on.day) == (12, 31)
    rows = []
    for name, passed in sorted(found.items()):
        done = passed.total() >= wanted.people and passed[True] >= wanted.apprentices
        left = SchoolYear.SHORT if over else SchoolYear.OPEN
        standing = SchoolYear.DONE if done else left
        rows.append(SchoolProgress(name, passed.total(), passed[True], standing))
    return rows


def enter_targets(
    connection: Connection, user: User, county: str, year: int, said: Mapping[int, str], now_ms: int
) -> None:
    """Keep the county's targets of a year, as typed; a blank one is not known.

    Raises NotAllowed for who does not decide in the county, BadInput by the task.
    """
    _check_decides(user, county)
    if not 2000 <= year <= 2099:
        raise BadInput("bad_year", "year: between 2000 and 2099", field="year")
    people = {it.number: _number(it, said.get(it.number, "")) for it in plan().tasks}
    kept = {task: it for task, it in people.items() if it is not None}
    store.put_targets(connection, county, year, kept)
    detail = {"county": county, "year": year, "people": sum(kept.values())}
    _record(connection, user, "county.targets", f"county:{county}", detail, now_ms)


def assign(
    connection: Connection, user: User, class_id: int, task: int | None, now_ms: int
) -> None:
    """Have the class count for a task of the plan; None: for none.

    Raises NotFound for a class outside what they see, NotAllowed, BadInput for a task of no plan.
    """
    klass = class_file.klass(connection, class_id, user.scope)
    if klass is None:
        raise NotFound("unknown_class", "there is no such class")
    _check_decides(user, klass.county)
    if task is not None and task not in {it.number for it in plan().tasks}:
        raise BadInput("unknown_task", "task: a number of the plan", field="task")
    before = store.task_of(connection, class_id)
    if before == task:
        return
    store.put_task(connection, class_id, task)
    subject = f"class:{klass.platform_id}:{klass.external_id}"[:128]
    _record(connection, user, "class.task", subject, {"before": before, "after": task}, now_ms)


def _check_decides(user: User, county: str) -> None:
    if not user.decides or not may_report(user, county):
        raise NotAllowed("role", "only the county's auditors and reviewers enter this")


def _number(task: PlannedTask, said: str) -> int | None:
    if not said.strip():
        return None
    number = whole(said)
    if number is None or number > MOST_PEOPLE:
        detail = f"{task.number}. {task.title.zh}: a whole number up to {MOST_PEOPLE:,}"
        raise BadInput("bad_target", detail, field=f"task-{task.number}")
    return number


def _record(
    connection: Connection, user: User, action: str, subject: str, detail: object, now_ms: int
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=action,
        subject=subject,
        detail=detail,  # type: ignore[arg-type]
    )
