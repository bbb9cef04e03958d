"""A photo handed in for enrolment, from its bytes to its report: whoever hands it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from app.clock import Clock
from app.db import Database
from app.domain.answer import Answer, EpochMs
from app.domain.faces import enrolment_photos, photo_formats, snapshots
from app.domain.faces.enrolment_link import EnrolmentLink
from app.domain.faces.enrolment_photos import EnrolledPhoto, EnrolmentConfidence
from app.domain.faces.enrolment_steps import Step
from app.domain.faces.photo_store import PhotoStore
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, ZhenxueError
from app.security import Unsealable
from app.store.accounts import audit
from app.store.catalogue.people import AccountRow
from app.store.faces import face_keys
from app.store.faces import reference_photos as rows
from app.store.faces.blobs import BlobMissing, StoreAway
from app.vision import match
from app.vision.seen import FacePicture, SamePhotograph, Seen, Unread

MIN_REASON, MAX_REASON = 4, 2000
MOST_AT_ONCE = 10


class EnrolledStep(Answer, frozen=True, kw_only=True):
    """One of the five different photos, and whether it is there."""

    step: Step
    enrolled: bool


class EnrolmentProgress(Answer, frozen=True, kw_only=True):
    """How many photos of how many wanted are enrolled, and which are missing. Photos enrolled
    without a step count in `photos` alone. `expires_at_ms`: when the link that asks is over."""

    photos: int
    photos_wanted: int
    confidence: EnrolmentConfidence
    steps: list[EnrolledStep]
    expires_at_ms: EpochMs | None = None


class PictureReaders(Protocol):
    """As `app.vision.readers.FaceReaders`."""

    def read(self, pictures: Sequence[bytes], *, enrolment: bool) -> list[Seen | Unread]: ...

    def as_jpeg(self, data: bytes) -> bytes | Unread: ...

    def copy(
        self, picture: FacePicture, others: Sequence[FacePicture]
    ) -> SamePhotograph | None: ...


@dataclass(frozen=True, slots=True)
class EnrolmentDesk:
    """Takes photos in. One a process, or made where it is needed: it holds nothing."""

    database: Database
    photos: PhotoStore
    readers: PictureReaders
    clock: Clock

    def hand_in(
        self,
        learner: AccountRow,
        data: bytes,
        *,
        step: Step | None = None,
        link: EnrolmentLink | None = None,
        replacing: str | None = None,
    ) -> EnrolledPhoto:
        """The report of a photo that is enrolled now, or was before. `link`: by which the learner
        hands it in. `replacing`: see `enrolment_photos.enrol`.

        Raises Unusable with what the person can do, BadInput (not a picture), NotAllowed
        (no_face_consent), Conflict (enrolment_complete, face data erased), NotReady.
        """
        data = self.acceptable(data)
        with self.database.write() as connection:
            now_ms = self.clock()
            if link is not None:
                _still_takes(connection, link)
            known = enrolment_photos.admit(connection, self.photos, learner, data, now_ms)
        if known is not None and replacing is None:
            if step is not None and known.quality.step != step:
                raise enrolment_photos.unusable({"reasons": ["same_photograph"]})
            return known
        (seen,) = self.readers.read([data], enrolment=True)
        copied = replacing is None and self.copied(learner.id, data, seen)
        blob_key = None
        if not copied and enrolment_photos.refusal(seen) is None:
            key = snapshots.face_key_first(self.database, self.photos.vault, learner.id, now_ms)
            blob_key = enrolment_photos.put(self.photos, key, learner.id, data)
        with self.photos.unless_refused(blob_key), self.database.write() as connection:
            if link is not None:
                _still_takes(connection, link)
            return enrolment_photos.enrol(
                connection,
                self.photos,
                learner,
                data,
                seen,
                now_ms,
                step=step,
                copied=copied,
                alone=link is not None,
                replacing=replacing,
                blob_key=blob_key,
            )

    def hand_in_for(
        self, learner: AccountRow, files: Sequence[bytes], *, actor: str, reason: str
    ) -> list[EnrolledPhoto | ZhenxueError]:
        """What became of each photo that somebody hands in for a learner; who, and why, stands in
        the audit log. Raises BadInput (reason_missing)."""
        why = shown_text(reason)
        if not MIN_REASON <= len(why) <= MAX_REASON:
            limits = f"{MIN_REASON} to {MAX_REASON} characters"
            raise BadInput("reason_missing", f"this needs a reason of {limits}")
        found: list[EnrolledPhoto | ZhenxueError] = []
        for data in files[:MOST_AT_ONCE]:
            try:
                found.append(self.hand_in(learner, data))
            except ZhenxueError as error:
                found.append(error)
        taken = sum(isinstance(it, EnrolledPhoto) for it in found)
        with self.database.write() as connection:
            audit.append(
                connection,
                at_ms=self.clock(),
                actor=actor,
                action="enrolment.handed_in",
                subject=f"learner:{learner.id}",
                detail={"photos": taken, "refused": len(found) - taken, "reason": why},
            )
        return found

    def acceptable(self, data: bytes) -> bytes:
        """The photo as it is, or as a JPEG of a sane size where it is of another format or too
        large. Raises BadInput with the limit and what helps."""
        return photo_formats.kept_form(self.readers, data, self.photos.limits)

    def copied(self, learner_id: int, data: bytes, seen: Seen | Unread) -> bool:
        """Whether it is one of the learner's enrolled photos after small changes. `seen`: what was
        read in it; without a face it is none."""
        if isinstance(seen, Unread) or seen.fields["box"] is None:
            return False
        with self.database.read() as connection:
            enrolled = self._pictures(connection, learner_id)
        if not enrolled:
            return False
        return self.readers.copy(FacePicture(data, seen.fields["box"]), enrolled) is not None

    def _pictures(self, connection: Connection, learner_id: int) -> Sequence[FacePicture]:
        """The enrolled photos that can be opened."""
        try:
            key = face_keys.key(connection, self.photos.vault, learner_id)
        except face_keys.KeyDestroyed:
            key = None
        if key is None:
            return []
        found = []
        for row in rows.kept(connection, learner_id):
            try:
                data = self.photos.opened(key, row.blob_key)
            except (BlobMissing, StoreAway, Unsealable):
                continue  # what cannot be compared is no copy
            found.append(FacePicture(data, row.quality.get("box")))
        return found


def progress(
    connection: Connection, learner_id: int, link: EnrolmentLink | None = None
) -> EnrolmentProgress:
    """How far the enrolment of a learner is."""
    enrolled = rows.ready(connection, learner_id)
    there = {row.quality.get("step") for row in enrolled}
    return EnrolmentProgress(
        photos=len(enrolled),
        photos_wanted=match.WANTED_ENROLMENTS,
        confidence=enrolment_photos.confidence(len(enrolled)),
        steps=[EnrolledStep(step=step, enrolled=step in there) for step in Step],
        expires_at_ms=None if link is None else link.expires_ms,
    )


def _still_takes(connection: Connection, link: EnrolmentLink) -> None:
    if rows.kept_since(connection, link.learner_id, link.issued_ms) >= match.WANTED_ENROLMENTS:
        raise Conflict(
            "enrolment_complete",
            f"by this link {match.WANTED_ENROLMENTS} photos were enrolled: ask for a new one",
        )
