"""附件2 is filled in from what was recorded: steps, remote inspections, amounts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

import pytest

from app.clock import day
from app.domain.accounts import users
from app.domain.catalogue import institutions
from app.domain.catalogue.classes import class_seen
from app.domain.catalogue.institutions import InstitutionTerms
from app.domain.policy import procedure
from app.domain.review import inspections, stages
from app.domain.review.inspections import Noted
from app.reports import container, exports, package
from app.reports.exports import ExportOptions
from app.reports.verify import verify
from app.services import Services
from app.store.catalogue.catalogue import ClassRow
from app.store.exchange import report_rows
from app.store.scope import EVERYTHING
from tests.people import HUANGCHUAN
from tests.verdicts import sign_in

PERSON, KEY = ExportOptions("user:zhao", named=True), ExportOptions("key:1", named=False)


def told(services: Services, klass: ClassRow, options: ExportOptions = PERSON) -> dict[Any, Any]:
    (sheet,) = exports.sheets(services, klass, ["annex-2"], options)
    return dict(cast(Any, sheet.rows))


@pytest.fixture
def reviewed(services: Services, klass: ClassRow) -> str:
    """A class that Zhao and Li took to a claim that waits for its second reviewer; the day."""
    for name in ("zhao", "li", "wei", "hu"):
        sign_in(services, name, HUANGCHUAN)
    now_ms = services.clock()
    today = day(now_ms)
    claim: dict[str, Any] = {
        "people": 1,
        "amount_yuan": Decimal("12345.60"),
        "promised_by": "经办人甲",
    }
    bodies = {
        "claim_filed": claim,
        "assessment": {
            "held_on": today.isoformat(),
            "watched_by": "巡查甲",
            "in_system": "no",
        },
        "supervision": {"in_system": "yes"},
    }
    with services.database.write() as connection:
        for name in ("wei", "hu"):
            users.change_user(
                connection,
                name,
                role="auditor",
                counties=[HUANGCHUAN],
                office="industry",
                actor="system",
                now_ms=now_ms,
            )
        people = {it: users.named(connection, it) for it in ("zhao", "li", "wei", "hu")}

        def does(step: str, deed: str = "first", **body: Any) -> None:
            industry = procedure.steps()[step].office == "industry"
            first = deed == "first"
            who = people[("wei" if first else "hu") if industry else ("zhao" if first else "li")]
            stages.record(
                connection,
                klass.id,
                who,
                step=step,
                deed=deed,
                body={"filed_on": today.isoformat()} | body,
                remark="同意",
                now_ms=now_ms,
            )

        for step in ("opening_filed", "opening_industry", "opening_labour", "supervision"):
            does(step, **bodies.get(step, {}))
            if step != "opening_filed":
                does(step, "second")
        does("assessment_filed")
        does("assessment", **bodies["assessment"])
        does("assessment", "second")
        does("claim_filed", **claim)
        does("claim_industry")
    return f"{today.year}年{today.month}月{today.day}日"


def test_who_reviewed_stands_on_the_form_once_both_have(
    services: Services, klass: ClassRow, reviewed: str
) -> None:
    form = told(services, klass)
    opening = form["开班申请·行业主管部门审核意见"]
    assert "初审人：wei　　复核人：hu" in opening and reviewed in opening
    assert opening.startswith("同意")
    assert form["过程监管·人力资源社会保障部门检查意见"].startswith("同意")
    assert "wei" not in form["补贴资金申领·行业主管部门审核情况（自受理之日起15个工作日内）"]


def test_a_platform_is_not_told_who_reviewed(
    services: Services, klass: ClassRow, reviewed: str
) -> None:
    opening = told(services, klass, KEY)["开班申请·行业主管部门审核意见"]
    assert "zhao" not in opening and "不对平台公开" in opening


def test_the_claim_is_told_in_ten_thousands_exactly(
    services: Services, klass: ClassRow, reviewed: str
) -> None:
    values = told(services, klass).values()
    assert "1.23456万元" in values
    assert any("申请承诺人：经办人甲" in str(it) and reviewed in str(it) for it in values)


def test_inspections_fill_their_places_and_a_sample_is_no_count_of_heads(
    services: Services, klass: ClassRow
) -> None:
    sign_in(services, "zhao", HUANGCHUAN)
    now_ms = services.clock()
    with services.database.write() as connection:
        zhao = users.named(connection, "zhao")
        sample = inspections.draw(connection, klass.id, zhao, "roster", 1, now_ms)
        who = inspections.seen(connection, sample, zhao).drawn[0]
        inspections.check(connection, sample, zhao, who, "present", "", now_ms)
    average = "过程监管·平均出勤人数"
    (sheet,) = exports.sheets(services, klass, ["annex-2"], PERSON)
    assert any("抽查1人，在学1人" in str(it) for _, it in sheet.rows)
    assert "均为抽查，未清点全班" in str(dict(cast(Any, sheet.rows))[average])
    with services.database.write() as connection:
        everybody = inspections.draw(connection, klass.id, zhao, "roster", 80, now_ms)
        drawn = inspections.seen(connection, everybody, zhao).drawn
        for at, one in enumerate(drawn):
            result = "absent" if at == 0 else "present"
            inspections.check(connection, everybody, zhao, one, result, "", now_ms)
    assert str(told(services, klass)[average]).startswith(f"{len(drawn) - 1}人")
    with services.database.write() as connection:
        noted = Noted(
            place="三楼机房", teachers_present=1, heads_present=0, materials="签到表已留存"
        )
        inspections.note(connection, sample, zhao, noted, now_ms)
    form = told(services, klass)
    assert str(form[average]).startswith(f"{(len(drawn) - 1) / 2:g}人　（2次检查）（少于开班人数")
    (sheet,) = exports.sheets(services, klass, ["annex-2"], PERSON)
    assert any("地点：三楼机房　师资情况：到岗教师1人" in str(it) for _, it in sheet.rows)


def test_whether_it_was_filed_in_the_official_system_stands_as_it_was_recorded(
    services: Services, klass: ClassRow, reviewed: str
) -> None:
    form = told(services, klass)
    assert form["过程监管·检查情况是否在职业培训信息化管理系统填报"] == "是"
    assert form["结业考核·考核结果是否在职业培训信息化管理系统填报"] == "否"
    assert form["结业考核·考核巡查　人员签字".replace("　", "")] == "巡查甲"


def test_the_steps_leave_in_the_package_as_the_audit_log_has_them(
    services: Services, klass: ClassRow, reviewed: str
) -> None:
    made = package.export(services, klass, PERSON, EVERYTHING).file.data
    kept = [json.loads(it) for it in container.unpack(made)["stages.ndjson"].splitlines()]
    assert [it["step"] for it in kept][-2:] == ["claim_filed", "claim_industry"]
    assert verify(made).problems == []


def test_whom_to_ask_and_the_account_stand_on_it_and_no_platform_is_told(
    services: Services, klass: ClassRow
) -> None:
    with services.database.read() as connection:
        row: Any = report_rows.klass(connection, klass.id)
    terms = InstitutionTerms(
        code="52411526MJ00000016",
        name=row.institution,
        contact="经办人甲 0376-0000000",
        bank="示例农商银行",
        bank_account="0000 1111 2222 3333",
    )
    with services.database.write() as connection:
        by: dict[str, Any] = {"actor": "system", "now_ms": services.clock()}
        institutions.list_institution(connection, klass.county, terms, **by)
        listed = class_seen(connection, EVERYTHING, klass.external_id)
    asked = ("联系人及电话", "开户银行名称", "银行帐号")
    form = told(services, listed)
    assert [form[it] for it in asked] == [
        "经办人甲 0376-0000000",
        "示例农商银行",
        "0000111122223333",
    ]
    assert [told(services, listed, KEY)[it] for it in asked] == ["", "", ""]
