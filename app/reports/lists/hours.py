"""有效学时汇总表, 学时明细 and 无效学时清单: the same class-hours, ever closer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.domain.judging.views import HourVerdictView
from app.domain.review.review import UNDECIDED
from app.reports import labels
from app.reports.dossier import Dossier
from app.reports.sheet import NO_DATA, Column, Row, Sheet, said, when
from app.store import stays
from app.store.exchange.report_rows import MemberRow
from app.store.review.finding_rows import FindingRow
from detectors.finding import Outcome

OUTCOMES = ("valid", "invalid", "not_proven", "pending_review", "incomplete", "not_started")
_APART = "“未能证实”指缺少证据，不作违规认定；“待人工审核”尚无结论。二者均不计入有效学时。"
_APPEALED = {True: "已答复", False: "申诉中"}


def counted(hours: Sequence[HourVerdictView]) -> tuple[int, ...]:
    """How many class-hours stand at each of OUTCOMES."""
    found = [it.standing.value for it in hours]
    return tuple(found.count(name) for name in OUTCOMES)


def totals(dossier: Dossier) -> tuple[tuple[str, int], ...]:
    """Counts that stand under every list of class-hours."""
    each = [counted(hours) for hours in dossier.hours.values()]
    summed = [sum(column) for column in zip(*each, strict=True)] or [0] * len(OUTCOMES)
    named = zip((f"{labels.HOURS[it]}课时" for it in OUTCOMES), summed, strict=True)
    return (
        ("花名册人数", len(dossier.everybody)),
        ("计划课时合计（人数×课时）", len(dossier.everybody) * len(dossier.plan)),
        *named,
    )


def summary(dossier: Dossier) -> Sheet:
    columns = (
        Column("序号", 6, "center"),
        Column("学员编号", 18),
        Column("姓名", 12),
        Column("证件后四位", 11, "center"),
        Column("计划课时", 9, "right"),
        *(Column(f"{labels.HOURS[it]}课时", 11, "right") for it in OUTCOMES),
        Column("线下到课学时", 13, "right"),
        Column("考核资格", 18),
    )
    rows = tuple(
        _summary_row(dossier, number, it) for number, it in enumerate(dossier.everybody, 1)
    )
    return Sheet(
        "hours-summary",
        "有效学时汇总表",
        dossier.heading(scaled=True),
        columns,
        rows,
        totals(dossier),
        (_APART,),
    )


def _summary_row(dossier: Dossier, number: int, member: MemberRow) -> Row:
    verdict = dossier.verdicts.get(member.external_id)
    attended = verdict.hours.attended if verdict else None
    return (
        number,
        member.external_id,
        member.name,
        said(member.id_last4),
        len(dossier.plan),
        *counted(dossier.hours[member.external_id]),
        NO_DATA if attended is None else attended,
        labels.VERDICTS[verdict.outcome] if verdict else ended(member),
    )


def detail(dossier: Dossier) -> Sheet:
    columns = (
        Column("学员编号", 16),
        Column("姓名", 10),
        Column("证件后四位", 11, "center"),
        Column("课程", 20),
        Column("课时序号", 9, "right"),
        Column("结论", 12),
        Column("有效覆盖率", 11, "right"),
        Column("认定分钟", 9, "right"),
        Column("播放分钟", 9, "right"),
        Column("课时分钟", 9, "right"),
        Column("留存照片", 9, "right"),
        Column("证据来源", 14),
        Column("说明", 46),
    )
    rows = tuple(
        _detail_row(dossier, member, hour)
        for member in dossier.everybody
        for hour in dossier.hours[member.external_id]
    )
    return Sheet(
        "hours-detail", "学时明细", dossier.heading(), columns, rows, totals(dossier), (_APART,)
    )


def _detail_row(dossier: Dossier, member: MemberRow, hour: HourVerdictView) -> Row:
    minutes = (round(it / 60_000, 1) for it in (hour.credited_ms, hour.played_ms, hour.length_ms))
    sources = "、".join(labels.PROVENANCES[it] for it in hour.provenance)
    return (
        member.external_id,
        member.name,
        said(member.id_last4),
        dossier.plan[hour.class_hour].course,
        hour.class_hour,
        labels.HOURS[hour.standing],
        f"{100 * hour.coverage:.1f}%",
        *minutes,
        hour.photos,
        sources or NO_DATA,
        "".join(it.sentence.zh for it in hour.findings),
    )


def invalid(dossier: Dossier) -> Sheet:
    """One line for each upheld violation that makes a class-hour invalid."""
    columns = (
        Column("班级编号", 10),
        Column("姓名", 8),
        Column("证件后四位", 7, "center"),
        Column("课程", 12),
        Column("课时序号", 7, "right"),
        Column("发生时间", 12),
        Column("规则", 14),
        Column("对应条款", 12),
        Column("条款原文", 16),
        Column("事实描述", 26),
        Column("证据编号", 11),
        Column("责任方", 7),
        Column("影响范围", 8),
        Column("处理", 11),
        Column("初审人", 8),
        Column("复核人", 8),
        Column("复核时间", 11),
        Column("申诉状态", 8),
    )
    lost = [
        (member, hour)
        for member in dossier.everybody
        for hour in dossier.hours[member.external_id]
        if hour.standing == "invalid"
    ]
    rows = tuple(row for member, hour in lost for row in _invalid_rows(dossier, member, hour))
    counts = (
        ("无效课时（人·课时）", len(lost)),
        ("涉及学员", len({member.id for member, _ in lost})),
        ("违规事实条数", len(rows)),
        *totals(dossier)[4:6],
    )
    notes = (
        "本清单只列已认定的违规；待人工审核和缺少证据（“未能证实”）的课时见《学时明细》，不作违规认定。",
    )
    return Sheet("invalid-hours", "无效学时清单", dossier.heading(), columns, rows, counts, notes)


def _invalid_rows(dossier: Dossier, member: MemberRow, hour: HourVerdictView) -> Iterator[Row]:
    for it in hour.findings:
        row = dossier.findings_by_key.get(it.key)
        if it.outcome is not Outcome.VIOLATION or (row and row.status in UNDECIDED):
            continue
        first = dossier.last_of_stage(row.id, "first") if row else None
        second = dossier.last_of_stage(row.id, "second") if row else None
        decided = second or first
        yield (
            dossier.number,
            member.name,
            said(member.id_last4),
            dossier.plan[hour.class_hour].course,
            hour.class_hour,
            f"{when(it.start_ms)} 至 {when(it.end_ms)}",
            dossier.pack.title_of(it.rule).zh,
            f"{it.clause.instrument} {it.clause.article}",
            it.clause.quote,
            dossier.fact(it.rule, member.id, it.sentence.zh),
            it.key,
            labels.FAULTS[it.fault],
            labels.REACHES[it.reach],
            _treatment(row, it.curable),
            dossier.reviewer(first),
            dossier.reviewer(second),
            when(decided.created_ms) if decided else "",
            _appealed(dossier, row),
        )


def _treatment(row: FindingRow | None, curable: bool) -> str:
    standing = labels.STATUSES[row.status] if row else NO_DATA
    return f"{standing}；课时不计，{'可补课' if curable else '不得补课'}"


def _appealed(dossier: Dossier, row: FindingRow | None) -> str:
    filed = dossier.appeals[row.id] if row else []
    return _APPEALED[filed[-1].replied_ms is not None] if filed else "未申诉"


def ended(member: MemberRow) -> str:
    """Until when somebody was in the class, blank of who is in it."""
    if member.ended_by is None:
        return ""
    return f"{member.last_on}{'转出' if member.ended_by == stays.MOVED else '离班'}"
