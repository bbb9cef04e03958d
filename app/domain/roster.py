"""Who is in a class: accounts, the natural persons behind them, and their consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.domain import classes
from app.domain.wire import Id, IdNumber, Instant, ItemError, Line, Wire
from app.errors import BadInput
from app.security import Vault
from app.store import audit, catalogue
from app.store import people as store

ID_NUMBER_PURPOSE = "id-number"


class Consent(Wire):
    """What the learner agreed to, and when. Withdrawn by sending `face: false`."""

    face: bool
    at: Instant | None = None
    document: Line | None = None

    @model_validator(mode="after")
    def _dated(self) -> Consent:
        if self.face and self.at is None:
            raise PydanticCustomError("consent_undated", "at: consent needs the time it was given")
        return self


class LearnerTerms(Wire):
    learner_id: Id
    name: Line
    id_number: Annotated[
        IdNumber | None, Field(description="stored encrypted, shown masked, matched by keyed hash")
    ] = None
    employer: Line | None = None
    category: Line | None = None
    real_name_verified: bool | None = None
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How many learners were new or changed, and who was not taken."""

    changed: int
    refused: list[ItemError]


def enrol(
    connection: Connection,
    vault: Vault,
    row: catalogue.ClassRow,
    learners: Sequence[tuple[int, LearnerTerms]],
    *,
    actor: str,
    now_ms: int,
) -> Enrolled:
    """Add learners, given with their index, to the class; who is in it already is updated.

    Nobody is taken out. Raises BadInput `roster_too_large` when the class would have more learners
    than its pack allows, counting those who are in it; then nobody is added.
    """
    catalogue.lock_platform(connection, row.platform_id)
    members = {member.external_id: member for member in store.enrolled(connection, row.id)}
    _check_size(row, members.keys() | {learner.learner_id for _, learner in learners}, len(members))
    known = store.learners(connection, row.platform_id, [it.learner_id for _, it in learners])
    seen: set[str] = set()
    refused: list[ItemError] = []
    changed = 0
    for index, learner in learners:
        if learner.learner_id in seen:
            detail = f"learner_id: {learner.learner_id!r} stands twice"
            refused.append(ItemError(index, "duplicate_learner", detail))
            continue
        seen.add(learner.learner_id)
        account = _Account(connection, vault, row.platform_id, known.get(learner.learner_id))
        if account.would_become_somebody_else(learner):
            detail = f"id_number: {learner.learner_id!r} has studied under another ID number"
            refused.append(ItemError(index, "identity_frozen", detail))
            continue
        learner_id, touched = account.store(learner, actor=actor, now_ms=now_ms)
        member = members.get(learner.learner_id)
        place = {"employer": learner.employer, "category": learner.category}
        if member is None:
            ids = {"class_id": row.id, "learner_id": learner_id}
            store.enrol(connection, [ids | place | {"enrolled_ms": now_ms}])
            touched = True
        elif place != {"employer": member.employer, "category": member.category}:
            store.update_enrolment(connection, row.id, learner_id, **place)
            touched = True
        changed += touched
    return Enrolled(changed, refused)


def view(connection: Connection, row: catalogue.ClassRow) -> dict[str, Any]:
    """The roster; ID numbers are masked but for the last four characters."""
    members = store.enrolled(connection, row.id)
    return {
        "class_id": row.external_id,
        "enrolled": len(members),
        "learners": [
            {
                "learner_id": member.external_id,
                "name": member.name,
                "id_number": masked(member.id_last4),
                "employer": member.employer,
                "category": member.category,
                "real_name_verified": member.real_name_verified,
                "consent": {
                    "face": member.face_consent,
                    "at_ms": member.consent_ms,
                    "document": member.consent_document,
                },
            }
            for member in members
        ],
    }


def masked(last4: str | None) -> str | None:
    """An ID number as it is shown.

    >>> masked("002X")
    '**************002X'
    """
    return None if last4 is None else "*" * 14 + last4


@dataclass(frozen=True)
class _Account:
    """One account as stored, or about to be."""

    connection: Connection
    vault: Vault
    platform_id: int
    row: store.LearnerRow | None

    def would_become_somebody_else(self, learner: LearnerTerms) -> bool:
        """Evidence belongs to a person: once there is some, the ID number stays."""
        if self.row is None or self.row.id_hash is None or learner.id_number is None:
            return False
        same = self.row.id_hash == self.vault.id_number_hash(learner.id_number)
        return not same and store.has_sessions(self.connection, self.row.id)

    def store(self, learner: LearnerTerms, *, actor: str, now_ms: int) -> tuple[int, bool]:
        """The account's row, and whether anything was new."""
        values = self._values(learner)
        if self.row is None:
            learner_id = store.insert_learner(
                self.connection,
                platform_id=self.platform_id,
                external_id=learner.learner_id,
                created_ms=now_ms,
                **values,
            )
            return learner_id, True
        row = self.row
        changes = {name: it for name, it in values.items() if getattr(row, name, None) != it}
        if changes:
            store.update_learner(self.connection, row.id, **changes)
        if "person_id" in changes:
            store.move_sessions(self.connection, row.id, values["person_id"])
        if "face_consent" in changes:
            audit.append(
                self.connection,
                at_ms=now_ms,
                actor=actor,
                action="consent.given" if values["face_consent"] else "consent.withdrawn",
                subject=f"learner:{row.id}",
                detail={"document": values.get("consent_document")},
            )
        return row.id, bool(changes)

    def _values(self, learner: LearnerTerms) -> dict[str, Any]:
        """Columns to hold; what was not told this time is left as it is."""
        values: dict[str, Any] = {"name": learner.name}
        if learner.real_name_verified is not None or self.row is None:
            values["real_name_verified"] = learner.real_name_verified
        if learner.consent is not None:
            values |= {
                "face_consent": learner.consent.face,
                "consent_ms": learner.consent.at,
                "consent_document": learner.consent.document,
            }
        elif self.row is None:
            values |= {"face_consent": False, "consent_ms": None, "consent_document": None}
        return values | self._identity(learner)

    def _identity(self, learner: LearnerTerms) -> dict[str, Any]:
        number = learner.id_number
        if number is None:
            if self.row is not None:
                return {}
            person_id = store.new_person(self.connection)
            return {"person_id": person_id, "id_number_encrypted": None, "id_last4": None}
        id_hash = self.vault.id_number_hash(number)
        if self.row is not None and self.row.id_hash == id_hash:
            return {}
        return {
            "person_id": store.ensure_person(self.connection, id_hash),
            "id_number_encrypted": self.vault.seal(number.encode(), ID_NUMBER_PURPOSE),
            "id_last4": number[-4:],
        }


def _check_size(row: catalogue.ClassRow, members: set[str], before: int) -> None:
    check = classes.pack_of(row).checks.get("B11")
    if check is None or len(members) <= check["max_learners"]:
        return
    limit = int(check["max_learners"])
    raise BadInput(
        "roster_too_large",
        f"learners: the class would have {len(members)} learners ({before} are in it already), "
        f"at most {limit} are allowed",
        learners=len(members),
        enrolled=before,
        limit=limit,
    )
