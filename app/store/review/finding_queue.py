"""The findings queue: filtered, counted and paged within what one person may see.

Pages are cut by key, not by offset, so that the hundredth is as quick as the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from app import rules
from app.store import stays
from app.store.review.finding_rows import CountyFinding, QueuedFinding
from app.store.row import fetch, typed
from app.store.scope import AccessScope
from models import (
    Appeal,
    Assignment,
    Enrolment,
    Finding,
    Learner,
    Platform,
    Review,
    Session,
    TrainingClass,
    User,
)

TO_DO = ("open", "first_review")
GONE = "gone"  # a later evaluation no longer came to it; kept, and shown to nobody as standing
_FINER = 1_000  # below it, how near to their threshold faces are (`Finding.weight`)
WAITS_FOR_OTHERS = 1_000 * _FINER  # gravity from which only somebody else can go on


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What is asked for. Empty strings and None match all that stands; `status` "todo"
    is what waits."""

    status: str = "todo"
    rule: str = ""
    outcome: str = ""
    fault: str = ""
    about: str = ""  # class | learner
    class_id: int | None = None
    platform_id: int | None = None
    created_before_ms: int | None = None
    text: str = ""
    order: str = "grave"  # grave | likely | old | new
    asked_by: int = 0  # whose queue it is; what they have decided already comes later
    assigned_to: int | None = None  # 0: to nobody
    appealed: bool = False  # with an appeal that nobody has answered
    least_yuan: int = 0  # subsidy at stake, as far as the class tells it


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of the page before: its gravity, the yuan at stake, and its id."""

    gravity: int
    yuan: int
    id: int


def page(
    connection: Connection, scope: AccessScope, wanted: QueueFilter, after: Cursor | None, size: int
) -> list[QueuedFinding]:
    """Up to `size` findings after the cursor, with the names that a row shows."""
    first = _first(scope, wanted, after, size)
    query = shown(first.c.gravity).join(first, first.c.id == Finding.id)
    return typed(connection.execute(query.order_by(*_order(wanted, first.c))), QueuedFinding)


def shown(weight: ColumnElement[int]) -> Any:
    """Findings as a row of the queue shows them."""
    return (
        select(
            Finding.id,
            Finding.rule,
            Finding.reason,
            Finding.outcome,
            Finding.fault,
            Finding.evidence,
            Finding.status,
            Finding.needs_two_reviewers,
            Finding.hour,
            Finding.session_id,
            Finding.start_ms,
            Finding.created_ms,
            Finding.body,
            Finding.pack,
            weight.label("gravity"),
            Finding.class_id,
            TrainingClass.external_id.label("class_name"),
            TrainingClass.starts_on,
            TrainingClass.ends_on,
            TrainingClass.occupation,
            TrainingClass.institution,
            TrainingClass.county,
            Platform.name.label("platform_name"),
            Finding.learner_id,
            Learner.name.label("learner_name"),
            at_stake().label("yuan"),
            Assignment.user_id.label("assignee_id"),
            User.display_name.label("assignee"),
        )
        .select_from(Finding)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .join(Platform, Platform.id == Finding.platform_id)
        .join(Learner, Learner.id == Finding.learner_id, isouter=True)
        .join(Assignment, Assignment.case_id == Finding.case_id, isouter=True)
        .join(User, User.id == Assignment.user_id, isouter=True)
    )


def _first(scope: AccessScope, wanted: QueueFilter, after: Cursor | None, size: int) -> Subquery:
    """Which findings the page shows. Sorted by themselves, before anything wide hangs on them."""
    grave = wanted.order not in ("new", "old")
    by_face = wanted.order == "likely"
    weight: ColumnElement[int] = literal(0)
    if grave:
        weight = likelihood() if by_face else gravity(wanted.asked_by)
    paid = _paid(scope)
    yuan = func.coalesce(_of_people(paid.c.yuan), 0) if grave else literal(0)
    columns = select(Finding.id, weight.label("gravity"), yuan.label("yuan"))
    query = columns.join(TrainingClass, TrainingClass.id == Finding.class_id)
    if grave:
        query = query.join(paid, paid.c.id == Finding.class_id)
    if wanted.text:
        query = query.join(Learner, Learner.id == Finding.learner_id, isouter=True)
    all_of_them = query.where(*conditions(scope, wanted)).subquery()
    place = all_of_them.c
    page = select(place.id, place.gravity, place.yuan).order_by(*_order(wanted, place)).limit(size)
    if after is not None:
        page = page.where(_beyond(wanted, place, after))
    return page.subquery()


def _order(wanted: QueueFilter, place: Any) -> tuple[ColumnElement[Any], ...]:
    if wanted.order == "new":
        return (place.id.desc(),)
    return (place.id,) if wanted.order == "old" else (place.gravity, place.yuan.desc(), place.id)


def _beyond(wanted: QueueFilter, place: Any, after: Cursor) -> ColumnElement[bool]:
    if wanted.order in ("new", "old"):
        beyond: ColumnElement[bool] = (
            place.id < after.id if wanted.order == "new" else place.id > after.id
        )
        return beyond
    key = tuple_(place.gravity, -place.yuan, place.id)
    return key > tuple_(after.gravity, -after.yuan, after.id)


def some(connection: Connection, scope: AccessScope, ids: Sequence[int]) -> list[CountyFinding]:
    """The findings of these ids that are in scope, locked until the transaction ends."""
    rows = connection.execute(
        select(Finding, TrainingClass.county)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(Finding.id.in_(ids), scope.covers_class())
        .order_by(Finding.id)
        .with_for_update(of=Finding)
    )
    return typed(rows, CountyFinding)


def at_stake() -> ColumnElement[int | None]:
    """The subsidy in yuan that hangs on a finding: of its learner, or of the whole class. NULL
    where the class does not tell what is paid."""
    return _of_people(TrainingClass.terms["subsidy_yuan"].as_integer())


def _of_people(each: ColumnElement[int]) -> ColumnElement[int | None]:
    """What is paid for each, times the people whom a finding concerns."""
    roster = (
        select(func.count())
        .where(Enrolment.class_id == Finding.class_id, stays.in_class())
        .correlate(Finding)
        .scalar_subquery()
    )
    return case((Finding.learner_id.is_(None), each * roster), else_=each)


def _paid(scope: AccessScope) -> CTE:
    """What each class pays a learner, read out of its document once, not for every finding."""
    each = TrainingClass.terms["subsidy_yuan"].as_integer()
    query = select(TrainingClass.id, each.label("yuan")).where(scope.covers_class())
    return query.cte("paid").prefix_with("MATERIALIZED")


class QueueCount(Protocol):
    status: str
    rule: str
    outcome: str
    fault: str
    about: str
    count: int


def counts(connection: Connection, scope: AccessScope, wanted: QueueFilter) -> Sequence[QueueCount]:
    """Findings by (status, rule, outcome, fault, about): enough for the count beside every filter.

    Of `wanted`, only what narrows all of them alike is applied: everything but these five.
    """
    by = (Finding.status, Finding.rule, Finding.outcome, Finding.fault, about().label("about"))
    narrowed = replace(wanted, status="", rule="", outcome="", fault="", about="")
    query = (
        select(*by, func.count().label("count"))
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(*conditions(scope, narrowed))
        .group_by(*by)
    )
    if wanted.text:
        query = query.join(Learner, Learner.id == Finding.learner_id, isouter=True)
    return fetch(connection, query, QueueCount)


def first_decided_by(connection: Connection, user_id: int, finding_ids: Sequence[int]) -> set[int]:
    """Those of the findings that this person has already decided."""
    return set(
        connection.scalars(
            select(Review.finding_id).where(
                Review.finding_id.in_(finding_ids),
                Review.reviewer_id == user_id,
                Review.decision.in_(("uphold", "overturn")),
                Review.superseded_ms.is_(None),
            )
        )
    )


class QueueClass(Protocol):
    id: int
    external_id: str
    occupation: str


def classes(connection: Connection, scope: AccessScope, limit: int) -> Sequence[QueueClass]:
    """The newest classes in scope, for the filter's list."""
    return fetch(
        connection,
        select(TrainingClass.id, TrainingClass.external_id, TrainingClass.occupation)
        .where(scope.covers_class())
        .order_by(TrainingClass.id.desc())
        .limit(limit),
        QueueClass,
    )


class QueuePlatform(Protocol):
    id: int
    name: str


def platforms(connection: Connection, scope: AccessScope) -> Sequence[QueuePlatform]:
    """The platforms that have a class in scope."""
    return fetch(
        connection,
        select(Platform.id, Platform.name)
        .where(Platform.id.in_(select(TrainingClass.platform_id).where(scope.covers_class())))
        .order_by(Platform.name),
        QueuePlatform,
    )


def likelihood() -> ColumnElement[int]:
    """The smaller, the further a face is beyond its threshold: the likelier it is somebody else,
    whatever numbers of photos were compared (docs/model-cards/dlib-resnet-v1.md). A review is held
    against the threshold of a match, a mismatch against one of its own. What was not measured as a
    distance of faces comes after all that was."""
    return Finding.weight % _FINER


def gravity(asked_by: int) -> ColumnElement[int]:
    """The smaller, the sooner it deserves this person's time.

    First what they can decide, then what waits for somebody else, then what is decided. Among
    these what concerns a whole class, then what two people must confirm, then by outcome, rule
    and evidence; of comparisons of faces that are alike in all this, the likelier somebody else.
    All but the first and the rule is in `Finding.weight`.
    """
    spoken = exists().where(
        Review.finding_id == Finding.id,
        Review.reviewer_id == asked_by,
        Review.decision.in_(("uphold", "overturn")),
        Review.superseded_ms.is_(None),
    )
    standing = case(
        (Finding.status.not_in(TO_DO), 2),
        (and_(Finding.status == "first_review", spoken), 1),
        else_=0,
    )
    known = rules.known()
    grave = [
        (Finding.rule.in_(sorted(it for it in known if known[it].gravity == level)), level)
        for level in range(rules.LEAST_GRAVE)
    ]
    rule = case(*grave, else_=rules.LEAST_GRAVE)
    return (standing * 1000 + rule * 10) * _FINER + Finding.weight


def about() -> ColumnElement[str]:
    """What a finding speaks of: one learner, or a class and its platform."""
    return case((Finding.learner_id.is_(None), "class"), else_="learner")


def conditions(scope: AccessScope, wanted: QueueFilter) -> list[ColumnElement[bool]]:
    """What is asked for, within what may be seen; queries join `classes`, and `learners` where a
    text is asked for."""
    conditions = [scope.covers_class(), Finding.shadow.is_(False), _in_status(wanted.status)]
    for column, value in (
        (Finding.rule, wanted.rule),
        (Finding.outcome, wanted.outcome),
        (Finding.fault, wanted.fault),
    ):
        if value:
            conditions.append(column == value)
    if wanted.about:
        conditions.append(about() == wanted.about)
    if wanted.class_id is not None:
        conditions.append(Finding.class_id == wanted.class_id)
    if wanted.platform_id is not None:
        conditions.append(Finding.platform_id == wanted.platform_id)
    if wanted.created_before_ms is not None:
        conditions.append(Finding.created_ms <= wanted.created_before_ms)
    if wanted.text:
        conditions.append(_mentions(wanted.text))
    if wanted.assigned_to is not None:
        conditions.append(_assigned(wanted.assigned_to))
    if wanted.appealed:
        conditions.append(
            exists().where(Appeal.finding_id == Finding.id, Appeal.replied_ms.is_(None))
        )
    if wanted.least_yuan:
        conditions.append(at_stake() >= wanted.least_yuan)
    return conditions


def _in_status(status: str | None) -> ColumnElement[bool]:
    """`todo`: one that waits for people; none: every one that stands."""
    if status == "todo":
        return Finding.status.in_(TO_DO)
    return Finding.status == status if status else Finding.status != GONE


def _assigned(user_id: int) -> ColumnElement[bool]:
    """Assigned to this person; 0: to nobody."""
    given = aliased(Assignment)
    if user_id == 0:
        return or_(Finding.case_id.is_(None), Finding.case_id.not_in(select(given.case_id)))
    return Finding.case_id.in_(select(given.case_id).where(given.user_id == user_id))


def _mentions(text: str) -> ColumnElement[bool]:
    """Learner's name, the class's number or name, or the platform's id of the sitting."""
    return or_(
        Learner.name.contains(text, autoescape=True),
        TrainingClass.external_id.contains(text, autoescape=True),
        TrainingClass.official_class_no.contains(text, autoescape=True),
        Finding.session_id.in_(select(Session.id).where(Session.external_id == text)),
    )
