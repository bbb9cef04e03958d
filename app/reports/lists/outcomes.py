"""准予 and 不接受线下考核申请名单, 未审结名单, and 批次校验报告."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.domain.judging.views import CheckView, EnrolmentVerdictView, ReasonView
from app.reports import labels
from app.reports.dossier import WITHHELD, Dossier
from app.reports.sheet import NO_DATA, Column, Row, Sheet, Value, said, text, when
from app.store.exchange.report_rows import MemberRow

_LEARNER = (
    Column("序号", 6, "center"),
    Column("学员编号", 16),
    Column("姓名", 11),
    Column("证件后四位", 11, "center"),
    Column("工作单位", 20),
    Column("有效课时", 9, "right"),
    Column("计划课时", 9, "right"),
)
_WHY = (
    Column("原因", 44),
    Column("能否补正", 18),
    Column("补正截止", 12),
    Column("下一考核窗口", 14),
)


_NOT_THE_LEARNER_S = {
    "class_not_acceptable": "班级事项，见批次校验报告",
    **dict.fromkeys(
        (
            "finding_in_review",
            "violation_in_review",
            "hours_in_review",
            "appeal_waiting",
            "violation_awaits_reviewers",
            "control_missing_awaits_reviewers",
        ),
        "待人工审结，审结前无须补课",
    ),
    "class_pending": "班级事项，见批次校验报告",
}  # reasons that other people have to settle, and what to print instead of a cure
_VALUES = {
    "offline": "线下",
    "online": "线上",
    "blended": "线上线下融合",
    "enterprise": "企业",
    "institution": "培训机构",
    "individual": "个人",
    "stricter": "从严",
    "-": "无",
    "verified": "已实名",
    "not verified": "未实名",
}
_SOURCES = {
    "class": "开班信息",
    "roster": "花名册",
    "class-hours": "学时",
    "leave": "请假登记",
    "history": "培训履历",
    "satisfaction": "满意度",
    "offline-attendance": "线下考勤",
    "recordings": "教学录像",
}


def admitted(dossier: Dossier) -> Sheet:
    columns = (*_LEARNER, Column("结论", 16))
    rows = tuple(
        (*_learner(dossier, number, it), labels.VERDICTS["eligible"])
        for number, it in enumerate(_having(dossier, "eligible"), 1)
    )
    return Sheet(
        "admitted",
        "准予申请线下考核名单",
        dossier.heading(scaled=True),
        columns,
        rows,
        tied(dossier),
    )


def refused(dossier: Dossier) -> Sheet:
    return _with_reasons(dossier, "ineligible", "refused", "不接受线下考核申请名单")


def pending(dossier: Dossier) -> Sheet:
    note = (
        "未审结不是违规：缺少资料、未能证实、正待人工审核或申诉未答复，补齐或审结后另行得出结论，"
        "此前不列入准予、不接受名单和公示名单。"
    )
    return _with_reasons(dossier, "pending", "pending", "未审结名单", note)


def tied(dossier: Dossier) -> tuple[tuple[str, int], ...]:
    """Counts under every list of outcomes: they add up to the roster."""
    left = len(dossier.everybody) - len(dossier.members)
    return (
        ("准予申请线下考核", len(_having(dossier, "eligible"))),
        ("不接受线下考核申请", len(_having(dossier, "ineligible"))),
        ("未审结", len(_having(dossier, "pending"))),
        *((("已离班或转班", left),) if left else ()),
        ("花名册人数", len(dossier.everybody)),
    )


def _with_reasons(dossier: Dossier, outcome: str, name: str, title: str, *notes: str) -> Sheet:
    rows = tuple(
        (*_learner(dossier, number, it), *_why(dossier.verdicts[it.external_id]))
        for number, it in enumerate(_having(dossier, outcome), 1)
    )
    heading = dossier.heading(scaled=True)
    studied = (
        f"补学的课时只在本班日期内（至{dossier.row.ends_on}）计入，此后补学的须先延长本班日期。"
    )
    notes = (*notes, f"{studied}已批准的书面请假，可补到考核前一日。")
    return Sheet(name, title, heading, (*_LEARNER, *_WHY), rows, tied(dossier), notes)


def _having(dossier: Dossier, outcome: str) -> list[MemberRow]:
    return [it for it in dossier.members if dossier.verdicts[it.external_id].outcome == outcome]


def _learner(dossier: Dossier, number: int, member: MemberRow) -> Row:
    hours = dossier.verdicts[member.external_id].hours
    return (
        number,
        member.external_id,
        member.name,
        said(member.id_last4),
        said(member.employer),
        hours.valid,
        hours.planned,
    )


def _why(verdict: EnrolmentVerdictView) -> Row:
    reasons = verdict.reasons
    untils = dict.fromkeys(it.cure.until for it in reasons if it.cure.until)
    checks = {it.check: it for it in verdict.checks}
    return (
        _numbered(_sentence(it, checks.get(it.source)) for it in reasons),
        _numbered(_NOT_THE_LEARNER_S.get(it.code, it.cure.zh) for it in reasons),
        "、".join(untils) + ("（已过）" if untils and verdict.cut_off_passed else "") or NO_DATA,
        verdict.next_window.first[:7],
    )


def _sentence(reason: ReasonView, check: CheckView | None) -> str:
    """Why, and of a check by what it was held: what was found alone tells nobody what is short."""
    sentence = reason.sentence.zh
    if check is not None:
        told = sentence.removesuffix("。")
        sentence = f"{check.title.zh}：{told}（标准：{_text(check.limit)}）"
    return sentence if sentence.endswith("。") else f"{sentence}。"


def _numbered(parts: Iterable[str]) -> str:
    """Under the same numbers in both columns, so that a reader sees which can be cured and how."""
    sentences = list(parts)
    if len(sentences) == 1:
        return sentences[0]
    return "\n".join(f"{number}. {it}" for number, it in enumerate(sentences, 1))


def batch(dossier: Dossier) -> Sheet:
    """Every check before the assessment, with the words it rests on and what was found."""
    columns = (
        Column("对象", 18),
        Column("编号", 13, "center"),
        Column("校验项", 18),
        Column("条款原文", 36),
        Column("查得", 16),
        Column("标准", 16),
        Column("结论", 14, "center"),
        Column("说明", 40),
        Column("依据资料", 14),
    )
    verdict = dossier.concluded.klass
    rows = tuple(_checks("本班", verdict.checks)) + tuple(
        row
        for it in dossier.members
        for row in _checks(
            f"{it.name}（{it.external_id}）", dossier.verdicts[it.external_id].checks
        )
    )
    results = [row[6] for row in rows]
    counts: tuple[tuple[str, Value], ...] = (
        *tied(dossier),
        ("班级结论", labels.VERDICTS[verdict.outcome]),
        *((f"校验{it}", results.count(it)) for it in labels.CHECK_RESULTS.values()),
        ("校验合计", len(rows)),
    )
    notes = (
        f"处理尺度：{_chosen(dossier)}。",
        *(it.sentence.zh for it in verdict.reasons),
    )
    heading = dossier.heading(scaled=True)
    return Sheet("batch-report", "批次校验报告", heading, columns, rows, counts, notes)


def _chosen(dossier: Dossier) -> str:
    """The scale that applies, and who of the authority picked it when."""
    scale = dossier.concluded.scale
    name = labels.SCALES.get(scale.applied, scale.applied)
    if scale.chosen is None:
        return f"{name}（开班时的规则包，主管部门未另选）"
    who = scale.chosen_by if dossier.named else WITHHELD
    return f"{name}（{said(who)}于{when(scale.chosen_ms)}选定）"


def _checks(subject: str, checks: Sequence[CheckView]) -> Iterator[Row]:
    for it in checks:
        yield (
            subject,
            it.check.partition("_")[0],  # checks of one clause share its number
            it.title.zh,
            it.clause.quote,
            _text(it.found),
            _text(it.limit),
            labels.CHECK_RESULTS[it.result],
            it.sentence.zh if it.sentence else "",
            _SOURCES.get(it.evidence, it.evidence),
        )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(map(_text, value))
    return _VALUES.get(str(value), said(text(value) if isinstance(value, float) else value))
