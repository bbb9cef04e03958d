"""旬报 and 月报 of a whole county, and how far it is with the year's tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from app.clock import day
from app.domain.judging import eligibility
from app.domain.policy.task_plan import plan
from app.domain.review import county_tasks
from app.errors import BadInput, NotFound
from app.reports.dossier import Dossier, office_of
from app.reports.exports import EARLIEST, FORMATS, File
from app.reports.lists import periodic
from app.reports.lists.periodic import Period
from app.reports.sheet import NO_DATA, Column, Heading, Row, Sheet, Value
from app.services import Services
from app.store.bodies import ClassVerdict
from app.store.catalogue import catalogue
from app.store.judging import verdicts
from app.store.review import county as store

_AS_OF = "累计数是生成时的，结论按各班最近一次校验；尚未开班的班级不计入。"
_DONE = (
    "完成数按准予申请考核并考核合格的人次计（产品默认口径，方案未写明）；同一人在两个班各计一次。"
    "目标为无数据的，本县尚未录入。"
)
_KNOWN_FROM = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class CountyReport:
    """What is wanted: of which county, looking back from which day, in which columns."""

    county: str
    on: date
    columns: tuple[str, ...] = ()


def ten_day(connection: Connection, asked: CountyReport, now_ms: int) -> Sheet:
    period = periodic.ten_days_before(asked.on)
    return _classes(connection, asked, now_ms, "county-ten-day", "旬报", period)


def monthly(connection: Connection, asked: CountyReport, now_ms: int) -> Sheet:
    period = periodic.month_before(asked.on)
    return _classes(connection, asked, now_ms, "county-monthly", "月报", period)


def tasks(connection: Connection, asked: CountyReport, now_ms: int) -> Sheet:
    """附件1's tasks: the target and what is done of it in the year, up to the day."""
    found = county_tasks.progress(connection, asked.county, asked.on)
    columns = (
        Column("序号", 6, "center"),
        Column("工作任务", 34),
        Column("牵头单位", 30),
        Column("目标（人次）", 13, "right"),
        Column("开班班数", 10, "right"),
        Column("开班人次", 10, "right"),
        Column("参加考核人次", 14, "right"),
        Column("合格人次", 10, "right"),
        Column("完成率", 10, "right"),
    )
    rows = tuple(
        (
            it.task.number if it.task else "",
            it.task.title.zh if it.task else "未指定任务的班级",
            it.task.offices if it.task else "",
            NO_DATA if it.target is None else it.target,
            len(it.classes),
            it.begun,
            it.assessed,
            it.passed,
            NO_DATA if it.share is None else f"{100 * it.share:.1f}%",
        )
        for it in found
    )
    counts: tuple[tuple[str, Value], ...] = (
        ("目标合计", sum(it.target or 0 for it in found)),
        ("开班班数合计", sum(len(it.classes) for it in found)),
        ("开班人次合计", sum(it.begun for it in found)),
        ("参加考核人次合计", sum(it.assessed for it in found)),
        ("合格人次合计", sum(it.passed for it in found)),
    )
    period = f"{asked.on:%Y}-01-01 至 {asked.on}"
    outside = sum(it.passed_outside for it in found)
    told = (
        f"资料不一致：另有{outside}人次未准予申请考核而考核合格，未计入，"
        "请到各班《取证名单》核实。",
    )
    notes = (
        f"任务名称和牵头单位出自{plan().source}。",
        _DONE,
        *(told if outside else ()),
        *_schools(asked, found),
    )
    heading = _heading(asked, period, now_ms)
    title = f"{asked.county}年度培训任务进度表"
    return Sheet("county-tasks", title, heading, columns, rows, counts, notes, personal=False)


def _schools(asked: CountyReport, found: Sequence[county_tasks.TaskProgress]) -> Iterator[str]:
    """How far each vocational school is with what the plan asks of it in a year."""
    wanted = plan().schools
    said = {"done": "已完成", "open": "年度未结束", "short": "未完成"}
    for it in county_tasks.schools(asked.county, asked.on, found):
        yield (
            f"{it.name}（职业学校）：考核合格{it.passed}人（不少于{wanted.people}人），其中企业新型"
            f"学徒制{it.apprentices}人（不少于{wanted.apprentices}人）：{said[it.standing]}。"
        )


REPORTS: dict[str, tuple[str, Callable[[Connection, CountyReport, int], Sheet]]] = {
    "tasks": ("任务进度表", tasks),
    "ten-day": ("旬报", ten_day),
    "monthly": ("月报", monthly),
}


def export(services: Services, name: str, ext: str, asked: CountyReport) -> File:
    """The report as a file. Raises NotFound for a name or format there is none of, BadInput by the
    field."""
    now_ms = services.clock()
    if name not in REPORTS or ext not in FORMATS:
        raise NotFound("unknown_export", "there is no such report of a county")
    if not EARLIEST <= asked.on <= day(now_ms):
        detail = f"on: a day from {EARLIEST} to today"
        raise BadInput("bad_day", detail, field="on")
    title, build = REPORTS[name]
    written = FORMATS[ext]
    if name != "tasks":
        _conclude(services, asked, now_ms)
    with services.database.read() as connection:
        data = written.write(build(connection, asked, now_ms))
    return File(f"{asked.county}_{title}_{asked.on}.{ext}", written.media_type, data)


def _conclude(services: Services, asked: CountyReport, now_ms: int) -> None:
    """Conclude on classes that have no conclusion yet, one at a time; the night does the rest."""
    with services.database.read() as connection:
        begun = store.begun(connection, asked.county, _KNOWN_FROM, asked.on)
        unjudged = [it.id for it in begun if not verdicts.of_class(connection, it.id, ClassVerdict)]
    for class_id in unjudged:
        with services.database.write() as connection:
            eligibility.conclude(connection, class_id, now_ms)


def _classes(
    connection: Connection,
    asked: CountyReport,
    now_ms: int,
    name: str,
    title: str,
    period: Period,
) -> Sheet:
    """A line for each class that began in the year up to the period's end, or earlier and was not
    over when the period began; and what they come to."""
    wanted = periodic.chosen(asked.columns)
    rows = tuple(_lines(connection, asked, now_ms, wanted, period))
    counts: list[tuple[str, Value]] = [("班级数", len(rows))]
    for at, column in enumerate(wanted):
        numbers = [row[at] for row in rows if isinstance(row[at], int)]
        if numbers:
            counts.append((f"{column}合计", sum(numbers)))  # type: ignore[arg-type]
    heading = _heading(asked, f"{period[0]} 至 {period[1]}", now_ms)
    columns = periodic.columns(wanted)
    title = f"{asked.county}职业技能培训{title}"
    return Sheet(name, title, heading, columns, rows, tuple(counts), (_AS_OF,), personal=False)


def _lines(
    connection: Connection,
    asked: CountyReport,
    now_ms: int,
    wanted: Sequence[str],
    period: Period,
) -> Iterator[Row]:
    for it in store.begun(connection, asked.county, _KNOWN_FROM, period[1]):
        over = max(it.ends_on, it.assessment_on or "") < period[0].isoformat()
        if over and it.starts_on[:4] < f"{period[1]:%Y}":
            continue
        klass = catalogue.class_by_id(connection, it.id)
        dossier = Dossier(connection, klass, now_ms, named=True, on=asked.on)
        yield periodic.figures(dossier, period, wanted)


def _heading(asked: CountyReport, period: str, now_ms: int) -> Heading:
    blank = dict.fromkeys(("institution", "class_no", "class_id", "occupation", "pack"), "")
    county = {"county": asked.county, "office": office_of(asked.county)}
    return Heading(**blank, pack_digest="", period=period, generated_ms=now_ms, **county)
