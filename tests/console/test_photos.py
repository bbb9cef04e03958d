"""Looking at photos: with a purpose, on record, and marked."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image
from sqlalchemy import select, update

from app.console.watermark import marked
from app.domain.faces.photo_viewing import GRANT_MS
from app.security import seal
from app.store.faces import face_keys
from models import (
    AuditEntry,
    Finding,
    LearnerKey,
    PhotoAccess,
    Session,
    Snapshot,
    TrainingClass,
)
from tests.console.conftest import Clock, Desk

PURPOSE = "复核人脸比对结果"
PICTURE = re.compile(r"/console/photo-accesses/\d+\.jpg")


def jpeg() -> bytes:
    out = BytesIO()
    Image.new("RGB", (320, 240), (90, 120, 150)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def photo(desk: Desk) -> str:
    """The address of a kept photo in Huangchuan."""
    snapshot_id, blob_key = desk.county.snapshots["other:1"], "learners/4/sessions/4/p"
    learner_id = desk.county.learners["阿卜杜热合曼·买买提依明江·吾斯曼"]
    with desk.services.database.write() as connection:
        key = face_keys.ensure_key(connection, desk.services.vault, learner_id, desk.clock())
        desk.services.blobs.put(blob_key, seal(key, jpeg(), blob_key.encode()))
        connection.execute(
            update(Snapshot).where(Snapshot.id == snapshot_id).values(blob_key=blob_key)
        )
    return f"/console/photos/{snapshot_id}"


def look(desk: Desk, photo: str, purpose: str = PURPOSE) -> str:
    form = {"csrf": desk.csrf("/console"), "purpose": purpose}
    return desk.client.post(photo, data=form).text


def test_a_photo_is_shown_only_to_a_purpose(desk: Desk, photo: str) -> None:
    desk.sign_in("sun")
    assert not PICTURE.search(desk.get(photo))
    assert not PICTURE.search(look(desk, photo, "  看 "))
    assert PICTURE.search(look(desk, photo))


def test_a_look_is_on_record_with_who_when_and_why(desk: Desk, photo: str) -> None:
    look(desk.sign_in("sun"), photo)
    with desk.services.database.read() as connection:
        access = connection.execute(select(PhotoAccess)).one()
        entry = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (access.at_ms, access.purpose) == (desk.clock(), PURPOSE)
    assert (entry.actor, entry.action) == ("user:sun", "photo.viewed")


def test_the_pixels_carry_the_viewers_mark(desk: Desk, photo: str) -> None:
    shown = PICTURE.search(look(desk.sign_in("sun"), photo))
    assert shown
    answer = desk.client.get(shown[0])
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    with Image.open(BytesIO(answer.content)) as picture:
        assert picture.size == (320, 240)
        assert len(set(picture.convert("L").get_flattened_data())) > 20


def test_a_granted_look_is_ones_own_and_short(
    desk: Desk, new_desk, photo: str, clock: Clock
) -> None:
    shown = PICTURE.search(look(desk.sign_in("sun"), photo))
    assert shown
    assert new_desk().sign_in("zhao").client.get(shown[0]).status_code == 404
    clock.now_ms += GRANT_MS + 1
    assert desk.client.get(shown[0]).status_code == 404


@pytest.mark.parametrize(("username", "status"), [("qian", 404), ("feng", 403), ("root", 403)])
def test_nobody_else_sees_a_photo(desk: Desk, photo: str, username: str, status: int) -> None:
    desk.sign_in(username)
    assert desk.client.get(photo).status_code == status
    form = {"csrf": desk.csrf("/console"), "purpose": PURPOSE}
    assert desk.client.post(photo, data=form).status_code == status


def test_an_erased_photo_is_gone(desk: Desk, photo: str) -> None:
    shown = PICTURE.search(look(desk.sign_in("sun"), photo))
    assert shown
    with desk.services.database.write() as connection:
        connection.execute(update(LearnerKey).values(wrapped=None, destroyed_ms=desk.clock()))
    answer = desk.client.get(shown[0])
    assert answer.status_code == 404 and "销毁" in answer.text


def repeat(desk: Desk, photo: str, earlier: str) -> None:
    """Give a photo the bytes of an earlier one."""
    with desk.services.database.write() as connection:
        other = select(Snapshot.sha256).where(Snapshot.id == desk.county.snapshots[earlier])
        connection.execute(
            update(Snapshot)
            .where(Snapshot.id == int(photo.rpartition("/")[2]))
            .values(sha256=other.scalar_subquery(), received_ms=desk.clock())
        )


def test_a_photo_that_repeats_another_is_shown_beside_it_and_both_looks_are_on_record(
    desk: Desk, photo: str
) -> None:
    repeat(desk, photo, "honest:0")
    page = look(desk.sign_in("sun"), photo)
    assert len(PICTURE.findall(page)) == 2 and "逐字节相同" in page
    with desk.services.database.read() as connection:
        looked_at = set(connection.execute(select(PhotoAccess.snapshot_id)).scalars())
    assert looked_at == {desk.county.snapshots["honest:0"], int(photo.rpartition("/")[2])}


def test_the_other_photo_stays_hidden_from_who_may_not_see_its_county(
    desk: Desk, photo: str
) -> None:
    repeat(desk, photo, "honest:0")
    with desk.services.database.write() as connection:
        elsewhere = select(TrainingClass.id).where(TrainingClass.county != "潢川县").limit(1)
        connection.execute(
            update(Session)
            .where(Session.id == desk.county.sessions["honest"])
            .values(class_id=elsewhere.scalar_subquery())
        )
    page = look(desk.sign_in("sun"), photo)
    assert len(PICTURE.findall(page)) == 1 and "辖区以外" in page
    beside = f"{photo}?beside={desk.county.snapshots['honest:0']}"
    assert desk.client.get(beside).status_code == 404


def test_a_finding_on_photos_leads_to_them(desk: Desk, photo: str) -> None:
    finding_id = desk.county.findings["other:face_liveness"]
    with desk.services.database.write() as connection:
        body = connection.execute(select(Finding.body).where(Finding.id == finding_id)).scalar_one()
        body["evidence"]["photos"] = [{"place": 1, "at_ms": body["start_ms"]}]
        connection.execute(update(Finding).where(Finding.id == finding_id).values(body=body))
    sitting = f"/console/sessions/{desk.county.sessions['other']}"
    assert f'href="{photo}?back=' in desk.sign_in("sun").get(sitting)


def test_from_a_photo_one_comes_back_to_the_case_and_never_elsewhere(
    desk: Desk, photo: str
) -> None:
    case = "/console/findings/3?queue=rule%3Dface_liveness"
    desk.sign_in("sun")
    for page in (
        desk.get(f"{photo}?{urlencode({'back': case})}"),
        look(desk, f"{photo}?{urlencode({'back': case})}"),
    ):
        assert f'href="{case}"' in page
    assert 'href="https:' not in desk.get(f"{photo}?back=https://example.org/")


THUMBNAIL = re.compile(r"/console/photo-accesses/\d+/small\.jpg")


def look_through(desk: Desk, purpose: str = PURPOSE, sitting: str = "other"):
    address = f"/console/sessions/{desk.county.sessions[sitting]}"
    form = {"csrf": desk.csrf("/console"), "purpose": purpose}
    return address, desk.client.post(f"{address}/photos?queue=rule%3Dfast_forward", data=form)


def test_a_sittings_picture_shows_its_photos_once_a_purpose_is_stated(
    desk: Desk, photo: str, clock: Clock
) -> None:
    desk.sign_in("sun")
    address, refused = look_through(desk, "  看 ")
    assert refused.status_code == 422 and not THUMBNAIL.search(desk.get(address))
    _, shown = look_through(desk)
    assert len(THUMBNAIL.findall(shown.text)) == 1  # of the one that still exists
    assert shown.url.query == b"queue=rule%3Dfast_forward"
    with desk.services.database.read() as connection:
        access = connection.execute(select(PhotoAccess)).one()
        entry = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    kept = int(photo.rpartition("/")[2])
    assert (access.at_ms, access.purpose, access.snapshot_id) == (desk.clock(), PURPOSE, kept)
    assert (entry.actor, entry.action, entry.subject) == (
        "user:sun",
        "photo.viewed",
        f"snapshot:{kept}",
    )
    clock.now_ms += GRANT_MS + 1
    assert not THUMBNAIL.search(desk.get(address))


def test_a_thumbnail_is_small_marked_ones_own_and_not_kept(
    desk: Desk, new_desk, photo: str
) -> None:
    address, shown = look_through(desk.sign_in("sun"))
    found = THUMBNAIL.search(shown.text)
    assert found
    answer = desk.client.get(found[0])
    assert answer.headers["cache-control"] == "no-store"
    with Image.open(BytesIO(answer.content)) as picture:
        assert max(picture.size) <= 216
        assert len(set(picture.convert("L").get_flattened_data())) > 20
    other = new_desk().sign_in("zhao")
    assert other.client.get(found[0]).status_code == 404
    assert not THUMBNAIL.search(other.get(address))


@pytest.mark.parametrize(("username", "status"), [("qian", 404), ("feng", 403), ("root", 403)])
def test_nobody_else_looks_through_a_sittings_photos(
    desk: Desk, photo: str, username: str, status: int
) -> None:
    _, answer = look_through(desk.sign_in(username))
    assert answer.status_code == status
    with desk.services.database.read() as connection:
        assert connection.execute(select(PhotoAccess)).first() is None


def test_a_mirrored_photo_is_turned_back_before_the_mark_is_written_on_it() -> None:
    out = BytesIO()
    picture = Image.new("L", (400, 300), 0)
    picture.paste(255, (0, 0, 200, 300))
    picture.save(out, "JPEG")
    plain, turned = (
        Image.open(BytesIO(marked(out.getvalue(), "sun", mirrored=it))).convert("L")
        for it in (False, True)
    )
    bright: list[Any] = [
        picture.resize((2, 1), Image.Resampling.BOX) for picture in (plain, turned)
    ]
    assert bright[0].getpixel((0, 0)) > 128 > bright[0].getpixel((1, 0))
    assert bright[1].getpixel((0, 0)) < 128 < bright[1].getpixel((1, 0))
