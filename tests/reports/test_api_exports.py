"""Exports over HTTP: who gets what, under which name, and that it is on record."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.console.login import COOKIE
from app.domain.accounts import users
from app.reports.lists import LISTS
from app.reports.verify import verify
from app.services import Services
from models import AuditEntry
from tests.people import County

BASE = "/v1/classes/class-demo/exports"


@pytest.fixture
def zhao(services: Services) -> dict[str, str]:
    """The cookie of an auditor of Huangchuan."""
    with services.database.write() as connection:
        users.add_user(
            connection,
            username="zhao",
            display_name="赵",
            password="a-quiet-river-in-henan",
            role="auditor",
            counties=["潢川县"],
            actor="system",
            now_ms=services.clock(),
        )
        user = users.check_password(connection, "zhao", "a-quiet-river-in-henan")
        assert user is not None
        return {"cookie": f"{COOKIE}={users.open_login(connection, user, services.clock())}"}


def recorded(services: Services) -> list[tuple[str, str]]:
    with services.database.read() as connection:
        rows = connection.execute(select(AuditEntry.actor, AuditEntry.action))
        return [(it.actor, it.action) for it in rows if it.action.startswith("export.")]


def test_what_there_is_to_export_is_listed(client: TestClient, county: County) -> None:
    told = client.get(BASE, headers=county.huang.headers).json()
    assert [it["name"] for it in told["exports"]] == [*LISTS, "audit"]


@pytest.mark.parametrize("name", ["hours-summary", "有效学时汇总表"])
def test_a_list_comes_under_its_chinese_name(client: TestClient, county: County, name: str) -> None:
    answer = client.get(f"{BASE}/{name}.csv", headers=county.huang.headers)
    assert answer.status_code == 200
    expected = quote("000000-class-demo_有效学时汇总表.csv", safe="")
    assert f"filename*=UTF-8''{expected}" in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")


def test_every_list_can_be_had_as_xlsx_and_csv(
    client: TestClient, county: County, zhao: dict[str, str]
) -> None:
    for name, listing in LISTS.items():
        for ext in ("xlsx", "csv"):
            answer = client.get(f"{BASE}/{name}.{ext}", headers=zhao)
            assert answer.status_code == 200, (name, answer.text)
        of_platform = client.get(f"{BASE}/{name}.csv", headers=county.huang.headers)
        assert of_platform.status_code == (403 if listing.kept else 200), name


def test_unknown_names_and_formats_are_404_and_say_what_there_is(
    client: TestClient, county: County
) -> None:
    answer = client.get(f"{BASE}/secrets.csv", headers=county.huang.headers)
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_export"
    assert answer.json()["exports"] == [*LISTS, "audit"]
    for file in ("roster.exe", "roster", "audit.csv", ".csv"):
        assert client.get(f"{BASE}/{file}", headers=county.huang.headers).status_code == 404, file


def test_another_platform_s_class_is_not_there(client: TestClient, county: County) -> None:
    for path in (BASE, f"{BASE}/roster.csv", f"{BASE}/audit.zip"):
        answer = client.get(path, headers=county.guang.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_class")


def test_a_wrong_column_is_named(client: TestClient, county: County) -> None:
    answer = client.get(f"{BASE}/monthly.csv?columns=工资", headers=county.huang.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_column")


def test_columns_are_asked_for_with_commas_or_each_by_itself(
    client: TestClient, county: County
) -> None:
    for query in ("columns=培训人数,满意度", "columns=培训人数&columns=满意度"):
        answer = client.get(f"{BASE}/monthly.csv?{query}", headers=county.huang.headers)
        assert "\r\n培训人数,满意度\r\n" in answer.content.decode("utf-8-sig"), query


@pytest.mark.parametrize(
    "file",
    [
        "%00.csv",
        "..%2fx.csv",
        "%F0%9F%98%80.zip",
        f"{'a' * 200}.csv",
        "roster.csv?on=2026-13-01",
        "roster.csv?platform=nobody",
        "monthly.csv?columns=%00",
        "monthly.csv?on=0001-01-01",
    ],
)
def test_odd_requests_are_refused_in_order(client: TestClient, county: County, file: str) -> None:
    answer = client.get(f"{BASE}/{file}", headers=county.huang.headers)
    assert 400 <= answer.status_code < 500


def test_reports_look_back_from_any_day(client: TestClient, county: County) -> None:
    days = {"2000-01-01": 200, "2026-03-11": 200, "2026-03-31": 200, "2099-12-31": 200}
    for day, status in {**days, "9999-12-31": 422}.items():
        for name in ("ten-day", "monthly"):
            answer = client.get(f"{BASE}/{name}.csv?on={day}", headers=county.huang.headers)
            assert answer.status_code == status, (name, day)


def test_taking_personal_data_is_on_record_and_the_public_list_is_not_personal(
    client: TestClient, county: County, services: Services
) -> None:
    client.get(f"{BASE}/public-list.csv", headers=county.huang.headers)
    assert not recorded(services)
    client.get(f"{BASE}/roster.csv", headers=county.huang.headers)
    assert [action for _, action in recorded(services)] == ["export.taken"]


def test_the_package_is_for_people_and_verifies(
    client: TestClient, county: County, services: Services, zhao: dict[str, str]
) -> None:
    refused = client.get(f"{BASE}/audit.zip", headers=county.huang.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "people_only")
    answer = client.get(f"{BASE}/audit.zip", headers=zhao)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert not verify(answer.content).problems
    assert ("user:zhao", "export.package") in recorded(services)
