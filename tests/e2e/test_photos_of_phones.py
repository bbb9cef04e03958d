"""Photos as phones make them, handed in wherever the browser asks for one; and what is no photo."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import select

from app.clock import day
from app.domain.accounts import users
from app.domain.review import learner_link, material
from app.simulation.entities import invented_id_number
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from models import CaseNote, Enrolment, Finding, Learner, TrainingClass
from tests.domain.catalogue.test_tables import book
from tests.e2e.conftest import Visitor
from tests.e2e.site import Site

pytestmark = pytest.mark.browser

FACE = PORTRAIT_SEEDS[0]  # an artificial person
TURN_RIGHT = 6  # EXIF: shown turned by 90°
KINDS = ("IMG_0001.HEIC", "微信图片.webp", "扫描.bmp", "IMG_0004.jpg", "IMG_0005.JPG")
TITLES, NAME = ["姓名", "身份证号", "同意人脸核验", "同意日期"], "鲁插班"
TELEPHONE = {"width": 360, "height": 740}


def photos(folder: Path) -> list[Path]:
    """An iPhone's, a messenger's, a scanner's, one held sideways, and one of 24 megapixels."""
    pillow_heif.register_heif_opener()
    for number, name in enumerate(KINDS):
        pose = (0.0, 0.25, -0.2, 0.12, -0.1)[number]
        seen = portrait(FACE, size=(960, 640), pose=pose, noise_seed=number + 1)
        picture = Image.open(io.BytesIO(seen)).convert("RGB")
        exif = Image.Exif()
        if name == "IMG_0004.jpg":
            exif[0x0112] = TURN_RIGHT
            picture = picture.transpose(Image.Transpose.ROTATE_90)
        if name == "IMG_0005.JPG":
            picture = picture.resize((6000, 4000))
        kind = {"HEIC": "HEIF", "webp": "WEBP", "bmp": "BMP"}.get(name.split(".")[1], "JPEG")
        picture.save(folder / name, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return [folder / name for name in KINDS]


def bomb(folder: Path) -> Path:
    """A PNG of 900 million pixels in a few kilobytes."""
    side, kept = 30_000, [b"\x89PNG\r\n\x1a\n"]
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    for name, data in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")):
        kept += [struct.pack(">I", len(data)), name, data]
        kept.append(struct.pack(">I", zlib.crc32(name + data)))
    file = folder / "太大的图.png"
    file.write_bytes(b"".join(kept))
    return file


def halves(folder: Path, files: list[Path]) -> list[Path]:
    """Each as it is when the transfer broke off."""
    found = []
    for it in files:
        half = folder / f"半张-{it.name}"
        half.write_bytes(it.read_bytes()[: it.stat().st_size * 2 // 3])
        found.append(half)
    return found


def bad_files(folder: Path) -> list[Path]:
    text = folder / "说明.jpg"
    text.write_bytes(b"no picture at all")
    return [bomb(folder), text, *halves(folder, photos(folder))]


def learner_of(site: Site, clerk: Visitor, folder: Path) -> tuple[int, int]:
    """Somebody who joins the class of a clerk and agreed to face checks: class and learner."""
    with site.services.database.read() as connection:
        klass = connection.scalars(select(TrainingClass.id).order_by(TrainingClass.id)).first()
    clerk.open(f"/console/classes/{klass}/tables")
    joins = folder / "插班学员.xlsx"
    joins.write_bytes(
        book(("花名册", [TITLES, [NAME, invented_id_number(820_001), "是", "2026-11-20"]]))
    )
    clerk.page.get_by_label("文件").set_input_files(joins)
    clerk.page.get_by_role("button", name="预览").click()
    clerk.page.get_by_role("button", name="确认接收1行").click()
    clerk.sees("已接收1行")
    with site.services.database.read() as connection:
        learner = connection.scalar(select(Learner.id).where(Learner.name == NAME))
    assert klass is not None and learner is not None
    return klass, learner


def result_of(clerk: Visitor, name: str) -> Any:
    cell = clerk.page.get_by_role("cell", name=name, exact=True)
    return clerk.page.locator("tbody tr").filter(has=cell)


def test_a_clerk_enrols_photos_of_every_phone_for_a_learner(
    visitor: Callable[..., Visitor], site: Site, tmp_path: Path
) -> None:
    clerk = visitor("han")
    klass, learner = learner_of(site, clerk, tmp_path)
    clerk.open(f"/console/classes/{klass}/learners/{learner}/enrolment")
    files = photos(tmp_path)
    clerk.page.get_by_label("照片（JPEG").set_input_files(files)
    clerk.page.get_by_label("理由").fill("学员没有智能手机，由机构当面拍摄。")
    clerk.page.get_by_role("button", name="提交照片").click()
    for file in files:
        expect(result_of(clerk, file.name)).to_contain_text("已登记")
    clerk.sees("5 / 5")
    refused = bad_files(tmp_path)
    clerk.page.get_by_label("照片（JPEG").set_input_files(refused)
    clerk.page.get_by_label("理由").fill("学员没有智能手机，由机构当面拍摄。")
    clerk.page.get_by_role("button", name="提交照片").click()
    told(clerk, refused)


def told(clerk: Visitor, refused: list[Path], folder: str = "") -> None:
    words = {"太大的图.png": "6400万像素", "说明.jpg": "不是能识别的照片"}
    for file in refused:
        expect(result_of(clerk, folder + file.name)).to_contain_text(words.get(file.name, "请重新"))


@pytest.mark.thorough
def test_an_archive_of_photos_of_every_phone_is_taken(
    visitor: Callable[..., Visitor], site: Site, tmp_path: Path
) -> None:
    clerk = visitor("han")
    klass, _ = learner_of(site, clerk, tmp_path)
    taken, refused = photos(tmp_path), bad_files(tmp_path)
    packed = tmp_path / "照片.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in (*taken, *refused):
            archive.write(file, f"{NAME}/{file.name}")
    clerk.open(f"/console/classes/{klass}/photos")
    clerk.page.get_by_label("照片，可选很多张").set_input_files(packed)
    clerk.page.get_by_label("理由").fill("开班当日由班主任当面拍摄。")
    clerk.page.get_by_role("button", name="预览").click()
    for file in taken:
        expect(result_of(clerk, f"{NAME}/{file.name}")).to_contain_text("可登记")
    told(clerk, refused, f"{NAME}/")
    clerk.page.get_by_role("button", name="确认登记5张").click()
    clerk.sees("已登记5张")


def asked(site: Site, kind: str) -> tuple[int, str]:
    """What is asked of a platform or a learner: the case's number, and a learner's own link."""
    with site.services.database.write() as connection:
        zhao = users.named(connection, "zhao")
        cases = connection.scalars(select(Finding.case_id).distinct()).all()
        case, who = next(
            (case, who)
            for case in cases
            for who in material.choices(connection, zhao.scope, case)
            if who.startswith(kind)
        )
        now_ms = site.services.clock()
        until = day(now_ms + 5 * 86_400_000).isoformat()
        material.ask(connection, zhao, case, who, "请提供当晚学习的照片。", until, now_ms)
        if kind != "enrolment":
            return case, ""
        row = connection.execute(
            select(Enrolment).where(Enrolment.id == int(who.split(":")[1]))
        ).one()
        by: dict[str, Any] = {"actor": zhao.actor, "days": 30, "now_ms": now_ms}
        vault = site.services.vault
        link = learner_link.issue(connection, vault, row.class_id, row.learner_id, **by)
    return case, link.path


def kept(site: Site) -> list[str]:
    with site.services.database.read() as connection:
        return list(
            connection.scalars(select(CaseNote.file_name).where(CaseNote.file_name.is_not(None)))
        )


@pytest.mark.thorough
def test_a_learner_answers_with_a_photo_of_any_phone(
    visitor: Callable[..., Visitor], site: Site, tmp_path: Path
) -> None:
    _, path = asked(site, "enrolment")
    trainee = visitor(viewport=TELEPHONE).open(path)
    page = trainee.page
    for file in bad_files(tmp_path):
        page.get_by_label("照片或文件").set_input_files(file)
        with page.expect_navigation():
            page.get_by_role("button", name="提交", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("再交")
    page.get_by_label("照片或文件").set_input_files(tmp_path / "IMG_0001.HEIC")
    page.get_by_role("button", name="提交", exact=True).click()
    trainee.sees("您已提交")
    assert kept(site) == ["IMG_0001.jpg"]


@pytest.mark.thorough
def test_people_of_a_case_attach_photos_of_any_phone(
    visitor: Callable[..., Visitor], site: Site, tmp_path: Path
) -> None:
    files = photos(tmp_path)
    case, _ = asked(site, "platform")
    zhao = visitor("zhao")
    for file in files:
        zhao.open(f"/console/cases/{case}")
        zhao.page.get_by_label("附件").set_input_files(file)
        zhao.page.get_by_role("button", name="保存").last.click()
        zhao.sees(f"{file.stem}.jpg")
    assert sorted(kept(site)) == sorted(f"{it.stem}.jpg" for it in files)
