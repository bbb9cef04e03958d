"""What was changed is told field by field, in words."""

from __future__ import annotations

from app.console import changes, readable
from app.console.language import language

ZH = language("zh")


def test_a_part_of_a_field_is_told_by_its_own_name_and_in_words() -> None:
    told = changes.lines(
        {
            "assessment": [
                {"planned_on": "2026-12-01", "applied_on": None, "mode": "online"},
                {"planned_on": "2026-12-20", "applied_on": None, "mode": "offline"},
            ],
            "applicant": [None, {"type": "enterprise", "name": "示例厂", "uscc": None}],
            "teachers": [None, 1],
            "teacher_names": [None, ["沈教员"]],
            "teacher_details": [None, [{"name": "沈教员", "full_time": True, "certificate": None}]],
        },
        ZH,
    )
    assert told == [
        "教师：– → 沈教员（专职）",
        "申请人：– → 企业",
        "申请人名称：– → 示例厂",
        "计划考核日期：2026-12-01 → 2026-12-20",
        "考核方式：线上 → 线下",
    ]


def test_the_audit_log_names_changed_fields_as_the_form_does() -> None:
    entry = {"changes": {"ends_on": ["2026-04-05", "2026-04-10"]}, "reason": "农忙"}
    assert readable.detail(entry, ZH) == "更改内容 结束日期：2026-04-05 → 2026-04-10 · 理由 农忙"
