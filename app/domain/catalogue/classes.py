"""Classes: opened on frozen course versions, with a frozen plan of class-hours."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.canonical import canonical
from app.clock import DAY_MS
from app.domain import credit_codes, runs
from app.domain.answer import UNSET, Answer, Date, EpochMs, Sha256, UnsetType
from app.domain.catalogue import claims, institutions
from app.domain.catalogue.class_plan import PlannedLesson, plan_course
from app.domain.catalogue.courses import PutResult
from app.domain.catalogue.roster_rows import OccupationCode
from app.domain.policy import pack_term, packs
from app.domain.policy.pack_schema import PackError
from app.domain.policy.pack_term import PackTerm
from app.domain.policy.packs import Pack
from app.domain.wire import Day, Id, Line, Wire
from app.errors import BadInput, Conflict, NotFound
from app.store.accounts import audit
from app.store.catalogue import catalogue as store
from app.store.catalogue import institutions as institution_store
from app.store.catalogue.institutions import InstitutionRow
from app.store.scope import AccessScope
from detectors.batch_facts import TrainingKind
from detectors.qualifications import LEVELS, Certificate, certificate_of, level_of

FROZEN = (
    "institution",
    "occupation",
    "level",
    "certificate_type",
    "mode",
    "course_ids",
    "starts_on",
    "policy_id",
    "controls",
)
"""What cannot change once somebody has studied. The rest may, and every change is recorded."""

DATES = {"ends_on", "assessment"}
"""What of the terms decides on which days study counts, and may change."""

SANDBOX_COUNTY = "沙箱"
"""Where sandbox classes are held: no county's figures, lists, standards or money reach there."""

MOST_AHEAD_MS = 366 * DAY_MS  # of a sandbox's clock: product default
MOST_ADVANCE_S = 31 * 86_400  # at a time

Hours = Annotated[float, Field(ge=0, le=10_000)]


class Applicant(Wire):
    type: Literal["enterprise", "institution", "individual"]
    name: Line
    uscc: Annotated[Line | None, BeforeValidator(credit_codes.tidy)] = None


class PlannedAssessment(Wire):
    planned_on: Day | None = None
    applied_on: Day | None = None
    mode: Literal["online", "blended", "offline"] | None = None


class Teacher(Wire):
    """A teacher as the plan of 2021 asks (003, clause 20 (1)): employed full time (专职), and with
    a teacher's certificate (教师资格证), where that was said."""

    name: Line
    full_time: bool | None = None
    certificate: Annotated[Line | None, Field(description="its number")] = None


class ClassTerms(Wire):
    official_class_no: Line | None = None
    institution: Annotated[
        Line, Field(description="name, or code of one on the county's list; kept as the name")
    ]
    occupation: Line
    training_kind: Annotated[
        Literal["upskilling", "employment", "business", "apprenticeship", "other"] | None,
        Field(description="null: nobody said; what is asked of apprenticeships stays open"),
    ] = None
    occupation_code: Annotated[
        OccupationCode | None,
        Field(description="of the 国家职业分类大典, such as 4-01-02-01"),
    ] = None
    level: Annotated[
        Line | None, Field(description="五级/初级工 (lowest) to 一级/高级技师, by any usual name")
    ] = None
    certificate_type: Annotated[
        Line | None, Field(description=f"one of {'、'.join(Certificate)}")
    ] = None
    mode: Literal["online", "blended", "offline"]
    applicant: Applicant | None = None
    course_ids: Annotated[list[Id], Field(max_length=100)]
    starts_on: Day
    ends_on: Day
    teachers: Annotated[
        Annotated[int, Field(ge=0, le=10_000)]
        | Annotated[list[Line | Teacher], Field(max_length=1000)]
        | None,
        Field(description="how many, their names, or who they are"),
    ] = None
    policy_id: Annotated[Id | None, Field(description="null: the service's default pack")] = None
    controls: Literal["service", "platform"] = "service"
    assessment: PlannedAssessment | None = None
    workplaces: Annotated[int | None, Field(ge=0, le=10_000)] = None
    plan_hours: Hours | None = None
    subsidy_yuan: Annotated[
        int | None,
        Field(ge=0, le=1_000_000, description="approved for each learner; orders the queue"),
    ] = None
    practical_hours: Hours | None = None
    sandbox: Annotated[
        bool,
        Field(
            description="a class to try in: judged like any other, seen by its platform alone, and "
            "counted nowhere; cannot change"
        ),
    ] = False

    @field_validator("level")
    @classmethod
    def _known_level(cls, said: str | None) -> str | None:
        if said and level_of(said) is None:
            names = "、".join("/".join(LEVELS[it][:1] + LEVELS[it][3:5]) for it in LEVELS)
            raise PydanticCustomError("unknown_level", f"须为{names}之一 / must be one of these")
        return said

    @field_validator("certificate_type")
    @classmethod
    def _known_certificate(cls, said: str | None) -> str | None:
        if said and certificate_of(said) is None:
            names = "、".join(Certificate)
            detail = f"须为{names}之一 / must be one of these"
            raise PydanticCustomError("unknown_certificate", detail)
        return said

    @model_validator(mode="after")
    def _consistent(self) -> ClassTerms:
        if self.ends_on < self.starts_on:
            raise PydanticCustomError("ends_before_start", "ends_on lies before starts_on")
        if not self.course_ids and self.mode != "offline":
            raise PydanticCustomError("no_courses", "course_ids: an online class needs a course")
        if len(set(self.course_ids)) < len(self.course_ids):
            raise PydanticCustomError("duplicate_course", "course_ids: a course stands twice")
        return self

    def document(self, policy_id: str) -> dict[str, Any]:
        """What is kept: `teachers` as a number, with `teacher_names` where they were given, and
        `teacher_details` where more than names."""
        kept = self.model_dump(mode="json") | {"policy_id": policy_id}
        if not self.sandbox:
            del kept["sandbox"]
        if isinstance(self.teachers, list):
            names = [it if isinstance(it, str) else it.name for it in self.teachers]
            kept |= {"teachers": len(names), "teacher_names": names}
            details = [
                (Teacher(name=it) if isinstance(it, str) else it).model_dump(mode="json")
                for it in self.teachers
            ]
            if any(isinstance(it, Teacher) for it in self.teachers):
                kept["teacher_details"] = details
        return kept


class ClassMode(StrEnum):
    ONLINE = "online"
    BLENDED = "blended"
    OFFLINE = "offline"


class ControlsBy(StrEnum):
    """Who asks for pop-ups and photos: this service, or the platform by itself."""

    SERVICE = "service"
    PLATFORM = "platform"


class ApplicantType(StrEnum):
    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    INDIVIDUAL = "individual"


class ClassApplicant(Answer, frozen=True, kw_only=True):
    type: ApplicantType
    name: str
    uscc: str | None = None


class ClassAssessment(Answer, frozen=True, kw_only=True):
    planned_on: Date | None = None
    applied_on: Date | None = None
    mode: ClassMode | None = None


class PackReference(Answer, frozen=True, kw_only=True):
    """The policy pack that the class was opened under."""

    id: str
    version: str
    digest: Sha256
    term: PackTerm | None


class CourseReference(Answer, frozen=True, kw_only=True):
    """The version of a course that is taught."""

    course_id: str
    version: int


class LessonStretch(Answer, frozen=True, kw_only=True):
    """Content of a lesson from `start` to `end`, in seconds."""

    lesson_id: str
    start: float
    end: float


class ClassHour(Answer, frozen=True, kw_only=True):
    """A planned class-hour, numbered from 1."""

    number: int
    course_id: str
    media_seconds: float
    pieces: list[LessonStretch]


class ClassTeacher(Answer, frozen=True, kw_only=True):
    name: str
    full_time: bool | None = None
    certificate: str | None = None


class Class(Answer, frozen=True, kw_only=True):
    """A class as opened, with its plan. A term that a class was opened without is null."""

    class_id: str
    official_class_no: str | None = None
    institution: str
    occupation: str
    training_kind: TrainingKind | None = None
    occupation_code: str | None = None
    level: str | None = None
    certificate_type: str | None = None
    mode: ClassMode
    applicant: ClassApplicant | None = None
    course_ids: list[str]
    starts_on: Date
    ends_on: Date
    teachers: int | None = None
    policy_id: str
    controls: ControlsBy
    assessment: ClassAssessment | None = None
    workplaces: int | None = None
    plan_hours: float | None = None
    subsidy_yuan: int | None = None
    practical_hours: float | None = None
    sandbox: bool = False
    teacher_names: list[str] | UnsetType = UNSET
    teacher_details: list[ClassTeacher] | UnsetType = UNSET
    policy: PackReference
    courses: list[CourseReference]
    plan_digest: Sha256
    class_hours: list[ClassHour]
    class_hours_total: int
    enrolled: int
    opened_at_ms: EpochMs


class ClassClock(Answer, frozen=True, kw_only=True):
    """What time it is in a sandbox class, and by how much that is ahead of the server's clock."""

    class_id: str
    now_ms: EpochMs
    ahead_s: int


def open_class(
    connection: Connection,
    platform_id: int,
    class_id: str,
    terms: ClassTerms,
    *,
    default_pack: str,
    actor: str,
    now_ms: int,
    institution_id: int | None = None,
    reason: str = "",
) -> PutResult[Class]:
    """Open the class, or change it; the view holds the plan. `institution_id`: for which
    institution its clerk does it, `reason`: why it is changed, for the audit log.

    Until somebody has studied in it, every call freezes the newest course versions and pack anew;
    from then on the same terms give the same answer. Raises BadInput naming the field, Conflict
    `class_frozen` naming the terms that can no longer change, `institution_withdrawn` for a new
    class of an institution that is off the county's list, or `class_taken` for an id under which
    another institution has a class.
    """
    pack = _chosen_pack(terms, default_pack)
    county = store.lock_platform(connection, platform_id)
    document = terms.document(pack.id)
    before = store.class_of_platform(connection, platform_id, class_id, lock=True)
    county = _county(before, terms, county)
    listed = _listed(connection, before, county, terms, institution_id)
    if listed is not None:
        document["institution"] = listed.name
    if before is not None and store.has_sessions(connection, before.id):
        changed = _amend(connection, before, document, reason, actor=actor, now_ms=now_ms)
        return PutResult(view(connection, class_of(connection, platform_id, class_id)), changed)
    versions = _newest_versions(connection, platform_id, terms.course_ids)
    hours, digest = _plan(connection, versions, pack)
    values = {
        **_columns(document),
        **_pack_columns(pack),
        "course_version_ids": [version.id for version in versions],
        "plan_digest": digest,
        "institution_id": listed.id if listed else None,
    }
    named = {"platform_id": platform_id, "external_id": class_id, "county": county}
    row_id = _stored(connection, before, values, named | {"opened_ms": now_ms})
    if row_id is None:
        return PutResult(view(connection, class_of(connection, platform_id, class_id)), False)
    store.replace_class_hours(connection, row_id, hours)
    told = {"plan": digest.hex(), "reason": reason}
    _record(connection, now_ms, actor, "class.opened", platform_id, class_id, told)
    return PutResult(view(connection, class_of(connection, platform_id, class_id)), changed=True)


def move_clock(
    connection: Connection,
    platform_id: int,
    class_id: str,
    advance_s: int,
    *,
    actor: str,
    now_ms: int,
) -> ClassClock:
    """Move the clock of a sandbox class forward. Raises NotFound, Conflict `not_a_sandbox`, and
    BadInput beyond what a class's clock may be ahead."""
    row = class_of(connection, platform_id, class_id, lock=True)
    if not row.sandbox:
        raise Conflict("not_a_sandbox", "只有沙箱班级的时钟可以拨快 / only a sandbox's clock moves")
    ahead_ms = row.ahead_ms + advance_s * 1000
    if ahead_ms > MOST_AHEAD_MS:
        days = MOST_AHEAD_MS // DAY_MS
        raise BadInput(
            "too_far_ahead",
            f"advance_s: 最多拨快{days}天 / at most {days} days ahead: open another class",
        )
    if advance_s:
        store.update_class(connection, row.id, ahead_ms=ahead_ms)
        told = {"advance_s": advance_s, "ahead_s": ahead_ms // 1000}
        _record(connection, now_ms, actor, "class.clock_moved", platform_id, class_id, told)
    return ClassClock(class_id=class_id, now_ms=now_ms + ahead_ms, ahead_s=ahead_ms // 1000)


def class_of(
    connection: Connection, platform_id: int, class_id: str, *, lock: bool = False
) -> store.ClassRow:
    """The platform's class of that id. Raises NotFound."""
    row = store.class_of_platform(connection, platform_id, class_id, lock=lock)
    if row is None:
        raise _unknown(class_id)
    return row


def class_seen(
    connection: Connection, scope: AccessScope, class_id: str, platform: str | None = None
) -> store.ClassRow:
    """The class of that id that `scope` covers. Raises NotFound, or Conflict when there are two:
    ids are a platform's own, and `platform` (its slug) tells them apart."""
    rows = store.classes_named(connection, scope, class_id, platform)
    if not rows:
        raise _unknown(class_id)
    if len(rows) > 1:
        raise Conflict(
            "ambiguous_id", f"several platforms have a class {class_id!r}: add ?platform="
        )
    return rows[0]


def view(connection: Connection, row: store.ClassRow) -> Class:
    """The class with its frozen plan, in the platform's own ids and in seconds."""
    versions = store.versions_by_id(connection, row.course_version_ids)
    names = {
        lesson.id: lesson.external_id
        for lesson in store.lessons(connection, row.course_version_ids)
    }
    hours = [
        ClassHour(
            number=hour.number,
            course_id=versions[hour.course_version_id].course,
            media_seconds=hour.media_ms / 1000,
            pieces=[
                LessonStretch(
                    lesson_id=names[piece["lesson_id"]],
                    start=piece["start_ms"] / 1000,
                    end=piece["end_ms"] / 1000,
                )
                for piece in hour.pieces
            ],
        )
        for hour in store.class_hours(connection, row.id)
    ]
    plan = {
        "policy": PackReference(
            id=row.pack_id,
            version=row.pack_version,
            digest=row.pack_digest,
            term=term_of(row),
        ),
        "courses": [
            CourseReference(course_id=versions[key].course, version=versions[key].version)
            for key in row.course_version_ids
        ],
        "plan_digest": row.plan_digest.hex(),
        "class_hours": hours,
        "class_hours_total": len(hours),
        "enrolled": store.enrolled(connection, row.id),
        "opened_at_ms": row.opened_ms,
    }
    # The terms were read by ClassTerms once, by whichever version of it there was then.
    return msgspec.convert({"class_id": row.external_id, **row.terms, **plan}, Class)


def pack_of(row: store.ClassRow) -> Pack:
    """The pack that the class was opened under, in the version it had then."""
    return packs.load(row.pack_id, row.pack_version)


def term_of(row: store.ClassRow) -> PackTerm | None:
    """Whether that pack is in force on the days of the class; None where it is not there."""
    name = f"{row.pack_id}@{row.pack_version}"
    return pack_term.of_class(name, row.starts_on, row.ends_on)


def _chosen_pack(terms: ClassTerms, default_pack: str) -> Pack:
    """Raises BadInput where there is none of that name, or its file is wrong."""
    name = terms.policy_id or default_pack
    try:
        return packs.load(name)
    except PackError as error:
        detail = f"policy_id: the pack {name!r} is not usable: {error.problems[0]}"
        raise BadInput("bad_pack", detail, field="policy_id") from error


def changes(
    connection: Connection,
    before: store.ClassRow,
    terms: ClassTerms,
    *,
    default_pack: str,
    institution_id: int | None = None,
) -> dict[str, list[Any]]:
    """What `open_class` would change of that class: [before, after] by the term's name. Raises as
    it does."""
    document = terms.document(_chosen_pack(terms, default_pack).id)
    county = _county(before, terms, before.county)
    listed = _listed(connection, before, county, terms, institution_id)
    if listed is not None:
        document["institution"] = listed.name
    found = _differences(before, document)
    if store.has_sessions(connection, before.id):
        _refuse_frozen(before, found)
    return found


def wrong_codes(connection: Connection, row: store.ClassRow) -> bool:
    """Whether 附件2 would show a wrong credit code, of the institution or the applicant."""
    named = (row.institution_id, row.county, row.terms.get("institution") or "")
    own = institution_store.of_class(connection, *named)
    applicant = (row.terms.get("applicant") or {}).get("uscc")
    return any(map(credit_codes.doubtful, (own.code if own else None, applicant)))


def _check_code(before: store.ClassRow | None, terms: ClassTerms) -> None:
    kept = (before.terms.get("applicant") or {}).get("uscc") if before else None
    said = terms.applicant.uscc if terms.applicant else None
    credit_codes.require(said, kept, "applicant.uscc")


def _county(before: store.ClassRow | None, terms: ClassTerms, platform_county: str) -> str:
    """Where the class is held. Raises Conflict `sandbox_fixed`: what was studied for a trial never
    comes to count, nor the other way round."""
    if before is not None and before.sandbox != terms.sandbox:
        zh, en = ("沙箱班级", "a sandbox class") if before.sandbox else ("正式班级", "a real class")
        raise Conflict(
            "sandbox_fixed",
            f"sandbox: 班级{before.external_id}是{zh}，不能更改；请另开一个班级 / "
            f"class {before.external_id!r} is {en} and stays one: open another",
        )
    return SANDBOX_COUNTY if terms.sandbox else before.county if before else platform_county


def _differences(before: store.ClassRow, document: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [before.terms.get(name), document.get(name)]
        for name in before.terms.keys() | document.keys()
        if before.terms.get(name) != document.get(name)
    }


def _refuse_frozen(before: store.ClassRow, changes: dict[str, list[Any]]) -> None:
    frozen = sorted(changes.keys() & set(FROZEN))
    if frozen:
        raise Conflict(
            "class_frozen",
            f"people have studied in class {before.external_id!r}: "
            f"{', '.join(frozen)} cannot change any more",
            fields=frozen,
        )


def _amend(
    connection: Connection,
    before: store.ClassRow,
    document: dict[str, Any],
    reason: str,
    *,
    actor: str,
    now_ms: int,
) -> bool:
    """Change what may still change; true when anything did."""
    changes = _differences(before, document)
    _refuse_frozen(before, changes)
    if changes:
        store.update_class(connection, before.id, **_columns(document))
        platform_id, class_id = before.platform_id, before.external_id
        told = {"changes": changes, "reason": reason}
        _record(connection, now_ms, actor, "class.changed", platform_id, class_id, told)
        if "ends_on" in changes:
            ends = str(document["ends_on"])
            claims.extended(connection, before, before.terms["ends_on"], ends, actor, now_ms)
        if changes.keys() & DATES:  # what counts is another question now
            runs.request(connection, before.id, actor, now_ms)
        else:
            runs.again(connection, [before.id], actor, now_ms)
    return bool(changes)


def _listed(
    connection: Connection,
    before: store.ClassRow | None,
    county: str,
    terms: ClassTerms,
    institution_id: int | None,
) -> InstitutionRow | None:
    """The institution on the county's list that the terms name. Raises Conflict when a clerk's
    class is, or would be, another one's, and for a new class of one that is off the list; BadInput
    on a wrong credit code that is new."""
    _check_code(before, terms)
    listed = institutions.called(connection, county, terms.institution)
    owners = {listed.id if listed else None, before.institution_id if before else institution_id}
    if institution_id is not None and owners != {institution_id}:
        raise Conflict("class_taken", "class_id: not a class of this institution", field="class_id")
    if listed is not None and before is None:
        institutions.require_listed(listed, terms.starts_on)
    return listed


def _stored(
    connection: Connection,
    before: store.ClassRow | None,
    values: dict[str, Any],
    if_new: dict[str, Any],
) -> int | None:
    """The row of the class, inserted or changed; None where it says the same already."""
    if before is None:
        return store.insert_class(connection, values | if_new)
    if all(getattr(before, name) == value for name, value in values.items()):
        return None
    store.update_class(connection, before.id, **values)
    return before.id


def _pack_columns(pack: Pack) -> dict[str, Any]:
    return {"pack_id": pack.id, "pack_version": pack.version, "pack_digest": pack.digest}


def _columns(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "official_class_no": document["official_class_no"],
        "institution": document["institution"],
        "occupation": document["occupation"],
        "starts_on": document["starts_on"],
        "ends_on": document["ends_on"],
        "assessment_on": (document["assessment"] or {}).get("planned_on"),
        "controls": document["controls"],
        "terms": document,
        "sandbox": document.get("sandbox", False),
    }


def _newest_versions(
    connection: Connection, platform_id: int, course_ids: Sequence[str]
) -> list[store.VersionRow]:
    found = [store.newest_version(connection, platform_id, course) for course in course_ids]
    missing = [
        {
            "index": index,
            "field": f"course_ids[{index}]",
            "code": "unknown_course",
            "detail": f"course_ids[{index}]: there is no course {course!r}",
        }
        for index, (course, version) in enumerate(zip(course_ids, found, strict=True))
        if version is None
    ]
    if missing:
        raise BadInput("unknown_course", str(missing[0]["detail"]), errors=missing)
    return [version for version in found if version is not None]


def _plan(
    connection: Connection, versions: Sequence[store.VersionRow], pack: Pack
) -> tuple[list[dict[str, Any]], bytes]:
    """Rows of the class-hours, numbered through the class, and the digest of the whole plan."""
    lessons = store.lessons(connection, [version.id for version in versions])
    _check_lesson_names(lessons)
    hour_ms = round(pack.policy["class_hour"]["min_minutes"] * 60_000)
    rows: list[dict[str, Any]] = []
    for version in versions:
        planned = [
            PlannedLesson(lesson.id, lesson.external_id, lesson.media_ms, lesson.class_hours)
            for lesson in lessons
            if lesson.course_version_id == version.id
        ]
        for hour in plan_course(version.course, planned, hour_ms):
            pieces = [
                {"lesson_id": it.lesson_id, "start_ms": it.start_ms, "end_ms": it.end_ms}
                for it in hour
            ]
            rows.append(
                {
                    "course_version_id": version.id,
                    "number": len(rows) + 1,
                    "media_ms": sum(piece.media_ms for piece in hour),
                    "pieces": pieces,
                }
            )
    names = {lesson.id: lesson.external_id for lesson in lessons}
    content = {
        "pack": f"{pack.name}#{pack.digest}",
        "courses": [[it.course, it.version, it.digest.hex()] for it in versions],
        "class_hours": [
            [[names[it["lesson_id"]], it["start_ms"], it["end_ms"]] for it in row["pieces"]]
            for row in rows
        ],
    }
    return rows, hashlib.sha256(canonical(content)).digest()


def _check_lesson_names(lessons: Sequence[store.LessonRow]) -> None:
    """A sitting names its lesson and class only, so a class has each lesson id once."""
    counts = Counter(lesson.external_id for lesson in lessons)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise BadInput(
            "ambiguous_lesson_id",
            f"course_ids: several of these courses have a lesson {twice[0]!r}; "
            "lesson ids must differ within a class",
        )


def _record(
    connection: Connection,
    now_ms: int,
    actor: str,
    action: str,
    platform_id: int,
    class_id: str,
    detail: dict[str, Any],
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject=f"class:{platform_id}:{class_id}"[:128],
        detail={name: it for name, it in detail.items() if it != ""},
    )


def _unknown(class_id: str) -> NotFound:
    return NotFound("unknown_class", f"there is no class {class_id!r}")
