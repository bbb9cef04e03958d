"""Cases: under which one a finding lies, and how they stand in the queue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from app.clock import day
from app.store.among import among
from app.store.review.causes import cause_of
from app.store.review.finding_queue import (
    GONE,
    TO_DO,
    QueueFilter,
    at_stake,
    conditions,
    gravity,
    shown,
)
from app.store.review.finding_rows import CountyFinding, QueuedFinding
from app.store.review.material import waits_for_material
from app.store.row import fetch, fetch_one_or_none, typed
from app.store.scope import AccessScope
from app.store.upsert import insert_new
from models import (
    Assignment,
    Finding,
    Learner,
    Platform,
    Review,
    ReviewCase,
    TrainingClass,
    User,
)

DUE_DAYS = 10  # until a case is due where no assessment comes first: this product's default
STATES = ("todo", "material", "snoozed", "done")
_WEIGHTS = 10**12  # above every finding's id


def file_under(
    connection: Connection, class_id: int, rows: Sequence[dict[str, Any]], now_ms: int
) -> None:
    """Put each finding, given as its columns, under its case, which is made where it is new; one
    in which nothing waits any more gets a new day to be decided by. What was found in a sandbox
    class is nobody's to decide and lies under none."""
    if not rows:
        return
    columns = (TrainingClass.county, TrainingClass.assessment_on, TrainingClass.sandbox)
    klass = connection.execute(select(*columns).where(TrainingClass.id == class_id)).one()
    if klass.sandbox:
        for row in rows:
            row["case_id"] = None
        return
    ids = {row["learner_id"] for row in rows if row["learner_id"] is not None}
    query = select(Learner.id, Learner.person_id).where(Learner.id.in_(ids))
    people = {row.id: row.person_id for row in connection.execute(query)}
    causes = [cause_of(row, klass.county, people.get(row["learner_id"])) for row in rows]
    today, due = day(now_ms), day(now_ms) + timedelta(days=DUE_DAYS)
    due_on = due.isoformat()
    if klass.assessment_on and today.isoformat() <= klass.assessment_on:
        due_on = min(due_on, klass.assessment_on)
    new = {"opened_ms": now_ms, "due_on": due_on, "snoozed_until": None}
    entered = {it.key: {"key": it.key, "kind": it.kind, **new} for it in causes}
    insert_new(connection, ReviewCase, list(entered.values()), ("key",))
    mine = among(connection, ReviewCase.key, entered)
    numbered = select(ReviewCase.key, ReviewCase.id).where(mine)
    known = {row.key: row.id for row in connection.execute(numbered)}
    for row, cause in zip(rows, causes, strict=True):
        row["case_id"] = known[cause.key]
    idle = ~exists().where(Finding.case_id == ReviewCase.id, Finding.status.in_(TO_DO))
    connection.execute(
        update(ReviewCase)
        .where(among(connection, ReviewCase.id, known.values()), idle)
        .values(due_on=due_on)
    )


def wake(connection: Connection, case_ids: Collection[int]) -> None:
    """Bring cases back that were put off: there is something new in them."""
    connection.execute(
        update(ReviewCase)
        .where(among(connection, ReviewCase.id, case_ids), ReviewCase.snoozed_until.is_not(None))
        .values(snoozed_until=None)
    )


class CaseRow(Protocol):
    """A case; `assignee` is who looks after it."""

    id: int
    kind: str
    opened_ms: int
    due_on: str
    snoozed_until: str | None
    assignee_id: int | None
    assignee: str | None


class QueuedCase(CaseRow, Protocol):
    """A case in the queue: how many findings wait and how many there are, since when, and the
    first of those that weigh most."""

    gravity: int
    waiting: int
    findings: int
    since_ms: int | None
    first: int


def first_of(row: QueuedCase) -> int:
    """The finding that a case is shown by: the first of the gravest."""
    return row.first % _WEIGHTS


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What is asked for: cases in a state, holding findings that match; `today` is an ISO date."""

    findings: QueueFilter
    today: str
    state: str = "todo"  # todo | material | snoozed | done
    overdue: bool = False
    assigned_to: int | None = None  # 0: to nobody


@dataclass(frozen=True, slots=True)
class CaseCursor:
    """The last case of the page before."""

    gravity: int
    id: int


def page(
    connection: Connection,
    scope: AccessScope,
    wanted: CaseFilter,
    after: CaseCursor | None,
    size: int,
) -> Sequence[QueuedCase]:
    """Up to `size` cases after the cursor, the gravest first."""
    held = _held(scope, wanted)
    chosen = (
        select(held)
        .join(ReviewCase, ReviewCase.id == held.c.case_id)
        .where(_state(wanted.today, held.c.waiting) == wanted.state, *_narrowed(wanted))
        .order_by(held.c.gravity, held.c.case_id)
        .limit(size)
    )
    if after is not None:
        beyond = tuple_(held.c.gravity, held.c.case_id) > tuple_(after.gravity, after.id)
        chosen = chosen.where(beyond)
    first = chosen.subquery()  # sorted by itself, before anything wide hangs on it
    query = (
        select(*_CASE, first)
        .join(first, first.c.case_id == ReviewCase.id)
        .join(Assignment, Assignment.case_id == ReviewCase.id, isouter=True)
        .join(User, User.id == Assignment.user_id, isouter=True)
        .order_by(first.c.gravity, ReviewCase.id)
    )
    return fetch(connection, query, QueuedCase)


def count(connection: Connection, scope: AccessScope, wanted: CaseFilter) -> dict[str, int]:
    """Cases in each state, overdue ones among those to do, and findings that wait in these."""
    held = _waiting(scope, wanted)
    off, for_material = _put_off(wanted.today), waits_for_material(ReviewCase.id, wanted.today)
    parts = (
        (held.c.waiting == 0).label("done"),
        off.label("snoozed"),
        for_material.label("material"),
    )
    # By three truths, not by the state's name: a database knows that there are eight groups.
    query = (
        select(
            *parts,
            func.count().label("cases"),
            func.sum(case((ReviewCase.due_on < wanted.today, 1), else_=0)).label("late"),
            func.sum(held.c.waiting).label("findings"),
        )
        .select_from(ReviewCase)
        .join(held, held.c.case_id == ReviewCase.id)
        .where(*_narrowed(wanted))
        .group_by(*(it.element for it in parts))
    )
    tallies = dict.fromkeys((*STATES, "overdue", "findings"), 0)
    for row in connection.execute(query):
        state = next((it for it in ("done", "snoozed", "material") if getattr(row, it)), "todo")
        tallies[state] += row.cases
        if state == "todo":
            tallies["overdue"] += int(row.late)
            tallies["findings"] += int(row.findings)
    return tallies


def one(connection: Connection, scope: AccessScope, case_id: int) -> CaseRow | None:
    """The case, where any of its findings is within the scope."""
    seen = (
        select(Finding.id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(
            Finding.case_id == case_id,
            Finding.shadow.is_(False),
            Finding.status != GONE,
            scope.covers_class(),
        )
        .exists()
    )
    query = (
        select(*_CASE)
        .join(Assignment, Assignment.case_id == ReviewCase.id, isouter=True)
        .join(User, User.id == Assignment.user_id, isouter=True)
        .where(ReviewCase.id == case_id, seen)
    )
    return fetch_one_or_none(connection, query, CaseRow)


class CaseFinding(CountyFinding, frozen=True, kw_only=True):
    """A finding in its case, with what a row of it shows."""

    class_name: str
    starts_on: str
    ends_on: str
    learner_name: str | None
    platform_name: str
    institution: str


def findings_of(
    connection: Connection,
    scope: AccessScope,
    case_id: int,
    *,
    statuses: Collection[str] | None = None,
    most: int | None = None,
    lock: bool = False,
) -> list[CaseFinding]:
    """The findings of a case that stand or were decided, in the order they were entered."""
    query = (
        select(
            Finding,
            TrainingClass.county,
            TrainingClass.external_id.label("class_name"),
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            TrainingClass.institution,
            Learner.name.label("learner_name"),
            Platform.name.label("platform_name"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == Finding.platform_id)
        .join(Learner, Learner.id == Finding.learner_id, isouter=True)
        .where(
            Finding.case_id == case_id,
            Finding.shadow.is_(False),
            Finding.status.in_(statuses) if statuses else Finding.status != GONE,
            scope.covers_class(),
        )
        .order_by(Finding.id)
        .limit(most)
    )
    if lock:
        query = query.with_for_update(of=Finding)
    return typed(connection.execute(query), CaseFinding)


@dataclass(frozen=True, slots=True)
class CaseStake:
    """Whom a case is about, and the subsidy in yuan that hangs on them, where classes tell it."""

    people: int
    whole_class: bool
    yuan: int | None


def stakes(
    connection: Connection, scope: AccessScope, case_ids: Collection[int]
) -> dict[int, CaseStake]:
    """What is at stake in each case: a learner counts once a class, a class counts whole."""
    query = (
        select(
            Finding.case_id,
            Finding.class_id,
            Finding.learner_id,
            at_stake().label("yuan"),
        )
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(
            Finding.case_id.in_(list(case_ids)),
            Finding.shadow.is_(False),
            Finding.status != GONE,
            scope.covers_class(),
        )
        .distinct()
    )
    by_class: dict[tuple[int, int], dict[int | None, int | None]] = {}
    for row in connection.execute(query):
        by_class.setdefault((row.case_id, row.class_id), {})[row.learner_id] = row.yuan
    found: dict[int, CaseStake] = {}
    for (case_id, _), parts in by_class.items():
        before = found.get(case_id, CaseStake(0, False, None))
        amounts = [parts[None]] if None in parts else list(parts.values())
        told = [it for it in (before.yuan, *amounts) if it is not None]
        found[case_id] = CaseStake(
            before.people + sum(it is not None for it in parts),
            before.whole_class or None in parts,
            sum(told) if told else None,
        )
    return found


def shown_by(connection: Connection, finding_ids: Collection[int]) -> list[QueuedFinding]:
    """The findings that cases are shown by."""
    query = shown(literal(0)).where(Finding.id.in_(list(finding_ids)))
    return typed(connection.execute(query), QueuedFinding)


class CaseSummary(Protocol):
    """A case with the finding that it is named by."""

    id: int
    kind: str
    first: int


def summaries(
    connection: Connection, scope: AccessScope, case_ids: Collection[int]
) -> Sequence[CaseSummary]:
    """Cases by their ids, each named by its first finding that waits."""
    query = (
        select(ReviewCase.id, ReviewCase.kind, func.min(Finding.id).label("first"))
        .join(Finding, Finding.case_id == ReviewCase.id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(
            ReviewCase.id.in_(list(case_ids)),
            Finding.status.in_(TO_DO),
            Finding.shadow.is_(False),
            scope.covers_class(),
        )
        .group_by(ReviewCase.id, ReviewCase.kind)
    )
    return fetch(connection, query, CaseSummary)


def rules(connection: Connection, scope: AccessScope) -> list[str]:
    """Rules by which something was found within the scope."""
    query = (
        select(Finding.rule)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Finding.shadow.is_(False), Finding.status != GONE, scope.covers_class())
    )
    return sorted(connection.scalars(query.distinct()))


def of_findings(
    connection: Connection, finding_ids: Collection[int], session_id: int | None = None
) -> set[int]:
    """The cases of these findings, and of those on a sitting."""
    chosen: ColumnElement[bool] = Finding.id.in_(list(finding_ids))
    if session_id is not None:
        chosen = or_(chosen, Finding.session_id == session_id)
    query = select(Finding.case_id).where(chosen, Finding.case_id.is_not(None))
    return {it for it in connection.scalars(query) if it is not None}


def counties(connection: Connection, scope: AccessScope, case_id: int) -> set[str]:
    """Where the findings of a case lie, as far as they are within the scope."""
    query = (
        select(TrainingClass.county)
        .join(Finding, Finding.class_id == TrainingClass.id)
        .where(Finding.case_id == case_id, scope.covers_class())
    )
    return set(connection.scalars(query.distinct()))


def held_by(connection: Connection, user_ids: Collection[int]) -> dict[int, int]:
    """How many cases that wait each person looks after."""
    waits = exists().where(Finding.case_id == Assignment.case_id, Finding.status.in_(TO_DO))
    query = (
        select(Assignment.user_id, func.count().label("cases"))
        .where(Assignment.user_id.in_(list(user_ids)), waits)
        .group_by(Assignment.user_id)
    )
    return {row.user_id: row.cases for row in connection.execute(query)}


def spoken_on(connection: Connection, case_ids: Collection[int]) -> dict[int, set[int]]:
    """Who has decided something in each case that counts."""
    query = (
        select(Finding.case_id, Review.reviewer_id)
        .join(Review, Review.finding_id == Finding.id)
        .where(
            Finding.case_id.in_(list(case_ids)),
            Review.superseded_ms.is_(None),
            Review.decision.in_(("uphold", "overturn")),
        )
        .distinct()
    )
    found: dict[int, set[int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.case_id, set()).add(row.reviewer_id)
    return found


def arrange(connection: Connection, case_id: int, **values: Any) -> None:
    """Set when a case is due, or until when it is put off."""
    connection.execute(update(ReviewCase).where(ReviewCase.id == case_id).values(**values))


_CASE = (
    ReviewCase.id,
    ReviewCase.kind,
    ReviewCase.opened_ms,
    ReviewCase.due_on,
    ReviewCase.snoozed_until,
    Assignment.user_id.label("assignee_id"),
    User.display_name.label("assignee"),
)


def _each(scope: AccessScope, wanted: CaseFilter, *columns: Any) -> Subquery:
    """The findings that are looked for, with their case and status."""
    query = select(Finding.case_id, Finding.status, *columns)
    query = query.join(TrainingClass, TrainingClass.id == Finding.class_id)
    if wanted.findings.text:
        query = query.join(Learner, Learner.id == Finding.learner_id, isouter=True)
    # What waits is counted apart, so the findings' own status is no filter here.
    asked = conditions(scope, replace(wanted.findings, status=""))
    return query.where(Finding.case_id.is_not(None), *asked).subquery()


def _waiting(scope: AccessScope, wanted: CaseFilter) -> Subquery:
    """How many findings wait in each case."""
    each = _each(scope, wanted)
    waiting = func.sum(case((each.c.status.in_(TO_DO), 1), else_=0)).label("waiting")
    return select(each.c.case_id, waiting).group_by(each.c.case_id).subquery()


def _held(scope: AccessScope, wanted: CaseFilter) -> Subquery:
    """The findings of each case, counted and weighed."""
    weight = gravity(wanted.findings.asked_by).label("weight")
    each = _each(scope, wanted, Finding.id, Finding.created_ms, weight)
    waiting = each.c.status.in_(TO_DO)
    grouped = (
        select(
            each.c.case_id,
            func.sum(case((waiting, 1), else_=0)).label("waiting"),
            func.count().label("findings"),
            func.min(case((waiting, each.c.created_ms))).label("since_ms"),
            # The first of the gravest: gravity is below 3,000,000.
            func.min(cast(each.c.weight, BigInteger) * _WEIGHTS + each.c.id).label("first"),
        )
        .group_by(each.c.case_id)
        .subquery()
    )
    # Weighed once: a database would work it out for the least and again for the first of it.
    return select(*grouped.c, (grouped.c.first // _WEIGHTS).label("gravity")).subquery()


def _state(today: str, waiting: ColumnElement[int]) -> ColumnElement[str]:
    """Which of STATES a case is in, of which so many findings wait."""
    return case(
        (waiting == 0, "done"),
        (_put_off(today), "snoozed"),
        (waits_for_material(ReviewCase.id, today), "material"),
        else_="todo",
    )


def _put_off(today: str) -> ColumnElement[bool]:
    until = ReviewCase.snoozed_until
    return and_(until.is_not(None), until > today)


def _narrowed(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """What is asked of a case beside its state and its findings."""
    found: list[ColumnElement[bool]] = []
    if wanted.overdue:
        found.append(ReviewCase.due_on < wanted.today)
    if wanted.assigned_to is not None:
        given = exists().where(Assignment.case_id == ReviewCase.id)
        mine = given.where(Assignment.user_id == wanted.assigned_to)
        found.append(mine if wanted.assigned_to else ~given)
    return found
