"""旬报 (made on the 1st, 11th and 21st) and 月报: one line on the class, in chosen columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from app.clock import day
from app.domain.policy.task_plan import plan
from app.errors import BadInput
from app.reports import labels
from app.reports.dossier import Dossier
from app.reports.lists.hours import totals
from app.reports.sheet import NO_DATA, Column, Row, Sheet, Value, said
from app.store.exchange import report_rows
from app.store.judging import enrolment_facts
from app.store.review import county

Period = tuple[date, date]
_NOT_BEGUN = "本班在本期末尚未开班，不计入任何数。"
Figure = Callable[[Dossier, Period], Value]


def _sittings(dossier: Dossier, period: Period) -> list[int]:
    """Learners of the sittings that began in the period."""
    found = report_rows.sessions(dossier.connection, dossier.id)
    return [it.learner_id for it in found if period[0] <= day(it.opened_ms) <= period[1]]


def _satisfaction(dossier: Dossier, _: Period) -> Value:
    surveys = enrolment_facts.surveys(dossier.connection, [dossier.id])[dossier.id]
    answered = sum(it.answered for it in surveys)
    if not answered:
        return NO_DATA
    return f"{100 * sum(it.satisfied for it in surveys) / answered:.1f}%"


def _task(dossier: Dossier, _: Period) -> Value:
    number = county.task_of(dossier.connection, dossier.id)
    return said(next((it.title.zh for it in plan().tasks if it.number == number), None))


def _hours(label: str) -> Figure:
    return lambda dossier, _: dict(totals(dossier))[label]


def _outcomes(outcome: str) -> Figure:
    return lambda dossier, _: sum(it.outcome == outcome for it in dossier.concluded.learners)


FIGURES: dict[str, Figure] = {
    "培训机构": lambda dossier, _: dossier.row.institution,
    "班级编号": lambda dossier, _: dossier.number,
    "培训平台": lambda dossier, _: dossier.row.platform_name,
    "职业（工种）": lambda dossier, _: dossier.row.occupation,
    "对应任务": _task,
    "级别": lambda dossier, _: said(dossier.terms.get("level")),
    "开班日期": lambda dossier, _: dossier.row.starts_on,
    "结束日期": lambda dossier, _: dossier.row.ends_on,
    "培训人数": lambda dossier, period: dossier.on_roster(period[1]),
    "本期学习人数": lambda dossier, period: len(set(_sittings(dossier, period))),
    "本期学习人次": lambda dossier, period: len(_sittings(dossier, period)),
    "累计有效课时": _hours("有效课时"),
    "累计无效课时": _hours("无效课时"),
    "累计未能证实课时": _hours("未能证实课时"),
    "累计待审核课时": _hours("待人工审核课时"),
    "准予考核人数": _outcomes("eligible"),
    "不接受考核人数": _outcomes("ineligible"),
    "未审结人数": _outcomes("pending"),
    "满意度": _satisfaction,
    "计划考核日期": lambda dossier, _: said(dossier.row.assessment_on),
    "班级结论": lambda dossier, _: labels.VERDICTS[dossier.concluded.klass.outcome],
}
USUAL = (
    "培训机构", "班级编号", "职业（工种）", "开班日期", "结束日期", "培训人数", "本期学习人数",
    "本期学习人次", "累计有效课时", "累计无效课时", "累计未能证实课时", "准予考核人数",
    "不接受考核人数", "未审结人数",
)  # fmt: skip


def ten_day(dossier: Dossier) -> Sheet:
    return _report(dossier, "ten-day", "旬报", ten_days_before(dossier.on))


def monthly(dossier: Dossier) -> Sheet:
    return _report(dossier, "monthly", "月报", month_before(dossier.on))


def ten_days_before(on: date) -> Period:
    """The last ten-day period that was over on that day.

    >>> [day.isoformat() for day in ten_days_before(date(2026, 3, 1))]
    ['2026-02-21', '2026-02-28']
    """
    last = on.replace(day=1) - timedelta(days=1)
    if on.day > 10:
        last = on.replace(day=20 if on.day > 20 else 10)
    return last.replace(day=min((last.day - 1) // 10, 2) * 10 + 1), last


def chosen(columns: Sequence[str]) -> Sequence[str]:
    """The columns asked for, or the usual ones. Raises BadInput naming one that there is not."""
    unknown = [it for it in columns if it not in FIGURES]
    if unknown:
        raise BadInput(
            "unknown_column",
            f"columns: no column {unknown[0]!r}; there are: {', '.join(FIGURES)}",
            field="columns",
        )
    return columns or USUAL


def columns(wanted: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(it, max(12, 2 * len(it) + 2), "center") for it in wanted)


def figures(dossier: Dossier, period: Period, wanted: Sequence[str]) -> Row:
    """One line on the class, which has begun."""
    return tuple(FIGURES[it](dossier, period) for it in wanted)


def month_before(on: date) -> Period:
    """The last month that was over on that day."""
    last = on.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _report(dossier: Dossier, name: str, title: str, period: Period) -> Sheet:
    wanted = chosen(dossier.chosen)
    heading = dossier.heading(f"{period[0]} 至 {period[1]}", scaled=True)
    if dossier.row.starts_on > period[1].isoformat():
        return Sheet(name, title, heading, columns(wanted), (), (), (_NOT_BEGUN,), personal=False)
    row = figures(dossier, period, wanted)
    return Sheet(name, title, heading, columns(wanted), (row,), totals(dossier), personal=False)
