"""All that a person needs to say whether it is the learner: enrolled photos, the sitting's, others.

One purpose opens the case; every photo that is shown is entered as looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain.accounts.users import User
from app.domain.faces.photo_viewing import GRANT_MS, reason_to_look
from app.errors import NotAllowed
from app.store.accounts import audit
from app.store.faces import face_cases, reference_photos
from app.store.faces.face_cases import FaceShot, ShotSitting

OF_SITTING, OF_OTHERS, OTHERS = 24, 3, 12  # photos of the sitting, of each other one, and those


@dataclass(frozen=True, slots=True)
class FaceCase:
    """Photos by where they come from; `looks` and `enrolled_looks` lead to the access under which
    this person may see each just now, and are empty until a purpose was given."""

    learner_id: int
    enrolled: list[int]
    sitting: list[FaceShot]
    others: list[tuple[ShotSitting, list[FaceShot]]]
    looks: dict[int, int]
    enrolled_looks: dict[int, int]

    @property
    def opened(self) -> bool:
        return bool(self.looks or self.enrolled_looks)


def face_case(
    connection: Connection, user: User, learner_id: int, session_id: int, now_ms: int
) -> FaceCase:
    """The case of one sitting. Raises NotAllowed for who may not look at photos."""
    if not user.sees_photos:
        raise NotAllowed("role", "only auditors and reviewers look at photos")
    sittings = face_cases.other_sittings(connection, user.scope, learner_id, session_id, OTHERS)
    by_sitting: dict[int, list[FaceShot]] = {}
    for shot in face_cases.shots(connection, [it.id for it in sittings], OF_OTHERS):
        by_sitting.setdefault(shot.session_id, []).append(shot)
    looks, enrolled_looks = face_cases.looks(connection, learner_id, user.id, now_ms - GRANT_MS)
    return FaceCase(
        learner_id=learner_id,
        enrolled=[it.id for it in reference_photos.kept(connection, learner_id)],
        sitting=face_cases.shots(connection, [session_id], OF_SITTING),
        others=[(it, by_sitting[it.id]) for it in sittings if it.id in by_sitting],
        looks=looks,
        enrolled_looks=enrolled_looks,
    )


def open_case(
    connection: Connection, user: User, case: FaceCase, finding_id: int, purpose: str, now_ms: int
) -> None:
    """Enter a look at every photo of the case. Raises BadInput (purpose_missing)."""
    why = reason_to_look(purpose)
    taken = [*case.sitting, *(shot for _, shots in case.others for shot in shots)]
    look = {"at_ms": now_ms, "user_id": user.id, "purpose": why}
    face_cases.add_looks(
        connection,
        [
            *({**look, "snapshot_id": it.id, "reference_photo_id": None} for it in taken),
            *({**look, "snapshot_id": None, "reference_photo_id": it} for it in case.enrolled),
        ],
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="photos.viewed",
        subject=f"finding:{finding_id}",
        detail={
            "purpose": why,
            "photos": [it.id for it in taken],
            "enrolled": case.enrolled,
        },
    )
