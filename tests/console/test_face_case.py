"""Whether it is the learner: every photo of the case beside the enrolled ones, for one purpose."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select, update

from app.security import seal
from app.store.faces import face_keys
from models import (
    AuditEntry,
    Finding,
    Learner,
    PhotoAccess,
    ReferencePhoto,
    Review,
    Session,
    Snapshot,
)
from tests.console.conftest import Desk

PURPOSE = "复核人脸比对结果"
PICTURE = re.compile(r"/console/photo-accesses/\d+/small\.jpg")


def jpeg(shade: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (320, 240), (shade, 120, 150)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def case(desk: Desk) -> str:
    """A finding on faces of a sitting whose photos, and the learner's other ones, are kept."""
    with desk.services.database.write() as connection:
        finding = connection.execute(
            select(Finding).where(Finding.rule == "face_liveness", Finding.session_id.is_not(None))
        ).first()
        assert finding is not None and finding.learner_id is not None
        key = face_keys.ensure_key(
            connection, desk.services.vault, finding.learner_id, desk.clock()
        )
        photos = connection.execute(
            select(Snapshot.id)
            .join(Session, Session.id == Snapshot.session_id)
            .where(Session.learner_id == finding.learner_id)
        ).all()
        for photo in photos:
            blob_key = f"learners/{finding.learner_id}/p{photo.id}"
            desk.services.blobs.put(blob_key, seal(key, jpeg(photo.id % 200), blob_key.encode()))
            connection.execute(
                update(Snapshot).where(Snapshot.id == photo.id).values(blob_key=blob_key)
            )
        blob_key = f"learners/{finding.learner_id}/reference/x"
        desk.services.blobs.put(blob_key, seal(key, jpeg(7), blob_key.encode()))
        connection.execute(
            ReferencePhoto.__table__.insert().values(  # type: ignore[attr-defined]
                learner_id=finding.learner_id,
                sha256=bytes(32),
                blob_key=blob_key,
                template_encrypted=None,
                model=None,
                quality={},
                status="ready",
                created_ms=desk.clock(),
            )
        )
    return f"/console/findings/{finding.id}/faces"


def opened(desk: Desk, case: str, purpose: str = PURPOSE) -> str:
    form = {"csrf": desk.csrf("/console"), "purpose": purpose}
    return desk.client.post(case, data=form).text


def answered(desk: Desk, case: str, answer: str, note: str = "") -> str:
    form = {"csrf": desk.csrf("/console"), "likeness": answer, "note": note}
    return desk.client.post(f"{case}/answer", data=form).text


def test_nothing_is_shown_before_a_purpose_is_given(desk: Desk, case: str) -> None:
    desk.sign_in("sun")
    assert not PICTURE.search(desk.get(case))
    assert not PICTURE.search(opened(desk, case, "  看 "))


def test_one_purpose_shows_the_enrolled_photo_the_sitting_and_the_others(
    desk: Desk, case: str
) -> None:
    page = opened(desk.sign_in("sun"), case)
    enrolled, seen = page.split('class="seen"')
    assert len(PICTURE.findall(enrolled)) == 1 and len(PICTURE.findall(seen)) >= 1
    for address in PICTURE.findall(page):
        assert desk.client.get(address).headers["content-type"] == "image/jpeg"


def test_every_photo_shown_is_on_record(desk: Desk, case: str) -> None:
    page = opened(desk.sign_in("sun"), case)
    with desk.services.database.read() as connection:
        looks = connection.execute(select(PhotoAccess)).all()
        entry = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert len(looks) == len(PICTURE.findall(page))
    assert {it.purpose for it in looks} == {PURPOSE}
    assert entry is not None and entry.action == "photos.viewed"
    assert len(entry.detail["photos"]) + len(entry.detail["enrolled"]) == len(looks)


def test_a_look_is_over_after_a_while(desk: Desk, case: str) -> None:
    opened(desk.sign_in("sun"), case)
    desk.clock.now_ms += 11 * 60_000
    assert not PICTURE.search(desk.get(case))


@pytest.mark.parametrize(
    ("answer", "decision"),
    [("same", "overturn"), ("other", "uphold"), ("unclear", "need_more")],
)
def test_the_answer_is_the_decision_with_its_reason(
    desk: Desk, case: str, answer: str, decision: str
) -> None:
    opened(desk.sign_in("sun"), case)
    answered(desk, case, answer, "鼻梁、耳形一致与否已逐一对照")
    with desk.services.database.read() as connection:
        (made,) = connection.execute(select(Review).order_by(Review.id.desc()).limit(1)).all()
    assert made.decision == decision
    assert made.reason.endswith("鼻梁、耳形一致与否已逐一对照") and len(made.reason) > 20


def test_an_answer_that_is_none_of_the_three_decides_nothing(desk: Desk, case: str) -> None:
    opened(desk.sign_in("sun"), case)
    assert "请选择" in answered(desk, case, "perhaps")


def test_who_may_not_see_photos_sees_no_case(desk: Desk, case: str) -> None:
    desk.sign_in("feng")
    assert desk.client.get(case).status_code in (403, 404)


def test_a_face_far_beyond_its_threshold_comes_before_one_near_it(desk: Desk, case: str) -> None:
    number = int(re.findall(r"\d+", case)[0])
    desk.sign_in("sun")
    with desk.services.database.write() as connection:
        body = connection.scalars(select(Finding.body).where(Finding.id == number)).one()
        far = {**body, "measured": 0.9, "limit": 0.4, "unit": "distance"}
        connection.execute(update(Finding).where(Finding.id == number).values(body=far))
    page = desk.get("/console/findings?order=likely&status=all")
    first = re.findall(r'href="/console/findings/(\d+)', page)[0]
    assert int(first) == number


def test_few_enrolled_photos_are_told_wherever_the_comparison_is(desk: Desk, case: str) -> None:
    finding = int(case.split("/")[3])
    with desk.services.database.write() as connection:
        row = connection.execute(select(Finding).where(Finding.id == finding)).one()
        connection.execute(
            update(Learner).where(Learner.id == row.learner_id).values(face_consent=True)
        )
    desk.sign_in("sun")
    pages = (
        f"/console/findings/{finding}",
        f"/console/sessions/{row.session_id}",
        "/console/findings?rule=face_liveness",
        "/console/cases?rule=face_liveness",
        f"/console/cases/{row.case_id}",
    )
    assert [it for it in pages if "登记照片1/5张，比对把握较低" not in desk.get(it)] == []
    assert "照片1/5" in desk.get(f"/console/classes/{row.class_id}")
    assert "登记照片1/5张" not in desk.get("/console/findings?rule=fast_forward")
