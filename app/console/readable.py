"""Codes inside longer texts, as people read them: what a check found, who did something, on what.

What is stored keeps its codes, because verdicts and the audit log never change; pages say it in
words. A text that nobody named yet is shown as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from babel.dates import get_month_names

from app import rules
from app.console import changes, labels
from app.console.language import N_, Language
from app.domain.policy import pack_term, packs
from app.domain.policy.pack import Pack
from app.domain.policy.packs import Change, rule_title
from app.domain.review import act_kinds
from app.store.bodies import ClauseBody

VALUES = {
    "verified": N_("已实名"),
    "not verified": N_("未实名"),
    "-": "–",
    "online": N_("线上"),
    "blended": N_("线上线下融合"),
    "offline": N_("线下"),
    "enterprise": N_("企业"),
    "institution": N_("培训机构"),
    "individual": N_("个人"),
    "stricter": N_("从严"),
    "lenient": N_("从宽"),
    "官方系统班级编号": N_("官方系统班级编号"),
    "附件3": N_("附件3"),
    "书面请假，结业考核前补课": N_("书面请假，结业考核前补课"),
    "已实名": N_("已实名"),
    "未实名": N_("未实名"),
    # of packs
    "stop": N_("停止计时"),
    "run": N_("照常计时"),
    "automatic": N_("直接可补"),
    "authority_approval": N_("经主管部门书面同意可补"),
    "none": N_("不得补课"),
    "reject_new": N_("拒绝新窗口"),
    "kick_old": N_("中止旧窗口"),
    "attested_accepted": N_("登记认可"),
    "platform_controls_accepted": N_("登记认可"),
    "class_extended": N_("登记认可"),
    "leave_approved": N_("登记认可"),
    "make_up_approved": N_("登记认可"),
    "present": N_("有此项"),
    "not_proven": N_("暂不认定"),
    "pending_review": N_("待人工复核"),
    "never": N_("不要求"),
    "announced": N_("客户端声明能提示时要求"),
    "acting_rules": N_("只在照片、人脸规则生效时要求"),
    "always": N_("一律要求"),
    **{code: word.text for code, word in labels.REACHES.items()},
    **{code: word.text for code, word in labels.RULE_STATUSES.items()},
}
_PATTERNS = (
    (re.compile(r"(≥ )?(?P<n>\d+)天"), N_("%(n)s天")),
    (re.compile(r"全程，每学时 ≥ (?P<n>[\d.]+)分钟"), N_("全程，每学时 ≥ %(n)s分钟")),
    (re.compile(r"每学时连续 ≥ (?P<n>[\d.]+)分钟"), N_("每学时连续 ≥ %(n)s分钟")),
    (re.compile(r"满(?P<n>\d+)个月"), N_("满%(n)s个月")),
    (re.compile(r"整改期(?P<n>\d+)个月"), N_("整改期%(n)s个月")),
)
_MONTHS = re.compile(r"\d+月(、\d+月)*")
_DIGEST = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{24,}\b")
_CODE_IN_NOTE = re.compile(r" ?[（(][a-z]+(_[a-z]+)*[）)]")
_ACTORS = {
    "user": "%(name)s",
    "key": N_("平台密钥%(name)s"),
    "keys": N_("系统密钥%(name)s"),
    "platform": N_("平台%(name)s"),
    "learner-link": N_("学员本人"),
    "system": N_("系统"),
}
_SUBJECTS = {
    "act": N_("登记事项%(name)s"),
    "appeal": N_("申诉%(name)s"),
    "calibration": N_("阈值校准%(name)s"),
    "class": N_("班级%(name)s"),
    "course": N_("课程%(name)s"),
    "county": N_("县区%(name)s"),
    "institution": N_("培训机构%(name)s"),
    "draft": N_("规则包草稿%(name)s"),
    "enrolment": N_("报名%(name)s"),
    "finding": N_("问题%(name)s"),
    "standard": N_("补贴标准%(name)s"),
    "calendar": N_("工作日历"),
    "hold": N_("保全%(name)s"),
    "case": N_("第%(name)s号案"),
    "identity": N_("统一认证身份%(name)s"),
    "inspection": N_("巡查%(name)s"),
    "key": N_("平台密钥%(name)s"),
    "learner": N_("学员%(name)s"),
    "person": N_("学员档案%(name)s"),
    "platform": N_("平台%(name)s"),
    "session": N_("学习会话%(name)s"),
    "run": N_("校验%(name)s"),
    "snapshot": N_("影像%(name)s"),
    "user": N_("用户%(name)s"),
    "webhook": N_("通知地址%(name)s"),
}
ACTIONS = {
    "act.approved": N_("批准登记事项"),
    "act.recorded": N_("登记有关判定的事项"),
    "act.revoked": N_("撤销登记事项"),
    "appeal.dismissed": N_("维持原决定"),
    "appeal.reopened": N_("重新审理"),
    "calibration.applied": N_("启用校准阈值"),
    "class.changed": N_("更改班级"),
    "class.clock_moved": N_("拨快沙箱班级的时钟"),
    "class.judged": N_("立即校验"),
    "class.opened": N_("开班"),
    "calendar.changed": N_("更改工作日历"),
    "class.task": N_("指定班级对应的任务"),
    "county.targets": N_("填写年度任务目标"),
    "class.scale": N_("选定处理方式"),
    "consent.given": N_("同意人脸处理"),
    "consent.withdrawn": N_("撤回同意"),
    "enrolment.replaced": N_("更换登记照片"),
    "enrolment.link_issued": N_("生成登记照片链接"),
    "enrolment.handed_in": N_("代为登记照片"),
    "course.stored": N_("保存课程"),
    "county.added": N_("新增县区"),
    "county.changed": N_("更改县区"),
    "institution.changed": N_("更改培训机构"),
    "institution.listed": N_("登记培训机构"),
    "institution.relisted": N_("恢复列入目录"),
    "institution.reviewed": N_("登记年检"),
    "institution.teachers": N_("登记专职教师报备"),
    "institution.withdrawn": N_("退出目录"),
    "export.package": N_("导出审计数据包"),
    "export.taken": N_("导出"),
    "faces.searched": N_("比较人脸"),
    "finding.appealed": N_("提出申诉"),
    "finding.assigned": N_("分派"),
    "material.answered": N_("提交补充材料"),
    "material.asked": N_("请人补充材料"),
    "material.reminded": N_("催办补充材料"),
    "material.withdrawn": N_("撤销补充材料的要求"),
    "case.commented": N_("在案件上写备注"),
    "case.due": N_("改案件期限"),
    "case.file_opened": N_("打开案件附件"),
    "case.handed_over": N_("交办案件"),
    "case.snoozed": N_("搁置案件"),
    "finding.corrected": N_("更正决定"),
    "finding.undone": N_("撤回决定"),
    "finding.outgrown": N_("证据增多，须重新决定"),
    "finding.need_more": N_("要求补充材料"),
    "finding.overturn": N_("撤销"),
    "finding.uphold": N_("认定"),
    "hold.lifted": N_("解除保全"),
    "hold.placed": N_("保全影像"),
    "import.taken": N_("导入记录"),
    "inspection.checked": N_("记录巡查结果"),
    "inspection.noted": N_("登记检查概况"),
    "inspection.drawn": N_("抽取巡查名单"),
    "spot_check.asked": N_("要求学员核验一次"),
    "key.created": N_("新增密钥"),
    "key.revoked": N_("吊销密钥"),
    "key.rotated": N_("轮换密钥"),
    "learner.corrected": N_("更正学员身份信息"),
    "learner.erased": N_("删除人脸信息"),
    "link.issued": N_("生成学员本人链接"),
    "link.opened": N_("学员打开链接"),
    "link.revoked": N_("停用学员链接"),
    "lists.signed": N_("签发名单"),
    "lists.submitted": N_("送签名单"),
    "lists.withdrawn": N_("退回送签的名单"),
    "person.file_seen": N_("查看电子档案"),
    "person.looked_up": N_("按证件号码查人"),
    "factor.added": N_("添加二次验证"),
    "factor.codes": N_("生成恢复码"),
    "factor.code_used": N_("用恢复码登录"),
    "factor.refused": N_("二次验证被拒"),
    "factor.removed": N_("移除二次验证"),
    "factor.reset": N_("清除他人的二次验证"),
    "factor.reset_asked": N_("提出清除他人的二次验证"),
    "sign_on.linked": N_("关联统一认证身份"),
    "sign_on.refused": N_("统一认证登录被拒（账号已停用）"),
    "sign_on.unknown": N_("统一认证身份未关联"),
    "sign_on.unlinked": N_("解除统一认证身份"),
    "keys.exchanged": N_("更换系统密钥"),
    "keys.former_gone": N_("旧的系统密钥已销毁"),
    "keys.photos_begun": N_("更换学员照片密钥"),
    "keys.photos_encrypted": N_("照片和特征已用新密钥重新加密"),
    "keys.master_abandoned": N_("放弃更换主密钥"),
    "keys.master_announced": N_("登记下一个主密钥"),
    "keys.master_exchanged": N_("完成更换主密钥"),
    "login.closed": N_("退出"),
    "login.ended": N_("结束本人的其他登录"),
    "login.opened": N_("登录"),
    "login.refused": N_("登录被拒"),
    "pack.discarded": N_("放弃规则包草稿"),
    "pack.drafted": N_("起草规则包"),
    "pack.edited": N_("修改规则包草稿"),
    "pack.published": N_("公布规则包"),
    "pack.tried": N_("试算规则包"),
    "password.changed": N_("修改本人口令"),
    "password.refused": N_("修改本人口令被拒"),
    "photo.viewed": N_("查看影像"),
    "photos.viewed": N_("对照查看影像"),
    "model.tried": N_("试测人脸模型"),
    "platform.added": N_("新增平台"),
    "platform.changed": N_("更改平台"),
    "platform.statement_mapping_changed": N_("更改xAPI语句对应规则"),
    "backup.made": N_("制作备份"),
    "events.archived": N_("学习事件归档"),
    "events.returned": N_("取回归档的学习事件"),
    "ledgers.archived": N_("弹窗、照片记录归档"),
    "ledgers.returned": N_("取回归档的弹窗、照片记录"),
    "retention.purged": N_("按期销毁影像"),
    "roster.identity_refused": N_("拒绝更换学员身份"),
    "system.taken": N_("导入官方系统的编号"),
    "table.taken": N_("接收上传的表格"),
    "standard.entered": N_("录入补贴标准"),
    "standard.agreed": N_("同意补贴标准"),
    "standard.refused": N_("不同意补贴标准"),
    "standard.end_proposed": N_("提出停止执行补贴标准"),
    "standard.end_refused": N_("不同意停止执行补贴标准"),
    "standard.ended": N_("停止执行补贴标准"),
    "recovery.demanded": N_("通知退回补贴"),
    "recovery.returned": N_("登记退回的补贴"),
    "stage.answer": N_("处理公示异议"),
    "stage.first": N_("办理班级步骤"),
    "stage.objection": N_("登记公示异议"),
    "stage.returned": N_("退回班级步骤"),
    "stage.second": N_("复核班级步骤"),
    "user.added": N_("新增用户"),
    "user.changed": N_("修改用户角色或范围"),
    "user.disabled": N_("停用用户"),
    "user.enabled": N_("启用用户"),
    "user.password": N_("重设口令"),
    "notices.chosen": N_("选定怎样提醒自己"),
    "webhook.added": N_("登记通知地址"),
    "webhook.redelivered": N_("重发通知"),
    "webhook.removed": N_("停用通知地址"),
    "webhook.rotated": N_("更换通知签名密钥"),
    "webhook.tested": N_("发送测试通知"),
}
_DETAILS = {
    "identity": N_("统一认证身份"),
    "purposes": N_("密钥用途"),
    "suite": N_("算法"),
    "generation": N_("第几代"),
    "master": N_("主密钥指纹"),
    "next": N_("下一个主密钥指纹"),
    "statements": N_("xAPI语句数"),
    "at_once": N_("立即终止链接"),
    "documents": N_("xAPI文档数"),
    "office": N_("部门"),
    "level": N_("等级"),
    "occupation": N_("职业（工种）"),
    "applicant": N_("申请单位"),
    "certificate_type": N_("证书类别"),
    "changes": N_("更改内容"),
    "code": N_("机构代码"),
    "institution": N_("培训机构"),
    "contact": N_("联系人及电话"),
    "bank": N_("开户银行名称"),
    "bank_account": N_("银行帐号"),
    "listed_from": N_("列入目录清单，自"),
    "listed_until": N_("列入目录清单，至"),
    "replaces": N_("更正第几号"),
    "address": N_("地址"),
    "amount_yuan": N_("金额（元）"),
    "amount_fen": N_("金额（分）"),
    "advance_percent": N_("先行拨付比例"),
    "basis": N_("先行拨付的依据"),
    "dated": N_("文件日期"),
    "happened_on": N_("日期"),
    "until_on": N_("至"),
    "after": N_("此后"),
    "appeal": N_("申诉"),
    "before": N_("此前"),
    "base": N_("底本"),
    "calendar_kind": N_("类别"),
    "class": N_("班级"),
    "counties": N_("县区"),
    "county": N_("县区"),
    "delivery": N_("通知"),
    "document": N_("文书"),
    "drawn": N_("抽中"),
    "events": N_("通知内容"),
    "fields": N_("项目"),
    "filed_on": N_("受理日期"),
    "format": N_("格式"),
    "frame": N_("抽取范围"),
    "from_on": N_("起"),
    "fund": N_("资金来源"),
    "held_on": N_("考核日期"),
    "frame_sha256": N_("名单摘要"),
    "heads_present": N_("实到学员人数"),
    "in_system": N_("是否已在职业培训信息化管理系统填报"),
    "inspection": N_("巡查"),
    "materials": N_("培训资料留存情况"),
    "place": N_("地点"),
    "teachers_present": N_("到岗教师人数"),
    "watched_by": N_("考核巡查人员"),
    "kind": N_("种类"),
    "classes": N_("班级"),
    "learner": N_("学员"),
    "link": N_("链接"),
    "name": N_("名称"),
    "objection": N_("异议"),
    "pack": N_("规则包"),
    "paid_on": N_("拨付日期"),
    "people": N_("人数"),
    "photos": N_("影像"),
    "plan": N_("课时计划摘要"),
    "platform": N_("平台"),
    "promised_by": N_("申请承诺人"),
    "purpose": N_("用途"),
    "reason": N_("理由"),
    "refused": N_("退回行数"),
    "received_on": N_("收到日期"),
    "rejected": N_("拒收"),
    "remark": N_("说明"),
    "reply": N_("答复"),
    "result": N_("结果"),
    "role": N_("角色"),
    "run": N_("校验"),
    "scale": N_("处理方式"),
    "scopes": N_("权限"),
    "seed": N_("抽样种子"),
    "sha256": N_("文件摘要"),
    "since": N_("自"),
    "site": N_("公示网站"),
    "step": N_("步骤"),
    "stage": N_("环节"),
    "status": N_("状态"),
    "stored": N_("收下"),
    "taken": N_("接收行数"),
    "templates": N_("模板"),
    "to": N_("交由"),
    "to_on": N_("至"),
    "unchanged": N_("未变"),
    "until": N_("至"),
    "system": N_("官方系统"),
    "official_class_no": N_("班级编号"),
    "writers": N_("起草人"),
    "year": N_("年度"),
    "url": N_("地址"),
    "with_reference": N_("并看登记照片"),
}
_RECORDS = {
    "assessment": N_("考核"),
    "class": N_("班级"),
    "control": N_("管控"),
    "course": N_("课程"),
    "event": N_("事件"),
    "history": N_("以往培训"),
    "leave": N_("请假"),
    "offline_attendance": N_("线下考勤"),
    "reference_photo": N_("登记照片"),
    "recordings": N_("教学录像"),
    "roster": N_("花名册"),
    "satisfaction": N_("满意度"),
    "session": N_("学习会话"),
    "snapshot": N_("抓拍"),
}
_NOTES = {
    "answer": N_("答案"),
    "challenge_id": N_("管控编号"),
    "code": N_("代码"),
    "detail": N_("说明"),
    "input": N_("应答方式"),
    "latency_ms": N_("反应毫秒"),
    "nonce": N_("凭证"),
    "trusted": N_("浏览器认可"),
    "value": N_("值"),
}
_INPUTS = {"pointer": N_("鼠标"), "keyboard": N_("键盘"), "touch": N_("触屏")}
_IN_DETAILS: dict[str, dict[str, labels.Label]] = {
    "role": labels.ROLES,
    "stage": labels.STAGES,
    "step": labels.STEPS,
    "fund": labels.FUNDS,
    "basis": labels.ADVANCE_BASES,
    "applicant": {code: labels.Label(it) for code, it in labels.APPLICANTS.items()},
    "office": labels.OFFICES,
    "in_system": labels.YES_NO,
    "calendar_kind": labels.CALENDAR_KINDS,
    "status": labels.STATUSES,
    "scale": labels.SCALES,
    "result": labels.INSPECTION_RESULTS,
    "format": {"page": labels.Label(N_("页面"))},
    "scopes": labels.KEY_SCOPES,
    "frame": labels.INSPECTION_FRAMES,
    "fields": {"name": labels.Label(N_("姓名")), "id_number": labels.Label(N_("证件号码"))},
    "events": {event: labels.Label(told) for event, told in labels.NOTICES.items()},
}
SECTIONS = {
    "provenance": N_("证据来源"),
    "class_hour": N_("课时"),
    "session": N_("学习会话"),
    "enrolment": N_("考核申请"),
    "reach": N_("影响范围"),
    "cure": N_("补课"),
    "retention": N_("档案保存"),
    "instrument": N_("依据文件"),
    "catalogue": N_("职业目录"),
}
_FIELDS = {
    "reach": N_("影响范围"),
    "curable": N_("可否补课"),
    "status": N_("状态"),
    "clause": N_("条款"),
    "title.zh": N_("名称（中文）"),
    "title.en": N_("名称（英文）"),
}


def share(part: float, lang: Language) -> str:
    """A share in per cent; one too small for that as one in so many, never as nothing.

    >>> from app.console.language import language
    >>> share(0.6, language("zh")), share(1e-9, language("zh"))
    ('60%', '1/1,000,000,000')
    """
    return f"1/{round(1 / part):,}" if 0 < part < 0.001 else f"{lang.number(part * 100)}%"


def cited(clause: ClauseBody) -> str:
    """Instrument and article of a clause, where the register holds its text."""
    return " ".join(it for it in (clause.instrument, clause.article) if it != "not in tree")


def value(text: str, lang: Language) -> str:
    """What a check found, what it asks for, or a word in a pack."""
    if text in VALUES:
        return lang.say(VALUES[text])
    for pattern, source in _PATTERNS:
        if found := pattern.fullmatch(text):
            sentence = lang.say(source, n=found["n"])
            return f"≥ {sentence}" if text.startswith("≥") else sentence
    if lang.code == "en" and _MONTHS.fullmatch(text):
        names = get_month_names(locale="en")
        return ", ".join(names[int(it)] for it in re.findall(r"\d+", text))
    return text


# What a parameter of a pack may be set to, of those that are words.
PACK_WORDS = (
    *("automatic", "authority_approval", "none", "stop", "run", "reject_new", "kick_old"),
    *("stricter", "lenient", "not_proven", "pending_review", "never", "announced", "always"),
    *("acting_rules", *labels.REACHES),
)


def pack_words(lang: Language) -> list[str]:
    """The words that a parameter may be set to, as people read them."""
    yes_no = [lang.say(N_("是")), lang.say(N_("否"))]
    return [*dict.fromkeys(value(it, lang) for it in PACK_WORDS), *yes_no]


def pack_word(typed: str, lang: Language) -> str:
    """What a pack writes for a word that somebody typed as it is read; anything else as typed."""
    meant = {value(it, lang): it for it in reversed(PACK_WORDS)}
    return meant.get(typed, typed)


def check(code: str) -> str:
    """A check's number as the plan counts: two checks of one clause share it.

    >>> check("C11_opening")
    'C11'
    """
    return code.partition("_")[0]


def note(text: str) -> str:
    """A parameter's meaning without the codes in brackets."""
    return _CODE_IN_NOTE.sub("", text)


@lru_cache(maxsize=200)  # a queue or a history names the same few again and again
def pack(name: str, lang: Language) -> str:
    """A policy pack's title and version; its name where it is not on the shelf any more."""
    pack_id, _, version = name.partition("@")
    try:
        title = packs.load(pack_id, version or None).title
    except packs.UnknownPack:
        return name
    return f"{lang.of(title)} {version}".strip()


def outside_term(judged: Any, lang: Language) -> str:
    """What must be told beside verdicts on a class on whose days its pack is not in force; else
    empty. `judged` is the class, or what was judged with its `pack` and the days of its class."""
    pack = getattr(judged, "pack", "") or f"{judged.pack_id}@{judged.pack_version}"
    warning = pack_term.warning(pack, judged.starts_on, judged.ends_on)
    return lang.of(warning) if warning else ""


def missing_pack_file(pack_id: str, version: str) -> str:
    """The file that a pack's version would stand in, where it is not on the shelf; else empty."""
    try:
        packs.load(pack_id, version)
    except packs.UnknownPack:
        return f"{pack_id}@{version}.toml"
    return ""


def rule(code: str, pack: str, lang: Language) -> str:
    """A rule's name as the pack (`<id>@<version>`) calls it that judged; "" where packs differ."""
    return rule_title(code, pack).in_(lang.code)


def rule_letter(code: str, lang: Language) -> str:
    return rules.letter(code).in_(lang.code)


def rule_choices(found: Iterable[str], lang: Language) -> dict[str, labels.Label]:
    """Every rule as a choice, with those among `found` that only other versions know."""
    known = [*rules.known(), *sorted({*found} - {*rules.known()})]
    return {
        it: labels.Label(rules.title(it).in_(lang.code), rules.letter(it).in_(lang.code))
        for it in known
    }


def control(code: str, lang: Language) -> str:
    """A rule by the control that it asks of a platform."""
    known = rules.known().get(code)
    return (known.control or known.title).in_(lang.code) if known else code


def actor(text: str, lang: Language) -> str:
    """Who did something."""
    return _named(text, _ACTORS, lang)


_NUMBERED = {"act", "draft", "finding", "inspection", "run", "snapshot"}  # one of several


def subject(text: str, lang: Language, names: Mapping[str, str] | None = None) -> str:
    """What it was done to, by its name in `names`; a class without its platform's number."""
    kind, _, name = text.partition(":")
    if called := (names or {}).get(text):
        return _named(
            f"{kind}:{f'{name} · {called}' if kind in _NUMBERED else called}", _SUBJECTS, lang
        )
    if kind == "class" and ":" in name:
        text = f"class:{name.partition(':')[2]}"
    return _named(text, _SUBJECTS, lang)


def action(code: str, lang: Language) -> str:
    return lang.say(ACTIONS.get(code, code))


def detail(entry: Mapping[str, Any], lang: Language) -> str:
    """An audit entry's detail in one line, without what is empty."""
    told = {key: it for key, it in entry.items() if it not in (None, "", [], {})}
    act, body = act_kinds.KINDS.get(str(told.get("kind"))), told.get("body")
    if act and isinstance(body, Mapping):  # by the names that its form has
        fields = act.body.model_fields
        named = {f.title or key: body[key] for key, f in fields.items() if key in body}
        told = {key: it for key, it in told.items() if key != "body"} | named
    return " · ".join(
        f"{lang.say(_DETAILS.get(key, key))} {_detail_text(key, it, lang)}"
        for key, it in told.items()
    )


def brief(text: str) -> str:
    """A text with the beginnings of the digests in it; the log's file has them whole."""
    return _DIGEST.sub(r"\1…", text)


def differences(before: Pack, after: Pack) -> list[Change]:
    """What `after` decides differently, as people read it: a rule or check that only one of both
    has is one difference, and so is another catalogue of occupations."""
    found: dict[str, Change] = {}
    for change in packs.diff(before, after):
        table, _, rest = change.path.partition(".")
        key = rest.partition(".")[0]
        there = [key in it.table.tables for it in (before, after)]
        if table in ("rules", "checks") and not all(there):
            told = ("present" if it else None for it in there)
            found[key] = Change(f"{table}.{key}", *told)
        elif table == "catalogue":
            found[table] = Change(table, before.table.catalogue, after.table.catalogue)
        elif table != "clauses" or None not in (change.before, change.after):
            found[change.path] = change
    return list(found.values())


def place(path: str, pack: Pack, other: Pack, lang: Language) -> str:
    """Where two packs differ, e.g. in `rules.popup_gap.reach`. A rule, check or parameter that only
    one of them has is told in that one's words."""
    table, _, rest = path.partition(".")
    if table in ("rules", "checks"):
        key, _, rest = rest.partition(".")
        title = (pack if key in pack.table.tables else other).title_of(key)
        told = lang.of(title)
    else:
        key, told = table, lang.say(SECTIONS.get(table, table))
    group, _, name = rest.partition(".")
    if group == "parameters":
        known = [it for it in (other, pack) if key in it.table.tables]
        notes = {it.name: it.note for own in known for it in own.parameters_of(key)}
        if name in notes:
            return f"{told} · {note(lang.of(notes[name]))}"
    return f"{told} · {lang.say(_FIELDS.get(rest, rest))}" if rest else told


def event_note(name: str, it: Any, lang: Language) -> str:
    """What an event said beside its time and place."""
    told = lang.say(_INPUTS[it]) if name == "input" and it in _INPUTS else _value(it, lang)
    return f"{lang.say(_NOTES.get(name, name))} {told}"


def _value(it: Any, lang: Language) -> str:
    if isinstance(it, bool):
        return lang.say(N_("是") if it else N_("否"))
    if isinstance(it, dict) and all(isinstance(one, int) for one in it.values()):
        return lang.say(N_("、")).join(
            f"{lang.say(_RECORDS.get(str(k), str(k)))} {n}" for k, n in it.items()
        )
    return it if isinstance(it, str) else json.dumps(it, ensure_ascii=False)


def _named(text: str, kinds: Mapping[str, str], lang: Language) -> str:
    kind, _, name = text.partition(":")
    return lang.say(kinds[kind], name=name) if kind in kinds else text


def _detail_text(key: str, it: Any, lang: Language) -> str:
    if key == "kind" and it in act_kinds.KINDS:
        return act_kinds.KINDS[it].title.in_(lang.code)
    if isinstance(it, str):
        return pack(it, lang) if key == "pack" else _said(key, it, lang)
    if isinstance(it, list) and all(isinstance(one, str) for one in it):
        return lang.say(N_("、")).join(_said(key, one, lang) for one in it)
    if key == "changes" and isinstance(it, Mapping):
        return lang.say(N_("；")).join(changes.lines(it, lang))
    if key in ("before", "after") and isinstance(it, Mapping):
        return f"[{detail(it, lang)}]"
    return _value(it, lang)


def _said(key: str, code: str, lang: Language) -> str:
    return lang.say(labels.label(_IN_DETAILS.get(key, {}), code).text)
