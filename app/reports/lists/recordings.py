"""教学录像核对表: every class-hour taught in person, and the films that show it."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.review.inspections import RECORDINGS
from app.reports import labels
from app.reports.dossier import Dossier
from app.reports.sheet import NO_DATA, Column, Row, Sheet, said, text
from app.store.catalogue.films import FilmRow
from detectors.recordings import RecordedHour

_COLUMNS = (
    Column("日期", 12, "center"),
    Column("类型", 7, "center"),
    Column("学时序号", 9, "center"),
    Column("结论", 14, "center"),
    Column("说明", 24),
    Column("录像分钟", 10, "right"),
    Column("录像文件", 26),
    Column("存放位置", 28),
    Column("录制人", 11),
    Column("文件摘要（前16位）", 19),
    Column("抽查", 14),
)


def checked(dossier: Dossier) -> Sheet:
    films = {it.item: it for it in dossier.films}
    spots = _spot_checks(dossier)
    rows = tuple(_row(it, [films[name] for name in it.files], spots) for it in dossier.recorded)
    shown = {name for it in dossier.recorded for name in it.files}
    unmatched = [it for it in dossier.films if it.item not in shown]
    counts = (
        ("线下学时", len(rows)),
        *((f"录像{word}", sum(row[3] == word for row in rows)) for word in _RESULTS),
        ("录像文件", len(films)),
        ("抽查过的录像", len(spots)),
        ("不对应任何线下考勤的录像", len(unmatched)),
    )
    notes = (
        "依据：“理论教学须全程录像，实操培训每学时连续录像不低于15分钟”。学时数按当日到课最多的学员计，"
        "未注明实操的按理论计。",
        "一段录像连续跨若干实操学时的，首尾学时各须达到最短分钟数，中间学时须全程在内。",
        *(f"未对应：{it.item}" for it in unmatched[:50]),
    )
    heading = dossier.heading()
    return Sheet("recordings", "教学录像核对表", heading, _COLUMNS, rows, counts, notes, False)


_RESULTS = tuple(labels.CHECK_RESULTS[it] for it in ("pass", "fail", "needs_authority"))


def _spot_checks(dossier: Dossier) -> dict[str, str]:
    """What the last spot check found of each film that was drawn."""
    mine = {it.id for it in dossier.draws if it.frame_kind == RECORDINGS}
    checks = dossier.inspection_checks.items()
    return {
        file: labels.INSPECTION_RESULTS[it.result] for (draw, file), it in checks if draw in mine
    }


def _row(hour: RecordedHour, films: list[FilmRow], spots: Mapping[str, str]) -> Row:
    return (
        hour.held_on.isoformat(),
        "实操" if hour.practical else "理论",
        NO_DATA if hour.number is None else hour.number,
        labels.CHECK_RESULTS[hour.result],
        labels.RECORDED[hour.reason],
        text(round(hour.minutes, 1)),
        "\n".join(str(it.body["file"]) for it in films),
        "\n".join(str(it.body["stored_at"]) for it in films),
        "\n".join(said(it.body.get("recorded_by")) for it in films),
        "\n".join(said((it.body.get("sha256") or "")[:16]) for it in films),
        "\n".join(spots.get(it.item, "") for it in films),
    )
