"""Zips are read as packers write them by default; what is packed otherwise is named and refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from app.domain.zip_members import require_usual


@pytest.mark.parametrize(
    ("method", "usual"),
    [
        (zipfile.ZIP_STORED, True),
        (zipfile.ZIP_DEFLATED, True),
        (zipfile.ZIP_BZIP2, False),
        (zipfile.ZIP_LZMA, False),
    ],
)
def test_stored_and_deflated_members_are_read_and_others_named(method: int, usual: bool) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("名单.csv", "姓名")
    members = zipfile.ZipFile(file).infolist()
    if usual:
        require_usual(members)
        return
    with pytest.raises(zipfile.BadZipFile, match=r"名单\.csv"):
        require_usual(members)
