"""A finding as the console shows it: one plain sentence, both numbers, the clause's exact words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from app import rules
from app.clock import day
from app.console import labels, readable
from app.console.labels import Label
from app.console.language import N_, Language
from app.domain.accounts.users import User
from app.domain.faces.face_confidence import FACE_RULES
from app.domain.judging.sentences import filled, sentence
from app.domain.review import review
from app.domain.review.review import ReviewShown
from app.rules import ReasonText
from app.store.bodies import FindingBody
from app.store.review.finding_rows import FindingRow
from app.store.review.reviews import ReviewRow
from detectors.finding import Evidence

Reasons = Mapping[str, Sequence[str]]  # common words for each decision

OF_SITTINGS: Reasons = {
    "uphold": (N_("已核对时间轴与服务器记录，事实清楚。"),),
    "overturn": (
        N_("经核对属网络或设备原因，不属学员行为。"),
        N_("现有记录不足以认定。"),
    ),
    "need_more": (
        N_("请平台提供该时段原始日志。"),
        N_("请学员书面说明该时段情况。"),
    ),
}
_OF_CLASSES: Reasons = {
    "uphold": (N_("已核对涉及的各次学习，事实清楚。"),),
    "overturn": (
        N_("经核对属培训现场共用设备或网络，不属学员行为。"),
        N_("现有记录不足以认定。"),
    ),
    "need_more": (
        N_("请平台提供该时段原始日志。"),
        N_("请培训机构书面说明当日安排。"),
    ),
}
_OF_PHOTOS: Reasons = {
    "uphold": (N_("已核对影像，事实清楚。"),),
    "overturn": (N_("经核对影像为学员本人当时所拍。"),),
    "need_more": (N_("请补充该次学习的影像。"),),
}
_OF_FACES: Reasons = {
    "uphold": (N_("已核对影像，与登记照片不是同一人。"),),
    "overturn": (N_("经核对影像为学员本人。"),),
    "need_more": (N_("请补充该次学习的影像。"),),
}
_OF_HOURS: Reasons = {
    "uphold": (N_("已核对开班信息与学习时间，事实清楚。"),),
    "overturn": (
        N_("经核对该日期或时段已获准学习。"),
        N_("经核对登记的开班信息有误。"),
    ),
    "need_more": (
        N_("请培训机构书面说明当日安排。"),
        N_("请学员书面说明该时段情况。"),
    ),
}
_OF_CATALOGUE: Reasons = {
    "uphold": (N_("已核对课程目录与播放记录，事实清楚。"),),
    "overturn": (
        N_("经核对目录登记有误，平台已更正。"),
        N_("现有记录不足以认定。"),
    ),
    "need_more": (N_("请平台提供该课程的实际内容与时长。"),),
}
_OF_PLATFORM_LOGS: Reasons = {
    "uphold": (N_("已核对平台上报的记录，事实清楚。"),),
    "overturn": (
        N_("经核对属平台的记录方式，不影响认定。"),
        N_("现有记录不足以认定。"),
    ),
    "need_more": (N_("请平台书面说明记录方式，并提供该时段原始日志。"),),
}
_OF_EVIDENCE: Reasons = {
    "uphold": (N_("已核对，存储的记录与接收时不一致。"),),
    "overturn": (N_("已与备份核对，记录内容没有改变。"),),
    "need_more": (N_("请系统管理员从备份调取该次学习的记录。"),),
}
_OWN: Mapping[str, Reasons] = {
    **dict.fromkeys(("allowed_hours", "class_dates", "daily_cap", "marathon"), _OF_HOURS),
    **dict.fromkeys(("lesson_length", "lesson_order"), _OF_CATALOGUE),
    **dict.fromkeys(("contradicting_times", "coarse_positions"), _OF_PLATFORM_LOGS),
    "evidence_altered": _OF_EVIDENCE,
}
_PHOTOS = ("photo_retention", "photo_reuse")


def reasons_for(rule: str, *, of_class: bool, looked: bool) -> Reasons:
    """What may be said of a rule's finding: of photos only who has looked at the sitting's."""
    common = _OWN.get(rule) or (_OF_CLASSES if of_class else OF_SITTINGS)
    seen = _OF_FACES if rule in FACE_RULES else _OF_PHOTOS if rule in _PHOTOS else {}
    return {
        decision: (*(seen.get(decision, ()) if looked else ()), *words)
        for decision, words in common.items()
    }


class Turn(NamedTuple):
    """Whether a finding is to be decided, this person has decided it before an appeal opened it
    again, or decided it now and waits for the second person."""

    open: bool
    barred: bool
    waits: bool

    def decided_by(self, user: User) -> bool:
        return self.open and user.decides and not self.waits and not self.barred


@dataclass(frozen=True, slots=True)
class FindingCard:
    """One finding on a page, with what was decided and what this person may still decide."""

    id: int
    case_id: int | None
    rule: str
    pack: str
    outcome: Label
    fault: Label
    evidence: Label
    inferred: bool  # by no server: by what a client saw, or by likelihood
    status: Label
    sentence: str
    told_learner: str  # empty where the learner is told nothing of it
    clause: str
    instrument: str
    measured: str
    limit: str
    when: str
    needs_two: bool
    shadow: bool
    reviews: list[ReviewShown]
    appeals: list[Any]
    may_answer: bool  # the appeals
    rival: str
    rival_id: int | None  # that sitting, where this person sees it
    photos_first: bool  # nobody can decide it without having looked at them
    photos_href: str  # the photos that it speaks of, side by side; empty where there are none
    may_decide: bool
    turn: Turn
    assignee: str
    with_me: bool
    others: list[Any]  # who else may look after it; empty for whom that is no business
    reasons: Reasons
    few_photos: str = ""  # so told where it compares with few
    in_person_href: str = ""  # where a check in person is recorded, if that would settle it
    effects: tuple[str, ...] = ()  # of upholding it
    hour_href: str = ""  # where all sittings of its class-hour are

    @property
    def open(self) -> bool:
        return self.turn.open

    @property
    def waits_for_other(self) -> bool:
        return self.turn.waits

    @property
    def barred(self) -> bool:
        return self.turn.barred

    @property
    def rival_href(self) -> str:
        return f"/console/sessions/{self.rival_id}" if self.rival_id else ""


def sentence_of(body: FindingBody, lang: Language) -> str:
    """The finding's plain sentence in this language."""
    return lang.counted(sentence(body, lang.code, lang.span))


def _turn(row: FindingRow, reviews: Sequence[ReviewRow], reopened_ms: int, user: User) -> Turn:
    undecided = row.status in review.UNDECIDED and not row.shadow
    earlier = review.deciders([it for it in reviews if it.created_ms <= reopened_ms])
    deciders = review.deciders([it for it in reviews if it.created_ms > reopened_ms])
    waits = undecided and row.needs_two_reviewers and deciders == {user.id}
    return Turn(undecided, undecided and user.id in earlier, waits)


def card(
    row: FindingRow,
    told_learner: str,
    reviews: Sequence[ReviewRow],
    appeals: Sequence[Any],
    rival_id: int | None,
    photos: Mapping[int, Sequence[int]],
    looked: bool,
    keeper: Any,
    colleagues: Sequence[Any],
    user: User,
    lang: Language,
) -> FindingCard:
    """The card of one finding for this person; `photos` of each session in order of receipt."""
    body, reopened_ms = row.body, review.reopened_ms(appeals)
    turn = _turn(row, reviews, reopened_ms, user)
    return FindingCard(
        id=row.id,
        case_id=row.case_id,
        rule=row.rule,
        pack=row.pack,
        outcome=labels.found(row.outcome, row.status),
        fault=labels.label(labels.FAULTS, row.fault),
        evidence=labels.label(labels.EVIDENCE, row.evidence),
        inferred=row.evidence != Evidence.SERVER,
        status=labels.label(labels.STATUSES, row.status),
        sentence=sentence_of(body, lang),
        told_learner=told_learner,
        clause=body.clause.quote,
        instrument=readable.cited(body.clause),
        measured=measured_of(body, lang),
        limit=limit_of(body, lang),
        when=interval(row.start_ms, row.end_ms, lang),
        needs_two=row.needs_two_reviewers,
        shadow=row.shadow,
        reviews=review.shown_to(user, row.status, reviews, reopened_ms),
        appeals=list(appeals),
        may_answer=user.decides and user.id not in review.deciders(reviews),
        rival=body.rival_session_id or "" if rival_id else "",
        rival_id=rival_id,
        photos_first=row.rule in FACE_RULES and turn.open and not looked,
        photos_href=photos_href(row, rival_id, photos) if user.sees_photos else "",
        may_decide=turn.decided_by(user),
        turn=turn,
        assignee=keeper.display_name if keeper else "",
        with_me=bool(keeper) and keeper.user_id == user.id,
        others=[it for it in colleagues if it.id not in (user.id, keeper and keeper.user_id)],
        reasons=reasons_for(row.rule, of_class=row.session_id is None, looked=looked),
    )


def photos_href(row: FindingRow, rival: int | None, photos: Mapping[int, Sequence[int]]) -> str:
    """Where the photos of a finding are seen: beside the enrolled one, and beside what they
    repeat; of two accounts with one face, the last photo of each."""
    own = photos.get(row.session_id or 0, ())
    places = [it.place for it in row.body.evidence.photos or () if it.place < len(own)]
    if (places and row.rule == "face_liveness") or (own and row.rule == "person_over_course"):
        return f"/console/findings/{row.id}/faces"
    if places or (own and row.rule == "photo_retention"):
        return f"/console/photos/{own[places[0] if places else -1]}"
    if row.rule == "one_face_several_accounts" and own and photos.get(rival or 0):
        return f"/console/photos/{own[-1]}?beside={photos[rival or 0][-1]}"
    return ""


def measured_of(body: FindingBody, lang: Language) -> str:
    """What was measured, with what it counts."""
    counted = _counted(body)
    if counted and counted.measured:
        return lang.counted(filled(counted.measured, body, lang.code, lang.span))
    return quantity(body.measured, body.unit, lang)


def limit_of(body: FindingBody, lang: Language) -> str:
    """What it is held against, with what that counts."""
    counted = _counted(body)
    if counted and counted.limit:
        return lang.counted(filled(counted.limit, body, lang.code, lang.span))
    return quantity(body.limit, body.unit, lang) if body.limit else lang.say(N_("不应有"))


def _counted(body: FindingBody) -> ReasonText | None:
    return rules.reason(body.rule, body.reason)


def quantity(value: float, unit: str, lang: Language) -> str:
    """A number with its unit, as a person reads it; long seconds as a span."""
    if unit == "share":
        return f"{lang.number(value * 100)}%"
    if unit == "s" and value >= 120:
        return lang.span(round(value * 1000))
    if unit == "distance":
        return lang.number(value)
    return f"{lang.number(value)} {lang.say(labels.UNITS.get(unit, unit))}".strip()


def interval(
    start_ms: int | None, end_ms: int | None, lang: Language, *, seconds: bool = True
) -> str:
    """A stretch of server time; the day is written once, and no seconds over days."""
    if start_ms is None:
        return "–"
    if not seconds:
        until = "" if end_ms in (None, start_ms) else f" – {lang.clock(end_ms)[:5]}"
        return lang.minute(start_ms) + until
    if end_ms is None or end_ms == start_ms:
        return lang.moment(start_ms)
    if day(start_ms) != day(end_ms):
        return f"{lang.minute(start_ms)} – {lang.minute(end_ms)}"
    return f"{lang.moment(start_ms)} – {lang.clock(end_ms)} ({lang.span(end_ms - start_ms)})"
