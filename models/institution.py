"""Counties, the training institutions they list, and how far a school is with its first class."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Items, Key, Ms, Name, Ref, Text, mapped_column


class County(Base):
    """Platforms, classes and users name it by its name, which therefore never changes."""

    __tablename__ = "counties"

    id: Mapped[Key]
    name: Mapped[Name] = mapped_column(unique=True)
    code: Mapped[Name | None] = mapped_column(unique=True)  # GB/T 2260
    created_ms: Mapped[Ms]


class Institution(Base):
    """A training institution as a county lists it; `reviews` = [{year, passed, document}, …],
    `teachers` = [{name, occupation, certificate, from_on, until_on}, …], the full-time ones."""

    __tablename__ = "institutions"
    __table_args__ = (
        UniqueConstraint("county", "code"),
        UniqueConstraint("county", "name"),
    )

    id: Mapped[Key]
    county: Mapped[Name]
    code: Mapped[Name]
    name: Mapped[Name]
    listed_from: Mapped[Name | None]  # ISO dates, both included
    listed_until: Mapped[Name | None]
    document: Mapped[Name | None]  # that put it on the list
    contact: Mapped[Name | None]  # who is asked, with telephone
    bank: Mapped[Name | None]
    bank_account: Mapped[Name | None]
    reviews: Mapped[Items]
    teachers: Mapped[Items | None]
    vocational_school: Mapped[bool | None]  # 职业学校; None: nobody said
    withdrawn_on: Mapped[Name | None]
    withdrawn_reason: Mapped[Text | None]
    created_ms: Mapped[Ms]


class ClassSetup(Base):
    """A class being set up step by step; what is not chosen yet is null."""

    __tablename__ = "class_setups"

    id: Mapped[Key]
    institution_id: Mapped[Ref] = mapped_column(ForeignKey("institutions.id"))
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platforms.id"))
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"))
    class_id: Mapped[int | None] = mapped_column(ForeignKey("classes.id"))
    begun_by: Mapped[Name]
    begun_ms: Mapped[Ms]
