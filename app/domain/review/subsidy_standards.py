"""What a county pays for one learner: its own standards, entered from its own documents."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.domain.accounts.users import Role, User
from app.domain.catalogue.classes import pack_of
from app.domain.policy import subsidy_texts
from app.domain.review.stage_bodies import Yuan
from app.domain.wire import Day, Line, Wire
from app.errors import BadInput, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import institutions
from app.store.catalogue.catalogue import ClassRow
from app.store.money import standards as store
from app.store.money.standards import StandardRow
from detectors.qualifications import level_of, without_level


class StandardTerms(Wire):
    """`level` 5 (lowest) to 1. No occupation, level or applicant: any."""

    county: Line
    occupation: Line | None = None
    level: Annotated[int | None, Field(ge=1, le=5)] = None
    applicant: Literal["enterprise", "institution", "individual"] | None = None
    amount_yuan: Yuan
    advance_percent: Annotated[int, Field(ge=0, le=100)] = 0
    document: Line
    dated: Day
    from_on: Day
    until_on: Day | None = None

    @model_validator(mode="after")
    def _consistent(self) -> StandardTerms:
        if self.until_on and self.until_on < self.from_on:
            raise PydanticCustomError(
                "ends_before_start", "until_on: 不能早于开始日期 / lies before from_on"
            )
        most = subsidy_texts.quoted().most_in_advance
        if self.advance_percent > most:
            raise PydanticCustomError(
                "too_much_in_advance",
                f"advance_percent: 文件规定先行拨付最多{most}% / texts allow {most} at most",
            )
        return self


def enter(connection: Connection, user: User, said: StandardTerms, now_ms: int) -> int:
    """Enter a standard; its id. Raises NotAllowed for all but administrators, NotFound for an
    unknown county."""
    _require_admin(user)
    if institutions.county(connection, said.county) is None:
        raise NotFound("unknown_county", f"there is no county {said.county}")
    values = {
        "county": said.county,
        "occupation": said.occupation or "",
        "level": said.level,
        "applicant": said.applicant or "",
        "amount_fen": fen(said.amount_yuan),
        "advance_percent": said.advance_percent,
        "document": said.document,
        "dated": said.dated.isoformat(),
        "from_on": said.from_on.isoformat(),
        "until_on": said.until_on.isoformat() if said.until_on else None,
    }
    standard_id = store.add(connection, **values, entered_by=user.actor, entered_ms=now_ms)
    _record(connection, user, "standard.entered", standard_id, values, now_ms)
    return standard_id


def end(
    connection: Connection,
    user: User,
    standard_id: int,
    until_on: str,
    now_ms: int,
    reason: str = "",
) -> None:
    """Let a standard hold until that day (ISO). Raises NotAllowed, NotFound, BadInput."""
    _require_admin(user)
    row = next((it for it in store.of_counties(connection, None) if it.id == standard_id), None)
    if row is None:
        raise NotFound("unknown_standard", "there is no such standard")
    try:
        last = date.fromisoformat(until_on.strip())
    except ValueError:
        raise BadInput("bad_date", "until_on: a day like 2026-12-31", field="until_on") from None
    store.end(connection, standard_id, last)
    detail = {"county": row.county, "until_on": last.isoformat(), "reason": reason}
    _record(connection, user, "standard.ended", standard_id, detail, now_ms)


def applying(connection: Connection, klass: ClassRow) -> StandardRow | None:
    """The standard of the class's county that holds on its first day: the closest by occupation,
    then level, then applicant; of two that are as close, the later."""
    rows = store.of_counties(connection, [klass.county])
    return chosen(rows, klass) if rows else None


def chosen(rows: Iterable[StandardRow], klass: ClassRow) -> StandardRow | None:
    occupation, level = subject_of(klass)
    opened = date.fromisoformat(klass.terms["starts_on"])
    applicant = (klass.terms.get("applicant") or {}).get("type")
    canonical = pack_of(klass).occupations.canonical
    fits = [
        it
        for it in rows
        if it.from_on <= opened <= (it.until_on or opened)
        and (not it.occupation or canonical(it.occupation) == occupation)
        and it.level in (None, level)
        and it.applicant in ("", applicant)
    ]
    return max(fits, key=_closeness, default=None)


def subject_of(klass: ClassRow) -> tuple[str, int | None]:
    """The class's occupation as the catalogue calls it, and its level, 5 to 1."""
    said = str(klass.terms.get("occupation") or "")
    name = pack_of(klass).occupations.canonical(said)
    return name, level_of(str(klass.terms.get("level") or "")) or without_level(said)[1]


def fen(yuan: Decimal) -> int:
    return int(yuan * 100)


def yuan(amount_fen: int) -> Decimal:
    """
    >>> str(yuan(123450))
    '1234.50'
    """
    return Decimal(amount_fen).scaleb(-2)


def _closeness(it: StandardRow) -> tuple[bool, bool, bool, date, int]:
    return bool(it.occupation), it.level is not None, bool(it.applicant), it.from_on, it.id


def _require_admin(user: User) -> None:
    if user.role is not Role.ADMIN:
        raise NotAllowed("role", "only administrators keep the standards")


def _record(
    connection: Connection, user: User, action: str, number: int, detail: Any, now_ms: int
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=action,
        subject=f"standard:{number}",
        detail=detail,
    )
