"""Looking at a photo: only with a purpose, and never without a trace of who, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.domain.users import User
from app.errors import BadInput, NotAllowed, NotFound
from app.store import audit, case_file, photo_access

MIN_PURPOSE, MAX_PURPOSE = 4, 200
GRANT_MS = 10 * 60_000  # so long may a granted photo be loaded again, e.g. by a zoom


@dataclass(frozen=True, slots=True)
class Granted:
    """Accesses that were entered: to the photo, and to the enrolled one if there is one."""

    photo: int
    reference: int | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where a granted photo's bytes lie, and whose key opens them."""

    learner_id: int
    blob_key: str


def photo(connection: Connection, user: User, snapshot_id: int) -> Any:
    """The snapshot, if this person may see photos of it. Raises NotAllowed, NotFound."""
    if not user.sees_photos:
        raise NotAllowed("role", "only auditors and reviewers look at photos")
    found = case_file.photo(connection, snapshot_id, user.scope)
    if found is None:
        raise NotFound("unknown_photo", "there is no such photo")
    return found


def look(
    connection: Connection, user: User, snapshot_id: int, purpose: str, now_ms: int
) -> Granted:
    """Enter who looks at a photo and at the enrolled one, and why. Raises BadInput."""
    found, why = photo(connection, user, snapshot_id), purpose.strip()
    if not MIN_PURPOSE <= len(why) <= MAX_PURPOSE:
        limits = f"{MIN_PURPOSE} to {MAX_PURPOSE} characters"
        raise BadInput("purpose_missing", f"a look at a photo needs a purpose of {limits}")
    beside = photo_access.reference(connection, found.learner_id)
    entry: dict[str, Any] = {"at_ms": now_ms, "user_id": user.id, "purpose": why}
    granted = Granted(
        photo=photo_access.add(connection, snapshot_id=snapshot_id, **entry),
        reference=beside and photo_access.add(connection, reference_photo_id=beside.id, **entry),
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="photo.viewed",
        subject=f"snapshot:{snapshot_id}",
        detail={"purpose": why, "with_reference": beside is not None},
    )
    return granted


def sealed(connection: Connection, user: User, access_id: int, now_ms: int) -> Sealed:
    """What an access leads to, for a short while after it was granted. Raises NotFound."""
    access = photo_access.granted(connection, access_id, user.id, now_ms - GRANT_MS)
    if access is None:
        raise NotFound("unknown_access", "there is no such access, or it is over")
    if access.snapshot_id is not None:
        found = case_file.photo(connection, access.snapshot_id, user.scope)
    else:
        found = photo_access.reference_by_id(connection, access.reference_photo_id)
    if found is None or found.blob_key is None:
        raise NotFound("photo_gone", "the photo was destroyed")
    return Sealed(found.learner_id, found.blob_key)
