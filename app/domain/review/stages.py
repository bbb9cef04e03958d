"""The class from application to payment: who did which step when, what is due, and by whom.

A step stands as the events about it say. Who signed first cannot sign second. A step that was
returned is done again from its beginning, as long as nothing rests on it. Once a claim was paid,
the next one begins another batch: the steps from the claim on stand for it, and are kept for those
before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from app.clock import day
from app.domain.accounts import calendar as calendars
from app.domain.accounts.users import User
from app.domain.catalogue import classes
from app.domain.policy import procedure
from app.domain.policy.procedure import ProcedureStep
from app.domain.policy.working_days import Calendar, working_days_after, working_days_in
from app.domain.review import stage_money, subsidies
from app.domain.review.stage_bodies import Objected, body_of, in_future
from app.domain.wire import Wire, first_error, shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import catalogue, class_file
from app.store.catalogue.catalogue import ClassRow
from app.store.review import stages as store
from app.store.review.stages import StagedClass, StageEventRow
from app.store.scope import EVERYTHING, AccessScope

MIN_WORDS, MAX_WORDS = 4, 2000
CLAIM, NOTICE, ADVANCE, PAYMENT = procedure.CLAIM, "publication", "advance", "payment"
_DAYS = ("filed_on", "held_on", "from_on", "paid_on")  # of a step's body: when it happened


class StepState(StrEnum):
    """not_yet: a step before is not done; running: the notice stands and is not over."""

    NOT_YET = "not_yet"
    TO_DO = "to_do"
    RUNNING = "running"
    AWAITS_SECOND = "awaits_second"
    DONE = "done"


class StageDeed(StrEnum):
    FIRST = "first"
    SECOND = "second"
    RETURNED = "returned"
    OBJECTION = "objection"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Objection:
    event: StageEventRow
    answer: StageEventRow | None


@dataclass(slots=True)
class _Record:
    """What stands of one step's events."""

    first: StageEventRow | None = None
    second: StageEventRow | None = None
    returned: StageEventRow | None = None
    objections: dict[int, StageEventRow] = field(default_factory=dict)
    answers: dict[int, StageEventRow] = field(default_factory=dict)

    @property
    def told(self) -> tuple[Objection, ...]:
        return tuple(Objection(it, self.answers.get(it.id)) for it in self.objections.values())


@dataclass(slots=True)
class _Records:
    """The steps of the batch that is under way, and of those that were paid before."""

    now: dict[str, _Record]
    paid: list[dict[str, _Record]] = field(default_factory=list)

    def next_batch(self) -> None:
        self.paid.append({name: self.now[name] for name in procedure.of_each_batch()})
        self.now |= {name: _Record() for name in procedure.of_each_batch()}


@dataclass(frozen=True, slots=True)
class PaidStep:
    """A step as it was done for a batch of claims, counted from 1, that was paid."""

    batch: int
    first: StageEventRow
    second: StageEventRow | None
    objections: tuple[Objection, ...]
    finished_on: date

    @property
    def body(self) -> Mapping[str, Any]:
        return self.first.body


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it stands. `finished_on`: the day that its clock was stopped; `returned` is the
    last return, while nobody has signed since; `batch`: which batch of claims it stands for, and
    `earlier`: as it was done for those before."""

    step: ProcedureStep
    state: StepState
    first: StageEventRow | None
    second: StageEventRow | None
    returned: StageEventRow | None
    objections: tuple[Objection, ...]
    due_on: date | None
    finished_on: date | None
    overdue: bool  # not done, and its day is over, in a class whose steps are recorded at all
    late: bool  # done after its day
    batch: int = 1
    earlier: tuple[PaidStep, ...] = ()

    @property
    def last(self) -> StageEventRow | None:
        """The last signature that stands."""
        return self.second or self.first

    @property
    def batches(self) -> list[Mapping[str, Any]]:
        """What was filled in for each batch whose step is done."""
        mine = [self.body] if self.state is StepState.DONE else []
        return [it.body for it in self.earlier] + mine

    @property
    def acts_next(self) -> bool:
        """Whether the class waits for somebody to act on it."""
        return self.open and not (self.step.optional and self.first is None)

    @property
    def open(self) -> bool:
        return self.state in (StepState.TO_DO, StepState.RUNNING, StepState.AWAITS_SECOND)

    @property
    def body(self) -> Mapping[str, Any]:
        """What was filled in; empty before."""
        return self.first.body if self.first else {}


def of_class(connection: Connection, class_id: int, today: date) -> list[StepView]:
    """The steps of a class in their order."""
    klass, events = store.days_of(connection, class_id), store.of_class(connection, class_id)
    return standing(klass, events, calendars.read(connection), today)


def overdue(
    connection: Connection, scope: AccessScope, today: date
) -> list[tuple[StagedClass, StepView]]:
    """The first overdue step of every class whose steps are being recorded, the longest overdue
    first."""
    found = []
    for klass, views in _under_way(connection, scope, today):
        late = next((it for it in views if it.overdue), None)
        if late is not None:
            found.append((klass, late))
    return sorted(found, key=lambda it: (it[1].due_on or today, it[0].id))


def moved(
    connection: Connection, calendar: Calendar, today: date
) -> list[tuple[StagedClass, StepView, date]]:
    """The open steps whose last day another calendar moves, and to which day, the earliest
    first."""
    classes, events = store.under_way(connection, EVERYTHING)
    of_each = _events_by_class(classes, events)
    now = calendars.read(connection)
    found = []
    for klass in classes:
        both = (standing(klass, of_each[klass.id], it, today) for it in (now, calendar))
        for before, after in zip(*both, strict=True):
            if before.finished_on is None and after.due_on and after.due_on != before.due_on:
                found.append((klass, before, after.due_on))
    return sorted(found, key=lambda it: (it[2], it[0].id))


def waiting(connection: Connection, user: User, today: date) -> list[tuple[StagedClass, StepView]]:
    """The steps that wait for this person's office and that this person may sign, a class not
    begun among them: what is due first comes first, then what has no day."""
    if not user.decides:
        return []
    calendar = calendars.read(connection)
    fresh = store.not_begun(connection, user.scope, today)
    of_each = _under_way(connection, user.scope, today)
    of_each += [(it, standing(it, [], calendar, today)) for it in fresh]
    found = [(klass, view) for klass, views in of_each for view in views if _waits_for(view, user)]
    return sorted(found, key=lambda it: (it[1].due_on or date.max, it[0].id))


def _waits_for(view: StepView, user: User) -> bool:
    if view.step.office != user.office or not view.acts_next:
        return False
    if view.state is StepState.AWAITS_SECOND:
        return view.first is None or view.first.done_by != user.actor
    return view.state is StepState.TO_DO


def _under_way(
    connection: Connection, scope: AccessScope, today: date
) -> list[tuple[StagedClass, list[StepView]]]:
    classes, events = store.under_way(connection, scope)
    calendar, of_each = calendars.read(connection), _events_by_class(classes, events)
    return [(it, standing(it, of_each[it.id], calendar, today)) for it in classes]


def _events_by_class(
    classes: Sequence[StagedClass], events: Sequence[StageEventRow]
) -> dict[int, list[StageEventRow]]:
    of_each: dict[int, list[StageEventRow]] = {it.id: [] for it in classes}
    for event in events:
        of_each[event.class_id].append(event)
    return of_each


def standing(
    klass: StagedClass, events: Sequence[StageEventRow], calendar: Calendar, today: date
) -> list[StepView]:
    """The steps of a class as its events leave them."""
    folded = _records(events)
    records, earlier = folded.now, _earlier(folded)
    days = {"starts_on": klass.starts_on, "assessment_on": klass.assessment_on}
    finished: dict[str, date] = {}
    begun = {name for name, it in records.items() if it.first}
    begun |= {PAYMENT} if folded.paid else set()
    views = []
    for step in procedure.steps_by(klass.pack_id, klass.pack_version).values():
        record = records[step.id]
        end = record.first if step.signatures == 1 else record.second
        on = _finished_on(end, record.first)
        if on is not None:
            finished[step.id] = on
        due_on = _due(step, days | finished, calendar)
        passed = due_on is not None and (on or today) > due_on
        view = StepView(
            step=step,
            state=_state(step, record, finished.keys(), begun, today),
            first=record.first,
            second=record.second,
            returned=None if record.first else record.returned,
            objections=record.told,
            due_on=due_on,
            finished_on=on,
            overdue=passed and on is None and bool(events),
            late=passed and on is not None,
            batch=len(folded.paid) + 1 if step.id in procedure.of_each_batch() else 1,
            earlier=earlier.get(step.id, ()),
        )
        views.append(view)
    return views


def _records(events: Sequence[StageEventRow]) -> _Records:
    found = _Records({name: _Record() for name in procedure.steps()})
    for event in events:
        record = found.now.get(event.step)
        if record is None:
            continue  # of a procedure that is not this one any more
        if event.deed == StageDeed.FIRST:
            if event.step == CLAIM and found.now[PAYMENT].second:
                found.next_batch()
            found.now[event.step].first = event
        elif event.deed == StageDeed.SECOND:
            record.second = event
        elif event.deed == StageDeed.RETURNED and event.step == CLAIM and found.paid:
            found.now |= found.paid.pop()  # that batch was not to be claimed
        elif event.deed == StageDeed.RETURNED:
            record.first, record.second, record.returned = None, None, event
        elif event.deed == StageDeed.OBJECTION:
            record.objections[event.id] = event
        else:
            record.answers[event.body["objection"]] = event
    return found


def _earlier(records: _Records) -> dict[str, tuple[PaidStep, ...]]:
    found: dict[str, tuple[PaidStep, ...]] = {}
    for name in procedure.of_each_batch():
        of_it = procedure.steps()[name]
        done = []
        for batch, steps in enumerate(records.paid, 1):
            it = steps[name]
            on = _finished_on(it.first if of_it.signatures == 1 else it.second, it.first)
            if it.first is not None and on is not None:
                done.append(PaidStep(batch, it.first, it.second, it.told, on))
        found[name] = tuple(done)
    return found


def _finished_on(end: StageEventRow | None, first: StageEventRow | None) -> date | None:
    """An application is in on the day of its receipt, whenever that was recorded."""
    if end is None:
        return None
    received = first.body.get("filed_on") if first else None
    return date.fromisoformat(received) if received else day(end.done_ms)


def _state(
    step: ProcedureStep, record: _Record, finished: Any, begun: Collection[str], today: date
) -> StepState:
    if step.id in finished:
        return StepState.DONE
    if step.optional and record.first is None and PAYMENT in begun:
        return StepState.NOT_YET  # it would come too late
    if not set(step.after) <= set(finished):
        return StepState.NOT_YET
    if record.first is None:
        return StepState.TO_DO
    until = record.first.body.get("to_on")
    if until and today <= date.fromisoformat(until):
        return StepState.RUNNING
    return StepState.AWAITS_SECOND


def _due(step: ProcedureStep, days: Mapping[str, date | None], calendar: Calendar) -> date | None:
    limit = step.limit
    base = days.get(limit.counted_from) if limit else None
    if limit is None or base is None:
        return None
    if limit.before:
        return base - timedelta(days=limit.days)
    if limit.unit == "days":
        return base + timedelta(days=limit.days)
    return working_days_after(base, limit.days, calendar)


def next_claim(views: Iterable[StepView]) -> int:
    """Which batch of claims could be filed now, beside the first; 0: none, one is under way."""
    step = {it.step.id: it for it in views}
    return step[CLAIM].batch + 1 if step[PAYMENT].state is StepState.DONE else 0


def returnable(view: StepView, views: Iterable[StepView]) -> bool:
    """Whether the step was signed and nothing rests on it yet."""
    if view.step.stage == PAYMENT and view.state is StepState.DONE:
        return False  # the money is gone; it is recovered instead
    rest = (it for it in views if view.step.id in it.step.after)
    return view.first is not None and not any(it.first for it in rest)


def record(
    connection: Connection,
    class_id: int,
    user: User,
    *,
    step: str,
    deed: str,
    body: Mapping[str, Any],
    remark: str,
    now_ms: int,
    seen: int | None = None,
) -> int:
    """Do something about a step; the event's id. `body` are the step's fields at the first
    signature, the objection's at an objection, and `objection`, its id, at an answer. `seen`: the
    last signature that was shown to who signs second or returns the step.

    Raises NotAllowed (`other_office`: the step is another office's), NotFound, BadInput by the
    field's name, and Conflict where the step does not stand so.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers act on the steps of a class")
    if class_file.klass(connection, class_id, user.scope) is None:
        raise NotFound("unknown_class", "there is no such class")
    catalogue.lock_class(connection, class_id)
    today = day(now_ms)
    views = {it.step.id: it for it in of_class(connection, class_id, today)}
    view = views.get(step)
    if view is None or deed not in set(StageDeed):
        raise BadInput("bad_step", "step or deed: there is no such one", field="step")
    if user.office is not view.step.office:
        who = view.step.office_name.en
        raise NotAllowed("other_office", f"only accounts of the {who} act on this step")
    klass = catalogue.class_by_id(connection, class_id)
    doing = _Doing(connection, klass, user, views, today, seen)
    said = doing.checked(view, StageDeed(deed), body)
    words = _words(remark, view.step, StageDeed(deed))
    if any((it.event.body, it.event.remark) == (said, words) for it in view.objections):
        raise Conflict("objection_there", "the same objection is on record")
    event_id = _keep(connection, class_id, user, step, deed, said, words, now_ms)
    if step == PAYMENT and deed == StageDeed.SECOND:
        paid_on, people = date.fromisoformat(view.body["paid_on"]), view.body["people"]
        payable = view.body.get("payable_sha256")
        subsidies.pay(connection, klass, event_id, paid_on, people, payable)
    return event_id


def _keep(
    connection: Connection,
    class_id: int,
    user: User,
    step: str,
    deed: str,
    said: dict[str, Any],
    words: str,
    now_ms: int,
) -> int:
    event_id = store.add(
        connection,
        class_id=class_id,
        step=step,
        deed=deed,
        body=said,
        remark=words,
        done_by=user.actor,
        done_ms=now_ms,
    )
    told = {name: it for name, it in said.items() if name != "raised_by"}
    _enter(connection, user, class_id, deed, {"step": step, **told, "remark": words}, now_ms)
    return event_id


def _enter(
    connection: Connection,
    user: User,
    class_id: int,
    deed: str,
    detail: dict[str, Any],
    now_ms: int,
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=f"stage.{deed}",
        subject=f"class:{class_id}",
        detail=detail,
    )


@dataclass(frozen=True, slots=True)
class _Doing:
    """One person acting on one class, and what of it stands."""

    connection: Connection
    klass: ClassRow
    user: User
    views: Mapping[str, StepView]
    today: date
    seen: int | None

    def checked(self, view: StepView, deed: StageDeed, body: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be kept of `body`. Raises BadInput, NotAllowed, Conflict."""
        if deed is StageDeed.FIRST:
            return self._first(view, body)
        if deed is StageDeed.SECOND:
            return self._second(view)
        if deed is StageDeed.RETURNED:
            return self._returned(view)
        if deed is StageDeed.OBJECTION:
            return self._objection(view, body)
        return self._answer(view, body)

    def _first(self, view: StepView, body: Mapping[str, Any]) -> dict[str, Any]:
        again = view.step.id == CLAIM and next_claim(self.views.values())
        if view.state is not StepState.TO_DO and not again:
            raise Conflict("stage_not_open", "this step is not to be done now")
        said = self._parsed(body_of(view.step.id), body)
        for day_of in _DAYS:
            if hasattr(said, day_of):
                _not_before(self._earliest(view), day_of, getattr(said, day_of))
        self._fits(view, said)
        kept = said.model_dump(mode="json", exclude_none=True)
        if view.step.id == PAYMENT:  # whom the two who sign pay for
            kept |= stage_money.payable(self.connection, self.klass)
        return kept

    def _earliest(self, view: StepView) -> date:
        """The last day of what the step rests on: of the steps before it and of the class."""
        before, ends = {*view.step.after}, [date.min]
        for it in reversed(list(self.views.values())):
            if it.step.id in before:
                before |= {*it.step.after}
                ends.append(_last_day(it.body))
        if view.step.stage not in ("opening", "payment"):
            ends.append(date.fromisoformat(self.klass.starts_on))
        if view.step.id == CLAIM:
            ends += [_last_day(it) for it in self.views[PAYMENT].batches]
        return max(ends)

    def _fits(self, view: StepView, said: Any) -> None:
        """Raises BadInput where what was filled in contradicts what is known."""
        if view.step.id == NOTICE:
            lasts = view.step.lasts
            stands = working_days_in(said.from_on, said.to_on, calendars.read(self.connection))
            if lasts is not None and stands < lasts.days:
                detail = f"to_on: a notice stands at least {lasts.days} working days, not {stands}"
                raise BadInput("notice_too_short", detail, field="to_on")
        if view.step.id == CLAIM:
            members = catalogue.enrolled(self.connection, self.klass.id)
            if said.people > members:
                detail = f"people: the class has {members}"
                raise BadInput("too_many_people", detail, field="people")
            if classes.wrong_codes(self.connection, self.klass):
                raise Conflict("credit_code_wrong", "a credit code that the form shows is wrong")
            stage_money.claim_fits(self.connection, self.klass, said)
        if view.step.id == ADVANCE:
            stage_money.advance_fits(self.connection, self.klass, said)
        if view.step.id == PAYMENT:
            claimed, advance = self.views[CLAIM].body, self.views[ADVANCE]
            if advance.state is StepState.AWAITS_SECOND:
                raise Conflict("advance_open", "the advance waits for its second signature")
            handed_out = [advance.body, *(it.body for it in view.earlier)]
            stage_money.payment_fits(self.connection, self.klass, said, claimed, handed_out)

    def _second(self, view: StepView) -> dict[str, Any]:
        if view.state is StepState.RUNNING:
            raise Conflict("notice_running", "the notice is not over yet")
        if view.state is not StepState.AWAITS_SECOND or view.first is None:
            raise Conflict("stage_not_open", "this step does not wait for a second person")
        if view.first.done_by == self.user.actor:
            raise NotAllowed("second_person_needed", "somebody else signs second")
        self._as_shown(view)
        if any(it.answer is None for it in view.objections):
            raise Conflict("objection_open", "an objection is not answered yet")
        return {}

    def _returned(self, view: StepView) -> dict[str, Any]:
        if view.first is None:
            raise Conflict("stage_not_open", "nothing was done here that could be returned")
        if view.step.stage == PAYMENT and view.state is StepState.DONE:
            raise Conflict("already_paid", "what was paid is not returned but recovered")
        if not returnable(view, self.views.values()):
            raise Conflict("stage_rested_on", "a later step rests on this one; return that first")
        self._as_shown(view)
        return {}

    def _as_shown(self, view: StepView) -> None:
        if view.last is None or self.seen not in (None, view.last.id):
            raise Conflict("stage_not_open", "it was signed anew since it was shown")

    def _objection(self, view: StepView, body: Mapping[str, Any]) -> dict[str, Any]:
        waits = (StepState.RUNNING, StepState.AWAITS_SECOND)
        if view.step.id != NOTICE or view.state not in waits:
            raise Conflict("stage_not_open", "objections are recorded while a notice stands")
        said = self._parsed(Objected, body)
        assert isinstance(said, Objected)
        hung_out = date.fromisoformat(view.body["from_on"])
        _not_before(hung_out, "received_on", said.received_on)
        return said.model_dump(mode="json")

    def _answer(self, view: StepView, body: Mapping[str, Any]) -> dict[str, Any]:
        asked = body.get("objection")
        if asked not in {it.event.id for it in view.objections if it.answer is None}:
            raise Conflict("no_such_objection", "there is no such objection without an answer")
        return {"objection": asked}

    def _parsed(self, kind: type[Wire], body: Mapping[str, Any]) -> Wire:
        try:
            said = kind.model_validate(dict(body))
        except ValidationError as error:
            code, detail = first_error(error)
            raise BadInput(code, detail, field=detail.partition(":")[0]) from None
        ahead = in_future(said, self.today)
        if ahead:
            raise BadInput("in_future", f"{ahead}: a day that is yet to come", field=ahead)
        return said


def _last_day(body: Mapping[str, Any]) -> date:
    return max(
        (date.fromisoformat(body[it]) for it in ("to_on", *_DAYS) if it in body), default=date.min
    )


def _not_before(earliest: date, field: str, said: date) -> None:
    """Raises BadInput where a day lies before what must have been by then."""
    if said < earliest:
        raise BadInput("out_of_order", f"{field}: not before {earliest}", field=field)


def _words(remark: str, step: ProcedureStep, deed: StageDeed) -> str:
    """The opinion, or the reason. Raises BadInput where one is needed and missing."""
    said = shown_text(remark)
    if deed in (StageDeed.FIRST, StageDeed.SECOND):
        least = 0 if step.signatures == 1 else 1
    else:
        least = MIN_WORDS
    if not least <= len(said) <= MAX_WORDS:
        detail = f"remark: {least} to {MAX_WORDS} characters"
        raise BadInput("reason_missing", detail, field="remark")
    return said
