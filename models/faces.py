"""What is known of faces in general: thresholds measured on the site, accounts that look alike,
sittings that stand out of a course; photographs, to be found again by how they look."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Digest, Document, Key, Ms, Name, mapped_column


class Calibration(Base):
    """One measurement of a model on this site's own faces. Rows are only ever added; the latest
    `applied` one of a model decides, and its id stands in every decision made with it."""

    __tablename__ = "calibrations"
    __table_args__ = (Index("ix_calibrations_model", "model", "id"),)

    id: Mapped[Key]
    model: Mapped[Name]
    created_ms: Mapped[Ms]
    actor: Mapped[Name]
    applied: Mapped[bool]
    cohort_mean: Mapped[Blob | None]  # float32; of many people, nobody's face
    body: Mapped[Document]  # thresholds raw and centred, numbers of pairs, error rates, alarm


class FacePair(Base):
    """Two accounts of different persons whose mean faces are closer than the threshold."""

    __tablename__ = "face_pairs"
    __table_args__ = (UniqueConstraint("learner_id", "other_id"),)

    id: Mapped[Key]
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("learners.id"), index=True)
    model: Mapped[Name]
    distance: Mapped[float]
    limit: Mapped[float]
    pictures: Mapped[int]  # of the account with fewer
    calibration_id: Mapped[int | None] = mapped_column(ForeignKey("calibrations.id"))
    scope: Mapped[Name]  # class | institution | everyone
    found_ms: Mapped[Ms]


class CourseFace(Base):
    """What stands out of a learner's face over a course, of one sitting: distances, no face.

    `odd`: it lies apart from the enrolled face and the learner's other sittings. `two`: it belongs
    to the smaller of two groups that the sittings fall into. `whole`: it is the last, and all
    together lie off the enrolled face. Measured anew with every sitting; a row goes when the
    sitting stands out no more.
    """

    __tablename__ = "course_faces"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    kind: Mapped[Name] = mapped_column(primary_key=True)  # odd | two | whole
    model: Mapped[Name]
    distance: Mapped[float]
    limit: Mapped[float]
    sittings: Mapped[int]  # that lie apart together
    others: Mapped[int]  # sittings that they were held against
    measured_ms: Mapped[Ms]


class PhotoCode(Base):
    """What one photo is looked up by among all: a code of the picture, nobody's face template
    (`app/vision/photo_code.py`).

    Of a sitting's photo or an enrolled one. It goes with the photo's bytes, and with the learner.
    `codes` holds that of the mirror image too; a `band` is a sixth of the first.
    """

    __tablename__ = "photo_codes"

    id: Mapped[Key]
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id"), unique=True)
    reference_photo_id: Mapped[int | None] = mapped_column(
        ForeignKey("reference_photos.id"), unique=True
    )
    codes: Mapped[Digest]
    band_0: Mapped[int] = mapped_column(index=True)
    band_1: Mapped[int] = mapped_column(index=True)
    band_2: Mapped[int] = mapped_column(index=True)
    band_3: Mapped[int] = mapped_column(index=True)
    band_4: Mapped[int] = mapped_column(index=True)
    band_5: Mapped[int] = mapped_column(index=True)


class PhotoCodeDue(Base):
    """A photo from before there were codes, to be read once more when nothing else waits."""

    __tablename__ = "photo_codes_due"

    id: Mapped[Key]
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id"), index=True)
    reference_photo_id: Mapped[int | None] = mapped_column(
        ForeignKey("reference_photos.id"), index=True
    )
