"""附件2 年度补贴性职业技能提升培训申请表, filled in as far as the service knows."""

from __future__ import annotations

from app.reports.dossier import Dossier
from app.reports.sheet import Column, Row, Sheet, said

_BLANK = ""
_REVIEWED = "初审人：　　　　　复核人：　　　　　盖章　　　　年　月　日"
_INSPECTED = "时间：　年　月　日　地点：　　师资情况：　　学员出勤情况：　　检查人员签字："
_MODES = {"online": "线上", "blended": "线上线下融合", "offline": "线下"}


def application(dossier: Dossier) -> Sheet:
    """What nobody reported stays blank for the pen."""
    terms = dossier.terms
    applicant = terms.get("applicant") or {}
    assessment = terms.get("assessment") or {}
    eligible = sum(it["outcome"] == "eligible" for it in dossier.concluded["learners"])
    given = f"{dossier.row.starts_on} 至 {dossier.row.ends_on}，共 {len(dossier.plan)} 课时"
    level = terms.get("level") or ""
    fields: tuple[tuple[str, object], ...] = (
        ("培训机构（或企业、个人）名称（加盖印章）", dossier.row.institution),
        ("申请单位", applicant.get("name")),
        ("联系人及电话", _BLANK),
        ("开户银行名称", _BLANK),
        ("银行账号", _BLANK),
        ("开班批次及开班时间", f"{said(dossier.row.official_class_no)}　{dossier.row.starts_on}"),
        ("培训工种及级别", f"{dossier.row.occupation} {level}".strip()),
        ("拟培训人数", len(dossier.members)),
        ("培训时长", given),
        ("拟培训方式（企业自主培训或委托培训等）", _MODES.get(terms.get("mode", ""), _BLANK)),
        ("培训计划及人员名册是否在职业培训信息化管理系统填报", _BLANK),
        ("行业主管部门审核意见", _REVIEWED),
        ("人力资源社会保障部门审核意见", _REVIEWED),
        ("开班当日检查情况", "学员人数：　　签到情况：　　培训资料留存情况：　　检查人员签字："),
        ("培训期间检查情况（一）", _INSPECTED),
        ("培训期间检查情况（二）", _INSPECTED),
        ("检查情况是否在职业培训信息化管理系统填报", _BLANK),
        ("平均出勤人数", _BLANK),
        ("人力资源社会保障部门检查意见", _BLANK),
        ("组织考核（评价、鉴定）时间（提前3天提出）", assessment.get("planned_on")),
        ("参加考核人数（准予申请线下考核）", eligible),
        ("其中：国家职业资格鉴定 / 取证人数", _BLANK),
        ("其中：职业技能等级评定 / 取证人数", _BLANK),
        ("其中：特种作业操作考核 / 取证人数", _BLANK),
        ("其中：专项能力考核认定 / 取证人数", _BLANK),
        ("其中：结业考核 / 取证人数", _BLANK),
        ("考核结果是否在系统填报；取证总人数；考核巡查人员签字", _BLANK),
        ("申请补贴人数", _BLANK),
        ("申请补贴资金（万元）", _BLANK),
        (
            "申请承诺",
            "我郑重承诺对提供的各项材料和信息真实性负责，自觉接受社会监督。若有违反本承诺的行为，"
            "依法接受处理，并承担相应的责任。　申请承诺人：　　　　年　月　日",
        ),
        ("行业主管部门审核情况（自受理之日起15个工作日内）", _REVIEWED),
        (
            "人力资源社会保障部门对补贴信息公示情况（不少于3个工作日）",
            "　年　月　日至　年　月　日公示，公示期　天，期间收到异议情况和处理情况：",
        ),
        ("人力资源社会保障部门审核意见", _REVIEWED),
        ("拨付时间", _BLANK),
        ("拨付金额（万元）", _BLANK),
        ("资金来源（就业补助资金、失业保险基金、职业技能提升行动资金等）", _BLANK),
    )
    rows: tuple[Row, ...] = tuple(
        (label, value if isinstance(value, int) else str(value or "")) for label, value in fields
    )
    filled = sum(bool(value) for _, value in rows)
    counts = (
        ("拟培训人数（同花名册人数）", len(dossier.members)),
        ("准予申请线下考核", eligible),
        ("已预填或预印栏目", filled),
        ("待手工填写栏目", len(rows) - filled),
    )
    return Sheet(
        "annex-2",
        "年度补贴性职业技能提升培训申请表",
        dossier.heading(),
        (Column("栏目", 34), Column("内容", 56)),
        rows,
        counts,
        personal=False,
        form=True,
    )
