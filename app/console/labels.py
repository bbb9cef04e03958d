"""The console's words for codes. Every code has a text, and where colour shows it, a letter too."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.console.language import N_
from app.domain import notify
from app.domain.policy import procedure
from app.languages import Text
from detectors.control_kinds import ControlKind
from detectors.event_types import EVENT_TYPES


@dataclass(frozen=True, slots=True)
class Label:
    """`text` and `letter` are source strings, or stand in every language; `tone` names a colour of
    the style sheet."""

    text: str | Text
    letter: str = ""
    tone: str = "plain"


OUTCOMES = {  # as the machine proposes
    "violation": Label(N_("疑似违规"), N_("嫌"), "review"),
    "review": Label(N_("存疑"), N_("疑"), "review"),
    "not_proven": Label(N_("未能证实"), N_("未"), "unproven"),
    "clear": Label(N_("正常"), N_("正"), "clear"),
}
VIOLATION = Label(N_("违规"), N_("违"), "violation")  # only people make it one
DRAWN = {**OUTCOMES, "upheld": VIOLATION}
STATUSES = {
    "open": Label(N_("待初审"), tone="review"),
    "first_review": Label(N_("待复核"), tone="review"),
    "upheld": Label(N_("已认定"), tone="violation"),
    "overturned": Label(N_("已撤销"), tone="clear"),
    "cured": Label(N_("已补课"), tone="clear"),
    "gone": Label(N_("重算后不再成立")),
}
FAULTS = {
    "platform": Label(N_("平台")),
    "institution": Label(N_("培训机构")),
    "learner": Label(N_("学员")),
    "environment": Label(N_("网络或供电")),
    "undetermined": Label(N_("未定")),
}
SUBJECTS = {
    "learner": Label(N_("学员个人")),
    "class": Label(N_("班级与平台")),
}
EVIDENCE = {
    "S": Label(N_("服务器证据")),
    "C+": Label(N_("客户端观察")),
    "C-": Label(N_("统计推断")),
}
VERDICTS = {
    "valid": Label(N_("有效"), N_("有"), "clear"),
    "invalid": Label(N_("无效"), N_("无"), "violation"),
    "not_proven": Label(N_("未能证实"), N_("未"), "unproven"),
    "pending_review": Label(N_("待人工审核"), N_("审"), "review"),
    "pending": Label(N_("未审结"), N_("待"), "review"),
    "eligible": Label(N_("准予申请考核"), N_("准"), "clear"),
    "ineligible": Label(N_("不接受考核申请"), N_("不"), "violation"),
    "acceptable": Label(N_("可受理"), N_("可"), "clear"),
    "not_acceptable": Label(N_("不予受理"), N_("不"), "violation"),
}
ENROLMENTS = {  # where there is little room
    "eligible": Label(N_("准予"), tone="clear"),
    "pending": Label(N_("未审结"), tone="review"),
    "ineligible": Label(N_("不接受"), tone="violation"),
}
HOURS = {
    "valid": Label(N_("有效"), N_("有"), "clear"),
    "invalid": Label(N_("无效"), N_("无"), "violation"),
    "pending_review": Label(N_("待人工审核"), N_("审"), "review"),
    "not_proven": Label(N_("未能证实"), N_("未"), "unproven"),
    "incomplete": Label(N_("未学完"), N_("半")),
    "not_started": Label(N_("未学习"), "·"),
}
PURPOSES_OF_FACES = (
    N_("初审人脸比对结果"),
    N_("复核人脸比对结果"),
    N_("处理学员申诉"),
)
DECISIONS = {
    "uphold": Label(N_("认定"), tone="violation"),
    "overturn": Label(N_("撤销"), tone="clear"),
    "need_more": Label(N_("补充材料"), tone="review"),
}
REVIEWS = {**DECISIONS, "corrected": Label(N_("更正"), tone="review")}
OVERDUE = Label(N_("已逾期"), tone="violation")
DECISION_MEANINGS = {
    "uphold": N_("事实成立，按规定处理。"),
    "overturn": N_("事实不成立或不应追究，此条不再算。"),
    "need_more": N_("还不能定，写明缺什么，留在待办。"),
}
DECISION_KEYS = {"uphold": "u", "overturn": "o", "need_more": "m"}
INSPECTION_FRAMES = {
    "online": Label(N_("正在学习的学员")),
    "roster": Label(N_("全班学员")),
    "recordings": Label(N_("教学录像")),
}
LIVE_CHECKS = {
    "overdue": Label(N_("核验逾期"), tone="unproven"),
    "unmatched": Label(N_("未比对通过"), tone="review"),
}
SPOT_CHECKS = {
    "asked": Label(N_("等对方下次上报"), tone="review"),
    "resting": Label(N_("在线但没有播放"), tone="review"),
    "shown": Label(N_("已向学员提出"), tone="review"),
    "comparing": Label(N_("正在比对"), tone="review"),
    "passed": Label(N_("核验通过"), tone="clear"),
    "unsure": Label(N_("存疑"), tone="review"),
    "failed": Label(N_("未通过"), tone="review"),
    "not_compared": Label(N_("无法比对"), tone="unproven"),
    "no_answer": Label(N_("没有应答"), tone="unproven"),
    "no_camera": Label(N_("摄像头打不开"), tone="unproven"),
    "refused": Label(N_("不同意使用摄像头"), tone="unproven"),
    "not_played": Label(N_("没有继续播放"), tone="unproven"),
    "left": Label(N_("学员已退出"), tone="unproven"),
    "silent": Label(N_("已断线"), tone="unproven"),
}
SPOT_CHECK_MEANS = {
    "asked": N_("学习页面每隔几秒上报一次，收到答复时即提出。"),
    "resting": N_("学员暂停时不打断；十分钟内继续播放时即提出。"),
    "shown": N_("学员正在做，或还没有看到；没有做好的最多提出三次。"),
    "comparing": N_("照片已到，片刻后有结果。"),
    "passed": N_("是登记的本人。"),
    "unsure": N_("请看照片，由人判断。"),
    "failed": N_("光线、角度、动作都可能不通过；请看照片。只凭这一次不能认定代学。"),
    "not_compared": N_("没有登记照片，请培训机构补登记。"),
    "no_answer": N_("可能没看到、断网或摄像头不能用，不是违规；规则要求人脸核验的，这一段不计入。"),
    "no_camera": N_("学员的设备没有摄像头，或没有允许使用；不是违规，请培训机构当面核对并登记。"),
    "refused": N_("学员在页面上选了不同意；不是违规，请培训机构当面核对并登记。"),
    "not_played": N_("学员没有继续学习，不是违规。"),
    "left": N_("学习已经结束，不是违规；可以在下次学习时再核验。"),
    "silent": N_("网络中断或已关闭页面，不是违规。"),
}
INSPECTION_RESULTS = {
    "present": Label(N_("本人在学"), tone="clear"),
    "absent": Label(N_("未在学"), tone="violation"),
    "intact": Label(N_("与登记一致"), tone="clear"),
    "differs": Label(N_("与登记不符"), tone="violation"),
    "unavailable": Label(N_("调取不到"), tone="review"),
    "other": Label(N_("其他情况"), tone="review"),
}
RECORDED = {
    "recorded": Label(N_("录像达标"), tone="clear"),
    "missing": Label(N_("没有登记录像"), tone="violation"),
    "too_short": Label(N_("录像时长不足"), tone="violation"),
    "no_digest": Label(N_("没有文件摘要，由主管部门认定"), tone="review"),
    "length_differs": Label(N_("实测时长与登记不符，由主管部门认定"), tone="review"),
}
LINK_STATES = {
    "open": Label(N_("可以打开"), tone="clear"),
    "over": Label(N_("已到期")),
    "revoked": Label(N_("已停用")),
}
ACT_STATES = {
    "in_force": Label(N_("已生效"), tone="clear"),
    "awaits_approval": Label(N_("待批准"), tone="review"),
    "revoked": Label(N_("已撤销")),
}
STEP_STATES = {
    "not_yet": Label(N_("未到此步")),
    "to_do": Label(N_("待办理"), tone="review"),
    "running": Label(N_("公示中"), tone="review"),
    "awaits_second": Label(N_("待复核"), tone="review"),
    "done": Label(N_("已办结"), tone="clear"),
}
OVERDUE = Label(N_("逾期"), tone="violation")
LATE = Label(N_("逾期办结"))
PROCEDURE_STAGES = {
    "opening": Label(N_("开班申请")),
    "supervision": Label(N_("过程监管")),
    "assessment": Label(N_("结业考核")),
    "claim": Label(N_("补贴申领")),
    "publication": Label(N_("公示")),
    "payment": Label(N_("拨付")),
}
STEPS = {step.id: Label(step.title) for step in procedure.steps().values()}
STAGE_DEEDS = {
    "first": Label(N_("初审")),
    "second": Label(N_("复核")),
    "returned": Label(N_("退回")),
    "objection": Label(N_("异议")),
    "answer": Label(N_("异议处理")),
}
FUNDS = {
    "employment": Label(N_("就业补助资金")),
    "unemployment": Label(N_("失业保险基金")),
    "skills": Label(N_("职业技能提升行动资金")),
    "other": Label(N_("其他资金")),
}
CLASS_NUMBERS = {
    "none": Label(N_("还没有编号"), tone="review"),
    "other_form": Label(N_("不是该系统的编号格式"), tone="review"),
}
DRAFT_STATES = {
    "draft": Label(N_("草稿"), tone="review"),
    "published": Label(N_("已公布"), tone="clear"),
    "discarded": Label(N_("已放弃")),
}
DRAFT_CHECKS = {"right": Label(N_("检查通过"), tone="clear")}
LISTING_DOUBTS = {
    "not_on_list": N_("班级写的培训机构不在本县登记的目录清单中。"),
    "not_listed_then": N_("开班日不在培训机构目录清单的有效期内。"),
    "review_failed": N_("培训机构上一年度年检不合格。"),
    "withdrawn_since": N_("培训机构已登记退出目录清单。"),
}
YES_NO = {"yes": Label(N_("是")), "no": Label(N_("否"))}
ADVANCE_BASES = {
    "enterprise": Label(N_("企业开展培训")),
    "project": Label(N_("培训机构开展项目制培训")),
}
SKILL_LEVELS = {
    5: N_("五级（初级工）"),
    4: N_("四级（中级工）"),
    3: N_("三级（高级工）"),
    2: N_("二级（技师）"),
    1: N_("一级（高级技师）"),
}
SUBSIDY_STANDINGS = {
    "payable": Label(N_("可以申请")),
    "paid": Label(N_("已拨付")),
    "not_eligible": Label(N_("不接受考核申请")),
    "not_passed": Label(N_("考核未合格")),
    "paid_before": Label(N_("同一职业同一等级已享受补贴")),
    "year_full": Label(N_("本年度享受补贴的次数已满")),
    "undecided": Label(N_("考核资格未定")),
    "not_assessed": Label(N_("没有考核结果")),
}
RECOVERY_STATES = {
    "due": Label(N_("待追缴"), tone="violation"),
    "demanded": Label(N_("已通知退回"), tone="review"),
    "returned": Label(N_("已全部退回"), tone="clear"),
    "settled": Label(N_("不再追缴")),
}
RECOVERY_DEEDS = {
    "demanded": Label(N_("通知退回")),
    "returned": Label(N_("退回资金")),
}
CALENDAR_KINDS = {
    "holiday": Label(N_("放假")),
    "works": Label(N_("调休上班")),
    "usual": Label(N_("恢复为平常日")),
}
ANSWERS = {
    "dismissed": Label(N_("维持原决定")),
    "reopened": Label(N_("重新审理，由他人决定")),
}
STAGES = {
    "first": Label(N_("初审")),
    "second": Label(N_("复核")),
    "correction": Label(N_("更正")),
}
STATES = {
    "open": Label(N_("学习中")),
    "closed": Label(N_("已结束")),
    "expired": Label(N_("超时结束")),
    "superseded": Label(N_("被新窗口接替")),
}
PROVENANCES = {
    "live": Label(N_("本服务直接接收")),
    "attested": Label(N_("由平台日志导入")),
}
CHECKS = {
    "pending": Label(N_("待比对"), "…"),
    "match": Label(N_("比对通过"), "✓", "clear"),
    "review": Label(N_("接近阈值"), "?", "review"),
    "mismatch": Label(N_("与本人不符"), "✕", "violation"),
    "no_face": Label(N_("未见人脸"), "○", "unproven"),
    "several_faces": Label(N_("多张人脸"), "⚇", "review"),
    "low_quality": Label(N_("画质不足"), "▿", "unproven"),
    "spoof": Label(N_("疑似攻击"), "!", "violation"),
    "no_reference": Label(N_("无登记照片"), "–", "unproven"),
    "no_consent": Label(N_("未同意人脸处理"), "–", "unproven"),
    "unreadable": Label(N_("无法读取"), "–", "unproven"),
    "not_compared": Label(N_("仅留存"), "·"),
    "lost": Label(N_("照片丢失"), "–", "unproven"),
}
PURPOSES = {
    "start": Label(N_("开课核验")),
    "random": Label(N_("随机抓拍")),
    "resume": Label(N_("复学核验")),
    "challenge": Label(N_("指令核验")),
}
CONTROLS = {it.value: Label(Text(it.zh, it.en)) for it in ControlKind}
SOURCES = {"service": Label(N_("本服务下发")), "platform": Label(N_("平台下发"))}
CHECK_RESULTS = {
    "pass": Label(N_("通过"), tone="clear"),
    "fail": Label(N_("不通过"), tone="violation"),
    "not_applicable": Label(N_("不适用")),
    "needs_authority": Label(N_("由主管部门决定"), tone="review"),
    "not_proven": Label(N_("资料不足"), tone="unproven"),
}
SCALES = {
    "graded": Label(N_("分级处理")),
    "literal": Label(N_("按字面处理")),
}
CONTROL_STATES = {
    "present": Label(N_("具备"), tone="clear"),
    "missing": Label(N_("缺失"), tone="violation"),
    "unknown": Label(N_("不能判断"), tone="unproven"),
}
CONTROL_SUBJECTS = {
    "judged_sittings": Label(N_("已判定的学习会话")),
    "long_sittings": Label(N_("应有弹窗的学习会话")),
    "long_sittings_with_consent": Label(N_("应比对人脸的学习会话")),
    "complete_class_hours": Label(N_("学完的课时")),
    "professional_courses": Label(N_("专业课程")),
}
RUN_STATES = {
    "queued": Label(N_("等待校验")),
    "running": Label(N_("正在校验"), tone="review"),
    "done": Label(N_("校验完成"), tone="clear"),
    "failed": Label(N_("校验失败"), tone="violation"),
}
RUN_BROKE_OFF = Label(N_("中断，等待续做"), tone="unproven")
RUN_CAUSES = {
    "worker_died": N_("处理程序几次中途退出，可能是内存不足。"),
    "database": N_("数据库没有应答或拒绝写入。"),
    "storage": N_("磁盘、影像存储或内存出错。"),
    "internal": N_("程序出错，已记入运行日志。"),
}
RUN_STEPS = {
    "settle": N_("整理学习记录"),
    "faces": N_("比对人脸"),
    "settle_again": N_("写入比对结果"),
    "same_face": N_("比较不同账号的人脸"),
    "judge": N_("逐条规则核对"),
    "conclude": N_("得出考核申请结论"),
    "classes": N_("逐班校验"),
    "calibration": N_("校准人脸阈值"),
    "audit": N_("核对审计日志"),
}
VERDICT_KINDS = {
    "class": N_("班级"),
    "enrolment": N_("学员"),
    "class_hour": N_("课时"),
    "session": N_("学习会话"),
}
ROLES = {
    "auditor": Label(N_("审核员")),
    "reviewer": Label(N_("复核员")),
    "platform_viewer": Label(N_("平台查看员")),
    "school": Label(N_("培训机构经办人")),
    "chief": Label(N_("分管领导")),
    "admin": Label(N_("管理员")),
    "log_reader": Label(N_("日志审计员")),
}
OFFICES = {
    "labour": Label(N_("人社部门")),
    "industry": Label(N_("行业主管部门")),
    "finance": Label(N_("财政部门")),
}
MODES = {
    "online": N_("线上"),
    "blended": N_("线上线下结合"),
    "offline": N_("线下"),
}
SCHOOL_YEARS = {
    "done": Label(N_("已完成"), tone="clear"),
    "open": Label(N_("年度未结束")),
    "short": Label(N_("未完成"), tone="violation"),
}
TRAINING_KINDS = {
    "upskilling": N_("岗位技能提升培训"),
    "employment": N_("就业技能培训"),
    "business": N_("创业培训"),
    "apprenticeship": N_("企业新型学徒制培训"),
    "other": N_("其他培训"),
}
APPLICANTS = {
    "enterprise": N_("企业"),
    "institution": N_("培训机构"),
    "individual": N_("个人"),
}
SETUP_STEPS = {
    "institution": N_("机构与平台"),
    "course": N_("课程"),
    "class": N_("班级"),
    "roster": N_("花名册"),
    "photos": N_("登记照片"),
    "access": N_("平台接入"),
}
SETUP_STATES = {
    "done": Label(N_("已完成"), tone="clear"),
    "next": Label(N_("做这一步"), tone="review"),
    "later": Label(N_("还没做")),
}
LISTINGS = {
    "listed": Label(N_("在目录"), tone="clear"),
    "later": Label(N_("尚未生效"), tone="review"),
    "over": Label(N_("目录已过期"), tone="review"),
    "unknown": Label(N_("未登记目录")),
    "withdrawn": Label(N_("已退出目录"), tone="violation"),
}
KEY_SCOPES = {
    "ingest": Label(N_("报送学习数据")),
    "read": Label(N_("读取结论")),
    "import": Label(N_("导入历史记录")),
    "admin": Label(N_("管理密钥与通知地址")),
}
EVENTS = {it.name: Label(Text(it.zh, it.en)) for it in EVENT_TYPES}
EVENT_FLAGS = {
    "visible": Label(N_("可见")),
    "hidden": Label(N_("隐藏")),
    "focused": Label(N_("有焦点")),
    "blurred": Label(N_("无焦点")),
    "blocked": Label(N_("已被阻止")),
}
RULE_STATUSES = {
    "draft": Label(N_("草案")),
    "shadow": Label(N_("试运行")),
    "active": Label(N_("启用")),
    "retired": Label(N_("已废止")),
}
REACHES = {
    "L1": Label(N_("影响课时")),
    "L2": Label(N_("影响本人全部培训")),
    "L3": Label(N_("影响全班")),
}
UNITS = {
    "s": N_("秒"),
    "ms": N_("毫秒"),
    "share": N_("比例"),
    "ratio": N_("倍"),
    "x": N_("倍"),
    "×": N_("倍"),
    "count": N_("次"),
    "photos": N_("张"),
    "distance": N_("距离"),
    "h": N_("小时"),
    "min": N_("分钟"),
    "%": "%",
    "yes/no": N_("是否"),
    "word": N_("选项"),
    "reach": N_("影响范围"),
    "class-hours": N_("课时"),
    "persons": N_("人"),
    "month": N_("月"),
    "months": N_("个月"),
    "years": N_("年"),
    "days": N_("天"),
    "day": N_("天"),
}
REFUSALS = {
    401: N_("请先登录"),
    403: N_("无权进行此操作"),
    404: N_("没有找到"),
    409: N_("与现有记录冲突"),
    413: N_("文件太大，没有收到"),
    422: N_("提交的内容有误"),
    429: N_("尝试次数过多"),
}
# Refusals by their code, in words of the console; a code without one shows only its title.
NOTICES = {event.value: notify.LABELS[event] for event in notify.WebhookEvent}
NOTICE_STATES = {
    "delivered": Label(N_("已送达"), tone="clear"),
    "waiting": Label(N_("待发"), tone="unproven"),
    "dead": Label(N_("已放弃"), tone="violation"),
}
REFUSED = {  # what a platform's developers meet first; the rest is said by the answer
    "scope_missing": N_("这把密钥没有这项权限"),
    "unknown_session": N_("没有这个学习会话，或属于别的平台"),
    "unknown_learner": N_("没有这个学员"),
    "unknown_class": N_("没有这个班级"),
    "unknown_lesson": N_("该班的课程里没有这个课时"),
    "missing_field": N_("缺少必填的字段"),
    "invalid_field": N_("字段的值不合要求"),
    "unknown_type": N_("没有这种事件"),
    "malformed_json": N_("正文不是有效的JSON（须为UTF-8，不带BOM）"),
    "no_events": N_("一条事件也没有"),
    "too_many_events": N_("一次报送的事件太多"),
    "invalid_statement": N_("有语句不合xAPI标准，整批没有保存"),
    "version_missing": N_("缺少请求头X-Experience-API-Version"),
    "not_found": N_("没有这个地址"),
    "platform_share": N_("平台一天内报送的数据量到了上限，稍后再送"),
}
NOTICE_ERRORS = {
    "no_such_host": N_("地址查不到"),
    "address_not_allowed": N_("地址在内部网络，未经允许"),
    "unreachable": N_("连接不上"),
    "tls": N_("证书不可信"),
    "too_slow": N_("对方应答太慢"),
    "no_http": N_("对方没有正常应答"),
    "not_accepted": N_("对方没有接收"),
}
SIGN_OFFS = {
    "draft": Label(N_("草稿，未签发"), tone="review"),
    "prepared": Label(N_("待签发"), tone="review"),
    "signed": Label(N_("已签发"), tone="clear"),
    "changed": Label(N_("已签发，其后有变动，待更正"), tone="review"),
    "withdrawn": Label(N_("已退回")),
}
NO_PACK = N_("缺少政策包")
NO_PACK_REMEDY = N_(
    "此页要按本班适用的政策包重新计算，而该政策包不在本机。班级页上写明缺少哪个文件；"
    "请管理员将其放回 detectors/packs 目录后重启服务。"
)
TOLD = {
    "new_work": N_("新的待办"),
    "appeals": N_("待答复的申诉"),
    "due_soon": N_("两天内到期的案件"),
    "overdue": N_("逾期的案件"),
    "platform_fault": N_("平台问题"),
    "failed_night": N_("夜间校验没有顺利完成"),
    "material_late": N_("过期未答复的补充材料"),
    "material_asked": N_("要您补充的材料"),
    "upheld": N_("认定的平台或培训机构问题"),
    "standards": N_("等您同意的补贴标准"),
    "lists_signed": N_("签发的名单"),
    "lists_corrected": N_("更正的已签发名单"),
}
PROBLEMS = {
    "not_on_line": N_("学员此刻不在线，没有提出核验。"),
    "no_consent_to_check": N_("学员没有同意人脸核验，请培训机构当面核对。"),
    "nobody_listens": N_(
        "这个班由平台自己管控，平台没有登记接收核验要求的地址（face_check.requested），请与平台联系。"
    ),
    "asked_lately": N_("同一学员十分钟内只能要求核验一次（本产品的默认），请稍后再试。"),
    "asked_often": N_("同一学员一天内最多要求核验六次（本产品的默认），今天已满。"),
    "bad_email": N_("电子邮箱应像name@example.cn。"),
    "bad_robot": N_("这不是所选机器人的Webhook地址，请从企业微信或钉钉的群机器人设置里整个复制。"),
    "bad_pack_id": N_("编号只能用小写字母、数字和单个连字符，最多64个字符。"),
    "bad_version": N_("版本应为三个数字，如1.0.0。"),
    "bad_title": N_("请填写名称，最多60个字。"),
    "pack_taken": N_("这个编号是本产品自带的，或这个版本已经公布，请换编号或版本。"),
    "draft_moved": N_("其他人刚刚改过这份草稿，请刷新后核对再提交。"),
    "draft_closed": N_("草稿已公布或已放弃，不能再改。"),
    "own_draft": N_("写过草稿的人不能公布，须由另一人公布。"),
    "pack_invalid": N_("检查没有通过，请先改正。"),
    "no_packs_folder": N_(
        "本系统没有设置存放自有规则包的文件夹（ZHENXUE_PACKS_DIR），请联系运维。"
    ),
    "bad_parameter": N_("请选择一个参数。"),
    "bad_value": N_("新值与参数的类型不符。"),
    "bad_word": N_("这个参数不能是这个词。没有写入，请从提示的词中选。"),
    "too_long": N_("文本太长。"),
    "bad_target": N_("请填写不超过1,000,000的整数，没有目标的留空。"),
    "bad_days": N_("请填写起止日期，起在前，最长366天。"),
    "notice_unread": N_("这一行没有读懂，请照通知原文粘贴，或改为逐项录入："),
    "wrong_weekday": N_("星期与所填年度不符，请核对年度和日期："),
    "bad_year": N_("年度不对。"),
    "bad_addressee": N_("请选择由谁提交。"),
    "material_words": N_("请写4至2000个字。"),
    "already_answered": N_("已经提交过，不能再改。请联系主管部门。"),
    "unknown_request": N_("没有这项要求。"),
    "case_changed": N_("本案又有了新的问题，请看过再决定。"),
    "case_decided": N_("您打开本案以后，已有他人作出决定，您这次没有存入。请看现在的情况。"),
    "too_late": N_("已不能撤回：过了时限，或他人已接着决定。可写明理由更正。"),
    "comment_missing": N_("请写备注，或选择附件。"),
    "comment_too_long": N_("备注最多2000个字。"),
    "file_too_large": N_("附件是空的，或超过10 MB。可以分成几个文件，或只留要紧的几页再交。"),
    "body_too_large": N_("请用浏览器的返回键回到上一页，换一个小一些的文件再提交；写的话还在。"),
    "image_type": N_("这张照片的格式不能识别。请重新拍照，或截图后再交。"),
    "image_too_large": N_("照片文件超过20 MB。请在手机相册里压缩，或截图后再交。"),
    "image_pixels": N_(
        "照片超过6400万像素，或一边超过20000像素。请用普通拍照模式重拍，或截图后再交。"
    ),
    "image_truncated": N_("照片不完整，可能没有传完。请从手机相册里重新选这张照片再交。"),
    "image_unreadable": N_("照片无法读取，可能已损坏。请重新拍照，或截图后再交。"),
    "bad_file_kind": N_(
        "附件不是照片（JPG、PNG、HEIC、WebP、BMP）、PDF、XLSX或DOCX（看内容，不看文件名）。请另存为PDF，或拍照后再交。"
    ),
    "active_file": N_("附件含有宏、脚本或内嵌文件，不能接收。请另存为不含宏的文件，或打印成PDF。"),
    "locked_file": N_("附件加了密或受保护，无法检查内容。请去掉保护，或打印成PDF后再提交。"),
    "date_out_of_reach": N_("日期须在今天以后，且不能太远（搁置最多90天）。"),
    "bad_limit": N_("每人最多1至200案。"),
    "unknown_case": N_("没有这个案件，或不在您的范围内。"),
    "unknown_file": N_("没有这个文件。"),
    "file_gone": N_("文件已不在。"),
    "role": N_("您的角色无权进行此操作。"),
    "csrf": N_("页面已过期，请返回后刷新再提交。"),
    "bad_office": N_("请选择部门。"),
    "other_office": N_("这一步须由其他部门的账号办理。"),
    "bad_decision": N_("请选择认定、撤销或补充材料。"),
    "identity_taken": N_("这个身份已关联到别的账号，请先解除。"),
    "own_identity": N_("自己的身份须由另一位管理员关联。"),
    "reason_missing": N_("请写明理由，4至2000个字。"),
    "nobody_to_recover_from": N_("请勾选要追缴的学员。"),
    "nobody_chosen": N_("请勾选已签署同意书的学员。"),
    "files_missing": N_("请选择照片文件，一次最多10张。"),
    "photo_not_taken": N_("照片没有登记成功，请稍后再试。"),
    "no_face_consent": N_("学员没有同意人脸处理，不能登记照片。"),
    "face_data_erased": N_("该学员的人脸信息已按请求删除。"),
    "photo_retired": N_("这张照片以前登记过，已被替换。请换一张新的。"),
    "sign_off_waiting": N_("本班名单已送签，请先签发或退回。"),
    "nobody_settled": N_("本班学员都未审结，还没有可签发的名单。"),
    "nothing_changed": N_("名单与签发时一致，无须更正。"),
    "lists_resubmitted": N_("这一步现在不能这样办理，可能刚由他人办理，请刷新后再看。"),
    "lists_changed": N_("送签以后名单有了变化，不能签发。请退回，重新送签。"),
    "already_decided": N_("该问题已有结论，可能刚由他人处理。"),
    "credit_code_wrong": N_(
        "附件2要写的统一社会信用代码（培训机构或申请人）校验码不对，请先在机构页或班级页改正，再办这一步。"
    ),
    "second_person_needed": N_("须由另一人复核，不能复核本人的决定。"),
    "shadow_rule": N_("试运行规则的发现不作认定。"),
    "purpose_missing": N_("请写明查看用途，4至200个字。"),
    "photo_gone": N_("该影像已按保存期限或删除请求销毁。"),
    "bad_username": N_("用户名须以小写字母开头，由2至32个小写字母、数字及 . _ - 组成。"),
    "bad_role": N_("请选择角色。"),
    "bad_display_name": N_("姓名须为1至64个字。"),
    "username_taken": N_("该用户名已被使用。"),
    "unregistered_county": N_("没有登记过的县区：%(name)s。请改正，或先在“县区”页登记。"),
    "county_missing": N_("审核员、复核员与分管领导须指定至少一个县区，全部县区写作 *。"),
    "platform_missing": N_("平台查看员须指定所属平台。"),
    "unknown_platform": N_("没有此平台。"),
    "institution_missing": N_("培训机构经办人须指定所属培训机构。"),
    "unknown_institution": N_("没有此培训机构。"),
    "institution_withdrawn": N_("该机构已退出目录清单，退出之日及以后不能新开班。"),
    "institution_not_withdrawn": N_("该机构在目录清单上。"),
    "institution_has_classes": N_("该机构已有班级，名称不能改。"),
    "institution_code_taken": N_("县内已有机构用这个代码。"),
    "institution_name_taken": N_("县内已有同名机构。"),
    "county_missing_here": N_("请选择县区。"),
    "county_exists": N_("已有此县区。"),
    "county_code_taken": N_("已有县区用这个代码。"),
    "bad_county_code": N_("行政区划代码是六位数字。"),
    "platform_not_offered": N_("请选择平台。"),
    "setup_has_class": N_("已开班，不能再换平台。"),
    "bad_course_id": N_("请填写课程编号，1至128个字。"),
    "course_taken": N_("已有别的课程用这个编号，请换一个。"),
    "class_taken": N_("已有别的班级用这个编号，请换一个。"),
    "class_frozen": N_("本班已有人学习，此项不能再改。"),
    "lesson_too_short": N_("有小节的时长不够其学时数，请核对课程。"),
    "course_too_short": N_("有课程的总时长不够一个学时，请核对课程。"),
    "ambiguous_lesson_id": N_("所选课程有编号相同的小节，不能放在一个班里。"),
    "unknown_course": N_("没有这门课程。"),
    "unknown_pack": N_("没有这个规则包。"),
    "bad_pack": N_("这个规则包的文件有误，暂不能选用，请联系系统管理员。"),
    "bad_class_id": N_("请填写班级编号，1至128个字。"),
    "class_id_characters": N_("班级编号不能含空格、斜杠、问号、井号和百分号，可以用连字符。"),
    "bad_slug": N_("简称由1至64个小写字母、数字和连字符组成，如 huang-edu。"),
    "platform_exists": N_("已有平台用这个简称。"),
    "bad_county": N_("请选择县区。"),
    "weak_password": N_("口令须为10至256个字符，至少5个不同字符，且不含用户名。"),
    "common_password": N_("这个口令很常见或容易猜到（在泄露过的口令表中排在前面），请换一个。"),
    "passwords_differ": N_("两次输入的新口令不一致。"),
    "same_password": N_("新口令与当前口令相同。"),
    "wrong_password": N_("当前口令不正确。"),
    "bad_scale": N_("请选择分级处理或按字面处理。"),
    "own_account": N_("不能停用自己的账号。"),
    "second_factor_needed": N_(
        "作决定、管理账号需要二次验证。请先在“我的账号”中添加验证器应用或通行密钥。"
    ),
    "wrong_factor": N_("验证码或通行密钥不正确。"),
    "wrong_code": N_("验证码不正确。请确认手机时间准确，再填写应用此刻显示的验证码。"),
    "bad_passkey": N_("通行密钥没有添加成功，请重试。"),
    "bad_factor_name": N_("名称须为1至40个字。"),
    "too_many_factors": N_("每人最多10个，请先移除不用的。"),
    "second_person": N_("须由另一名管理员同意。"),
    "stale_form": N_("页面已过期，请重新填写"),
    "wait": N_("失败次数过多，请稍后再试。"),
    "own_role": N_("不能修改自己的角色和范围。"),
    "last_admin": N_("至少须保留一名启用的管理员。"),
    "unknown_user": N_("没有此用户。"),
    "bad_view_name": N_("请给视图起名，1至40个字。"),
    "too_many_views": N_("最多保存30个视图，请先删去不用的。"),
    "bad_assignee": N_("此人无权处理所选问题，请选择其他人。"),
    "none_chosen": N_("请先勾选要处理的问题，一次最多100条。"),
    "not_alike": N_("只有规则、情形、性质和责任方都相同的问题才能一并决定。"),
    "too_grave": N_("疑似违规、须两人复核或已扣减学时的问题须逐条决定。"),
    "bad_answer": N_("请选择维持原决定或重新审理。"),
    "bad_scope": N_("请至少选择一项权限。"),
    "bad_label": N_("请填写密钥名称，1至128个字。"),
    "key_ended": N_("该密钥已吊销或到期。"),
    "bad_url": N_("请填写完整的通知地址，如https://…，不含用户名和密码；正式环境须为https。"),
    "bad_events": N_("请至少选择一项通知内容。"),
    "too_many_webhooks": N_("通知地址已达上限，请先停用不用的。"),
    "secret_changing": N_("上一个签名密钥仍在并用期内，到期后才能再换。"),
    "bad_period": N_("请填写起止日期，最长一年。"),
    "bad_count": N_("人数须为1至80。"),
    "nobody_to_draw": N_("所选范围内此刻没有学员。"),
    "nothing_found": N_("请至少为一名学员（一段录像）选择结果，或填写检查概况。"),
    "bad_result": N_("请选择结果；其他情况须写明说明。"),
    "bad_statement": N_("请写明申诉内容，4至2000个字。"),
    "nothing_to_appeal": N_("该问题已不再成立，无需申诉。"),
    "too_many_appeals": N_("今天提交的申诉已达上限，请明天再试。"),
    "unknown_link": N_("链接无效或已过期，请向培训机构索取新链接。"),
    "reply_missing": N_("请写明答复，4至2000个字。"),
    "already_replied": N_("该申诉已有答复，可能刚由他人处理。"),
    "own_decision": N_("申诉须由未作过决定的人员答复。"),
    "stage_not_open": N_("这一步现在不能这样办理，可能刚由他人办理，请刷新后再看。"),
    "objection_there": N_("这项异议已经登记过了。"),
    "stage_rested_on": N_("后面的步骤已经办理，请先退回后面的步骤。"),
    "notice_running": N_("公示期未满，期满后再复核。"),
    "objection_open": N_("还有异议没有处理，处理后再复核。"),
    "no_such_objection": N_("没有这条待处理的异议，可能刚由他人处理。"),
    "notice_too_short": N_("公示的工作日不足规定天数，请推后截止日期。"),
    "too_many_heads": N_("实到人数不能超过本班在册人数。"),
    "too_many_people": N_("申请补贴人数不能超过本班在册人数。"),
    "nobody_payable": N_(
        "现在没有可以申请补贴的人：须准予考核、考核合格、没有享受过。见“补贴金额”。"
    ),
    "not_the_payable": N_("须为现在可以申请的人数，见“补贴金额”。"),
    "not_the_amount": N_("须为按标准核定的金额，先行拨付的已扣除，见“补贴金额”。"),
    "no_standard": N_("本县没有适用于本班的补贴标准，请管理员先录入。"),
    "no_advance": N_("适用的标准没有规定先行拨付。"),
    "not_an_enterprise": N_("本班不是企业申请的。"),
    "more_than_advance": N_("超过了按全班人数和标准可以先行拨付的金额。"),
    "claim_too_small": N_("现在应付的金额超过了申请金额，请退回补贴申请重新受理。"),
    "payable_changed": N_("初审之后应付的人有变化，请退回重办。"),
    "standard_decided": N_("这条标准已经有人处理过。"),
    "unknown_standard": N_("没有这条正在执行的标准。"),
    "already_paid": N_("资金已经拨付，不能退回这一步，只能追缴。"),
    "advance_open": N_("先行拨付还没有复核，请先办结。"),
    "already_approved": N_("该登记已经生效，可能刚由他人批准。"),
    "revoked": N_("该登记已经撤销，可能刚由他人撤销。"),
    "keeps_no_standards": N_("您的账号不管理该县的补贴标准。"),
    "nothing_to_recover": N_("该学员现在没有这样要登记的追缴，可能刚由他人登记。"),
    "recovered_since": N_("该学员刚有退回的资金登记，请先看“经过”，不要重复登记。"),
    "more_than_due": N_("金额须大于0，不能超过待追缴的金额。"),
    "bad_form": N_("填写有误，请填全日期、编号和金额。"),
    "in_future": N_("该日期还没有到，不能登记。"),
    "out_of_order": N_("不能早于前面步骤的日期：开班、受理、考核、公示、拨付依次在后。"),
    "bad_date": N_("请填写日期，如2026-10-01。"),
    "bad_range": N_("截止日期不得早于起始日期，一次最多31天。"),
    "bad_name": N_("请写明名称，最多64个字，如“国庆节”。"),
    "decided_before": N_("申诉后重新审理，须由此前未作过决定的人员决定。"),
}


def found(outcome: str, status: str) -> Label:
    """The word for what a finding is: a suspicion until people upheld it."""
    word = label(DRAWN, drawn(outcome, status))
    return replace(word, tone="plain") if status in ("overturned", "gone") else word


def drawn(outcome: str, status: str) -> str:
    """`found` as a code of `DRAWN`."""
    return "upheld" if (outcome, status) == ("violation", "upheld") else outcome


def label(words: dict[str, Label], code: str | None) -> Label:
    """The word for a code; a code nobody named yet is shown as it is rather than as an error."""
    return words.get(code or "", Label(code or "–"))
