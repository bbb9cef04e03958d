"""请假与补课登记, 复核与申诉台账 and 平台符合性记录."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from app.domain.judging.sentences import sentences
from app.domain.policy.packs import rule_title
from app.domain.review.review import UNDECIDED
from app.reports import labels
from app.reports.dossier import Dossier
from app.reports.sheet import NO_DATA, Column, Row, Sheet, Value, said, text, when, yes
from app.store.bodies import ControlRecord, document
from app.store.judging.enrolment_facts import LeaveRow
from app.store.review.finding_rows import FindingRow

_CONFIGURED = {
    "run_by": "实施方",
    "courses": "课程",
    "max_rate": "最高倍速",
    "on_second": "第二窗口",
    "course_id": "课程",
    "course_kind": "类别",
    "sequential_lock": "顺序锁",
}
_VALUES = {
    "service": "本服务",
    "platform": "平台",
    "professional": "专业课",
    "public": "公共课",
    "reject_new": "拒绝新窗口",
    "kick_old": "停用旧窗口",
}
_SUBJECTS = {
    "long_sittings": "应弹窗的学习会话",
    "long_sittings_with_consent": "应比对的学习会话（已同意）",
    "complete_class_hours": "学完的课时",
    "professional_courses": "专业课程",
    "judged_sittings": "已评判的学习会话",
}


def leave(dossier: Dossier) -> Sheet:
    columns = (
        Column("学员编号", 16),
        Column("姓名", 12),
        Column("证件后四位", 11, "center"),
        Column("请假起", 12),
        Column("请假止", 12),
        Column("书面手续", 10, "center"),
        Column("是否批准", 10, "center"),
        Column("事由", 26),
        Column("补课完成日", 12),
        Column("计入到课率", 11, "center"),
    )
    waiting = dossier.leaves_waiting
    rows = tuple(
        _leave(dossier, it, it.id in waiting)
        for it in dossier.leaves
        if it.learner_id in dossier.by_id
    )
    counts = (
        ("请假登记", len(rows)),
        ("已补课", sum(row[8] != "未补课" for row in rows)),
        ("计入到课率", sum(row[9] == "是" for row in rows)),
    )
    return Sheet("leave", "请假与补课登记", dossier.heading(), columns, rows, counts)


def _leave(dossier: Dossier, row: LeaveRow, waiting: bool) -> Row:
    member, made_up = dossier.by_id[row.learner_id], row.body.get("made_up_on")
    return (
        member.external_id,
        member.name,
        said(member.id_last4),
        row.from_on,
        row.to_on,
        yes(row.written),
        "待主管部门认可" if waiting else yes(row.approved),
        said(row.body.get("reason")),
        made_up or "未补课",
        yes(bool(row.written and row.approved and made_up and not waiting)),
    )


def reviews(dossier: Dossier) -> Sheet:
    columns = (
        Column("证据编号", 20),
        Column("学员编号", 14),
        Column("姓名", 10),
        Column("规则", 18),
        Column("事实描述", 40),
        Column("现状", 10),
        Column("初审", 22),
        Column("复核", 22),
        Column("申诉", 28),
        Column("答复", 24),
    )
    rows = tuple(_review(dossier, it) for it in dossier.findings)
    counts = (
        ("线索总数", len(rows)),
        *((it, sum(row[5] == it for row in rows)) for it in _standings()),
        ("申诉件数", sum(len(dossier.appeals[it.id]) for it in dossier.findings)),
    )
    notes = ("未审结的线索不列各人意见，以免影响复核人独立判断。",)
    return Sheet("reviews", "复核与申诉台账", dossier.heading(), columns, rows, counts, notes)


def _standings() -> list[str]:
    return [it for name, it in labels.STATUSES.items() if name != "gone"]


def _review(dossier: Dossier, row: FindingRow) -> Row:
    member = dossier.by_id.get(row.learner_id or 0)
    filed = dossier.appeals[row.id]
    return (
        row.key,
        member.external_id if member else "本班",
        member.name if member else "",
        rule_title(row.rule, row.pack).zh,
        dossier.fact(row.rule, row.learner_id, sentences(row.body).zh),
        labels.STATUSES[row.status],
        _given(dossier, row, "first"),
        _given(dossier, row, "second"),
        "；".join(f"{when(it.created_ms)} {it.statement}" for it in filed),
        "；".join(f"{when(it.replied_ms)} {it.reply}" for it in filed if it.replied_ms),
    )


def _given(dossier: Dossier, row: FindingRow, stage: str) -> str:
    if row.status in UNDECIDED:
        return "未审结"
    given = dossier.last_of_stage(row.id, stage)
    if given is None:
        return ""
    decision = labels.REVIEWS[given.decision]
    return f"{dossier.reviewer(given)} {decision} {when(given.created_ms)}：{given.reason}"


_CONTROL_COLUMNS = (
    Column("管控项目", 20),
    Column("条款原文", 22),
    Column("配置", 26),
    Column("观察对象", 20),
    Column("应有", 8, "right"),
    Column("具备", 8, "right"),
    Column("占比", 9, "right"),
    Column("查出线索", 9, "right"),
    Column("此前一年占比", 13, "right"),
    Column("变化", 10, "right"),
    Column("结论", 12, "center"),
)


def conformity(dossier: Dossier) -> Sheet:
    """The six controls of clause 21(2): configured, observed, and whether one is missing."""
    verdict = dossier.concluded.klass
    rows = tuple(_control(dossier, it) for it in verdict.controls)
    evidence, faults = verdict.evidence, verdict.faults
    faces = next(it.observed for it in verdict.controls if it.rule == "face_liveness")
    photos = next(it.observed for it in verdict.controls if it.rule == "photo_retention")
    earlier = dossier.platform_before
    counts: tuple[tuple[str, Value], ...] = (
        ("学习会话", evidence.sittings),
        ("已评判", evidence.judged),
        ("证据完整", evidence.complete),
        ("证据完整率", _percent(evidence.complete_share) or NO_DATA),
        ("此前一年本平台班级", earlier.classes),
        ("此前一年证据完整率", _percent(earlier.evidence.complete_share) or NO_DATA),
        (
            "有过活体通过记录的学习会话",
            NO_DATA if faces.live_sittings is UNSET else faces.live_sittings,
        ),
        ("已丢失或被改动的照片", NO_DATA if photos.lost is UNSET else photos.lost),
        ("缺失管控", sum(it.missing is True for it in verdict.controls)),
        ("不能判断", sum(it.missing is None for it in verdict.controls)),
        *((f"违规归责：{labels.FAULTS[name]}", it.violations) for name, it in faults.items()),
    )
    notes = (
        "人脸比对通过只说明像本人；按要求转头、确认为活体的，另计为“活体通过”。",
        "“不能判断”指证据不足以说明平台有无该项管控，不作认定。",
        "“此前一年”为本平台在本县、本班开班前一年内开班并已评判的全部班级；快进播放、多窗口学习的占比"
        "为每次学习查出的线索数，越低越好。",
    )
    return Sheet(
        "conformity",
        "平台符合性记录",
        dossier.heading(),
        _CONTROL_COLUMNS,
        rows,
        counts,
        notes,
        personal=False,
    )


def _control(dossier: Dossier, it: ControlRecord) -> Row:
    seen = it.observed
    state = {True: "missing", False: "present", None: "unknown"}[it.missing]
    control = it.kind == "control"
    standing = labels.CONTROL_STATES[state] if control else "按线索计"
    share = None if seen.share is UNSET else seen.share
    if not control:
        share = (seen.findings or 0) / seen.of if seen.of else None
    earlier = dossier.platform_before.controls.get(it.rule)
    before = earlier.share if earlier else None
    change = None if share is None or before is None else share - before
    return (
        dossier.pack.title_of(it.rule).zh,
        dossier.pack.clause_of(it.rule).words,
        _configured(document(it.configured)),
        _SUBJECTS.get(seen.subject, seen.subject),
        seen.of,
        "" if seen.seen is UNSET else seen.seen,
        _percent(share),
        "" if seen.findings is UNSET else seen.findings,
        _percent(before) or NO_DATA,
        "" if change is None else f"{100 * change:+.1f}个百分点",
        standing,
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}%"


def _configured(value: Any) -> str:
    if isinstance(value, dict):
        return "；".join(f"{_CONFIGURED.get(k, k)}：{_configured(v)}" for k, v in value.items())
    if isinstance(value, list):
        return "、".join(map(_configured, value))
    if isinstance(value, bool):
        return yes(value)
    return _VALUES.get(str(value), said(text(value)))
