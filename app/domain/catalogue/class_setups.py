"""A school's class on its way: institution, course, class, roster, photos, platform.

What is done is read from what there is, so that each step can be taken again and nothing has to be
kept in step with it; only what was chosen is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from app.errors import BadInput, Conflict, NotFound
from app.store.catalogue import catalogue
from app.store.catalogue import class_setups as store
from app.store.catalogue.catalogue import ListedCourse
from app.store.catalogue.class_setups import OfferedPlatform, SetupRow
from app.store.faces import reference_photos
from app.store.scope import AccessScope


class SetupStep(StrEnum):
    """The steps, in their order."""

    INSTITUTION = "institution"
    COURSE = "course"
    CLASS = "class"
    ROSTER = "roster"
    PHOTOS = "photos"
    ACCESS = "access"


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """`photos` of `consenting`: learners with a photo, of those who agreed to face checks. `keys`:
    of the platform, that may send what is studied."""

    learners: int = 0
    consenting: int = 0
    photos: int = 0
    keys: int = 0
    sittings: int = 0
    done: frozenset[SetupStep] = frozenset()

    @property
    def next(self) -> SetupStep | None:
        """The first step that is not done."""
        return next((it for it in SetupStep if it not in self.done), None)


def begin(connection: Connection, institution_id: int, *, actor: str, now_ms: int) -> int:
    """A new setup for the institution; its id."""
    return store.insert_setup(
        connection, institution_id=institution_id, begun_by=actor, begun_ms=now_ms
    )


def setup_seen(connection: Connection, scope: AccessScope, setup_id: int) -> SetupRow:
    """Raises NotFound."""
    row = store.setup(connection, scope, setup_id)
    if row is None:
        raise NotFound("unknown_setup", "there is no such setup")
    return row


def offered(
    connection: Connection, scope: AccessScope, slug: str, institution_id: int | None = None
) -> OfferedPlatform:
    """The platform of that slug, if classes may be set up on it. Raises BadInput."""
    rows = store.offered_platforms(connection, scope, institution_id)
    found = next((it for it in rows if it.slug == slug), None)
    if found is None:
        raise BadInput("platform_not_offered", "platform: choose one", field="platform")
    return found


def courses_offered(
    connection: Connection, scope: AccessScope, platform_ids: Sequence[int]
) -> list[ListedCourse]:
    """Courses of these platforms; for an institution its own and those of the platform itself."""
    rows = catalogue.listed_courses(connection, platform_ids)
    mine = (None, scope.institution_id)
    return [it for it in rows if scope.institution_id is None or it.institution_id in mine]


def choose_platform(connection: Connection, row: SetupRow, platform_id: int) -> None:
    """Another platform has other courses. Raises Conflict `setup_has_class` once there is a
    class."""
    if row.platform_id == platform_id:
        return
    if row.class_id is not None:
        raise Conflict("setup_has_class", "the class is open on its platform", field="platform")
    store.update_setup(connection, row.id, platform_id=platform_id, course_id=None)


def choose_course(connection: Connection, row: SetupRow, platform_id: int, course_id: str) -> None:
    """The course of that id on the platform. Raises Conflict as `choose_platform` does."""
    choose_platform(connection, row, platform_id)
    chosen = store.row_of_course(connection, platform_id, course_id)
    store.update_setup(connection, row.id, course_id=chosen)


def choose_class(connection: Connection, row: SetupRow, class_id: int) -> None:
    klass = catalogue.class_by_id(connection, class_id)
    store.update_setup(connection, row.id, platform_id=klass.platform_id, class_id=class_id)


def progress(connection: Connection, row: SetupRow, now_ms: int) -> SetupProgress:
    """How far it has come."""
    if row.platform_id is None:
        return SetupProgress()
    keys = store.keys_in_use(connection, row.platform_id, now_ms)
    done = {SetupStep.INSTITUTION} | ({SetupStep.COURSE} if row.course_id else set())
    if row.class_id is None:
        return SetupProgress(keys=keys, done=frozenset(done))
    learners = catalogue.enrolled(connection, row.class_id)
    photos = reference_photos.counts(connection, row.class_id)
    with_photo = sum(it > 0 for it in photos.values())
    sittings = store.sittings(connection, row.class_id)
    reached = {
        SetupStep.COURSE: True,
        SetupStep.CLASS: True,
        SetupStep.ROSTER: learners > 0,
        SetupStep.PHOTOS: len(photos) > 0 and with_photo == len(photos),
        SetupStep.ACCESS: sittings > 0,
    }
    done |= {step for step, there in reached.items() if there}
    return SetupProgress(
        learners=learners,
        consenting=len(photos),
        photos=with_photo,
        keys=keys,
        sittings=sittings,
        done=frozenset(done),
    )
