"""Counties, platforms and institutions are entered and changed in forms, each on record."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models import AuditEntry, Platform
from tests.console.conftest import Desk

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
    assert last_act(county).detail == {"name": ["新平台", "新名平台"]}
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
