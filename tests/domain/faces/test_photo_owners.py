"""Whose photo a file is, by its name, and never by a guess."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.domain.faces.photo_owners import PhotoOwners
from app.languages import Text
from app.vault import Vault

ROSTER = [
    ("s1", "张三", "000000198002020010"),
    ("s2", "张三", "000000198002020029"),
    ("2026-0007", "李四", "000000198002020045"),
    ("2026-0007-1", "李四海", "000000198002020053"),
    ("8", "Anna Smith", "E12345678"),
    ("zx-1a2b3c", "买买提·艾力", None),
    ("s9", "周八", "000000198001020000"),  # which its card ends with, and no spreadsheet
]


@pytest.fixture(scope="module")
def owners() -> PhotoOwners:
    vault = Vault("a key of thirty-two characters or more")
    members: list[Any] = [
        SimpleNamespace(
            id=row,
            external_id=account,
            name=name,
            id_hash=vault.id_number_hash(number) if number else None,
            id_last4=number[-4:] if number else None,
            ended_by=None,
        )
        for row, (account, name, number) in enumerate(ROSTER)
    ]
    return PhotoOwners(vault, members)


@pytest.mark.parametrize(
    ("path", "account"),
    [
        ("李四.jpg", "2026-0007"),
        ("李四-正面.HEIC", "2026-0007"),
        ("03 李 四 (2).png", "2026-0007"),
        ("登记照片_李四_靠近.webp", "2026-0007"),
        ("李四海.jpg", "2026-0007-1"),
        ("李四海（大）.jpg", "2026-0007-1"),
        ("2026-0007.jpg", "2026-0007"),
        ("2026-0007-1.jpg", "2026-0007-1"),
        ("张三0029.jpg", "s2"),
        ("张三（００００００１９８００２０２００１０）.jpg", "s1"),
        ("000000198002020045.jpg", "2026-0007"),
        ("E12345678.jpg", "8"),
        ("周八000000198001020000.jpg", "s9"),
        ("anna_smith 2.jpg", "8"),
        ("买买提•艾力.jpg", "zx-1a2b3c"),
        ("ZX-1A2B3C.bmp", "zx-1a2b3c"),
        ("一班/李四/IMG_20260301_120102.jpg", "2026-0007"),
        ("李四的文件夹/微信图片_20260301.jpg", None),
        ("张三.jpg", None),
        ("张三1234.jpg", None),
        ("李四 李四海.jpg", None),
        ("李四000000198002020053.jpg", None),
        ("000000198002020037.jpg", None),
        ("王五.jpg", None),
        ("李四/000000198002020011.jpg", None),
        ("IMG_0001.jpg", None),
        ("", None),
    ],
)
def test_a_file_is_whose_name_or_number_it_bears(
    owners: PhotoOwners, path: str, account: str | None
) -> None:
    found = owners.owner(path)
    if account is None:
        assert isinstance(found, Text) and found.zh and found.en, found
    else:
        assert cast("Any", found).external_id == account, found


def test_a_row_number_is_nobodys_account(owners: PhotoOwners) -> None:
    assert cast("Any", owners.owner("李四 8.jpg")).external_id == "2026-0007"
