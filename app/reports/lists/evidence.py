"""抓拍影像清单, 弹窗记录 and 人脸信息处理台账: what the ledger holds, without a single picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.domain.faces.enrolment_photos import WANTED
from app.reports import labels
from app.reports.dossier import Dossier
from app.reports.sheet import NO_DATA, Column, Sheet, said, when, yes
from app.store.exchange import report_rows
from app.store.exchange.report_rows import HeldReference, MemberRow, ReportedControl, ReportedPhoto
from detectors.control_kinds import ControlKind
from detectors.trace import Check, ControlFlag

_WHO = (
    Column("学员编号", 16),
    Column("姓名", 10),
    Column("证件后四位", 11, "center"),
    Column("学习会话", 22),
)
_GONE = "学员已不在花名册"
_LOW = "较低"


def photos(dossier: Dossier) -> Sheet:
    columns = (
        *_WHO,
        Column("用途", 11),
        Column("接收时间", 20),
        Column("抽取随机时刻", 13, "center"),
        Column("比对结论", 14),
        Column("距离", 9, "right"),
        Column("阈值", 9, "right"),
        Column("仍留存", 8, "center"),
        Column("影像 sha256", 34),
    )
    found = report_rows.photos(dossier.connection, dossier.id)
    rows = tuple(
        (
            *_who(dossier, it),
            labels.PURPOSES[it.purpose],
            when(it.received_ms),
            yes(bool(it.random_time)),
            labels.CHECKS[Check(it.check).name.lower()],
            NO_DATA if it.score is None else round(it.score, 4),
            NO_DATA if it.limit is None else round(it.limit, 4),
            yes(_held(it)),
            it.sha256.hex(),
        )
        for it in found
    )
    kept = sum(_held(it) for it in found)
    removed = sum(it.removal_ms is not None for it in found)
    counts = (
        ("影像总数", len(rows)),
        ("仍留存", kept),
        ("已按规定销毁", removed),
        ("丢失", len(rows) - kept - removed),
        ("随机时刻影像", sum(bool(it.random_time) for it in found)),
    )
    return Sheet("photo-list", "抓拍影像清单", dossier.heading(), columns, rows, counts)


def popups(dossier: Dossier) -> Sheet:
    columns = (
        *_WHO,
        Column("课时内容", 16),
        Column("下发方", 12),
        Column("下发时间", 20),
        Column("显示时间", 20),
        Column("应答时间", 20),
        Column("超时时间", 20),
        Column("结果", 12),
    )
    found = report_rows.controls(dossier.connection, dossier.id, ControlKind.POPUP)
    rows = tuple(
        (
            *_who(dossier, it),
            it.lesson,
            labels.SOURCES[it.source],
            when(it.issued_ms),
            when(it.shown_ms),
            when(it.answered_ms),
            when(it.expired_ms),
            _result(it),
        )
        for it in found
    )
    results = [str(row[-1]) for row in rows]
    names = ("已应答", "超时未应答", "已显示", "未显示", "无下发记录")
    counts = (("弹窗总数", len(rows)), *((name, results.count(name)) for name in names))
    return Sheet("popup-log", "弹窗记录", dossier.heading(), columns, rows, counts)


def faces(dossier: Dossier) -> Sheet:
    """What face data the service holds of whom, on what consent, and what was destroyed when."""
    columns = (
        Column("学员编号", 16),
        Column("姓名", 10),
        Column("同意处理", 10, "center"),
        Column("同意时间", 20),
        Column("同意书", 20),
        Column("登记照片", 10, "right"),
        Column("人脸模板", 10, "right"),
        Column("抓拍影像", 10, "right"),
        Column("比对次数", 10, "right"),
        Column("密钥销毁时间", 20),
        Column("比对把握", 10, "center"),
    )
    enrolled: dict[int, list[HeldReference]] = defaultdict(list)
    for held in report_rows.reference_photos(dossier.connection, dossier.id):
        enrolled[held.learner_id].append(held)
    taken: dict[int, list[ReportedPhoto]] = defaultdict(list)
    for photo in report_rows.photos(dossier.connection, dossier.id):
        taken[photo.learner_id].append(photo)
    rows = tuple(
        (
            it.external_id,
            it.name,
            yes(it.face_consent),
            when(it.consent_ms),
            said(it.consent_document),
            sum(bool(photo.has_photo) for photo in enrolled[it.id]),
            sum(bool(photo.has_template) for photo in enrolled[it.id]),
            sum(_held(photo) for photo in taken[it.id]),
            sum(photo.score is not None for photo in taken[it.id]),
            "" if it.key_destroyed_ms is None else when(it.key_destroyed_ms),
            _confidence(it, enrolled[it.id]),
        )
        for it in dossier.everybody
    )
    counts = (
        ("花名册人数", len(rows)),
        ("已同意", sum(it.face_consent for it in dossier.everybody)),
        ("未同意（另行安排，不作违规）", sum(not it.face_consent for it in dossier.everybody)),
        (f"登记照片不足{WANTED}张", sum(row[10] == _LOW for row in rows)),
        ("留存抓拍影像", sum(int(row[7] or 0) for row in rows)),
    )
    notes = ("处理目的：培训过程身份核验。照片与模板逐人加密保存，销毁密钥即不可恢复。",)
    return Sheet("face-data", "人脸信息处理台账", dossier.heading(), columns, rows, counts, notes)


def _confidence(member: MemberRow, enrolled: Sequence[HeldReference]) -> str:
    """How sure comparisons with a learner's enrolled photos are."""
    if not member.face_consent:
        return ""
    there = sum(it.status == "ready" and it.retired_ms is None for it in enrolled)
    return "正常" if there >= WANTED else _LOW


def _held(photo: ReportedPhoto) -> bool:
    return photo.blob_key is not None and photo.purged_ms is None and photo.removal_ms is None


def _who(dossier: Dossier, row: ReportedPhoto | ReportedControl) -> tuple[str, str, str, str]:
    member = dossier.by_id.get(row.learner_id)
    if member is None:
        return _GONE, "", "", row.session
    return member.external_id, member.name, said(member.id_last4), row.session


def _result(control: ReportedControl) -> str:
    if control.flags & ControlFlag.UNKNOWN:
        return "无下发记录"
    if control.answered_ms is not None:
        return "已应答"
    if control.expired_ms is not None:
        return "超时未应答"
    return "未显示" if control.shown_ms is None else "已显示"
