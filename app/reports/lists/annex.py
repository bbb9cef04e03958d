"""附件2 年度补贴性职业技能提升培训申请表: the plan's form, filled in as far as known.

What nobody reported stays blank for the pen; the labels are the plan's own words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from app.clock import at, day
from app.domain.review.stages import StepState, StepView
from app.reports.dossier import WITHHELD, Dossier
from app.reports.sheet import Column, Form, FormCell, Row, Sheet
from app.store.exchange.report_rows import AssessmentRow
from app.store.review.inspections import InspectionRow
from detectors.qualifications import Certificate, certificate_of

_WIDTHS = (5, 14, 13, 12, 11, 11, 13)  # of the form's seven columns, as Column.width
_MODES = {"online": "线上", "blended": "线上线下融合", "offline": "线下"}
_CERTIFICATES = (
    ("参加国家职业资格鉴定人数", Certificate.QUALIFICATION),
    ("参加职业技能等级评定人数", Certificate.SKILL_LEVEL),
    ("参加特种作业操作考核人数", Certificate.SPECIAL_OPERATION),
    ("参加专项能力考核认定人数", Certificate.SPECIAL_ABILITY),
    ("参加结业考核人数", Certificate.TRAINING),
)
_REVIEWED = "初审人：　　　　　　　　复核人：\n\n　　　　　　　　　　　盖章　　　　　年　　月　　日"
_FIRST_DAY = "学员人数：\n签到情况：\n培训资料留存情况："
_CHECKS = 2  # places for inspections that the form has
_RESULTS = (("present", "在学"), ("absent", "未在学"), ("other", "其他"), ("open", "未登记"))
_FUNDS = {
    "employment": "就业补助资金",
    "unemployment": "失业保险基金",
    "skills": "职业技能提升行动资金",
    "other": "其他资金",
}
_INSPECTED = "时间：　　年　　月　　日　　地点：\n师资情况：\n学员出勤情况："
_AFTERWARDS = "（考核取证后填写）"
_SIGNED = "　　　　　　　申请承诺人："
_PROMISE = (
    "我郑重承诺对提供的各项材料和信息真实性负责，自觉接受社会监督。若有违反本承诺的行为，"
    f"依法接受处理，并承担相应的责任。\n{_SIGNED}　　　　　　　　年　　月　　日"
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
        ("拟培训人数（开班日在册）", _at_opening(dossier)),
        ("开班人数（实到）", dossier.presence.opened),
        ("准予申请线下考核", _eligible(dossier)),
        ("已预填栏目", filled),
    )
    return Sheet(
        "annex-2",
        "年度补贴性职业技能提升培训申请表",
        dossier.heading(scaled=True),
        (Column("栏目", 34), Column("内容", 56)),
        rows,
        counts,
        dossier.inconsistent,
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
        _watching(dossier),
        _assessed(dossier),
        _subsidy(dossier),
        _paid(dossier),
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
            _of_institution(dossier, "contact"),
        ),
        (
            _label("开户银行名称", 2),
            _of_institution(dossier, "bank"),
            _label("银行帐号"),
            _of_institution(dossier, "bank_account"),
        ),
    )


def _of_institution(dossier: Dossier, field: str) -> FormCell:
    """As the county's list has it; a platform is told neither person nor account."""
    row = dossier.institution if dossier.named else None
    words = getattr(row, field) if row else None
    return _entry(words or "", 2, filled=bool(words))


def _opening(dossier: Dossier) -> _Block:
    """开班申请: the class as it is to be."""
    subject = f"{dossier.row.occupation}　{dossier.terms.get('level') or ''}".strip()
    return (
        (
            _label("开班\n申请", down=6),
            _label("开班批次及\n开班时间"),
            _filled(f"{_batch(dossier)}\n{_day(dossier.row.starts_on)}", 2),
            _label("培训工种\n及级别"),
            _filled(subject, 2),
        ),
        (
            _label("拟培训人数"),
            _filled(f"{_at_opening(dossier)}人", 2),
            _label("培训时长"),
            _filled(_period(dossier), 2),
        ),
        (
            _label("拟培训方式（企业自主培训或委托培训等）", 3),
            _entry(_way(dossier), 3, filled=bool(_way(dossier))),
        ),
        (_label("培训计划及人员名册是否在职业培训信息化管理系统填报", 3), _registered(dossier)),
        (_label("行业主管部门\n审核意见"), _reviewed(dossier, "opening_industry", 5)),
        (_label("人力资源社会保障\n部门审核意见"), _reviewed(dossier, "opening_labour", 5)),
    )


def _batch(dossier: Dossier) -> str:
    own: str = dossier.row.external_id
    return dossier.row.official_class_no or f"（官方编号待填；班级自编号：{own}）"


def _registered(dossier: Dossier) -> FormCell:
    """Whether plan and roster were filed, as the application was taken in, and the number that the
    class was reported with."""
    number = dossier.row.official_class_no
    words = [_in_system(dossier, "opening_filed"), f"班级编号：{number}" if number else ""]
    told = "，".join(filter(None, words))
    return _entry(told, 3, filled=bool(told))


def _in_system(dossier: Dossier, step: str) -> str:
    return {"yes": "是", "no": "否"}.get(dossier.done(step).get("in_system", ""), "")


def _filed(dossier: Dossier, step: str, across: int = 1) -> FormCell:
    told = _in_system(dossier, step)
    return _entry(told, across, filled=bool(told))


def _watching(dossier: Dossier) -> _Block:
    """过程监管: the remote inspections of the first day, and every later one."""
    opened = [it for it in dossier.inspections if _on(it) == dossier.row.starts_on]
    later = [it for it in dossier.inspections if _on(it) != dossier.row.starts_on]
    of_first = _first_day(dossier, opened[0] if opened else None)
    checks = [_inspected(dossier, it) for it in later]
    checks += [_entry(_INSPECTED, 3)] * (_CHECKS - len(checks))
    inspectors = [_inspector(dossier, it) for it in later]
    inspectors += [_entry("")] * (len(checks) - len(inspectors))
    during = _label("培训期间\n检查情况", down=len(checks))
    return (
        (
            _label("过程\n监管", down=len(checks) + 3),
            _label("开班当日\n检查情况"),
            of_first,
            _label("检查人员\n签字"),
            _inspector(dossier, opened[0]) if opened else _entry(""),
        ),
        *(
            (*((during,) if place == 0 else ()), check, _label("检查人员\n签字"), inspectors[place])
            for place, check in enumerate(checks)
        ),
        (
            _label("检查情况是否在职业培训信息化管理系统填报", 2),
            _filed(dossier, "supervision", 2),
            _label("平均出勤\n人数"),
            _attendance(dossier),
        ),
        (
            _label("人力资源社会保障部门检查意见", 2),
            _reviewed(dossier, "supervision", 4, blank="\n"),
        ),
    )


def _at_opening(dossier: Dossier) -> int:
    """How many persons were on the roster on the first day."""
    return dossier.on_roster(date.fromisoformat(dossier.row.starts_on))


def _first_day(dossier: Dossier, inspection: InspectionRow | None) -> FormCell:
    """What an inspection of that day found, and what is known of it without one."""
    if date.fromisoformat(dossier.row.starts_on) > day(dossier.now_ms):
        return _entry(_FIRST_DAY, 3)
    kept, learned = _kept(dossier, inspection), dossier.kept_on_first_day.learners
    there, signed_in = f"在册{_at_opening(dossier)}人", f"系统内当日{learned}人学习"
    if inspection is not None:
        counted = _noted(dossier, inspection).get("heads_present")
        there += f"，实到{counted}人" if counted is not None else ""
        there += f"，{_minute(inspection)}在线{_online(inspection)}人"
        signed_in = f"{_found(dossier, inspection)}；{signed_in}"
    return _filled(f"学员人数：{there}\n签到情况：{signed_in}\n培训资料留存情况：{kept}", 3)


def _kept(dossier: Dossier, inspection: InspectionRow | None) -> str:
    """What the inspector saw of the materials, and what is kept here of the first day."""
    seen = _noted(dossier, inspection).get("materials") if inspection else None
    kept = dossier.kept_on_first_day
    films = sum(it.held_on == dossier.row.starts_on for it in dossier.films)
    told = [
        f"{word}{count}{unit}"
        for word, count, unit in (
            ("学习记录", kept.sittings, "次"),
            ("留存影像", kept.photos, "张"),
            ("教学录像登记", films, "个"),
        )
        if count
    ]
    return "；".join(filter(None, (seen, f"系统内当日{'、'.join(told)}" if told else "")))


def _noted(dossier: Dossier, inspection: InspectionRow) -> Mapping[str, Any]:
    note = dossier.inspection_notes.get(inspection.id)
    return note.body if note else {}


def _inspected(dossier: Dossier, inspection: InspectionRow) -> FormCell:
    noted = _noted(dossier, inspection)
    there = f"到岗教师{noted['teachers_present']}人" if "teachers_present" in noted else ""
    teachers = "，".join(filter(None, (there, _teachers(dossier))))
    heads = f"实到{noted['heads_present']}人，" if "heads_present" in noted else ""
    words = (
        f"时间：{_minute(inspection)}　地点：{noted.get('place', '远程')}\n"
        f"师资情况：{teachers}\n"
        f"学员出勤情况：{heads}在线{_online(inspection)}人，{_found(dossier, inspection)}"
    )
    return _filled(words, 3)


def _teachers(dossier: Dossier) -> str:
    known = dossier.terms.get("teachers")
    said = dossier.terms.get("teacher_details", [])
    full_time = sum(bool(it["full_time"]) for it in said)
    certified = sum(bool(it["certificate"]) for it in said)
    more = f"（专职{full_time}人，持教师资格证{certified}人）" if said else ""
    return f"登记任课教师{known}人{more}" if known else ""


def _inspector(dossier: Dossier, inspection: InspectionRow) -> FormCell:
    return _filled(inspection.who if dossier.named else WITHHELD)


def _found(dossier: Dossier, inspection: InspectionRow) -> str:
    """How many were drawn, and what was found of them."""
    found = Counter(_results(dossier, inspection))
    told = [f"{word}{found[code]}人" for code, word in _RESULTS if found[code]]
    return f"抽查{len(inspection.drawn)}人" + "".join(f"，{it}" for it in told)


def _results(dossier: Dossier, inspection: InspectionRow) -> list[str]:
    checks = dossier.inspection_checks
    keys = [(inspection.id, learner) for learner in inspection.drawn]
    return [checks[key].result if key in checks else "open" for key in keys]


def _attendance(dossier: Dossier) -> FormCell:
    """The mean of the inspections that tell heads; where none does, that is said."""
    there = dossier.presence
    if there.mean is None:
        return _entry(f"（{there.untold}次检查均为抽查，未清点全班）" if there.untold else "")
    counts = "（少于开班人数，以此作为本次培训数）" if there.fewer else ""
    return _filled(f"{there.mean:.4g}人\n（{len(there.heads)}次检查）{counts}")


def _online(inspection: InspectionRow) -> int:
    return len({it["learner_id"] for it in inspection.online})


def _on(inspection: InspectionRow) -> str:
    return day(inspection.drawn_ms).isoformat()


def _minute(inspection: InspectionRow) -> str:
    return f"{_day(_on(inspection))}{at(inspection.drawn_ms):%H:%M}"


def _assessed(dossier: Dossier) -> _Block:
    """结业考核: who may be assessed, and once there are results who was, and has a certificate."""
    assessment = dossier.terms.get("assessment") or {}
    held, results = dossier.done("assessment").get("held_on"), dossier.results
    when = _day(held) if held else _dates(assessment)
    watched = dossier.done("assessment").get("watched_by", "") if dossier.named else ""
    took = f"{_heads(results)}人" if results else f"{_eligible(dossier)}人\n（准予申请）"
    return (
        (
            _label("结业\n考核", down=7),
            _label(f"组织考核（评价、鉴定）时间\n（{_ahead(dossier)}在信息化管理系统上填报）", 2),
            _entry(when, 2, filled=bool(when)),
            _label("参加考核\n人数"),
            _filled(took),
        ),
        *_examinations(dossier, results),
        (
            _label("考核结果是否在职业培训信息化管理系统填报"),
            _filed(dossier, "assessment"),
            _label("取证总人数"),
            _obtained(results),
            _label("考核巡查\n人员签字"),
            _entry(watched, filled=bool(watched)),
        ),
    )


def _subsidy(dossier: Dossier) -> _Block:
    """补贴资金申领: the claims, their reviews, and the public notices, each batch on its line."""
    claims = _batches(dossier, "claim_filed")
    people = _each([f"{it['people']}人" for it in claims])
    amounts = _each([_ten_thousands(it["amount_yuan"]) for it in claims])
    return (
        (
            _label("补贴\n资金\n申领", down=5),
            _label("企业或培训机构或个人向行业主管部门申请"),
            _label("申请补贴\n人数"),
            _entry(people, filled=bool(claims)),
            _label("申请补贴\n资金"),
            _entry(amounts or "　　　　　　　万元", 2, filled=bool(claims)),
        ),
        (_promised(claims),),
        (
            _label("行业主管部门审核情况（自受理之日起15个工作日内）", 2),
            _reviewed(dossier, "claim_industry", 4),
        ),
        (
            _label("人力资源社会保障部门对补贴信息公示情况（不少于3个工作日）", 2),
            _published(dossier.steps["publication"]),
        ),
        (
            _label("人力资源社会保障部门\n审核意见", 2),
            _reviewed(dossier, "claim_labour", 4),
        ),
    )


def _batches(dossier: Dossier, step: str) -> list[Mapping[str, Any]]:
    """What was filled in at a step for each batch of claims, the one under way last."""
    view = dossier.steps[step]
    return [it.body for it in view.earlier] + ([view.body] if view.body else [])


def _each(words: Sequence[str], batch: int = 1) -> str:
    """`batch`: the one that is under way.

    >>> _each(["12人"]), _each(["12人"], 2), _each(["12人", "1人"])
    ('12人', '第1批：12人', '第1批：12人\\n第2批：1人')
    """
    if len(words) < 2 and batch == 1:
        return "".join(words)
    return "\n".join(f"第{number}批：{it}" for number, it in enumerate(words, 1))


def _paid(dossier: Dossier) -> _Block:
    """资金拨付, once two persons have signed it."""
    paid, batch = dossier.steps["payment"].batches, dossier.claim_batch
    return (
        (
            _label("资金\n拨付", down=2),
            _label("拨付时间"),
            _entry(_each([_day(it["paid_on"]) for it in paid], batch), 2, filled=bool(paid)),
            _label("拨付金额\n（万元）"),
            _whole(paid, dossier.done("advance")),
        ),
        (
            _label("资金来源（就业补助资金、失业保险基金、职业技能提升行动资金等）", 3),
            _entry(_funds(paid), 3, filled=bool(paid)),
        ),
    )


def _funds(paid: Sequence[Mapping[str, Any]]) -> str:
    funds = [_FUNDS[it["fund"]] for it in paid]
    return funds[0] if len(set(funds)) == 1 else _each(funds)


def _reviewed(dossier: Dossier, step: str, across: int, *, blank: str = _REVIEWED) -> FormCell:
    """The opinion, who reviewed a step and when, once both have; what is under way is told to
    nobody."""
    view = dossier.steps[step]
    done = [(it.first, it.second, it.finished_on) for it in view.earlier]
    if view.first is not None and view.finished_on is not None:
        done.append((view.first, view.second, view.finished_on))
    told = []
    for first, second, on in done:
        if second is not None:
            opinion = f"{second.remark}\n" if second.remark else ""
            words = f"初审人：{dossier.signer(first)}　　复核人：{dossier.signer(second)}"
            told.append(f"{opinion}{words}\n　　　　　　　盖章　　　{_day(on.isoformat())}")
    return _entry(_each(told, view.batch) or blank, across, filled=bool(told))


def _published(view: StepView) -> FormCell:
    """The notices that are over; objections are counted, for their words may name people."""
    over = [(it.body, len(it.objections)) for it in view.earlier]
    over += [(view.body, len(view.objections))] if view.state is StepState.DONE else []
    return _entry(
        _each([_notice(*it) for it in over], view.batch) or _PUBLISHED, 4, filled=bool(over)
    )


def _notice(notice: Mapping[str, Any], objections: int) -> str:
    first, last = (date.fromisoformat(notice[it]) for it in ("from_on", "to_on"))
    told = f"收到异议{objections}件，均已处理" if objections else "未收到异议"
    return (
        f"{_day(notice['from_on'])}至{_day(notice['to_on'])}在{notice['site']}进行公示，"
        f"公示期{(last - first).days + 1}天，期间收到异议情况和处理情况：{told}"
    )


def _promised(claims: Sequence[Mapping[str, Any]]) -> FormCell:
    if not claims:
        return _entry(_PROMISE, 6)
    signed = _each([f"{_SIGNED}{it['promised_by']}　　{_day(it['filed_on'])}" for it in claims])
    return _filled(f"{_PROMISE.partition(_SIGNED)[0]}{signed}", 6)


def _whole(paid: Sequence[Mapping[str, Any]], ahead: Mapping[str, Any]) -> FormCell:
    """What was paid in all, in 万元 exactly, and how much of it in advance."""
    if not paid:
        return _entry("", 2)
    told = _each([_ten_thousands(it["amount_yuan"]) for it in paid])
    if ahead and len(paid) == 1:
        whole = Decimal(paid[0]["amount_yuan"]) + Decimal(ahead["amount_yuan"])
        told = f"{_ten_thousands(whole)}\n（含先行拨付{_ten_thousands(ahead['amount_yuan'])}）"
    elif ahead:
        told = f"{told}\n另先行拨付：{_ten_thousands(ahead['amount_yuan'])}"
    return _filled(told, 2)


def _ten_thousands(yuan: Decimal | str) -> str:
    """
    >>> _ten_thousands("12345.60")
    '1.23456万元'
    """
    return f"{(Decimal(yuan) / 10_000).normalize():f}万元"


def _heads(results: Sequence[AssessmentRow]) -> int:
    return len({it.learner_id for it in results})


def _certified(results: Sequence[AssessmentRow]) -> int | None:
    """How many have a certificate; None until the assessment's results tell."""
    with_one = _heads([it for it in results if it.body.get("certificate_no")])
    nobody = bool(results) and all(it.passed is False for it in results)
    return with_one if with_one or nobody else None


def _obtained(results: Sequence[AssessmentRow]) -> FormCell:
    certified = _certified(results)
    return _entry(_AFTERWARDS) if certified is None else _filled(f"{certified}人")


def _examinations(
    dossier: Dossier, results: Sequence[AssessmentRow]
) -> tuple[tuple[FormCell, ...], ...]:
    """How many took which of the five examinations and have its certificate; before there are
    results, who may take the class's."""
    usual = certificate_of(dossier.terms.get("certificate_type") or "")
    lines = []
    for place, (label, kind) in enumerate(_CERTIFICATES):
        took = [it for it in results if dossier.certificate_of(it) == kind]
        mine = bool(took) or (kind == usual and not results)
        count = _heads(took) if results else _eligible(dossier)
        of_them = (_label("其中", down=len(_CERTIFICATES)),) if place == 0 else ()
        lines.append(
            (
                *of_them,
                _label(label, 2),
                _entry(f"{count}人" if mine else "", filled=mine),
                _label("取证人数"),
                _obtained(took) if mine else _entry(""),
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
    return len(dossier.admitted)


def _label(words: str, across: int = 1, down: int = 1) -> FormCell:
    return FormCell(words, across, down, label=True)


def _entry(words: str, across: int = 1, *, filled: bool = False) -> FormCell:
    return FormCell(words, across, filled=filled)


def _filled(words: str, across: int = 1) -> FormCell:
    return _entry(words, across, filled=True)
