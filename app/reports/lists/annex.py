"""附件2 年度补贴性职业技能提升培训申请表: the plan's form, filled in as far as known.

What nobody reported stays blank for the pen; the labels are the plan's own words.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from app.reports.dossier import Dossier
from app.reports.sheet import Column, Form, FormCell, Row, Sheet, said
from detectors.eligibility import Eligibility

_WIDTHS = (5, 14, 13, 12, 11, 11, 13)  # of the form's seven columns, as Column.width
_MODES = {"online": "线上", "blended": "线上线下融合", "offline": "线下"}
_CERTIFICATES = (
    ("参加国家职业资格鉴定人数", "职业资格证书"),
    ("参加职业技能等级评定人数", "职业技能等级证书"),
    ("参加特种作业操作考核人数", "特种作业操作证书"),
    ("参加专项能力考核认定人数", "专项职业能力证书"),
    ("参加结业考核人数", "培训合格证书"),
)
_REVIEWED = "初审人：　　　　　　　　复核人：\n\n　　　　　　　　　　　盖章　　　　　年　　月　　日"
_INSPECTED = "时间：　　年　　月　　日　　地点：\n师资情况：\n学员出勤情况："
_AFTERWARDS = "（考核取证后填写）"
_PROMISE = (
    "我郑重承诺对提供的各项材料和信息真实性负责，自觉接受社会监督。若有违反本承诺的行为，"
    "依法接受处理，并承担相应的责任。\n　　　　　　　申请承诺人：　　　　　　　　年　　月　　日"
)
_PUBLISHED = (
    "　　年　　月　　日至　　年　　月　　日在　　　　省（市、县）人力资源和社会保障局官网进行公示，"
    "公示期　　天，期间收到异议情况和处理情况："
)
_REMARKS = (
    "1. 培训专业及批次较多的，可在此表相应栏目中添加；\n"
    "2. 个人申请的，将培训机构栏目改为个人，仅填写此表涉及个人及培训机构、评价机构等基本信息。"
)


def application(dossier: Dossier) -> Sheet:
    """The sheet's rows are the form's labels and entries, for files that hold no form."""
    form = _form(dossier)
    rows = tuple(row for block in form.blocks for row in _pairs(block))
    filled = sum(cell.filled for block in form.blocks for line in block for cell in line)
    counts = (
        ("拟培训人数（同花名册人数）", len(dossier.members)),
        ("准予申请线下考核", _eligible(dossier)),
        ("已预填栏目", filled),
    )
    return Sheet(
        "annex-2",
        "年度补贴性职业技能提升培训申请表",
        dossier.heading(),
        (Column("栏目", 34), Column("内容", 56)),
        rows,
        counts,
        personal=False,
        form=form,
    )


_Block = tuple[tuple[FormCell, ...], ...]


def _form(dossier: Dossier) -> Form:
    """Seven columns; the first names the stage, as in the plan."""
    remarks = ((_label("备注"), _entry(_REMARKS, 6)),)
    blocks = (
        _head(dossier),
        _opening(dossier),
        _watching(),
        _assessed(dossier),
        _subsidy(),
        _paid(),
        remarks,
    )
    return Form("附件2", _WIDTHS, blocks, new_page_before=3)


def _head(dossier: Dossier) -> _Block:
    """Who trains, and the account that is paid to."""
    return (
        (
            _label("培训机构（或企业、个人）名称", 2),
            _entry(f"{_who(dossier)}\n（加盖印章）", 2, filled=True),
            _label("联系人及电话"),
            _entry("", 2),
        ),
        (_label("开户银行名称", 2), _entry("", 2), _label("银行帐号"), _entry("", 2)),
    )


def _opening(dossier: Dossier) -> _Block:
    """开班申请: the class as it is to be."""
    subject = f"{dossier.row.occupation}　{dossier.terms.get('level') or ''}".strip()
    return (
        (
            _label("开班\n申请", down=6),
            _label("开班批次及\n开班时间"),
            _filled(f"{said(dossier.row.official_class_no)}\n{_day(dossier.row.starts_on)}", 2),
            _label("培训工种\n及级别"),
            _filled(subject, 2),
        ),
        (
            _label("拟培训人数"),
            _filled(f"{len(dossier.members)}人", 2),
            _label("培训时长"),
            _filled(_period(dossier), 2),
        ),
        (
            _label("拟培训方式（企业自主培训或委托培训等）", 3),
            _entry(_way(dossier), 3, filled=bool(_way(dossier))),
        ),
        (_label("培训计划及人员名册是否在职业培训信息化管理系统填报", 3), _entry("", 3)),
        (_label("行业主管部门\n审核意见"), _entry(_REVIEWED, 5)),
        (_label("人力资源社会保障\n部门审核意见"), _entry(_REVIEWED, 5)),
    )


def _watching() -> _Block:
    """过程监管: filled in by hand."""
    return (
        (
            _label("过程\n监管", down=5),
            _label("开班当日\n检查情况"),
            _entry("学员人数：\n签到情况：\n培训资料留存情况：", 3),
            _label("检查人员\n签字"),
            _entry(""),
        ),
        (
            _label("培训期间\n检查情况", down=2),
            _entry(_INSPECTED, 3),
            _label("检查人员\n签字"),
            _entry(""),
        ),
        (_entry(_INSPECTED, 3), _label("检查人员\n签字"), _entry("")),
        (
            _label("检查情况是否在职业培训信息化管理系统填报", 2),
            _entry("", 2),
            _label("平均出勤\n人数"),
            _entry(""),
        ),
        (_label("人力资源社会保障部门检查意见", 2), _entry("\n", 4)),
    )


def _assessed(dossier: Dossier) -> _Block:
    """结业考核: who may be assessed, and who has a certificate."""
    terms, eligible, obtained = dossier.terms, _eligible(dossier), _certified(dossier)
    assessment = terms.get("assessment") or {}
    return (
        (
            _label("结业\n考核", down=7),
            _label(f"组织考核（评价、鉴定）时间\n（{_ahead(dossier)}在信息化管理系统上填报）", 2),
            _entry(_dates(assessment), 2, filled=bool(assessment.get("planned_on"))),
            _label("参加考核\n人数"),
            _filled(f"{eligible}人\n（准予申请）"),
        ),
        *_certificates(terms.get("certificate_type"), eligible, obtained),
        (
            _label("考核结果是否在职业培训信息化管理系统填报"),
            _entry(""),
            _label("取证总人数"),
            _obtained(obtained),
            _label("考核巡查\n人员签字"),
            _entry(""),
        ),
    )


def _subsidy() -> _Block:
    """补贴资金申领: filled in by hand."""
    return (
        (
            _label("补贴\n资金\n申领", down=5),
            _label("企业或培训机构或个人向行业主管部门申请"),
            _label("申请补贴\n人数"),
            _entry(""),
            _label("申请补贴\n资金"),
            _entry("　　　　　　　万元", 2),
        ),
        (_entry(_PROMISE, 6),),
        (
            _label("行业主管部门审核情况（自受理之日起15个工作日内）", 2),
            _entry(_REVIEWED, 4),
        ),
        (
            _label("人力资源社会保障部门对补贴信息公示情况（不少于3个工作日）", 2),
            _entry(_PUBLISHED, 4),
        ),
        (_label("人力资源社会保障部门\n审核意见", 2), _entry(_REVIEWED, 4)),
    )


def _paid() -> _Block:
    """资金拨付: filled in by hand."""
    return (
        (
            _label("资金\n拨付", down=2),
            _label("拨付时间"),
            _entry("", 2),
            _label("拨付金额\n（万元）"),
            _entry("", 2),
        ),
        (
            _label("资金来源（就业补助资金、失业保险基金、职业技能提升行动资金等）", 3),
            _entry("", 3),
        ),
    )


def _certified(dossier: Dossier) -> int | None:
    """How many of the class have a certificate; None until the assessment's results tell."""
    results = [it for it in dossier.assessed if it.learner_id in dossier.by_id]
    with_one = {it.learner_id for it in results if it.body.get("certificate_no")}
    nobody = bool(results) and all(it.passed is False for it in results)
    return len(with_one) if with_one or nobody else None


def _obtained(certified: int | None) -> FormCell:
    return _entry(_AFTERWARDS) if certified is None else _filled(f"{certified}人")


def _certificates(
    certificate: Any, eligible: int, certified: int | None
) -> tuple[tuple[FormCell, ...], ...]:
    """How many take which examination; the class's kind of certificate says which it is."""
    lines = []
    for at, (label, kind) in enumerate(_CERTIFICATES):
        mine = kind == certificate
        of_them = (_label("其中", down=len(_CERTIFICATES)),) if at == 0 else ()
        lines.append(
            (
                *of_them,
                _label(label, 2),
                _entry(f"{eligible}人" if mine else "", filled=mine),
                _label("取证人数"),
                _obtained(certified) if mine else _entry(""),
            )
        )
    return tuple(lines)


def _pairs(block: tuple[tuple[FormCell, ...], ...]) -> list[Row]:
    """Label and entry of each field of a block, led by the block's stage and a label for several
    lines."""
    found: list[Row] = []
    stage = next((_one_line(it) for it in block[0] if it.label and it.down == len(block) > 1), "")
    over, left = "", 0
    for line in block:
        label = ""
        for cell in line:
            words = _one_line(cell)
            if cell.label and words == stage:
                continue
            if cell.label and cell.down > 1:
                over, left = words, cell.down
            elif cell.label:
                label = f"{label}·{words}" if label else words
            else:
                named = [it for it in (stage, over if left > 0 else "", label) if it]
                found.append(("·".join(named) or "申请承诺", words))
                label = ""
        left -= 1
    return found


def _one_line(cell: FormCell) -> str:
    return cell.words.strip("\n").replace("\n", "" if cell.label else "　")


def _who(dossier: Dossier) -> str:
    """The institution, and for whom it trains where somebody else applies."""
    applicant = (dossier.terms.get("applicant") or {}).get("name")
    own = str(dossier.row.institution)
    return own if applicant in (None, "", own) else f"{own}\n（申请单位：{applicant}）"


def _ahead(dossier: Dossier) -> str:
    check = dossier.pack.checks.get("C7")
    return f"提前{check['days_ahead']:g}天提出，并" if check else ""


def _way(dossier: Dossier) -> str:
    applicant = dossier.terms.get("applicant") or {}
    mode = _MODES.get(dossier.terms.get("mode", ""), "")
    if applicant.get("type") != "enterprise":
        return mode
    own = applicant.get("name") == dossier.row.institution
    return f"{'企业自主培训' if own else '委托培训'}（{mode}）"


def _period(dossier: Dossier) -> str:
    first, last = _day(dossier.row.starts_on), _day(dossier.row.ends_on)
    return f"{first}至\n{last}，\n共{len(dossier.plan)}课时"


def _dates(assessment: dict[str, Any]) -> str:
    planned, applied = assessment.get("planned_on"), assessment.get("applied_on")
    if not planned:
        return ""
    return _day(planned) + (f"\n（{_day(applied)}提出）" if applied else "")


def _day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.year}年{day.month}月{day.day}日"


def _eligible(dossier: Dossier) -> int:
    return sum(it.outcome is Eligibility.ELIGIBLE for it in dossier.concluded.learners)


def _label(words: str, across: int = 1, down: int = 1) -> FormCell:
    return FormCell(words, across, down, label=True)


def _entry(words: str, across: int = 1, *, filled: bool = False) -> FormCell:
    return FormCell(words, across, filled=filled)


def _filled(words: str, across: int = 1) -> FormCell:
    return _entry(words, across, filled=True)
