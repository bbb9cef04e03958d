"""Learners, platforms and findings by what somebody typed, within a scope."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, Connection, or_, select

from app.store.accounts import vault_keys
from app.store.row import typed
from app.store.scope import AccessScope
from app.vault import NumberHash
from models import (
    Enrolment,
    Finding,
    Institution,
    Learner,
    Person,
    Platform,
    Session,
    TrainingClass,
)

_OF_A_TELEPHONE = 6  # digits from which on a text may be one


class LearnerHit(msgspec.Struct, frozen=True, kw_only=True):
    """A learner in one class, with the platform's ids."""

    learner_id: int
    person_id: int
    name: str
    id_last4: str | None
    external_id: str
    class_id: int
    klass: str
    occupation: str
    institution: str
    starts_on: str
    platform: str


class PlatformHit(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    name: str


def named(connection: Connection, scope: AccessScope, text: str, limit: int) -> list[LearnerHit]:
    """By part of a name, the platform's id, or the last four of the ID number; newest class
    first."""
    condition = or_(
        Learner.name.contains(text, autoescape=True),
        Learner.external_id == text,
        Learner.id_last4 == text.upper(),
    )
    return _learners(connection, scope, condition, limit)


def of_person(
    connection: Connection, scope: AccessScope, person_id: int, limit: int
) -> list[LearnerHit]:
    """Every class of one person, on any platform."""
    return _learners(connection, scope, Learner.person_id == person_id, limit)


def person_by_hash(connection: Connection, id_hash: NumberHash) -> int | None:
    """Raises KeysMovedOn."""
    vault_keys.require_newest(connection, id_hash)
    return connection.scalar(select(Person.id).where(Person.id_hash.in_(id_hash.all)))


def platforms(
    connection: Connection, scope: AccessScope, text: str, limit: int
) -> list[PlatformHit]:
    """By part of a name, or the short name."""
    query = select(Platform.slug, Platform.name).where(
        or_(Platform.name.contains(text, autoescape=True), Platform.slug == text),
        scope.covers_platform(),
    )
    return typed(connection.execute(query.order_by(Platform.name).limit(limit)), PlatformHit)


class InstitutionHit(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    code: str
    county: str


def institutions(
    connection: Connection, scope: AccessScope, text: str, limit: int
) -> list[InstitutionHit]:
    """By part of a name, the code, or the telephone of who is asked there; none for a platform's
    people, who see no such page."""
    if scope.platform_id is not None:
        return []
    said = [Institution.name.contains(text, autoescape=True), Institution.code == text]
    if sum(it.isdigit() for it in text) >= _OF_A_TELEPHONE:
        said.append(Institution.contact.contains(text, autoescape=True))
    query = select(Institution.id, Institution.name, Institution.code, Institution.county).where(
        or_(*said),
        scope.covers_institution(),
    )
    return typed(connection.execute(query.order_by(Institution.name).limit(limit)), InstitutionHit)


def finding(connection: Connection, scope: AccessScope, number: str) -> int | None:
    """By its number here, or its evidence number on the lists."""
    mine = Finding.key == number
    if number.isascii() and number.isdecimal() and len(number) < 16:
        mine = or_(mine, Finding.id == int(number))
    return connection.scalar(
        select(Finding.id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(mine, Finding.shadow.is_(False), scope.covers_class())
        .limit(1)
    )


def sittings(connection: Connection, scope: AccessScope, name: str) -> list[int]:
    """Row ids of those that bear this id at their platform."""
    every = select(Platform.id)
    if scope.platform_id is not None:
        every = every.where(Platform.id == scope.platform_id)
    query = (  # by platform: there is an index
        select(Session.id)
        .join(TrainingClass, TrainingClass.id == Session.class_id)
        .where(
            Session.platform_id.in_(connection.scalars(every).all()),
            Session.external_id == name,
            scope.covers_class(),
        )
        .order_by(Session.id)
    )
    return list(connection.scalars(query))


def _learners(
    connection: Connection, scope: AccessScope, condition: ColumnElement[bool], limit: int
) -> list[LearnerHit]:
    rows = connection.execute(
        select(
            Learner.id.label("learner_id"),
            Learner.person_id,
            Learner.name,
            Learner.id_last4,
            Learner.external_id,
            TrainingClass.id.label("class_id"),
            TrainingClass.external_id.label("klass"),
            TrainingClass.occupation,
            TrainingClass.institution,
            TrainingClass.starts_on,
            Platform.name.label("platform"),
        )
        .join(Enrolment, Enrolment.learner_id == Learner.id)
        .join(TrainingClass, TrainingClass.id == Enrolment.class_id)
        .join(Platform, Platform.id == Learner.platform_id)
        .where(condition, scope.covers_class())
        .order_by(TrainingClass.id.desc(), Learner.external_id)
        .limit(limit)
    )
    return typed(rows, LearnerHit)
