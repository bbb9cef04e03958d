"""A site's own packs are read from a folder beside those that are shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from app.domain.policy import pack_lock, packs
from app.domain.policy.clauses import _register
from app.domain.policy.pack_schema import PackError
from app.settings import Settings

OURS = """\
schema = 1
extends = "huangchuan-2021-graded@1.1.0"
id = "xinxian-2026"
version = "1.0.0"
title = { zh = "新县2026年", en = "Xinxian 2026" }

[enrolment.parameters.required_share]
value = 0.9
unit = "share"
source = "quoted"
clause = "xinxian-2026/share"
quote = "有效课时不少于计划课时的90%"
note_zh = "比例"
note_en = "share"
"""
CLAUSES = """\
[instrument]
title = "通知"
title_en = "Notice"
number = "新人社〔2026〕0号"
issuer = "示例"
dated = 2026-01-05
source_text = "not in tree"

[clauses.share]
article = "三"
words = "有效课时不少于计划课时的90%"
gloss_en = "at least 90 % of the planned class-hours are valid"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "clauses").mkdir()
    (tmp_path / "clauses" / "xinxian-2026.toml").write_text(CLAUSES, "utf-8")
    (tmp_path / "xinxian-2026@1.0.0.toml").write_text(OURS, "utf-8")
    monkeypatch.setenv("ZHENXUE_PACKS_DIR", str(tmp_path))
    return tmp_path


def test_a_pack_of_the_site_stands_beside_the_shipped_ones_and_extends_one(site: Path) -> None:
    ours = packs.load("xinxian-2026")
    assert ours.consequences.required_share == 0.9
    assert ours.policy["popup_gap"]["max_gap_s"] == 300
    assert {it.id for it in packs.available()} >= {"xinxian-2026", "huangchuan-2021-graded"}


def test_a_pack_that_is_added_later_is_found_without_a_restart(site: Path) -> None:
    assert packs.versions()["xinxian-2026"] == ("1.0.0",)
    later = OURS.replace('version = "1.0.0"', 'version = "1.1.0"')
    (site / "xinxian-2026@1.1.0.toml").write_text(later, "utf-8")
    os.utime(site, ns=(1, 1))  # two writes within one tick of the file system's clock
    assert packs.load("xinxian-2026").version == "1.1.0"


def test_it_has_a_lock_of_its_own_and_the_shipped_one_is_not_touched(site: Path) -> None:
    [problem] = pack_lock.check()
    assert (problem.code, problem.pack) == ("unpublished", "xinxian-2026@1.0.0")
    shipped = (packs.FOLDER / pack_lock.LOCK).read_bytes()
    assert pack_lock.publish() == ["xinxian-2026@1.0.0"] and pack_lock.check() == []
    assert (packs.FOLDER / pack_lock.LOCK).read_bytes() == shipped
    changed = OURS.replace("value = 0.9", "value = 0.8")
    (site / "xinxian-2026@1.0.0.toml").write_text(changed, "utf-8")
    packs._load.cache_clear()
    assert [it.code for it in pack_lock.check()] == ["changed"]


def test_nobody_adds_a_version_to_a_pack_that_stands_elsewhere(site: Path) -> None:
    mine = OURS.replace('id = "xinxian-2026"', 'id = "huangchuan-2021-graded"')
    (site / "huangchuan-2021-graded@9.0.0.toml").write_text(mine, "utf-8")
    os.utime(site, ns=(2, 2))
    with pytest.raises(PackError, match="stands in two folders"):
        packs.versions()
    assert packs.load("huangchuan-2021-graded").version != "9.0.0"


def test_a_copy_beside_the_packs_is_told_and_keeps_nobody_from_them(site: Path) -> None:
    (site / "xinxian-2026@1.0.0 - Copy.toml").write_text(OURS, "utf-8")
    os.utime(site, ns=(3, 3))
    for pack in ("xinxian-2026", "huangchuan-2021-graded"):
        assert packs.load(pack).id == pack
    assert "xinxian-2026@1.0.0" in {it.name for it in packs.available()}
    for told in (
        packs.versions,
        partial(packs.available, strict=True),
        pack_lock.check,
        pack_lock.publish,
    ):
        with pytest.raises(PackError, match=r"Copy\.toml: a pack file is named"):
            told()


def test_words_that_nobody_can_read_keep_nobody_from_the_packs_without_them(site: Path) -> None:
    (site / "clauses" / "xinxian-2026.toml").write_text("[instrument", "utf-8")
    packs._load.cache_clear()
    _register.cache_clear()
    assert packs.load("huangchuan-2021-graded").id == "huangchuan-2021-graded"
    with pytest.raises(PackError, match=r"clauses/xinxian-2026\.toml: "):
        packs.load("xinxian-2026")
    assert {it.pack for it in pack_lock.check()} == {"xinxian-2026@1.0.0"}
    (site / "xinxian-2026@1.0.0.toml").unlink()
    os.utime(site, ns=(4, 4))
    [problem] = pack_lock.check()
    assert (problem.code, problem.pack) == ("invalid", "clauses")


def test_every_process_finds_them(site: Path) -> None:
    code = "from app.domain.policy import packs; print(packs.load('xinxian-2026').name)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "xinxian-2026@1.0.0"


def test_a_folder_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ZHENXUE_PACKS_DIR: there is no folder"):
        Settings(packs_dir=str(tmp_path / "gone"))
