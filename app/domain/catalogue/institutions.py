"""Counties and the training institutions on their lists (目录清单), as the authority keeps them.

Plan of 2021 (003): subsidies are open to private schools whose annual review (年检) was passed
(clause 16); bad management takes an institution off the list (退出目录清单, 五（一）).
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.domain import credit_codes, runs
from app.domain.wire import Day, Line, Wire, shown_text
from app.errors import BadInput, Conflict, NotFound
from app.store.accounts import audit
from app.store.catalogue import institutions as store
from app.store.catalogue.institutions import InstitutionRow, ListedInstitution
from app.store.scope import AccessScope

_COUNTY_CODE = re.compile(r"\d{6}")
_ACCOUNT = re.compile(r"[0-9][0-9-]{4,30}[0-9]")

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=4, max_length=2000, pattern=r"^[^\x00]*$"),
]


def _account(said: object) -> object:
    """An account's number without the spaces that people put between its digits."""
    number = "".join(said.split()) if isinstance(said, str) else said
    if isinstance(number, str) and number and not _ACCOUNT.fullmatch(number):
        raise PydanticCustomError(
            "bad_bank_account", "bank_account: 应为6至32位数字 / 6 to 32 digits"
        )
    return number


class CountyTerms(Wire):
    name: Line
    code: Annotated[Line | None, Field(description="GB/T 2260, six digits")] = None


class InstitutionTerms(Wire):
    """`code` is its unified social credit code or school number, unique within the county."""

    code: Annotated[Line, BeforeValidator(credit_codes.tidy)]
    name: Line
    listed_from: Day | None = None
    listed_until: Day | None = None
    document: Annotated[Line | None, Field(description="what put it on the list")] = None
    contact: Annotated[Line | None, Field(description="联系人及电话, as 附件2 asks")] = None
    bank: Annotated[Line | None, Field(description="开户银行名称")] = None
    bank_account: Annotated[Line | None, BeforeValidator(_account)] = None
    vocational_school: Annotated[
        bool | None, Field(description="职业学校: 003, clause 15 gives it people to train a year")
    ] = None

    @model_validator(mode="after")
    def _consistent(self) -> InstitutionTerms:
        first, last = self.listed_from, self.listed_until
        if first and last and last < first:
            raise PydanticCustomError(
                "ends_before_start", "listed_until: 不能早于开始日期 / lies before listed_from"
            )
        return self


class AnnualReview(Wire):
    year: Annotated[int, Field(ge=2000, le=2099)]
    passed: bool
    document: Line | None = None


class FullTimeTeacher(Wire):
    """A full-time teacher (专职师资) whom the institution filed (报备: 003, clause 21(1)), for one
    occupation; both days included, `until_on` null: still there."""

    name: Line
    occupation: Line
    certificate: Annotated[Line | None, Field(description="教师资格证, its number")] = None
    from_on: Day
    until_on: Day | None = None

    @model_validator(mode="after")
    def _consistent(self) -> FullTimeTeacher:
        if self.until_on is not None and self.until_on < self.from_on:
            raise PydanticCustomError(
                "ends_before_start", "until_on: 不能早于开始日期 / lies before from_on"
            )
        return self


class FullTimeTeachers(Wire):
    """All that are and were on file: a list takes the place of the one before."""

    teachers: Annotated[list[FullTimeTeacher], Field(max_length=1000)]
    reason: Reason

    @model_validator(mode="after")
    def _each_once(self) -> FullTimeTeachers:
        seen = Counter((it.name, it.occupation, it.from_on) for it in self.teachers)
        twice = next((it for it, times in seen.items() if times > 1), None)
        if twice is not None:
            raise PydanticCustomError(
                "teacher_twice",
                "teachers: {name}（{occupation}）重复 / stands twice",
                {"name": twice[0], "occupation": twice[1]},
            )
        return self


class Withdrawal(Wire):
    withdrawn_on: Day
    reason: Reason


class Reasoned(Wire):
    reason: Reason


def add_county(connection: Connection, terms: CountyTerms, *, actor: str, now_ms: int) -> None:
    """Raises BadInput `bad_county_code`, Conflict `county_exists` and `county_code_taken`."""
    if store.county(connection, terms.name):
        raise Conflict("county_exists", f"name: there is a county {terms.name}", field="name")
    _check_code(connection, terms)
    store.ensure_county(connection, terms.name, now_ms)
    store.update_county(connection, terms.name, code=terms.code)
    detail = {"code": terms.code}
    _record(connection, "county.added", f"county:{terms.name}", detail, actor, now_ms)


def change_county(connection: Connection, terms: CountyTerms, *, actor: str, now_ms: int) -> None:
    """Give the county of that name another code. Raises as `add_county` does, and NotFound."""
    before = store.county(connection, terms.name)
    if before is None:
        raise NotFound("unknown_county", f"there is no county {terms.name!r}")
    _check_code(connection, terms)
    if before.code != terms.code:
        store.update_county(connection, terms.name, code=terms.code)
        detail = {"before": before.code, "after": terms.code}
        _record(connection, "county.changed", f"county:{terms.name}", detail, actor, now_ms)


def list_institution(
    connection: Connection, county: str, terms: InstitutionTerms, *, actor: str, now_ms: int
) -> int:
    """Put an institution on the county's list; its id. Classes of the county that name it already
    become its own. Raises NotFound `unknown_county`, BadInput `bad_credit_code`, Conflict on a
    taken code or name."""
    if store.county(connection, county) is None:
        raise NotFound("unknown_county", f"there is no county {county!r}")
    credit_codes.require_new(terms.code, None, "code")
    _check_free(connection, county, terms, None)
    values = terms.model_dump(mode="json")
    more = {"county": county, "reviews": [], "created_ms": now_ms}
    institution_id = store.insert_institution(connection, **values, **more)
    adopted = store.adopt_classes(connection, institution_id, county, terms.name)
    detail = {**values, "county": county, "classes": adopted}
    subject = f"institution:{institution_id}"
    _record(connection, "institution.listed", subject, detail, actor, now_ms)
    return institution_id


def change_institution(
    connection: Connection,
    row: ListedInstitution,
    terms: InstitutionTerms,
    reason: str,
    *,
    actor: str,
    now_ms: int,
) -> None:
    """Change what the list says of it. Raises BadInput on a wrong code that is new, Conflict on a
    taken code or name, and
    `institution_has_classes` for another name once there are classes, which bear it."""
    if terms.name != row.name and row.classes:
        raise Conflict("institution_has_classes", "name: its classes bear the name", field="name")
    credit_codes.require_new(terms.code, row.code, "code")
    _check_free(connection, row.county, terms, row.id)
    values = terms.model_dump(mode="json")
    changes = _changes(row, values)
    if changes:
        store.update_institution(connection, row.id, **values)
        store.adopt_classes(connection, row.id, row.county, terms.name)
        detail = {"changes": changes, "reason": reason}
        _record(connection, "institution.changed", _subject(row), detail, actor, now_ms)


def record_review(
    connection: Connection, row: InstitutionRow, terms: AnnualReview, *, actor: str, now_ms: int
) -> None:
    """Record an annual review (年检); a second one of the year replaces the first."""
    others = [it for it in row.reviews if it["year"] != terms.year]
    review = terms.model_dump(mode="json")
    reviews = sorted([*others, review], key=lambda it: -it["year"])
    store.update_institution(connection, row.id, reviews=reviews)
    _record(connection, "institution.reviewed", _subject(row), review, actor, now_ms)


def file_teachers(
    connection: Connection,
    row: InstitutionRow,
    terms: FullTimeTeachers,
    *,
    actor: str,
    now_ms: int,
) -> None:
    """Keep who its full-time teachers are, by occupation and from when to when. Classes of
    apprentices are judged again."""
    said = [it.model_dump(mode="json") for it in terms.teachers]
    before = row.teachers or []
    if said == before:
        return
    store.update_institution(connection, row.id, teachers=said)
    detail = {
        "added": [it for it in said if it not in before],
        "removed": [it for it in before if it not in said],
        "reason": terms.reason,
    }
    _record(connection, "institution.teachers", _subject(row), detail, actor, now_ms)
    runs.again(connection, store.apprenticeships(connection, row.id), actor, now_ms)


def withdraw(
    connection: Connection, row: InstitutionRow, terms: Withdrawal, *, actor: str, now_ms: int
) -> None:
    """Take it off the list from that day on: it opens no class that begins then or later."""
    if row.withdrawn_on:
        raise Conflict("institution_withdrawn", "it is off the list already")
    day = terms.withdrawn_on.isoformat()
    store.update_institution(
        connection, row.id, withdrawn_on=day, withdrawn_reason=shown_text(terms.reason)
    )
    detail = {"withdrawn_on": day, "reason": shown_text(terms.reason)}
    _record(connection, "institution.withdrawn", _subject(row), detail, actor, now_ms)


def relist(
    connection: Connection, row: InstitutionRow, terms: Reasoned, *, actor: str, now_ms: int
) -> None:
    """Put it back on the list."""
    if not row.withdrawn_on:
        raise Conflict("institution_not_withdrawn", "it is on the list")
    store.update_institution(connection, row.id, withdrawn_on=None, withdrawn_reason=None)
    detail = {"reason": shown_text(terms.reason)}
    _record(connection, "institution.relisted", _subject(row), detail, actor, now_ms)


def institution_seen(
    connection: Connection, scope: AccessScope, institution_id: int
) -> ListedInstitution:
    """The institution, if the scope covers it. Raises NotFound."""
    row = store.institution(connection, scope, institution_id)
    if row is None:
        raise NotFound("unknown_institution", "there is no such institution")
    return row


def called(connection: Connection, county: str, said: str) -> InstitutionRow | None:
    """The county's institution of that name or code; None where it lists none."""
    return store.called(connection, county, said)


def require_listed(row: InstitutionRow, starts_on: date) -> None:
    """Raises Conflict for an institution that is off the list on that day."""
    if row.withdrawn_on and row.withdrawn_on <= starts_on.isoformat():
        raise Conflict(
            "institution_withdrawn",
            f"institution: {row.name} is off the list since {row.withdrawn_on}",
            field="institution",
        )


class ListingDoubt(StrEnum):
    """Why a class's institution may not be one that subsidies are open to; people decide."""

    NOT_ON_LIST = "not_on_list"
    NOT_LISTED_THEN = "not_listed_then"
    REVIEW_FAILED = "review_failed"
    WITHDRAWN_SINCE = "withdrawn_since"


def doubts(row: InstitutionRow | None, starts_on: date) -> list[ListingDoubt]:
    """Of a class that opens on that day; `row` None: it names an institution that is on no list.
    The plan of 2021 asks for the review of 2020, so that of the year before counts; where nobody
    entered it, nothing is said."""
    if row is None:
        return [ListingDoubt.NOT_ON_LIST]
    on, found = starts_on.isoformat(), []
    if on < (row.listed_from or on) or on > (row.listed_until or on):
        found.append(ListingDoubt.NOT_LISTED_THEN)
    if any(it["year"] == starts_on.year - 1 and not it["passed"] for it in row.reviews):
        found.append(ListingDoubt.REVIEW_FAILED)
    if row.withdrawn_on:
        found.append(ListingDoubt.WITHDRAWN_SINCE)
    return found


def _check_code(connection: Connection, terms: CountyTerms) -> None:
    if terms.code is None:
        return
    if not _COUNTY_CODE.fullmatch(terms.code):
        raise BadInput("bad_county_code", "code: six digits", field="code")
    holder = store.county_of_code(connection, terms.code)
    if holder and holder.name != terms.name:
        raise Conflict("county_code_taken", f"code: {holder.name} has it", field="code")


def _check_free(
    connection: Connection, county: str, terms: InstitutionTerms, own: int | None
) -> None:
    for field in ("code", "name"):
        holder = store.called(connection, county, getattr(terms, field))
        if holder and holder.id != own:
            raise Conflict(
                f"institution_{field}_taken", f"{field}: {holder.name} has it", field=field
            )


def _changes(row: InstitutionRow, values: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [getattr(row, name), value]
        for name, value in values.items()
        if getattr(row, name) != value
    }


def _subject(row: InstitutionRow) -> str:
    return f"institution:{row.id}"


def _record(
    connection: Connection,
    action: str,
    subject: str,
    detail: dict[str, Any],
    actor: str,
    now_ms: int,
) -> None:
    audit.append(
        connection, at_ms=now_ms, actor=actor, action=action, subject=subject[:128], detail=detail
    )
