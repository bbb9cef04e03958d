"""Photos as people hand them in together: single files, and zip archives of them.

An archive is a stranger's: what is unpacked of one member and of all together is bounded, and
nothing in it is a path to us.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.domain.zip_members import is_junk, require_usual, typed_name
from app.errors import BadInput
from app.languages import Text

MOST_PHOTOS = 200
MOST_BYTES = 20 * 1024 * 1024  # of a photo; the readers of pictures refuse what is larger
_MOST_MEMBERS = 2000
_ZIP = b"PK\x03\x04"
_DOCUMENTS = (".docx", ".xlsx", ".pptx", ".wps")  # archives too, and no photos
_NO_PHOTO = {
    b"Rar!": Text(
        "是 RAR 压缩包，没有打开：请解压后压缩为 .zip，或直接选择照片",
        "a RAR archive is not opened: unpack it, and pack a .zip or choose the photos",
    ),
    b"7z\xbc\xaf": Text(
        "是 7z 压缩包，没有打开：请解压后压缩为 .zip，或直接选择照片",
        "a 7z archive is not opened: unpack it, and pack a .zip or choose the photos",
    ),
    _ZIP: Text(
        "是压缩包里的压缩包或文档，没有打开：请把照片取出来，与其他照片一起压缩为 .zip",
        "an archive inside the archive, or a document, is not opened: pack its photos with the "
        "others",
    ),
    b"%PDF": Text(
        "是 PDF 文件，不是照片：请改交照片（JPEG、PNG 等）",
        "this is a PDF and no photo: hand in the photo",
    ),
    b"\xd0\xcf\x11\xe0": Text(
        "是文档，不是照片：请把里面的照片另存为图片再交",
        "this is a document and no photo: save its pictures as files",
    ),
}
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError),
    *(LookupError, ValueError, OverflowError),  # names of no letters or no encoding, far offsets
)


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A file and its name, with the folders of its archive. `data` ends a byte after the most that
    a photo may have."""

    name: str
    data: bytes


class BadPhotoFiles(BadInput):
    """Why none of what was handed in is looked at, in Chinese and English."""

    def __init__(self, code: str, told: Text) -> None:
        super().__init__(code, told.en)
        self.told = told


def photos(files: Iterable[tuple[str, BinaryIO]]) -> Iterator[PhotoFile]:
    """Every photo, one at a time. Raises BadPhotoFiles for an archive that does not open, and for
    more than `MOST_PHOTOS`."""
    for count, found in enumerate(_all(files), start=1):
        if count > MOST_PHOTOS:
            raise BadPhotoFiles(
                "too_many_photos",
                Text(
                    f"一次最多{MOST_PHOTOS}张照片，请分几次提交",
                    f"more than {MOST_PHOTOS} photos: hand them in by and by",
                ),
            )
        yield found


def no_photo(data: bytes) -> Text | None:
    """What a file is instead of a photo, where people often hand it in as one."""
    return _NO_PHOTO.get(data[:4])


def _all(files: Iterable[tuple[str, BinaryIO]]) -> Iterator[PhotoFile]:
    for name, file in files:
        start = file.read(len(_ZIP))
        file.seek(0)
        if start == _ZIP and not name.lower().endswith(_DOCUMENTS):
            yield from _unpacked(name, file)
        else:
            yield PhotoFile(name, file.read(MOST_BYTES + 1))


def _unpacked(name: str, file: BinaryIO) -> Iterator[PhotoFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()[:_MOST_MEMBERS]
            require_usual(members)
            for member in members:
                path = typed_name(member)
                if member.is_dir() or is_junk(path):
                    continue
                if member.flag_bits & 1:
                    raise _locked(name)
                with archive.open(member) as packed:
                    yield PhotoFile(path, packed.read(MOST_BYTES + 1))
    except _BROKEN as error:
        raise BadPhotoFiles(
            "archive_broken",
            Text(
                f"压缩包“{name}”打不开。请重新压缩为 .zip，或直接选择照片",
                f"the archive {name!r} does not open: pack it anew as .zip, or choose the photos",
            ),
        ) from error


def _locked(name: str) -> BadPhotoFiles:
    return BadPhotoFiles(
        "archive_locked",
        Text(
            f"压缩包“{name}”设了密码，请去掉密码再提交",
            f"the archive {name!r} has a password: pack it without one",
        ),
    )
