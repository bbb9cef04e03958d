"""Counties, platforms and institutions are entered and changed in forms, each on record."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from models import AuditEntry, Institution, Platform, Run, TrainingClass
from tests.console.conftest import Desk
from tests.console.test_pack_term import judged_anew

HERE = "潢川县"
SCHOOL = {"county": HERE, "name": "新光职业培训学校", "code": "52411526MJ"}


def send(desk: Desk, path: str, **form: Any) -> Any:
    data = {"csrf": desk.csrf("/console"), **form}
    return desk.client.post(path, data=data, follow_redirects=False)


def last_act(desk: Desk) -> Any:
    with desk.services.database.read() as connection:
        query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)
        return connection.execute(query).one()


@pytest.fixture
def county(desk: Desk) -> Desk:
    desk.sign_in("root")
    assert send(desk, "/console/counties", name=HERE, code="411526").status_code == 303
    return desk


def test_a_code_that_is_none_is_refused_beside_the_field_and_stays_typed(county: Desk) -> None:
    refused = send(county, "/console/counties", name="光山县", code="4115")
    assert refused.status_code == 422
    assert "行政区划代码是六位数字" in refused.text and 'value="4115"' in refused.text


def test_an_administrator_enters_and_changes_a_platform(county: Desk) -> None:
    form = {"name": "新平台", "slug": "New", "county": HERE}
    assert "小写字母" in send(county, "/console/platforms", **form).text
    made = send(county, "/console/platforms", **form | {"slug": "new-edu"})
    assert made.headers["location"] == "/console/platforms/new-edu#keys"
    assert "新平台" in county.get("/console/platforms")
    changed = send(county, "/console/platforms/new-edu", name="新名平台", county=HERE)
    assert changed.status_code == 303
    assert last_act(county).detail["changes"] == {"name": ["新平台", "新名平台"]}
    with county.services.database.read() as connection:
        query = select(Platform.name).where(Platform.slug == "new-edu")
        assert connection.scalar(query) == "新名平台"


def test_an_auditor_lists_an_institution_and_takes_it_off_with_a_reason(county: Desk) -> None:
    county.client.cookies.clear()
    county.sign_in("zhao")
    wrong = {"listed_from": "2026-05-01", "listed_until": "2026-04-01"}
    refused = send(county, "/console/institutions", **SCHOOL, **wrong)
    assert refused.status_code == 422 and "结束日期不能早于开始日期" in refused.text
    assert 'value="新光职业培训学校"' in refused.text
    page = send(county, "/console/institutions", **SCHOOL).headers["location"]
    off = {"what": "withdraw", "withdrawn_on": "2026-05-01"}
    assert send(county, page, **off).status_code == 422
    assert send(county, page, **off, reason="考核把关不严").status_code == 303
    assert "已退出目录" in county.get(page) and "考核把关不严" in county.get(page)
    act = last_act(county)
    assert (act.action, act.actor) == ("institution.withdrawn", "user:zhao")


def test_whom_to_ask_and_where_to_pay_is_kept_with_the_institution(county: Desk) -> None:
    county.client.cookies.clear()
    county.sign_in("zhao")
    asked = {"contact": "经办人甲 0376-0000000", "bank": "示例农商银行"}
    refused = send(county, "/console/institutions", **SCHOOL, **asked, bank_account="六二二八")
    assert refused.status_code == 422 and "银行帐号应为6至32位数字" in refused.text
    typed = "0000 1111 2222 3333"
    page = send(county, "/console/institutions", **SCHOOL, **asked, bank_account=typed)
    shown = county.get(page.headers["location"])
    assert "0000111122223333" in shown and "示例农商银行" in shown and "经办人甲" in shown


def test_an_auditor_lists_none_in_another_county(county: Desk) -> None:
    assert send(county, "/console/counties", name="光山县").status_code == 303
    county.client.cookies.clear()
    county.sign_in("qian")
    refused = send(county, "/console/institutions", **SCHOOL)
    assert refused.status_code == 422 and "请选择县区" in refused.text


def test_full_time_teachers_are_filed_in_rows_and_a_wrong_cell_is_told_beside_it(
    county: Desk,
) -> None:
    page = send(county, "/console/institutions", **SCHOOL).headers["location"]
    rows = {"name.0": "沈教员", "occupation.0": "营销员", "certificate.0": "", "until_on.0": ""}
    rows |= {"name.1": "", "occupation.1": "", "from_on.1": "", "what": "teachers"}
    refused = send(county, page, **rows, **{"from_on.0": ""}, reason="机构报备表")
    assert refused.status_code == 422 and 'id="wrong-from_on.0">请填写' in refused.text
    assert 'value="沈教员"' in refused.text
    assert (
        send(county, page, **rows, **{"from_on.0": "2024-01-01"}, reason="机构报备表").status_code
        == 303
    )
    act = last_act(county)
    assert (act.action, act.detail["added"][0]["occupation"]) == ("institution.teachers", "营销员")
    assert 'value="2024-01-01"' in county.client.get(page).text


def test_a_credit_code_with_a_wrong_check_character_is_refused_by_its_name(county: Desk) -> None:
    wrong = SCHOOL | {"code": "91350100M000100Y44"}
    refused = send(county, "/console/institutions", **wrong)
    assert refused.status_code == 422 and "统一社会信用代码须为18位" in refused.text
    held = send(county, "/console/institutions", **SCHOOL | {"code": "91350100m000100y43 "})
    assert held.status_code == 303


def test_a_wrong_code_from_before_is_told_and_stands_in_no_other_changes_way(county: Desk) -> None:
    page = send(county, "/console/institutions", **SCHOOL).headers["location"]
    with county.services.database.write() as connection:
        connection.execute(update(Institution).values(code="91350100M000100Y44"))
    assert "校验码不对" in county.get(page)
    kept = SCHOOL | {"what": "change", "reason": "换了联系人", "code": "91350100M000100Y44"}
    assert send(county, page, **kept, contact="经办人乙").status_code == 303
    assert send(county, page, **kept | {"code": "91350100M000100Y45"}).status_code == 422
    assert send(county, page, **kept | {"code": "91350100M000100Y43"}).status_code == 303
    assert "校验码不对" not in county.get(page)


def test_apprentices_classes_are_judged_again_when_teachers_are_filed(county: Desk) -> None:
    page = send(county, "/console/institutions", **SCHOOL).headers["location"]
    apprentices, others, *_ = county.county.classes.values()
    judged_anew(county, apprentices, training_kind="apprenticeship")
    judged_anew(county, others)
    with county.services.database.write() as connection:
        mine = int(page.rpartition("/")[2])
        connection.execute(update(TrainingClass).values(institution_id=mine))
    row = {"name.0": "沈教员", "occupation.0": "营销员", "from_on.0": "2024-01-01"}
    filed = send(county, page, what="teachers", reason="机构报备表", **row)
    assert filed.status_code == 303
    with county.services.database.read() as connection:
        queued = connection.scalars(select(Run.class_id).where(Run.state == "queued")).all()
    assert queued == [apprentices]
