"""Face checks that the authority asked for at a moment, and the sittings they were asked of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, func, insert, select, update

from app.store.row import fetch, fetch_one_or_none
from app.store.scope import AccessScope
from models import Learner, Platform, Session, SpotCheck, TrainingClass, User

PATIENCE_MS = 600_000  # this product's default: then nobody waits for the learner to play on


def waiting(connection: Connection, session_ids: Collection[int], now_ms: int) -> dict[int, int]:
    """The first one, by sitting, that the sitting's page has not been told of."""
    query = (
        select(SpotCheck.session_id, func.min(SpotCheck.id))
        .where(
            SpotCheck.session_id.in_(session_ids),
            SpotCheck.challenge_id.is_(None),
            SpotCheck.asked_ms > now_ms - PATIENCE_MS,
        )
        .group_by(SpotCheck.session_id)
    )
    return {session_id: first for session_id, first in connection.execute(query)}


def waiting_sittings(connection: Connection, now_ms: int) -> list[int]:
    """Row ids of all sittings that have one waiting."""
    query = select(SpotCheck.session_id).where(
        SpotCheck.asked_ms > now_ms - PATIENCE_MS, SpotCheck.challenge_id.is_(None)
    )
    return sorted(set(connection.execute(query).scalars()))


def met(connection: Connection, spot_check_id: int, challenge_id: str, issued_ms: int) -> None:
    connection.execute(
        update(SpotCheck)
        .where(SpotCheck.id == spot_check_id)
        .values(challenge_id=challenge_id, issued_ms=issued_ms)
    )


def add(connection: Connection, **values: Any) -> int:
    query = insert(SpotCheck).values(**values).returning(SpotCheck.id)
    return int(connection.execute(query).scalar_one())


def name(connection: Connection, spot_check_id: int, challenge_id: str) -> None:
    """How a platform that runs its own controls is to call the check."""
    connection.execute(
        update(SpotCheck).where(SpotCheck.id == spot_check_id).values(challenge_id=challenge_id)
    )


def asked_since(connection: Connection, person_id: int, since_ms: int) -> list[int]:
    """When a person was asked since then, on whatever platform, the latest first."""
    query = select(SpotCheck.asked_ms).where(
        SpotCheck.person_id == person_id, SpotCheck.asked_ms > since_ms
    )
    return list(connection.execute(query.order_by(SpotCheck.asked_ms.desc())).scalars())


class AskedSitting(Protocol):
    """A sitting of which a check can be asked."""

    id: int
    external_id: str
    state: str
    last_recv_ms: int
    person_id: int
    class_id: int
    klass: str
    learner: str
    face_consent: bool
    controls: str


def sitting(connection: Connection, scope: AccessScope, session_id: int) -> AskedSitting | None:
    return fetch_one_or_none(
        connection,
        select(
            Session.id,
            Session.external_id,
            Session.state,
            Session.last_recv_ms,
            Session.person_id,
            Session.class_id,
            TrainingClass.external_id.label("klass"),
            Learner.external_id.label("learner"),
            Learner.face_consent,
            TrainingClass.controls,
        )
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Learner, Learner.id == Session.learner_id)
        .where(Session.id == session_id, scope.covers_class()),
        AskedSitting,
    )


class SpotCheckRow(Protocol):
    """A check with its sitting as it is now."""

    id: int
    session_id: int
    asked_ms: int
    who: str
    challenge_id: str | None
    issued_ms: int | None
    class_id: int
    occupation: str
    class_name: str
    learner_id: int
    learner: str
    learner_name: str
    platform: str
    controls: str
    pack_id: str
    pack_version: str
    state: str
    last_recv_ms: int
    closed_ms: int | None


def asked(
    connection: Connection, scope: AccessScope, since_ms: int, most: int, class_id: int | None
) -> Sequence[SpotCheckRow]:
    """Checks that were asked for since then, of a class or of all, the latest first."""
    query = (
        select(
            SpotCheck.id,
            SpotCheck.session_id,
            SpotCheck.asked_ms,
            User.display_name.label("who"),
            SpotCheck.challenge_id,
            SpotCheck.issued_ms,
            Session.class_id,
            TrainingClass.occupation,
            TrainingClass.external_id.label("class_name"),
            Session.learner_id,
            Learner.external_id.label("learner"),
            Learner.name.label("learner_name"),
            Platform.name.label("platform"),
            TrainingClass.controls,
            TrainingClass.pack_id,
            TrainingClass.pack_version,
            Session.state,
            Session.last_recv_ms,
            Session.closed_ms,
        )
        .join(Session, Session.id == SpotCheck.session_id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .join(Learner, Learner.id == Session.learner_id)
        .join(Platform, Platform.id == Session.platform_id)
        .join(User, User.id == SpotCheck.asked_by)
        .where(SpotCheck.asked_ms > since_ms, scope.covers_class())
        .order_by(SpotCheck.id.desc())
        .limit(most)
    )
    if class_id is not None:
        query = query.where(Session.class_id == class_id)
    return fetch(connection, query, SpotCheckRow)
