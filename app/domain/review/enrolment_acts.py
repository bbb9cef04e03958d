"""A learner leaves a class, comes back, joins it late, or moves to another of the same course.

Each is a recorded act in force at once, and what stands in `enrolments` is what the acts in force
come to. Nothing that was studied goes: a day that lies before the last, or after the first, day on
record is refused. Revoking takes an act back that was recorded in error.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from app.clock import day
from app.domain import runs
from app.domain.catalogue import classes, roster_days
from app.domain.catalogue.roster_days import Stay
from app.domain.wire import Day, Id, Wire
from app.errors import BadInput, Conflict
from app.store import stays as store
from app.store.catalogue import catalogue, people
from app.store.catalogue.catalogue import ClassRow
from app.store.money import payments
from app.store.review import acts
from app.store.review.acts import ActRow
from app.store.stays import LEFT, MOVED, WITHDRAWN, Away, StayRow, as_rows
from app.vault import Vault

_DAY = timedelta(days=1)


class LeftClass(Wire):
    """A learner is in the class no more."""

    last_on: Annotated[Day, Field(title="在班最后一天")]


class CameBack(Wire):
    """A learner who had left is in the class again."""

    first_on: Annotated[Day, Field(title="返班日期")]


class JoinedLate(Wire):
    """A learner came into the class after its first day."""

    first_on: Annotated[Day, Field(title="入班日期")]


class MovedClass(Wire):
    """A learner goes on in another class of the same course, from the day after the last one."""

    to_class: Annotated[Id, Field(title="转入班级编号")]
    last_on: Annotated[Day, Field(title="在原班最后一天")]


class _EnrolmentDeed:
    """What they have in common: all that they say stands in the act itself."""

    def split(
        self, connection: Connection, vault: Vault, klass: ClassRow, learner_id: int, body: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return body.model_dump(mode="json"), {}

    def recorded(self, connection: Connection, act_id: int, kept: dict[str, Any]) -> None:
        pass


class LeaveDeed(_EnrolmentDeed):
    def done(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises Conflict (has left already), BadInput (a day to come, or before the last on
        record)."""
        stay, last = _there(connection, klass, act), date.fromisoformat(act.body["last_on"])
        _require_past(connection, klass, stay, last, now_ms)
        ended = {"last_on": last.isoformat(), "ended_by": LEFT}
        store.change(connection, klass.id, stay.learner_id, **ended)

    def undone(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises Conflict where the learner came back since, is in another class of the course
        meanwhile, or the class has become full."""
        _go_back(connection, klass, _ended_by(connection, klass, act))


class ReturnDeed(_EnrolmentDeed):
    def done(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises Conflict (has not left, is in another class of the course, the class is full),
        BadInput (a day before they left, or after the class)."""
        stay, first = _stay(connection, klass, act), date.fromisoformat(act.body["first_on"])
        if stay.ended_by != LEFT:
            raise Conflict(
                "not_left",
                "没有离班登记的不登记返班；转到别班的，请在那个班登记转班 / "
                "no leaving is on record; who moved is moved back from the other class",
            )
        assert stay.last_on is not None
        if first == date.fromisoformat(stay.last_on) + _DAY:
            raise BadInput(
                "never_away",
                f"body.first_on: {stay.last_on}在班，次日返班等于没有离班，请撤销离班登记 / "
                f"the last day was {stay.last_on}: revoke the leaving instead",
            )
        _come_back(connection, klass, stay, first, None)

    def undone(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises Conflict once the learner is on record since, or has left again."""
        stay = _stay(connection, klass, act)
        _require_nothing_since(connection, klass, stay, date.fromisoformat(act.body["first_on"]))
        _gone_again(connection, klass, stay)


class JoinDeed(_EnrolmentDeed):
    def done(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises BadInput where the day lies outside the class, or after the first on record."""
        stay, first = _stay(connection, klass, act), date.fromisoformat(act.body["first_on"])
        away = Away.all(stay.away)
        starts, ends = klass.starts_on, stay.last_on or klass.ends_on
        if away:
            ends = away[0].last_on.isoformat()
        if not starts <= first.isoformat() <= ends:
            raise BadInput(
                "outside_class_dates",
                f"body.first_on: 入班日期须在{starts}至{ends}之间 / "
                f"must lie from {starts} to {ends}",
            )
        on_record = _on_record(connection, klass, stay)
        if on_record and on_record[0] < first:
            raise BadInput(
                "on_record_before",
                f"body.first_on: {on_record[0]}已有学习、考勤或考核记录，入班日期不能在其后 / "
                f"the learner is on record since {on_record[0]}",
            )
        store.change(connection, klass.id, stay.learner_id, first_on=first.isoformat())

    def undone(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        stay = _stay(connection, klass, act)
        store.change(
            connection, klass.id, stay.learner_id, first_on=_first_on(connection, klass, act, stay)
        )


class MoveDeed(_EnrolmentDeed):
    def split(
        self, connection: Connection, vault: Vault, klass: ClassRow, learner_id: int, body: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The act also tells the first day in the other class. Raises BadInput where that is no
        class of the same course, or is over by then."""
        target = _target(connection, klass, body.to_class)
        first = max(body.last_on + _DAY, date.fromisoformat(target.starts_on))
        if first.isoformat() > target.ends_on:
            ends = target.ends_on
            raise BadInput(
                "class_over",
                f"body.to_class: 该班{ends}已经结束 / that class ended on {ends}",
            )
        return body.model_dump(mode="json") | {"first_on": first.isoformat()}, {}

    def done(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises as LeaveDeed, and Conflict where the learner is in that class or it is full. Who
        was in it before comes back."""
        stay, last = _there(connection, klass, act), date.fromisoformat(act.body["last_on"])
        _require_past(connection, klass, stay, last, now_ms)
        target = _target(connection, klass, act.body["to_class"])
        there = store.of_learner(connection, target.id, stay.learner_id)
        others = store.of_class(connection, target.id)
        same = {it.person_id for it in others if it.learner_id != stay.learner_id}
        if (there and there.ended_by is None) or stay.person_id in same:
            raise Conflict(
                "in_class_already",
                f"to_class: 该学员已在班级{target.external_id} / "
                f"is in class {target.external_id} already",
            )
        first = date.fromisoformat(act.body["first_on"])
        ended = {"last_on": last.isoformat(), "ended_by": MOVED}
        store.change(connection, klass.id, stay.learner_id, **ended)
        if there is not None and there.ended_by != WITHDRAWN:
            _come_back(connection, target, there, first, klass.id)
        else:
            _require_room(connection, target, Stay(stay.person_id, first))
            self._enrol(connection, klass, stay, target, first, now_ms)
        runs.request(connection, target.id, actor, now_ms)

    def _enrol(
        self,
        connection: Connection,
        klass: ClassRow,
        stay: StayRow,
        target: ClassRow,
        first: date,
        now_ms: int,
    ) -> None:
        mine = next(it for it in people.enrolled(connection, klass.id) if it.id == stay.learner_id)
        people.enrol(
            connection,
            {
                "class_id": target.id,
                "learner_id": stay.learner_id,
                "employer": mine.employer,
                "category": mine.category,
                "trainee": mine.trainee,
                "enrolled_ms": now_ms,
                "first_on": first.isoformat(),
                "moved_from": klass.id,
            },
        )

    def undone(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None:
        """Raises Conflict once the learner is on record in the other class since, or has left it or
        come back."""
        stay = _ended_by(connection, klass, act)
        target = _target(connection, klass, act.body["to_class"])
        there = store.of_learner(connection, target.id, stay.learner_id)
        assert there is not None  # the act put them there
        _require_nothing_since(connection, target, there, date.fromisoformat(act.body["first_on"]))
        if there.away:
            _gone_again(connection, target, there)
        else:
            store.change(connection, target.id, stay.learner_id, ended_by=WITHDRAWN)
        _go_back(connection, klass, stay)
        runs.request(connection, target.id, actor, now_ms)


def _stay(connection: Connection, klass: ClassRow, act: ActRow) -> StayRow:
    assert act.learner_id is not None  # acts of these kinds are of a learner
    stay = store.of_learner(connection, klass.id, act.learner_id)
    assert stay is not None  # whom an act is about is or was in the class
    return stay


def _ended_by(connection: Connection, klass: ClassRow, act: ActRow) -> StayRow:
    """Who is out of the class by that act. Raises Conflict where they came back since."""
    stay = _stay(connection, klass, act)
    if not stay.ended_by or stay.last_on != act.body["last_on"]:
        raise Conflict(
            "came_back_since",
            "该学员此后又回到本班，请先撤销后来的登记 / came back since: revoke that act first",
        )
    return stay


def _come_back(
    connection: Connection, klass: ClassRow, stay: StayRow, first: date, in_class: int | None
) -> None:
    """Into the class again from that day. Raises BadInput, Conflict."""
    assert stay.last_on is not None and stay.ended_by is not None
    last = date.fromisoformat(stay.last_on)
    if not last < first <= date.fromisoformat(klass.ends_on):
        raise BadInput(
            "outside_class_dates",
            f"body.first_on: 返班日期须在{last}之后、{klass.ends_on}及以前 / "
            f"must lie after {last}, and on {klass.ends_on} at the latest",
        )
    gap = Away(from_on=last + _DAY, to_on=first - _DAY, ended_by=stay.ended_by, in_class=in_class)
    _require_room(connection, klass, Stay(stay.person_id, first))
    _require_nowhere_else(connection, klass, Stay(stay.person_id, first))
    again = {"last_on": None, "ended_by": None, "away": as_rows([*Away.all(stay.away), gap])}
    store.change(connection, klass.id, stay.learner_id, **again)


def _gone_again(connection: Connection, klass: ClassRow, stay: StayRow) -> None:
    """Out of the class, as before they came back the last time."""
    *before, gap = Away.all(stay.away)
    ended = {"last_on": gap.last_on.isoformat(), "ended_by": gap.ended_by}
    store.change(connection, klass.id, stay.learner_id, away=as_rows(before), **ended)


def _require_nothing_since(
    connection: Connection, klass: ClassRow, stay: StayRow, first: date
) -> None:
    """What was done in the class from that day on would lie outside of it."""
    back = [it.back_on for it in Away.all(stay.away)][-1:]
    on_record = _on_record(connection, klass, stay)
    if stay.ended_by or (back and back != [first]) or (on_record and on_record[-1] >= first):
        raise Conflict(
            "on_record_since",
            f"该学员此后在班级{klass.external_id}已有记录或已离班，不能撤销；可另行登记 / "
            f"is on record in class {klass.external_id} since, or has left it",
        )


def _there(connection: Connection, klass: ClassRow, act: ActRow) -> StayRow:
    stay = _stay(connection, klass, act)
    if stay.ended_by:
        raise Conflict(
            "ended_already",
            f"该学员{stay.last_on}起已不在本班，登记有误的请先撤销原登记 / "
            f"is not in this class since {stay.last_on}: revoke that act first",
        )
    if any(it.learner_id == stay.learner_id for it in payments.of_class(connection, klass.id)):
        raise Conflict(
            "paid_already",
            "该学员本班的补贴已经拨付，不再登记离班、转班 / was paid for this class: who is paid "
            "goes on to be judged in it",
        )
    return stay


def _require_past(
    connection: Connection, klass: ClassRow, stay: StayRow, last: date, now_ms: int
) -> None:
    if last > day(now_ms):
        raise BadInput(
            "in_future",
            "body.last_on: 在班最后一天不能晚于今天 / the last day cannot lie ahead",
        )
    back = [it.back_on for it in Away.all(stay.away)][-1:]
    if back and last < back[0]:
        raise BadInput(
            "before_coming_back",
            f"body.last_on: 在班最后一天不能早于返班日期{back[0]}；没有返班的，请撤销返班登记 / "
            f"came back on {back[0]}: revoke that where it is wrong",
        )
    on_record = _on_record(connection, klass, stay)
    if on_record and on_record[-1] > last:
        raise BadInput(
            "on_record_after",
            f"body.last_on: {on_record[-1]}还有学习、考勤或考核记录，在班最后一天不能早于该日 / "
            f"the learner is on record until {on_record[-1]}",
        )


def _on_record(connection: Connection, klass: ClassRow, stay: StayRow) -> list[date]:
    """The days, in order, that bound what there is of the learner in the class."""
    instants, days = store.days_of_evidence(connection, klass.id, stay.learner_id)
    return sorted([day(it) for it in instants] + [date.fromisoformat(it) for it in days])


def _first_on(connection: Connection, klass: ClassRow, act: ActRow, stay: StayRow) -> str | None:
    """The first day by the acts in force without this one."""
    joined = acts.in_force(connection, [klass.id], {"joined_late"})
    mine = [it for it in joined if it.learner_id == stay.learner_id and it.id != act.id]
    if not mine and stay.moved_from is not None:
        moved = acts.in_force(connection, [stay.moved_from], {"moved_class"})
        mine = [it for it in moved if it.learner_id == stay.learner_id]
    return str(mine[-1].body["first_on"]) if mine else None


def targets(connection: Connection, klass: ClassRow) -> list[ClassRow]:
    """Classes that a learner of this one may go to: they are not over when this one begins."""
    found = catalogue.beside(connection, klass)
    return [it for it in found if _same_course(klass, it) and it.ends_on >= klass.starts_on]


def _same_course(one: ClassRow, other: ClassRow) -> bool:
    courses, others = (set(it.terms.get("course_ids", ())) for it in (one, other))
    return courses == others


def _target(connection: Connection, klass: ClassRow, named: str) -> ClassRow:
    found = catalogue.class_of_platform(connection, klass.platform_id, named, lock=True)
    if found is None or found.sandbox != klass.sandbox:
        detail = f"body.to_class: 没有班级{named!r} / there is no class {named!r}"
        raise BadInput("unknown_class", detail)
    if found.id == klass.id or not _same_course(found, klass):
        raise BadInput(
            "other_course",
            f"body.to_class: {named!r}不是同一课程的另一个班级 / "
            f"{named!r} is no other class of the same course",
        )
    if found.terms.get("institution") != klass.terms.get("institution"):
        raise BadInput(
            "other_institution",
            f"body.to_class: {named!r}是另一培训机构的班级 / is a class of another institution",
        )
    return found


def _require_room(connection: Connection, klass: ClassRow, stay: Stay) -> None:
    check = classes.pack_of(klass).checks.get("B11")
    if check is None:
        return
    others = [it for it in roster_days.of_class(connection, klass) if it.person != stay.person]
    after, limit = roster_days.most_at_once([*others, stay]), int(check["max_learners"])
    if after > max(limit, roster_days.most_at_once(others)):
        raise Conflict(
            "roster_too_large",
            f"班级{klass.external_id}将有{after}人，最多{limit}人 / "
            f"class {klass.external_id} would have {after} learners, at most {limit} are allowed",
        )


def _go_back(connection: Connection, klass: ClassRow, stay: StayRow) -> None:
    """Into the class that an act had ended."""
    again = replace(roster_days.stay(stay.person_id, klass.starts_on, stay), last=None)
    _require_room(connection, klass, again)
    _require_nowhere_else(connection, klass, again)
    store.change(connection, klass.id, stay.learner_id, last_on=None, ended_by=None)


def _require_nowhere_else(connection: Connection, klass: ClassRow, stay: Stay) -> None:
    elsewhere = roster_days.in_class_of_course(connection, klass, [stay])
    if elsewhere:
        (other,) = elsewhere.values()
        raise Conflict(
            "in_class_of_course",
            f"该学员现在班级{other}（同一课程） / is in class {other} of the same course meanwhile",
        )
