"""A class from application to payment: the steps, who did them and when, what is due, the forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from app.clock import day
from app.console import labels
from app.console.actors import named
from app.console.acts_page import FilledIn
from app.console.language import N_
from app.console.login import FormOfThisLogin, SignedIn
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts import calendar
from app.domain.catalogue import classes, institutions
from app.domain.policy import clauses, procedure
from app.domain.policy.packs import FOLDER
from app.domain.policy.working_days import Calendar, working_days_after
from app.domain.review import presence, recoveries, stage_money, stages, subsidies
from app.domain.review.recoveries import OFFICE_OF, Recovery
from app.domain.review.stage_bodies import BODIES, PAST, Objected, body_of
from app.domain.review.stages import StageDeed, StepState, StepView
from app.domain.review.subsidies import ClassSubsidy, Standing
from app.domain.review.subsidy_standards import yuan
from app.domain.wire import whole
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.reports.lists import LISTS
from app.store.catalogue import catalogue, class_file
from app.store.catalogue import institutions as rows
from app.store.catalogue.catalogue import ClassRow
from app.store.catalogue.class_file import ClassCase
from app.store.catalogue.institutions import InstitutionRow
from app.store.review import inspections
from app.store.scope import AccessScope

router = APIRouter(prefix="/console", route_class=ConsoleRoute, include_in_schema=False)

FIELDS: Mapping[str, str] = {
    "filed_on": N_("受理日期"),
    "in_system": N_("是否已在职业培训信息化管理系统填报"),
    "held_on": N_("考核日期"),
    "watched_by": N_("考核巡查人员"),
    "people": N_("补贴人数"),
    "basis": N_("先行拨付的依据"),
    "amount_yuan": N_("金额（元）"),
    "promised_by": N_("申请承诺人"),
    "from_on": N_("公示开始日期"),
    "to_on": N_("公示截止日期"),
    "site": N_("公示网站"),
    "paid_on": N_("拨付日期"),
    "fund": N_("资金来源"),
    "received_on": N_("收到日期"),
    "raised_by": N_("提出人"),
    "remark": N_("意见"),
}
# What is printed, signed and hung out at each stage, of the lists of the class's page.
_PAPERS = {
    stage: [LISTS[name] for name in names]
    for stage, names in {
        "assessment": ("admitted", "refused", "certificates"),
        "claim": ("subsidy-claim", "annex-2"),
        "publication": ("subsidy-notice",),
        "payment": ("subsidy-paid", "annex-2"),
    }.items()
}
_OF_INSTITUTION = {  # what 附件2 takes from the institution's page
    "contact": N_("联系人及电话"),
    "bank": N_("开户银行名称"),
    "bank_account": N_("银行帐号"),
}
_OPTIONAL = {
    name
    for body in BODIES.values()
    for name, it in body.model_fields.items()
    if not it.is_required()
}
_OF_WHAT_IS_SIGNED = (StageDeed.SECOND, StageDeed.RETURNED)
_TYPES = {"people": "number", "amount_yuan": "number"}


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One of the six stages in one line."""

    code: str
    state: StepState
    overdue: bool


def summaries(views: Sequence[StepView]) -> list[StageSummary]:
    """The six stages, each as far as its steps are."""
    found = []
    for code in procedure.STAGES:
        mine = [it for it in views if it.step.stage == code and not it.step.optional]
        open_step = next((it for it in mine if it.state is not StepState.DONE), mine[-1])
        acting = next((it for it in mine if it.acts_next), open_step)
        found.append(StageSummary(code, acting.state, any(it.overdue for it in mine)))
    return found


@router.get("/classes/{class_id}/stages")
def of_class(request: Request, login: SignedIn, class_id: RowId) -> Response:
    return shown(request, login, class_id)


def shown(
    request: Request,
    login: SignedIn,
    class_id: int,
    typed: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
    refused: str = "",
    chosen: Sequence[int] = (),
    looked: Sequence[Recovery] = (),
) -> Response:
    """The page; `typed` is a form that was not taken, `problem` why, `refused` the code of what was
    wrong with a recovery, `chosen` the learners ticked for it. `looked`: what is about to be
    demanded back."""
    services = request.app.state.services
    today = day(services.clock())
    with services.database.read() as connection:
        klass = class_file.klass(connection, class_id, login.user.scope)
        if klass is None:
            raise NotFound("unknown_class", "there is no such class")
        row = catalogue.class_by_id(connection, class_id)
        subsidy, there = subsidies.of_class(connection, row), presence.of_class(connection, row)
        cases = recoveries.of_subsidy(connection, class_id, subsidy)
        views = stages.of_class(connection, class_id, today)
        listed, wrong_codes = _listed(connection, row), classes.wrong_codes(connection, row)
        doubts = institutions.doubts(listed, date.fromisoformat(row.starts_on))
        holidays = calendar.read(connection)
        inspected = len(inspections.of_class(connection, class_id))
        name = named(connection, language_of(request), _actors(views, cases), login.user)
    return render(
        request,
        "stages.html",
        login=login,
        klass=klass,
        views=views,
        groups=[
            (it, [view for view in views if view.step.stage == it.code]) for it in summaries(views)
        ],
        name=name,
        fields=FIELDS,
        inputs={it.step.id: _inputs(body_of(it.step.id).model_fields) for it in views},
        objection_inputs=_inputs(Objected.model_fields),
        subsidy=subsidy,
        standings=Counter(it.standing for it in subsidy.shares),
        cases=cases,
        owed_fen=sum(it.left_fen for it in cases) if login.user.of_authority else 0,
        recovery_offices=OFFICE_OF,
        chosen=set(chosen),
        looked=looked,
        refused=labels.PROBLEMS.get(refused, ""),
        usual=_usual(klass, subsidy, views, holidays, today),
        next_claim=stages.next_claim(views) if subsidy.of(Standing.PAYABLE) else 0,
        doubts=doubts,
        gaps=_gaps(row, listed),
        wrong_codes=wrong_codes,
        beyond_fen=_beyond(subsidy, views),
        listing_clause=clauses.register(FOLDER / "clauses")["huangchuan-2021/annual_review"],
        optional=_OPTIONAL,
        papers=_PAPERS,
        presence=there,
        returnable={it.step.id for it in views if stages.returnable(it, views)},
        typed=typed or {},
        problem=problem,
        today=today.isoformat(),
        inspected=inspected,
        calendar_known=holidays.knows(today.year),
        year=today.year,
        status=status,
    )


def _beyond(subsidy: ClassSubsidy, views: Sequence[StepView]) -> int:
    """What was advanced beyond what is paid, once a payment stands to hold it against."""
    step = {it.step.id: it for it in views}
    paid = step[stages.PAYMENT].batches
    return stage_money.beyond_fen(subsidy, [*step[stages.ADVANCE].batches, *paid]) if paid else 0


def _gaps(row: ClassRow, listed: InstitutionRow | None) -> list[tuple[str, str]]:
    """What 附件2 leaves empty because nobody entered it, and where that is done."""
    here = f"/console/institutions/{listed.id}" if listed else "/console/institutions"
    told = {it: getattr(listed, it, None) for it in _OF_INSTITUTION}
    gaps = [(word, here) for it, word in _OF_INSTITUTION.items() if not told[it]]
    if not row.terms.get("official_class_no"):
        gaps.insert(0, (N_("开班批次（官方班号）"), f"/console/classes/{row.id}/terms"))
    return gaps


def _listed(connection: Connection, row: ClassRow) -> InstitutionRow | None:
    scope = AccessScope(institution_id=row.institution_id)
    return rows.institution(connection, scope, row.institution_id) if row.institution_id else None


@router.post("/classes/{class_id}/stages", dependencies=[FormOfThisLogin])
def record(request: Request, login: SignedIn, class_id: RowId, form: FilledIn) -> Response:
    services, deed = request.app.state.services, form.get("deed", "")
    try:
        with services.database.write() as connection:
            stages.record(
                connection,
                class_id,
                login.user,
                step=form.get("step", ""),
                deed=deed,
                body=_body(form),
                remark=form.get("remark", ""),
                now_ms=services.clock(),
                seen=(whole(form.get("seen", "")) or 0) if deed in _OF_WHAT_IS_SIGNED else None,
            )
    except (BadInput, Conflict, NotAllowed) as error:
        if not login.user.decides:
            raise
        problem = _problem(request, error)
        return shown(request, login, class_id, form, problem, error.status)
    return see_other(f"/console/classes/{class_id}/stages#{form['step']}")


def _usual(
    klass: ClassCase,
    subsidy: ClassSubsidy,
    views: Sequence[StepView],
    holidays: Calendar,
    today: date,
) -> dict[str, dict[str, str]]:
    """What forms are filled in with: today, the shortest notice that is allowed, and of money what
    the standard gives."""
    usual = {
        it.step.id: {
            name: today.isoformat() for name in body_of(it.step.id).model_fields if name in PAST
        }
        for it in views
    }
    if klass.assessment_on and klass.assessment_on <= today.isoformat():
        usual["assessment"] = {"held_on": klass.assessment_on}
    site = f"{klass.county}人力资源和社会保障局官网"  # as 附件2 has it
    lasts = next(it.step.lasts for it in views if it.step.id == stages.NOTICE)
    if lasts:
        last = working_days_after(today - timedelta(days=1), lasts.days, holidays)
        notice = {"from_on": today.isoformat(), "to_on": last.isoformat(), "site": site}
        usual[stages.NOTICE] = notice
    for step, said in _usual_money(subsidy, views).items():
        usual[step] |= said
    return usual


def _usual_money(subsidy: ClassSubsidy, views: Sequence[StepView]) -> dict[str, dict[str, str]]:
    if subsidy.standard is None:
        return {}
    people, due = len(subsidy.of(Standing.PAYABLE)), subsidy.payable_fen
    step = {it.step.id: it for it in views}
    earlier = [it.body for it in step[stages.PAYMENT].earlier]
    left = stage_money.due_fen(subsidy, [step[stages.ADVANCE].body, *earlier])
    share = subsidy.standard.advance_percent
    most = subsidy.each_fen * len(subsidy.shares) * share // 100
    if step[stages.CLAIM].first is not None:  # nothing ahead of more than there is to pay
        most = min(most, left)
    return {
        "claim_filed": {"people": str(people), "amount_yuan": str(yuan(due))},
        "advance": {"amount_yuan": str(yuan(most))} if most else {},
        "payment": {"amount_yuan": str(yuan(left))},
    }


def _problem(request: Request, error: BadInput | Conflict | NotAllowed) -> str:
    """What was wrong, with the field's name where it was a field."""
    lang, field = language_of(request), error.detail.partition(":")[0]
    told = lang.say(labels.PROBLEMS.get(error.code, N_("填写有误")))
    return f"{lang.say(FIELDS[field])}：{told}" if field in FIELDS else told


def _body(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says, in the types of a step's fields. What is no number stays as typed and is
    refused by the field's name."""
    typed = {name: it.strip() for name, it in form.items() if name in FIELDS}
    said: dict[str, Any] = {it: word for it, word in typed.items() if word or it not in _OPTIONAL}
    for name, kind in (("people", int), ("objection", int), ("amount_yuan", Decimal)):
        try:
            said[name] = kind(form.get(name, "").strip())
        except (ValueError, InvalidOperation):
            continue
    return said


def _inputs(names: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and input type of each field."""
    return [(it, "date" if it.endswith("_on") else _TYPES.get(it, "text")) for it in names]


def _actors(views: Sequence[StepView], cases: Sequence[Recovery]) -> list[str]:
    events = [event for it in views for event in (it.first, it.second, it.returned)]
    events += [event for it in views for old in it.earlier for event in (old.first, old.second)]
    for view in views:
        events += [event for it in view.objections for event in (it.event, it.answer)]
    return [it.done_by for it in events if it] + [
        event.done_by for it in cases for event in it.events
    ]
