"""What the learner's own page says: words for somebody who never saw the console.

The engine's sentences are for reviewers. Here the same findings, class-hours and reasons are told
to whom they concern, without thresholds or the names of techniques. What is said of a finding
stands in its rule's file, see `app/rules.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app import rules
from app.clock import at
from app.console.finding_view import sentence_of
from app.console.labels import Label, label
from app.console.language import N_, Language
from app.domain.exchange.xapi_fates import LOST
from app.domain.judging.reasons import spans
from app.domain.judging.sentences import filled
from app.domain.judging.views import EnrolmentVerdictView, ReasonView
from app.domain.review.review import UNDECIDED
from app.languages import Text
from app.store.bodies import FindingBody, HourVerdict
from app.store.exchange.statements import FateCount
from app.store.review.finding_rows import FindingRow

WAIT = N_(
    "现在不用补课，等结论。查下来没问题的，不影响您；查实有问题的，怎么补、最晚哪天，见上面。"
)

# What a learner is told of where a finding stands; who has spoken so far stays inside.
STANDING = {
    "open": Label(N_("人工复核中，还没有结论"), tone="review"),
    "first_review": Label(N_("人工复核中，还没有结论"), tone="review"),
    "upheld": Label(N_("经人工复核，认定成立"), tone="violation"),
    "overturned": Label(N_("经人工复核，已撤销，不影响您"), tone="clear"),
    "cured": Label(N_("已经补学，不影响您"), tone="clear"),
}
NOT_PROVEN = Label(N_("证据不够，不算违规"), tone="unproven")
NOT_YOURS = N_("这不是您的责任。")
STANDINGS = {
    "eligible": Label(N_("可以申请"), tone="clear"),
    "ineligible": Label(N_("目前还不能申请"), tone="violation"),
    "pending": Label(N_("还没有结论"), tone="review"),
}
IN_REVIEW = Label(N_("人工复核中，还没有结论"), tone="review")
HOURS = {
    "valid": Label(N_("算数"), "✓"),
    "invalid": Label(N_("不算数"), "✕"),
    "pending_review": Label(N_("人工复核中"), "…"),
    "not_proven": Label(N_("证据不够"), "?"),
    "incomplete": Label(N_("没学完"), N_("半")),
    "not_started": Label(N_("还没学"), "·"),
}
ANSWERS = {
    "waiting": Label(N_("等待答复"), tone="review"),
    "answered": Label(N_("已答复"), tone="clear"),
    "dismissed": Label(N_("已答复：维持原来的结论")),
    "reopened": Label(N_("已答复：换人重新审理"), tone="clear"),
}

_CURES = {
    "automatic": N_("补学这几课时就可以。"),
    "authority_approval": N_("要补课，须先经人社部门书面同意，请联系培训机构办理。"),
    "none": N_("不能补课。您仍然可以申诉。"),
}
# What becomes of a class-hour under either outcome, by how it could be made up then.
_EITHER_WAY = {
    "automatic": N_("查下来没问题的，照样算数；查实有问题的，不算数，要补学。结论出来以前不用补。"),
    "authority_approval": N_(
        "查下来没问题的，照样算数；查实有问题的，不算数，要补课须先经人社部门书面同意。结论出来以前不用补。"
    ),
    "none": N_("查下来没问题的，照样算数；查实有问题的，不算数，不能补课，您可以申诉。"),
}
# And of one that was lost, under either answer to an appeal.
_AFTER_AN_APPEAL = {
    "automatic": N_("答复是改判的，照样算数；维持原来结论的，补学这几课时就可以。"),
    "authority_approval": N_(
        "答复是改判的，照样算数；维持原来结论的，要补课须先经人社部门书面同意，请联系培训机构办理。"
    ),
    "none": N_("答复是改判的，照样算数；维持原来结论的，不能补课。"),
}
_OF_HOURS = {
    "pending_review": (N_("第%(h)s课时有疑问，还没有结论。"), _EITHER_WAY["authority_approval"]),
    "not_proven": (
        N_("第%(h)s课时证据不够，还不能算数。这不是违规。"),
        N_("重新学这几课时就可以。"),
    ),
    "incomplete": (N_("第%(h)s课时还没有学完。"), N_("请接着学完。")),
    "not_started": (N_("第%(h)s课时还没有学。"), N_("请按顺序学完。")),
}
_STUDY_IS_OVER = N_(
    "您在本班的学习到%(day)s为止，之后学的不算数。要再学，请先找培训机构办理本班延期。"
)
_APPEALED = N_("第%(h)s课时认定不算数，您申诉了，还没有答复。")
_BELOW = N_("怎么办，请看下面写的每一条。")
_TO_CHECK = N_("需要补材料的，请联系培训机构。")
# Checks before the assessment that no paper mends.
_OF_CHECKS = {
    "too_few_class_hours": (
        N_("算数的课时还不够申请考核。"),
        N_("请把还没算数的课时学完。全都学完了还不够的，请联系培训机构。"),
    ),
    "class_hours_undecided": (
        N_("有的课时还没有结论，算数的课时够不够还不知道。"),
        N_("请先看上面的课时怎么办。"),
    ),
}
_PLATFORM = N_("请联系培训机构。")
# Reasons that class-hours or the findings below tell already.
_TOLD_ELSEWHERE = frozenset(
    {
        "hours_violation",
        "hours_on_leave",
        "hours_not_studied",
        "hours_in_review",
        "hours_not_proven",
        "finding_in_review",
        "violation_in_review",
        "violation_awaits_reviewers",
        "appeal_waiting",
    }
)
_OF_REASONS = {
    "violation_upheld": N_("经人工复核认定：%(title)s。"),
    "hours_attested": N_("您的学习记录由平台提供，人社部门还在核对。这不是您的责任。"),
    "hours_platform_controls": N_("弹窗和拍照由平台自己安排，人社部门还在核对。这不是您的责任。"),
    "hours_made_up": N_("因违规没有计入、后来补学的课时，要由人社部门同意才能计入。"),
    "control_not_proven": N_("平台的管控措施还在核实。这不是您的责任。"),
    "control_missing": N_("平台没有做好管控，影响全班。这不是您的责任。"),
    "control_missing_awaits_reviewers": N_(
        "平台可能没有做好管控，正在人工复核。这不是您的责任。"
        "查下来没问题的，不影响您；查实的，全班这次不能申请，怎么补由培训机构安排。"
    ),
    "class_pending": N_("全班还有事情在由人社部门核定，定了才能申请。这不是您的责任。"),
    "class_not_acceptable": N_("全班的申请目前还不能受理，原因在平台或培训机构，不在您。"),
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something that still stands between the learner and the assessment, and what to do."""

    told: str
    todo: str
    until: str  # empty when nothing has to be done by a day
    late: bool  # that day is over
    tone: str
    either: bool = False  # has to be done only under one of two outcomes


def title(rule: str, lang: Language) -> str:
    """A rule by the name that learners read."""
    known = rules.known().get(rule)
    if known is None or known.learner is None:
        return lang.say(N_("学习记录有疑问"))
    return known.learner.in_(lang.code)


def message_of(finding: FindingRow, lang: Language) -> str:
    """What was noticed, for whom it concerns."""
    return _message(finding.body, lang)


def _message(body: FindingBody, lang: Language) -> str:
    known = rules.known().get(body.rule)
    told = known.learner_text(body.reason) if known else None
    return filled(told, body, lang.code, lang.span) if told else sentence_of(body, lang)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Time of a class-hour that does not count, though nobody is accused of anything."""

    hour: int
    when: str
    told: str


def withheld(hours: Mapping[int, HourVerdict], lang: Language) -> list[Withheld]:
    """What of class-hours that are not complete was not counted, by their verdicts."""
    return [
        Withheld(number, when(it.start_ms, it.end_ms, lang), _message(it, lang))
        for number, body in sorted(hours.items())
        for it in body.withheld or ()
    ]


def lost(rows: Sequence[FateCount], lang: Language) -> list[str]:
    """What the platform sent of the learner's play that could not be counted, reason by reason."""
    told = N_("到%(when)s为止，学习平台报来的%(n)s条播放记录没有算进去：%(why)s。")
    return [
        lang.say(told, when=lang.minute(it.last_ms), n=it.statements, why=lang.of(why_lost(it)))
        for it in rows
    ]


def why_lost(row: FateCount) -> Text:
    """Of which the learner is told the reason alone: the remedy is the platform's."""
    loss = LOST[row.fate]
    return Text(loss.why_zh, f"they {loss.why_en}")


def standing(finding: Any) -> Label:
    if unproven(finding):
        return NOT_PROVEN
    return label(STANDING, finding.status)


def in_review(finding: Any) -> bool:
    """Whether people still have to decide on it; missing evidence waits for nobody."""
    return finding.status in UNDECIDED and finding.outcome != "not_proven"


def unproven(finding: Any) -> bool:
    """Whether evidence is missing, which nobody has to decide on."""
    return finding.outcome == "not_proven" and finding.status in UNDECIDED


def not_theirs(finding: Any) -> bool:
    faulty = finding.fault in ("platform", "institution", "environment")
    return faulty and finding.status not in ("overturned", "cured")


def steps(
    hours: Mapping[int, str],
    concluded: EnrolmentVerdictView | None,
    today: date,
    lang: Language,
    *,
    below: bool = False,
    appealed: Collection[int] = (),
    study_until: date | None = None,
) -> list[NextStep]:
    """What is missing: class-hours first, then what the checks before the assessment found.

    `below`: what is not proven is told one by one on the page, with what each asks for. `appealed`:
    class-hours that are lost unless an appeal is granted. `study_until`: the last day on which the
    learner's study counts in this class.
    """
    reasons = concluded.reasons if concluded else ()
    last = concluded.cut_off if concluded else None
    over = study_over(study_until, today, lang)
    by = study_by(last, study_until)
    cut_off, late = (day_of(by, lang), today.isoformat() > by) if by else ("", False)
    lost = next((it.cure.how for it in reasons if it.code == "hours_violation"), None)
    lost_how = lost or "authority_approval"
    found = []
    for code, how, (told, todo) in (
        ("invalid", lost, (N_("第%(h)s课时不算数，原因见下面。"), _CURES[lost_how])),
        ("appealed", lost, (_APPEALED, _AFTER_AN_APPEAL[lost_how])),
        *_of_hours(_if_upheld(reasons), below=below),
    ):
        numbers = [it for it, outcome in hours.items() if _told_as(it, outcome, appealed) == code]
        if numbers:
            until = "" if how == "none" or over else cut_off
            either = code in ("appealed", "pending_review")
            said = lang.say(todo)
            if over and how != "none":
                said = f"{said} {over}" if either or how else over
            tone = {"invalid": "violation", "not_proven": "unproven"}.get(code, "review")
            told_hours = lang.say(told, h=spans(numbers))
            found.append(NextStep(told_hours, said, until, late, tone, either))
    ended = last is not None and today.isoformat() > last
    for it in reasons:
        if it.code not in _TOLD_ELSEWHERE:
            step = _step(it, ended, lang)
            if over and it.code == "too_few_class_hours":
                step = replace(step, todo=over, until="")
            found.append(step)
    return found


def study_over(until: date | None, today: date, lang: Language) -> str:
    """That study counts no more, and what helps; empty while it does."""
    if until is None or today <= until:
        return ""
    return lang.say(_STUDY_IS_OVER, day=day_of(until.isoformat(), lang))


def study_by(cut_off: str | None, until: date | None) -> str | None:
    """By which day what is missing has to be studied: both the days of the class and those of the
    application have an end."""
    return min((it for it in (cut_off, until and until.isoformat()) if it), default=None)


def _told_as(number: int, outcome: str, appealed: Collection[int]) -> str:
    return "appealed" if outcome == "invalid" and number in appealed else outcome


def _of_hours(if_upheld: str, *, below: bool) -> Iterator[tuple[str, str | None, tuple[str, str]]]:
    """Class-hours that are not lost: code, how they could be made up where one must ask, words."""
    for code, (told, todo) in _OF_HOURS.items():
        if code == "pending_review":
            yield code, if_upheld, (told, _EITHER_WAY[if_upheld])
        else:
            yield code, None, (told, _BELOW if code == "not_proven" and below else todo)


def _if_upheld(reasons: Sequence[ReasonView]) -> str:
    """How what people still look at could be made up if they uphold it: as the gravest of it."""
    waiting = {"violation_in_review", "violation_awaits_reviewers", "hours_violation"}
    found = {it.cure.how for it in reasons if it.code in waiting and not it.blocks}
    return next(
        (it for it in ("none", "authority_approval", "automatic") if it in found),
        "authority_approval",
    )


def _step(reason: ReasonView, late: bool, lang: Language) -> NextStep:
    source, how = _OF_REASONS.get(reason.code), reason.cure.how
    tone = "violation" if reason.blocks else "review"
    if source is None:  # a check before the assessment, which has a plain sentence of its own
        until = reason.cure.until if how != "none" else None
        told, todo = _OF_CHECKS.get(reason.code, (None, _TO_CHECK))
        return NextStep(
            lang.say(told) if told else reason.sentence.in_(lang.code),
            lang.say(todo),
            day_of(until, lang) if until else "",
            late,
            tone,
        )
    said = lang.say(source, title=title(reason.source, lang))
    todo = _CURES[how] if reason.code == "violation_upheld" else _PLATFORM
    return NextStep(said, lang.say(todo), "", False, tone)


def day_of(iso: str, lang: Language) -> str:
    day = date.fromisoformat(iso)
    return f"{day.year}年{day.month}月{day.day}日" if lang.code == "zh" else iso


def month_of(iso: str, lang: Language) -> str:
    day = date.fromisoformat(iso)
    return f"{day.year}年{day.month}月" if lang.code == "zh" else f"{day:%B %Y}"


def when(start_ms: int | None, end_ms: int | None, lang: Language) -> str:
    """A stretch as people tell it: the day, and from when to when."""
    if start_ms is None or start_ms < 0:
        return ""
    start = at(start_ms)
    told = f"{day_of(start.date().isoformat(), lang)} {start:%H:%M}"
    if end_ms is None or end_ms <= start_ms:
        return told
    end = at(end_ms)
    same_day = end.date() == start.date()
    until = f"{end:%H:%M}" if same_day else f"{day_of(end.date().isoformat(), lang)} {end:%H:%M}"
    return lang.say(N_("%(since)s 到 %(until)s"), since=told, until=until)
