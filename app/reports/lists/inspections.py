"""远程巡查记录 and 巡查在线名单: who was drawn and what was found, who was learning just then."""

from __future__ import annotations

from app.domain.review.inspections import frame_digest, results_of
from app.reports import labels
from app.reports.dossier import WITHHELD, Dossier
from app.reports.sheet import Column, Row, Sheet, said, when
from app.store.review.inspections import InspectionRow

_NOT_YET = "未登记"
_OF_LEARNERS = [labels.INSPECTION_RESULTS[it] for it in results_of("roster")]


def drawn(dossier: Dossier) -> Sheet:
    """A line for each learner of each draw, in the order of the draw."""
    columns = (
        Column("巡查编号", 9, "center"),
        Column("抽取时间", 19),
        Column("抽取人", 10),
        Column("抽取范围", 16),
        Column("范围人数", 9, "right"),
        Column("在线人数", 9, "right"),
        Column("抽取种子", 34),
        Column("范围摘要", 34),
        Column("抽中次序", 9, "right"),
        Column("学员编号", 14),
        Column("姓名", 10),
        Column("证件后四位", 11, "center"),
        Column("抽取时在线", 11, "center"),
        Column("巡查结果", 12, "center"),
        Column("说明", 26),
        Column("登记人", 10),
        Column("登记时间", 19),
    )
    rows = tuple(
        _drawn(dossier, made, order, learner)
        for made in dossier.inspections
        for order, learner in enumerate(made.drawn, 1)
    )
    results = [row[13] for row in rows]
    counts = (
        ("巡查次数", len(dossier.inspections)),
        ("抽中人次", len(rows)),
        *((it, results.count(it)) for it in (*_OF_LEARNERS, _NOT_YET)),
    )
    notes = (
        "抽取方法：范围内每人计算 SHA-256(种子:学员编号)，由小到大取前若干人；种子由服务器"
        "在抽取时生成，任何人都不能挑选，凭种子和范围可以重新抽取核对。",
        "同一人登记多次的，以最后一次为准；每次登记都在审计数据包中。",
    )
    return Sheet("inspections", "远程巡查记录", dossier.heading(), columns, rows, counts, notes)


def online(dossier: Dossier) -> Sheet:
    """A line for each sitting that was going on at a draw."""
    columns = (
        Column("巡查编号", 9, "center"),
        Column("巡查时间", 19),
        Column("学员编号", 16),
        Column("姓名", 12),
        Column("证件后四位", 11, "center"),
        Column("学习会话", 26),
        Column("本次学习开始", 19),
        Column("是否抽中", 10, "center"),
    )
    rows = tuple(
        (
            made.id,
            when(made.drawn_ms),
            *_who(dossier, it["learner_id"]),
            it["session_id"],
            when(it["opened_ms"]),
            "是" if it["learner_id"] in made.drawn else "否",
        )
        for made in dossier.inspections
        for it in made.online
    )
    learners = {(row[0], row[2]) for row in rows}
    counts = (
        ("巡查次数", len(dossier.inspections)),
        ("在线学习会话", len(rows)),
        ("在线人次", len(learners)),
    )
    return Sheet("inspections-online", "巡查在线名单", dossier.heading(), columns, rows, counts)


def _drawn(dossier: Dossier, made: InspectionRow, order: int, learner: str) -> Row:
    found = dossier.inspection_checks.get((made.id, learner))
    learning = {it["learner_id"] for it in made.online}
    return (
        made.id,
        when(made.drawn_ms),
        _inspector(dossier, made.who),
        labels.INSPECTION_FRAMES[made.frame_kind],
        len(made.frame),
        len(learning),
        made.seed,
        frame_digest(made.frame),
        order,
        *_who(dossier, learner),
        "是" if learner in learning else "否",
        labels.INSPECTION_RESULTS[found.result] if found else _NOT_YET,
        found.remark if found else "",
        _inspector(dossier, found.who) if found else "",
        when(found.checked_ms) if found else "",
    )


def _inspector(dossier: Dossier, name: str) -> str:
    return name if dossier.named else WITHHELD


def _who(dossier: Dossier, learner: str) -> tuple[str, str, str]:
    """Id, name and last digits; who left the roster since is known by the id alone."""
    member = dossier.by_external_id.get(learner)
    return (
        learner,
        member.name if member else "已不在花名册",
        said(member.id_last4) if member else "",
    )
