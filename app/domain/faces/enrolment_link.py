"""The token by which a learner's browser hands in enrolment photos: short-lived, of one learner.

It holds the learner's row, when it was made and for how long it is good, signed under a key of its
own. Nothing is stored of it. It takes as many photos as are wanted, and opens nothing else.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain.faces import enrolment_photos
from app.domain.faces.photo_store import PhotoStore
from app.domain.faces.snapshots import face_key
from app.errors import NotSignedIn
from app.store.accounts import audit
from app.store.sittings import sittings
from app.vault import Vault

_MINUTE_MS = 60_000
_PURPOSE = "enrolment-link"
_TOKEN = re.compile(r"ze([0-9]{1,15})-([0-9]{1,15})-([0-9]{1,4})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class EnrolmentLink:
    """`learner_id` is the learner's row."""

    learner_id: int
    issued_ms: int
    minutes: int

    @property
    def expires_ms(self) -> int:
        return self.issued_ms + self.minutes * _MINUTE_MS

    @property
    def body(self) -> str:
        """What is signed."""
        return f"{self.learner_id}-{self.issued_ms}-{self.minutes}"

    @property
    def actor(self) -> str:
        """How the audit log names whoever holds the link."""
        return f"enrolment-link:{self.learner_id}-{self.issued_ms}"


def issue(
    connection: Connection,
    photos: PhotoStore,
    platform_id: int,
    external_id: str,
    *,
    actor: str,
    minutes: int,
    now_ms: int,
) -> tuple[EnrolmentLink, str]:
    """A link for a learner who agreed to face processing, and its token.

    Raises NotFound, NotAllowed (no_face_consent), Conflict (face data erased).
    """
    learner = enrolment_photos.learner_of(connection, platform_id, external_id)
    face_key(connection, photos.vault, learner.id, now_ms)
    link = EnrolmentLink(learner.id, now_ms, minutes)
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action="enrolment.link_issued",
        subject=f"learner:{learner.id}",
        detail={"minutes": minutes},
    )
    return link, _token(photos.vault, link)


def is_enrolment(token: str) -> bool:
    return _TOKEN.fullmatch(token) is not None


def read(vault: Vault, token: str, now_ms: int) -> EnrolmentLink:
    """The link of a token. Raises NotSignedIn, the same for one that is wrong or over."""
    form = _TOKEN.fullmatch(token)
    if form is None:
        raise _over()
    link = EnrolmentLink(*(int(it) for it in form.groups()))
    good = vault.signed(
        link.body.encode(), _PURPOSE, lambda sign: hmac.compare_digest(_with(link, sign), token)
    )
    if not good or now_ms >= link.expires_ms:
        raise _over()
    return link


def platform_of(connection: Connection, link: EnrolmentLink, external_id: str) -> int:
    """The platform of the link's learner, who must be called so. Raises NotSignedIn."""
    platform_id = sittings.platform_of_learner(connection, link.learner_id, external_id)
    if platform_id is None:
        raise _over()
    return platform_id


def _token(vault: Vault, link: EnrolmentLink) -> str:
    return _with(link, vault.sign(link.body.encode(), _PURPOSE))


def _with(link: EnrolmentLink, sign: bytes) -> str:
    return f"ze{link.body}_{urlsafe_b64encode(sign).decode().rstrip('=')}"


def _over() -> NotSignedIn:
    return NotSignedIn(
        "enrolment_over", "the enrolment link is unknown or over, or another learner's"
    )
