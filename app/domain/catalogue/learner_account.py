"""One account of a learner: who stands behind it, and what it would take to change that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.domain.catalogue import person_names
from app.domain.catalogue.roster_rows import LearnerTerms
from app.domain.id_numbers import ID_NUMBER_PURPOSE
from app.store.accounts import audit
from app.store.catalogue import people as store
from app.store.catalogue.catalogue import ClassRow
from app.vault import NumberHash, Vault


def masked(last4: str | None) -> str | None:
    """An ID number as it is shown.

    >>> masked("002X")
    '**************002X'
    """
    return None if last4 is None else "*" * 14 + last4


def number_hash(vault: Vault, klass: ClassRow, number: str) -> NumberHash:
    """What somebody of the class is known by. In a sandbox it is another person's than in real
    classes: nobody is held against what was tried under their number."""
    apart = f"sandbox:{klass.platform_id}:" if klass.sandbox else ""
    return vault.id_number_hash(apart + number)


@dataclass(frozen=True)
class Account:
    """One account as stored, or about to be."""

    connection: Connection
    vault: Vault
    klass: ClassRow
    row: store.LearnerRow | None

    @property
    def known(self) -> store.LearnerRow:
        assert self.row is not None
        return self.row

    def would_change(self, learner: LearnerTerms) -> list[str]:
        """Which of name and number would become another. A number that nobody told before is none
        that changes."""
        if self.row is None:
            return []
        changed = [] if person_names.same(self.row.name, learner.name) else ["name"]
        known, number = self.row.id_hash, learner.id_number
        if known and number and known != number_hash(self.vault, self.klass, number):
            changed.append("id_number")
        return changed

    def store(self, learner: LearnerTerms, *, actor: str, now_ms: int) -> tuple[int, bool]:
        """The account's row, and whether anything was new."""
        values = self._values(learner)
        if self.row is None:
            learner_id = store.insert_learner(
                self.connection,
                platform_id=self.klass.platform_id,
                external_id=learner.learner_id,
                created_ms=now_ms,
                **values,
            )
            return learner_id, True
        row = self.row
        corrected = self.would_change(learner)
        told = row.id_hash is None and learner.id_number is not None
        changes = {name: it for name, it in values.items() if getattr(row, name, None) != it}
        if changes:
            store.update_learner(self.connection, row.id, **changes)
        if "person_id" in changes:
            store.move_person(self.connection, row, values["person_id"])
        if corrected or told:
            audit.append(
                self.connection,
                at_ms=now_ms,
                actor=actor,
                action="learner.corrected",
                subject=f"learner:{row.id}",
                detail={"fields": corrected or ["id_number"]},
            )
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
        id_hash = number_hash(self.vault, self.klass, number)
        if self.row is not None and self.row.id_hash == id_hash:
            return {}
        return {
            "person_id": store.ensure_person(self.connection, id_hash),
            "id_number_encrypted": self.vault.seal(number.encode(), ID_NUMBER_PURPOSE),
            "id_last4": number[-4:],
        }
