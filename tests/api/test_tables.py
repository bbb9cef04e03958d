"""A school's file by a key: the console's answers, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db import Database
from app.domain.catalogue import table_files
from models import OfflineAttendance
from tests.api.test_sessions import found_school
from tests.domain.catalogue.test_tables import book
from tests.people import County

ODD = book(
    (
        "花名册",
        [
            ["2026年第17期花名册"],
            ["姓名", "身份证号", "工作单位"],
            ["张　三", "000000198002020010", "示例厂"],
            ["王五", "000000198002020011", "示例厂"],
            ["李四", "'0000001980020200 29", "示例厂"],
            ["合计", None, "3人"],
        ],
    )
)


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    return found_school(client, county)


def hand_in(
    client: TestClient, county: County, data: bytes, kind: str = "roster", **query: str
) -> Any:
    url = f"/v1/classes/c1/tables/{kind}"
    return client.post(url, content=data, params=query, headers=county.huang.headers)


def names(client: TestClient, county: County) -> set[str]:
    told = client.get("/v1/classes/c1/roster", headers=county.huang.headers).json()
    return {it["name"] for it in told["learners"]}


def test_a_preview_tells_of_every_row_and_stores_nothing(
    client: TestClient, school: County
) -> None:
    answer = hand_in(client, school, ODD, preview="true")
    told = answer.json()
    assert (answer.status_code, told["stored"]) == (200, False)
    assert (told["accepted"], told["changed"], told["refused"], told["header_row"]) == (2, 2, 1, 2)
    assert [(it["row"], it["name"], it["fate"]) for it in told["rows"]] == [
        (3, "张 三", "changed"),
        (4, "王五", "refused"),
        (5, "李四", "changed"),
    ]
    assert "校验码" in told["rows"][1]["reason"]["zh"]
    assert told["rows"][0]["changes"] == [{"column": "姓名", "typed": "张　三", "kept": "张三"}]
    assert "00000019800202" not in answer.text  # ID numbers come back masked
    assert [it["row"] for it in told["skipped"]] == [6]
    assert names(client, school) == {"林小兰", "吴大伟"}


def test_good_rows_are_taken_and_the_same_file_again_changes_nothing(
    client: TestClient, school: County
) -> None:
    first, again = hand_in(client, school, ODD).json(), hand_in(client, school, ODD).json()
    assert first == again and first["stored"] and first["refused"] == 1
    assert names(client, school) == {"林小兰", "吴大伟", "张三", "李四"}


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_roster_that_was_exported_is_read_again(
    client: TestClient, school: County, form: str
) -> None:
    hand_in(client, school, ODD)
    url = f"/v1/classes/c1/exports/roster.{form}"
    exported = client.get(url, headers=school.huang.headers)
    told = hand_in(client, school, exported.content, preview="true").json()
    assert (told["accepted"], told["refused"]) == (4, 0), told["rows"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "table_empty"),
        ("课程,学分\na,1\n".encode(), "table_no_header"),
        (b"a" * (table_files.MAX_BYTES + 1), "table_too_large"),
        (("姓名\n" + "张三\n" * (table_files.MAX_ROWS + 5)).encode(), "table_too_long"),
    ],
)
def test_what_is_no_table_of_ours_or_too_much_is_refused_with_what_helps(
    client: TestClient, school: County, data: bytes, code: str
) -> None:
    answer = hand_in(client, school, data)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_a_kind_that_there_is_not_is_named(client: TestClient, school: County) -> None:
    url = "/v1/classes/c1/tables/marks"
    answer = client.post(url, content=ODD, headers=school.huang.headers)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "table"


DAY = ["姓名", "日期", "学时"]
OF_LIN = ["林小兰", "2026-03-10"]


def attendance(
    client: TestClient, county: County, database: Database, *rows: list[Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The answer to a table, and what then stands of its day."""
    data = book(("考勤", list(rows)))
    told = hand_in(client, county, data, "offline-attendance").json()
    with database.read() as connection:
        bodies = connection.scalars(select(OfflineAttendance.body).order_by(OfflineAttendance.item))
        return told, [it | {"learner_id": "", "held_on": ""} for it in bodies]


def test_attendance_keeps_what_a_later_table_has_no_column_for(
    client: TestClient, school: County, database: Database
) -> None:
    titles = [*DAY, "时段", "实操", "分钟", "地点", "教师"]
    whole = [*OF_LIN, 4, "上午", "实操", 180, "一号车间", "王老师"]
    stands = {"learner_id": "", "held_on": "", "hours": 4, "session": "am", "practical": True}
    stands |= {"minutes": 180, "place": "一号车间", "teacher": "王老师"}
    assert attendance(client, school, database, titles, whole)[1] == [stands]
    assert attendance(client, school, database, DAY, [*OF_LIN, 4])[1] == [stands]
    del stands["minutes"]  # they were those of four
    assert attendance(client, school, database, DAY, [*OF_LIN, 3])[1] == [stands | {"hours": 3}]


def test_of_a_day_in_two_halves_a_table_without_parts_of_the_day_is_asked_about(
    client: TestClient, school: County, database: Database
) -> None:
    halves: list[list[Any]] = [[*DAY, "时段"], [*OF_LIN, 3, "上午"], [*OF_LIN, 2, "下午"]]
    _, before = attendance(client, school, database, *halves)
    told, after = attendance(client, school, database, DAY, [*OF_LIN, 4])
    assert "已按上午、下午分别登记，表里没有“时段”列" in told["rows"][0]["reason"]["zh"]
    assert after == before and len(before) == 2
