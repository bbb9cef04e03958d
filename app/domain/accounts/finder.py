"""Who has this ID number: found by its keyed hash, on record, and the number is kept nowhere."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.store.accounts import audit
from app.store.catalogue import finder as store
from app.store.catalogue.finder import LearnerHit
from app.vault import Vault

MOST = 20
_ID_NUMBER = re.compile(r"\d{17}[\dX]|\d{15}")


def id_number(text: str) -> str | None:
    """The resident's ID number that somebody typed, with spaces or not; None for anything else.

    >>> id_number("000000 19810318 003x")
    '00000019810318003X'
    """
    plain = "".join(text.split()).upper()
    return plain if _ID_NUMBER.fullmatch(plain) else None


def by_id_number(
    connection: Connection, vault: Vault, user: User, number: str, now_ms: int
) -> list[LearnerHit]:
    """The classes of the person with this ID number that the user may see. Enters the look-up into
    the audit log, without the number."""
    person_id = store.person_by_hash(connection, vault.id_number_hash(number))
    found = [] if person_id is None else store.of_person(connection, user.scope, person_id, MOST)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="person.looked_up",
        subject=f"person:{found[0].person_id}" if found else "person:none",
        detail={"classes": len(found)},
    )
    return found
