"""What was changed of something, field by field, in the words of its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.console import labels
from app.console.language import N_, Language
from app.languages import Text

_FIELDS: Mapping[str, str | Text] = {
    "official_class_no": N_("班级编号"),
    "institution": N_("培训机构"),
    "occupation": N_("职业（工种）"),
    "occupation_code": N_("职业编码"),
    "level": N_("等级"),
    "certificate_type": N_("证书类别"),
    "mode": N_("培训方式"),
    "course_ids": N_("所选课程"),
    "starts_on": N_("开班日期"),
    "ends_on": N_("结束日期"),
    "teachers": N_("教师人数"),
    "teacher_names": N_("教师"),
    "teacher_details": N_("教师"),
    "policy_id": N_("规则包"),
    "controls": N_("弹窗与抓拍"),
    "workplaces": N_("实操工位数"),
    "plan_hours": N_("计划总学时"),
    "subsidy_yuan": N_("每人补贴标准（元）"),
    "practical_hours": N_("其中实操学时"),
    "applicant.type": N_("申请人"),
    "applicant.name": N_("申请人名称"),
    "applicant.uscc": N_("申请人统一社会信用代码"),
    "assessment.planned_on": N_("计划考核日期"),
    "assessment.applied_on": N_("考核申请日期"),
    "assessment.mode": N_("考核方式"),
    "name": N_("名称"),
    "county": N_("县区"),
    "code": N_("机构代码"),
    "listed_from": N_("列入目录清单，自"),
    "listed_until": N_("列入目录清单，至"),
    "document": N_("公布目录清单的文件"),
    "contact": N_("联系人及电话"),
    "bank": N_("开户银行名称"),
    "bank_account": N_("银行帐号"),
}
_CODES: Mapping[str, Mapping[str, str]] = {
    "mode": labels.MODES,
    "assessment.mode": labels.MODES,
    "applicant.type": labels.APPLICANTS,
    "controls": {"service": N_("由本服务下发"), "platform": N_("由平台下发")},
}
_NOTHING = "–"


def lines(changes: Mapping[str, Any], lang: Language) -> list[str]:
    """A line for each field: what stood there and what stands there now.

    `changes` holds [before, after] by the field's name; a field of several parts is told by part.

    >>> from app.console.language import language
    >>> lines({"ends_on": ["2026-12-01", "2026-12-20"]}, language("zh"))
    ['结束日期：2026-12-01 → 2026-12-20']
    """
    there = set(changes)
    if "teacher_details" in there:
        there -= {"teacher_names", "teachers"}
    elif "teacher_names" in there:
        there -= {"teachers"}
    found = []
    for name in sorted(there, key=_place):
        for field, before, after in _parts(name, *changes[name]):
            told = lang.say(_FIELDS.get(field, field))
            now, then = _value(field, before, lang), _value(field, after, lang)
            found.append(
                lang.say(N_("%(field)s：%(change)s"), field=told, change=f"{now} → {then}")
            )
    return found


def _place(name: str) -> tuple[int, str]:
    order = [it.partition(".")[0] for it in _FIELDS]
    return (order.index(name) if name in order else len(order), name)


def _parts(name: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        yield name, before, after
        return
    was, now = before or {}, after or {}
    for part in dict.fromkeys([*was, *now]):
        if was.get(part) != now.get(part):
            yield f"{name}.{part}", was.get(part), now.get(part)


def _value(field: str, it: Any, lang: Language) -> str:
    if it in (None, "", []):
        return _NOTHING
    if field == "teacher_details":
        return lang.say(N_("、")).join(_teacher(one, lang) for one in it)
    if isinstance(it, list):
        return lang.say(N_("、")).join(str(one) for one in it)
    if isinstance(it, int | float):
        return lang.number(it)
    code = _CODES.get(field, {}).get(it)
    return lang.say(code) if code else str(it)


def _teacher(it: Mapping[str, Any], lang: Language) -> str:
    told = [lang.say(N_("专职"))] if it.get("full_time") else []
    told += [str(it["certificate"])] if it.get("certificate") else []
    return f"{it['name']}（{lang.say(N_('、')).join(told)}）" if told else str(it["name"])
