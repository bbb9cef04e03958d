"""What a class's auditors hold is kept past its term, until they say why no longer."""

from __future__ import annotations

from sqlalchemy import select

from models import AuditEntry, LegalHold
from tests.console.conftest import Desk

REASON = "行政复议〔2026〕3号受理"


def test_an_auditor_holds_a_learners_photos_and_lifts_the_hold(desk: Desk) -> None:
    desk.sign_in("zhao")
    page = f"/console/classes/{desk.county.classes['HC-2026-014']}/holds"
    csrf = desk.csrf(page)
    assert "没有保全" in desk.get(page)
    desk.client.post(page, data={"csrf": csrf, "reason": REASON})
    assert REASON in desk.get(page) and "保全中" in desk.get(page)
    assert page in desk.get("/console/face-data")
    with desk.services.database.read() as connection:
        hold = connection.execute(select(LegalHold)).one()
    assert (hold.placed_by, hold.lifted_ms) == ("user:zhao", None)
    unsaid = desk.client.post(page, data={"csrf": csrf, "lift": hold.id, "reason": " "})
    assert unsaid.status_code == 422 and "请写明理由" in unsaid.text
    desk.client.post(page, data={"csrf": csrf, "lift": hold.id, "reason": "复议已经结案"})
    assert "已解除" in desk.get(page) and page not in desk.get("/console/face-data")
    with desk.services.database.read() as connection:
        acts = select(AuditEntry.action).where(AuditEntry.subject == f"hold:{hold.id}")
        assert list(connection.scalars(acts)) == ["hold.placed", "hold.lifted"]


def test_nobody_is_held_who_is_not_in_the_class_and_no_hold_of_another_is_lifted(
    desk: Desk,
) -> None:
    desk.sign_in("zhao")
    page = f"/console/classes/{desk.county.classes['HC-2026-014']}/holds"
    form = {"csrf": desk.csrf(page), "reason": REASON}
    assert desk.client.post(page, data=form | {"learner": "nobody"}).status_code == 404
    assert desk.client.post(page, data=form | {"lift": "7"}).status_code == 404
    with desk.services.database.read() as connection:
        assert connection.execute(select(LegalHold)).all() == []
