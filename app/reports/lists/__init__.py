"""All lists by name. A new list is a function in a file beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.errors import NotFound
from app.reports.dossier import Dossier
from app.reports.lists import (
    annex,
    certificates,
    evidence,
    hours,
    inspections,
    outcomes,
    people,
    periodic,
    recordings,
    records,
    subsidies,
)
from app.reports.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Listing:
    """A list by its name in URLs and by its Chinese title; `signed` ones are printed as PDF too,
    and what is `kept` from platforms they do not get: it would warn whoever was drawn."""

    name: str
    title: str
    build: Callable[[Dossier], Sheet]
    signed: bool = False
    kept: bool = False


LISTS: dict[str, Listing] = {
    it.name: it
    for it in (
        Listing("roster", "花名册", people.roster),
        Listing("hours-summary", "有效学时汇总表", hours.summary, signed=True),
        Listing("hours-detail", "学时明细", hours.detail),
        Listing("invalid-hours", "无效学时清单", hours.invalid, signed=True),
        Listing("admitted", "准予申请线下考核名单", outcomes.admitted, signed=True),
        Listing("refused", "不接受线下考核申请名单", outcomes.refused, signed=True),
        Listing("pending", "未审结名单", outcomes.pending),
        Listing("batch-report", "批次校验报告", outcomes.batch, signed=True),
        Listing("public-list", "公示名单", people.public, signed=True),
        Listing("photo-list", "抓拍影像清单", evidence.photos),
        Listing("popup-log", "弹窗记录", evidence.popups),
        Listing("conformity", "平台符合性记录", records.conformity, signed=True),
        Listing("leave", "请假与补课登记", records.leave),
        Listing("reviews", "复核与申诉台账", records.reviews),
        Listing("inspections", "远程巡查记录", inspections.drawn, signed=True, kept=True),
        Listing("inspections-online", "巡查在线名单", inspections.online, kept=True),
        Listing("recordings", "教学录像核对表", recordings.checked, signed=True),
        Listing("face-data", "人脸信息处理台账", evidence.faces),
        Listing("ten-day", "旬报", periodic.ten_day),
        Listing("monthly", "月报", periodic.monthly),
        Listing("certificates", "取证名单", certificates.obtained, signed=True),
        Listing("subsidy-claim", "补贴申领名单", subsidies.claimed, signed=True, kept=True),
        Listing("subsidy-notice", "补贴公示名单", subsidies.notice, signed=True),
        Listing("subsidy-paid", "补贴拨付名单", subsidies.paid, signed=True, kept=True),
        Listing("recoveries", "追缴台账", subsidies.recovered, kept=True),
        Listing("annex-2", "附件2", annex.application, signed=True),
    )
}


def listing(name: str) -> Listing:
    """The list of that name or title. Raises NotFound naming all there are."""
    for it in LISTS.values():
        if name in (it.name, it.title):
            return it
    raise NotFound(
        "unknown_export",
        f"there is no export {name!r}; there are: {', '.join(LISTS)}, audit",
        exports=[*LISTS, "audit"],
    )
