"""Every act of the console is weighed: what turns verdicts, money or who may come in says first
what will happen, and asks why."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from app.console import PAGES
from app.console.weighty import WEIGHTS, Weight
from models import AuditEntry, TrainingClass
from tests.console.conftest import Desk
from tests.console.test_acts import longer, page_of
from tests.console.test_money import Treasury

KLASS = "HC-2026-014"
LEAST = 4  # characters of a reason


def posts() -> set[str]:
    routes = [route for part in PAGES for route in part.router.routes]
    return {it.path for it in routes if "POST" in (getattr(it, "methods", None) or ())}


def entries(desk: Desk) -> int:
    with desk.services.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(AuditEntry)) or 0


def last_entry(desk: Desk):
    with desk.services.database.read() as connection:
        return connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()


def test_every_form_of_the_console_has_a_weight() -> None:
    assert posts() == set(WEIGHTS)


def treasury_with_standard(desk: Desk) -> Treasury:
    treasury = Treasury(desk)
    treasury.enter()
    return treasury


def address(desk: Desk, path: str) -> str:
    """Where the weighed act is in the county, signed in as who may do it."""
    if "/acts/" in path:
        longer(desk.sign_in("zhao"))
        return path.format(class_id=page_of(desk).split("/")[3], act_id=1)
    if "pack-drafts" in path:
        desk.sign_in("zhao")
        form = {"base": "huangchuan-2021-graded@1.2.0", "pack_id": "hc", "version": "1.0.0"}
        form |= {"csrf": desk.csrf("/console"), "title": "潢川县2026年方案"}
        desk.client.post("/console/pack-drafts", data=form)
        return path.format(draft_id=1)
    if "subsidies" in path:
        treasury_with_standard(desk)
        desk.sign_in("root")
        return path.format(standard_id=1)
    desk.sign_in("zhao" if "classes" in path else "root")
    if "keys" in path:
        form = {"csrf": desk.csrf("/console"), "label": "云课一号", "scope": "read"}
        desk.client.post("/console/platforms/yunke/keys", data=form)
    klass = desk.county.classes[KLASS]
    return path.format(class_id=klass, slug="yunke", key_id=1, username="zhao")


@pytest.fixture(params=[path for path, it in WEIGHTS.items() if it is Weight.WEIGHED])
def weighed(request: pytest.FixtureRequest, desk: Desk) -> str:
    where = address(desk, request.param)
    typed = {"role": "reviewer", "counties": "光山县"} if where.endswith("/change") else {}
    return where + ("?role=reviewer&counties=光山县" if typed else "")


def test_a_weighty_act_says_what_will_happen_and_does_nothing_without_a_reason(
    desk: Desk, weighed: str
) -> None:
    page, before = desk.get(weighed), entries(desk)
    for heading in ("对谁", "会发生什么", "能否恢复"):
        assert f"<dt>{heading}</dt>" in page
    effects = re.findall(r"<li>(.+?)</li>", page.partition("<dt>会发生什么</dt>")[2])
    assert effects and all(len(it) > len("生效") for it in effects) and "%(" not in page
    path, _, _ = weighed.partition("?")
    form = {"csrf": desk.csrf("/console"), "role": "reviewer", "counties": "光山县"}
    for reason in ("", "  ", "不" * (LEAST - 1)):
        answer = desk.client.post(path, data={**form, "reason": reason})
        assert answer.status_code == 422 and "请写明理由" in answer.text
        assert "<dt>会发生什么</dt>" in answer.text
    assert entries(desk) == before


def test_why_an_account_was_stopped_stands_in_the_audit_log(desk: Desk) -> None:
    root = desk.sign_in("root")
    form = {"csrf": root.csrf("/console"), "reason": "已调离人社部门"}
    root.client.post("/console/users/sun/disable", data=form)
    entry = last_entry(desk)
    assert (entry.action, entry.subject) == ("user.disabled", "user:sun")
    assert entry.detail["reason"] == "已调离人社部门"
    assert "理由 已调离人社部门" in desk.get("/console/audit?action=user.disabled")


def test_ending_a_standard_counts_the_people_and_the_money_that_it_leaves_without(
    desk: Desk,
) -> None:
    treasury = treasury_with_standard(desk)
    people = len(treasury.learners)
    others = update(TrainingClass).where(TrainingClass.id != treasury.class_id)
    with desk.services.database.write() as connection:
        connection.execute(others.values(starts_on="2026-01-01"))
    before = desk.sign_in("root").get("/console/subsidies/1/end?until_on=2026-03-31")
    assert f"1个在此日之后开班的班级，共{people}人" in before
    assert f"每人1200.50元，共{Decimal('1200.50') * people:,}元" in before
    assert "0个在此日之后开班的班级" in desk.get("/console/subsidies/1/end?until_on=2026-04-01")
