"""What a county pays for one learner: its own standards, entered from its own documents.

One person enters a standard, its correction or its end, another agrees; only then it counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.domain.accounts.users import Role, User
from app.domain.catalogue.classes import pack_of
from app.domain.policy import subsidy_texts
from app.domain.policy.procedure import Office
from app.domain.review.stage_bodies import Yuan
from app.domain.wire import Day, Line, Wire, typed_day
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import institutions
from app.store.catalogue.catalogue import ClassRow
from app.store.money import standards as store
from app.store.money.standards import StandardRow
from detectors.qualifications import certificate_of, level_of, without_level

MIN_REASON, MAX_REASON = 4, 2000  # characters
KEEPING = frozenset({Office.LABOUR, Office.FINANCE})  # offices that keep a county's standards


class StandardState(StrEnum):
    WAITING = "waiting"
    IN_FORCE = "in_force"
    REFUSED = "refused"


class StandardTerms(Wire):
    """`level` 5 (lowest) to 1. No occupation, level, applicant or certificate: any. `replaces`: the
    standard that this one corrects, by its number."""

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
    certificate_type: Line | None = None
    replaces: Annotated[int | None, Field(ge=1)] = None

    @field_validator("certificate_type")
    @classmethod
    def _known(cls, said: str | None) -> str | None:
        kind = certificate_of(said) if said else None
        if said and kind is None:
            raise PydanticCustomError(
                "literal_error", "certificate_type: 不认识 / not a kind of certificate"
            )
        return str(kind) if kind else None

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
    """Enter a standard, for another person to agree to; its id. Raises NotAllowed for who does not
    keep them, NotFound for an unknown county, BadInput for a correction of what is not in force."""
    _require_keeper(user, said.county)
    if said.replaces:
        old = _row(connection, said.replaces)
        if old is None or (old.county, old.state) != (said.county, StandardState.IN_FORCE):
            detail = "replaces: no standard of that county in force"
            raise BadInput("unknown_standard", detail, field="replaces")
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
    values |= {"certificate_type": said.certificate_type or "", "replaces": said.replaces}
    waiting: dict[str, Any] = {"state": StandardState.WAITING, "decided_by": "", "decided_ms": None}
    entered = {"entered_by": user.actor, "entered_ms": now_ms}
    standard_id = store.add(connection, **values, **waiting, **entered)
    _record(connection, user, "standard.entered", standard_id, values, now_ms)
    return standard_id


def decide(
    connection: Connection, user: User, standard_id: int, *, agreed: bool, reason: str, now_ms: int
) -> None:
    """Agree to a standard that somebody else entered, or refuse it; who entered it may only take it
    back. What it corrects ends the day before it, and where both begin the same day never held.

    Raises NotFound, NotAllowed (`second_person_needed`), BadInput for want of a reason, and
    Conflict where it was decided."""
    row = kept(connection, user, standard_id)
    if agreed and row.entered_by == user.actor:
        raise NotAllowed("second_person_needed", "somebody else agrees to what you entered")
    _require_reason(reason, agreed=agreed)
    state = StandardState.IN_FORCE if agreed else StandardState.REFUSED
    if not store.decide(connection, standard_id, state, user.actor, now_ms):
        raise Conflict("standard_decided", "this standard was decided on already")
    old = _row(connection, row.replaces) if agreed and row.replaces else None
    if old is not None:
        last = row.from_on - timedelta(days=1)
        store.end(connection, old.id, min(last, old.until_on or last))
    action = "standard.agreed" if agreed else "standard.refused"
    detail = {"county": row.county, "replaces": row.replaces, "reason": reason}
    _record(connection, user, action, standard_id, detail, now_ms)


def keeps(user: User, county: str) -> bool:
    """Whether this person enters, corrects and agrees to the county's standards."""
    if user.role is Role.ADMIN:
        return True
    mine = user.scope.counties is None or county in user.scope.counties
    return user.decides and user.office in KEEPING and mine


def propose_end(
    connection: Connection,
    user: User,
    standard_id: int,
    until_on: str,
    now_ms: int,
    reason: str = "",
) -> None:
    """Propose that a standard holds until that day (ISO); another person agrees. Raises NotAllowed,
    NotFound, BadInput, and Conflict for what is not in force."""
    row = kept(connection, user, standard_id)
    if row.state != StandardState.IN_FORCE:
        raise Conflict("standard_decided", "this standard is not in force")
    try:
        last = typed_day(until_on)
    except ValueError:
        raise BadInput("bad_date", "until_on: a day like 2026-12-31", field="until_on") from None
    if last < row.from_on:
        wrong = f"until_on: it holds from {row.from_on}"
        raise BadInput("ends_before_start", wrong, field="until_on")
    store.propose_end(connection, standard_id, last, user.actor)
    detail = {"county": row.county, "until_on": last.isoformat(), "reason": reason}
    _record(connection, user, "standard.end_proposed", standard_id, detail, now_ms)


def decide_end(
    connection: Connection,
    user: User,
    standard_id: int,
    *,
    agreed: bool,
    reason: str,
    now_ms: int,
    seen: str | None = None,
) -> None:
    """Agree to an end that somebody else proposed, or refuse it; who proposed it may only take it
    back. `seen`: the day (ISO) that was shown. Raises as `decide` does."""
    row = kept(connection, user, standard_id)
    if agreed and row.end_by == user.actor:
        raise NotAllowed("second_person_needed", "somebody else agrees to what you proposed")
    _require_reason(reason, agreed=agreed)
    proposed = row.end_on if seen in (None, str(row.end_on)) else None
    if proposed is None or not store.take_proposed_end(connection, standard_id, proposed):
        raise Conflict("standard_decided", "nobody proposes an end of this standard")
    if agreed:
        store.end(connection, standard_id, proposed)
    action = "standard.ended" if agreed else "standard.end_refused"
    detail = {"county": row.county, "until_on": proposed.isoformat(), "reason": reason}
    _record(connection, user, action, standard_id, detail, now_ms)


def waiting_for(connection: Connection, user: User) -> list[StandardRow]:
    """Standards, and ends of standards, that somebody else entered and this person may agree to."""
    if user.role is not Role.ADMIN and user.office not in KEEPING:
        return []
    rows = store.of_counties(connection, user.scope.counties)
    return [it for it in rows if keeps(user, it.county) and _asked(it) not in (None, user.actor)]


def _asked(row: StandardRow) -> str | None:
    """Who asks for another's agreement; None where nobody does."""
    return row.entered_by if row.state == StandardState.WAITING else row.end_by


def kept(connection: Connection, user: User, standard_id: int) -> StandardRow:
    """A standard that this person keeps. Raises NotFound, NotAllowed."""
    row = _row(connection, standard_id)
    counties = user.scope.counties
    if row is None or (counties is not None and row.county not in counties):
        raise NotFound("unknown_standard", "there is no such standard")
    _require_keeper(user, row.county)
    return row


def applying(connection: Connection, klass: ClassRow) -> StandardRow | None:
    """The standard of the class's county that holds on its first day: the closest by occupation,
    then level, applicant and certificate; of two that are as close, the later."""
    rows = store.of_counties(connection, [klass.county])
    return chosen(rows, klass) if rows else None


def chosen(rows: Iterable[StandardRow], klass: ClassRow) -> StandardRow | None:
    occupation, level = subject_of(klass)
    opened = date.fromisoformat(klass.terms["starts_on"])
    applicant = (klass.terms.get("applicant") or {}).get("type")
    canonical = pack_of(klass).occupations.canonical
    certificate = certificate_of(str(klass.terms.get("certificate_type") or ""))
    fits = [
        it
        for it in rows
        if it.state == StandardState.IN_FORCE
        and it.from_on <= opened <= (it.until_on or opened)
        and (not it.occupation or canonical(it.occupation) == occupation)
        and it.level in (None, level)
        and it.applicant in ("", applicant)
        and it.certificate_type in ("", certificate)
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


def _closeness(it: StandardRow) -> tuple[bool, bool, bool, bool, date, int]:
    kinds = bool(it.applicant), bool(it.certificate_type)
    return bool(it.occupation), it.level is not None, *kinds, it.from_on, it.id


def _row(connection: Connection, standard_id: int) -> StandardRow | None:
    rows = store.of_counties(connection, None)
    return next((it for it in rows if it.id == standard_id), None)


def _require_keeper(user: User, county: str) -> None:
    if not keeps(user, county):
        raise NotAllowed("keeps_no_standards", f"your account keeps no standards of {county}")


def _require_reason(reason: str, *, agreed: bool) -> None:
    if not (0 if agreed else MIN_REASON) <= len(reason) <= MAX_REASON:
        raise BadInput("reason_missing", f"reason: {MIN_REASON} characters or more", field="reason")


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
