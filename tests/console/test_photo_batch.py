"""A clerk hands in the photos of a class at once: each is told whose it is, or why it is not."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.domain.faces import photo_batch, photo_files
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from models import AuditEntry, Enrolment, Learner, ReferencePhoto
from tests.console.conftest import Desk
from tests.console.test_acts import class_of
from tests.console.test_enrolment_photos import of_a_phone
from tests.domain.catalogue.test_tables import book

REASON = "开班当日由班主任当面拍摄。"
SEALED = re.compile(r'name="sealed" value="([^"]+)"')
PEOPLE = [
    ["姓名", "身份证号", "同意人脸核验", "同意日期"],
    ["张三", "000000198002020010", "是", "2026-03-01"],
    ["张三", "000000198002020029", "是", "2026-03-01"],
    ["买买提·艾力", "000000198002020037", "是", "2026-03-01"],
    ["李四", "000000198002020045", "是", "2026-03-01"],
    ["王五", "000000198002020053", "否", ""],
]
LI, ALI, ZHANG = PORTRAIT_SEEDS[:3]  # artificial people


@pytest.fixture
def page(desk: Desk) -> str:
    """Of a class with two people of one name, and one who did not agree to face checks."""
    desk.sign_in("zhao")
    desk.services.readers.processes = 0
    klass = f"/console/classes/{class_of(desk)}"
    form = {"csrf": desk.csrf("/console"), "kind": "roster"}
    shown = desk.client.post(
        f"{klass}/tables", data=form, files={"file": ("a.xlsx", book(("花名册", PEOPLE)))}
    )
    found = SEALED.search(shown.text)
    assert found, shown.text
    form = {"csrf": desk.csrf("/console"), "sealed": found[1]}
    assert "已接收5行" in desk.client.post(f"{klass}/tables/take", data=form).text
    return f"{klass}/photos"


def hand_in(desk: Desk, page: str, *files: tuple[str, bytes], reason: str = REASON) -> Any:
    form = {"csrf": desk.csrf("/console"), "reason": reason}
    return desk.client.post(page, data=form, files=[("files", it) for it in files])


def agree(desk: Desk, page: str, shown: Any) -> Any:
    found = SEALED.search(shown.text)
    assert found, shown.text
    form = {"csrf": desk.csrf("/console"), "sealed": found[1]}
    return desk.client.post(f"{page}/take", data=form)


def row_of(answer: Any, name: str) -> str:
    return next(it for it in answer.text.split("<tr>") if f">{name}<" in it)


def enrolled(desk: Desk) -> int:
    with desk.services.database.read() as connection:
        return connection.scalars(select(func.count()).select_from(ReferencePhoto)).one()


def waiting(desk: Desk) -> int:
    return len(desk.services.photos.blobs.e_tags("photo-batches"))


def packed(*files: tuple[str, bytes], gbk: bool = False) -> bytes:
    """A zip; `gbk`: as Windows in China packs it, which does not say how names are written."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for number, (name, data) in enumerate(files):
            archive.writestr(f"{number:09d}.tmp" if gbk else name, data)
    if not gbk:
        return kept.getvalue()
    raw = kept.getvalue()
    for number, (name, _) in enumerate(files):
        typed = name.encode("gb18030")
        assert len(typed) == 13, "names are put in place byte for byte"
        raw = raw.replace(f"{number:09d}.tmp".encode(), typed)
    return raw


def test_each_photo_is_told_whose_it_is_and_enrolled_when_agreed(desk: Desk, page: str) -> None:
    before = enrolled(desk)
    archive = packed(
        ("照片/李四/IMG_0001.HEIC", of_a_phone(portrait(LI, noise_seed=1), "HEIF")),
        ("照片/买买提•艾力-正面.webp", of_a_phone(portrait(ALI, noise_seed=1), "WEBP")),
        ("照片/01 张三0010.jpg", portrait(ZHANG, noise_seed=1)),
        ("照片/张三.jpg", portrait(ZHANG, noise_seed=2)),
        ("照片/王五.jpg", portrait(ZHANG, noise_seed=3)),
        ("照片/赵六.jpg", portrait(ZHANG, noise_seed=4)),
        ("照片/李四000000198002020037.jpg", portrait(LI, noise_seed=5)),
        ("照片/000000198002020011.jpg", portrait(LI, noise_seed=6)),
        ("__MACOSX/照片/._张三.jpg", b"no picture"),
    )
    night = portrait(LI, noise_seed=3, light=0.25)
    shown = hand_in(desk, page, ("照片.zip", archive), ("李四 (2).jpg", night))
    assert shown.status_code == 200 and enrolled(desk) == before and waiting(desk) == 3
    told = {
        "照片/李四/IMG_0001.HEIC": "可登记",
        "照片/买买提•艾力-正面.webp": "可登记",
        "照片/01 张三0010.jpg": "可登记",
        "照片/张三.jpg": "班里有2位张三",
        "照片/王五.jpg": "没有登记本人同意人脸核验",
        "照片/赵六.jpg": "没有花名册上的姓名",
        "照片/李四000000198002020037.jpg": "号码是买买提·艾力的",
        "照片/000000198002020011.jpg": "校验码",
        "李四 (2).jpg": "太暗",
    }
    assert {name for name, word in told.items() if word not in row_of(shown, name)} == set()
    assert "._张三" not in shown.text and "<img" not in shown.text.split("<main")[1]

    done = agree(desk, page, shown)
    assert "已登记3张，涉及3人" in done.text
    assert enrolled(desk) == before + 3 and waiting(desk) == 0
    with desk.services.database.read() as connection:
        entries = connection.execute(
            select(AuditEntry).where(AuditEntry.action == "enrolment.handed_in")
        ).all()
    assert [it.detail for it in entries] == [{"photos": 1, "refused": 0, "reason": REASON}] * 3
    again = agree(desk, page, shown)
    assert again.text.count("已处理过，或预览已过期") == 3 and enrolled(desk) == before + 3
    shown = hand_in(desk, page, ("照片.zip", archive))
    assert "这张照片以前已登记" in row_of(shown, "照片/01 张三0010.jpg")


def test_what_is_no_photo_is_told_for_what_it_is_before_whose_it_is(desk: Desk, page: str) -> None:
    told = {
        "一班.rar": (b"Rar!\x1a\x07\x01\x00rest", "是 RAR 压缩包"),
        "李四.7z": (b"7z\xbc\xaf\x27\x1crest", "是 7z 压缩包"),
        "李四.pdf": (b"%PDF-1.7 rest", "是 PDF 文件"),
        "李四.docx": (b"PK\x03\x04rest", "压缩包或文档"),
        "登记表.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "是文档，不是照片"),
        "说明.txt": ("照片说明".encode(), "不是能识别的照片"),
        "李四.emf": (b"\x01\x00\x00\x00l\x00\x00\x00rest", "不是能识别的照片"),
    }
    inner = packed(("内层.zip", b"PK\x03\x04rest"))
    shown = hand_in(desk, page, *((name, data) for name, (data, _) in told.items()))
    assert {it for it, (_, word) in told.items() if word not in row_of(shown, it)} == set()
    assert "压缩包里的压缩包" in row_of(hand_in(desk, page, ("照片.zip", inner)), "内层.zip")


def test_a_photo_for_two_people_is_nobodys(desk: Desk, page: str) -> None:
    one, other = portrait(LI, noise_seed=1), portrait(LI, noise_seed=2)
    files = [
        ("李四.jpg", one),
        ("买买提·艾力.jpg", one),
        ("李四2.jpg", other),
        ("李四3.jpg", other),
    ]
    shown = hand_in(desk, page, *files)
    for name, word in zip(
        ("李四.jpg", "买买提·艾力.jpg", "李四2.jpg", "李四3.jpg"),
        ("标了几个人（李四、买买提·艾力）",) * 2 + ("可登记", "与本次另一张照片相同"),
        strict=True,
    ):
        assert word in row_of(shown, name)
    assert waiting(desk) == 1


def test_what_nobody_agreed_to_is_gone_after_half_an_hour(desk: Desk, page: str) -> None:
    shown = hand_in(desk, page, ("李四.jpg", portrait(LI, noise_seed=1)))
    assert waiting(desk) == 1
    with desk.services.database.write() as connection:
        connection.execute(update(Learner).where(Learner.name == "李四").values(face_consent=False))
    desk.clock.now_ms += photo_batch.LASTS_MS + 1
    assert "预览已过期" in agree(desk, page, shown).text
    assert photo_batch.sweep(desk.services.enrolments) == 1 and waiting(desk) == 0


def test_who_withdraws_consent_meanwhile_is_not_enrolled(desk: Desk, page: str) -> None:
    before = enrolled(desk)
    shown = hand_in(desk, page, ("李四.jpg", portrait(LI, noise_seed=1)))
    with desk.services.database.write() as connection:
        connection.execute(update(Learner).where(Learner.name == "李四").values(face_consent=False))
    assert "没有登记本人同意人脸核验" in row_of(agree(desk, page, shown), "李四.jpg")
    assert enrolled(desk) == before


def test_names_as_windows_packs_them_are_read(desk: Desk, page: str) -> None:
    archive = packed(("李四-正面.jpg", portrait(LI, noise_seed=1)), gbk=True)
    assert "可登记" in row_of(hand_in(desk, page, ("a.zip", archive)), "李四-正面.jpg")


def test_a_document_among_the_photos_is_refused_by_itself(desk: Desk, page: str) -> None:
    photo = ("李四.jpg", portrait(LI, noise_seed=1))
    shown = hand_in(desk, page, ("登记表.docx", b"PK\x03\x04 of Word"), photo)
    assert "将退回" in row_of(shown, "登记表.docx") and "可登记" in row_of(shown, "李四.jpg")


def test_who_left_the_class_is_asked_for_no_photo(desk: Desk, page: str) -> None:
    with desk.services.database.write() as connection:
        left = select(Learner.id).where(Learner.name == "李四").scalar_subquery()
        values = {"ended_by": "left", "last_on": "2026-03-05"}
        connection.execute(update(Enrolment).where(Enrolment.learner_id == left).values(**values))
    shown = hand_in(desk, page, ("李四.jpg", portrait(LI, noise_seed=1)))
    assert "已离班或转班" in row_of(shown, "李四.jpg")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([("a.zip", b"PK\x03\x04 and no more")], "打不开"),
        ([], "请选择照片"),
        ([("a.zip", packed(*((f"{n}.jpg", b"") for n in range(201))))], "一次最多200张"),
    ],
)
def test_what_cannot_be_opened_is_told_as_a_whole(
    desk: Desk, page: str, files: list[tuple[str, bytes]], told: str
) -> None:
    answer = hand_in(desk, page, *files)
    assert answer.status_code == 422 and told in answer.text and waiting(desk) == 0


def test_a_member_that_unpacks_to_too_much_is_cut_and_refused(desk: Desk, page: str) -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("李四.jpg", b"\xff\xd8\xff" + bytes(3 * photo_files.MOST_BYTES))
    assert "超过20MB" in row_of(hand_in(desk, page, ("a.zip", kept.getvalue())), "李四.jpg")


def test_another_persons_preview_is_not_taken(desk: Desk, page: str) -> None:
    shown = hand_in(desk, page, ("李四.jpg", portrait(LI, noise_seed=1)))
    desk.client.cookies.clear()
    desk.sign_in("sun")
    assert "预览已过期" in agree(desk, page, shown).text
