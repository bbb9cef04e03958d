"""What becomes of statements that tell of play and reach no sitting: kept, and told of as such."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.events.intake import BEYOND_THE_FILM
from app.domain.sittings import sitting_life
from app.domain.sittings.sitting_life import Fate
from app.languages import Text
from detectors.fast_forward import BEFORE_OPENING

KEPT, DUPLICATE = "kept", "duplicate"  # nothing of play in it; came before
NO_SESSION, UNKNOWN = "no_session", "unknown_session"
OTHER_LEARNER, OTHER_LESSON = "other_learner", "other_lesson"
UNKNOWN_LEARNER, UNKNOWN_LESSON = "unknown_learner", "unknown_lesson"
UNKNOWN_CLASS, SEVERAL_CLASSES = "unknown_class", "several_classes"
NOT_OPEN, TOO_OLD = "not_open", "too_old"
NO_POSITION = "no_position"


@dataclass(frozen=True, slots=True)
class Loss:
    """Why statements count for nobody, and what their platform does about it."""

    why_zh: str
    why_en: str
    remedy_zh: str
    remedy_en: str

    @property
    def sentence(self) -> Text:
        return Text(
            f"{self.why_zh}：{self.remedy_zh}", f"statements that {self.why_en}: {self.remedy_en}"
        )


LOST: dict[str, Loss] = {
    NO_SESSION: Loss(
        "没有写明学习会话",
        "name no session",
        "请在语句中写明会话编号，或为平台设置语句对应规则",
        "put the session id into every statement, or give the platform a statement mapping",
    ),
    UNKNOWN: Loss(
        "找不到对应的学习会话",
        "name a session that there is not",
        "请先以POST /v1/sessions开始会话，并在语句中使用同一编号",
        "open the session first (POST /v1/sessions), under the session-id of the statements",
    ),
    OTHER_LEARNER: Loss(
        "写的学员不是该会话的学员",
        "have an actor who is not the session's learner",
        "请核对actor：每次学习只能由本人的语句说明",
        "mend the actor: a session takes statements of its own learner only",
    ),
    OTHER_LESSON: Loss(
        "写的课时不是该会话的课时",
        "are about another lesson than their session",
        "请为每一课时单独开始会话",
        "open a session for each lesson",
    ),
    UNKNOWN_LEARNER: Loss(
        "对不上任何学员",
        "have an actor who is no learner of the platform",
        "请登记学员，或更改语句对应规则",
        "register the learner, or change the statement mapping",
    ),
    UNKNOWN_LESSON: Loss(
        "对不上该学员所在班级的课时",
        "are about no lesson of a class of their learner",
        "请核对课程目录，或更改语句对应规则",
        "look into the course, or change the statement mapping",
    ),
    UNKNOWN_CLASS: Loss(
        "对不上任何班级",
        "are about no class of the platform",
        "请开班，或更改语句对应规则",
        "open the class, or change the statement mapping",
    ),
    SEVERAL_CLASSES: Loss(
        "对得上该学员的几个班级",
        "may belong to several classes of their learner",
        "请在语句中写明班级，并在语句对应规则中指明",
        "name the class in the statements, and say in the mapping where it stands",
    ),
    NOT_OPEN: Loss(
        "到达时没有进行中的学习",
        "came while no session was open",
        "学习从播放语句（played）开始：请核对是否发送了它",
        "study begins with `played`: see that it is sent",
    ),
    TOO_OLD: Loss(
        "所说的播放已过去很久",
        "tell of play of long ago",
        "请在播放发生时即时转发，并校准发送方的时钟和时区：学时按到达时间计算",
        "forward when it happens, by a clock and a zone that are right: time counts as it arrives",
    ),
    BEFORE_OPENING: Loss(
        "所说的播放在学习会话开始以前",
        "tell of play from before their session was opened",
        "请即时转发并校准发送方的时钟，打开学习页面时就开始会话（POST /v1/sessions）；"
        "已经过去的学习用导入补报",
        "forward at once, by a clock that is right, and open the session when its page opens "
        "(POST /v1/sessions); what is over comes as an import (POST /v1/imports)",
    ),
    NO_POSITION: Loss(
        "说看了影片，没有写明播放位置",
        "say that a film was watched, and not where in it",
        "请让播放器在播放和暂停时发送带位置（time）的played、paused，或在学习页面接入SDK",
        "have the player send `played` and `paused` with a `time`, or put the SDK on the page",
    ),
    BEYOND_THE_FILM: Loss(
        "写的播放位置远在影片之外",
        "tell of a position far beyond the film",
        "播放位置以秒计，从本课影片开头算起：请核对单位和课程目录中的片长",
        "positions are seconds from the beginning of the lesson's film: mend their unit, or the "
        "film's length in the course",
    ),
    Fate.CLOSED.value: Loss(
        "在会话结束后才到达",
        "came after the session was over",
        "请在学员继续学习时重新开始会话，并及时转发",
        sitting_life.REMEDY,
    ),
    Fate.IMPORTED.value: Loss(
        "属于导入的会话",
        "belong to imported sessions",
        "请通过导入补充",
        "what an imported session lacks comes as an import",
    ),
    Fate.FULL.value: Loss(
        "超出一次学习可容纳的数量",
        "were more than a session holds",
        "请检查是否重复发送",
        "no lesson brings so much: send what happens once, and to its own session",
    ),
    "outside_class_dates": Loss(
        "不在班级的学习期间",
        "came outside the days of the class",
        "请核对开班和结束日期",
        "see the class's dates",
    ),
    "enrolment_ended": Loss(
        "学员已离班或转班",
        "are of learners who left the class",
        "请核对学员所在班级",
        "see in which class the learner is",
    ),
    "not_enrolled": Loss(
        "学员不在该班级",
        "are of learners who are not in the class",
        "请先登记学员入班",
        "enrol the learner first",
    ),
    "concurrent_session": Loss(
        "到达时同一人正在另一处学习",
        "came while the person studied elsewhere",
        "每人同时只能在一处学习：请让学员关闭其他窗口",
        "one person studies in one place at a time: have the other window closed",
    ),
    "lesson_locked": Loss(
        "属于尚未解锁的课时",
        "are about a lesson that is still locked",
        "请让学员按顺序学完上一课时",
        "have the lesson before finished first",
    ),
    "too_many_sittings": Loss(
        "超出一人一天可开始的学习次数",
        "were more sessions than a person opens a day",
        "请检查是否重复发送播放语句",
        "see whether `played` is sent again and again",
    ),
}


def loss_of(fate: str) -> Loss | None:
    """What is told of a fate; None for one by which nothing is lost."""
    return LOST.get(fate)
