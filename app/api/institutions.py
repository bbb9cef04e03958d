"""Counties, and the training institutions on their lists: kept by the authority's people, read by
whoever has classes of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import Field
from sqlalchemy import Connection

from app.api.answers import AnswerRoute
from app.api.auth import person, require, services_of
from app.domain.accounts.platforms import KeyScope
from app.domain.accounts.users import User
from app.domain.answer import Answer, Date
from app.domain.catalogue import institutions
from app.domain.catalogue.institutions import (
    AnnualReview,
    CountyTerms,
    FullTimeTeachers,
    InstitutionTerms,
    Reason,
    Reasoned,
    Withdrawal,
)
from app.domain.wire import Line, Wire
from app.errors import NotAllowed, NotFound
from app.http.keyring import Caller
from app.store.catalogue import institutions as store
from app.store.catalogue.institutions import ListedInstitution

router = APIRouter(prefix="/v1", tags=["institutions"], route_class=AnswerRoute)

Reader = Annotated[Caller, require(KeyScope.READ)]
Person = Annotated[User, person()]
InstitutionId = Annotated[int, Path(ge=1, lt=2**31)]
CountyName = Annotated[Line, Path()]
Year = Annotated[int, Path(ge=2000, le=2099)]


class CountyCode(Wire):
    code: Annotated[Line | None, Field(description="GB/T 2260, six digits")] = None


class InstitutionToList(InstitutionTerms):
    county: Line


class ChangedInstitution(InstitutionTerms):
    """The whole of what the list says, and why it changes."""

    reason: Reason


class ReviewOutcome(Wire):
    """An annual review (年检): whether it was passed, and the document that says so."""

    passed: bool
    document: Line | None = None


class CountyView(Answer, frozen=True, kw_only=True):
    """A county; `code` of GB/T 2260."""

    name: str
    code: str | None


class CountyList(Answer, frozen=True, kw_only=True):
    counties: list[CountyView]


class AnnualReviewView(Answer, frozen=True, kw_only=True):
    year: int
    passed: bool
    document: str | None


class TeacherOnFileView(Answer, frozen=True, kw_only=True):
    """A full-time teacher on file, for one occupation; `until_on` null: still there."""

    name: str
    occupation: str
    certificate: str | None
    from_on: Date
    until_on: Date | None


class InstitutionView(Answer, frozen=True, kw_only=True):
    """An institution on a county's list (目录清单): from when to when, its annual reviews (年检),
    the latest first, and since when it is off the list; why, is told to the authority alone, and
    whom to ask, the account for subsidies and the full-time teachers (专职师资) on file to no
    platform."""

    institution_id: int
    county: str
    code: str
    name: str
    listed_from: Date | None
    listed_until: Date | None
    document: str | None
    contact: str | None
    bank: str | None
    bank_account: str | None
    vocational_school: bool | None
    teachers: list[TeacherOnFileView]
    reviews: list[AnnualReviewView]
    withdrawn_on: Date | None
    withdrawn_reason: str | None


class InstitutionList(Answer, frozen=True, kw_only=True):
    institutions: list[InstitutionView]


@router.get("/counties")
def list_counties(request: Request, caller: Reader) -> CountyList:
    """The counties of what the caller sees: a platform and a school those of their institutions,
    people of the authority their own."""
    with services_of(request).database.read() as connection:
        rows = store.counties(connection)
        if caller.scope.of_authority:
            seen = caller.scope.counties
        else:
            seen = tuple({it.county for it in store.listed(connection, caller.scope)})
    return CountyList(
        counties=[CountyView(name=it.name, code=it.code) for it in rows if _covered(it.name, seen)]
    )


@router.put("/counties/{county}")
def put_county(request: Request, user: Person, county: CountyName, said: CountyCode) -> CountyView:
    """Add a county, or give it another code. Administrators do."""
    if not user.keeps_counties:
        raise NotAllowed("role", "administrators keep the counties")
    services = services_of(request)
    terms, by = CountyTerms(name=county, code=said.code), _by(services, user)
    with services.database.write() as connection:
        if store.county(connection, county) is None:
            institutions.add_county(connection, terms, **by)
        else:
            institutions.change_county(connection, terms, **by)
    return CountyView(name=county, code=said.code)


@router.get("/institutions")
def list_institutions(request: Request, caller: Reader) -> InstitutionList:
    """The institutions of what the caller sees: a platform those whose classes it has, and the one
    that it belongs to; a school itself; people of the authority those of their counties."""
    with services_of(request).database.read() as connection:
        rows = store.listed(connection, caller.scope)
    return InstitutionList(institutions=[_shown(it, caller) for it in rows])


@router.get("/institutions/{institution_id}")
def get_institution(
    request: Request, caller: Reader, institution_id: InstitutionId
) -> InstitutionView:
    """One institution of those."""
    with services_of(request).database.read() as connection:
        row = institutions.institution_seen(connection, caller.scope, institution_id)
    return _shown(row, caller)


@router.post("/institutions", status_code=201)
def list_institution(request: Request, user: Person, said: InstitutionToList) -> InstitutionView:
    """Put an institution on a county's list. Auditors of the county and administrators do, here and
    in what follows."""
    services = services_of(request)
    terms = InstitutionTerms(**said.model_dump(mode="json", exclude={"county"}))
    with services.database.write() as connection:
        _require_keeper(user)
        if not _covered(said.county, user.scope.counties):
            raise NotFound("unknown_county", f"there is no county {said.county!r}")
        by = _by(services, user)
        made = institutions.list_institution(connection, said.county, terms, **by)
        return _shown(institutions.institution_seen(connection, user.scope, made))


@router.put("/institutions/{institution_id}")
def change_institution(
    request: Request, user: Person, institution_id: InstitutionId, said: ChangedInstitution
) -> InstitutionView:
    """Change what the list says of it; what is left out is emptied. Its name stays once it has
    classes."""
    services = services_of(request)
    terms = InstitutionTerms(**said.model_dump(mode="json", exclude={"reason"}))
    with services.database.write() as connection:
        row = _kept(connection, user, institution_id)
        institutions.change_institution(connection, row, terms, said.reason, **_by(services, user))
        return _shown(institutions.institution_seen(connection, user.scope, institution_id))


@router.put("/institutions/{institution_id}/reviews/{year}")
def put_annual_review(
    request: Request, user: Person, institution_id: InstitutionId, year: Year, said: ReviewOutcome
) -> InstitutionView:
    """Record the annual review (年检) of a year; again, it takes the place of what was there."""
    services = services_of(request)
    review = AnnualReview(year=year, passed=said.passed, document=said.document)
    with services.database.write() as connection:
        row = _kept(connection, user, institution_id)
        institutions.record_review(connection, row, review, **_by(services, user))
        return _shown(institutions.institution_seen(connection, user.scope, institution_id))


@router.put("/institutions/{institution_id}/teachers")
def put_teachers(
    request: Request, user: Person, institution_id: InstitutionId, said: FullTimeTeachers
) -> InstitutionView:
    """Record its full-time teachers (专职师资), by occupation, as it filed them: the whole list,
    also of who has left. They bound how many apprentices it may train in an occupation."""
    services = services_of(request)
    with services.database.write() as connection:
        row = _kept(connection, user, institution_id)
        institutions.file_teachers(connection, row, said, **_by(services, user))
        return _shown(institutions.institution_seen(connection, user.scope, institution_id))


@router.post("/institutions/{institution_id}/withdrawal", status_code=201)
def withdraw_institution(
    request: Request, user: Person, institution_id: InstitutionId, said: Withdrawal
) -> InstitutionView:
    """Take it off the list (退出目录) from a day on: no class of its begins then or later."""
    services = services_of(request)
    with services.database.write() as connection:
        row = _kept(connection, user, institution_id)
        institutions.withdraw(connection, row, said, **_by(services, user))
        return _shown(institutions.institution_seen(connection, user.scope, institution_id))


@router.post("/institutions/{institution_id}/relisting", status_code=201)
def relist_institution(
    request: Request, user: Person, institution_id: InstitutionId, said: Reasoned
) -> InstitutionView:
    """Put it back on the list."""
    services = services_of(request)
    with services.database.write() as connection:
        row = _kept(connection, user, institution_id)
        institutions.relist(connection, row, said, **_by(services, user))
        return _shown(institutions.institution_seen(connection, user.scope, institution_id))


def _kept(connection: Connection, user: User, institution_id: int) -> ListedInstitution:
    """The institution, if this person keeps it. Raises NotAllowed, NotFound."""
    _require_keeper(user)
    return institutions.institution_seen(connection, user.scope, institution_id)


def _require_keeper(user: User) -> None:
    if not user.keeps_institutions:
        raise NotAllowed("role", "auditors and administrators keep the list")


def _covered(county: str, counties: tuple[str, ...] | None) -> bool:
    return counties is None or county in counties


def _by(services: Any, user: User) -> dict[str, Any]:
    return {"actor": user.actor, "now_ms": services.clock()}


def _shown(row: ListedInstitution, caller: Caller | None = None) -> InstitutionView:
    told = caller is None or caller.scope.platform_id is None
    why = caller is None or caller.told_reviewers
    return InstitutionView(
        institution_id=row.id,
        county=row.county,
        code=row.code,
        name=row.name,
        listed_from=row.listed_from,
        listed_until=row.listed_until,
        document=row.document,
        contact=row.contact if told else None,
        bank=row.bank if told else None,
        bank_account=row.bank_account if told else None,
        vocational_school=row.vocational_school,
        teachers=[TeacherOnFileView(**it) for it in (row.teachers or ()) if told],
        reviews=[
            AnnualReviewView(year=it["year"], passed=it["passed"], document=it.get("document"))
            for it in row.reviews
        ],
        withdrawn_on=row.withdrawn_on,
        withdrawn_reason=row.withdrawn_reason if why else None,
    )
