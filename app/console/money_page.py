"""Subsidies: a county's standards, what is at stake, recoveries, and the public page on funds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import ValidationError

from app.clock import day
from app.console import consequences, forms, labels, stages_page, weighty
from app.console.forms import FilledIn
from app.console.language import N_
from app.console.login import FormOfThisLogin, SignedIn, require_role
from app.console.page import ConsoleRoute, RowId, language_of, render, see_other
from app.domain.accounts.users import DECIDES, OF_AUTHORITY, Login, Role
from app.domain.policy import subsidy_texts
from app.domain.review import funds, recoveries, subsidy_standards
from app.domain.review.funds import FEWEST, PublicSum
from app.domain.review.recoveries import Recovered
from app.domain.review.subsidy_standards import StandardTerms, yuan
from app.domain.wire import shown_text, typed_day, whole
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.reports import csv
from app.reports.sheet import Value
from app.store.catalogue import class_file, institutions
from app.store.money import standards as store
from detectors.qualifications import Certificate

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)

Official = Annotated[Login, Depends(require_role(*OF_AUTHORITY))]
Keeper = Annotated[Login, Depends(require_role(Role.ADMIN, *DECIDES))]

# The public file, of which no column may name a person.
PUBLIC_COLUMNS = (
    N_("年度"),
    N_("县（市、区）"),
    N_("培训机构"),
    N_("职业（工种）"),
    N_("班级数"),
    N_("补贴人数"),
    N_("拨付金额（元）"),
    N_("已追回（元）"),
)


@router.get("/console/subsidies")
def shown(request: Request, login: Official) -> Response:
    return _page(request, login)


def _page(
    request: Request,
    login: Login,
    typed: Mapping[str, str] | None = None,
    errors: forms.Errors | None = None,
) -> Response:
    scope = login.user.scope
    with request.app.state.services.database.read() as connection:
        rows = store.of_counties(connection, scope.counties)
        named = [it.name for it in institutions.counties(connection)]
        counties = [it for it in named if subsidy_standards.keeps(login.user, it)]
        stakes = funds.stakes(connection, scope)
    return render(
        request,
        "subsidies.html",
        login=login,
        rows=rows,
        counties=counties,
        certificates=[str(it) for it in Certificate],
        stakes=stakes,
        texts=subsidy_texts.quoted(),
        today=day(request.app.state.services.clock()),
        yuan=yuan,
        typed=typed or {},
        errors=errors or {},
        status=422 if errors else 200,
    )


@router.post("/console/subsidies", dependencies=[FormOfThisLogin])
def enter(request: Request, login: Keeper, form: FilledIn) -> Response:
    services = request.app.state.services
    try:
        terms = forms.read(StandardTerms, form)
        with services.database.write() as connection:
            subsidy_standards.enter(connection, login.user, terms, services.clock())
    except (ValidationError, BadInput) as error:
        return _page(request, login, form, forms.errors(error))
    return see_other("/console/subsidies#waiting")


@router.post("/console/subsidies/{standard_id}/decide", dependencies=[FormOfThisLogin])
def decide(
    request: Request,
    login: Keeper,
    standard_id: RowId,
    deed: Annotated[str, Form()] = "",
    reason: weighty.Reason = "",
    seen: Annotated[str, Form()] = "",
) -> Response:
    """Agree to what somebody else entered, or to the end that they proposed (the day that was
    `seen`), or refuse it with a reason."""
    services = request.app.state.services
    decided: Callable[..., None] = subsidy_standards.decide
    if deed.endswith("_end"):
        decided = partial(subsidy_standards.decide_end, seen=seen)
    try:
        with services.database.write() as connection:
            decided(
                connection,
                login.user,
                standard_id,
                agreed=deed.removesuffix("_end") == "agree",
                reason=shown_text(reason),
                now_ms=services.clock(),
            )
    except (BadInput, Conflict) as error:
        return _page(request, login, {}, {"decide": labels.PROBLEMS[error.code]})
    return see_other("/console/subsidies")


@router.get("/console/subsidies/{standard_id}/end")
def weigh_end(request: Request, login: Keeper, standard_id: RowId, until_on: str = "") -> Response:
    return _weigh(request, login, standard_id, until_on)


@router.post("/console/subsidies/{standard_id}/end", dependencies=[FormOfThisLogin])
def propose_end(
    request: Request,
    login: Keeper,
    standard_id: RowId,
    until_on: Annotated[str, Form()] = "",
    reason: weighty.Reason = "",
) -> Response:
    services = request.app.state.services
    try:
        why = weighty.words(reason)
    except BadInput as error:
        return _weigh(request, login, standard_id, until_on, reason, error.code)
    with services.database.write() as connection:
        now_ms = services.clock()
        subsidy_standards.propose_end(connection, login.user, standard_id, until_on, now_ms, why)
    return see_other("/console/subsidies#waiting")


def _weigh(
    request: Request,
    login: Login,
    standard_id: int,
    until_on: str,
    reason: str = "",
    problem: str = "",
) -> Response:
    """What ending a standard will do; today where no day is said."""
    services = request.app.state.services
    try:
        until = typed_day(until_on) if until_on else day(services.clock())
    except ValueError as error:
        raise BadInput("bad_date", "until_on: a day like 2026-12-31") from error
    with services.database.read() as connection:
        row = subsidy_standards.kept(connection, login.user, standard_id)
        if until < row.from_on:
            told = N_("停止执行的日期不能早于开始执行的日期。")
            return _page(request, login, {}, {"decide": told})
        deed = consequences.standard(connection, row, until, language_of(request))
    return weighty.page(request, login, deed, reason, problem)


@router.post("/console/classes/{class_id}/recoveries", dependencies=[FormOfThisLogin])
def recover(
    request: Request,
    login: SignedIn,
    class_id: RowId,
    form: FilledIn,
    learners: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Record a demand, which for several is shown before, or money that came back; a refusal is
    told on the steps' page."""
    services = request.app.state.services
    with services.database.read() as connection:
        if class_file.klass(connection, class_id, login.user.scope) is None:
            raise NotFound("unknown_class", "there is no such class")
    if not login.user.decides:
        raise NotAllowed("role", "only auditors and reviewers recover what was paid")
    chosen = [it for it in map(whole, learners or ()) if it is not None]
    again: dict[str, Any] = {"typed": form, "chosen": chosen}
    if not chosen:
        return stages_page.shown(
            request, login, class_id, **again, refused="nobody_to_recover_from", status=422
        )
    try:
        wanted = forms.read(Recovered, form, {"learners": chosen})
        told = (class_id, login.user, wanted, form.get("remark", ""), services.clock())
        if form.get("step") == "look":
            with services.database.read() as connection:
                looked = recoveries.weighed(connection, *told)
            return stages_page.shown(request, login, class_id, **again, looked=looked)
        with services.database.write() as connection:
            recoveries.record(connection, *told, seen_fen=_seen_fen(form))
    except ValidationError:
        return stages_page.shown(request, login, class_id, **again, refused="bad_form", status=422)
    except (BadInput, Conflict, NotAllowed) as error:
        code, status = error.code, error.status
        return stages_page.shown(request, login, class_id, **again, refused=code, status=status)
    return see_other(f"/console/classes/{class_id}/stages#recoveries")


def _seen_fen(form: Mapping[str, str]) -> int | None:
    """What was shown as still to come back, where money did; a demand is always of the whole."""
    return (whole(form.get("seen", "")) or 0) if form.get("deed") == "returned" else None


@router.get("/public/funds")
def public(request: Request) -> Response:
    """What was paid by institution and occupation; for everybody, of nobody in particular."""
    with request.app.state.services.database.read() as connection:
        sums = funds.public(connection)
    return render(request, "funds.html", login=None, sums=sums, yuan=yuan, fewest=FEWEST)


@router.get("/public/funds.csv")
def public_file(request: Request) -> Response:
    with request.app.state.services.database.read() as connection:
        sums = funds.public(connection)
    headers = {"Content-Disposition": 'attachment; filename="funds.csv"'}
    return Response(_csv(sums), media_type=csv.MEDIA_TYPE, headers=headers)


def _csv(sums: Sequence[PublicSum]) -> bytes:
    def told(it: PublicSum) -> tuple[Value, ...]:
        few = it.people < FEWEST
        institution = it.institution or f"合并（每项不足{FEWEST}人）"
        people = f"不足{FEWEST}" if few else it.people
        amounts = (str(yuan(it.paid_fen)), str(yuan(it.returned_fen)))
        return it.year, it.county, institution, it.occupation, it.classes, people, *amounts

    return csv.plain([PUBLIC_COLUMNS, *map(told, sums)])
