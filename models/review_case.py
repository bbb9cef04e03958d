"""Cases: findings of one cause, what is arranged about them, and what was written of them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Digest, Key, Ms, Name, Ref, Text, mapped_column


class ReviewCase(Base):
    """Findings of one cause in one county; its id is the case's number."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_cases_desk", "id", "snoozed_until", "due_on"),  # what states are told by
    )

    id: Mapped[Key]
    key: Mapped[Name]  # digest of county and cause (app/store/review/causes.py)
    kind: Mapped[Name]  # platform | class | sitting | person
    opened_ms: Mapped[Ms]
    due_on: Mapped[Name]  # ISO date
    snoozed_until: Mapped[Name | None]  # ISO date; back in the queue from that day


class CaseNote(Base):
    """A comment on a case, or a file that was attached with one. Only ever added."""

    __tablename__ = "case_notes"

    id: Mapped[Key]
    case_id: Mapped[Ref] = mapped_column(ForeignKey("cases.id"))
    written_by: Mapped[Name]
    body: Mapped[Text]
    file_name: Mapped[Name | None]
    media_type: Mapped[Name | None]
    size: Mapped[int | None]
    sha256: Mapped[Digest | None]
    blob_key: Mapped[Name | None]
    created_ms: Mapped[Ms]


class MaterialRequest(Base):
    """What somebody is asked to hand in for a case. The answer is a note of the case."""

    __tablename__ = "material_requests"

    id: Mapped[Key]
    case_id: Mapped[Ref] = mapped_column(ForeignKey("cases.id"))
    # Exactly one of these three is asked.
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platforms.id"), index=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolments.id"), index=True)
    wanted: Mapped[Text]
    due_on: Mapped[Name]  # ISO date
    asked_by: Mapped[Name]
    asked_ms: Mapped[Ms]
    reminded_ms: Mapped[Ms | None]
    withdrawn_ms: Mapped[Ms | None]
    answered_ms: Mapped[Ms | None]
    note_id: Mapped[int | None] = mapped_column(ForeignKey("case_notes.id"))
