"""Subsidies: a county's standards, what was paid for whom, and what is to come back."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped

from models.base import Base, Key, Ms, Name, Ref, Text, mapped_column


class SubsidyStandard(Base):
    """What a county pays for one learner, by its own document. Only added to, decided by a second
    person, and ended; `replaces` is the one that it corrects."""

    __tablename__ = "subsidy_standards"

    id: Mapped[Key]
    county: Mapped[Name] = mapped_column(index=True)
    occupation: Mapped[Name]  # empty: any
    level: Mapped[int | None]  # 5 to 1; none: any
    applicant: Mapped[Name]  # enterprise | institution | individual; empty: any
    amount_fen: Mapped[Ms]
    advance_percent: Mapped[int]
    document: Mapped[Name]
    dated: Mapped[Name]
    from_on: Mapped[Name]
    until_on: Mapped[Name | None]
    entered_by: Mapped[Name]
    entered_ms: Mapped[Ms]
    certificate_type: Mapped[Name]  # empty: any
    state: Mapped[Name]  # waiting | in_force | refused
    decided_by: Mapped[Name]
    decided_ms: Mapped[Ms | None]
    replaces: Mapped[int | None] = mapped_column(BigInteger)
    end_on: Mapped[Name | None]  # the last day that somebody, `end_by`, proposed
    end_by: Mapped[Name | None]


class SubsidyPayment(Base):
    """What was paid for one learner of a class. `held` stands for person, occupation and level, and
    is given up when all of it came back: nobody is paid twice for the same."""

    __tablename__ = "subsidy_payments"

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[Ref] = mapped_column(ForeignKey("learners.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("stage_events.id"))
    held: Mapped[Name | None] = mapped_column(unique=True)
    amount_fen: Mapped[Ms]
    paid_on: Mapped[Name]


class RecoveryEvent(Base):
    """What was done to get a payment back (追缴). Only added to."""

    __tablename__ = "recovery_events"

    id: Mapped[Key]
    payment_id: Mapped[Ref] = mapped_column(ForeignKey("subsidy_payments.id"))
    deed: Mapped[Name]  # demanded | returned
    amount_fen: Mapped[Ms]
    happened_on: Mapped[Name]
    document: Mapped[Name]
    remark: Mapped[Text]
    done_by: Mapped[Name]
    done_ms: Mapped[Ms]
