"""The learner's page speaks to people: every finding has plain words, and none is jargon."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from app import rules
from app.console import learner_actions, learner_messages
from app.console.language import language
from app.domain import standing
from app.domain.judging import wording
from app.domain.judging.views import EnrolmentVerdictView
from app.languages import Text
from tests import bodies

START = 1_791_766_800_000
TODAY = date(2026, 11, 26)
ZH, EN = language("zh"), language("en")
JARGON = (
    "服务器", "客户端", "阈值", "时间戳", "会话", "凭证", "校验", "覆盖", "字节", "脚本", "哈希",
    "遥测", "伪造", "距离", "检测", "认证", "下发", "留存", "课时序号", "参考照片", "未能证实",
)  # fmt: skip


def finding(rule: str, reason: str, **columns: Any) -> Any:
    said: dict[str, Any] = {"measured": 2699.9, "limit": 691.1}
    if rule == "lesson_order":
        said = {"measured": 40.0, "limit": 98.0, "unit": "%"}
    if reason in ("repeated_seeks", "many_expiries"):
        said = {"measured": 5, "limit": 3, "unit": "count"}
    body = bodies.finding(rule=rule, reason=reason, start_ms=START, end_ms=START + 9, **said)
    fresh = {"outcome": "violation", "status": "open", "fault": "learner", "body": body}
    return SimpleNamespace(rule=rule, reason=reason, **(fresh | columns))


TOLD = [
    (name, reason)
    for name, rule in rules.known().items()
    for reason in rule.reasons
    if rule.learner_text(reason)
]


@pytest.mark.parametrize("key", TOLD)
def test_what_a_learner_is_told_is_in_plain_words(key: tuple[str, str]) -> None:
    rule, reason = key
    told = learner_messages.message_of(finding(rule, reason), ZH)
    assert not [it for it in JARGON if it in told + learner_messages.title(rule, ZH)]
    assert not any(it in told for it in ("%(", "{", "691", "2699", "98")), told
    assert learner_messages.message_of(finding(rule, reason), EN) != told


def test_nothing_else_on_the_page_is_jargon() -> None:
    said = [
        *(it.learner.zh for it in rules.known().values() if it.learner),
        *learner_messages._CURES.values(),
        learner_messages._STUDY_IS_OVER,
        *learner_actions.ASKS.values(),
        *(
            it.ask.zh
            for rule in rules.known().values()
            for it in rule.reasons.values()
            if isinstance(it.ask, Text)
        ),
        *(text for pair in learner_messages._OF_CHECKS.values() for text in pair),
        *learner_messages._OF_REASONS.values(),
        *(text for pair in learner_messages._OF_HOURS.values() for text in pair),
        *(it.text for it in learner_messages.STANDING.values()),
        *(it.text for it in learner_messages.HOURS.values()),
        *(it.text for it in learner_messages.ANSWERS.values()),
    ]
    assert [text for text in said if any(word in str(text) for word in JARGON)] == []


def test_amounts_are_told_as_people_tell_time() -> None:
    told = learner_messages.message_of(finding("fast_forward", "outran"), ZH)
    assert "实际过了12分钟" in told and "前进了45分钟" in told


@pytest.mark.parametrize(
    ("status", "outcome", "todo"),
    [
        ("open", "violation", "现在不用补课"),
        ("first_review", "review", "现在不用补课"),
        ("open", "not_proven", "重新学这一课时"),
        ("upheld", "violation", "怎么补救"),
        ("overturned", "violation", ""),
        ("cured", "violation", ""),
    ],
)
def test_nobody_is_sent_to_make_up_what_people_still_look_at(
    status: str, outcome: str, todo: str
) -> None:
    asked = learner_actions.what_to_do(
        finding("fast_forward", "outran", status=status, outcome=outcome), ZH
    )
    assert todo in asked if todo else asked == ""


@pytest.mark.parametrize(
    ("rule", "reason", "asked", "never"),
    [
        ("face_liveness", "check_not_met", "当面核对", "现在不用"),
        ("face_liveness", "comparison_unclear", "在亮的地方", "现在不用"),
        ("photo_retention", "photo_missing", "打开摄像头", "现在不用"),
        ("face_liveness", "hour_photos_lost", "当面核对", "打开摄像头"),
        ("face_liveness", "no_consent", "联系培训机构", "就行"),
        ("face_liveness", "no_reference_photo", "联系培训机构", "就行"),
        ("face_liveness", "check_pending", "暂不需要补课", "重新学"),
        ("contradicting_times", "after_the_end", "联系培训机构", "就行"),
        ("class_dates", "after_the_class", "联系培训机构", "就行"),
        ("unseen_play", "hidden", "重新学这一课时就行", "摄像头"),
    ],
)
def test_missing_evidence_asks_for_what_would_mend_it(
    rule: str, reason: str, asked: str, never: str
) -> None:
    told = learner_actions.what_to_do(finding(rule, reason, outcome="not_proven"), ZH)
    assert asked in told and never not in told


def test_hours_that_are_not_proven_refer_to_what_each_asks_for() -> None:
    alone, below = (
        learner_messages.steps({1: "not_proven"}, None, TODAY, ZH, below=it)[0]
        for it in (False, True)
    )
    assert "重新学" in alone.todo and "重新学" not in below.todo and "下面" in below.todo


def test_a_platform_s_fault_is_not_the_learner_s() -> None:
    assert learner_messages.not_theirs(finding("popup_gap", "none_issued", fault="platform"))
    assert not learner_messages.not_theirs(finding("fast_forward", "outran"))


def concluded(*reasons: dict[str, Any], cut_off: str | None = "2026-12-12") -> EnrolmentVerdictView:
    body = bodies.enrolment(cut_off=cut_off, reasons=list(reasons))
    return wording.enrolment(body, judged_ms=0, today=TODAY)


def reason(code: str, how: str = "automatic", **more: Any) -> dict[str, Any]:
    cure = {"how": how, "until": "2026-12-12"}
    said = {"code": code, "source": "fast_forward", "clause": None, "blocks": True, "count": 1}
    return {**said, "cure": cure, **more}


SAID = {"zh": "缺少资料：线下实训考勤", "en": "missing: offline attendance"}


def lost(undecided: set[str], upheld: set[str] | None = None, outcome: str = "invalid") -> str:
    """How a class-hour stands in which "a" and "b" were found."""
    found = frozenset(undecided), frozenset(upheld or set())
    return standing.of_study(outcome, {"a", "b"}, found)


def test_an_hour_is_lost_only_once_people_decided() -> None:
    assert lost({"b"}) == "pending_review"
    assert lost({"c"}) == "invalid"
    assert lost({"a"}, outcome="valid") == "valid"


def test_a_class_hour_is_lost_by_one_upheld_violation_whatever_else_is_open() -> None:
    assert lost({"b"}, {"a"}) == "invalid"


def test_an_hour_lost_by_what_was_appealed_tells_both_answers_and_the_last_day() -> None:
    body = concluded(reason("hours_violation"), reason("appeal_waiting"))
    marks = {1: "invalid", 2: "invalid"}
    stays, appealed = learner_messages.steps(marks, body, TODAY, ZH, appealed={2})
    assert stays.told.startswith("第1课时") and not stays.either
    assert "您申诉了" in appealed.told and appealed.until == "2026年12月12日" and appealed.either
    assert "改判的，照样算数" in appealed.todo and "维持原来结论的，补学" in appealed.todo


def test_an_hour_under_review_asks_for_nothing_and_names_no_day() -> None:
    body = concluded(reason("hours_violation"), reason("finding_in_review"))
    (step,) = learner_messages.steps({1: "valid", 2: "pending_review"}, body, TODAY, ZH)
    assert step.told.startswith("第2课时") and step.until == "2026年12月12日"
    assert "查下来没问题的，照样算数" in step.todo and "查实有问题的，不算数" in step.todo
    assert "可直接补课" not in step.told + step.todo


@pytest.mark.parametrize(
    ("how", "todo", "until"),
    [
        ("automatic", "补学", "2026年12月12日"),
        ("authority_approval", "书面同意", "2026年12月12日"),
        ("none", "仍然可以申诉", ""),
    ],
)
def test_an_hour_that_is_lost_says_how_and_by_when_it_can_be_made_up(
    how: str, todo: str, until: str
) -> None:
    (step,) = learner_messages.steps(
        {1: "invalid"}, concluded(reason("hours_violation", how)), TODAY, ZH
    )
    assert todo in step.todo and step.until == until


@pytest.mark.parametrize(("today", "late"), [("2026-12-12", False), ("2026-12-13", True)])
def test_the_last_day_still_counts_and_the_day_after_it_is_told_to_be_over(
    today: str, late: bool
) -> None:
    lost = concluded(reason("hours_violation"), reason("offline_hours_unknown", sentence=SAID))
    steps = learner_messages.steps({1: "invalid"}, lost, date.fromisoformat(today), ZH)
    assert [(it.until, it.late) for it in steps] == [("2026年12月12日", late)] * 2


CLASS_ENDS = date(2026, 11, 27)


def test_what_is_left_to_study_is_asked_for_within_the_days_of_the_class() -> None:
    (step,) = learner_messages.steps(
        {1: "incomplete"}, concluded(), TODAY, ZH, study_until=CLASS_ENDS
    )
    assert step.until == "2026年11月27日" and not step.late and "接着学完" in step.todo
    (step,) = learner_messages.steps(
        {1: "incomplete"}, concluded(), TODAY, ZH, study_until=date(2026, 12, 20)
    )
    assert step.until == "2026年12月12日"


@pytest.mark.parametrize(
    ("outcome", "how", "also"),
    [
        ("incomplete", "automatic", ""),
        ("not_started", "automatic", ""),
        ("not_proven", "automatic", ""),
        ("invalid", "authority_approval", "书面同意"),
        ("pending_review", "authority_approval", "查下来没问题的，照样算数"),
    ],
)
def test_nobody_is_sent_to_study_when_it_counts_no_more(outcome: str, how: str, also: str) -> None:
    body = concluded(reason("hours_violation", how), reason("hours_not_studied"))
    (step,) = learner_messages.steps(
        {1: outcome}, body, date(2026, 11, 28), ZH, study_until=CLASS_ENDS
    )
    assert "到2026年11月27日为止，之后学的不算数" in step.todo and "培训机构" in step.todo
    assert step.until == "" and also in step.todo
    assert not any(it in step.todo for it in ("接着学完", "按顺序学完", "重新学这几课时"))


def test_missing_evidence_sends_nobody_to_study_when_it_counts_no_more() -> None:
    unproven = finding("fast_forward", "outran", outcome="not_proven")
    assert "不要急着重新学" in learner_actions.what_to_do(unproven, ZH, over=True)
    assert "重新学这一课时" in learner_actions.what_to_do(unproven, ZH)


def test_too_few_hours_ask_for_no_study_when_it_counts_no_more() -> None:
    body = concluded(reason("too_few_class_hours", source="B5", sentence=SAID))
    (step,) = learner_messages.steps(
        {1: "valid"}, body, date(2026, 11, 28), ZH, study_until=CLASS_ENDS
    )
    assert "之后学的不算数" in step.todo and "学完" not in step.todo and step.until == ""


def test_what_the_platform_or_the_class_lacks_is_told_as_such() -> None:
    body = concluded(reason("control_missing", "none"), reason("class_not_acceptable", "none"))
    platform, klass = learner_messages.steps({1: "valid"}, body, TODAY, ZH)
    assert "不是您的责任" in platform.told and "不在您" in klass.told


@pytest.mark.parametrize("code", ["too_few_class_hours", "class_hours_undecided"])
def test_too_few_hours_are_not_mended_by_papers(code: str) -> None:
    said = {"zh": "有效学时0", "en": "0 valid class-hours"}
    body = concluded(reason(code, source="B5", sentence=said))
    *_, step = learner_messages.steps({1: "not_started"}, body, TODAY, ZH)
    assert "课时" in step.told and "有效学时0" not in step.told
    assert "材料" not in step.todo


def test_a_learner_without_a_verdict_sees_what_is_left_to_study() -> None:
    told = learner_messages.steps({1: "valid", 2: "incomplete", 3: "not_started"}, None, TODAY, ZH)
    assert [it.told[:4] for it in told] == ["第2课时", "第3课时"]
