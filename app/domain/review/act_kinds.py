"""The kinds of recorded acts: what each is about, who may record it, and what it says.

A kind is a line in `KINDS` and a body of typed fields; their titles are what a form shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Protocol

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.domain.accounts.identity import IdentityChange, IdentityDeed
from app.domain.review import check_decisions
from app.domain.review.check_decisions import CheckDecision
from app.domain.review.enrolment_acts import (
    CameBack,
    JoinDeed,
    JoinedLate,
    LeaveDeed,
    LeftClass,
    MovedClass,
    MoveDeed,
    ReturnDeed,
)
from app.domain.wire import MAX_MEDIA_S, Day, Id, Line, Wire
from app.languages import Text
from app.store.catalogue.catalogue import ClassRow
from app.store.review.acts import ActRow
from app.vault import Vault


class Approval(StrEnum):
    """When an act is in force.

    at_once    as soon as it is recorded, also by a platform for the institution
    few        as soon as it is recorded, for sittings that begin after that; a platform's word
               alone does so for few of a class (`few_of`), and waits for the authority beyond
    authority  once a person of the authority recorded or approved it
    two        once a second, different person of the authority approved it
    by_pack    as `two` where the class's pack asks for two on what the authority decides, else as
               `authority`
    """

    AT_ONCE = "at_once"
    FEW = "few"
    AUTHORITY = "authority"
    TWO = "two"
    BY_PACK = "by_pack"


class AnswerTime(Wire):
    """A learner has longer to answer pop-ups: a screen reader, age, a hand that shakes."""

    answer_window_s: Annotated[int, Field(ge=60, le=600, title="应答时限（秒）")]


class CheckedInPerson(Wire):
    """Somebody saw the learner study and compared the face with the identity card."""

    class_hours: Annotated[list[int], Field(min_length=1, max_length=400, title="课时序号")]
    checked_on: Annotated[Day, Field(title="核验日期")]
    checked_by: Annotated[Line, Field(title="核验人")]


Stretch = Annotated[list[float], Field(min_length=2, max_length=2)]


class LessonLength(Wire):
    """Where a lesson's film really ends, by its player, and what of it no player can show: cut out,
    broken, or the place of an advertisement."""

    lesson_id: Annotated[Id, Field(title="课程小节编号")]
    media_seconds: Annotated[float, Field(gt=0, le=MAX_MEDIA_S, title="实际时长（秒）")]
    skipped: Annotated[
        list[Stretch],
        Field(
            default_factory=list,
            max_length=100,
            title="片中没有的段落（秒）",
            description="[[from_s, to_s], …] by the player, in order, before the film's end",
        ),
    ]

    @field_validator("skipped")
    @classmethod
    def _in_order(cls, said: list[list[float]], info: ValidationInfo) -> list[list[float]]:
        edges = [0.0, *(edge for stretch in said for edge in stretch)]
        rising = all(start < end for start, end in said) and edges == sorted(edges)
        if said and not (rising and edges[-1] < info.data.get("media_seconds", math.inf)):
            raise PydanticCustomError(
                "bad_stretches",
                "须为先后排列、互不重叠、在片尾之前的[起, 止]秒数 / must be [from, to] in "
                "seconds, in order and apart, before the film's end",
            )
        return said


class Accepted(Wire):
    """The authority has examined what only a platform attests and lets the class rest on it."""

    examined: Annotated[Line, Field(title="核查了什么")]


Blank = BeforeValidator(lambda said: said or None)


class ClassExtended(Wire):
    """A class that people study in already ends later than it was to end."""

    ends_on: Annotated[Day, Field(title="推迟后的结束日期")]
    formerly: Annotated[Day | None, Blank, Field(title="原结束日期")] = None


class LeaveApproved(Wire):
    """A learner's written leave, as the authority has seen its paper."""

    from_on: Annotated[Day, Field(title="请假起")]
    to_on: Annotated[Day, Field(title="请假止")]


class MakeUpApproved(Wire):
    """The authority lets class-hours that were lost to misconduct be studied again."""

    class_hours: Annotated[list[int], Field(min_length=1, max_length=400, title="课时序号")]


class ExplicitHours(Wire):
    """An explicit rule on the hours of such a training, instead of the least that the plan asks."""

    least_hours: Annotated[float, Field(gt=0, le=10_000, title="规定的学时")]


class Deed(Protocol):
    """What a kind of act does beyond standing there: it is done when the act comes into force and
    undone when that is revoked. `split` parts a body into what the act tells and what is kept
    beside it."""

    def split(
        self, connection: Connection, vault: Vault, klass: ClassRow, learner_id: int, body: Any, /
    ) -> tuple[dict[str, Any], dict[str, Any]]: ...

    def recorded(self, connection: Connection, act_id: int, kept: dict[str, Any]) -> None: ...

    def done(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None: ...

    def undone(
        self, connection: Connection, klass: ClassRow, act: ActRow, actor: str, now_ms: int
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class ActKind:
    """name: id of the kind; body: its fields; of_learner: about one learner of the class, else
    about the class; by_platform: a platform's key may record it, for the institution too;
    by_school: so may the institution's own clerk, for the authority to approve; needs_document:
    it names the paper it rests on; completed: what an act tells, where that is more than was
    typed. Kinds that sittings are judged by stand in
    `app.store.review.acts.JUDGING`."""

    name: str
    title: Text
    body: type[Wire]
    of_learner: bool
    by_platform: bool
    approval: Approval
    needs_document: bool = False
    by_school: bool = False
    deed: Deed | None = None
    completed: Callable[[Connection, ClassRow, int | None, Any], dict[str, Any]] | None = None


KINDS: dict[str, ActKind] = {
    kind.name: kind
    for kind in (
        ActKind(
            "answer_time",
            Text("延长弹窗应答时限", "Longer time to answer pop-ups"),
            AnswerTime,
            of_learner=True,
            by_platform=True,
            approval=Approval.FEW,
        ),
        ActKind(
            "checked_in_person",
            Text("当面核验本人", "Identity checked in person"),
            CheckedInPerson,
            of_learner=True,
            by_platform=True,
            by_school=True,
            approval=Approval.AUTHORITY,
        ),
        ActKind(
            "lesson_length",
            Text("更正课程时长或缺失段落", "Corrected length of a lesson, or what it lacks"),
            LessonLength,
            of_learner=False,
            by_platform=True,
            approval=Approval.AUTHORITY,
        ),
        ActKind(
            "identity_correction",
            Text("更正姓名或证件号码", "Corrected name or ID number"),
            IdentityChange,
            of_learner=True,
            by_platform=True,
            approval=Approval.TWO,
            deed=IdentityDeed(),
        ),
        *(
            ActKind(
                name,
                title,
                body,
                of_learner=True,
                by_platform=True,
                approval=Approval.AT_ONCE,
                deed=deed,
            )
            for name, title, body, deed in (
                ("left_class", Text("学员离班", "Learner left the class"), LeftClass, LeaveDeed()),
                (
                    "came_back",
                    Text("学员返班", "Learner came back"),
                    CameBack,
                    ReturnDeed(),
                ),
                (
                    "joined_late",
                    Text("学员中途入班", "Learner joined late"),
                    JoinedLate,
                    JoinDeed(),
                ),
                (
                    "moved_class",
                    Text("学员转班", "Learner moved to another class"),
                    MovedClass,
                    MoveDeed(),
                ),
            )
        ),
        ActKind(
            "attested_accepted",
            Text("认可平台日志佐证的学习记录", "Evidence attested by a platform accepted"),
            Accepted,
            of_learner=False,
            by_platform=False,
            approval=Approval.AUTHORITY,
            needs_document=True,
        ),
        ActKind(
            "class_extended",
            Text("推迟班级结束日期", "Later end of a class"),
            ClassExtended,
            of_learner=False,
            by_platform=True,
            approval=Approval.AUTHORITY,
        ),
        ActKind(
            "leave_approved",
            Text("认可书面请假", "Written leave accepted"),
            LeaveApproved,
            of_learner=True,
            by_platform=True,
            approval=Approval.AUTHORITY,
        ),
        ActKind(
            "platform_controls_accepted",
            Text("认可平台自行实施的管控", "Controls that the platform runs accepted"),
            Accepted,
            of_learner=False,
            by_platform=False,
            approval=Approval.AUTHORITY,
            needs_document=True,
        ),
        ActKind(
            "class_check_decided",
            Text("认定班级检查项", "Check on the class decided"),
            CheckDecision,
            of_learner=False,
            by_platform=False,
            approval=Approval.BY_PACK,
            needs_document=True,
            completed=check_decisions.completed,
        ),
        ActKind(
            "learner_check_decided",
            Text("认定学员检查项", "Check on a learner decided"),
            CheckDecision,
            of_learner=True,
            by_platform=False,
            approval=Approval.BY_PACK,
            needs_document=True,
            completed=check_decisions.completed,
        ),
        ActKind(
            "make_up_approved",
            Text("同意补学违规失去的课时", "Class-hours lost to misconduct may be made up"),
            MakeUpApproved,
            of_learner=True,
            by_platform=False,
            approval=Approval.BY_PACK,
            needs_document=True,
        ),
        ActKind(
            "explicit_hours",
            Text("登记明确的学时规定", "Explicit rule on hours recorded"),
            ExplicitHours,
            of_learner=False,
            by_platform=False,
            approval=Approval.BY_PACK,
            needs_document=True,
        ),
    )
}
