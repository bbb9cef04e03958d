"""Who has too few enrolled photos is seen everywhere, and a clerk can hand in more."""

from __future__ import annotations

import io
from typing import Any

import pillow_heif
import pytest
from PIL import Image
from sqlalchemy import select, update

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from models import AuditEntry, Enrolment, Learner
from tests.console.conftest import Desk

LIN = PORTRAIT_SEEDS[0]  # an artificial person
REASON = "学员没有智能手机，由机构当面拍摄。"


@pytest.fixture
def page(desk: Desk) -> str:
    """Of a learner who agreed to face processing and has no photo yet."""
    desk.sign_in("zhao")
    desk.services.readers.processes = 0
    with desk.services.database.write() as connection:
        row = connection.execute(select(Enrolment.class_id, Enrolment.learner_id)).first()
        assert row is not None
        connection.execute(
            update(Learner).where(Learner.id == row.learner_id).values(face_consent=True)
        )
    return f"/console/classes/{row.class_id}/learners/{row.learner_id}/enrolment"


def hand_in(desk: Desk, page: str, *files: tuple[str, bytes], reason: str = REASON) -> Any:
    return desk.client.post(
        page,
        data={"csrf": desk.csrf("/console"), "reason": reason},
        files=[("files", (name, data, "image/jpeg")) for name, data in files],
    )


def test_each_file_is_answered_and_the_act_stands_in_the_audit_log(desk: Desk, page: str) -> None:
    straight = portrait(LIN, noise_seed=1)
    answer = hand_in(
        desk,
        page,
        ("正面.jpg", straight),
        ("another.jpg", portrait(LIN, noise_seed=2)),
        ("darker.jpg", portrait(LIN, noise_seed=1, light=0.8)),
        ("letter.jpg", b"no picture"),
        ("night.jpg", portrait(LIN, noise_seed=3, light=0.25)),
    )
    assert answer.status_code == 200
    rows = answer.text.split('id="results"')[1].split("</table>")[0].split("<tr>")[2:]
    told = ["已登记", "已登记", "和已登记的一张照片几乎一样", "不是能识别的照片", "太暗"]
    assert [word in row for word, row in zip(told, rows, strict=True)] == [True] * 5
    assert "2 / 5" in answer.text and "<img" not in answer.text.split("<main")[1]
    with desk.services.database.read() as connection:
        (entry,) = connection.execute(
            select(AuditEntry).where(AuditEntry.action == "enrolment.handed_in")
        )
    assert entry.detail == {"photos": 2, "refused": 3, "reason": REASON}
    assert entry.actor.startswith("user:")


def of_a_phone(data: bytes, kind: str, size: tuple[int, int] | None = None) -> bytes:
    pillow_heif.register_heif_opener()
    picture, kept = Image.open(io.BytesIO(data)), io.BytesIO()
    (picture.resize(size) if size else picture).save(kept, kind, quality=95)
    return kept.getvalue()


def test_photos_of_any_phone_are_taken(desk: Desk, page: str) -> None:
    first, second = portrait(LIN, noise_seed=1), portrait(LIN, noise_seed=2)
    width, height = Image.open(io.BytesIO(second)).size
    large = (5000, 5000 * height // width)
    answer = hand_in(
        desk,
        page,
        ("IMG_0001.HEIC", of_a_phone(first, "HEIF")),
        ("IMG_0002.jpg", of_a_phone(second, "JPEG", large)),
    )
    assert answer.status_code == 200 and "2 / 5" in answer.text


def test_without_a_reason_or_a_file_nothing_is_taken(desk: Desk, page: str) -> None:
    photo = ("a.jpg", portrait(LIN, noise_seed=1))
    for answer in (hand_in(desk, page, photo, reason=" "), hand_in(desk, page)):
        assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert "0 / 5" in desk.get(page)


def test_only_who_decides_hands_photos_in(desk: Desk, page: str) -> None:
    desk.client.cookies.clear()
    desk.sign_in("root")
    assert hand_in(desk, page, ("a.jpg", portrait(LIN, noise_seed=1))).status_code == 403
    assert 'type="file"' not in desk.get(page)


def test_too_few_photos_are_seen_on_the_class_and_lead_to_the_learner(
    desk: Desk, page: str
) -> None:
    klass, _, learner = page.removesuffix("/enrolment").partition("/learners/")
    assert "登记照片不足5张" in desk.get(klass) and f"{klass}/enrolments" in desk.get(klass)
    assert f'href="{page}"' in desk.get(f"{klass}/enrolments")
    assert "把握较低" in desk.get(f"{klass}/learners/{learner}")


def test_consent_on_paper_is_recorded_for_who_signed_and_for_nobody_else(
    desk: Desk, page: str
) -> None:
    klass = page.split("/learners")[0]
    with desk.services.database.write() as connection:
        connection.execute(update(Learner).values(face_consent=False))
        signed, *others = connection.scalars(
            select(Enrolment.learner_id).where(Enrolment.class_id == int(klass.split("/")[-1]))
        ).all()

    def tell(**form: Any) -> Any:
        form = {"csrf": desk.csrf("/console"), "document": "同意书第1号", **form}
        return desk.client.post(f"{klass}/consents", data=form)

    nobody = tell(signed_on="2026-03-01")
    assert nobody.status_code == 422 and "请勾选已签署同意书的学员" in nobody.text
    future = tell(signed_on="2099-01-01", learners=[str(signed)])
    assert future.status_code == 422 and f'value="{signed}" checked' in future.text
    assert tell(signed_on="2026-03-01", learners=[str(signed)]).status_code == 200
    with desk.services.database.read() as connection:
        agreed = connection.scalars(select(Learner.id).where(Learner.face_consent)).all()
        entry = connection.execute(
            select(AuditEntry.actor, AuditEntry.detail).where(AuditEntry.action == "consent.given")
        ).all()[-1]
    assert agreed == [signed]
    assert (entry.actor, entry.detail) == ("user:zhao", {"document": "同意书第1号"})
    left = desk.get(f"{klass}/enrolments").split('id="consent"')[1].split("</form>")[0]
    assert left.count('name="learners"') == len(others)


def test_who_did_not_agree_is_asked_for_no_photo(desk: Desk, page: str) -> None:
    with desk.services.database.write() as connection:
        connection.execute(update(Learner).values(face_consent=False))
    assert "不能登记照片" in desk.get(page) and 'type="file"' not in desk.get(page)
    assert page not in desk.get(page.partition("/learners/")[0] + "/enrolments")


def test_who_left_the_class_lacks_no_photos(desk: Desk, page: str) -> None:
    klass = page.partition("/learners/")[0]
    assert "登记照片不足5张的学员" in desk.get(f"{klass}/enrolments")
    learner = page.split("/learners/")[1].partition("/")[0]
    assert f"/learners/{learner}/" in desk.get(f"{klass}/enrolments")
    left = update(Enrolment).where(Enrolment.learner_id == int(learner))
    with desk.services.database.write() as connection:
        connection.execute(left.values(ended_by="left", last_on="2026-04-02"))
    assert f"/learners/{learner}/" not in desk.get(f"{klass}/enrolments")
    assert desk.client.get(f"{klass}/learners/{learner}").status_code == 200
