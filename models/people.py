"""People who study, and people who look at them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Blob, Digest, Document, Items, Key, Ms, Name, Ref, mapped_column


class Person(Base):
    """One natural person, known by the keyed hash of the ID number, whatever accounts exist.
    `hash_generation` says which generation of the key made it."""

    __tablename__ = "persons"

    id: Mapped[Key]
    id_hash: Mapped[Digest | None] = mapped_column(unique=True)
    hash_generation: Mapped[int] = mapped_column(default=1, server_default="1")


class Learner(Base):
    """A person's account on one platform."""

    __tablename__ = "learners"
    __table_args__ = (UniqueConstraint("platform_id", "external_id"),)

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    external_id: Mapped[Name]
    person_id: Mapped[Ref] = mapped_column(ForeignKey("persons.id"))
    name: Mapped[Name]
    id_number_encrypted: Mapped[Blob | None]
    id_last4: Mapped[Name | None]
    real_name_verified: Mapped[bool | None]  # None: nobody said
    face_consent: Mapped[bool]
    consent_ms: Mapped[Ms | None]
    consent_document: Mapped[Name | None]
    created_ms: Mapped[Ms]


class LearnerKey(Base):
    """The key that a learner's face data is encrypted with, wrapped by the master key.

    While keys are exchanged there is an `other` since `other_ms`: the next one, and once the two
    have changed places (`turned_ms`) the former one.

    Erasure destroys `wrapped`: what was encrypted with it stays unreadable. Older backups of the
    database still hold it (docs/privacy.md).
    """

    __tablename__ = "learner_keys"

    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"), primary_key=True)
    wrapped: Mapped[Blob | None]
    created_ms: Mapped[Ms]
    destroyed_ms: Mapped[Ms | None]
    other: Mapped[Blob | None]
    other_ms: Mapped[Ms | None]
    turned_ms: Mapped[Ms | None]


class ReferencePhoto(Base):
    """An enrolled photo and its face template, both encrypted with the learner's key.

    An imported photo waits as `pending` for the face worker; one that no face can be enrolled
    from is kept as `refused`, with the reason in `quality`.
    """

    __tablename__ = "reference_photos"
    __table_args__ = (UniqueConstraint("learner_id", "sha256"),)

    id: Mapped[Key]
    learner_id: Mapped[Ref] = mapped_column(ForeignKey("learners.id"))
    sha256: Mapped[Digest]
    blob_key: Mapped[Name | None]
    template_encrypted: Mapped[Blob | None]
    model: Mapped[Name | None]
    quality: Mapped[Document]
    status: Mapped[Name] = mapped_column(default="ready", index=True)  # pending | ready | refused
    created_ms: Mapped[Ms]
    retired_ms: Mapped[Ms | None]


class User(Base):
    """Someone who signs in to the console. Roles: auditor, reviewer, platform_viewer,
    school, admin."""

    __tablename__ = "users"

    id: Mapped[Key]
    username: Mapped[Name] = mapped_column(unique=True)
    display_name: Mapped[Name]
    password_hash: Mapped[Name]
    role: Mapped[Name]
    counties: Mapped[Items]
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platforms.id"))
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    office: Mapped[Name | None]  # of who decides: industry | labour | finance
    created_ms: Mapped[Ms]
    disabled_ms: Mapped[Ms | None]
    factor_due_ms: Mapped[Ms | None]  # from when on deciding needs a second factor
    reset_asked_ms: Mapped[Ms | None]
    reset_asked_by: Mapped[Name | None]  # whose request to take the factors away waits for another


class SecondFactor(Base):
    """What somebody shows beside the password.

    `secret` is an authenticator app's seed, sealed; a passkey's public key; or a recovery code's
    keyed hash. `counter` is the last time step or signature count that was taken.
    """

    __tablename__ = "second_factors"

    id: Mapped[Key]
    user_id: Mapped[Ref] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[Name]  # totp | passkey | recovery
    name: Mapped[Name]
    secret: Mapped[Blob]
    credential: Mapped[Blob | None] = mapped_column(unique=True)
    counter: Mapped[Ms]
    created_ms: Mapped[Ms]
    used_ms: Mapped[Ms | None]


class UserSession(Base):
    """A console login. The cookie carries the token, the table only its digest."""

    __tablename__ = "user_sessions"

    token_digest: Mapped[Digest] = mapped_column(primary_key=True)
    user_id: Mapped[Ref] = mapped_column(ForeignKey("users.id"))
    csrf: Mapped[Name]
    created_ms: Mapped[Ms]
    seen_ms: Mapped[Ms]
    expires_ms: Mapped[Ms]
    address: Mapped[Name] = mapped_column(server_default="")
    browser: Mapped[Name] = mapped_column(server_default="")
    confirmed_ms: Mapped[Ms | None]  # when a second factor was shown


class LoginFailure(Base):
    """A failed login, or one under way, under what it is counted for: the digest of a name, an
    address, both, or a browser."""

    __tablename__ = "login_failures"

    id: Mapped[Key]
    key: Mapped[Digest] = mapped_column(index=True)
    at_ms: Mapped[Ms] = mapped_column(index=True)
