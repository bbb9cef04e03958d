"""What an auditor does with a class: have it judged, and pick the scale it is judged by."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from app.reports import signing
from models import AuditEntry, Enrolment, Learner, Run, TrainingClass
from tests.console.conftest import Desk

KLASS = "HC-2026-014"


def ask(desk: Desk, what: str, **fields: str) -> int:
    path = f"/console/classes/{desk.county.classes[KLASS]}"
    form = {"csrf": desk.csrf("/console"), "reason": "县里研究决定", **fields}
    return desk.client.post(f"{path}/{what}", data=form, follow_redirects=False).status_code


def test_zhao_has_a_class_judged_once_at_a_time(desk: Desk) -> None:
    desk.sign_in("zhao")
    assert ask(desk, "run") == ask(desk, "run") == 303
    with desk.services.database.read() as connection:
        run = connection.execute(select(Run)).one()
    assert (run.kind, run.state, run.requested_by) == ("class", "queued", "user:zhao")
    page = desk.get(f"/console/classes/{desk.county.classes[KLASS]}")
    assert "等待校验" in page and "data-running" in page


def test_the_class_s_own_school_has_it_judged_and_picks_no_scale(han: Desk) -> None:
    there = f"/console/classes/{han.county.classes[KLASS]}"
    assert "立即校验" in han.get(there)
    assert ask(han, "run") == 303 and "等待校验" in han.get(there)
    assert ask(han, "scale", scale="literal") == 403
    with han.services.database.read() as connection:
        (run,) = connection.execute(select(Run)).all()
    assert run.requested_by == "user:han"


def test_who_picked_the_scale_is_on_record(desk: Desk) -> None:
    assert ask(desk.sign_in("zhao"), "scale", scale="literal") == 303
    with desk.services.database.read() as connection:
        klass = connection.execute(
            select(TrainingClass).where(TrainingClass.external_id == KLASS)
        ).one()
        entry = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (klass.scale_chosen, klass.scale_chosen_ms) == ("literal", desk.clock())
    assert (entry.actor, entry.action, entry.detail["scale"]) == (
        "user:zhao",
        "class.scale",
        "literal",
    )


def test_there_is_no_third_scale(desk: Desk) -> None:
    assert ask(desk.sign_in("zhao"), "scale", scale="lenient") == 422


@pytest.mark.parametrize(
    ("username", "status"), [("sun", 403), ("feng", 403), ("root", 403), ("qian", 404)]
)
def test_nobody_else_works_on_the_class(
    new_desk: Callable[[], Desk], username: str, status: int
) -> None:
    desk = new_desk().sign_in(username)
    assert ask(desk, "run") == status
    assert ask(desk, "scale", scale="literal") == status
    page = desk.client.get(f"/console/classes/{desk.county.classes[KLASS]}").text
    assert "立即校验" not in page


def test_what_a_person_did_elsewhere_is_seen_within_ones_counties(desk: Desk) -> None:
    wu, lin = desk.county.learners["吴强"], desk.county.learners["林静"]
    far = desk.county.learners["何芳"]
    with desk.services.database.write() as connection:
        person = select(Learner.person_id).where(Learner.id == wu).scalar_subquery()
        connection.execute(
            update(Learner).where(Learner.id.in_([lin, far])).values(person_id=person)
        )
        connection.execute(
            update(Enrolment)
            .where(Enrolment.learner_id == lin)
            .values(class_id=desk.county.classes["HC-2026-015"])
        )
    page = desk.sign_in("zhao").get(
        f"/console/classes/{desk.county.classes['HC-2026-014']}/learners/{wu}"
    )
    others = page.split("其他班级")[1]
    assert "HC-2026-015" in others and "GS-2026-003" not in others


def test_the_class_s_page_offers_columns_of_the_reports_and_the_key_that_packages_verify_with(
    desk: Desk,
) -> None:
    page = desk.sign_in("zhao").get(f"/console/classes/{desk.county.classes[KLASS]}")
    assert signing.public_hex(signing.private_key(desk.services.vault)) in page
    assert 'value="培训人数" checked' in page and 'value="满意度">' in page
    assert f'formaction="/v1/classes/{KLASS}/exports/ten-day.xlsx"' in page
