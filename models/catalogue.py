"""What is taught: courses in immutable versions, and classes that freeze them."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped

from models.base import Base, Digest, Document, Items, Key, Ms, Name, Ref, Text, mapped_column


class Course(Base):
    __tablename__ = "courses"
    __table_args__ = (UniqueConstraint("platform_id", "external_id"),)

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    external_id: Mapped[Name]
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)


class CourseVersion(Base):
    """Never changed once written; a change of content makes the next version."""

    __tablename__ = "course_versions"
    __table_args__ = (UniqueConstraint("course_id", "version"),)

    id: Mapped[Key]
    course_id: Mapped[Ref] = mapped_column(ForeignKey("courses.id"))
    version: Mapped[int]
    digest: Mapped[Digest]
    title: Mapped[Text]
    course_kind: Mapped[Name | None]
    sequential_lock: Mapped[bool]
    created_ms: Mapped[Ms]


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("course_version_id", "external_id"),)

    id: Mapped[Key]
    course_version_id: Mapped[Ref] = mapped_column(ForeignKey("course_versions.id"))
    external_id: Mapped[Name]
    position: Mapped[int]  # rank in the course, from 0
    title: Mapped[Text]
    media_ms: Mapped[int]
    class_hours: Mapped[int]


class TrainingClass(Base):
    """A class as opened. `terms` keeps the opening document whole; columns are what is queried."""

    __tablename__ = "classes"
    __table_args__ = (UniqueConstraint("platform_id", "external_id"),)

    id: Mapped[Key]
    platform_id: Mapped[Ref] = mapped_column(ForeignKey("platforms.id"))
    external_id: Mapped[Name]
    official_class_no: Mapped[Name | None]
    institution: Mapped[Name]
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    occupation: Mapped[Name]
    county: Mapped[Name]
    controls: Mapped[Name]  # service | platform
    pack_id: Mapped[Name]
    pack_version: Mapped[Name]
    pack_digest: Mapped[Name]
    starts_on: Mapped[Name]
    ends_on: Mapped[Name]
    assessment_on: Mapped[Name | None] = mapped_column(index=True)
    terms: Mapped[Document]
    course_version_ids: Mapped[Items]
    plan_digest: Mapped[Digest]
    opened_ms: Mapped[Ms]
    sandbox: Mapped[bool] = mapped_column(default=False, server_default=false())  # never counts
    ahead_ms: Mapped[Ms] = mapped_column(default=0, server_default="0")  # a sandbox's clock
    scale_chosen: Mapped[Name | None]  # graded | literal, once the authority picked
    scale_chosen_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    scale_chosen_ms: Mapped[Ms | None]


class ClassHour(Base):
    """One class-hour of a class's frozen plan; `pieces` = [{lesson_id, start_ms, end_ms}, …]."""

    __tablename__ = "class_hours"
    __table_args__ = (UniqueConstraint("class_id", "number"),)

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    course_version_id: Mapped[Ref] = mapped_column(ForeignKey("course_versions.id"))
    number: Mapped[int]  # 1-based in the class
    media_ms: Mapped[int]
    pieces: Mapped[Items]


class Enrolment(Base):
    """A learner in a class. Days are `yyyy-mm-dd`, both belong to the stay; they are what the
    recorded acts in force come to."""

    __tablename__ = "enrolments"
    __table_args__ = (UniqueConstraint("class_id", "learner_id"),)

    id: Mapped[Key]
    class_id: Mapped[Ref] = mapped_column(ForeignKey("classes.id"))
    learner_id: Mapped[Ref] = mapped_column(ForeignKey("learners.id"))
    employer: Mapped[Name | None]
    category: Mapped[Name | None]
    enrolled_ms: Mapped[Ms]
    first_on: Mapped[Name | None]  # None: from the class's first day
    last_on: Mapped[Name | None]
    ended_by: Mapped[Name | None]  # left | moved | withdrawn: the move that made it was taken back
    moved_from: Mapped[int | None] = mapped_column(BigInteger)  # the class they were in before
    away: Mapped[Items | None]  # when they were not in it between; see app.store.stays.Away
    trainee: Mapped[Document | None]  # what checks on who may be trained ask; see roster_rows
