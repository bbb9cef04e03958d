"""The search in the head of each page leads to cases and institutions too."""

from __future__ import annotations

import pytest
from sqlalchemy import select

import models
from tests.console.conftest import Desk
from tests.console.county import HERE, NOW, THERE, add


def find(desk: Desk, text: str) -> tuple[str, str]:
    form = {"q": text, "csrf": desk.csrf("/console")}
    answer = desk.client.post("/console/search", data=form)
    return answer.url.path, answer.text


@pytest.mark.parametrize("said", ["第{n}号案", "{n}号案"])
def test_a_cases_number_leads_to_the_case_where_one_may_see_it(desk: Desk, said: str) -> None:
    with desk.services.database.read() as connection:
        query = select(models.Finding.case_id).where(
            models.Finding.id == next(iter(desk.county.findings.values()))
        )
        case = connection.scalars(query).one()
    desk.sign_in("zhao")
    assert find(desk, said.format(n=case))[0] == f"/console/cases/{case}"
    desk.client.cookies.clear()
    desk.sign_in("qian")
    assert find(desk, said.format(n=case))[0] == "/console/search"


def test_an_institution_is_found_by_name_and_code_in_ones_own_county(desk: Desk) -> None:
    with desk.services.database.write() as connection:
        for county, code in ((HERE, "JG-01"), (THERE, "JG-02")):
            add(
                connection,
                models.Institution,
                county=county,
                code=code,
                name=f"{county}晨星职业培训学校",
                contact="刘老师 0376-0000001",
                created_ms=NOW,
            )
    desk.sign_in("zhao")
    assert find(desk, "晨星")[0] == "/console/institutions/1"
    assert find(desk, "JG-01")[0] == "/console/institutions/1"
    assert find(desk, "0376-0000001")[0] == "/console/institutions/1"
    assert "没有找到" in find(desk, "JG-02")[1]
