"""Photos and templates whose term is over, and what is held back from that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from app.store.faces import photo_codes
from app.store.row import fetch
from app.store.scope import AccessScope
from app.store.upsert import insert_new
from models import (
    Enrolment,
    Learner,
    LearnerKey,
    LegalHold,
    Platform,
    ReferencePhoto,
    Session,
    Snapshot,
    TrainingClass,
    WebhookDelivery,
)

_DECIDED = Snapshot.status.in_(("done", "failed"))

PhotoTerms = Mapping[str, str]
"""By `<pack>@<version>`, the day that a class must have been over by for its photos to go. Photos
of classes of other packs stay."""


def _over(cutoff: str) -> ColumnElement[bool]:
    """The class ended, and was assessed if it is to be, before that day."""
    assessed = or_(TrainingClass.assessment_on.is_(None), TrainingClass.assessment_on < cutoff)
    return and_(TrainingClass.ends_on < cutoff, assessed)


_PACK = TrainingClass.pack_id + "@" + TrainingClass.pack_version


def _photos_over(terms: PhotoTerms) -> ColumnElement[bool]:
    of_day: dict[str, list[str]] = {}
    for pack, cutoff in terms.items():
        of_day.setdefault(cutoff, []).append(pack)
    return or_(false(), *(and_(_PACK.in_(it), _over(cutoff)) for cutoff, it in of_day.items()))


def packs(connection: Connection) -> list[str]:
    """`<pack>@<version>` of every class."""
    return list(connection.execute(select(_PACK).distinct()).scalars())


def _held() -> ColumnElement[bool]:
    """A hold covers the sitting, by its class or by its learner."""
    return exists().where(
        LegalHold.lifted_ms.is_(None),
        or_(LegalHold.class_id == Session.class_id, LegalHold.learner_id == Session.learner_id),
    )


def _learner_kept(over: ColumnElement[bool]) -> ColumnElement[bool]:
    """The learner is held, is in a class that is not `over`, or was never in one."""
    mine = and_(Enrolment.learner_id == Learner.id, TrainingClass.id == Enrolment.class_id)
    hold = exists().where(
        LegalHold.lifted_ms.is_(None),
        or_(
            LegalHold.learner_id == Learner.id,
            and_(LegalHold.class_id == Enrolment.class_id, Enrolment.learner_id == Learner.id),
        ),
    )
    return or_(hold, exists().where(mine, ~over), ~exists().where(mine))


class ClassWithExpired(Protocol):
    """A class with how many photos and templates are to be removed, and how many are held."""

    id: int
    klass: str
    platform: str
    photos: int
    templates: int
    held: int


def classes_over(
    connection: Connection, photos: PhotoTerms, templates: str
) -> Sequence[ClassWithExpired]:
    """Classes with something to remove, held ones too; `templates` is the day that a class must
    have been over by."""
    photo_due = and_(
        _photos_over(photos), Snapshot.removal_ms.is_(None), Snapshot.blob_key.is_not(None),
        _DECIDED,
    )  # fmt: skip
    template_due = and_(_over(templates), Snapshot.embedding_encrypted.is_not(None), _DECIDED)
    held = _held()

    def count(condition: ColumnElement[bool]) -> Any:
        return func.count().filter(condition)

    query = (
        select(
            TrainingClass.id,
            TrainingClass.external_id.label("klass"),
            Platform.slug.label("platform"),
            count(and_(photo_due, ~held)).label("photos"),
            count(and_(template_due, ~held)).label("templates"),
            count(and_(or_(photo_due, template_due), held)).label("held"),
        )
        .join(Session, Session.class_id == TrainingClass.id)
        .join(Snapshot, Snapshot.session_id == Session.id)
        .join(Platform, Platform.id == TrainingClass.platform_id)
        .where(or_(photo_due, template_due))
        .group_by(TrainingClass.id, Platform.slug)
        .order_by(TrainingClass.id)
    )
    return fetch(connection, query, ClassWithExpired)


def mark_photos(connection: Connection, class_id: int, now_ms: int) -> int:
    """From now on these photos are removed by order: their absence is no loss. How many."""
    mine = select(Session.id).where(Session.class_id == class_id, ~_held())
    result = connection.execute(
        update(Snapshot)
        .where(
            Snapshot.session_id.in_(mine),
            Snapshot.removal_ms.is_(None),
            Snapshot.blob_key.is_not(None),
            _DECIDED,
        )
        .values(removal_ms=now_ms)
    )
    return result.rowcount


def drop_embeddings(connection: Connection, class_id: int) -> int:
    mine = select(Session.id).where(Session.class_id == class_id, ~_held())
    result = connection.execute(
        update(Snapshot)
        .where(Snapshot.session_id.in_(mine), Snapshot.embedding_encrypted.is_not(None), _DECIDED)
        .values(embedding_encrypted=None)
    )
    return result.rowcount


class StoredBytes(Protocol):
    id: int
    blob_key: str


def marked(connection: Connection, limit: int) -> Sequence[StoredBytes]:
    """(id, blob_key) of photos to remove whose bytes may still be there; held ones wait."""
    return fetch(
        connection,
        select(Snapshot.id, Snapshot.blob_key)
        .join(Session, Session.id == Snapshot.session_id)
        .where(Snapshot.removal_ms.is_not(None), Snapshot.removed_ms.is_(None), ~_held())
        .order_by(Snapshot.id)
        .limit(limit),
        StoredBytes,
    )


def removed(connection: Connection, snapshot_ids: Collection[int], now_ms: int) -> None:
    connection.execute(
        update(Snapshot).where(Snapshot.id.in_(snapshot_ids)).values(removed_ms=now_ms)
    )
    photo_codes.drop_snapshots(connection, snapshot_ids)


def templates_over(connection: Connection, cutoff: str) -> list[int]:
    """Enrolled photos with a template whose learners' classes are all over."""
    query = (
        select(ReferencePhoto.id)
        .join(Learner, Learner.id == ReferencePhoto.learner_id)
        .where(ReferencePhoto.template_encrypted.is_not(None), ~_learner_kept(_over(cutoff)))
        .order_by(ReferencePhoto.id)
    )
    return list(connection.execute(query).scalars())


def drop_templates(connection: Connection, photo_ids: Collection[int]) -> None:
    """That a face was enrolled stays a fact; the face does not."""
    connection.execute(
        update(ReferencePhoto)
        .where(ReferencePhoto.id.in_(photo_ids))
        .values(template_encrypted=None)
    )


def references_over(connection: Connection, terms: PhotoTerms) -> Sequence[StoredBytes]:
    """(id, blob_key) of enrolled photos whose term is over in each class of their learners, and of
    learners who were erased."""
    erased = exists().where(
        LearnerKey.learner_id == Learner.id, LearnerKey.destroyed_ms.is_not(None)
    )
    return fetch(
        connection,
        select(ReferencePhoto.id, ReferencePhoto.blob_key)
        .join(Learner, Learner.id == ReferencePhoto.learner_id)
        .where(
            ReferencePhoto.blob_key.is_not(None), or_(erased, ~_learner_kept(_photos_over(terms)))
        )
        .order_by(ReferencePhoto.id),
        StoredBytes,
    )


def reference_removed(connection: Connection, photo_id: int) -> None:
    drop_templates(connection, [photo_id])
    photo_codes.drop_reference(connection, photo_id)
    connection.execute(
        update(ReferencePhoto).where(ReferencePhoto.id == photo_id).values(blob_key=None)
    )


def erase(connection: Connection, learner_id: int, now_ms: int) -> int:
    """Destroy the learner's key and templates and mark all photos; how many those are."""
    row = {"learner_id": learner_id, "wrapped": None, "created_ms": now_ms, "destroyed_ms": now_ms}
    insert_new(connection, LearnerKey, [row], ("learner_id",))
    connection.execute(
        update(LearnerKey)
        .where(LearnerKey.learner_id == learner_id, LearnerKey.destroyed_ms.is_(None))
        .values(wrapped=None, other=None, other_ms=None, destroyed_ms=now_ms)
    )
    mine = select(Session.id).where(Session.learner_id == learner_id)
    connection.execute(
        update(Snapshot).where(Snapshot.session_id.in_(mine)).values(embedding_encrypted=None)
    )
    references = select(ReferencePhoto.id).where(ReferencePhoto.learner_id == learner_id)
    drop_templates(connection, list(connection.execute(references).scalars()))
    photo_codes.drop_learner(connection, learner_id)
    result = connection.execute(
        update(Snapshot)
        .where(
            Snapshot.session_id.in_(mine),
            Snapshot.blob_key.is_not(None),
            Snapshot.removal_ms.is_(None),
        )
        .values(removal_ms=now_ms)
    )
    return result.rowcount


def erased(connection: Connection) -> set[tuple[str, str]]:
    """Learners whose key was destroyed: the platform's slug, and its own id of the learner."""
    query = (
        select(Platform.slug, Learner.external_id)
        .join(Learner, Learner.platform_id == Platform.id)
        .join(LearnerKey, LearnerKey.learner_id == Learner.id)
        .where(LearnerKey.destroyed_ms.is_not(None))
    )
    return {(slug, learner) for slug, learner in connection.execute(query)}


def learner(connection: Connection, platform_id: int, external_id: str) -> int | None:
    query = select(Learner.id).where(
        Learner.platform_id == platform_id, Learner.external_id == external_id
    )
    return connection.execute(query).scalar_one_or_none()


def old_deliveries(connection: Connection, before_ms: int) -> int:
    """Forget webhook messages that came to their end before then; how many."""
    result = connection.execute(
        WebhookDelivery.__table__.delete().where(  # type: ignore[attr-defined]
            WebhookDelivery.next_attempt_ms.is_(None), WebhookDelivery.created_ms < before_ms
        )
    )
    return int(result.rowcount)


# ---------------------------------------------------------------------------------------- holds


def place(connection: Connection, **values: Any) -> int:
    statement = insert(LegalHold).values(**values).returning(LegalHold.id)
    return connection.execute(statement).scalar_one()


def lift(connection: Connection, hold_id: int, now_ms: int) -> bool:
    result = connection.execute(
        update(LegalHold)
        .where(LegalHold.id == hold_id, LegalHold.lifted_ms.is_(None))
        .values(lifted_ms=now_ms)
    )
    return result.rowcount == 1


class HoldRow(Protocol):
    """`class_id` is None where a learner is held; `name` is theirs."""

    id: int
    class_id: int | None
    reason: str
    placed_by: str
    placed_ms: int
    lifted_ms: int | None
    klass: str | None
    learner: str | None
    name: str | None


_HOLDS = (
    select(
        LegalHold,
        TrainingClass.external_id.label("klass"),
        Learner.external_id.label("learner"),
        Learner.name,
    )
    .join(TrainingClass, TrainingClass.id == LegalHold.class_id, isouter=True)
    .join(Learner, Learner.id == LegalHold.learner_id, isouter=True)
)


def holds(connection: Connection) -> Sequence[HoldRow]:
    """Holds in force, with the names of what they keep."""
    query = _HOLDS.where(LegalHold.lifted_ms.is_(None)).order_by(LegalHold.id)
    return fetch(connection, query, HoldRow)


def holds_of_class(connection: Connection, class_id: int) -> Sequence[HoldRow]:
    """Holds on the class and on its learners, those in force first, then those that were lifted."""
    learners = select(Enrolment.learner_id).where(Enrolment.class_id == class_id)
    mine = or_(LegalHold.class_id == class_id, LegalHold.learner_id.in_(learners))
    order = (LegalHold.lifted_ms.is_not(None), LegalHold.id.desc())
    return fetch(connection, _HOLDS.where(mine).order_by(*order), HoldRow)


class HeldClass(Protocol):
    id: int
    klass: str
    occupation: str
    institution: str
    holds: int


def classes_held(connection: Connection, scope: AccessScope) -> Sequence[HeldClass]:
    """Classes with holds in force, on them or on their learners, within the scope."""
    mine = or_(
        LegalHold.class_id == TrainingClass.id,
        exists().where(
            Enrolment.class_id == TrainingClass.id, Enrolment.learner_id == LegalHold.learner_id
        ),
    )
    query = (
        select(
            TrainingClass.id,
            TrainingClass.external_id.label("klass"),
            TrainingClass.occupation,
            TrainingClass.institution,
            func.count(LegalHold.id).label("holds"),
        )
        .join(LegalHold, and_(mine, LegalHold.lifted_ms.is_(None)))
        .where(scope.covers_class())
        .group_by(TrainingClass.id)
        .order_by(TrainingClass.id)
    )
    return fetch(connection, query, HeldClass)


def holds_on_learner(connection: Connection, learner_id: int) -> list[int]:
    """Holds in force on the learner or on a class of theirs."""
    classes = select(Enrolment.class_id).where(Enrolment.learner_id == learner_id)
    query = select(LegalHold.id).where(
        LegalHold.lifted_ms.is_(None),
        or_(LegalHold.learner_id == learner_id, LegalHold.class_id.in_(classes)),
    )
    return sorted(connection.execute(query).scalars())
