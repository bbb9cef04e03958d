"""The lists' words for codes, the same as the console's; lists are printed in Chinese only."""

from __future__ import annotations

HOURS = {
    "valid": "有效",
    "invalid": "无效",
    "pending_review": "待人工审核",
    "not_proven": "未能证实",
    "incomplete": "未学完",
    "not_started": "未学习",
}
VERDICTS = {
    "valid": "有效",
    "invalid": "无效",
    "not_proven": "未能证实",
    "pending_review": "待人工审核",
    "pending": "未审结",
    "eligible": "准予申请考核",
    "ineligible": "不接受考核申请",
    "acceptable": "可受理",
    "not_acceptable": "不予受理",
}
STATUSES = {
    "open": "待初审",
    "first_review": "待复核",
    "upheld": "已认定",
    "overturned": "已撤销",
    "cured": "已补课",
    "gone": "重算后不再成立",
}
FAULTS = {
    "platform": "平台",
    "institution": "培训机构",
    "learner": "学员",
    "environment": "网络或供电",
    "undetermined": "未定",
}
REACHES = {
    "L1": "影响课时",
    "L2": "影响本人全部培训",
    "L3": "影响全班",
}
INSPECTION_FRAMES = {
    "online": "正在学习的学员",
    "roster": "全班学员",
    "recordings": "教学录像",
}
INSPECTION_RESULTS = {
    "present": "本人在学",
    "absent": "未在学",
    "intact": "与登记一致",
    "differs": "与登记不符",
    "unavailable": "调取不到",
    "other": "其他情况",
}
RECORDED = {
    "recorded": "录像达标",
    "missing": "没有登记录像",
    "too_short": "录像时长不足",
    "no_digest": "没有文件摘要，由主管部门认定",
    "length_differs": "实测时长与登记不符，由主管部门认定",
}
PROVENANCES = {
    "live": "本服务直接接收",
    "attested": "由平台日志导入",
}
CHECK_RESULTS = {
    "pass": "通过",
    "fail": "不通过",
    "not_applicable": "不适用",
    "needs_authority": "由主管部门决定",
    "not_proven": "资料不足",
}
SCALES = {
    "graded": "分级处理",
    "literal": "按字面处理",
}
PURPOSES = {
    "start": "开课核验",
    "random": "随机抓拍",
    "resume": "复学核验",
    "challenge": "指令核验",
}
CHECKS = {
    "pending": "待比对",
    "match": "比对通过",
    "review": "接近阈值",
    "mismatch": "与本人不符",
    "no_face": "未见人脸",
    "several_faces": "多张人脸",
    "low_quality": "画质不足",
    "spoof": "疑似攻击",
    "no_reference": "无登记照片",
    "no_consent": "未同意人脸处理",
    "unreadable": "无法读取",
    "not_compared": "仅留存",
    "lost": "照片丢失",
}
SOURCES = {
    "service": "本服务下发",
    "platform": "平台下发",
}
DECISIONS = {
    "uphold": "认定",
    "overturn": "撤销",
    "need_more": "补充材料",
}
REVIEWS = {**DECISIONS, "corrected": "更正"}
CONTROL_STATES = {
    "present": "具备",
    "missing": "缺失",
    "unknown": "不能判断",
}
