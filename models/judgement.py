"""What was concluded, by the engine and by people. Rows here are only ever added."""

from __future__ import annotations

from sqlalchemy import Computed, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Digest, Document, Key, Ms, Name, Ref, Text, mapped_column

# What a finding weighs by itself; see `Finding.weight`. Faces are counted in 200ths beyond their
# threshold: a doubt to three times of it, a mismatch from there on.
_MISMATCH = "reason IN ('other_person', 'enrolled_never_seen', 'single_mismatch')"
_MOST = f"CASE WHEN {_MISMATCH} THEN 399 ELSE 600 END"
_MEASURED = "CAST(body ->> 'measured' AS DOUBLE PRECISION)"
_LIMIT = "CAST(body ->> 'limit' AS DOUBLE PRECISION)"
_BEYOND = f"200 * ({_MEASURED} / {_LIMIT} - 1)"
WEIGHT = f"""(
CASE WHEN needs_two_reviewers AND learner_id IS NULL THEN 0 WHEN needs_two_reviewers THEN 1
 WHEN outcome = 'violation' THEN 2 WHEN outcome = 'review' THEN 3 WHEN outcome = 'not_proven' THEN 4
 ELSE 5 END * 100
+ CASE evidence WHEN 'S' THEN 0 WHEN 'C+' THEN 1 ELSE 2 END) * 1000
+ CASE
 WHEN rule NOT IN ('face_liveness', 'person_over_course', 'one_face_several_accounts') THEN 999
 WHEN coalesce(body ->> 'unit', '') <> 'distance' THEN 999
 WHEN coalesce({_LIMIT}, 0) <= 0 OR {_MEASURED} IS NULL THEN 999
 ELSE 999 - CASE WHEN {_MISMATCH} THEN 600 ELSE 0 END
 - CASE WHEN {_MEASURED} > 4 * {_LIMIT} THEN {_MOST} WHEN {_BEYOND} < 1 THEN 1
 WHEN {_BEYOND} > {_MOST} THEN {_MOST} ELSE CAST(round({_BEYOND}) AS INTEGER) END
 END"""

# All that the queues of findings and of cases count and sort by, so that no row is opened for it.
QUEUE = (
    *("status", "outcome", "class_id", "shadow", "rule", "weight", "learner_id", "fault"),
    *("created_ms", "case_id", "id"),
)
DESK = (
    *("case_id", "class_id", "status", "shadow", "rule", "weight", "created_ms"),
    *("platform_id", "id"),
)


class Run(Base):
    """One evaluation: of a session at its close, of a class on demand, or of a night's classes."""

    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_asked", "requested_by", "state", "id"),)

    id: Mapped[Key]
    kind: Mapped[Name]  # session | class | nightly | what_if
    class_id: Mapped[int | None] = mapped_column(ForeignKey("classes.id"), index=True)
    requested_by: Mapped[Name]
    state: Mapped[Name]  # queued | running | done | failed
    total: Mapped[int]
    done: Mapped[int]
    started_ms: Mapped[Ms]
    finished_ms: Mapped[Ms | None]
    heartbeat_ms: Mapped[Ms]
    summary: Mapped[Document]
    error: Mapped[Text | None]


class Verdict(Base):
    """A verdict on one subject, complete in `body`: canonical JSON that a re-run reproduces
    byte for byte. The latest row of a subject and pack is the current one."""

    __tablename__ = "verdicts"
    __table_args__ = (
        Index("ix_verdicts_subject", "subject_kind", "subject_id", "hour", "id"),
        Index("ix_verdicts_class", "class_id", "subject_kind", "subject_id", "hour", "id", "pack"),
    )

    id: Mapped[Key]
    subject_kind: Mapped[Name]  # session | class_hour | enrolment | class
    subject_id: Mapped[int]  # id of the session, enrolment (also for class_hour) or class
    hour: Mapped[int]  # number of the class-hour, 0 for other subjects
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    outcome: Mapped[Name]
    pack: Mapped[Name]  # id@version
    pack_digest: Mapped[Name]
    facts_digest: Mapped[Digest]
    body: Mapped[Blob]
    digest: Mapped[Digest]
    created_ms: Mapped[Ms]


class Finding(Base):
    """A finding under a name that is the same in every run, so that reviews stay attached to it.

    `weight` is what the queue sorts by, as far as the row itself tells it: the smaller, the graver.
    The database works it out whenever the row changes. (Class or learner, two persons, outcome) ×
    100,000, evidence × 1,000, and of faces how near to the threshold they are, below 1,000; the
    rule's own gravity is no part of it (`app.store.review.finding_queue.gravity`).
    """

    __tablename__ = "findings"
    __table_args__ = (
        UniqueConstraint("class_id", "key"),
        Index("ix_findings_queue", *QUEUE),
        Index("ix_findings_platform", "platform_id", "id"),
        Index("ix_findings_desk", *DESK),
    )

    id: Mapped[Key]
    key: Mapped[Name]  # digest of subject, rule, reason and interval
    platform_id: Mapped[int] = mapped_column(ForeignKey("platforms.id"))
    class_id: Mapped[int] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int | None] = mapped_column(ForeignKey("learners.id"), index=True)
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"), index=True)
    hour: Mapped[int | None]
    rule: Mapped[Name]
    reason: Mapped[Name]
    outcome: Mapped[Name]
    fault: Mapped[Name]
    evidence: Mapped[Name]
    needs_two_reviewers: Mapped[bool]
    shadow: Mapped[bool]
    start_ms: Mapped[Ms | None]
    end_ms: Mapped[Ms | None]
    body: Mapped[Document]
    pack: Mapped[Name]
    status: Mapped[Name]  # open | first_review | upheld | overturned | cured | gone
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    first_run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    last_run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    created_ms: Mapped[Ms]
    updated_ms: Mapped[Ms]
    weight: Mapped[int] = mapped_column(Computed(WEIGHT, persisted=True), nullable=True)


class Review(Base):
    __tablename__ = "reviews"

    id: Mapped[Key]
    finding_id: Mapped[Ref] = mapped_column(ForeignKey("findings.id"))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    stage: Mapped[Name]  # first (初审) | second (复核)
    decision: Mapped[Name]  # uphold | overturn | need_more | corrected
    reason: Mapped[Text]
    created_ms: Mapped[Ms]
    superseded_ms: Mapped[Ms | None]  # taken back, or corrected: counts no more


class Appeal(Base):
    __tablename__ = "appeals"

    id: Mapped[Key]
    finding_id: Mapped[Ref] = mapped_column(ForeignKey("findings.id"))
    filed_by: Mapped[Name]
    statement: Mapped[Text]
    created_ms: Mapped[Ms]
    outcome: Mapped[Name | None]  # dismissed | reopened
    reply: Mapped[Text | None]
    replied_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    replied_ms: Mapped[Ms | None]
