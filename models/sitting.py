"""One sitting: its lease, its events, the controls issued in it, its photos."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped

from models.base import (
    Base,
    Blob,
    Digest,
    Document,
    Id,
    Key,
    Ms,
    Name,
    Ref,
    Text,
    mapped_column,
)


class Session(Base):
    """A sitting of one learner on one lesson.

    The columns from `lease_digest` to `play_pos_ms` are its running state: the lease, the head
    of the hash chain over the stored batches, and the learning clock that controls are drawn on.
    `popup_from_ms` is the moment on that clock from which the next pop-up was drawn (negative when
    an earlier sitting brought it along), `popup_due_ms` the drawn moment, `popup_draws` the number
    of intervals drawn so far; `schedule` holds the photo points
    (app/domain/controls/photo_plan.py).

    `settled` says that the log holds all there is of it. Whoever changes an ended sitting's
    evidence takes it back in the same transaction (`app.store.events.event_log.unsettle`), so that
    the few that wait are found without a look at all that ever were. `evidence_version` rises
    whenever controls or photos change, or the sitting ends: what a process remembers of it is
    current as long as that stands.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("platform_id", "external_id"),
        Index("ix_sessions_learner_class", "learner_id", "class_id"),
        Index("ix_sessions_person_opened", "person_id", "opened_ms"),
        Index("ix_sessions_device", "platform_id", "device_id", "opened_ms"),
        Index("ix_sessions_state_lease", "state", "lease_expires_ms"),
        Index(
            "ix_sessions_unsettled",
            "class_id",
            "id",
            sqlite_where=text("settled = 0 AND state != 'open'"),
            postgresql_where=text("NOT settled AND state != 'open'"),
        ),
        Index(  # without the open ones: who posts to these has no more to write
            "ix_sessions_heard",
            "class_id",
            "last_recv_ms",
            sqlite_where=text("state != 'open'"),
            postgresql_where=text("state != 'open'"),
        ),
    )

    id: Mapped[Key]
    platform_id: Mapped[int] = mapped_column(ForeignKey("platforms.id"))
    external_id: Mapped[Name]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id"))
    device_id: Mapped[Name]
    window_id: Mapped[Name]
    client: Mapped[Document]
    provenance: Mapped[Name]  # live | attested
    state: Mapped[Name]  # open | closed | expired | superseded
    close_reason: Mapped[Name | None]
    settled: Mapped[bool] = mapped_column(server_default=false())
    evidence_version: Mapped[int] = mapped_column(server_default="0")
    started_at_ms: Mapped[Ms | None]  # the client's word
    opened_ms: Mapped[Ms]  # the server's clock; in an import, the platform's
    last_recv_ms: Mapped[Ms]
    closed_ms: Mapped[Ms | None]
    resume_ms: Mapped[int]

    lease_digest: Mapped[Digest | None]
    lease_expires_ms: Mapped[Ms | None]
    chain: Mapped[Digest]
    batch_count: Mapped[int]
    event_count: Mapped[int]
    forwarded_count: Mapped[int] = mapped_column(default=0, server_default="0")  # numbered here
    words_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    refused_count: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # came when it was over
    refused_ms: Mapped[Ms | None]  # the last of them
    next_seq: Mapped[int]
    seq_conflict: Mapped[bool]
    learning_ms: Mapped[int]
    play_pos_ms: Mapped[int]
    popup_from_ms: Mapped[int] = mapped_column(default=0)
    popup_due_ms: Mapped[int | None]
    popup_draws: Mapped[int] = mapped_column(default=0)
    schedule: Mapped[Document] = mapped_column(default=dict)

    seed_encrypted: Mapped[Blob | None]  # drawn at the start; all control times follow from it
    commitment: Mapped[Digest | None]  # sha256 of the seed, told at the start
    seed_revealed: Mapped[Blob | None]  # the seed, once the sitting is over


class EventBatch(Base):
    """One acknowledged batch of an open session, in order of arrival."""

    __tablename__ = "event_batches"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    received_ms: Mapped[Ms]
    count: Mapped[int]
    records: Mapped[Blob]
    notes: Mapped[Blob]
    chain: Mapped[Digest]


class ForwardedBatch(Base):
    """A batch whose events the service numbered: by its name and digest it is known again."""

    __tablename__ = "forwarded_batches"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    name: Mapped[Name] = mapped_column(primary_key=True)
    digest: Mapped[Name]
    first_seq: Mapped[int]


class EventLog(Base):
    """All facts of a closed session in one row: the night reads nothing else of it.

    `events` and `notes` are the batches end to end, `manifest` tells where each began and when it
    came, so that the hash chain is still checked batch by batch. `controls` and `photos` are the
    ledger as the detectors read it, rebuilt whenever a face check or a decision changes them.
    """

    __tablename__ = "event_logs"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    manifest: Mapped[Blob]
    events: Mapped[Blob]
    notes: Mapped[Blob]
    controls: Mapped[Blob]
    photos: Mapped[Blob]
    chain: Mapped[Digest]
    sealed_ms: Mapped[Ms]


class EventArchive(Base):
    """A file of the object store with rows of sittings of one class and month, out of
    `event_logs`, `controls` or `snapshots`."""

    __tablename__ = "event_archives"

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    month: Mapped[Name]  # yyyy-mm, Asia/Shanghai, in which the sittings were opened
    kind: Mapped[Name] = mapped_column(server_default="event_logs")  # the table its rows are of
    object_key: Mapped[Text] = mapped_column(unique=True)
    sha256: Mapped[Digest]
    size: Mapped[int]
    sittings: Mapped[int]
    made_ms: Mapped[Ms]


class ArchivedLog(Base):
    """In which file the log of a sitting lies that `event_logs` has no more."""

    __tablename__ = "archived_logs"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    archive_id: Mapped[Ref] = mapped_column(ForeignKey("event_archives.id"))


class ArchivedLedger(Base):
    """In which files the controls and the photos' rows of a sitting lie that `controls` and
    `snapshots` have no more; null: it had none."""

    __tablename__ = "archived_ledgers"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    controls_id: Mapped[int | None] = mapped_column(Id, ForeignKey("event_archives.id"), index=True)
    snapshots_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("event_archives.id"), index=True
    )


class ArchivedPhoto(Base):
    """What a photo whose row is archived is still found by among all: its id, whose sitting's it
    was, and its bytes."""

    __tablename__ = "archived_photos"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)  # the row's
    session_id: Mapped[Ref] = mapped_column(ForeignKey("sessions.id"))
    received_ms: Mapped[Ms]
    sha256: Mapped[Digest] = mapped_column(index=True)
    phash: Mapped[Ms | None]


class Control(Base):
    """One line of the ledger: a pop-up, photo or face check that was demanded of a client."""

    __tablename__ = "controls"
    __table_args__ = (UniqueConstraint("session_id", "challenge_id"),)

    id: Mapped[Key]
    session_id: Mapped[Ref] = mapped_column(ForeignKey("sessions.id"))
    kind: Mapped[Name]  # a ControlKind
    challenge_id: Mapped[Name]
    nonce: Mapped[Name | None]
    source: Mapped[Name]  # service | platform
    random_time: Mapped[bool]
    reissue_of: Mapped[Name | None]
    demand: Mapped[Document]  # what the client was told: frames, actions, question
    issued_ms: Mapped[Ms]
    due_ms: Mapped[Ms]
    window_ms: Mapped[int]
    shown_ms: Mapped[Ms | None]
    shown_seq: Mapped[int | None]
    answered_ms: Mapped[Ms | None]
    answered_seq: Mapped[int | None]
    expired_ms: Mapped[Ms | None]
    latency_ms: Mapped[int | None]
    flags: Mapped[int]  # detectors.trace.ControlFlag


class Snapshot(Base):
    """A photo of a sitting, encrypted in the blob store, and what the face worker made of it."""

    __tablename__ = "snapshots"
    __table_args__ = (
        UniqueConstraint("session_id", "external_id"),
        Index("ix_snapshots_status_claim", "status", "claim_expires_ms"),
    )

    id: Mapped[Key]
    session_id: Mapped[Ref] = mapped_column(ForeignKey("sessions.id"))
    external_id: Mapped[Name]
    purpose: Mapped[Name]  # start | random | resume | challenge
    control_id: Mapped[int | None] = mapped_column(ForeignKey("controls.id"))
    challenge_id: Mapped[Name | None]  # as handed in, whether or not there is such a control
    late: Mapped[bool] = mapped_column(server_default=false())  # kept, and counts for nothing
    frame: Mapped[int]
    taken_at_ms: Mapped[Ms | None]
    received_ms: Mapped[Ms]
    sha256: Mapped[Digest] = mapped_column(index=True)
    media_type: Mapped[Name]
    size: Mapped[int]
    blob_key: Mapped[Name | None]
    e_tag: Mapped[Name | None]  # the store's, when the bytes were last compared with the hash
    purged_ms: Mapped[Ms | None]  # since when it cannot be retrieved unaltered: a loss
    removal_ms: Mapped[Ms | None]  # since when it is removed by order: no loss
    removed_ms: Mapped[Ms | None]  # since when its bytes are gone

    status: Mapped[Name]  # pending | read | done | failed; read: decided once all before it are
    attempts: Mapped[int]
    claimed_by: Mapped[Name | None]
    claim_expires_ms: Mapped[Ms | None]
    check: Mapped[int]  # detectors.trace.Check
    score: Mapped[float | None]
    limit: Mapped[float | None]
    reading: Mapped[Document | None]  # quality, model, thresholds, number of snapshots, reasons
    phash: Mapped[Ms | None]  # 64 bits, signed
    embedding_encrypted: Mapped[Blob | None]
    checked_ms: Mapped[Ms | None]
