"""Looking at a photo: only with a purpose, and never without a trace of who, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.wire import shown_text
from app.errors import BadInput, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.faces import photo_access
from app.store.faces.photo_access import ReferenceObject
from app.store.sittings import case_file
from app.store.sittings.case_file import PhotoCase

MIN_PURPOSE, MAX_PURPOSE = 4, 200
GRANT_MS = 10 * 60_000  # so long may a granted photo be loaded again, e.g. by a zoom


@dataclass(frozen=True, slots=True)
class Granted:
    """Accesses that were entered for one purpose: to the photo, to the one that it is held
    against, and to the enrolled ones if there are."""

    purpose: str
    photo: int
    reference: int | None
    beside: int | None = None
    beside_reference: int | None = None


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


@dataclass(frozen=True, slots=True)
class PhotoComparison:
    """The photo that another is held against. `photo` None: there is one, out of this person's
    reach, or `enrolled` for another learner, which is shown to nobody here. `residual` (0-1) and
    `mirrored` as measured when it proved to be the same photograph."""

    photo: Any
    identical: bool = False
    residual: float | None = None
    mirrored: bool = False
    enrolled: bool = False


def comparison(
    connection: Connection, user: User, found: Any, beside: int | None = None
) -> PhotoComparison | None:
    """What to show beside a photo: the one asked for, else the earlier one that it repeats.

    Raises NotFound when the one asked for is out of reach.
    """
    if beside is not None:
        return PhotoComparison(photo(connection, user, beside))
    earlier = case_file.repeated(connection, found)
    copy = (found.reading or {}).get("near_duplicate", {})
    if earlier is None and "enrolled" in copy:
        return PhotoComparison(
            None, residual=copy["residual"], mirrored=copy["mirrored"], enrolled=True
        )
    if earlier is None:
        return None
    return PhotoComparison(
        case_file.photo(connection, earlier, user.scope),
        identical=not copy,
        residual=copy.get("residual"),
        mirrored=copy.get("mirrored", False),
    )


def look(
    connection: Connection,
    user: User,
    snapshot_id: int,
    purpose: str,
    now_ms: int,
    beside: int | None = None,
) -> int:
    """Enter who looks at a photo, at what it is held against and at the enrolled ones, and why;
    the access to the photo. Raises BadInput, NotAllowed, NotFound."""
    found, why = photo(connection, user, snapshot_id), reason_to_look(purpose)
    against = comparison(connection, user, found, beside)
    access_id = _entered(connection, user, found, why, now_ms)
    if against is not None and against.photo is not None:
        _entered(connection, user, against.photo, why, now_ms)
    return access_id


def granted(
    connection: Connection,
    user: User,
    found: Any,
    against: PhotoComparison | None,
    access_id: int,
    now_ms: int,
) -> Granted | None:
    """What was entered together with this person's access to the photo; None when there is no
    such access, or it is over."""
    access = photo_access.granted(connection, access_id, user.id, now_ms - GRANT_MS)
    if access is None or access.snapshot_id != found.id:
        return None
    photos, enrolled = photo_access.together(connection, access)
    other = None if against is None else against.photo
    return Granted(
        access.purpose,
        photo=access.id,
        reference=enrolled.get(found.learner_id),
        beside=other and photos.get(other.id),
        beside_reference=other and enrolled.get(other.learner_id),
    )


def look_through(
    connection: Connection,
    user: User,
    session_id: int,
    snapshot_ids: Sequence[int],
    purpose: str,
    now_ms: int,
) -> None:
    """Enter a look at each of these photos of one sitting, for one purpose. What was destroyed or
    belongs to another sitting is left out. Raises BadInput, NotAllowed, NotFound."""
    seen = [photo(connection, user, it) for it in snapshot_ids]
    why = reason_to_look(purpose)
    for found in seen:
        if found.session_id != session_id or found.blob_key is None:
            continue
        photo_access.add(
            connection, at_ms=now_ms, user_id=user.id, purpose=why, snapshot_id=found.id
        )
        _recorded(connection, user, found.id, why, now_ms, with_reference=False)


def looks(connection: Connection, user: User, session_id: int, now_ms: int) -> dict[int, int]:
    """The sitting's photos that this person may see just now: snapshot → access."""
    if not user.sees_photos:
        return {}
    return photo_access.running(connection, session_id, user.id, now_ms - GRANT_MS)


def reason_to_look(purpose: str) -> str:
    """Why somebody looks at a photo, without blanks around it. Raises BadInput."""
    why = shown_text(purpose)
    if not MIN_PURPOSE <= len(why) <= MAX_PURPOSE:
        limits = f"{MIN_PURPOSE} to {MAX_PURPOSE} characters"
        raise BadInput("purpose_missing", f"a look at a photo needs a purpose of {limits}")
    return why


def _entered(connection: Connection, user: User, found: Any, why: str, now_ms: int) -> int:
    """The access to a photo, and beside it one to the enrolled photo of its learner."""
    enrolled = photo_access.reference(connection, found.learner_id)
    entry: dict[str, Any] = {"at_ms": now_ms, "user_id": user.id, "purpose": why}
    access_id = photo_access.add(connection, snapshot_id=found.id, **entry)
    if enrolled is not None:
        photo_access.add(connection, reference_photo_id=enrolled.id, **entry)
    _recorded(connection, user, found.id, why, now_ms, with_reference=enrolled is not None)
    return access_id


def _recorded(
    connection: Connection,
    user: User,
    snapshot_id: int,
    why: str,
    now_ms: int,
    *,
    with_reference: bool,
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="photo.viewed",
        subject=f"snapshot:{snapshot_id}",
        detail={"purpose": why, "with_reference": with_reference},
    )


def sealed(connection: Connection, user: User, access_id: int, now_ms: int) -> Sealed:
    """What an access leads to, for a short while after it was granted. Raises NotFound."""
    access = photo_access.granted(connection, access_id, user.id, now_ms - GRANT_MS)
    if access is None or not user.sees_photos:
        raise NotFound("unknown_access", "there is no such access, or it is over")
    found: PhotoCase | ReferenceObject | None = None
    if access.snapshot_id is not None:
        found = case_file.photo(connection, access.snapshot_id, user.scope)
    elif access.reference_photo_id is not None:
        found = photo_access.reference_by_id(connection, access.reference_photo_id)
    if found is None or found.blob_key is None:
        raise NotFound("photo_gone", "the photo was destroyed")
    return Sealed(found.learner_id, found.blob_key)
