"""The audit log is found by the words it shows, by person and by day, and taken along as a file."""

from __future__ import annotations

import re

from app.clock import day
from app.store.accounts import audit
from tests.console.conftest import Desk

ROW = re.compile(r'<td class="number">(\d+)</td>')


def entered(desk: Desk, at_ms: int, action: str, subject: str = "class:1:c1") -> None:
    with desk.services.database.write() as connection:
        audit.append(connection, at_ms=at_ms, actor="user:sun", action=action, subject=subject)


def numbers(page: str) -> list[str]:
    return ROW.findall(page)


def test_people_and_deeds_are_offered_by_the_names_that_pages_show(desk: Desk) -> None:
    entered(desk, desk.clock(), "class.opened")
    page = desk.sign_in("root").get("/console/audit")
    assert '<option value="user:sun">孙丽</option>' in page
    assert '<option value="class.opened">开班</option>' in page
    found = desk.get("/console/audit?actor=user:sun&action=class.opened")
    assert len(numbers(found)) == 1 and "开班" in found


def test_days_bound_what_is_found_and_both_are_in_it(desk: Desk) -> None:
    today = day(desk.clock()).isoformat()
    entered(desk, desk.clock(), "class.opened")
    entered(desk, desk.clock() - 86_400_000, "class.changed")
    page = desk.sign_in("root").get(f"/console/audit?actor=user:sun&since={today}&until={today}")
    assert len(numbers(page)) == 1 and "<td>开班</td>" in page and "<td>更改班级</td>" not in page


def test_a_part_of_the_subject_is_enough(desk: Desk) -> None:
    entered(desk, desk.clock(), "class.opened", "class:1:HC-2026-014")
    assert len(numbers(desk.sign_in("root").get("/console/audit?subject=2026-014"))) >= 1


def test_a_day_that_is_none_is_told(desk: Desk) -> None:
    answer = desk.sign_in("root").client.get("/console/audit?since=gestern")
    assert answer.status_code == 422 and "请填写日期" in answer.text


def test_the_file_holds_what_the_filters_find_and_no_formula(desk: Desk) -> None:
    entered(desk, desk.clock(), "class.opened", "=1+1")
    desk.sign_in("root")
    file = desk.get("/console/audit.csv?actor=user:sun&action=class.opened")
    lines = file.strip().splitlines()
    assert len(lines) == 2 and "开班" in lines[1] and "'=1+1" in lines[1]
    assert "audit-log" in desk.get("/console/audit?actor=user:root&action=export.taken")


def test_people_and_classes_stand_by_name_and_are_found_by_it(desk: Desk) -> None:
    klass = desk.county.classes["HC-2026-014"]
    entered(desk, desk.clock(), "class.judged", f"class:{klass}")
    page = desk.sign_in("root").get("/console/audit?actor=user:sun")
    assert f"班级{klass}" not in page and "（HC-2026-014）" in page
    found = desk.get("/console/audit?actor=user:sun&subject=HC-2026-014")
    assert len(numbers(found)) == 1
    assert numbers(desk.get("/console/audit?actor=user:sun&subject=没有这个班")) == []
    assert "（HC-2026-014）" in desk.get("/console/audit.csv?actor=user:sun")
