"""Remote inspection: a draw that nobody chose and anybody can do again, and what was found."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain.review.inspections import drawn
from models import AuditEntry, Inspection, InspectionCheck, InspectionNote, Session
from tests.console.conftest import Desk


def draw(desk: Desk, frame: str = "roster", count: int = 2, klass: str = "HC-2026-014") -> Any:
    form = {"csrf": desk.csrf("/console"), "frame": frame, "count": count}
    return desk.client.post(f"/console/classes/{desk.county.classes[klass]}/inspections", data=form)


def record(desk: Desk, inspection_id: int, form: dict[str, str]) -> Any:
    data = {"csrf": desk.csrf("/console")} | form
    return desk.client.post(f"/console/inspections/{inspection_id}/checks", data=data)


def rows(desk: Desk, model: type) -> list[Any]:
    with desk.services.database.read() as connection:
        return list(connection.execute(select(model)).all())


def test_the_draw_can_be_done_again_from_what_is_kept(desk: Desk) -> None:
    assert draw(desk.sign_in("zhao")).status_code == 200
    (made,) = rows(desk, Inspection)
    assert made.drawn == drawn(made.seed, made.frame, 2) and len(made.frame) == 3
    with desk.services.database.read() as connection:
        entry = select(AuditEntry.detail).where(AuditEntry.action == "inspection.drawn")
        assert connection.execute(entry).scalar_one()["seed"] == made.seed


def test_one_form_tells_of_everybody_and_of_the_class_and_a_note_that_stands_once(
    desk: Desk,
) -> None:
    draw(desk.sign_in("zhao"))
    (made,) = rows(desk, Inspection)
    page = desk.get(f"/console/inspections/{made.id}")
    assert page.count("/checks") == 1 and "checked" not in page.split('id="drawn"')[1]
    wrong = record(desk, made.id, {"result-1": "present", "heads_present": "many"})
    assert wrong.status_code == 422 and rows(desk, InspectionCheck) == []
    many = {"result-1": "present", "heads_present": "28"}
    refused = record(desk, made.id, many)
    assert refused.status_code == 422 and "实到人数不能超过本班在册人数" in refused.text
    assert 'value="28"' in refused.text and rows(desk, InspectionNote) == []
    form = {"result-1": "present", "heads_present": "2"}
    assert record(desk, made.id, form).status_code == 200
    record(desk, made.id, {"result-2": "absent", "heads_present": "2"})
    (noted,) = rows(desk, InspectionNote)
    assert noted.body == {"heads_present": 2} and len(rows(desk, InspectionCheck)) == 2


def test_two_draws_have_different_seeds(desk: Desk) -> None:
    desk.sign_in("zhao")
    draw(desk)
    draw(desk)
    one, other = rows(desk, Inspection)
    assert one.seed != other.seed


def test_only_who_is_on_line_is_drawn_when_that_was_asked(desk: Desk) -> None:
    desk.sign_in("zhao")
    assert "此刻没有学员" in draw(desk, frame="online").text
    with desk.services.database.write() as connection:
        mine = Session.id == desk.county.sessions["fast"]
        connection.execute(
            update(Session)
            .where(mine)
            .values(state="open", closed_ms=None, last_recv_ms=desk.clock())
        )
    page = draw(desk, frame="online", count=5).text
    (made,) = rows(desk, Inspection)
    assert len(made.drawn) == 1 and "吴强" in page and "林静" not in page


@pytest.mark.parametrize(("frame", "count"), [("best", 2), ("roster", 0), ("roster", 81)])
def test_what_cannot_be_drawn_is_refused(desk: Desk, frame: str, count: int) -> None:
    assert draw(desk.sign_in("zhao"), frame, count).status_code == 422
    assert not rows(desk, Inspection)


def test_what_was_found_is_added_never_changed(desk: Desk) -> None:
    draw(desk.sign_in("zhao"))
    (made,) = rows(desk, Inspection)
    for result, remark in (("absent", ""), ("present", "五分钟后视频通话，本人在学")):
        record(desk, made.id, {"result-1": result, "remark-1": remark})
    assert [it.result for it in rows(desk, InspectionCheck)] == ["absent", "present"]
    page = desk.get(f"/console/inspections/{made.id}")
    assert "本人在学" in page and "更正前的登记" in page


def test_one_form_records_everybody_it_speaks_of_and_nobody_else(desk: Desk) -> None:
    draw(desk.sign_in("zhao"), count=3)
    (made,) = rows(desk, Inspection)
    form = {"result-1": "present", "result-3": "other", "remark-3": "家属代接电话"}
    assert record(desk, made.id, form).status_code == 200
    said = {it.learner: it.result for it in rows(desk, InspectionCheck)}
    assert said == {made.drawn[0]: "present", made.drawn[2]: "other"}


def test_nothing_is_preset_in_the_form(desk: Desk) -> None:
    page = draw(desk.sign_in("zhao"), count=3).text
    assert 'name="result-3"' in page and " checked" not in page and "<select" not in page


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"result-9": "present"},  # nobody is the ninth of three
        {"result-1": "present", "remark-2": "没有选择结果"},
        {"result-1": "present", "result-2": "other"},
        {"result-1": "fine"},
    ],
)
def test_a_form_that_says_too_little_records_nothing_and_keeps_what_was_typed(
    desk: Desk, form: dict[str, str]
) -> None:
    draw(desk.sign_in("zhao"), count=3)
    (made,) = rows(desk, Inspection)
    answer = record(desk, made.id, form)
    assert answer.status_code == 422 and not rows(desk, InspectionCheck)
    assert form.get("remark-2", "") in answer.text
    assert (form.get("result-1") == "present") == ('value="present" checked' in answer.text)


@pytest.mark.parametrize(("username", "status"), [("qian", 404), ("feng", 403), ("root", 403)])
def test_not_everybody_inspects(desk: Desk, username: str, status: int) -> None:
    assert draw(desk.sign_in(username)).status_code == status
